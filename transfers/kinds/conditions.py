"""Conditions that several procedures share: an empty text when met, else what is wrong and what to do."""

from collections.abc import Callable

from django.utils.translation import gettext as _

from config.clock import today
from registry.services.duplicates import blocking_problems
from registry.services.intake_rules import seats_left
from registry.services.seasons import graduating_freeze
from registry.status import STATUSES
from transfers.kind import Facts, Requirement

COMPULSORY, SENIOR = ("1", "2"), "3"  # first digit of the grade


def status_in(*statuses: str) -> Callable[[Facts], str]:
    """The pupil's status has not moved on since filing."""

    def check(facts: Facts) -> str:
        if facts.spell is not None and facts.spell.status in statuses:
            return ""
        name = STATUSES[facts.spell.status].name if facts.spell else _("无")
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
    if (spell := facts.spell) is None:
        return ""
    return graduating_freeze(spell.org_path, spell.grade, spell.school.school.schooling, today())


def seat_in_class(facts: Facts) -> str:
    """The class asked for has a free place for one who moves in (R-TRF-10, G-19)."""
    if not facts.asked("class_id"):
        return ""
    one = facts.school_class
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
