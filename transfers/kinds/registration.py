"""学籍注册: a new pupil's status. Registrar files, leader reviews, the competent authority decides
(R-EST-04).
"""

from collections.abc import Iterator, Mapping
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
from registry.models import SchoolClass, Student
from registry.record import has_number
from registry.services.numbering import issue_temporary
from registry.services.refusals import NumberTaken, SearchFirst
from registry.services.registration import confirm, correct_pending, create_pending, take_back
from registry.status import PENDING
from transfers import across
from transfers.kind import EvidenceNeed, Facts, Kind, Party, Requirement, Stop, Subject
from transfers.kinds.answers import class_asked
from transfers.kinds.entry import CONDITIONS, note_entry
from transfers.models import Case
from transfers.outbox import NUMBER_STUDENT, owe

# One pupil or a batch: the same two offices look at it.
ROUTE = (
    Stop(Party.TAKE_OVER_SCHOOL, Right.REVIEW, "学校领导审核", "REGISTRATION_STEP_DAYS"),
    Stop(Party.TAKE_OVER_TOWNSHIP, Right.DECIDE, "乡镇审核", "REGISTRATION_STEP_DAYS"),
    Stop(Party.TAKE_OVER_AUTHORITY, Right.DECIDE, "主管部门核准", "REGISTRATION_STEP_DAYS"),
    # 补录 is the county's decision, whoever runs the school (R-EST-13).
    Stop(
        Party.TAKE_OVER_COUNTY, Right.DECIDE, "县级教育行政部门核准补录", "REGISTRATION_STEP_DAYS",
        only_if=lambda payload: bool(payload.get("is_omitted")),
    ),
)  # fmt: skip
REASONS = ("材料不全或不清晰", "信息与材料不一致", "不符合入学条件", "其他")
IDENTITY_PAPERS = ("01", "02", "03", "04", "07", "17")
IDENTITY = EvidenceNeed("身份证件或户口簿复印件", IDENTITY_PAPERS, "R-EST-03")
ATTENDANCE = EvidenceNeed("在校就读证明（学生、监护人签字，学校盖章）", ("20",), "R-PRB-06")
DISPUTE_PAPERS = ("01", "02", "03", "04", "20", "99")


def open_registration(
    school: Organization, *, payload: dict[str, Any], actor: User, values: dict[str, str], class_id: int
) -> Subject:
    """Create the pupil as pending. Raises SearchFirst when a child of this name, sex and birth date has a
    record and the registrar has not said why this is another one (R-EST-08); NumberTaken leaves a duplicate
    finding behind. What `note_entry` raises comes first.
    """
    school_class = class_asked(school.path, class_id)
    note_entry(school_class, values, payload, actor=actor)
    look_first(values, school_class, payload)
    with noting_taken_number(values, actor):
        is_disputed = bool(payload.get("is_disputed"))
        student = create_pending(values, school_class, actor=actor, is_disputed=is_disputed)
    note_number(student, payload)
    return Subject(student)


def note_number(student: Student, payload: dict[str, Any]) -> None:
    """Which papers are due: a child without a document comes with a signed attendance proof (R-PRB-06)."""
    document = student.documents.order_by("-id").first()
    payload["is_numberless"] = document is None or document.type == NO_NUMBER_NEEDED


def papers(payload: Mapping[str, Any]) -> tuple[EvidenceNeed, ...]:
    """One of the two papers; before the form is read, either will do."""
    if "is_numberless" not in payload:
        return (EvidenceNeed(IDENTITY.label, (*IDENTITY.types, *ATTENDANCE.types), IDENTITY.rule),)
    return (ATTENDANCE,) if payload["is_numberless"] else (IDENTITY,)


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
    school_class = class_asked(case.to_path, payload["class_id"])
    case.payload |= payload
    note_entry(school_class, values, case.payload, actor=actor)
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
    note_number(case.student, case.payload)


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
def still_pending(facts: Facts) -> str:
    return "" if facts.spell and facts.spell.status == PENDING else "该生已不是待核准状态，请刷新后核对。"


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
        Requirement("dispute", "存疑号码有佐证", "R-EST-08", "第九条", dispute_has_evidence),
        *CONDITIONS,
    ),
    papers=papers,
    reasons=REASONS,
    route=ROUTE,
    effect=register,
    undo=undo,
)
