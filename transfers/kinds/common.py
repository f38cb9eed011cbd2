"""What the procedures about one pupil share: opening, reopening, the change they bring, their conditions."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Organization, User
from accounts.roles import Right
from audit.services import Actor
from config.clock import today
from config.errors import NotFound
from registry.models import Enrolment, SchoolClass, Student
from registry.services.changing import Change
from registry.services.duplicates import blocking_problems
from registry.services.intake_rules import seats_left
from registry.services.refusals import ClassUnknown, RecordFrozen
from registry.services.seasons import graduating_freeze
from registry.status import STATUSES
from transfers.asking import Asking, split, take_answers
from transfers.kind import Facts, Party, Requirement, Stop, Subject
from transfers.models import Case

COMPULSORY, SENIOR = ("1", "2"), "3"  # first digit of the grade

# School leader, then the competent authority (R-CHG-08); a township where the county asks for it.
SCHOOL_AND_AUTHORITY = (
    Stop(Party.TAKE_OVER_SCHOOL, Right.REVIEW, "学校领导审核", "CHANGE_STEP_DAYS"),
    Stop(Party.TAKE_OVER_TOWNSHIP, Right.DECIDE, "乡镇审核", "CHANGE_STEP_DAYS"),
    Stop(Party.TAKE_OVER_AUTHORITY, Right.DECIDE, "主管部门核办", "CHANGE_STEP_DAYS"),
)
SCHOOL_ALONE = (Stop(Party.TAKE_OVER_SCHOOL, Right.REVIEW, "学校领导审核", "CHANGE_STEP_DAYS"),)


def opener(*statuses: str) -> Callable[..., Subject]:
    """The opening of a kind about a pupil of the filing school whose spell has one of `statuses`.

    Raises NotFound for a pupil of another school, RecordFrozen for another status.
    """

    def open_pupil(
        school: Organization,
        *,
        payload: dict[str, Any],
        actor: User,
        student: Student,
        answers: dict[str, str],
    ) -> Subject:
        spell = student.enrolments.filter(is_void=False, org_path=school.path).order_by("-valid").first()
        if spell is None:
            raise NotFound()
        if spell.status not in statuses:
            raise RecordFrozen(status=STATUSES[spell.status].name)
        payload |= {"grade": spell.grade, "filed_on": today().isoformat()}
        return Subject(student)

    return open_pupil


def reopen(case: Case, given: dict[str, Any], actor: User) -> None:
    """After a return: the questions answered anew; without answers the former ones stay."""
    from transfers.kinds import KINDS  # the kinds import this module

    if "answers" not in given:
        return
    kind = KINDS[case.kind]
    office = Organization.objects.get(path=case.to_path)
    answers = take_answers(kind, given["answers"], Asking(office, case.student))
    clear, sealed = split(kind, answers)
    case.payload["asked"] = clear
    case.set_card(case.open_card() | sealed)


def undo(case: Case, actor: Actor, reason: str) -> None:
    """Nothing to take back: the pupil's rows were not touched."""


def change_of(case: Case, category: str, **more: Any) -> Change:
    """The change that this case brings, effective today."""
    from transfers.kinds import KINDS  # the kinds import this module

    asked: Mapping[str, str] = case.payload.get("asked", {})
    happened = asked.get("happened_on") or case.payload.get("filed_on") or today().isoformat()
    return Change(
        kind=case.kind,
        name=KINDS[case.kind].name,
        case_no=case.number,
        category=category,
        reason=more.pop("reason", asked.get("reason", "")),
        happened_on=date.fromisoformat(happened),
        effective_on=more.pop("effective_on", today()),
        **more,
    )


def asked(facts: Facts, key: str) -> str:
    """The answer to a question that is not personal; empty when it was not asked."""
    return str(facts.payload.get("asked", {}).get(key, ""))


def class_asked(school_path: str, class_id: str) -> SchoolClass:
    """The open class of this school that an answer names. Raises ClassUnknown."""
    classes = SchoolClass.objects.select_related("school__organization")
    found = classes.filter(org_path=school_path, pk=int(class_id or 0), is_open=True).first()
    if found is None:
        raise ClassUnknown()
    return found


def spell_now(facts: Facts) -> Enrolment | None:
    """The pupil's latest spell that counts."""
    return (
        facts.student.enrolments.filter(is_void=False)
        .select_related("school__school", "school_class")
        .order_by("-valid")
        .first()
    )


# ── Conditions: an empty text when met, else what is wrong and what to do ─────────────────────────────────
def status_in(*statuses: str) -> Callable[[Facts], str]:
    """The pupil's status has not moved on since filing."""

    def check(facts: Facts) -> str:
        spell = spell_now(facts)
        if spell is not None and spell.status in statuses:
            return ""
        name = STATUSES[spell.status].name if spell else _("无")
        return _("该生学籍状态现为“{status}”，不能办理本业务，请撤回。").format(status=name)

    return check


def senior_only(facts: Facts) -> str:
    if str(facts.payload.get("grade", "")).startswith(SENIOR):
        return ""
    return _(
        "义务教育阶段不得开除学生，也不得办理退学；应做好教育和劝返复学工作，确已辍学的请办理“辍学”登记。"
    )


def compulsory_only(facts: Facts) -> str:
    if str(facts.payload.get("grade", ""))[:1] in COMPULSORY:
        return ""
    return _("本业务只适用于义务教育阶段学生；普通高中学生请办理退学或其他离校。")


def no_problem(facts: Facts) -> str:
    if not blocking_problems(facts.student):
        return ""
    return _("该生有未处理的问题学籍，请先处理完毕再办。")


def not_frozen(facts: Facts) -> str:
    """No new business for graduating grades from 1 July (A7.4); what was filed before goes on."""
    if facts.case is not None:
        return ""
    spell = spell_now(facts)
    if spell is None:
        return ""
    return graduating_freeze(spell.org_path, spell.grade, spell.school.school.schooling, today())


def seat_in_class(facts: Facts) -> str:
    """The class asked for has a free place for one who moves in (R-TRF-10, G-19)."""
    class_id = asked(facts, "class_id")
    if not class_id:
        return ""
    one = SchoolClass.objects.filter(pk=int(class_id), org_path=facts.to_path).first()
    if one is None or not one.is_open:
        return _("班级已停用，请重新选择班级。")
    seats = seats_left([one.pk], today(), is_intake=False, besides=facts.student.pk)[one.pk]
    if seats.left:
        return ""
    return _("{name}已有 {taken} 人，上限 {cap} 人。{why}请选择其他班级，或由主管部门许可超班额。").format(
        name=one.name, taken=seats.taken, cap=seats.cap, why=seats.why
    )


PROBLEM_FREE = Requirement("problem", "没有问题学籍", "R-PRB-05", "第九条", no_problem)
NOT_FROZEN = Requirement(
    "graduating_freeze", "毕业年级未暂停业务", "GRADUATING_FREEZE", "教育部年度毕业升级工作通知", not_frozen
)
SEAT_FREE = Requirement("seat", "班额未超", "R-TRF-10", "国家班额标准", seat_in_class)
