"""招生入学（自主招生、跨省就学）: a graduate enters the next stage (HANDBOOK A7.3). The receiving school
files, its authority decides, then the authority of the school that graduated her, which is left out within
one county; that school itself is not asked. The record is continued under its number, never made anew.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from functools import reduce
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organization
from accounts.roles import Right
from audit.services import Actor
from config.clock import today
from config.scope import common_path
from registry.codes import label
from registry.enrolling.admissions import is_admitted_elsewhere
from registry.enrolling.grades import grades_after
from registry.graduation.afterwards import fill_destinations
from registry.models import SchoolClass
from registry.record import latest_spell, school_year_start
from registry.services.enrolling import enrol_graduates
from registry.services.host_notes import host_county
from registry.services.intake_rules import (
    ENTRY_GRADES,
    JUNIOR_ENTRY,
    base_list_area,
    base_list_rule,
    plan_state,
    seats_left,
    stage_of,
)
from registry.services.seasons import enrolment_closed
from registry.status import GRADUATED
from transfers import across
from transfers.asking import Ask, Asking, Choices, from_list
from transfers.kind import About, Advice, EvidenceNeed, Facts, Kind, Party, Proposed, Requirement, Stop
from transfers.kinds.answers import class_asked
from transfers.kinds.conditions import PROBLEM_FREE, status_in
from transfers.kinds.effects import change_of, undo
from transfers.kinds.enrolment_claim import as_told, claims_against
from transfers.kinds.pupil_elsewhere import pupil_found, reopen
from transfers.kinds.transfer_conditions import inside_quota, still_matches
from transfers.models import Case
from transfers.route import bureau_of

ENTERED = "99"  # list status_change_category knows no entrance
DESTINATIONS = {"2": "16", "3": "15"}  # by the new grade's first digit; list graduation_destination
_DAYS, _NOTICE, _LOCAL = "REGISTRATION_STEP_DAYS", "教育部年度毕业升级工作通知", "地方招生入学规定"


def enrolling(origin: Organization, school: Organization, grade: str) -> dict[str, Any]:
    """Whether one county holds both schools, and the path that completion works under."""
    counties = [bureau_of(office.path) for office in (origin, school)]
    hosts = [county.path for county in (host_county(origin), host_county(school)) if county]
    return {
        "is_across": origin.path.split(".")[1] != school.path.split(".")[1],
        "is_one_county": counties[0] == counties[1],
        "lane": "enrolment",
        "reach": reduce(common_path, [school.path, *hosts], origin.path),
    }


def classes_next(asking: Asking) -> Choices:
    """The filing school's open classes of the grades that the graduate may enter."""
    student = asking.student
    if student is None:
        return asking.classes(grades=(*ENTRY_GRADES[1:], "16", "22"))
    with across.reaching(asking.office.path, student.org_path):
        spell = latest_spell(student)
        assert spell is not None, "the look-up has found one"
        schooling = asking.office.school.schooling
        able = grades_after(spell.grade, spell.school.school.schooling, schooling)
        # Grade 6 is offered to every primary leaver, so that the refusal can say who may enter it.
        return asking.classes(grades=(*able, "16") if spell.grade.startswith("1") else able)


def proposes(case: Case, values: Mapping[str, str]) -> list[Proposed]:
    told = case.payload
    before, after = (label("grade", told[key]) for key in ("grade", "to_grade"))
    return [
        Proposed(_("学校"), case.from_name, case.to_name),
        Proposed(_("年级"), _("{grade}（毕业）").format(grade=before), after),
        Proposed(_("班级"), told["from_class"], told["to_class"]),
    ]


def enrol(case: Case, actor: Actor) -> None:
    """The effect: her record is continued at the new school. Safe to repeat."""
    assert case.student is not None
    asked = case.payload["asked"]
    school_class = class_asked(case.to_path, asked["class_id"])
    continue_graduates(case, {case.student.pk: school_class}, asked["admission_mode"], actor=actor)


def continue_graduates(
    case: Case, places: Mapping[int, SchoolClass], admission_mode: str, *, actor: Actor
) -> None:
    """Fill in where they went (R-GRD-05), then continue their records in these classes of one school."""
    tell_destinations(case, {pk: one.grade for pk, one in places.items()}, actor=actor)
    change = change_of(case, ENTERED, basis="A7.3")
    enrol_graduates(places, change, admission_mode=admission_mode, actor=actor)


def tell_destinations(case: Case, grades: Mapping[int, str], *, actor: Actor) -> None:
    """Fill in at the schools that graduated these pupils which grade (by pupil) they entered, and where."""
    by_stage: dict[str, list[int]] = defaultdict(list)
    for pk, grade in grades.items():
        by_stage[DESTINATIONS.get(grade[0], "10")].append(pk)
    for destination, pupils in by_stage.items():
        fill_destinations(pupils, destination, case.to_name, case.number, actor=actor)


# ── Conditions ───────────────────────────────────────────────────────────────────────────────────────────
def next_grade(facts: Facts) -> str:
    spell, chosen = facts.spell, facts.school_class
    if spell is None or chosen is None or not chosen.is_open:
        return _("班级已停用或不属于本校，请重新选择班级。")
    former, school = spell.school.school.schooling, chosen.school.schooling
    if chosen.grade in grades_after(spell.grade, former, school):
        return ""
    if chosen.grade == "16":
        return _("只有五年制小学的毕业生可以升入六年级；该生毕业学校为六年制，请选择初中年级。")
    able = "、".join(label("grade", one) for one in grades_after(spell.grade, former, school))
    said = _("该生毕业年级为{grade}，可升入{able}，所选班级为{chosen}。")
    return said.format(
        grade=label("grade", spell.grade), able=able or _("无"), chosen=label("grade", chosen.grade)
    )


