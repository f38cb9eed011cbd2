"""异议: a guardian objects to what stands in the record; the registrar of the pupil's school answers, with a
reason either way (HANDBOOK D12). Nothing is changed by the answer: what was wrong, the school then corrects.
"""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from accounts.models import Organization
from accounts.roles import Right
from audit.services import Actor
from config.clock import today
from registry.fields import FIELDS
from registry.identity import mask_phone
from registry.models import Student
from registry.services.key_data import proposable
from transfers.asking import Ask, Asking, Choices
from transfers.kind import Advice, Facts, Kind, Party, Requirement, Stop, Subject
from transfers.kinds.effects import undo
from transfers.models import Case

OTHER = "other"  # beside the fields of the record: what none of them says
_LAW = "《中华人民共和国个人信息保护法》第四十六条"


def fields(asking: Asking) -> Choices:
    return [*((one.key, one.label_zh) for one in FIELDS), (OTHER, str(_("其他")))]


def open_dispute(
    school: Organization, *, payload: dict[str, Any], student: Student, **_given: Any
) -> Subject:
    payload["filed_on"] = today().isoformat()
    return Subject(student)


def answered(case: Case, actor: Actor) -> None:
    """Nothing by itself: a correction is an act of the school's own, with its own papers."""


# ── Conditions: an empty text when met, else what is wrong and what to do ─────────────────────────────────
def not_asked_twice(facts: Facts) -> str:
    if facts.case is not None:
        return ""
    waiting = Case.objects.filter(kind=DISPUTE.code, student=facts.student, is_open=True)
    if not waiting.filter(payload__asked__field=facts.asked("field")).exists():
        return ""
    return _("该项目已有一件异议正在办理，请等待学校答复。")


def still_here(facts: Facts) -> str:
    """Who cannot see the record any more cannot correct it."""
    student = facts.subject.student
    if student is not None and student.org_path == facts.to_path:
        return ""
    return _("该生学籍已不在本校，本校不能更正；请不予采纳，并告知监护人向现就读学校提出。")


def how_to_mend(facts: Facts) -> str:
    """What follows when the school finds that the guardian is right."""
    if facts.asked("field") in proposable(facts.to_path):
        return Advice(_("采纳后请为该生办理“关键数据变更”，凭证件逐级核准。"))
    return Advice(_("采纳后请在学籍页更正该项目。"))


DISPUTE = Kind(
    code="dispute",
    name="异议",
    prefix="YY",
    article=_LAW,
    started_by=Party.TAKE_OVER_SCHOOL,
    right="",
    group="信息变更",
    summary="监护人认为学籍信息有误而提出；学校核实后采纳或者不予采纳，均写明理由，监护人凭查询码查看答复。",
    locks_student=False,
    asks=(
        Ask("field", _lazy("有异议的项目"), "choice", fields),
        Ask("text", _lazy("异议内容"), "textarea", most=500),
        Ask("guardian_name", _lazy("提出人"), most=50),
        Ask("contact", _lazy("联系方式"), most=30, mask=mask_phone),
    ),
    open=open_dispute,
    requirements=(
        Requirement("once", "没有同一项目的异议在办", "D12", _LAW, not_asked_twice),
        Requirement("here", "学籍仍在本校", "D12", _LAW, still_here),
        Requirement("mend", "采纳后的更正办法", "R-UPD-06", _LAW, how_to_mend),
    ),
    reasons=("经核实，登记有误", "经核实，与有效证件一致", "请携证明材料到校核实", "其他"),
    route=(Stop(Party.TAKE_OVER_SCHOOL, Right.FILE, "学校答复异议", "DISPUTE_ANSWER_DAYS"),),
    effect=answered,
    undo=undo,
)
