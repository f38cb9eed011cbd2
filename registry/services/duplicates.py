"""Duplicates (R-EST-05): on number; without number on name, sex and birth date; hints on pinyin and on near
numbers.

Runs in a worker under the national scope. A duplicate becomes a problem record with its two sides; a hint
is shown to a person and blocks nothing. Nothing merges by itself (R-PRB-02).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet

from audit.services import Actor, record
from config.clock import today
from config.crypto import keyed_digest
from config.rules import rule
from config.workdays import add_workdays
from registry.identity import canonical
from registry.models import IdentityDocument, ProblemRecord, Student
from registry.record import has_number, open_number
from registry.status import OPEN

WRONG_NUMBER, SAME_NUMBER, SAME_PERSON = "1", "2", "3"  # list problem_record_type
_MOST_CANDIDATES = 50


@dataclass(frozen=True, slots=True)
class Suspicion:
    """One thing that a check found: `other` is the second side where there is one."""

    type: str
    other: Student | None
    is_hint: bool
    detail: str


def find_suspicions(student: Student, document: IdentityDocument | None) -> list[Suspicion]:
    """Everything the national check has against this record. Constant queries; candidates are bounded."""
    found = []
    if document is not None and document.is_disputed:
        found.append(Suspicion(WRONG_NUMBER, None, False, "证件号码存疑，凭佐证材料登记"))
    found += _same_number(student, document)
    found += _same_person(student, document)
    found += _near_numbers(student, document)
    return found


def _living(students: "set[int]") -> dict[int, Student]:
    """Those of the pupils who hold an open status: a void registration is nobody's duplicate."""
    return {
        student.pk: student
        for student in Student.objects.filter(
            pk__in=students, enrolments__status__in=OPEN, enrolments__is_void=False
        )
    }


def _same_number(student: Student, document: IdentityDocument | None) -> list[Suspicion]:
    if document is None or document.blind is None:
        return []
    holders = IdentityDocument.objects.filter(blind=document.blind).exclude(student=student)
    living = _living(set(holders.values_list("student_id", flat=True)[:_MOST_CANDIDATES]))
    return [Suspicion(SAME_NUMBER, other, False, "身份证件号相同") for other in living.values()]


def _same_person(student: Student, document: IdentityDocument | None) -> list[Suspicion]:
    """Same name, sex and birth date: a duplicate when this record has no number, else no more than a hint;
    same pinyin and birth date is a hint.
    """
    same_birth = Student.objects.filter(birth_on=student.birth_on).exclude(pk=student.pk)
    exact = same_birth.filter(name_fold=student.name_fold, sex=student.sex)
    alike = same_birth.filter(name_py=student.name_py).exclude(name_fold=student.name_fold, sex=student.sex)
    exact_ids = set(exact.values_list("pk", flat=True)[:_MOST_CANDIDATES])
    alike_ids = set(alike.values_list("pk", flat=True)[:_MOST_CANDIDATES])
    living = _living(exact_ids | alike_ids)
    is_numbered = has_number(document) and document is not None and not document.is_disputed
    return [
        Suspicion(SAME_PERSON, living[pk], is_numbered, "姓名、性别、出生日期相同")
        for pk in sorted(exact_ids & living.keys())
    ] + [
        Suspicion(SAME_PERSON, living[pk], True, "姓名读音与出生日期相同")
        for pk in sorted(alike_ids & living.keys())
    ]  # fmt: skip


def _near_numbers(student: Student, document: IdentityDocument | None) -> list[Suspicion]:
    """Numbers that differ in exactly one character: they share one of the two interleaved halves."""
    if document is None or document.even_half is None:
        return []
    near = (
        IdentityDocument.objects.filter(Q(even_half=document.even_half) | Q(odd_half=document.odd_half))
        .filter(family=document.family)
        .exclude(student=student)
        .exclude(blind=document.blind)[:_MOST_CANDIDATES]
    )
    own = canonical(document.type, open_number(document), student.nationality)
    close = {
        other.student_id
        for other in near
        if _distance(own, canonical(other.type, open_number(other), student.nationality)) == 1
    }
    return [Suspicion(WRONG_NUMBER, other, True, "身份证件号仅一位不同") for other in _living(close).values()]


