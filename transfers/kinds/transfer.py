"""转学: read from top to bottom, this is the procedure (HANDBOOK A5). Only the take-over school begins it
(R-TRF-01); the stops become stored steps when it is filed.

No question asks for marks of an exam held for the transfer (R-TRF-14).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import reduce
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organization
from accounts.roles import Right
from archives.handover import Passing, hand_over
from audit.services import Actor
from config.clock import today
from config.rules import rule
from config.scope import ancestors, common_path
from registry.codes import label
from registry.models import SchoolClass, Student
from registry.record import latest_spell
from registry.services import guests
from registry.services.changing import Change, move_pupil
from registry.services.host_notes import Move, host_county, note_move
from registry.services.intake_rules import stage_of
from registry.status import NORMAL
from transfers import across
from transfers.asking import Ask, Asking, Choices, from_list, yes_no
from transfers.kind import About, EvidenceNeed, Kind, Party, Proposed, Stop
from transfers.kinds.answers import class_asked
from transfers.kinds.conditions import SENIOR
from transfers.kinds.effects import change_of, undo
from transfers.kinds.grounds import asks_for, papers_for
from transfers.kinds.pupil_elsewhere import pupil_found, reopen
from transfers.kinds.transfer_conditions import CONDITIONS, FREEZES, grades_open
from transfers.models import Case
from transfers.route import authority_of

TRANSFER_IN, HEALTH_GROUND = "22", "09"  # lists status_change_category and transfer_reason
_DAYS = "TRANSFER_STEP_DAYS"


# ── Filing ───────────────────────────────────────────────────────────────────────────────────────────────
def way(origin: Organization, school: Organization, grade: str) -> dict[str, Any]:
    """How far the two schools are apart, which extra levels each side's locality asks for, and the path that
    completion works under: both schools and the host counties of directly run ones.
    """
    is_same = authority_of(origin.path) == authority_of(school.path)
    is_across = ancestors(origin.path)[:2] != ancestors(school.path)[:2]
    shared = common_path(origin.path, school.path).count(".")
    lane = "same" if is_same else "across" if is_across else "city" if shared > 2 else "province"
    hosts = [county.path for county in (host_county(origin), host_county(school)) if county]
    payload: dict[str, Any] = {
        "is_same_authority": is_same,
        "is_across": is_across,
        "lane": f"transfer.{lane}.{stage_of(grade)}",
        "reach": reduce(common_path, [school.path, *hosts], origin.path),
    }
    for side, office in (("out", origin), ("in", school)):
        extra = rule("ROUTE_EXTRA_LEVELS", at=office.path, on=today()).words
        payload[f"city_{side}"] = grade.startswith(SENIOR) and "city_senior" in extra
        payload[f"province_{side}"] = is_across and "province_across" in extra
    return payload


# ── Questions ────────────────────────────────────────────────────────────────────────────────────────────
def classes_for(asking: Asking) -> Choices:
    """The filing school's open classes of the grades that the pupil may enter."""
    student = asking.student
    with across.reaching(asking.office.path, student.org_path if student else asking.office.path):
        if student is None:
            return asking.classes()
        spell = latest_spell(student)
        assert spell is not None, "the look-up has found one"
        schooling = asking.office.school.schooling
        return asking.classes(grades=grades_open(spell.grade, spell.school.school.schooling, schooling))


def is_yes(key: str) -> Callable[[Mapping[str, str]], bool]:
    return lambda answers: answers.get(key) == "1"


ASKS = (
    Ask("class_id", gettext_lazy("转入班级"), "choice", classes_for),
    Ask("move_on", gettext_lazy("拟到校日期"), "date"),
    Ask("reason", gettext_lazy("转学理由"), "choice", from_list("transfer_reason"),
        hint=gettext_lazy("只须提供所选理由的证明，不再另开证明")),
    Ask("same_register", gettext_lazy("学生与监护人在同一户口簿"), "choice", yes_no,
        only_if=asks_for("same_register")),
    Ask("is_collective_hukou", gettext_lazy("城区独立户或挂靠户"), "choice", yes_no,
        only_if=asks_for("is_collective_hukou")),
    Ask("hukou_since", gettext_lazy("落户日期"), "date", only_if=is_yes("is_collective_hukou")),
    Ask("handed_over_on", gettext_lazy("住房交付日期"), "date", only_if=asks_for("handed_over_on"),
        hint=gettext_lazy("交房日期，不是购房日期")),
    Ask("business_since", gettext_lazy("在学区内开业日期"), "date", only_if=asks_for("business_since")),
    Ask("lives_with_relatives", gettext_lazy("学生在转入地随亲属居住"), "choice", yes_no,
        only_if=asks_for("lives_with_relatives")),
    Ask("status_stays", gettext_lazy("学籍保留在原学校"), "choice", yes_no, only_if=asks_for("status_stays"),
        hint=gettext_lazy("普特互转经两校与监护人商定，学籍可以不转，学生到转入学校就读")),
    Ask("is_voluntary", gettext_lazy("监护人自愿申请，学校没有要求"), "choice", yes_no),
    Ask("under_sanction", gettext_lazy("受纪律处分尚未解除"), "choice", yes_no),
    Ask("score", gettext_lazy("中考（升学）成绩"), "number", is_required=False,
        hint=gettext_lazy("只有普通高中填写")),
    Ask("line", gettext_lazy("转入学校当年录取线"), "number", is_required=False,
        hint=gettext_lazy("只有普通高中填写")),
    Ask("statement", gettext_lazy("情况说明"), "textarea", is_required=False),
    Ask("recorded_later", gettext_lazy("线下已办，现补录"), "choice", yes_no,
        hint=gettext_lazy("系统故障期间已按纸质材料办理的")),
    Ask("paper_on", gettext_lazy("线下办理日期"), "date", when="past", only_if=is_yes("recorded_later")),
    Ask("recorded_why", gettext_lazy("补录原因"), "text", only_if=is_yes("recorded_later")),
)  # fmt: skip


