"""删除: a record that should not exist. The own spell is void, its numbers stay void for ever, nothing merges
(R-PRB-02); school, both sides' offices and the county see the case. A child in school keeps a record.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from audit.services import Actor
from config.clock import today
from registry.models import ProblemRecord
from registry.services.aid import end_aid
from registry.services.changing import close_running, void_status
from registry.services.problems import LastRecord, keeps_one
from registry.status import OPEN, PENDING
from transfers import across
from transfers.asking import Ask
from transfers.kind import Advice, EvidenceNeed, Facts, Requirement
from transfers.kinds.conditions import status_in
from transfers.kinds.effects import change_of
from transfers.kinds.problem_sides import (
    ATTENDANCE,
    LAW,
    disposition,
    note_side,
    options,
    problem_asked,
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


def papers(payload: Mapping[str, Any]) -> tuple[EvidenceNeed, ...]:
    """The guardian decides whether the record moves: her word goes with a child who is here."""
    told = payload.get("asked", {}).get("attends")
    return {HERE: (GUARDIAN, ATTENDANCE), NOBODY: (INQUIRY,)}.get(str(told), ())


def delete(case: Case, actor: Actor) -> None:
    """The effect: this side's record never counted; the numbers stay with their trace. Safe to repeat."""
    assert case.student is not None
    with across.both_sides():
        note_side(case, actor, ProblemRecord.Standing.DELETED, case.payload["words"]["attends"])
    told = case.payload["asked"]["attends"]
    change = change_of(case, CANCELLED, reason=_GROUND.get(told, TWOFOLD), basis="R-PRB-02")
    void_status(case.student, change, actor=actor)
    close_running(case.student, today())
    end_aid(case.student, case_no=case.number, kind=PROBLEM_DELETION.name, actor=actor)


# ── Conditions: an empty text when met, else what is wrong and what to do ────────────────────────────────
def another_stays(facts: Facts) -> str:
    """Never the last record of a child in school. Where there is no other one, not without the guardian's
    word; where both sides delete, not even with it: she spoke of a record that was to stay.
    """
    problem = problem_asked(facts.payload)
    if problem is None:
        return ""
    if problem.side == ProblemRecord.Side.RECORD:
        with across.both_sides():
            return "" if keeps_one(problem, facts.student.pk) else str(LastRecord.message)
    if facts.asked("attends") == NOBODY or OTHER_PAPER in facts.evidence_types:
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


PROBLEM_DELETION = disposition(
    Ask("attends", _lazy("学生实际情况"), "choice", options(ATTENDS)),
    (
        Requirement("status", "学籍未终止", "R-PRB-04", LAW, status_in(*DELETABLE)),
        Requirement("fits", "情况与问题相符", "R-PRB-02", LAW, fits),
        Requirement("another", "不是唯一的学籍", "R-PRB-02", LAW, another_stays),
    ),
    code="problem_deletion",
    name="删除问题学籍",
    prefix="SC",
    summary="重复或不应存在的学籍作废，证件号释放，学籍号永不再用，记录和痕迹保留；不合并，学生的另一条学籍不受影响。",
    statuses=DELETABLE,
    papers=papers,
    effect=delete,
)
