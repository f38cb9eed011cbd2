"""学籍变动 as it takes effect: state, grade, class and school of a spell (HANDBOOK A6, R-TRF-17, R-CHG).

Every function is one act: it locks the pupil, changes the rows, keeps a StatusChange and records. The case
that allowed it decides who may; completion runs them under a scope that covers both schools.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import F, Model
from django.db.models.functions import Now

from audit.services import Actor, record
from config.clock import today
from config.faults import fault
from registry.models import (
    AidRecognition,
    Attendance,
    AttendanceReport,
    DropoutEntry,
    Enrolment,
    EnrolmentSnapshot,
    FamilyMember,
    IdentityDocument,
    PersuasionVisit,
    Protection,
    RecordEntry,
    SchoolClass,
    StatusChange,
    Student,
    StudentNumber,
    SuspectedDropout,
    WatchEntry,
)
from registry.record import latest_spell, load_record, place_in_class, values_of
from registry.services.intake_rules import ENTRY_GRADES, lock_places
from registry.services.problems import close_attempts
from registry.services.refusals import ChangeNotPossible
from registry.status import GRADUATED, IN_SCHOOL, MOVED, NORMAL, OPEN, STATUSES, VOIDED

# What belongs to the person and so follows her to another school; a test knows every table about a pupil.
FOLLOWING: tuple[type[Model], ...] = (
    Student, IdentityDocument, StudentNumber, FamilyMember, Enrolment, AidRecognition, DropoutEntry,
    Protection, RecordEntry, SuspectedDropout, PersuasionVisit, WatchEntry,
)  # fmt: skip


# One statement for all: the pupil's row is locked, and a transfer waits for each statement that it sends.
_OTHERS = ", ".join(
    f"t{place} AS (UPDATE {model._meta.db_table} SET org_path = %(path)s WHERE student_id = %(student)s)"  # noqa: S608
    for place, model in enumerate(FOLLOWING[1:])
)
_FOLLOW = (
    f"WITH {_OTHERS} UPDATE registry_student SET org_path = %(path)s, version = version + 1"  # noqa: S608
    " WHERE id = %(student)s"
)


@dataclass(frozen=True, slots=True)
class Change:
    """What a case says about the change that it brings: procedure, codes, days."""

    kind: str
    name: str  # of the procedure, for the log
    case_no: str
    category: str  # list status_change_category
    happened_on: date
    effective_on: date
    reason: str = ""
    until: date | None = None
    is_late: bool = False
    basis: str = ""


def present_spell(student: Student) -> Enrolment:
    """The pupil's open spell, locked. Raises ChangeNotPossible when her status has ended meanwhile."""
    spell = (
        student.enrolments.select_for_update(no_key=True, of=("self",))
        .select_related("school_class", "school__school")
        .filter(is_void=False, status__in=OPEN)
        .first()
    )
    if spell is None:
        raise ChangeNotPossible(status="已终止")
    found: Enrolment = spell
    return found


@transaction.atomic
def change_status(
    student: Student,
    status: str,
    change: Change,
    *,
    actor: Actor,
    school_class: SchoolClass | None = None,
    allowed: Iterable[str] = OPEN,
) -> StatusChange:
    """Put the pupil into another legal status at her school; a status that is not open ends the spell.

    With `school_class` she also gets a place there, which must be free when she was not in school before
    (复学). Safe to repeat for the same case. Raises ChangeNotPossible unless the present status is `allowed`,
    ClassFull, ClassUnknown.
    """
    if done := _done(student, change):
        return done
    spell, before = _begin(student, change, allowed)
    if school_class is not None:
        _place(spell, school_class)
    spell.status = status
    if not STATUSES[status].is_open:
        spell.valid = DateRange(spell.valid.lower, boundary(spell, change.effective_on))
    spell.save()
    fault("change.spell")
    close_running(student, change.effective_on)
    kept = _finish(before, spell)
    record(
        "registry.student.change", student, actor=actor, basis=change.basis, fields=["status"],
        kind=change.name, number=change.case_no, status=STATUSES[status].name, is_late=change.is_late,
    )  # fmt: skip
    return kept


@transaction.atomic
def change_class(
    student: Student, school_class: SchoolClass, change: Change, *, actor: Actor
) -> StatusChange:
    """Move the pupil to another class of her school, of whatever grade (调班, 留级, 跳级, 降级就读).

    Raises ChangeNotPossible unless she is in school, ClassFull, ClassUnknown.
    """
    if done := _done(student, change):
        return done
    spell, before = _begin(student, change, IN_SCHOOL)
    _place(spell, school_class)
    spell.save()
    kept = _finish(before, spell)
    record(
        "registry.student.reclass", student, actor=actor, basis=change.basis,
        fields=["grade", "class_number"], kind=change.name, number=change.case_no,
        school_class=school_class.name,
    )  # fmt: skip
    return kept