def seat_for_entrant(facts: Facts) -> str:
    one = facts.school_class
    if one is None:
        return ""
    is_intake = one.grade in ENTRY_GRADES
    seats = seats_left([one.pk], today(), is_intake=is_intake, besides=facts.student.pk)[one.pk]
    if seats.left:
        return ""
    return _("{name}已有 {taken} 人，上限 {cap} 人。{why}请选择其他班级，或由主管部门许可超班额。").format(
        name=one.name, taken=seats.taken, cap=seats.cap, why=seats.why
    )


def inside_plan(facts: Facts) -> str:
    one = facts.school_class
    if one is None or one.grade not in ENTRY_GRADES:
        return ""
    year = school_year_start(date.fromisoformat(facts.payload["filed_on"])).year
    stage = stage_of(one.grade)
    places = plan_state(one.school, year, stage, today(), besides=facts.student.pk)
    if places is None or places.left:
        return ""
    said = _("已招 {taken} 人，计划 {planned} 人。{why}").format(
        taken=places.taken, planned=places.planned, why=places.why
    )
    return said if places.mode == "block" else Advice(said)


def from_the_area(facts: Facts) -> str:
    """小升初底表: leavers of the area stand on it by their own record; who comes from elsewhere does not."""
    one = facts.school_class
    held = base_list_rule(facts.to_path, today())
    if held is None or one is None or one.grade != JUNIOR_ENTRY:
        return ""
    if facts.from_path.startswith(base_list_area(facts.to_path)):
        return ""
    said = _("该生在外地小学毕业，不在本地小升初底表中。{why}").format(why=held.explain())
    return said if held.word == "block" else Advice(said)


def nobody_elses(facts: Facts) -> str:
    """重复招生: another school has her on its list, or claims her; who sits where is settled first."""
    if school := is_admitted_elsewhere(facts.student, facts.to_path):
        return _(
            "该生已在{school}的统一招生录取名单中（重复招生），请先与该校核实，由未就读的一方删除；"
            "该生在本校就读而对方不删除的，请办理“重复招生核实”。"
        ).format(school=school)
    claim = claims_against(facts.to_path, [facts.student.pk]).first()
    if claim is None:
        return ""
    return _(
        "{school}已就该生提交重复招生核实（{number}），裁定以前不能核准。该生在本校就读的，也请提交核实；"
        "不在本校就读的，请撤回本件。"
    ).format(school=as_told(facts.student.pk, claim.to_name), number=claim.number)


def inside_window(facts: Facts) -> str:
    """毕业后跨省就学 is taken in its windows; by the day of filing, a case under way goes on."""
    if not facts.payload.get("is_across"):
        return ""
    return enrolment_closed(facts.to_path, date.fromisoformat(facts.payload["filed_on"]))


def other_county(payload: Mapping[str, Any]) -> bool:
    return not payload.get("is_one_county")


ENROLMENT = Kind(
    code="enrolment",
    name="升学入籍",
    prefix="SX",
    article=_NOTICE,
    started_by=Party.TAKE_OVER_SCHOOL,
    about=About.PUPIL_ELSEWHERE,
    group="转学与借读",
    summary="上一学段已毕业的学生升入本校：学籍接续到本校，学籍号不变，毕业学校的毕业去向随之补齐。",
    statuses=(GRADUATED,),
    asks=(
        Ask("class_id", gettext_lazy("编入班级"), "choice", classes_next,
            hint=gettext_lazy("主管部门核准后才编入")),
        Ask("admission_mode", gettext_lazy("入学方式"), "choice", from_list("admission_mode_form")),
        Ask("statement", gettext_lazy("情况说明"), "textarea", is_required=False),
    ),
    evidence=(EvidenceNeed("录取通知或入学证明", ("20", "99"), "A7.3"),),
    proposes=proposes,
    open=pupil_found(enrolling),
    reopen=reopen,
    requirements=(
        Requirement("match", "号码与姓名一致", "R-TRF-08", _NOTICE, still_matches),
        Requirement("graduated", "上一学段已毕业", "R-GRD-05", _NOTICE, status_in(GRADUATED)),
        Requirement("double", "没有重复招生", "A7.3", _NOTICE, nobody_elses),
        PROBLEM_FREE,
        Requirement("window", "在跨省入学窗口内", "ENROLMENT_WINDOWS", _NOTICE, inside_window,
                    exempt=Party.TAKE_OVER_AUTHORITY),
        Requirement("grade", "升入下一学段", "A7.3", _NOTICE, next_grade),
        Requirement("base_list", "在小升初底表中", "BASE_LIST_MATCH", _LOCAL, from_the_area),
        Requirement("plan", "在招生计划内", "INTAKE_PLAN", _LOCAL, inside_plan),
        Requirement("seat", "班额未超", "C5", "国家班额标准", seat_for_entrant),
        Requirement("quota", "学籍总量未超", "R-TRF-10", "地方学籍总量规定", inside_quota),
    ),
    route=(
        Stop(Party.TAKE_OVER_SCHOOL, Right.REVIEW, "接收学校领导审核", _DAYS),
        Stop(Party.TAKE_OVER_TOWNSHIP, Right.DECIDE, "接收地乡镇审核", _DAYS),
        Stop(Party.TAKE_OVER_AUTHORITY, Right.DECIDE, "接收地主管部门核办", _DAYS),
        Stop(Party.RELEASE_AUTHORITY, Right.DECIDE, "毕业学校主管部门核办", _DAYS, only_if=other_county),
    ),
    effect=enrol,
    undo=undo,
)  # fmt: skip
