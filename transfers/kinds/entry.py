"""What a registration meets beside its form: 补录, 延期注册, 招生计划, 学籍总量, 小升初底表
(R-EST-12, R-EST-13, A7.3, D7, D9).

What depends on the day of filing is decided then and kept in the payload: a case runs under the rules that it
began with, and a child whose papers come back in October is no late one.
"""

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any

from accounts.models import User
from audit.services import record_look_up
from config.clock import today
from config.rules import rule
from registry.findings import Finding, in_words
from registry.form_values import clean_record
from registry.models import SchoolClass
from registry.record import school_year_start
from registry.services.allowances import last_day
from registry.services.intake_rules import (
    ENTRY_GRADES,
    JUNIOR_ENTRY,
    base_list_rule,
    is_omitted,
    plan_state,
    quota_state,
    registration_closes,
    seats_left,
    stage_of,
    term_start,
)
from registry.services.refusals import DeferralLate, DeferralUnclear, NotOnBaseList
from transfers import across
from transfers.kind import Advice, Facts, Requirement

STATUS_CARD, OMITTED_REQUEST, DEFERRAL_REQUEST = "22", "25", "26"
ENTRY_PAPERS = (STATUS_CARD, OMITTED_REQUEST, DEFERRAL_REQUEST)
_LOCAL = "地方学籍管理规定"


def note_entry(
    school_class: SchoolClass, values: Mapping[str, str], payload: dict[str, Any], *, actor: User
) -> None:
    """Decide what kind of entry this is and keep it in `payload`.

    Raises DeferralLate, DeferralUnclear, and NotOnBaseList where the list blocks.
    """
    day = date.fromisoformat(payload.setdefault("filed_on", today().isoformat()))
    payload["is_omitted"] = is_omitted(school_class.grade, day, school_class.org_path)
    check_deferral(school_class.org_path, payload.get("deferred_until", ""), day)
    payload["is_off_base_list"] = _is_off_base_list(school_class, values, actor)


def check_deferral(path: str, until: str, day: date) -> None:
    """Whether registration may wait until the day `until` (ISO, empty: it need not), asked for on `day`."""
    if not until:
        return
    in_force, begins = rule("DEFER_APPLY_DAYS", at=path, on=day), term_start(path, day)
    last = in_force.days_after(begins)
    if day > last:
        raise DeferralLate(begins=in_words(begins), last=in_words(last), why=in_force.explain())
    if not _is_day(until) or not day < date.fromisoformat(until) <= last_day(day):
        raise DeferralUnclear(last=in_words(last_day(day)))


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_off_base_list(school_class: SchoolClass, values: Mapping[str, str], actor: User) -> bool:
    in_force = base_list_rule(school_class.org_path, today())
    if school_class.grade != JUNIOR_ENTRY or in_force is None:
        return False
    area = across.base_list_without(school_class.school, clean_record(dict(values), school_class.grade))
    if area and in_force.word == "block":
        # Yes or no about a child elsewhere: counted and recorded like every look beyond the own scope.
        counted = partial(record_look_up, actor=actor, route="transfers:register_form", found=False)
        raise NotOnBaseList(area=area, why=in_force.explain(), afterwards=counted)
    return bool(area)


# ── Conditions: an empty text when met, else what is wrong and what to do ──────────────────────────────
def seat_free(facts: Facts) -> str:
    spell = facts.spell
    if spell is None or spell.school_class is None or not spell.school_class.is_open:
        return "班级已停用，请退回学校重新选择班级。"
    taken, cap, why = seats_left([spell.school_class.pk], today())[spell.school_class.pk]
    return "" if taken <= cap else f"{spell.school_class.name}已有 {taken} 人，上限 {cap} 人。{why}"