@transaction.atomic
def move_pupil(
    student: Student, school_class: SchoolClass, change: Change, *, actor: Actor, status: str | None = None
) -> StatusChange:
    """Move the status to a class of another school: the old spell ends and the new one begins on one day
    boundary, all rows of the person follow, the former school keeps its snapshot (R-TRF-17, G-15).

    Numbers stay as they are. Safe to repeat for the same case. Raises ChangeNotPossible, ClassFull,
    ClassUnknown, QuotaExceeded.
    """
    if done := _done(student, change):
        return done
    spell, before = _begin(student, change)
    lock_places(
        school_class.school, {school_class.pk: 1}, change.effective_on, is_intake=False, besides=student.pk
    )
    fault("move.locked")
    take_snapshot(student, spell, change, to_name=school_class.school.organization.name)
    fault("move.snapshot")
    day = boundary(spell, change.effective_on)
    Enrolment.objects.filter(pk=spell.pk).update(valid=DateRange(spell.valid.lower, day), status=MOVED)
    fault("move.closed")
    follow(student, school_class.org_path)
    fault("move.followed")
    opened = _open_spell(spell, school_class, day, status or before.from_status)
    fault("move.opened")
    kept = _keep(before, opened)
    close_attempts(student, school_class.org_path, case_no=change.case_no, actor=actor)
    student.refresh_from_db()
    record(
        "registry.student.move", student, actor=actor, basis=change.basis or "R-TRF-17", fields=["school"],
        kind=change.name, number=change.case_no, school=school_class.school.organization.name,
    )  # fmt: skip
    return kept


@transaction.atomic
def enrol_graduate(
    student: Student, school_class: SchoolClass, change: Change, *, admission_mode: str, actor: Actor
) -> StatusChange:
    """Continue the record of a graduate at the school of her next stage: a new spell of the same person under
    the same number, never a new record (招生入学, A7.3, R-GRD-05, R-NUM-01). The school that graduated her
    keeps its snapshot.

    Safe to repeat for the same case. Raises ChangeNotPossible unless her last spell ended in graduation,
    PlanExceeded, QuotaExceeded, ClassFull, ClassUnknown.
    """
    if done := _done(student, change):
        return done
    Student.objects.select_for_update(no_key=True).only("pk").get(pk=student.pk)
    spell = latest_spell(student)
    if spell is None or spell.status != GRADUATED:
        raise ChangeNotPossible(status=STATUSES[spell.status].name if spell else "无")
    before = _note(spell, change)
    is_intake = school_class.grade in ENTRY_GRADES
    lock_places(
        school_class.school, {school_class.pk: 1}, change.effective_on, is_intake=is_intake,
        besides=student.pk,
    )  # fmt: skip
    take_snapshot(student, spell, change, to_name=school_class.school.organization.name)
    follow(student, school_class.org_path)
    day = max(change.effective_on, spell.valid.upper)
    opened = _open_spell(
        spell, school_class, day, NORMAL, entry_month=f"{change.effective_on:%Y-%m}",
        admission_mode=admission_mode,
    )  # fmt: skip
    fault("enrol.opened")
    kept = _keep(before, opened)
    student.refresh_from_db()
    record(
        "registry.student.enrol", student, actor=actor, basis=change.basis or "R-GRD-05", fields=["school"],
        kind=change.name, number=change.case_no, school=school_class.school.organization.name,
    )  # fmt: skip
    return kept


@transaction.atomic
def restore_spell(spell: Enrolment, change: Change, *, actor: Actor) -> StatusChange:
    """Take the end of `spell` back: normal again at the same school, its class open again (毕业生回退,
    R-GRD-06). No later spell may exist; the constraint on overlaps decides.

    Safe to repeat for the same case.
    """
    student = spell.student
    if done := _done(student, change):
        return done
    Student.objects.select_for_update(no_key=True).only("pk").get(pk=student.pk)
    before = _note(spell, change)
    spell.status, spell.valid = NORMAL, DateRange(spell.valid.lower, None)
    spell.save()
    if spell.school_class_id is not None:
        SchoolClass.objects.filter(pk=spell.school_class_id, is_open=False).update(is_open=True)
    kept = _finish(before, spell)
    record(
        "registry.student.restore", student, actor=actor, basis=change.basis, fields=["status"],
        kind=change.name, number=change.case_no,
    )  # fmt: skip
    return kept


@transaction.atomic
def void_status(student: Student, change: Change, *, actor: Actor) -> StatusChange:
    """撤销: the spell counts as never having been; the rows stay with their trace, documents claim nothing.

    Raises ChangeNotPossible.
    """
    if done := _done(student, change):
        return done
    spell, before = _begin(student, change)
    spell.status, spell.is_void = VOIDED, True
    spell.save()
    student.documents.update(is_claimed=False)
    kept = _finish(before, spell)
    record(
        "registry.student.void", student, actor=actor, basis=change.basis, fields=["status"],
        kind=change.name, number=change.case_no,
    )  # fmt: skip
    return kept


