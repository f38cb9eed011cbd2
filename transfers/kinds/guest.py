"""借读: an attendance at the host, never a second status (R-CHG-09, D19). The host files; its authority
decides; the home school is told and reads the host's term reports on the pupil's record.
"""

from collections.abc import Mapping
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.roles import Right
from audit.services import Actor
from config.clock import today
from config.rules import rule
from registry.codes import label
from registry.models import Attendance
from registry.services import guests
from registry.status import NORMAL
from transfers.asking import Ask
from transfers.kind import About, EvidenceNeed, Facts, Kind, Party, Proposed, Requirement, Stop
from transfers.kinds.answers import class_asked
from transfers.kinds.conditions import NOT_FROZEN, SEAT_FREE
from transfers.kinds.effects import change_of, undo
from transfers.kinds.grounds import REGISTER, RESIDENCE
from transfers.kinds.pupil_elsewhere import pupil_found, reopen
from transfers.kinds.transfer import classes_for
from transfers.kinds.transfer_conditions import (
    another_school,
    not_suspended,
    nothing_else_open,
    same_grade,
    still_matches,
)
from transfers.models import Case

GUEST_CATEGORY = "99"  # list status_change_category knows no guest study
_DAYS, _LOCAL = "CHANGE_STEP_DAYS", "地方学籍管理规定"


def attend(case: Case, actor: Actor) -> None:
    """The effect: the host's list of guests, to the end of the school year. Safe to repeat."""
    assert case.student is not None
    told = case.payload["asked"]
    change = change_of(case, GUEST_CATEGORY)
    stay = guests.stay_from(max(date.fromisoformat(told["begins_on"]), today()))
    guests.begin(case.student, class_asked(case.to_path, told["class_id"]), stay, change, actor=actor)


def proposes(case: Case, values: Mapping[str, str]) -> list[Proposed]:
    told = case.payload
    before, after = (label("grade", told[key]) for key in ("grade", "to_grade"))
    return [
        Proposed(_("就读学校"), case.from_name, case.to_name),
        Proposed(_("就读班级"), f"{before} {told['from_class']}", f"{after} {told['to_class']}"),
        Proposed(_("学籍所在学校"), case.from_name, case.from_name),
    ]


# ── Conditions ───────────────────────────────────────────────────────────────────────────────────────────
def guests_allowed(facts: Facts) -> str:
    held = rule("GUEST_STUDY", at=facts.to_path, on=date.fromisoformat(facts.payload["filed_on"]))
    if held.is_on:
        return ""
    return _("本地不接收借读生。{why}需在本校就读的，请办理转学。").format(why=held.explain())


def not_a_guest_yet(facts: Facts) -> str:
    begins = facts.asked("begins_on")
    stay = guests.stay_from(date.fromisoformat(begins))
    running = Attendance.objects.filter(
        student=facts.student, valid__overlap=(stay.begins_on, stay.until)
    ).exclude(case_no=facts.case.number if facts.case else "")
    found = running.select_related("host").first()
    if found is None:
        return ""
    return _("该生已在{school}借读（至 {day}），请先由该校结束借读，再重新发起。").format(
        school=found.host.name, day=f"{found.valid.upper:%Y-%m-%d}"
    )


GUEST = Kind(
    code="guest",
    name="借读",
    prefix="JD",
    article="地方学籍管理规定",
    started_by=Party.TAKE_OVER_SCHOOL,
    about=About.PUPIL_ELSEWHERE,
    group="转学与借读",
    summary="学生到本校借读，学籍保留在原学校；计入本校班额，不计入学籍人数，每学期向原学校报告一次。",
    statuses=(NORMAL,),
    asks=(
        Ask("class_id", gettext_lazy("借读班级"), "choice", classes_for),
        Ask(
            "begins_on",
            gettext_lazy("开始日期"),
            "date",
            hint=gettext_lazy("借读到本学年结束，继续借读的另行申请"),
        ),
        Ask("statement", gettext_lazy("借读理由"), "textarea"),
    ),
    evidence=(
        REGISTER,
        EvidenceNeed("监护人务工或居住证明", ("08", "09", "10", *RESIDENCE.types), "R-CHG-09"),
    ),
    proposes=proposes,
    open=pupil_found(),
    reopen=reopen,
    requirements=(
        Requirement("allowed", "本地接收借读生", "R-CHG-09", _LOCAL, guests_allowed),
        Requirement("match", "号码与姓名一致", "R-TRF-08", _LOCAL, still_matches),
        Requirement("business", "没有其他在办业务，未标记离校", "R-TRF-06", _LOCAL, nothing_else_open),
        Requirement("suspended", "不在休学期间", "R-CHG-07", _LOCAL, not_suspended),
        Requirement("school", "在另一所学校借读", "R-CHG-09", _LOCAL, another_school),
        Requirement("once", "没有在他校借读", "R-CHG-09", _LOCAL, not_a_guest_yet),
        Requirement("grade", "年级不变", "R-TRF-09", _LOCAL, same_grade),
        NOT_FROZEN,
        SEAT_FREE,
    ),
    route=(
        Stop(Party.TAKE_OVER_SCHOOL, Right.REVIEW, "就读学校领导审核", _DAYS),
        Stop(Party.TAKE_OVER_TOWNSHIP, Right.DECIDE, "就读地乡镇审核", _DAYS),
        Stop(Party.TAKE_OVER_AUTHORITY, Right.DECIDE, "就读地主管部门核办", _DAYS),
    ),
    effect=attend,
    undo=undo,
)