def papers(payload: Mapping[str, Any]) -> tuple[EvidenceNeed, ...]:
    return papers_for(payload.get("asked", {}), is_across=bool(payload.get("is_across")))


def proposes(case: Case, values: Mapping[str, str]) -> list[Proposed]:
    """Where from and where to, in words that both sides see."""
    told = case.payload
    before, after = (label("grade", told[key]) for key in ("grade", "to_grade"))
    found = [
        Proposed(_("就读学校"), case.from_name, case.to_name),
        Proposed(_("年级"), before, after),
        Proposed(_("班级"), told["from_class"], told["to_class"]),
    ]
    if status_stays(told):
        found.append(Proposed(_("学籍所在学校"), case.from_name, case.from_name))
    return found


# ── Effect ───────────────────────────────────────────────────────────────────────────────────────────────
def status_stays(payload: Mapping[str, Any]) -> bool:
    asked = payload["asked"]
    return asked["reason"] == HEALTH_GROUND and asked.get("status_stays") == "1"


def move(case: Case, actor: Actor) -> None:
    """The effect, all in the caller's transaction: the status moves on one day boundary, the former school
    keeps its snapshot, the file follows with receipt, host counties are told (R-TRF-17, R-TRF-20). Where the
    status stays, the pupil attends the new school and nothing moves.
    """
    assert case.student is not None
    student, asked = case.student, case.payload["asked"]
    school_class = class_asked(case.to_path, asked["class_id"])
    happened = asked.get("paper_on") or asked["move_on"]
    change = replace(change_of(case, TRANSFER_IN), happened_on=date.fromisoformat(happened))
    if status_stays(case.payload):
        guests.begin(student, school_class, guests.stay_from(today()), change, actor=actor)
        return
    take_over(case, student, school_class, change, actor=actor)


def take_over(
    case: Case,
    student: Student,
    school_class: SchoolClass,
    change: Change,
    *,
    actor: Actor,
    status: str | None = None,
) -> None:
    """Move the status of `student` to the class that the case names, and everything that follows it."""
    origin, school = Organization.objects.get(path=case.from_path), school_class.school.organization
    move_pupil(student, school_class, change, actor=actor, status=status)
    guests.end_running(student, change.effective_on)
    passing = Passing(
        case_no=case.number, from_path=case.from_path, to_path=case.to_path, from_name=case.from_name,
        to_name=case.to_name, target=reverse("transfers:handovers"),
    )  # fmt: skip
    hand_over(student, passing, case.evidence.values_list("material_id", flat=True), actor=actor)
    moved = Move(case.number, school_class.grade, change.effective_on, origin, school)
    note_move(student, moved)


# ── The procedure ────────────────────────────────────────────────────────────────────────────────────────
def _has(key: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda payload: bool(payload.get(key))


def _province_in(payload: Mapping[str, Any]) -> bool:
    """Where the province asks for it, and where only it may make an exception from a national freeze."""
    return bool(payload.get("province_in")) or bool(set(FREEZES) & set(payload.get("exempt", ())))


# National order. An office that two stops name decides once, at the last of them: so one authority over both
# schools decides after the release school.
ROUTE = (
    Stop(Party.TAKE_OVER_SCHOOL, Right.REVIEW, "转入学校领导审核", _DAYS),
    Stop(Party.TAKE_OVER_TOWNSHIP, Right.DECIDE, "转入地乡镇审核", _DAYS),
    Stop(Party.TAKE_OVER_AUTHORITY, Right.DECIDE, "转入地主管部门核办", _DAYS),
    Stop(Party.TAKE_OVER_CITY, Right.DECIDE, "转入地市级核办", _DAYS, only_if=_has("city_in")),
    Stop(Party.TAKE_OVER_PROVINCE, Right.DECIDE, "转入地省级核办", _DAYS, only_if=_province_in),
    Stop(Party.RELEASE_SCHOOL, Right.REVIEW, "转出学校核办", _DAYS),
    Stop(Party.RELEASE_TOWNSHIP, Right.DECIDE, "转出地乡镇审核", _DAYS),
    Stop(Party.RELEASE_AUTHORITY, Right.DECIDE, "转出地主管部门核办", _DAYS),
    Stop(Party.RELEASE_CITY, Right.DECIDE, "转出地市级核办", _DAYS, only_if=_has("city_out")),
    Stop(Party.RELEASE_PROVINCE, Right.DECIDE, "转出地省级核办", _DAYS, only_if=_has("province_out")),
)

TRANSFER = Kind(
    code="transfer",
    name="转学",
    prefix="ZX",
    article="第十五条",
    started_by=Party.TAKE_OVER_SCHOOL,  # nobody else may begin it (R-TRF-01)
    about=About.PUPIL_ELSEWHERE,
    group="转学与借读",
    summary="把外校学生的学籍转到本校：原学籍于转接之日终止，学籍号不变，档案随人移交。",
    statuses=(NORMAL,),
    asks=ASKS,
    papers=papers,
    proposes=proposes,
    prints=("transfer_application", "transfer_certificate", "contact_letter"),
    open=pupil_found(way),
    reopen=reopen,
    requirements=CONDITIONS,
    route=ROUTE,
    effect=move,
    undo=undo,
)
