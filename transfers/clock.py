"""The clock of every step: reminders, the office above when a day has passed, and its urging (R-TRF-03).

Nothing here decides: an overdue step waits until somebody decides it.
"""

from datetime import datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Organization, User
from accounts.rights import explain, holders
from accounts.roles import RIGHT_LABELS, Right
from audit.services import System, record, record_each
from config.clock import now, today
from config.errors import NotAllowed, NotFound
from config.paging import count_up_to
from config.scope import NATION, ancestors
from config.workdays import Calendar
from transfers import notify
from transfers.models import Step
from transfers.queries import PAGE, Page, after_due, workdays_left
from transfers.refusals import NotOverdue, UrgedToday

PACK = 500
HALF, EVE = 1, 2  # what `Step.reminded` says


# ── By itself ─────────────────────────────────────────────────────────────────────────────────────────────
def remind_of_half(path: str) -> int:
    """Remind of a pack of steps whose term is half over; answers how many. `path` is the job's scope."""
    day = today()
    waiting = Step.objects.filter(is_current=True, reminded=0, due_on__gte=day)
    terms = list(waiting.order_by().values_list("days", flat=True).distinct())
    calendar = Calendar({day.year})
    near = [Q(days=days, due_on__lte=calendar.add(day, days // 2)) for days in terms]
    if not near:
        return 0
    steps = _claim(waiting.filter(reduce(or_, near)), reminded=HALF)
    notify.steps_due(steps, "half")
    return len(steps)


def remind_on_the_eve(path: str) -> int:
    """Remind of a pack of steps that are due on the next working day, or today; answers how many."""
    day = today()
    last = Calendar({day.year}).add(day, 1)
    near = Step.objects.filter(is_current=True, reminded__lt=EVE, due_on__gte=day, due_on__lte=last)
    steps = _claim(near, reminded=EVE)
    notify.steps_due(steps, "eve")
    return len(steps)


def escalate(path: str) -> int:
    """Bring a pack of late steps before the authority above each office, once; answers how many."""
    late = Step.objects.filter(is_current=True, escalated_at=None, due_on__lt=today())
    steps = _claim(late, escalated_at=Now())
    above = authorities_above({step.office_path for step in steps})
    acts = [
        (
            step.case,
            {"step": step.label, "at": step.office_name, "above": above[step.office_path],
             "number": step.case.number},
        )
        for step in steps
    ]  # fmt: skip
    record_each("transfers.step.escalate", acts, actor=System(acting_path=path), basis="R-TRF-03")
    notify.steps_overdue(steps, above, Right.DECIDE)
    return len(steps)


def authorities_above(paths: set[str]) -> dict[str, str]:
    """The next authority above each office, in one query; the nation answers to itself."""
    over = {path: ancestors(path)[:-1] for path in paths}
    wanted = {one for line in over.values() for one in line}
    known = set(
        Organization.objects.filter(path__in=wanted, is_authority=True).values_list("path", flat=True)
    )
    return {
        path: next((one for one in reversed(line) if one in known), NATION) for path, line in over.items()
    }


def _claim(steps: Any, **columns: Any) -> list[Step]:
    """Mark a pack; a second worker skips what is being marked, and then finds it marked."""
    found = steps.select_related("case").defer("case__card", "case__payload").order_by("due_on", "id")
    pack = list(found.select_for_update(skip_locked=True, of=("self",))[:PACK])
    Step.objects.filter(pk__in=[step.pk for step in pack]).update(**columns)
    return pack


# ── By the office above ───────────────────────────────────────────────────────────────────────────────────
_COLUMNS = (
    "id", "label", "office_path", "office_name", "right", "due_on", "escalated_at", "urged_at",
    "case__number", "case__kind", "case_id",
)  # fmt: skip


def overdue_below(user: User) -> Any:
    """Late steps of the offices below hers."""
    late = Step.objects.visible_to(user, Right.VIEW_CASE).filter(is_current=True, due_on__lt=today())
    return late.filter(office_path__gt=user.acting_path, office_path__lt=f"{user.acting_path}~")


def read_overdue(user: User, after: str = "", size: int = PAGE) -> Page:
    """What is late below her office, longest first, with whom to call. The cursor is a step's id."""
    steps = overdue_below(user)
    total = count_up_to(steps)
    if after:
        steps = after_due(steps, user, after)
    keys = list(steps.order_by("due_on", "id").values_list("pk", flat=True)[: size + 1])
    rows = list(Step.objects.filter(pk__in=keys[:size]).order_by("due_on", "id").values(*_COLUMNS))
    people = holders((row["office_path"], row["right"]) for row in rows)
    left, since = workdays_left(row["due_on"] for row in rows), _working_day_began()
    for row in rows:
        row["number"], row["kind"] = row.pop("case__number"), row.pop("case__kind")
        row["people"] = people[row["office_path"], row["right"]]
        row["left"] = left.get(row["due_on"])
        row["is_urged"] = row["urged_at"] is not None and row["urged_at"] >= since
    return Page(rows, keys[size - 1] if len(keys) > size else None, total)


@transaction.atomic
def urge(step: Step, *, actor: User) -> None:
    """Urge the office of a late step, once a working day, from an authority above it.

    Raises NotAllowed, NotOverdue, UrgedToday.
    """
    own = actor.acting_path
    explain(actor, Right.DECIDE, at=own).or_raise()
    if step.office_path == own or not step.office_path.startswith(own):
        raise NotAllowed(right=str(RIGHT_LABELS[Right.DECIDE]), who="")
    late = Step.objects.filter(pk=step.pk, is_current=True, due_on__lt=today())
    # Two may press at once: the UPDATE names what it expects, and one of them is told.
    if not late.filter(Q(urged_at=None) | Q(urged_at__lt=_working_day_began())).update(urged_at=now()):
        raise UrgedToday() if late.exists() else NotOverdue()
    record(
        "transfers.step.urge", step.case, actor=actor, basis="R-TRF-03", step=step.label,
        at=step.office_name, number=step.case.number,
    )  # fmt: skip
    notify.step_urged(step, actor)


def visible_step(user: User, pk: int) -> Step:
    """Raises NotFound for a step that she may not see."""
    steps = Step.objects.visible_to(user, Right.VIEW_CASE).select_related("case")
    found: Step | None = steps.filter(pk=pk).first()
    if found is None:
        raise NotFound()
    return found


def _working_day_began() -> datetime:
    """When the working day began that lasts until the next one begins: on a Sunday, Friday."""
    day = today()
    calendar = Calendar({day.year})
    while not calendar.workday(day):
        day -= timedelta(days=1)
    return timezone.make_aware(datetime.combine(day, time.min))
