"""学籍注册: a new pupil's status. Registrar files, leader reviews, the competent authority decides
(R-EST-04).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from accounts.models import Organization, User
from accounts.roles import Right
from audit.services import Actor
from config.clock import today
from config.scope import NATION
from registry.form_values import clean_record, parse_date
from registry.identity import NO_NUMBER_NEEDED
from registry.models import Enrolment, SchoolClass, Student
from registry.record import has_number
from registry.services.numbering import issue_temporary
from registry.services.refusals import ClassUnknown, NumberTaken, SearchFirst
from registry.services.registration import class_cap, confirm, correct_pending, create_pending, take_back
from registry.status import PENDING
from transfers import across
from transfers.kind import EvidenceNeed, Facts, Kind, Party, Requirement, Stop
from transfers.models import Case
from transfers.outbox import NUMBER_STUDENT, owe

IDENTITY_PAPERS = ("01", "02", "03", "04", "07", "17")
DISPUTE_PAPERS = ("01", "02", "03", "04", "20", "99")


def class_of(school_path: str, class_id: int) -> SchoolClass:
    """The open class of this school. Raises ClassUnknown: a class of another school looks like none."""
    found = (
        SchoolClass.objects.select_related("school__organization")
        .filter(org_path=school_path, pk=class_id, is_open=True)
        .first()
    )
    if found is None:
        raise ClassUnknown()
    return found


def open_registration(
    school: Organization, *, payload: dict[str, Any], actor: User, values: dict[str, str], class_id: int
) -> Student:
    """Create the pupil as pending. Raises SearchFirst when a child of this name, sex and birth date has a
    record and the registrar has not said why this is another one (R-EST-08); NumberTaken leaves a duplicate
    finding behind.
    """
    school_class = class_of(school.path, class_id)
    look_first(values, school_class, payload)
    with noting_taken_number(values, actor):
        return create_pending(values, school_class, actor=actor, is_disputed=bool(payload.get("is_disputed")))


@contextmanager
def noting_taken_number(values: dict[str, str], actor: User) -> Iterator[None]:
    """Let a NumberTaken leave its duplicate finding behind, in the transaction that records the refusal."""
    try:
        yield
    except NumberTaken as refusal:
        refusal.afterwards = partial(
            across.note_taken_number,
            actor,
            id_type=values["id_type"],
            id_number=values["id_number"],
            nationality=values.get("nationality", ""),
            route="transfers:register",
        )
        raise


def look_first(
    values: dict[str, str], school_class: SchoolClass, payload: dict[str, Any], besides: int | None = None
) -> None:
    """Raise SearchFirst when another child of this name, sex and birth date has a record and nobody has
    said why this is another one (R-EST-08). `besides` is the pupil whose registration is being corrected.
    """
    if payload.get("distinct_reason"):
        return
    cleaned = clean_record(values, school_class.grade)
    birth = parse_date(cleaned.get("birth_on", ""))
    if birth is None or not cleaned.get("name"):
        return  # the form's own checks refuse it
    if cleaned.get("id_number") and not payload.get("is_disputed"):
        return  # the number decides; a namesake of the same day is the worker's hint
    count = across.same_person_count(cleaned["name"], cleaned.get("sex", ""), birth, besides=besides)
    if count:
        raise SearchFirst(count=count)


def reopen_registration(case: Case, payload: dict[str, Any], actor: User) -> None:
    """The returned registration with its corrected values."""
    assert case.student is not None
    values, version = payload.pop("values"), payload.pop("version")
    school_class = class_of(case.to_path, payload["class_id"])
    case.payload |= payload
    look_first(values, school_class, case.payload, besides=case.student.pk)
    with noting_taken_number(values, actor):
        correct_pending(
            case.student,
            values,
            school_class,
            version=version,
            actor=actor,
            is_disputed=bool(payload.get("is_disputed")),
        )


def register(case: Case, actor: Actor) -> None:
    """The effect: a normal status, an L number, and the national check promised. Safe to repeat."""
    assert case.student is not None
    student = Student.objects.select_for_update(no_key=True).get(pk=case.student.pk)
    confirm(student, actor=actor, on=today())
    issue_temporary(student, actor=actor)
    owe(NUMBER_STUDENT, student.pk, NATION)


def undo(case: Case, actor: Actor, reason: str) -> None:
    assert case.student is not None
    take_back(case.student, actor=actor, reason=reason)


# ── Conditions: an empty text when met, else what is wrong and what to do ──────────────────────────────
def _spell(facts: Facts) -> Enrolment | None:
    return (
        facts.student.enrolments.filter(is_void=False)
        .select_related("school_class")
        .order_by("-valid")
        .first()
    )


def still_pending(facts: Facts) -> str:
    spell = _spell(facts)
    return "" if spell and spell.status == PENDING else "该生已不是待核准状态，请刷新后核对。"


def seat_free(facts: Facts) -> str:
    spell = _spell(facts)
    if spell is None or spell.school_class is None or not spell.school_class.is_open:
        return "班级已停用，请退回学校重新选择班级。"
    cap, why = class_cap(spell.school_class, today())
    taken = (
        Enrolment.objects.filter(org_path=spell.org_path, school_class=spell.school_class).in_school().count()
    )
    return "" if taken <= cap else f"{spell.school_class.name}已有 {taken} 人，上限 {cap} 人。{why}"


def dispute_has_evidence(facts: Facts) -> str:
    document = facts.student.documents.order_by("-id").first()
    if document is None or not document.is_disputed:
        return ""
    return (
        "" if facts.evidence_types & set(DISPUTE_PAPERS) else "证件号码存疑，须上传户籍证明或在校就读证明。"
    )


def has_usable_document(facts: Facts) -> str:
    document = facts.student.documents.order_by("-id").first()
    fine = document is not None and (document.type == NO_NUMBER_NEEDED or has_number(document))
    return "" if fine else "没有登记有效身份证件。"


REGISTRATION = Kind(
    code="registration",
    name="学籍注册",
    prefix="ZC",
    article="第六条",
    started_by=Party.TAKE_OVER_SCHOOL,
    open=open_registration,
    reopen=reopen_registration,
    requirements=(
        Requirement("pending", "学籍待核准", "R-EST-04", "第六条", still_pending),
        Requirement("document", "凭有效身份证件登记", "R-EST-03", "第六条", has_usable_document),
        Requirement("seat", "班额未超", "C5", "国家班额标准", seat_free),
        Requirement("dispute", "存疑号码有佐证", "R-EST-08", "第九条", dispute_has_evidence),
    ),
    evidence=(EvidenceNeed("身份证件或户口簿复印件", IDENTITY_PAPERS, "R-EST-03"),),
    route=(
        Stop(Party.TAKE_OVER_SCHOOL, Right.REVIEW, "学校领导审核", "REGISTRATION_STEP_DAYS"),
        Stop(Party.TAKE_OVER_TOWNSHIP, Right.DECIDE, "乡镇审核", "REGISTRATION_STEP_DAYS"),
        Stop(Party.TAKE_OVER_AUTHORITY, Right.DECIDE, "主管部门核准", "REGISTRATION_STEP_DAYS"),
    ),
    effect=register,
    undo=undo,
)
