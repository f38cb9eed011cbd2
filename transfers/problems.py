"""Problem records between registry and cases: what their standings come to, and the arbitrator's word."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import System
from config.errors import BadRequest, Refusal
from config.scope import NATION
from registry.models import ProblemRecord
from registry.services import hints
from registry.services.problems import settle
from transfers.kinds.problem_arbitration import ARBITRATION, VERDICTS
from transfers.models import Case, Step
from transfers.outbox import NUMBER_STUDENT, SETTLE_PROBLEM, owe
from transfers.services import decide, file_case


class NotInArbitration(Refusal):
    code, status = "not_in_arbitration", 409
    rule = "R-PRB-03"
    message = _("该问题学籍不在仲裁中，或已经裁定，请刷新后核对。")


def conclude(problem_id: int, *, actor: System) -> None:
    """Settle a problem record: who is free gets her number, what both sides claim goes before the nation."""
    settled = settle(problem_id, actor=actor)
    for student_id in settled.freed:
        owe(NUMBER_STUDENT, student_id, NATION)
    if settled.needs_arbitration:
        problem = ProblemRecord.objects.get(pk=problem_id)
        case = file_case(ARBITRATION, Organization.objects.get(path=NATION), actor=actor, problem=problem)
        ProblemRecord.objects.filter(pk=problem_id).update(arbitration_no=case.number)


@transaction.atomic
def judge_hint(problem: ProblemRecord, is_same: bool, reason: str, *, actor: User) -> None:
    """What a school says of a hint; the worker closes it when each school of the pair has said two. Raises
    what `hints.judge_hint` raises.
    """
    hints.judge_hint(problem, is_same, reason, actor=actor)
    owe(SETTLE_PROBLEM, problem.pk, NATION)


@transaction.atomic
def arbitrate(problem: ProblemRecord, verdict: str, reason: str, *, actor: User) -> Case:
    """Decide what both sides have substantiated, with a reason; the worker carries it out.

    Raises NotAllowed, NotInArbitration, ReasonNeeded, BadRequest for an unknown verdict, StepAlreadyTaken.
    """
    explain(actor, Right.ARBITRATE, at=NATION).or_raise()
    if verdict not in dict(VERDICTS):
        raise BadRequest(why="verdict")
    case = Case.objects.filter(number=problem.arbitration_no, state=Case.State.WAITING).first()
    if case is None:
        raise NotInArbitration()
    case.payload["verdict"] = verdict
    decide(case, Step.Decision.APPROVE, actor=actor, reason=reason)
    return case