def _distance(left: str, right: str) -> int:
    """In how many places two texts of one length differ; a large number for other lengths."""
    return sum(a != b for a, b in zip(left, right, strict=True)) if len(left) == len(right) else len(left) + 1


# ── Many at once ─────────────────────────────────────────────────────────────────────────────────────────
def find_suspects(students: Sequence[Student], documents: Mapping[int, IdentityDocument]) -> set[int]:
    """Those of the pupils against whom `find_suspicions` would say something or a problem is open already.

    `documents` are their present ones. The same four questions as for one pupil, each asked once for all; who
    is not named here needs no look of her own.
    """
    ids = [student.pk for student in students]
    found = {pk for pk, document in documents.items() if document.is_disputed}
    troubled = ProblemRecord.objects.filter(closed_at=None, is_hint=False)
    for side in ("student_id", "other_id"):
        found |= set(troubled.filter(**{f"{side}__in": ids}).values_list(side, flat=True))
    pairs = _sharing_number(documents) | _alike(ids) | _nearly_sharing(students, documents)
    living = _living({other for _pk, other in pairs})
    return found | {pk for pk, other in pairs if other in living}


def _sharing_number(documents: Mapping[int, IdentityDocument]) -> set[tuple[int, int]]:
    owners: dict[UUID, set[int]] = {}
    for pk, document in documents.items():
        if document.blind is not None:
            owners.setdefault(document.blind, set()).add(pk)
    holders = IdentityDocument.objects.filter(blind__in=owners).values_list("blind", "student_id")
    return {(pk, other) for blind, other in holders if blind for pk in owners[blind] if other != pk}


