"""A record as the form's 73 values, and the same record as rows: the one place that maps between them.

Registration, correction, the record page, the API and bulk loading all go through here, so that a field has
one home.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import repeat
from typing import Any, TypeVar
from uuid import UUID

from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Model
from django.db.models.base import ModelState

from config.crypto import blind_index, half_indexes, next_ids, seal, unseal
from registry.fields import BY_KEY, FIELDS, MEMBER_KEYS
from registry.identity import NO_NUMBER_NEEDED, canonical, family, fold_number, mask_number
from registry.models import Enrolment, FamilyMember, IdentityDocument, SchoolClass, Student
from registry.names import fold_name, pinyin
from registry.status import PENDING

_MADE = ("name_pinyin", "former_name")  # filled by us, not copied from the form
STUDENT_KEYS = tuple(f.key for f in FIELDS if f.place == "student" and f.key not in _MADE)
PRIVATE_KEYS = tuple(f.key for f in FIELDS if f.place == "private")
ENROLMENT_KEYS = tuple(
    f.key
    for f in FIELDS
    if f.place == "enrolment" and f.key not in ("class_number", "grade", "auxiliary_number")
)
_MEMBER_PRIVATE = tuple(key for key in MEMBER_KEYS if key not in ("relation", "is_guardian"))
_BLOCKS = {ordinal: [f"member{ordinal}_{key}" for key in MEMBER_KEYS] for ordinal in (1, 2)}


Row = TypeVar("Row", bound=Model)


@dataclass(slots=True)
class Record:
    """One pupil's rows together, saved or not."""

    student: Student
    document: IdentityDocument | None
    enrolment: Enrolment
    family: list[FamilyMember] = field(default_factory=list)


def fill_student(student: Student, values: dict[str, str]) -> None:
    """Put the cleaned `values` onto `student`; name keys and sealed values follow."""
    for key in STUDENT_KEYS:
        if key in values:
            setattr(student, key, date.fromisoformat(values[key]) if key == "birth_on" else values[key])
    if "name" in values:
        reading = pinyin(student.name)
        student.name_fold = fold_name(student.name)
        student.name_py, student.name_ini = reading.name_py, reading.name_ini
        student.name_pinyin = values.get("name_pinyin") or reading.name_pinyin
    elif values.get("name_pinyin"):
        student.name_pinyin = values[
            "name_pinyin"
        ]  # how documents print it: the family knows better than a table
    known = student.open_private() if student.private else {}
    student.set_private(known | {key: values[key] for key in PRIVATE_KEYS if key in values})


def fill_document(document: IdentityDocument, values: dict[str, str], *, is_disputed: bool = False) -> None:
    """Put type and number onto `document`, sealed and indexed; a disputed one claims nothing (R-EST-08)."""
    kind, number = values["id_type"], fold_number(values.get("id_number", ""))
    document.type, document.family = kind, family(kind)
    document.number = seal(number.encode(), "registry_identitydocument", document.pk, "number")
    document.mask = mask_number(number) if number else ""
    document.valid_text = values.get("id_validity", "")
    document.is_disputed, document.is_claimed = is_disputed, not is_disputed
    document.blind = document.even_half = document.odd_half = None
    form = canonical(kind, number, values.get("nationality", "")) if number else ""
    if form:
        document.blind = blind_index(document.family, form)
        document.even_half, document.odd_half = half_indexes(document.family, form)


def same_person_index(name_fold: str, sex: str, birth_on: date) -> UUID:
    """Equality of folded name, sex and birth date without the values (R-EST-05)."""
    return blind_index("same person", f"{name_fold}\x1f{sex}\x1f{birth_on:%Y%m%d}")


def open_number(document: IdentityDocument) -> str:
    """The number in clear. Raises DoesNotOpen when it is not this row's."""
    return unseal(document.number, "registry_identitydocument", document.pk, "number").decode()


def has_number(document: IdentityDocument | None) -> bool:
    return document is not None and document.type != NO_NUMBER_NEEDED and bool(document.mask)


def fill_member(member: FamilyMember, values: dict[str, str]) -> None:
    """Put one block of the form (keys without `member1_`) onto `member`."""
    member.relation, member.is_guardian = values.get("relation", ""), values.get("is_guardian") == "1"
    member.set_private({key: values[key] for key in _MEMBER_PRIVATE if key in values})


def member_values(values: dict[str, str], ordinal: int) -> dict[str, str]:
    """The block of family member 1 or 2, keys without prefix; empty when nothing is filled in."""
    block = dict(zip(MEMBER_KEYS, map(values.get, _BLOCKS[ordinal], repeat("")), strict=True))
    return block if any(block.values()) else {}


def fill_enrolment(enrolment: Enrolment, values: dict[str, str], student: Student) -> None:
    for key in ENROLMENT_KEYS:
        if key in values:
            setattr(enrolment, key, values[key])
    copy_name(enrolment, student)


def copy_name(enrolment: Enrolment, student: Student) -> None:
    """Lists and searches read one index: the spell carries the name."""
    enrolment.name, enrolment.name_py, enrolment.name_ini = student.name, student.name_py, student.name_ini
    enrolment.sex = student.sex


def place_in_class(enrolment: Enrolment, school_class: SchoolClass) -> None:
    _relate(enrolment, "school_class", school_class)
    enrolment.grade, enrolment.class_number = school_class.grade, school_class.number


