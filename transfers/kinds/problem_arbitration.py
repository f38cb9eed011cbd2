"""国家级仲裁: both sides of a problem record are substantiated, so the nation looks at both and decides: two
pupils, or one, and whose record stays (R-PRB-03). Filed by the system; nobody takes it back.
"""

from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Organization
from accounts.roles import Right
from audit.services import Actor
from config.scope import NATION
from registry.models import ProblemRecord
from registry.services.problems import judge, withdraw_arbitration
from transfers.kind import Facts, Kind, Party, Requirement, Stop, Subject
from transfers.kinds.problem_sides import LAW, judged_by
from transfers.models import Case
from transfers.outbox import NUMBER_STUDENT, owe

VERDICTS = [(code, words) for code, words in ProblemRecord.Verdict.choices if code]


def open_arbitration(
    office: Organization, *, payload: dict[str, Any], problem: ProblemRecord, **_given: Any
) -> Subject:
    payload |= {"problem": problem.pk, "count": 2}
    return Subject()


def carry_out(case: Case, actor: Actor) -> None:
    """The effect: the verdict stands with the problem record. Safe to repeat: the case is done with it."""
    step = case.steps.order_by("ordinal").last()
    settled = judge(
        case.payload["problem"],
        case.payload["verdict"],
        case_no=case.number,
        judged_by=judged_by(case),
        reason=step.reason if step else "",
        actor=actor,
    )
    for student_id in settled.freed:
        owe(NUMBER_STUDENT, student_id, NATION)


def undo(case: Case, actor: Actor, reason: str) -> None:
    """Without a verdict both sides begin anew."""
    withdraw_arbitration(case.payload["problem"])


def has_verdict(facts: Facts) -> str:
    if facts.case is None:
        return ""
    if not ProblemRecord.objects.filter(pk=facts.payload["problem"], closed_at=None).exists():
        return _("该问题学籍已销号，不须裁定，请写明理由结束本件。")
    if facts.payload.get("verdict"):
        return ""
    return _("请在问题学籍的办理页面作出裁定：是两名学生，还是同一学生并保留哪一方的学籍。")


ARBITRATION = Kind(
    code="problem_arbitration",
    name="问题学籍仲裁",
    prefix="CJ",
    article=LAW,
    group="问题学籍",
    summary="双方均已佐证的问题学籍，由国家级核对双方材料后裁定是否同一学生、保留哪一方学籍。",
    started_by=Party.FILING_OFFICE,
    right="",
    locks_student=False,
    open=open_arbitration,
    requirements=(Requirement("verdict", "已作出裁定", "R-PRB-03", LAW, has_verdict),),
    route=(Stop(Party.FILING_OFFICE, Right.ARBITRATE, "国家级裁定", "ARBITRATION_DAYS"),),
    reasons=("双方材料不足，请重新佐证", "须由公安机关先行核实", "其他"),
    effect=carry_out,
    undo=undo,
)
