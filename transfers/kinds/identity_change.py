"""关键数据变更: another name, sex, birth date, document, or what the province made a key field
(R-NUM-03, R-UPD-05 to R-UPD-08).

The duplicate and identity check runs before anybody decides and again at each step; a pupil with J then
gets G, a G never changes (R-NUM-04). A former name stays as 曾用名. What is proposed lies sealed in the
case's card; the day on which the change happened is kept, and one reported too late is marked (R-UPD-03).
Grade and class have procedures of their own.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from accounts.models import Organization, User
from audit.services import Actor
from config.clock import today
from config.rules import rule
from config.scope import NATION
from registry import objections_change as o
from registry.findings import in_words, warnings
from registry.form_values import parse_date
from registry.models import Enrolment, Student
from registry.record import has_number, load_record, open_number, values_of
from registry.services.documents import replace_document
from registry.services.duplicates import blocking_problems
from registry.services.key_data import (
    DOCUMENT_KEYS,
    as_proposed,
    change_fields,
    check_change,
    clean_proposal,
    refuse_other_fields,
    refuse_wrong,
)
from registry.services.problems import bind_change
from registry.services.refusals import NumberTaken, RecordRefused
from registry.services.renaming import rename
from registry.status import OPEN
from transfers import across
from transfers.kind import Advice, Facts, Kind, Party, Requirement, Subject
from transfers.kinds.conditions import NOT_FROZEN, not_frozen
from transfers.kinds.effects import undo
from transfers.kinds.key_data import NEW, OLD, compare, papers_for, proposed_in
from transfers.kinds.own_pupil import SCHOOL_AND_AUTHORITY, own_spell
from transfers.models import Case
from transfers.outbox import NUMBER_STUDENT, owe
from transfers.refusals import NamesakeFound

_PERSON = frozenset(("name", "sex", "birth_on"))


def open_change(
    school: Organization, *, payload: dict[str, Any], actor: User, student: Student, proposed: dict[str, str]
) -> Subject:
    """Check what is proposed (form keys, and `happened_on`); nothing of the pupil changes yet.

    Raises NotFound for a pupil of another school, RecordFrozen, RecordRefused, NumberTaken, NamesakeFound.
    """
    _check(student, own_spell(student, school.path, *OPEN), proposed, payload)
    return Subject(student)


def reopen_change(case: Case, given: dict[str, Any], actor: User) -> None:
    """After a return: another proposal in the place of the former one; without one that stays."""
    if "proposed" not in given:
        return
    assert case.student is not None
    proposed = given["proposed"]
    _check(case.student, own_spell(case.student, case.to_path, *OPEN), proposed, case.payload)
    kept = {key: text for key, text in case.open_card().items() if not key.startswith((NEW, OLD))}
    case.set_card(kept | secrets_of(case.student, proposed))


def secrets_of(student: Student, proposed: Mapping[str, str]) -> dict[str, str]:
    """What a case keeps sealed: each proposed value and the one that stood there."""
    pupil = load_record(student)
    before = values_of(pupil)
    values = clean_proposal(proposed, pupil.enrolment.grade)
    old = {OLD + key: before.get(key, "") for key in values if key != "id_number"}
    return {NEW + key: text for key, text in values.items()} | old


def _check(student: Student, spell: Enrolment, proposed: dict[str, str], payload: dict[str, Any]) -> None:
    values = clean_proposal(proposed, spell.grade)
    refuse_other_fields(spell.org_path, values)
    refuse_wrong(student, values)
    born = min(student.birth_on, as_proposed(student, values).birth_on)
    happened = _happened_on(born, proposed.get("happened_on", ""))
    last = rule("CHANGE_DEADLINE", at=spell.org_path, on=today()).days_after(happened)
    payload |= {
        "fields": list(values),
        "happened_on": happened.isoformat(),
        "due_on": last.isoformat(),
        "is_late": today() > last,
    }
    if _is_number_taken(student, values):
        raise NumberTaken()
    if count := _namesakes(student, values):
        raise NamesakeFound(count=count)


def _happened_on(born: date, text: str) -> date:
    day = parse_date(text) if text.strip() else today()
    if day is None or not born <= day <= today():
        raise RecordRefused(findings=[o.HAPPENED_WHEN.at("happened_on")], count=1)
    return day


def _is_number_taken(student: Student, values: Mapping[str, str]) -> bool:
    """Whether somebody else holds the new number, or the present passport under the new nationality."""
    held = student.documents.order_by("-id").first()
    if values.get("id_number"):
        kind = values.get("id_type") or (held.type if held else "")
        return across.is_number_taken(as_proposed(student, values), kind, values["id_number"])
    if not values.get("nationality") or held is None or not has_number(held):
        return False
    return across.is_number_taken(as_proposed(student, values), held.type, open_number(held))


def _namesakes(student: Student, values: Mapping[str, str]) -> int:
    """Other pupils with this name, sex and birth date, where no number tells them apart."""
    if not _PERSON & values.keys():
        return 0
    if values.get("id_number") or has_number(student.documents.order_by("-id").first()):
        return 0
    future = as_proposed(student, values)
    return across.same_person_count(future.name, future.sex, future.birth_on, besides=student.pk)


def not_frozen_unless_wrong(facts: Facts) -> str:
    """A problem record has to be answered before graduation (R-PRB-05): that change is taken."""
    return "" if blocking_problems(facts.student) else not_frozen(facts)


def change_key_data(case: Case, actor: Actor) -> None:
    """The effect: fields, name, document, then the national check, which may turn J into G. Safe to repeat:
    the case is done in the same transaction. What has become wrong meanwhile rejects it (R-UPD-06).
    """
    assert case.student is not None
    student, late = case.student, bool(case.payload.get("is_late"))
    values = _values_of(case)
    refuse_wrong(student, values)
    change_fields(student, values, actor=actor, is_late=late)
    if "name" in values:
        rename(student, values["name"], actor=actor, is_late=late)
    if "id_number" in values:
        held = student.documents.order_by("-id").first()
        document = {"id_type": held.type if held else ""} | {
            key: values[key] for key in DOCUMENT_KEYS if key in values
        }
        replace_document(student, document, actor=actor, basis="R-UPD-07", is_late=late)
    bind_change(student, case.number)
    owe(NUMBER_STUDENT, student.pk, NATION)


def _values_of(case: Case) -> dict[str, str]:
    assert case.student is not None
    return clean_proposal(proposed_in(case.open_card()), load_record(case.student).enrolment.grade)


# ── Conditions: an empty text when met, else what is wrong and what to do ────────────────────────────────
def not_somebody_else(facts: Facts) -> str:
    if facts.case is None:
        return ""  # the opening has just asked
    values = _values_of(facts.case)
    if _is_number_taken(facts.student, values):
        return "该证件号码已有学籍，请按问题学籍办理。"
    if _namesakes(facts.student, values):
        return "全国已有同名、同性别、同出生日期的学籍，请按问题学籍核实。"
    return ""


def in_itself(facts: Facts) -> str:
    """Number, sex, birth date, nationality and document tell one story (R-EST-06)."""
    if facts.case is None:
        return ""
    found = check_change(facts.student, _values_of(facts.case))
    doubts = warnings(found)
    if len(found) > len(doubts):
        return str(next(one for one in found if one.level == "error").message)
    return Advice("".join(str(one.message) for one in doubts)) if doubts else ""


def in_time(facts: Facts) -> str:
    if not facts.payload.get("is_late"):
        return ""
    happened, due = (date.fromisoformat(facts.payload[key]) for key in ("happened_on", "due_on"))
    said = f"变更发生于{in_words(happened)}，应在{in_words(due)}前更新，已逾期。"
    return Advice(f"{said}可以办理，将标记为逾期。")


IDENTITY_CHANGE = Kind(
    code="identity_change",
    name="关键数据变更",
    prefix="GJ",
    article="第七条",
    group="信息变更",
    summary="变更姓名、性别、出生日期、身份证件和省级规定的其他关键数据；先做全国查重，原姓名记入曾用名。",
    started_by=Party.TAKE_OVER_SCHOOL,
    statuses=OPEN,
    open=open_change,
    reopen=reopen_change,
    requirements=(
        Requirement("number_free", "全国查重通过", "R-UPD-06", "第九条", not_somebody_else),
        Requirement("consistent", "与证件和其他登记一致", "R-EST-06", "第九条", in_itself),
        Requirement("in_time", "在规定时间内更新", "R-UPD-03", "第七条", in_time),
        replace(NOT_FROZEN, check=not_frozen_unless_wrong),
    ),
    papers=papers_for,
    proposes=compare,
    route=SCHOOL_AND_AUTHORITY,
    effect=change_key_data,
    undo=undo,
    prints=("key_change_form",),
)
