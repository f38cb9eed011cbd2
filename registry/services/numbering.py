"""学籍号: L at registration, G or J after the national check (HANDBOOK B1, R-NUM-01 … R-NUM-06)."""

import secrets

from django.db import IntegrityError, transaction

from accounts.models import Organization
from audit.services import Actor, record
from config.faults import fault
from registry.models import IdentityDocument, Student, StudentNumber
from registry.numbers import formal_g, formal_j, temporary
from registry.record import has_number, open_number
from registry.services.duplicates import blocking_problems, find_suspicions, note_problem

_TRIES = 20
_CITIZEN = ("1", "B")


class NumbersExhausted(RuntimeError):
    """No free number for this place and day: 999 pupils of one birth date, or a fault."""


def _assign(student: Student, number: str) -> bool:
    """Make `number` the pupil's current one; False when somebody has or had it. The former number stays on
    file.
    """
    try:
        with transaction.atomic():
            student.numbers.filter(kind=StudentNumber.Kind.NATIONAL, is_current=True).update(is_current=False)
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
    if not student.number or student.number.startswith("G"):
        return student.number
    document = student.documents.order_by("-id").first()
    for suspicion in find_suspicions(student, document):
        note_problem(student, suspicion, actor=actor, found_by="全国查重")
    if blocking_problems(student):
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
    taken = StudentNumber.objects.filter(number__startswith=f"J{division}{student.birth_on:%Y%m%d}").count()
    for sequence in range(taken + 1, min(taken + 1 + _TRIES, 1000)):
        number = formal_j(division, student.birth_on, sequence)
        if _assign(student, number):
            return number
    raise NumbersExhausted(f"J {division}")