def new_row(model: type[Row], **columns: Any) -> Row:
    """An unsaved row, as `model(**columns)` with columns named as in the table (`student_id`), at a fifth of
    the price: it is put together as unpickling does it, without signals and questions.

    For models whose defaults are constants or the database's.
    """
    row = model.__new__(model)
    row.__dict__.update(_defaults(model), _state=ModelState(), **columns)
    return row


@cache
def _defaults(model: type[Model]) -> dict[str, Any]:
    return {column.attname: column.get_default() for column in model._meta.concrete_fields}


def _relate(row: Model, name: str, other: Model) -> None:
    """`row.name = other` without the questions that Django asks first; both are of one database."""
    relation: Any = row._meta.get_field(name)
    setattr(row, relation.attname, other.pk)
    relation.set_cached_value(row, other)


def new_record(
    values: dict[str, str],
    school_class: SchoolClass,
    *,
    starts_on: date,
    is_disputed: bool = False,
    status: str = PENDING,
    ids: tuple[int, int, tuple[int, int]] | None = None,
) -> Record:
    """The unsaved rows of a new pupil in `school_class`; `values` are cleaned. `ids` are fresh row ids for
    bulk work.

    Ids are taken before the rows are written, because sealed values are bound to them (KE-2).
    """
    path = school_class.org_path
    student_id, document_id, member_ids = ids or (
        next_ids("registry_student")[0],
        next_ids("registry_identitydocument")[0],
        (next_ids("registry_familymember", 2)[0], next_ids("registry_familymember", 1)[0]),
    )
    student = new_row(Student, id=student_id, org_path=path)
    fill_student(student, values)
    document = new_row(IdentityDocument, id=document_id, org_path=path)
    _relate(document, "student", student)
    fill_document(document, values, is_disputed=is_disputed)
    enrolment = new_row(
        Enrolment,
        org_path=path,
        school_id=school_class.school_id,
        status=status,
        valid=DateRange(starts_on, None),
    )
    _relate(enrolment, "student", student)
    fill_enrolment(enrolment, values, student)
    place_in_class(enrolment, school_class)
    family_rows = []
    for ordinal, row_id in enumerate(member_ids, start=1):
        block = member_values(values, ordinal)
        if block:
            member = new_row(FamilyMember, id=row_id, org_path=path, ordinal=ordinal)
            _relate(member, "student", student)
            fill_member(member, block)
            family_rows.append(member)
    return Record(student, document, enrolment, family_rows)


def values_of(record: Record, *, with_secrets: bool = True) -> dict[str, str]:
    """The form's values of a record. Without secrets, D4 values are left out and numbers stay masked."""
    student, enrolment = record.student, record.enrolment
    values: dict[str, str] = {}
    for key in (*STUDENT_KEYS, *_MADE):
        stored: Any = getattr(student, key)
        values[key] = stored.isoformat() if isinstance(stored, date) else stored
    for key in ENROLMENT_KEYS:
        values[key] = getattr(enrolment, key)
    values |= {
        "grade": enrolment.grade,
        "class_number": enrolment.class_number,
        "status_number": student.number,
    }
    if record.document is not None:
        values |= {"id_type": record.document.type, "id_validity": record.document.valid_text}
        values["id_number"] = open_number(record.document) if with_secrets else record.document.mask
    if with_secrets:
        values |= student.open_private()
    for member in record.family:
        block = {"relation": member.relation, "is_guardian": "1" if member.is_guardian else "0"}
        if with_secrets:
            block |= member.open_private()
        values |= {f"member{member.ordinal}_{key}": text for key, text in block.items()}
    return values


def latest_spell(student: Student, at: str = "") -> Enrolment | None:
    """The pupil's latest spell that counts, with school and class; with `at`, among those at that school."""
    spells = student.enrolments.filter(is_void=False).select_related("school__school", "school_class")
    found: Enrolment | None = (spells.filter(org_path=at) if at else spells).order_by("-valid").first()
    return found


def load_record(student: Student) -> Record:
    """The rows of one pupil: the present spell (else the last), document and family, in four queries."""
    enrolment = (
        student.enrolments.select_related("school", "school_class").order_by("is_void", "-valid").first()
    )
    document = student.documents.order_by("-id").first()
    assert enrolment is not None, "a pupil without a spell"
    return Record(student, document, enrolment, list(student.family.order_by("ordinal")))


def load_records(student_ids: Sequence[int]) -> dict[int, Record]:
    """The rows of many pupils as `load_record` gives those of one, in four queries."""
    students = {student.pk: student for student in Student.objects.filter(pk__in=student_ids)}
    spells = (
        Enrolment.objects.filter(student_id__in=students)
        .select_related("school", "school_class")
        .order_by("student_id", "is_void", "-valid")
        .distinct("student_id")
    )
    records = {spell.student_id: Record(students[spell.student_id], None, spell) for spell in spells}
    for document in IdentityDocument.objects.filter(student_id__in=records).order_by("id"):
        records[document.student_id].document = document
    for member in FamilyMember.objects.filter(student_id__in=records).order_by("student_id", "ordinal"):
        records[member.student_id].family.append(member)
    return records


def changed_keys(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Keys whose value differs, in form order."""
    return [key for key in BY_KEY if key in after and (after[key] or "") != (before.get(key) or "")]


def school_year_start(day: date) -> date:
    """1 September of the school year that `day` lies in; new pupils register from July on."""
    year = day.year if day.month >= 7 else day.year - 1
    return date(year, 9, 1)
