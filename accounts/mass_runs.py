"""Who confirms what the breaker held, and who is told of it (RE-4, W16). The rule is config.breaker."""

from datetime import date

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import record_many
from audit.warnings import warn
from config import breaker
from config.models import MassRun
from config.scope import NATION
from config.upkeep import problems


def waiting_for(user: User) -> "QuerySet[MassRun]":
    """Runs that wait for a word, of the offices at which she may look after them."""
    return _reach(user, breaker.held()).order_by("-pk")


def recent(user: User) -> list[MassRun]:
    """What two persons confirmed lately."""
    return list(_reach(user, MassRun.objects.exclude(second_id=None)).order_by("-second_at", "-pk")[:20])


def _reach(user: User, runs: "QuerySet[MassRun]") -> "QuerySet[MassRun]":
    found = runs.none()
    for path in user.scope_paths(Right.CONFIRM_RUN):
        found |= runs.filter(path__within=path)
    return found


@transaction.atomic
def confirm(run: MassRun, *, actor: User, seen: int) -> MassRun:
    """Her word on a run whose number she saw; of two different persons the second starts it.

    Raises NotAllowed, breaker.SamePerson or breaker.AlreadyConfirmed.
    """
    explain(actor, Right.CONFIRM_RUN, at=run.path).or_raise()
    confirmed = breaker.confirm(run.pk, person=actor, seen=seen)
    _record("accounts.run.confirm", confirmed, actor)
    return confirmed


@transaction.atomic
def plan(kind: str, *, day: date, expected: int, actor: User) -> MassRun:
    """Her word, beforehand, on a run of `expected` rows on `day`; another person gives the second.

    Raises NotAllowed or breaker.PlanWrong.
    """
    explain(actor, Right.CONFIRM_RUN, at=NATION).or_raise()
    made = breaker.plan(kind, path=NATION, day=day, expected=expected, person=actor)
    _record("accounts.run.plan", made, actor)
    return made


def _record(action: str, run: MassRun, actor: User) -> None:
    record_many(
        action, "massrun", [(run.pk, run.path)], actor=actor, basis="RE-4",
        kind=str(breaker.KINDS[run.kind].label), touched=run.touched, day=run.day.isoformat(),
    )  # fmt: skip


def warn_upkeep() -> int:
    """Open an early warning for each backup or drill that failed or did not happen; how many (W15)."""
    found = problems()
    for problem in found:
        warn("W15", path=NATION, key=f"upkeep:{problem.code}", problem=problem.code)
    return len(found)


def warn_held() -> int:
    """Open an early warning for each run held since the last look; how many. Safe to run twice, at once."""
    told = 0
    for run in MassRun.objects.filter(second_id=None, is_planned=False, warned_at=None):
        with transaction.atomic():
            if MassRun.objects.filter(pk=run.pk, warned_at=None).update(warned_at=Now()):
                warn("W16", path=run.path, key=f"run:{run.kind}", touched=run.touched, of=run.of)
                told += 1
    return told
