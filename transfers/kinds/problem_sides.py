"""What the dispositions of a problem record share: which one, who decides by how far its sides are apart
(R-PRB-01), and what makes them go by.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from accounts.models import Organization
from accounts.roles import Right
from audit.services import Actor
from config.clock import today
from config.scope import NATION
from registry.codes import label
from registry.models import ProblemRecord, Student
from registry.services.problems import (
    ACROSS,
    AUTHORITY,
    OWN,
    is_across_provinces,
    is_ordered_away,
    open_problems,
    relation_of,
    standing_of,
    take_standing,
)
from registry.status import OPEN
from transfers.asking import Ask, Asking, Choices
from transfers.kind import About, EvidenceNeed, Facts, Kind, Party, Requirement, Stop, Subject
from transfers.kinds.answers import reopen as answer_anew
from transfers.kinds.effects import undo
from transfers.kinds.own_pupil import own_spell
from transfers.models import Case, Step
from transfers.outbox import SETTLE_PROBLEM, owe

_DAYS, LAW = "CHANGE_STEP_DAYS", "第九条"


def problems_of(asking: Asking) -> Choices:
    """The pupil's problem records that wait, in words."""
    if asking.student is None:
        return []
    return [
        (str(row.pk), f"{label('problem_record_type', row.type)}（{row.found_at:%Y-%m-%d}）：{row.detail}")
        for row in open_problems(asking.student)
    ]


def problem_asked(payload: Mapping[str, Any]) -> ProblemRecord | None:
    number = str(payload.get("asked", {}).get("problem", ""))
    found: ProblemRecord | None = ProblemRecord.objects.filter(pk=int(number or 0)).first()
    return found


def open_side(school: Organization, *, payload: dict[str, Any], student: Student, **_given: Any) -> Subject:
    """Nothing of the pupil changes yet; what the route goes by is kept with the case."""
    spell = own_spell(student, school.path, *OPEN)
    problem = problem_asked(payload)
    assert problem is not None, "the answer is one of the pupil's own"
    payload |= {
        "filed_on": today().isoformat(),
        "grade": spell.grade,
        "from_status": spell.status,
        "relation": relation_of(problem),
        "is_far": is_across_provinces(problem),
    }
    return Subject(student)


def reopen_side(case: Case, given: dict[str, Any], actor: Any) -> None:
    """After a return: other answers about the same problem record; its route stands."""
    problem = case.payload["asked"]["problem"]
    answer_anew(case, given, actor)
    case.payload["asked"]["problem"] = problem


def other_school(student: Student, payload: Mapping[str, Any]) -> Organization | None:
    """The school of the other side, where both have one authority and so agree in one case."""
    problem = problem_asked(payload)
    if problem is None or relation_of(problem) != AUTHORITY:
        return None
    path = problem.other_path if problem.org_path == student.org_path else problem.org_path
    return Organization.objects.get(path=path)


def _agrees(payload: Mapping[str, Any]) -> bool:
    return payload.get("relation") == AUTHORITY


def _goes_up(payload: Mapping[str, Any]) -> bool:
    return payload.get("relation") != OWN


ROUTE = (
    Stop(Party.TAKE_OVER_SCHOOL, Right.REVIEW, "学校领导审核", _DAYS),
    Stop(Party.RELEASE_SCHOOL, Right.REVIEW, "另一方学校确认", _DAYS, only_if=_agrees),
    Stop(Party.TAKE_OVER_TOWNSHIP, Right.DECIDE, "乡镇审核", _DAYS, only_if=_goes_up),
    Stop(Party.TAKE_OVER_AUTHORITY, Right.DECIDE, "主管部门会同公安核实", _DAYS, only_if=_goes_up),
)
REASONS = ("佐证材料不足或不清晰", "与公安核实的情况不一致", "应与另一方学校先行核对", "其他")


def settle_later(case: Case) -> None:
    """Both sides are looked at under the national scope, in a transaction of its own."""
    owe(SETTLE_PROBLEM, int(case.payload["asked"]["problem"]), NATION)


def judged_by(case: Case) -> str:
    """The office that decided last."""
    last = case.steps.filter(decision=Step.Decision.APPROVE).order_by("ordinal").last()
    return last.office_name if last else ""


# ── Conditions: an empty text when met, else what is wrong and what to do ────────────────────────────────
def problem_waits(facts: Facts) -> str:
    """Asked before any answer, too: whether there is anything to handle."""
    if not facts.payload.get("asked"):
        return "" if open_problems(facts.student) else _("该生没有待处理的问题学籍。")
    problem = problem_asked(facts.payload)
    if problem is None or problem.closed_at is not None:
        return _("该问题学籍已销号，请撤回本件。")
    if standing_of(problem, facts.student.pk) and not is_ordered_away(problem, facts.student.pk):
        return _("本方对该问题学籍已办结处置，请等待另一方或仲裁结果。")
    return ""


def is_far(payload: Mapping[str, Any]) -> bool:
    return payload.get("relation") == ACROSS and bool(payload.get("is_far"))


# ── The procedure ────────────────────────────────────────────────────────────────────────────────────────
ATTENDANCE = EvidenceNeed("学校盖章的在校就读证明", ("20",), "R-PRB-01")


def options(pairs: Sequence[tuple[str, Any]]) -> Callable[[Asking], Choices]:
    """The fixed answers to a question."""

    def words(asking: Asking) -> Choices:
        return [(code, str(name)) for code, name in pairs]

    return words


def disposition(question: Ask, conditions: Sequence[Requirement], **own: Any) -> Kind:
    """A kind of case by which the school of one side disposes of a problem record: what all of them share,
    and the question, conditions and effect of its own.
    """
    return Kind(
        article=LAW,
        group="问题学籍",
        started_by=Party.TAKE_OVER_SCHOOL,
        right=Right.FILE,
        about=About.OWN_PUPIL,
        asks=(
            Ask("problem", _lazy("问题学籍"), "choice", problems_of),
            question,
            Ask("verified", _lazy("核实经过"), "textarea", most=500),
        ),
        open=open_side,
        reopen=reopen_side,
        opposite=other_school,
        requirements=(Requirement("waits", "问题学籍待处理", "R-PRB-01", LAW, problem_waits), *conditions),
        route=ROUTE,
        reasons=REASONS,
        undo=undo,
        **own,
    )


def note_side(case: Case, actor: Actor, standing: str, words: str) -> None:
    """What the case of one side has brought; what both come to is settled afterwards. Raises what
    `take_standing` raises.
    """
    assert case.student is not None
    take_standing(
        int(case.payload["asked"]["problem"]),
        case.student,
        standing,
        case_no=case.number,
        judged_by=judged_by(case),
        judgement=words,
        actor=actor,
    )
    settle_later(case)
