"""关键数据变更 of a pupil's identity: another name, another document, or both (R-NUM-03, R-UPD-06 to
R-UPD-08).

The duplicate and identity check runs before anybody decides and again at each step; a pupil with J then
gets G, a G never changes (R-NUM-04). A former name stays as 曾用名. What is proposed lies sealed in the
case's card; the day on which the change happened is kept, and one reported too late is marked (R-UPD-03).
"""

from datetime import date
from typing import Any

from accounts.models import Organization, User
from accounts.roles import Right
from audit.services import Actor
from config.clock import today
from config.errors import NotFound
from config.rules import rule
from config.scope import NATION
from registry import objections_change as o
from registry.findings import Finding, errors, in_words
from registry.form_values import clean_record, parse_date
from registry.models import Student
from registry.names import check_name, clean_name, fold_name
from registry.record import has_number
from registry.services.documents import check_document, replace_document
from registry.services.refusals import NumberTaken, RecordFrozen, RecordRefused
from registry.services.renaming import rename
from registry.status import OPEN, STATUSES
from transfers import across
from transfers.kind import Advice, EvidenceNeed, Facts, Kind, Party, Requirement, Stop, Subject
from transfers.kinds.registration import IDENTITY_PAPERS
from transfers.models import Case
from transfers.outbox import NUMBER_STUDENT, owe
from transfers.refusals import NamesakeFound


def open_change(
    school: Organization, *, payload: dict[str, Any], actor: User, student: Student, proposed: dict[str, str]
) -> Subject:
    """Check what is proposed (`name`, or `id_type` and `id_number`, and `happened_on`); nothing of the pupil
    changes yet. Raises RecordRefused, NumberTaken, NamesakeFound, RecordFrozen.
    """
    spell = student.enrolments.filter(is_void=False, org_path=school.path).order_by("-valid").first()
    if spell is None:
        raise NotFound()
    if spell.status not in OPEN:
        raise RecordFrozen(status=STATUSES[spell.status].name)
    found = _check_words(student, proposed)
    if errors(found):
        raise RecordRefused(findings=found, count=len(errors(found)))
    happened = parse_date(proposed.get("happened_on", "")) or today()
    last = rule("CHANGE_DEADLINE", at=school.path, on=today()).days_after(happened)
    payload |= {"happened_on": happened.isoformat(), "due_on": last.isoformat(), "is_late": today() > last}
    if proposed.get("id_number"):
        check_document(student, clean_record(_document(proposed), spell.grade), today())
        if across.is_number_taken(student, proposed["id_type"], proposed["id_number"]):
            raise NumberTaken()
    if proposed.get("name") and (count := _namesakes(student, proposed["name"], proposed)):
        raise NamesakeFound(count=count)
    return Subject(student)


def _document(proposed: dict[str, str]) -> dict[str, str]:
    return {key: proposed[key] for key in ("id_type", "id_number")}


def _check_words(student: Student, proposed: dict[str, str]) -> list[Finding]:
    """What is wrong with the proposal in itself."""
    name, happened = proposed.get("name", ""), proposed.get("happened_on", "")
    if not name and not proposed.get("id_number"):
        return [o.NOTHING_PROPOSED.at("id_number")]
    found = check_name(name) if name else []
    if name and fold_name(clean_name(name)) == student.name_fold:
        found.append(o.SAME_NAME.at("name"))
    day = parse_date(happened)
    if happened and (day is None or not student.birth_on <= day <= today()):
        found.append(o.HAPPENED_WHEN.at("happened_on"))
    return found


def _namesakes(student: Student, name: str, proposed: dict[str, str]) -> int:
    """Other pupils with the new name, this sex and birth date, where no number tells them apart."""
    if proposed.get("id_number") or has_number(student.documents.order_by("-id").first()):
        return 0
    return across.same_person_count(clean_name(name), student.sex, student.birth_on, besides=student.pk)


def change_identity(case: Case, actor: Actor) -> None:
    """The effect: the new name and document, then the national check, which may turn J into G. Safe to
    repeat: the case is done in the same transaction.
    """
    assert case.student is not None
    card, late = case.open_card(), bool(case.payload.get("is_late"))
    if card.get("proposed_name"):
        rename(case.student, clean_name(card["proposed_name"]), actor=actor, is_late=late)
    if card.get("proposed_id_number"):
        values = {"id_type": card["proposed_id_type"], "id_number": card["proposed_id_number"]}
        replace_document(case.student, values, actor=actor, basis="R-UPD-07", is_late=late)
    owe(NUMBER_STUDENT, case.student.pk, NATION)


def undo(case: Case, actor: Actor, reason: str) -> None:
    """Nothing to take back: the pupil's rows were not touched."""


def not_somebody_else(facts: Facts) -> str:
    if facts.case is None:
        return ""  # the opening has just asked
    card = facts.case.open_card()
    number = card.get("proposed_id_number", "")
    if number and across.is_number_taken(facts.student, card["proposed_id_type"], number):
        return "该证件号码已有学籍，请按问题学籍办理。"
    name = card.get("proposed_name", "")
    if name and _namesakes(facts.student, name, {"id_number": number}):
        return "全国已有同名、同性别、同出生日期的学籍，请按问题学籍核实。"
    return ""


def in_time(facts: Facts) -> str:
    if not facts.payload.get("is_late"):
        return ""
    happened, due = (date.fromisoformat(facts.payload[key]) for key in ("happened_on", "due_on"))
    said = f"变更发生于{in_words(happened)}，应在{in_words(due)}前更新，已逾期。"
    return Advice(f"{said}可以办理，将标记为逾期。")


IDENTITY_CHANGE = Kind(
    code="identity_change",
    name="关键数据变更（姓名、身份证件）",
    prefix="GJ",
    article="第七条",
    started_by=Party.TAKE_OVER_SCHOOL,
    open=open_change,
    requirements=(
        Requirement("number_free", "全国查重通过", "R-UPD-06", "第九条", not_somebody_else),
        Requirement("in_time", "在规定时间内更新", "R-UPD-03", "第七条", in_time),
    ),
    evidence=(EvidenceNeed("户口簿、身份证或公安证明", IDENTITY_PAPERS, "R-UPD-07"),),
    route=(
        Stop(Party.TAKE_OVER_SCHOOL, Right.REVIEW, "学校领导审核", "REGISTRATION_STEP_DAYS"),
        Stop(Party.TAKE_OVER_AUTHORITY, Right.DECIDE, "主管部门核办", "REGISTRATION_STEP_DAYS"),
    ),
    effect=change_identity,
    undo=undo,
)
