"""撤销: a status that should never have been is void by a finding of its authority, decided one level up
(HANDBOOK A6.1, A13). Nothing is deleted: the rows stay with their trace (R-EST-14).
"""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from accounts.models import Organization, User
from accounts.roles import Right
from audit.services import Actor
from config.clock import today
from config.errors import NotFound
from registry.models import Student
from registry.record import latest_spell
from registry.services.aid import end_aid
from registry.services.changing import close_running, void_status
from registry.services.refusals import RecordFrozen
from registry.status import OPEN, PENDING, STATUSES
from transfers.asking import Ask, Asking, Choices
from transfers.kind import About, EvidenceNeed, Facts, Kind, Party, Requirement, Stop, Subject
from transfers.kinds.answers import reopen
from transfers.kinds.conditions import status_in
from transfers.kinds.effects import change_of, undo
from transfers.models import Case
from transfers.refusals import NoAuthority
from transfers.route import authority_of, superior_of

CANCELLED = "18"  # list status_change_category: 取消学籍
VOIDABLE = tuple(code for code in OPEN if code != PENDING)  # a pending one is refused in its own case

GROUNDS = (
    ("1", _lazy("以虚假信息建立学籍")),
    ("2", _lazy("重复建立学籍")),
    ("3", _lazy("人籍分离，学生不在该校就读")),
    ("9", _lazy("其他违反学籍管理规定的情形")),
)


def grounds(asking: Asking) -> Choices:
    return [(code, str(name)) for code, name in GROUNDS]


def open_void(
    office: Organization, *, payload: dict[str, Any], actor: User, student: Student, answers: dict[str, str]
) -> Subject:
    """Only the competent authority of the pupil's school files. Raises NotFound, RecordFrozen, NoAuthority
    where no authority is above it.
    """
    if authority_of(student.org_path).path != office.path:
        raise NotFound()
    spell = latest_spell(student, at=student.org_path)
    if spell is None or spell.status not in VOIDABLE:
        raise RecordFrozen(status=STATUSES[spell.status].name if spell else _("无"))
    if superior_of(office.path) is None:
        raise NoAuthority(office=office.name)
    payload |= {"grade": spell.grade, "filed_on": today().isoformat()}
    return Subject(student)


def void(case: Case, actor: Actor) -> None:
    """The effect: the spell never counted, its documents claim nothing; what ran with it ends. Safe to
    repeat.
    """
    assert case.student is not None
    ground = case.payload["asked"]["ground"]
    void_status(case.student, change_of(case, CANCELLED, reason=ground, basis="R-EST-14"), actor=actor)
    close_running(case.student, today())
    end_aid(case.student, case_no=case.number, kind=VOIDING.name, actor=actor)


def of_own_school(facts: Facts) -> str:
    """Its own row names the school: whoever reads the case reads it by that path."""
    if facts.case is not None or facts.from_path == facts.student.org_path:
        return ""
    return _("该生学籍不在所填学校，请从学籍页面发起。")


VOIDING = Kind(
    code="voiding",
    name="撤销学籍",
    prefix="CX",
    article="第二十六条",
    group="主管部门业务",
    summary="经调查认定学籍违规建立的，由主管部门提出、上一级主管部门核准后撤销；记录和痕迹保留，证件号码释放。",
    about=About.OWN_PUPIL,
    right=Right.DECIDE,
    started_by=Party.FILING_OFFICE,
    statuses=VOIDABLE,
    asks=(
        Ask("ground", _lazy("认定的违规情形"), "choice", grounds),
        Ask("happened_on", _lazy("认定日期"), "date", when="past"),
        Ask("finding", _lazy("调查认定结论"), "textarea", most=1000),
    ),
    open=open_void,
    reopen=reopen,
    evidence=(EvidenceNeed("调查认定材料", ("99", "27"), "R-EST-14"),),
    requirements=(
        Requirement("school", "学校由本单位主管", "R-EST-14", "第二十六条", of_own_school),
        Requirement("status", "学籍未终止", "R-EST-14", "第二十六条", status_in(*VOIDABLE)),
    ),
    route=(Stop(Party.SUPERIOR, Right.DECIDE, "上一级主管部门核准", "CHANGE_STEP_DAYS"),),
    reasons=("认定依据不足", "材料不全或不清晰", "应先按问题学籍处理", "其他"),
    effect=void,
    undo=undo,
)