def _alike(ids: list[int]) -> set[tuple[int, int]]:
    """Pupils of one birth date who share name and sex, or the name's pinyin.

    One after the other, each by its index: behind the wall the planner would rather join the whole country.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT mine.id, other.id FROM registry_student mine CROSS JOIN LATERAL ("
            "(SELECT o.id FROM registry_student o WHERE o.birth_on = mine.birth_on"
            " AND o.name_fold = mine.name_fold AND o.sex = mine.sex AND o.id <> mine.id LIMIT %s)"
            " UNION ALL (SELECT o.id FROM registry_student o WHERE o.birth_on = mine.birth_on"
            " AND o.name_py = mine.name_py AND NOT (o.name_fold = mine.name_fold AND o.sex = mine.sex)"
            " AND o.id <> mine.id LIMIT %s)) AS other WHERE mine.id = ANY(%s)",
            [_MOST_CANDIDATES, _MOST_CANDIDATES, ids],
        )
        return set(cursor.fetchall())


def _nearly_sharing(
    students: Sequence[Student], documents: Mapping[int, IdentityDocument]
) -> set[tuple[int, int]]:
    """Pupils whose numbers differ in exactly one character."""
    halved = [document for document in documents.values() if document.even_half is not None]
    nationality = {student.pk: student.nationality for student in students}
    own = {document.student_id: document for document in halved}
    near = IdentityDocument.objects.raw(
        "SELECT other.id, other.student_id, other.type, other.number, mine.student_id AS mine"
        " FROM registry_identitydocument mine CROSS JOIN LATERAL (SELECT * FROM registry_identitydocument d"
        " WHERE (d.even_half = mine.even_half OR d.odd_half = mine.odd_half) AND d.family = mine.family"
        " AND d.student_id <> mine.student_id AND d.blind IS DISTINCT FROM mine.blind LIMIT %s) AS other"
        " WHERE mine.id = ANY(%s)",
        [_MOST_CANDIDATES, [document.pk for document in halved]],
    )
    forms: dict[int, str] = {}
    pairs = set()
    for other in near:
        pk = other.mine  # type: ignore[attr-defined]
        if pk not in forms:
            forms[pk] = canonical(own[pk].type, open_number(own[pk]), nationality[pk])
        if _distance(forms[pk], canonical(other.type, open_number(other), nationality[pk])) == 1:
            pairs.add((pk, other.student_id))
    return pairs


def note_problem(
    student: Student, suspicion: Suspicion, *, actor: Actor, found_by: str, other_path: str = ""
) -> ProblemRecord | None:
    """Open a problem record for the pair unless one is open, or was judged on the same identity data;
    returns the new one.

    `other_path` names the school whose registration was refused, when no second record exists (G-01).
    """
    other = suspicion.other
    side = ProblemRecord.Side.RECORD if other else ProblemRecord.Side.SINGLE
    if other_path:
        side = ProblemRecord.Side.ATTEMPT
    # One order for a pair, so that finding it from either side gives one row.
    first, second = (student, other) if other is None or student.pk < other.pk else (other, student)
    if was_judged(first, second, side, other_path, is_hint=suspicion.is_hint):
        return None
    known = ProblemRecord.objects.filter(type=suspicion.type, student=first, other=second, closed_at=None)
    if not suspicion.is_hint:
        known = known.filter(is_hint=False)  # a problem says more than the hint that is there
    # Whatever its paths: one pupil may just be on the way to another school.
    if not other_path and known.filter(side=side).exists():
        return None
    try:
        with transaction.atomic():
            problem = ProblemRecord.objects.create(
                org_path=first.org_path,
                other_path=other_path or (second.org_path if second else first.org_path),
                type=suspicion.type,
                side=side,
                student=first,
                other=second,
                is_hint=suspicion.is_hint,
                found_by=found_by,
                detail=suspicion.detail,
                due_on=None if suspicion.is_hint else due_on(first.org_path),
            )
    except IntegrityError:
        return None  # already open
    record(
        "registry.problem.found",
        problem,
        actor=actor,
        basis="R-EST-05",
        type=suspicion.type,
        is_hint=suspicion.is_hint,
    )
    return problem


def due_on(path: str) -> date:
    """The day until which the school at `path` has to answer a problem record (PROBLEM_DAYS)."""
    return add_workdays(today(), rule("PROBLEM_DAYS", at=path, on=today()).number)


def identity_digest(sides: Iterable[Student]) -> str:
    """What a judgement rests on, as a digest that nobody without the key can make: number, name, sex and
    birth date of each side.
    """
    parts = []
    for student in sorted(sides, key=lambda one: one.pk):
        document = max(student.documents.all(), key=lambda one: one.pk, default=None)
        number = document.blind or document.mask if document else ""
        parts += [str(student.pk), str(number), student.name_fold, student.sex, f"{student.birth_on:%Y%m%d}"]
    return keyed_digest("judged problem", *parts)


def was_judged(
    first: Student, second: Student | None, side: str, other_path: str = "", *, is_hint: bool
) -> bool:
    """Whether somebody has judged that both are right, and nothing of their identity has changed since
    (R-PRB-03). What schools say of a hint keeps only hints away: a problem needs evidence.
    """
    closed = ProblemRecord.objects.filter(
        student=first, other=second, side=side, closed_at__isnull=False, judged_digest__gt=""
    )
    if not is_hint:
        closed = closed.filter(is_hint=False)
    if other_path:
        closed = closed.filter(other_path=other_path)
    digests = set(closed.values_list("judged_digest", flat=True))
    return bool(digests) and identity_digest([one for one in (first, second) if one]) in digests


def blocking(students: Collection[int]) -> "QuerySet[ProblemRecord]":
    """Open problem records of these pupils that block transfer, graduation, enrolment and the formal number
    (R-PRB-05); never attendance.
    """
    rows = ProblemRecord.objects.filter(
        Q(student_id__in=students) | Q(other_id__in=students), closed_at=None, is_hint=False
    )
    # A refused attempt elsewhere is no fault of the pupil who holds the number.
    return rows.exclude(side=ProblemRecord.Side.ATTEMPT)


def blocking_problems(student: Student) -> "list[ProblemRecord]":
    return list(blocking([student.pk]))
