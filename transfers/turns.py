"""Whose turn it is: a case's stored steps, their clocks, and who may sign which (ARCHITECTURE 4)."""

from datetime import date

from django.db.models.functions import Now

from accounts.models import User
from accounts.rights import explain
from config.clock import today
from config.workdays import add_workdays
from transfers.kind import Kind
from transfers.models import Case, Step
from transfers.notify import step_arrived
from transfers.refusals import CaseChanged, CaseClosed, NotYourTurn, SecondSignature, StepAlreadyTaken
from transfers.route import plan


def plan_steps(kind: Kind, case: Case, *, first: int) -> None:
    """Store the route as steps from ordinal `first` on; the first of them starts its clock."""
    route = plan(kind, case.from_path, case.to_path, case.payload)
    steps = [
        Step(
            case=case,
            from_path=case.from_path,
            to_path=case.to_path,
            ordinal=ordinal,
            office_path=planned.office_path,
            office_name=planned.office_name,
            right=planned.stop.right,
            label=planned.stop.label,
            days=planned.days,
        )
        for ordinal, planned in enumerate(route, start=first)
    ]
    Step.objects.bulk_create(steps)
    arrive(steps[0], since=case.deferred_until)
    step_arrived(steps[0], case)


def arrive(step: Step, *, since: date | None = None) -> None:
    """The case reaches `step`: its clock of working days starts on the next working day (R-TRF-02), or after
    the day until which the matter itself waits (R-EST-12).
    """
    begins = max(today(), since or today())
    changed = Step.objects.filter(pk=step.pk, decision="").update(
        is_current=True, arrived_at=Now(), due_on=add_workdays(begins, step.days)
    )
    assert changed == 1, "a step that is already decided cannot be reached"


def own_turn(case: Case, actor: User) -> Step:
    """The waiting step, if `actor` may decide it.

    Raises StepAlreadyTaken, NotYourTurn or CaseClosed for the right person at the wrong moment (409),
    NotAllowed when no step of this case is hers (403).
    """
    steps = list(case.steps.order_by("ordinal"))
    if not steps:
        raise CaseChanged()  # its office has just been merged, and the case has gone with it
    current = next((step for step in steps if step.is_current), None)
    if current is not None and actor.may_act_at(current.right, current.office_path):
        return current
    mine = [step for step in steps if actor.may_act_at(step.right, step.office_path)]
    taken = next((step for step in reversed(mine) if step.decision), None)
    state = Case.objects.get(pk=case.pk).get_state_display()  # it may have ended since it was looked at
    if taken is not None:
        raise StepAlreadyTaken(who=taken.decided_by_name, state=state)
    if mine and current is not None:
        raise NotYourTurn(office=current.office_name)
    if mine:
        raise CaseClosed(state=state)
    waiting = current or steps[-1]
    explain(actor, waiting.right, at=waiting.office_path).or_raise()
    return waiting


def refuse_second_signature(case: Case, step: Step, actor: User) -> None:
    """Raise SecondSignature when this person has filed the case or signed it in another place (R-ACC-02,
    AZ-7).

    Measured by person: two posts do not make two people. After a return the same reviewer may look at her
    own step again.
    """
    filers = {case.filed_by_id, *case.payload.get("filers", ())}
    # Not this very step: who pressed twice at once is told so by the row, below.
    signed = case.steps.filter(decided_by=actor).exclude(pk=step.pk)
    again = signed.exclude(decision=Step.Decision.RETURN).filter(ordinal__gt=last_return(case))
    elsewhere = signed.exclude(office_path=step.office_path, right=step.right)
    if actor.pk in filers or again.exists() or elsewhere.exists():
        raise SecondSignature()


def last_return(case: Case) -> int:
    """The ordinal of the latest return for correction; 0 when there was none."""
    last = case.steps.filter(decision=Step.Decision.RETURN).order_by("-ordinal").first()
    return last.ordinal if last else 0