def _open_spell(
    former: Enrolment, school_class: SchoolClass, day: date, status: str, **columns: str
) -> Enrolment:
    """The spell that follows `former` at the school of the class, from `day`; the record is there already."""
    opened: Enrolment = Enrolment.objects.get(pk=former.pk)
    opened.pk, opened.valid, opened.status = None, DateRange(day, None), status
    opened.school_id, opened.number_in_class = school_class.school_id, ""
    opened.org_path = school_class.org_path
    for name, value in columns.items():
        setattr(opened, name, value)
    place_in_class(opened, school_class)
    opened.created_at, opened._state.adding = Now(), True
    opened.save(force_insert=True)
    return opened


def boundary(spell: Enrolment, day: date) -> date:
    """The day on which a spell ends and the next begins: never before the spell's own second day."""
    return max(day, spell.valid.lower + timedelta(days=1))


def follow(student: Student, path: str) -> None:
    """Everything about the person goes under `path`; what the former school keeps is its snapshot."""
    former = student.org_path
    with connection.cursor() as cursor:
        cursor.execute(_FOLLOW, {"student": student.pk, "path": path})
    reports = AttendanceReport.objects.filter(attendance__student=student, home_path=former)
    reports.update(home_path=path)
    Attendance.objects.filter(student=student, home_path=former).update(home_path=path)
    # The former school keeps its own side of what happened there; the present one sees it from the other.
    StatusChange.objects.filter(student=student, to_path=former).update(to_path=path)
    student.org_path = path


def take_snapshot(student: Student, spell: Enrolment, change: Change, *, to_name: str) -> EnrolmentSnapshot:
    """Keep the record as the former school leaves it: sealed, never changed (R-TRF-17)."""
    held = load_record(student)
    snapshot = EnrolmentSnapshot(
        org_path=spell.org_path,
        student=student,
        enrolment=spell,
        case_no=change.case_no,
        as_of=change.effective_on,
        name=student.name,
        grade=spell.grade,
        class_name=spell.school_class.name if spell.school_class else "",
        to_name=to_name,
    )
    snapshot.set_fields(values_of(held))
    snapshot.save(force_insert=True)
    return snapshot


def close_running(student: Student, day: date) -> None:
    """A running suspension ends with whatever comes next."""
    StatusChange.objects.filter(student=student, until__isnull=False, closed_on=None).update(closed_on=day)


def _done(student: Student, change: Change) -> StatusChange | None:
    return StatusChange.objects.filter(case_no=change.case_no, student=student).first()


def _begin(student: Student, change: Change, allowed: Iterable[str] = OPEN) -> tuple[Enrolment, StatusChange]:
    """The pupil locked, her present spell, and the change with what was before it. Raises ChangeNotPossible
    unless the present status is `allowed`.
    """
    Student.objects.select_for_update(no_key=True).only("pk").get(pk=student.pk)
    spell = present_spell(student)
    if spell.status not in set(allowed):
        raise ChangeNotPossible(status=STATUSES[spell.status].name)
    return spell, _note(spell, change)


def _finish(before: StatusChange, spell: Enrolment) -> StatusChange:
    """Save the change with what is after it; who looks at an older state of the pupil is told."""
    Student.objects.filter(pk=spell.student_id).update(version=F("version") + 1)
    return _keep(before, spell)


def _place(spell: Enrolment, school_class: SchoolClass) -> None:
    """Give the spell a place in the class; one who is not in it yet needs a free seat."""
    if spell.school_class_id == school_class.pk and spell.status in IN_SCHOOL:
        return
    lock_places(school_class.school, {school_class.pk: 1}, today(), is_intake=False, besides=spell.student_id)
    place_in_class(spell, school_class)


def _note(spell: Enrolment, change: Change) -> StatusChange:
    """The change with what was before it."""
    return StatusChange(
        from_path=spell.org_path,
        student_id=spell.student_id,
        case_no=change.case_no,
        kind=change.kind,
        category=change.category,
        reason=change.reason,
        from_school_id=spell.school_id,
        from_status=spell.status,
        from_grade=spell.grade,
        from_class=spell.school_class.name if spell.school_class else "",
        happened_on=change.happened_on,
        effective_on=change.effective_on,
        until=change.until,
        is_late=change.is_late,
    )


def _keep(before: StatusChange, spell: Enrolment) -> StatusChange:
    """Save the change with what is after it."""
    before.to_path, before.to_school_id = spell.org_path, spell.school_id
    before.to_status, before.to_grade = spell.status, spell.grade
    before.to_class = spell.school_class.name if spell.school_class else ""
    before.save(force_insert=True)
    return before
