"""Notices: what somebody should know of, in the page and by e-mail, as each chooses. Kinds are data.

Neither a pupil's name nor a D4 value stands in a notice; an e-mail says kind, case number and link only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Notice, NoticeChoice, User

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

PAGE = 50
MOST_UNREAD = 99  # the bell counts so far
# The matter itself stands in its case and in the log; a notice only leads there. No law says how long.
KEPT_AFTER_READING = timedelta(days=90)
KEPT_UNREAD = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of notice, and where it goes unless she chooses otherwise; e-mail only for who gave an
    address.
    """

    code: str
    label: "StrOrPromise"
    summary: "StrOrPromise"
    in_page: bool = True
    by_email: bool = True


# What comes many times a day is not mailed unless asked for.
KINDS: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind("step_arrived", _("有新的待办"), _("办件送达本单位，等待您办理"), by_email=False),
        Kind("step_due", _("时限提醒"), _("待办的期限过半，以及到期前一个工作日")),
        Kind("step_overdue", _("超期督办"), _("下级单位超期未办，提请本单位督办")),
        Kind("urged", _("催办"), _("上级单位催办本单位的超期办件")),
        Kind("case_returned", _("退回补正"), _("本校发起的办件被退回，须补正后重新提交")),
        Kind("case_ended", _("办结或不予通过"), _("本校发起或涉及本校的办件有了结果"), by_email=False),
        Kind("handover", _("档案移交"), _("学籍档案待移交或待接收")),
        Kind("suspension_ending", _("休学将满"), _("学生休学期限将满，须办理复学或延长")),
        Kind("promotion", _("统一升级"), _("升级演练完成，或本地的升级被暂停")),
        Kind("export", _("导出"), _("导出申请待您审批，或您的申请有了结果"), by_email=False),
        Kind("substitute", _("代办安排"), _("由您代他人办理，或由他人代您办理")),
        Kind("post_changed", _("岗位与授权"), _("您的岗位或临时授权有变动")),
        Kind("handed_over", _("工作交接"), _("离任同事未办结的事项由您接手")),
        Kind("training_ending", _("培训到期"), _("您或下级单位人员的培训记录即将到期")),
        Kind("seal_soon", _("账号封存"), _("您或本单位人员的账号因长期未使用将被封存，或已解封")),
        Kind("warning", _("安全预警"), _("本单位或下级单位发生预警，请安全管理员处置")),
        Kind("verification", _("学籍核准"), _("责令整改、整改报告，或下级学校的核准问题逾期")),
        Kind("second_person", _("请您同意"), _("同事申请查看保护对象的明文，须由您同意"), by_email=False),
        Kind("dropout", _("控辍保学"), _("缺勤预警、疑似辍学、报告与答复的期限")),
        Kind("budget", _("查阅限额"), _("您的查阅、查看明文或查重次数接近限额"), by_email=False),
    )
}


@dataclass(frozen=True, slots=True)
class Line:
    """One notice to one person. With a `once_key` she gets it once, however often it is written."""

    user_id: int
    text: str
    target: str
    about: str = ""
    once_key: str = ""


def notify(
    users: Iterable[int], kind: str, text: str, target: str, *, about: str = "", once_key: str = ""
) -> None:
    """Tell each of `users` the same, in the caller's transaction. `target` is a path of this site, `about`
    the number of the case. Raises KeyError for an unknown kind.
    """
    notify_each(kind, [Line(user, text, target, about, once_key) for user in sorted(set(users))])


def notify_each(kind: str, lines: Iterable[Line]) -> None:
    """Write these notices in one statement, as each person has chosen; who is sealed or wants none of this
    kind gets none. Safe to repeat for lines with a `once_key`.
    """
    told, rows = KINDS[kind], list(lines)
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_notice"
            " (user_id, kind, text, target, about, once_key, in_page, by_email)"
            " SELECT user_id, %s, text, target, about, once_key, in_page, by_email FROM ("
            "  SELECT told.*, coalesce(choice.in_page, %s) AS in_page,"
            "   %s AND person.email <> '' AND coalesce(choice.by_email, %s) AS by_email"
            "  FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[])"
            "   AS told (user_id, text, target, about, once_key)"
            "  JOIN accounts_user person"
            "   ON person.id = told.user_id AND person.is_active AND person.sealed_at IS NULL"
            "  LEFT JOIN accounts_noticechoice choice"
            "   ON choice.user_id = told.user_id AND choice.kind = %s"
            " ) wanted WHERE in_page OR by_email ON CONFLICT DO NOTHING",
            [
                kind, told.in_page, settings.MAIL_IS_ON, told.by_email,
                [row.user_id for row in rows],
                [row.text[:300] for row in rows],  # a long name of an office must not stop the act
                [row.target for row in rows],
                [row.about for row in rows],
                [row.once_key for row in rows],
                kind,
            ],
        )  # fmt: skip


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────
def own_notices(user: User) -> "QuerySet[Notice]":
    """Her notices as the page shows them; nobody sees another's."""
    return Notice.objects.filter(user=user, in_page=True)


def unread_in_words(user: User) -> str:
    """What the bell says: nothing, a number, or 99+. One short index is read."""
    count = own_notices(user).filter(read_at=None).values("pk")[: MOST_UNREAD + 1].count()
    return f"{MOST_UNREAD}+" if count > MOST_UNREAD else str(count or "")


def mark_read(notices: "QuerySet[Notice]") -> int:
    """Mark these as read now; those that were read before keep their time."""
    return notices.filter(read_at=None).update(read_at=Now())


def purge() -> int:
    """Forget what was read 90 days ago, and what nobody has read in a year."""
    return _old().delete()[0]


def count_old() -> int:
    """How many notices `purge` would forget now."""
    return _old().count()


def _old() -> "QuerySet[Notice]":
    return Notice.objects.filter(
        Q(read_at__lt=Now() - KEPT_AFTER_READING) | Q(created_at__lt=Now() - KEPT_UNREAD)
    )


# ── Choosing ──────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Choice:
    """One line of the choices page."""

    kind: Kind
    in_page: bool
    by_email: bool


def choices_of(user: User) -> list[Choice]:
    """What she gets of each kind: her own word, else the kind's default."""
    chosen = {row.kind: row for row in NoticeChoice.objects.filter(user=user)}
    found = []
    for code, kind in KINDS.items():
        held = chosen.get(code, kind)
        found.append(Choice(kind, held.in_page, held.by_email))
    return found


def choose(user: User, email: str, wanted: Mapping[str, tuple[bool, bool]]) -> None:
    """Keep her address and, for each kind, whether it comes in the page and by e-mail."""
    User.objects.filter(pk=user.pk).update(email=email)
    NoticeChoice.objects.bulk_create(
        [
            NoticeChoice(user=user, kind=code, in_page=wanted[code][0], by_email=wanted[code][1])
            for code in KINDS
        ],
        update_conflicts=True,
        unique_fields=["user", "kind"],
        update_fields=["in_page", "by_email"],
    )
