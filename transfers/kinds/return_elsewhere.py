"""回国（境）就读 at another school than the one that kept the status (HANDBOOK A6.1): the receiving school
files, its authority decides; the archive is continued and the grade follows the studies, not the calendar.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organization
from accounts.roles import Right
from audit.services import Actor
from config.clock import today
from registry.codes import label
from registry.status import ABROAD, NORMAL, STATUSES
from transfers.asking import Ask, Asking, Choices, from_list
from transfers.kind import About, EvidenceNeed, Facts, Kind, Party, Proposed, Requirement, Stop
from transfers.kinds.answers import class_asked
from transfers.kinds.conditions import PROBLEM_FREE, SEAT_FREE, status_in
from transfers.kinds.effects import change_of, undo
from transfers.kinds.pupil_elsewhere import pupil_found, reopen
from transfers.kinds.transfer import take_over, way
from transfers.kinds.transfer_conditions import another_school, inside_quota, still_matches
from transfers.models import Case

BACK_FROM_ABROAD = "08"  # list status_change_category
_DAYS, _LOCAL = "CHANGE_STEP_DAYS", "地方学籍管理规定"


def way_back(origin: Organization, school: Organization, grade: str) -> dict[str, Any]:
    """Nobody at the former school decides: its duration is none of a transfer's."""
    return way(origin, school, grade) | {"lane": RETURN_ELSEWHERE.code}


def come_back(case: Case, actor: Actor) -> None:
    """The effect: the status is normal again, at the school that takes the pupil in."""
    assert case.student is not None
    happened = date.fromisoformat(case.payload["asked"]["returned_on"])
    change = replace(change_of(case, BACK_FROM_ABROAD, basis="A6.1"), happened_on=happened)
    school_class = class_asked(case.to_path, case.payload["asked"]["class_id"])
    take_over(case, case.student, school_class, change, actor=actor, status=NORMAL)


def classes(asking: Asking) -> Choices:
    return asking.classes()


def proposes(case: Case, values: Mapping[str, str]) -> list[Proposed]:
    told = case.payload
    return [
        Proposed(_("就读学校"), case.from_name, case.to_name),
        Proposed(_("学籍状态"), STATUSES[ABROAD].name, STATUSES[NORMAL].name),
        Proposed(_("年级"), label("grade", told["grade"]), label("grade", told["to_grade"])),
    ]


def same_stage(facts: Facts) -> str:
    """The grade follows the studies abroad; another stage is a new registration."""
    if facts.payload["to_grade"][0] == facts.payload["grade"][0]:
        return ""
    return _("该生学籍所在学段为{grade}，所选班级不在同一学段。升入新学段的请办理学籍注册。").format(
        grade=label("school_stage", str(int(facts.payload["grade"][0]) + 1))
    )


def is_back(facts: Facts) -> str:
    back = facts.asked("returned_on")
    if back and date.fromisoformat(back) <= today():
        return ""
    return _("学生尚未回国（境），请在回国（境）到校后再办。")


RETURN_ELSEWHERE = Kind(
    code="return_elsewhere",
    name="回国（境）就读",
    prefix="HG",
    article="地方学籍管理规定",
    started_by=Party.TAKE_OVER_SCHOOL,
    about=About.PUPIL_ELSEWHERE,
    group="转学与借读",
    summary="学籍状态为“出国”的学生回国（境）后到本校就读：学籍转入并恢复正常，学籍号和档案接续。",
    statuses=(ABROAD,),
    asks=(
        Ask(
            "class_id",
            gettext_lazy("编入班级"),
            "choice",
            classes,
            hint=gettext_lazy("按在境外的学业程度编入年级"),
        ),
        Ask("returned_on", gettext_lazy("回国（境）日期"), "date"),
        Ask("country", gettext_lazy("就读国家（地区）"), "choice", from_list("country_region")),
        Ask("statement", gettext_lazy("境外学习情况"), "textarea", is_required=False),
    ),
    evidence=(
        EvidenceNeed("护照、签证或入境证明", ("17",), "A6.1"),
        EvidenceNeed("境外学习成绩或就读证明", ("20", "99"), "A6.1"),
    ),
    proposes=proposes,
    open=pupil_found(way_back),
    reopen=reopen,
    requirements=(
        Requirement("match", "号码与姓名一致", "R-TRF-08", _LOCAL, still_matches),
        Requirement("status", "学籍状态为出国", "A6.1", _LOCAL, status_in(ABROAD)),
        PROBLEM_FREE,
        Requirement("school", "到另一所学校就读", "A6.1", _LOCAL, another_school),
        Requirement("back", "已回国（境）", "A6.1", _LOCAL, is_back),
        Requirement("stage", "学段不变", "A6.1", _LOCAL, same_stage),
        SEAT_FREE,
        Requirement("quota", "学籍总量未超", "R-TRF-10", "地方学籍总量规定", inside_quota),
    ),
    route=(
        Stop(Party.TAKE_OVER_SCHOOL, Right.REVIEW, "接收学校领导审核", _DAYS),
        Stop(Party.TAKE_OVER_TOWNSHIP, Right.DECIDE, "接收地乡镇审核", _DAYS),
        Stop(Party.TAKE_OVER_AUTHORITY, Right.DECIDE, "接收地主管部门核办", _DAYS),
    ),
    effect=come_back,
    undo=undo,
)
