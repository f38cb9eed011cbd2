"""Doing what was planned, in batches: the rehearsal runs the same code and takes it back.

Each call is one batch in the caller's transaction, and says with the same commit how far it came: whoever is
killed when, the next call goes on there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial, reduce
from operator import or_

from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.models import Organization
from audit.services import Actor
from config.clock import today
from config.faults import fault
from config.jobs import OPEN as OPEN_JOBS
from config.models import Job
from registry.models import Reorganization
from registry.reorganizing import offices, schools
from registry.reorganizing.facts import digest_of
from registry.reorganizing.freezing import wait_for_writers
from registry.reorganizing.moving import Move, Table, alone, left, move_some, roots, tables
from registry.reorganizing.plan import ALTER, CLOSE, FOUND, MERGE, RENAME, Plan, plan_of, remade
from registry.reorganizing.refusals import FactsChanged, PlanRefused

BATCH = 500  # rows of one transaction
CHECK, SPELLS = "check", "spells"


class StillWorking(RuntimeError):
    """An import or a check of photos runs there: the move is tried again when it has ended."""


class LeftBehind(RuntimeError):
    """Rows are still under the old path: somebody writes there who should not."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a plan: for which case, on which day the old ends and the new begins, and who is told."""

    plan: Plan
    case_no: str
    day: date
    actor: Actor
    after: Callable[[Plan], None]  # what the app above has to do about its own rows

    @property
    def move(self) -> Move:
        return Move(self.plan.old_path, self.plan.new_path, self.plan.ends_office)


Stage = Callable[[Run, int], int]


def stages(plan: Plan) -> dict[str, Stage]:
    """What happens, in order, by name. Spells and tables do at most `room` rows and are over when they do
    fewer; the others are done at once.
    """
    found: dict[str, Stage] = {}
    if plan.kind == FOUND:
        return {"found": offices.found}
    if plan.kind == RENAME:
        return {"rename": offices.rename}
    if plan.moves:
        found |= {"versions": offices.keep_versions}
    if plan.ends_office:
        found |= {"posts": offices.hand_over_posts, "settings": offices.end_settings}
    if plan.kind == MERGE and plan.is_school:
        found |= {"classes": schools.join_classes, SPELLS: schools.join_spells, "school": schools.join_rest}
    if plan.kind == CLOSE and plan.is_school:
        found |= {"classes": schools.close_classes}
    if plan.kind == ALTER:
        found |= {"alter": offices.alter}
    if plan.moves:
        found |= {table.name: partial(_move, table) for table in roots()}
        found |= {"offices": offices.move_offices, "after": _after, "sweep": _sweep}
    if plan.ends_office:
        found |= {"end": offices.end_office}
    return found


def _move(table: Table, run: Run, room: int) -> int:
    return move_some(table, run.move, room)


def _after(run: Run, room: int) -> int:
    run.after(run.plan)
    return 0


def _sweep(run: Run, room: int) -> int:
    """What was written while the batches ran goes too; then nothing may be left."""
    for table in roots():
        while move_some(table, run.move, BATCH):
            pass
        if count := left(table, run.move):
            raise LeftBehind(f"{count} rows of {table.name}")
    return 0


def run_some(run: Run, stage: str, counts: dict[str, int]) -> str:
    """Do one batch from `stage` on, adding to `counts`; the stage to go on with, empty at the end."""
    todo = stages(run.plan)
    movers = {table.name for table in roots()}
    names = list(todo)
    room = BATCH
    for name in names[names.index(stage) if stage else 0 :]:
        done = todo[name](run, room)
        counts[name] = counts.get(name, 0) + done
        fault("reorganize.moved" if name in movers else f"reorganize.{name}")
        if name == SPELLS or name in movers:
            room -= done
            if room <= 0:
                return name
    return ""


def begin(row: Reorganization) -> None:
    """Lock the offices concerned: who writes there has committed, whoever comes now is refused."""
    wait_for_writers()
    Reorganization.objects.filter(pk=row.pk, started_at=None).update(
        started_at=Now(), cursor={"day": today().isoformat(), "stage": CHECK, "counts": {}}
    )
    fault("reorganize.begin")


def go_on(row: Reorganization, *, actor: Actor, after: Callable[[Plan], None]) -> bool:
    """Do the next batch of the reorganization; True when it was the last one.

    The first call locks, the second looks whether everything is as it was shown. Raises FactsChanged or
    PlanRefused then, and nothing has been changed.
    """
    row = Reorganization.objects.select_for_update().get(pk=row.pk)
    if row.done_at is not None:
        return True
    if row.started_at is None:
        begin(row)
        return False
    plan, cursor = plan_of(row.plan), row.cursor
    if cursor["stage"] == CHECK:
        check_unchanged(plan, row.digest)
        wait_for_jobs(plan)
        cursor["stage"] = ""
    run = Run(plan, row.case_no, date.fromisoformat(cursor["day"]), actor, after)
    cursor["stage"] = run_some(run, cursor["stage"], cursor["counts"])
    is_done = not cursor["stage"]
    Reorganization.objects.filter(pk=row.pk).update(cursor=cursor, done_at=Now() if is_done else None)
    fault("reorganize.batch")
    return is_done


def check_unchanged(plan: Plan, digest: str) -> None:
    """Raise FactsChanged, saying why, unless planning it anew gives what was shown."""
    try:
        again = remade(plan)
    except PlanRefused as refusal:
        raise FactsChanged(why=str(refusal.findings[0].message)) from refusal
    if again != plan or digest_of(plan) != digest:
        raise FactsChanged(why=_("演练以后，单位、人员、班级或学生有增减"))


def wait_for_jobs(plan: Plan) -> None:
    """Raise StillWorking while a job writes under the offices concerned; new ones are refused already."""
    working = reduce(or_, [Q(path__within=path) for path in plan.frozen], Q(pk=None))
    if Job.objects.filter(working, state__in=OPEN_JOBS).exists():
        raise StillWorking(plan.office_name)


def gather_stragglers(since: date) -> int:
    """Move what was written under the old path of a finished move by a transaction that began before it.

    Nightly, for the moves since that day. Safe to repeat; mostly finds nothing. Needs a scope that holds
    every office concerned.
    """
    moved = 0
    for row in Reorganization.objects.filter(done_at__date__gte=since):
        plan = plan_of(row.plan)
        if (
            plan.moves
            and not Organization.objects.filter(path=plan.old_path, valid__contains=today()).exists()
        ):
            move = Move(plan.old_path, plan.new_path, plan.ends_office)
            moved += sum(move_some(alone(table), move, BATCH) for table in tables())
    return moved
