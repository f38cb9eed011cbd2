"""The rehearsal: everything is really done, looked at, and taken back. What it shows is what will be done."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from accounts.models import Organization, User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import record
from config.clock import today
from registry.models import Reorganization
from registry.reorganizing.execute import SPELLS, Run, check_unchanged, run_some
from registry.reorganizing.facts import digest_of, in_words
from registry.reorganizing.moving import Table, tables, total
from registry.reorganizing.plan import Plan, make_plan, plan_of, remade
from registry.reorganizing.refusals import OfficeBusy, RehearsalFailed, RehearsalGone

After = Callable[[Plan], None]


class _TakenBackError(Exception):
    """Ends a rehearsal: its savepoint is rolled back."""


@transaction.atomic
def rehearse(
    kind: str,
    at: Organization,
    office: Organization | None,
    given: Mapping[str, str],
    *,
    actor: User,
    after: After,
) -> Reorganization:
    """Plan a change of `office` for the authority `at`, try it out, and keep what came of it.

    An earlier rehearsal of hers that was not filed is forgotten. Raises NotAllowed, PlanRefused,
    RehearsalFailed.
    """
    explain(actor, Right.MANAGE_OFFICES, at=at.path).or_raise()
    plan = make_plan(kind, at, office, given)
    Reorganization.objects.filter(path=at.path, case_no="", rehearsed_by=actor).delete()
    row = Reorganization(path=at.path, kind=kind, office=office, rehearsed_by=actor)
    return _keep(row, plan, actor, after)


def rehearse_again(row: Reorganization, *, actor: User, after: After) -> Reorganization:
    """The same change on today's facts, for those who sign next. Raises as `rehearse` does."""
    plan = remade(plan_of(row.plan))
    row.rehearsed_at = Now()
    return _keep(row, plan, actor, after)


def _keep(row: Reorganization, plan: Plan, actor: User, after: After) -> Reorganization:
    row.plan, row.digest, row.frozen = plan.as_json(), digest_of(plan), plan.frozen
    row.shown = in_words(plan) | _try_out(plan, actor, after)
    row.save()
    at = Organization.objects.get(path=plan.at)
    record(
        "registry.office.rehearse", at, actor=actor, basis=plan.values["document_no"], kind=plan.kind_name,
        name=plan.office_name, digest=row.digest, number=row.case_no,
    )  # fmt: skip
    row.refresh_from_db()
    return row


def _try_out(plan: Plan, actor: User, after: After) -> dict[str, Any]:
    """Run the plan to its end in a savepoint, count before and after, and take it back."""
    paths = sorted({path for path in (plan.old_path, plan.new_path) if path}) if plan.moves else []
    counts: dict[str, int] = {}
    rows: list[list[Any]] = []
    try:
        with suppress(_TakenBackError), transaction.atomic():
            before = {table.name: total(table, paths) for table in tables()} if paths else {}
            run, stage = Run(plan, "演练", today(), actor, after), ""
            while stage := run_some(run, stage, counts):
                pass
            for table in tables() if paths else ():
                now = total(table, paths)
                if before[table.name] or now:
                    rows.append([table.title, _moved(table, counts), before[table.name], now])
            raise _TakenBackError
    except IntegrityError as error:
        raise RehearsalFailed(what=_constraint(error)) from error
    return {"tables": rows, "counts": counts}


def _moved(table: Table, counts: dict[str, int]) -> int | None:
    """How many rows were looked for and moved; None for those that follow the row they belong to."""
    by_stage = {"registry_schoolclass": "classes", "registry_enrolment": SPELLS}.get(table.name, "")
    if table.name not in counts:
        return None
    return counts[table.name] + counts.get(by_stage, 0)


def _constraint(error: IntegrityError) -> str:
    diagnostics = getattr(error.__cause__, "diag", None)
    return str(getattr(diagnostics, "constraint_name", "") or type(error).__name__)


def claim(row: Reorganization, digest: str, case_no: str) -> None:
    """Bind the rehearsal to its case: of two filings of one office, or of one rehearsal, one wins.

    Raises RehearsalGone when it is not the one that was confirmed, FactsChanged, OfficeBusy.
    """
    check_unchanged(plan_of(row.plan), digest)
    try:
        with transaction.atomic():
            taken = Reorganization.objects.filter(pk=row.pk, case_no="", digest=digest).update(
                case_no=case_no
            )
    except IntegrityError as error:
        raise OfficeBusy() from error
    if not taken:
        raise RehearsalGone()


def drop(case_no: str) -> None:
    """The case was refused or withdrawn: nothing is frozen any more."""
    Reorganization.objects.filter(case_no=case_no, done_at=None).update(dropped_at=Now())
