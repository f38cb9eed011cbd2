"""学籍号: L at registration, G or J after the national check (HANDBOOK B1, R-NUM-01 … R-NUM-06).

For one pupil, and with the same result for many at once.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence

from django.db import IntegrityError, connection, transaction

from accounts.models import Organization
from audit.services import Actor, record, record_many
from config.faults import fault
from registry.models import IdentityDocument, Student, StudentNumber
from registry.numbers import formal_g, formal_j, temporary
from registry.record import has_number, open_number
from registry.services.duplicates import blocking_problems, find_suspects, find_suspicions, note_problem

_TRIES = 20
_CITIZEN = ("1", "B")
_NATIONAL = StudentNumber.Kind.NATIONAL


class NumbersExhausted(RuntimeError):
    """No free number for this place and day: 999 pupils of one birth date, or a fault."""


def _assign(student: Student, number: str) -> bool:
    """Make `number` the pupil's current one; False when somebody has or had it. The former number stays on
    file.
    """
    try:
        with transaction.atomic():
            student.numbers.filter(kind=_NATIONAL, is_current=True).update(is_current=False)
            fault("number_retired")
            StudentNumber.objects.create(org_path=student.org_path, student=student, number=number)
    except IntegrityError:
        return False
    student.number = number
    student.save(update_fields=["number"])
    fault("number_given")
    return True


def _division(student: Student) -> str:
    """The six-digit division of the place the school lies in."""
    return Organization.objects.only("division").get(path=student.org_path).division[:6]


def issue_temporary(student: Student, *, actor: Actor) -> str:
    """Give an L number unless the pupil has a number; the same legal effect as G in all business
    (R-NUM-02).
    """
    if student.number:
        return student.number
    division = _division(student)
    for _attempt in range(_TRIES):
        number = temporary(division, student.birth_on, secrets.randbelow(10_000))
        if _assign(student, number):
            record("registry.number.issue", student, actor=actor, basis="R-NUM-02", kind="L")
            return number
    raise NumbersExhausted(f"L {division}")


@transaction.atomic
def check_and_number(student_id: int, *, actor: Actor) -> str:
    """Run the national duplicate and identity check and give the formal number; returns the current number.

    Safe to repeat at any time. L becomes G with a verified citizen number, J otherwise; J becomes G when a
    citizen number is known (R-NUM-03); G is never recomputed, whatever happens to the identity number later
    (R-NUM-04). An open problem record keeps the number as it is (R-PRB-05).
    """
    # No-key: a finding about another pupil refers to this row, and two checks at once must not wait for each
    # other.
    student = Student.objects.select_for_update(no_key=True).get(pk=student_id)
    if not student.number:
        return ""
    document = student.documents.order_by("-id").first()
    for suspicion in find_suspicions(student, document):
        note_problem(student, suspicion, actor=actor, found_by="全国查重")
    if student.number.startswith("G") or blocking_problems(student):
        return student.number
    is_citizen = _is_citizen(document)
    if student.number.startswith("J") and not is_citizen:
        return student.number
    number = _formal(student, document if is_citizen else None)
    if number:
        record("registry.number.issue", student, actor=actor, basis="R-NUM-02", kind=number[0])
    return student.number


def _is_citizen(document: IdentityDocument | None) -> bool:
    return (
        document is not None
        and has_number(document)
        and document.type in _CITIZEN
        and not document.is_disputed
        and document.is_claimed
    )


def _formal(student: Student, document: IdentityDocument | None) -> str:
    if document is not None:
        number = formal_g(open_number(document))
        # A number that once was somebody's is never given again, not even to its rightful owner (R-NUM-01).
        return number if _assign(student, number) else ""
    division = _division(student)
    prefix = _j_prefix(division, student)
    taken = _taken([prefix])[prefix]
    for sequence in range(taken + 1, min(taken + 1 + _TRIES, 1000)):
        number = formal_j(division, student.birth_on, sequence)
        if _assign(student, number):
            return number
    raise NumbersExhausted(f"J {division}")


def _j_prefix(division: str, student: Student) -> str:
    return f"J{division}{student.birth_on:%Y%m%d}"


def _taken(prefixes: Iterable[str]) -> dict[str, int]:
    """How many numbers begin with each of the prefixes. A range: LIKE finds no index behind the wall."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p, (SELECT count(*) FROM registry_studentnumber WHERE kind = %s AND province = ''"
            " AND number >= p AND number < p || '~') FROM unnest(%s::text[]) AS p",
            [_NATIONAL, list(prefixes)],
        )
        return dict(cursor.fetchall())


