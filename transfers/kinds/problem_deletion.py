"""删除: a record that should not exist. The own spell is void, its numbers stay void for ever, nothing merges
(R-PRB-02); school, both sides' offices and the county see the case. A child in school keeps a record.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from accounts.roles import Right
from audit.services import Actor
from config.clock import today
from registry.models import ProblemRecord
from registry.services.aid import end_aid
from registry.services.changing import close_running, void_status
from registry.services.problems import opposite_standing, take_standing
from registry.status import OPEN, PENDING
from transfers.asking import Ask, Asking, Choices
from transfers.kind import About, Advice, EvidenceNeed, Facts, Kind, Party, Requirement
from transfers.kinds.conditions import status_in
from transfers.kinds.effects import change_of, undo
from transfers.kinds.problem_proof import ATTENDANCE
from transfers.kinds.problem_sides import (
    LAW,
    REASONS,
    ROUTE,
    judged_by,
    open_side,
    other_school,
    problem_asked,
    problem_waits,
    problems_of,
    reopen_side,
    settle_later,
)
from transfers.kinds.voiding import CANCELLED
from transfers.models import Case

THERE, HERE, TWICE, NOBODY = "there", "here", "twice", "nobody"
ATTENDS = (
    (THERE, _lazy("学生在另一方学校就读，本校学籍是重复的")),
    (HERE, _lazy("学生在本校就读，删除本校重复学籍后转入原学籍")),
    (TWICE, _lazy("本校重复登记，另一条保留")),
    (NOBODY, _lazy("查无此人，学籍不应存在")),
)
TWOFOLD, _GROUND = "2", {NOBODY: "9"}  # of transfers.kinds.voiding.GROUNDS
DELETABLE = tuple(code for code in OPEN if code != PENDING)
OTHER_PAPER = "99"
GUARDIAN = EvidenceNeed("监护人签字的书面意见", (OTHER_PAPER,), "R-PRB-02")
INQUIRY = EvidenceNeed("学校调查核实材料", (OTHER_PAPER,), "R-PRB-01")


def attends(asking: Asking) -> Choices:
    return [(code, str(words)) for code, words in ATTENDS]


def papers(payload: Mapping[str, Any]) -> tuple[EvidenceNeed, ...]:
    """The guardian decides whether the record moves: her word goes with a child who is here."""
    told = payload.get("asked", {}).get("attends")
    return {HERE: (GUARDIAN, ATTENDANCE), NOBODY: (INQUIRY,)}.get(str(told), ())


def delete(case: Case, actor: Actor) -> None:
    """The effect: this side's record never counted; the numbers stay with their trace. Safe to repeat."""
    assert case.student is not None
    asked, words = case.payload["asked"], case.payload["words"]["attends"]
    take_standing(
        int(asked["problem"]),
        case.student,
        ProblemRecord.Standing.DELETED,
        case_no=case.number,
        judged_by=judged_by(case),
        judgement=words,
        actor=actor,
        has_guardians_word=case.evidence.filter(type=OTHER_PAPER).exists(),
    )
    change = change_of(case, CANCELLED, reason=_GROUND.get(asked["attends"], TWOFOLD), basis="R-PRB-02")
    void_status(case.student, change, actor=actor)
    close_running(case.student, today())
    end_aid(case.student, case_no=case.number, kind=PROBLEM_DELETION.name, actor=actor)
    settle_later(case)


# ── Conditions: an empty text when met, else what is wrong and what to do ────────────────────────────────
def another_stays(facts: Facts) -> str:
    """Never the last record of a child in school without the guardian's word."""
    problem = problem_asked(facts.payload)
    if problem is None or facts.asked("attends") == NOBODY:
        return ""
    is_last = (
        problem.side != ProblemRecord.Side.RECORD
        or opposite_standing(problem, facts.student.pk) == ProblemRecord.Standing.DELETED
    )
    if not is_last or OTHER_PAPER in facts.evidence_types:
        return ""
    return _(
        "本条是该生唯一的学籍，删除后将没有学籍；监护人坚持的，须附其书面意见。信息有误的，请办理关键数据变更。"
    )


def fits(facts: Facts) -> str:
    relation, told = facts.payload.get("relation"), facts.asked("attends")
    if told == TWICE and relation not in ("", "own"):
        return _("另一条学籍不在本校，请选择学生实际就读的学校。")
    if told == HERE:
        return Advice(_("删除办结后，请在“转入与借读”中为该生办理原学籍的转入。"))
    return ""


PROBLEM_DELETION = Kind(
    code="problem_deletion",
    name="删除问题学籍",
    prefix="SC",
    article=LAW,
    group="问题学籍",
    summary="重复或不应存在的学籍作废，证件号释放，学籍号永不再用，记录和痕迹保留；不合并，学生的另一条学籍不受影响。",
    started_by=Party.TAKE_OVER_SCHOOL,
    right=Right.FILE,
    about=About.OWN_PUPIL,
    statuses=DELETABLE,
    asks=(
        Ask("problem", _lazy("问题学籍"), "choice", problems_of),
        Ask("attends", _lazy("学生实际情况"), "choice", attends),
        Ask("verified", _lazy("核实经过"), "textarea", most=500),
    ),
    open=open_side,
    reopen=reopen_side,
    opposite=other_school,
    papers=papers,
    requirements=(
        Requirement("waits", "问题学籍待处理", "R-PRB-01", LAW, problem_waits),
        Requirement("status", "学籍未终止", "R-PRB-04", LAW, status_in(*DELETABLE)),
        Requirement("fits", "情况与问题相符", "R-PRB-02", LAW, fits),
        Requirement("another", "不是唯一的学籍", "R-PRB-02", LAW, another_stays),
    ),
    route=ROUTE,
    reasons=REASONS,
    effect=delete,
    undo=undo,
)
