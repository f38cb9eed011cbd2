"""Training before duty: records by the office above, names filed one level up, warnings (R-ACC-06, AC-10)."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Max, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.administration.reach import is_administrator, office_above
from accounts.models import Post, TrainingRecord, User, oldest_training
from accounts.notices import Line, notify_each
from accounts.rights import explain
from accounts.roles import ROLES, Right, roles_with
from audit.services import record_many
from config.clock import today
from config.errors import NotFound, Refusal
from config.rules import rule
from config.rules.catalogue import TRAINING_VALID_DAYS
from config.scope import NATION

MOST_HOURS = 400
MOST_AT_ONCE = 500
_NEED_TRAINING = [code for code, role in ROLES.items() if role.needs_training]
VALID = timedelta(days=int(str(TRAINING_VALID_DAYS.value)))
STATES = {
    "missing": _("没有记录"),
    "over": _("已过期"),
    "soon": _("即将到期"),
    "good": _("有效"),
}


class TrainingWrong(Refusal):
    code, status = "training_wrong", 422
    rule, article = "R-ACC-06", "第二十二条"
    message = _("完成日期须在最近两年之内且不晚于今天，学时为 1 至 {hours}。请核对后重新填写。")


class NobodyChosen(Refusal):
    code, status = "nobody_chosen", 422
    message = _("请先勾选参加培训的人员，一次最多 {most} 人。")


def to_train(actor: User) -> "QuerySet[Post]":
    """Posts that need training at the offices below hers: she is the office above, or the trainer's.

    The nation has nobody above and answers for itself; nobody enters her own training.
    """
    own = actor.acting_path
    if not is_administrator(actor):
        return Post.objects.none()
    posts = Post.objects.filter(
        role__in=_NEED_TRAINING, office__path__within=own, stands_for=None, valid__contains=today(),
        user__is_active=True,
    ).exclude(user=actor)  # fmt: skip
    return posts if own == NATION else posts.exclude(office__path=own)


def listed(actor: User, state: str = "", words: str = "") -> "QuerySet[Any]":
    """The list filed one level up: every post that needs training, with the last training's day, ordered by
    office and name. `state` is one of STATES.
    """
    day = today()
    posts = to_train(actor).annotate(trained_on=Max("user__trainings__completed_on"))
    last = oldest_training(day)
    soon = last + timedelta(days=warn_days(actor.acting_path))
    if words:
        posts = posts.filter(user__name__icontains=words) | posts.filter(office__name__icontains=words)
    if state == "missing":
        posts = posts.filter(trained_on=None)
    elif state == "over":
        posts = posts.filter(trained_on__lte=last)
    elif state == "soon":
        posts = posts.filter(trained_on__gt=last, trained_on__lte=soon)
    elif state == "good":
        posts = posts.filter(trained_on__gt=soon)
    return posts.annotate(office_path=F("office__path")).order_by("office_path", "pk")


def state_of(trained_on: date | None, warned: int) -> str:
    """missing, over, soon or good, as the list shows it; `warned` are the days of `warn_days`."""
    if trained_on is None:
        return "missing"
    left = (trained_on + VALID - today()).days
    return "over" if left <= 0 else "soon" if left <= warned else "good"


def warn_days(path: str = NATION) -> int:
    """How many days before its end a training is warned of."""
    return rule("TRAINING_WARN_DAYS", at=path).number


@transaction.atomic
def enter(person_ids: Collection[int], *, completed_on: date, hours: int, actor: User) -> int:
    """One training of these persons, by an office above theirs; answers for how many it is new.

    Safe to repeat. Raises NotAllowed, NobodyChosen, TrainingWrong, or NotFound if one of them is not below.
    """
    explain(actor, Right.MANAGE_ACCOUNTS, at=actor.acting_path).or_raise()
    wanted = set(person_ids)
    if not 0 < len(wanted) <= MOST_AT_ONCE:
        raise NobodyChosen(most=str(MOST_AT_ONCE))
    if not oldest_training(today()) < completed_on <= today() or not 0 < hours <= MOST_HOURS:
        raise TrainingWrong(hours=str(MOST_HOURS))
    places = dict(to_train(actor).filter(user__in=wanted).values_list("user_id", "office__path"))
    if set(places) != wanted:
        raise NotFound()
    known = set(
        TrainingRecord.objects.filter(user__in=wanted, completed_on=completed_on).values_list(
            "user_id", flat=True
        )
    )
    fresh = sorted(wanted - known)
    TrainingRecord.objects.bulk_create(
        [
            TrainingRecord(user_id=pk, completed_on=completed_on, hours=hours, entered_by_name=actor.name)
            for pk in fresh
        ],
        ignore_conflicts=True,  # not a walled table: two clerks may enter the same list at once
    )
    record_many(
        "accounts.user.train", "user", [(pk, places[pk]) for pk in fresh], actor=actor,
        day=completed_on.isoformat(), hours=hours,
    )  # fmt: skip
    return len(fresh)


def warn_of_endings() -> int:
    """Nightly: whoever's training ends soon is told once, and so are the administrators of the office
    above. Safe to repeat; answers how many persons were found.
    """
    day = today()
    last = oldest_training(day)
    until = last + timedelta(days=warn_days())
    posts = (
        Post.objects.filter(
            role__in=_NEED_TRAINING, stands_for=None, valid__contains=day, user__is_active=True,
            user__sealed_at=None,
        )
        .annotate(trained_on=Max("user__trainings__completed_on"))
        .filter(trained_on__gt=last, trained_on__lte=until)
        .select_related("user", "office")
        .order_by("pk")
    )  # fmt: skip
    ending = list(posts)
    own = [
        Line(
            post.user_id,
            str(_("您的培训记录将于{day}到期，到期后岗位权限停用，请参加培训并由上级单位登记。")).format(
                day=f"{post.trained_on + VALID:%Y-%m-%d}"  # type: ignore[attr-defined]
            ),
            reverse("accounts:help"),
            once_key=f"training:{post.trained_on}",  # type: ignore[attr-defined]
        )
        for post in ending
    ]
    notify_each("training_ending", [*own, *_to_offices_above(ending)])
    return len({post.user_id for post in ending})


def _to_offices_above(ending: Sequence[Post]) -> list[Line]:
    """One line a month to each administrator above: the list says who."""
    above = {office_above(office).path for office in {post.office for post in ending}}
    administrators = Post.objects.filter(
        office__path__in=above, role__in=roles_with(Right.MANAGE_ACCOUNTS), valid__contains=today()
    )
    text = str(_("下级单位有人员的培训记录即将到期，请安排培训并登记。"))
    return [
        Line(pk, text, f"{reverse('accounts:trainings')}?state=soon", once_key=f"trainings:{today():%Y-%m}")
        for pk in sorted(set(administrators.values_list("user_id", flat=True)))
    ]
