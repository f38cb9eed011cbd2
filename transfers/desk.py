"""今日待办: what waits for one person, what she waits for, what came back. Exact counts, constant queries."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, Subquery, Window
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.rights import holders
from accounts.roles import Right
from config.clock import now, today
from registry.codes import label
from registry.models import ImportBatch, ProblemRecord
from registry.queries.imports import open_batches
from transfers.models import Case, Step
from transfers.queries import SIGNING, Filters, dress_case, queue_counts, read_queue, workdays_left

SHOWN = 8
RECENT = 5
_CARD = ("id", "number", "kind", "to_name", "from_name", "filed_at", "card", "payload__count")


@dataclass(slots=True)
class Desk:
    """The home page of somebody who works on cases: exact counts, and the first rows of each list."""

    waits: list[dict[str, Any]] = field(default_factory=list)
    mine: int = 0
    overdue: int = 0
    sent: list[dict[str, Any]] = field(default_factory=list)
    sent_count: int = 0
    returned: list[dict[str, Any]] = field(default_factory=list)
    returned_count: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)
    recent: list[dict[str, Any]] = field(default_factory=list)
    imports: list[ImportBatch] = field(default_factory=list)

    @property
    def case_ids(self) -> list[int]:
        return [
            *(row["case_id"] for row in self.waits),
            *(row["id"] for row in (*self.sent, *self.returned, *self.recent)),
        ]

    @property
    def problem_count(self) -> int:
        return sum(row["count"] for row in self.problems)

    @property
    def is_clear(self) -> bool:
        return not (self.mine or self.returned_count)


def open_desk(user: User) -> Desk:
    """What the home page shows a holder of VIEW_CASE."""
    desk = Desk()
    seen = Case.objects.visible_to(user, Right.VIEW_CASE)
    page = read_queue(user, Filters(), size=SHOWN)
    desk.waits = page.rows
    counts = queue_counts(user)
    desk.mine, desk.overdue = counts["all"], counts["overdue"]
    _add_sent(desk, user, seen)
    if user.may_act_at(Right.FILE, user.acting_path):
        _add_returned(desk, user, seen)
        desk.imports = list(open_batches(user)[:SHOWN])
    desk.problems = [
        {
            "type": row["type"],
            "name": label("problem_record_type", row["type"]),
            "count": row["count"],
            "hints": row["hints"],
        }
        for row in ProblemRecord.objects.visible_to(user, Right.VIEW_STUDENT)
        .filter(closed_at=None)
        .values("type")
        .annotate(count=Count("pk"), hints=Count("pk", filter=Q(is_hint=True)))
        .order_by("type")
    ]
    _add_recent(desk, user, seen)
    return desk


def _add_sent(desk: Desk, user: User, seen: Any) -> None:
    """Open cases that she filed or signed and that wait at somebody else: who holds them, until when."""
    signed = Step.objects.filter(decided_by=user, case__is_open=True)
    # By her own keys, not by a look at every open case of the scope.
    hers = Case.objects.filter(filed_by=user, is_open=True).values("pk").union(signed.values("case"))
    open_ones = seen.filter(state__in=(Case.State.WAITING, Case.State.APPROVED), pk__in=hers)
    rights = [right for right in SIGNING if user.may_act_at(right, user.acting_path)]
    mine = Step.objects.filter(
        case=OuterRef("pk"), is_current=True, office_path=user.acting_path, right__in=rights
    )
    # What she filed waits for her colleague, even when she holds the right as well.
    others = open_ones.filter(~Exists(mine) | Q(filed_by=user)) if rights else open_ones
    steps = Step.objects.filter(case=OuterRef("pk"), is_current=True)
    first = others.annotate(due=Subquery(steps.values("due_on")), count=Window(Count("pk")))
    keys = list(first.order_by("due", "id").values_list("pk", "count")[:SHOWN])
    desk.sent_count = keys[0][1] if keys else 0
    columns = ("office_path", "office_name", "right", "label", "due_on")
    rows = list(
        seen.filter(pk__in=[pk for pk, _count in keys])
        .annotate(**{f"at_{name}": Subquery(steps.values(name)) for name in columns})
        .order_by("at_due_on", "id")
        .values(*_CARD, "state", *(f"at_{name}" for name in columns))
    )
    people = holders((row["at_office_path"], row["at_right"]) for row in rows if row["at_office_path"])
    left = workdays_left(row["at_due_on"] for row in rows)
    for row in rows:
        dress_case(row, row["number"], row["kind"], row.pop("card"), row.pop("payload__count"))
        row["people"] = people.get((row["at_office_path"], row["at_right"]), [])
        row["left"] = left.get(row["at_due_on"])
    desk.sent = rows


def _add_returned(desk: Desk, user: User, seen: Any) -> None:
    back = Step.objects.filter(case=OuterRef("pk"), decision=Step.Decision.RETURN).order_by("-ordinal")
    returned = seen.filter(state=Case.State.RETURNED, to_path=user.acting_path)
    desk.returned_count = returned.count()
    columns = ("office_name", "decided_by_name", "decided_at", "reason")
    desk.returned = list(
        returned.annotate(**{f"by_{name}": Subquery(back.values(name)[:1]) for name in columns})
        .order_by("by_decided_at", "id")
        .values(*_CARD, *(f"by_{name}" for name in columns))[:SHOWN]
    )
    for row in desk.returned:
        dress_case(row, row["number"], row["kind"], row.pop("card"), row.pop("payload__count"))


def _add_recent(desk: Desk, user: User, seen: Any) -> None:
    """The last cases that ended; a registrar sees her own, an office above those of its scope."""
    ended = seen.filter(is_open=False)
    if user.may_act_at(Right.FILE, user.acting_path):
        ended = ended.filter(to_path=user.acting_path)
    columns = (*_CARD, "state", "ended_at")
    desk.recent = list(ended.newest_first(user.acting_path).values(*columns)[:RECENT])
    for row in desk.recent:
        dress_case(row, row["number"], row["kind"], row.pop("card"), row.pop("payload__count"))
        row["state_name"] = Case.State(row["state"]).label


# ── Words ─────────────────────────────────────────────────────────────────────────────────────────────────
def greeting() -> str:
    from django.utils import timezone

    hour = timezone.localtime(now()).hour
    if hour < 11:
        return str(_("上午好"))
    return str(_("中午好") if hour < 13 else _("下午好") if hour < 18 else _("晚上好"))


def comes_next() -> str:
    """What the school year usually brings in this month (HANDBOOK A7.4); our own summary, not a deadline."""
    season = {
        1: _("本月：学期结束，核对在读名单，准备学期学籍核准。"),
        2: _("本月：春季学期报到，开学后核实未到校学生，开展控辍保学排查。"),
        3: _("本月：春季学籍核准；核对临时学籍号学生的证件信息。"),
        4: _("本月：继续办理学籍核准与问题学籍清理。"),
        5: _("本月：毕业年级信息核对；组织签字确认学籍基础信息表。"),
        6: _("本月：毕业信息核对收尾；6 月底前办结毕业年级在办业务。"),
        7: _("本月：7 月起毕业年级暂停受理新业务，7 月中旬起暂停转学，20 日至 30 日办理毕业。"),
        8: _("本月：8 月 10 日 24 时全国统一升级，8 月 15 日恢复受理转学和跨省招生入学。"),
        9: _("本月：新生注册、分班集中在 9 月 1 日至 30 日；首次注册后两个月内建好学籍档案。"),
        10: _("本月：补齐新生学籍档案（两个月内）；处理全国查重发现的问题学籍。"),
        11: _("本月：秋季学籍核准；新生学籍档案建档期限临近。"),
        12: _("本月：学籍核准收尾，清理到期休学、问题学籍。"),
    }
    return str(season[today().month])