# ── Many at once ─────────────────────────────────────────────────────────────────────────────────────────
def issue_temporary_all(students: Sequence[Student], *, actor: Actor) -> None:
    """`issue_temporary` for locked pupils: who has a number keeps it; a drawn number that is taken is drawn
    again. Raises NumbersExhausted.
    """
    divisions = _divisions(students)
    waiting = {student.pk: student for student in students if not student.number}
    drawn: set[str] = set()

    def draw(student: Student) -> str:
        while True:
            number = temporary(divisions[student.org_path], student.birth_on, secrets.randbelow(10_000))
            if number not in drawn:
                drawn.add(number)
                return number

    given = _assign_in_rounds(waiting, draw)
    if len(given) < len(waiting):
        raise NumbersExhausted(f"L {sorted(set(divisions.values()))}")
    _record_numbers(waiting, given, actor)


@transaction.atomic
def check_and_number_all(student_ids: Sequence[int], *, actor: Actor) -> list[int]:
    """`check_and_number` for those against whom the national check says nothing, in a constant number of
    statements; returns the others, who have to be looked at one by one. Safe to repeat.
    """
    waiting = Student.objects.filter(pk__in=student_ids).exclude(number="").exclude(number__startswith="G")
    students = list(waiting.select_for_update(no_key=True).order_by("pk"))
    documents = _last_documents(students)
    suspects = find_suspects(students, documents)
    clean = {student.pk: student for student in students if student.pk not in suspects}
    citizens = {pk: documents[pk] for pk in clean if _is_citizen(documents.get(pk))}
    given = _assign_all({pk: formal_g(open_number(document)) for pk, document in citizens.items()})
    fault("batch.formal")
    others = {pk: s for pk, s in clean.items() if pk not in citizens and s.number.startswith("L")}
    given |= _assign_sequences(others)
    _record_numbers(clean, given, actor)
    exhausted = others.keys() - given.keys()  # each fails alone, with a row of its own
    return sorted(suspects | exhausted)


def _last_documents(students: Sequence[Student]) -> dict[int, IdentityDocument]:
    documents = IdentityDocument.objects.filter(student__in=[student.pk for student in students])
    last = documents.order_by("student_id", "-id").distinct("student_id")
    return {document.student_id: document for document in last}


def _divisions(students: Iterable[Student]) -> dict[str, str]:
    offices = Organization.objects.filter(path__in={student.org_path for student in students})
    return {path: division[:6] for path, division in offices.values_list("path", "division")}


def _assign_sequences(students: dict[int, Student]) -> dict[int, str]:
    """J numbers in ascending order of the pupils; who finds no sequence is left out."""
    divisions = _divisions(students.values())
    prefixes = {pk: _j_prefix(divisions[student.org_path], student) for pk, student in students.items()}
    last = _taken(set(prefixes.values()))

    def following(student: Student) -> str:
        prefix = prefixes[student.pk]
        last[prefix] += 1
        sequence = last[prefix]
        return formal_j(prefix[1:7], student.birth_on, sequence) if sequence < 1000 else ""

    return _assign_in_rounds(students, following)


def _assign_in_rounds(students: dict[int, Student], draw: Callable[[Student], str]) -> dict[int, str]:
    """Let `draw` name a number for each pupil, and another one where it was somebody's already."""
    given: dict[int, str] = {}
    for _round in range(_TRIES):
        wanted = {pk: draw(student) for pk, student in students.items() if pk not in given}
        wanted = {pk: number for pk, number in wanted.items() if number}
        if not wanted:
            break
        given |= _assign_all(wanted)
    return given


def _assign_all(wanted: dict[int, str]) -> dict[int, str]:
    """Make these numbers the pupils' current ones; answers those that were free."""
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        # Not yet current, so that a pupil whose number is taken keeps the one she has. A conflict with a row
        # behind the wall is told by the row that does not come back.
        cursor.execute(
            "INSERT INTO registry_studentnumber (org_path, student_id, kind, province, number, is_current)"
            " SELECT s.org_path, s.id, %s, '', w.number, false FROM registry_student s"
            " JOIN unnest(%s::bigint[], %s::text[]) AS w (id, number) ON w.id = s.id ORDER BY w.number"
            " ON CONFLICT (kind, province, number) DO NOTHING RETURNING student_id, number",
            [_NATIONAL, list(wanted), list(wanted.values())],
        )
        given = dict(cursor.fetchall())
        StudentNumber.objects.filter(student_id__in=given, kind=_NATIONAL, is_current=True).update(
            is_current=False
        )
        fault("batch.retired")
        StudentNumber.objects.filter(kind=_NATIONAL, province="", number__in=given.values()).update(
            is_current=True
        )
        cursor.execute(
            "UPDATE registry_student s SET number = g.number"
            " FROM unnest(%s::bigint[], %s::text[]) AS g (id, number) WHERE s.id = g.id",
            [list(given), list(given.values())],
        )
    fault("batch.given")
    return given


def _record_numbers(students: dict[int, Student], given: dict[int, str], actor: Actor) -> None:
    for letter in sorted({number[0] for number in given.values()}):
        subjects = ((pk, students[pk].org_path) for pk, number in given.items() if number[0] == letter)
        record_many(
            "registry.number.issue", "student", subjects, actor=actor, basis="R-NUM-02", kind=letter
        )  # fmt: skip