def plan_kept(facts: Facts) -> str:
    spell = facts.spell
    if spell is None or spell.grade not in ENTRY_GRADES:
        return ""
    year = school_year_start(today()).year
    places = plan_state(spell.school.school, year, stage_of(spell.grade), today())
    if places is None or not places.over:
        return ""
    said = f"已注册新生 {places.taken} 人，超出计划 {places.over} 人。{places.why}"
    return said if places.mode == "block" else Advice(said)


def quota_kept(facts: Facts) -> str:
    spell = facts.spell
    places = quota_state(spell.school.school, stage_of(spell.grade), today()) if spell else None
    if places is None or not places.over:
        return ""
    return f"该学段现有学籍 {places.taken} 人，超出总量 {places.over} 人。{places.why}"


def omitted_has_papers(facts: Facts) -> str:
    if not facts.payload.get("is_omitted"):
        return ""
    spell = facts.spell
    # Before the first grade there is no status, and so no card of it.
    wanted = {OMITTED_REQUEST} if spell and spell.grade == "11" else {OMITTED_REQUEST, STATUS_CARD}
    if wanted <= facts.evidence_types:
        return ""
    papers = "加盖学校公章的补录申请" if len(wanted) == 1 else "原学籍卡和加盖学校公章的补录申请"
    return f"起始年级注册已截止或不是起始年级，按补录办理，须上传{papers}。"


def deferral_over(facts: Facts) -> str:
    until = facts.payload.get("deferred_until", "")
    if not until:
        return ""
    if DEFERRAL_REQUEST not in facts.evidence_types:
        return "申请延期注册须上传监护人的申请与证明。"
    if facts.case is None or today() >= date.fromisoformat(until):
        return ""
    return (
        f"监护人申请延期注册至{in_words(date.fromisoformat(until))}，届时再办；"
        "学生已提前到校的，请退回学校取消延期后重新提交。"
    )


def on_base_list(facts: Facts) -> str:
    if not facts.payload.get("is_off_base_list"):
        return ""
    return Advice("该生不在小升初底表中，请核对小学毕业信息和录取通知。")


CONDITIONS = (
    Requirement("seat", "班额未超", "C5", "国家班额标准", seat_free),
    Requirement("plan", "招生计划未超", "INTAKE_PLAN", "地方招生入学规定", plan_kept),
    Requirement("quota", "学籍总量未超", "QUOTA", "地方学籍总量规定", quota_kept),
    Requirement("base_list", "在小升初底表中", "BASE_LIST_MATCH", "地方招生入学规定", on_base_list),
    Requirement("omitted", "补录材料齐全", "R-EST-13", _LOCAL, omitted_has_papers),
    Requirement("deferral", "延期注册", "R-EST-12", _LOCAL, deferral_over),
)


# ── What the form says before it is filed ─────────────────────────────────────────────────────────────────
def entry_doubts(school_class: SchoolClass) -> list[Finding]:
    """Warnings about a new pupil in this class: beyond the plan, or a 补录 with its papers."""
    day, grade, path = today(), school_class.grade, school_class.org_path
    found = []
    if grade in ENTRY_GRADES:
        places = plan_state(school_class.school, school_year_start(day).year, stage_of(grade), day)
        if places is not None and not places.left:
            said = f"本校今年已注册新生 {places.taken} 人，已达招生计划。{places.why}"
            found.append(_doubt("class_id", "plan_full", said, "INTAKE_PLAN"))
    if is_omitted(grade, day, path):
        closes, in_force = registration_closes(path, day)
        papers = "加盖学校公章的补录申请" if grade == "11" else "原学籍卡和加盖学校公章的补录申请"
        said = (
            f"本年级不是起始年级，或已过注册截止日（{in_words(closes)}），按补录办理：须上传{papers}，"
            f"由县级教育行政部门核准。{in_force.explain()}"
        )
        found.append(_doubt("document", "omitted", said, "R-EST-13"))
    return found


def _doubt(field: str, code: str, message: str, rule_id: str) -> Finding:
    return Finding(field, code, message, rule_id, "", "", level="warning")
