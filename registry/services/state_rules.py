"""What the conditions of a change of state ask of the record: suspensions, repeats, special needs, years
(HANDBOOK A6).

Facts only: which rule they meet is said by the procedure.
"""

from datetime import date

from registry.models import Enrolment, StatusChange, Student
from registry.services.seasons import study_year
from registry.status import IN_SCHOOL, SUSPENDED

REPEAT = "repeat"  # the procedure 留级, as StatusChange.kind names it


# ── Suspension ───────────────────────────────────────────────────────────────────────────────────────────
def running_suspension(student: Student) -> StatusChange | None:
    """The suspension that the pupil is in, with its last day; None where the system has not seen it begin."""
    running = StatusChange.objects.filter(student=student, until__isnull=False, closed_on=None)
    found: StatusChange | None = running.order_by("-id").first()
    return found


def suspended_since(student: Student) -> date | None:
    """The day on which the pupil's suspension began, extensions counted through."""
    began = None
    for change in StatusChange.objects.filter(student=student).order_by("-id"):
        if change.to_status != SUSPENDED:
            break
        began = change.happened_on
    return began


# ── Grades ───────────────────────────────────────────────────────────────────────────────────────────────
def repeated_grade(grade: str, asked_on: date, path: str, on: date) -> str:
    """The grade that a pupil now in `grade` repeats by a request of the day `asked_on`: the one she was in
    then, whether or not the promotion has come between. Empty where that lies in another stage or year.
    """
    promotions = study_year(path, on) - study_year(path, asked_on)
    before = f"{grade[0]}{int(grade[1]) - promotions}"
    return before if promotions in (0, 1) and before[1] != "0" else ""


def times_repeated(student: Student, grade: str) -> int:
    """How often the pupil has repeated this grade."""
    return StatusChange.objects.filter(student=student, kind=REPEAT, to_grade=grade).count()


def repeaters(path: str, grade: str, since: date) -> int:
    """How many pupils of a school have been told since the day to repeat the grade.

    A repeat before the promotion leaves grade and class as they are: the promotion reads it here.
    """
    rows = StatusChange.objects.filter(from_path=path, kind=REPEAT, to_grade=grade, effective_on__gte=since)
    return rows.count()


def pupils_in(path: str, grade: str) -> int:
    """How many pupils of a school are in the grade."""
    return Enrolment.objects.filter(org_path=path, grade=grade, status__in=IN_SCHOOL, is_void=False).count()


# ── The person ───────────────────────────────────────────────────────────────────────────────────────────
def has_special_needs(student: Student) -> bool:
    """Whether the record says that the pupil is disabled or learns in an inclusive class."""
    held = student.open_private() if student.private else {}
    return any(held.get(key, "") not in ("", "0") for key in ("disability", "inclusive_education"))


def age(birth_on: date, on: date) -> int:
    """Full years."""
    return on.year - birth_on.year - ((on.month, on.day) < (birth_on.month, birth_on.day))
