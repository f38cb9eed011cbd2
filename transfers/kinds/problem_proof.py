"""佐证: the data of a problem record are right, here is the evidence (HANDBOOK A9). Across authorities each
side proves for itself; two that agree are told apart, two that contradict each other go before the nation.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from audit.services import Actor
from registry.models import ProblemRecord
from registry.services.problems import ACROSS, is_ordered_away, opposite_standing
from registry.status import OPEN
from transfers.asking import Ask
from transfers.kind import EvidenceNeed, Facts, Requirement
from transfers.kinds.problem_sides import (
    ATTENDANCE,
    LAW,
    disposition,
    is_far,
    note_side,
    options,
    problem_asked,
)
from transfers.models import Case

RIGHT, KEPT = "right", "kept"
CONCLUSIONS = (
    (RIGHT, _lazy("登记信息无误，与另一方不是同一人")),
    (KEPT, _lazy("是同一学生，监护人选择学籍留在本校，不转学籍")),
)
IDENTITY = EvidenceNeed("户口簿、身份证或公安户籍证明", ("01", "02", "03"), "R-PRB-01")
WAIVER = EvidenceNeed("监护人签字的放弃学籍转接说明", ("23",), "R-PRB-02")


def papers(payload: Mapping[str, Any]) -> tuple[EvidenceNeed, ...]:
    found = [IDENTITY]
    if is_far(payload):
        found.append(ATTENDANCE)
    if payload.get("asked", {}).get("conclusion") == KEPT:
        found.append(WAIVER)
    return tuple(found)


def prove(case: Case, actor: Actor) -> None:
    """The effect: this side is substantiated. Safe to repeat."""
    is_kept = case.payload["asked"]["conclusion"] == KEPT
    standing = ProblemRecord.Standing.KEPT if is_kept else ProblemRecord.Standing.PROVEN
    note_side(case, actor, standing, case.payload["words"]["conclusion"])


# ── Conditions ───────────────────────────────────────────────────────────────────────────────────────────
def fits(facts: Facts) -> str:
    problem = problem_asked(facts.payload)
    if problem is None:
        return ""
    if is_ordered_away(problem, facts.student.pk):
        return _("国家级仲裁已裁定保留另一方学籍，本方应办理“删除问题学籍”或关键数据变更。")
    if facts.asked("conclusion") != KEPT:
        return ""
    if problem.side != ProblemRecord.Side.RECORD:
        return _("本问题学籍没有另一条学籍，请选择“登记信息无误”。")
    stays_there = opposite_standing(problem, facts.student.pk) == ProblemRecord.Standing.KEPT
    if stays_there and facts.payload.get("relation") != ACROSS:
        return _("另一方学校已核准保留其学籍，请办理“删除问题学籍”，或请主管部门重新核实。")
    return ""


PROBLEM_PROOF = disposition(
    Ask("conclusion", _lazy("佐证结论"), "choice", options(CONCLUSIONS)),
    (Requirement("fits", "结论与问题相符", "R-PRB-02", LAW, fits),),
    code="problem_proof",
    name="问题学籍佐证",
    prefix="ZZ",
    summary="登记的信息无误，凭户口簿、身份证或公安证明佐证；核准后不再因同样的信息列为问题学籍。",
    statuses=OPEN,
    papers=papers,
    effect=prove,
)
