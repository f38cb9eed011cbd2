"""学籍变动 as it takes effect: state, grade, class and school of a spell (HANDBOOK A6, R-TRF-17, R-CHG).

Every function is one act: it locks the pupil, changes the rows, keeps a StatusChange and records. The case
that allowed it decides who may; completion runs them under a scope that covers both schools.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import F, Model
from django.db.models.functions import Now

from audit.services import Actor, record
from config.clock import today
from config.faults import fault
from registry.codes import label
from registry.entries.keeping import entries_of
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
    PromotionSchool,
    Protection,
    RecordEntry,
    SchoolClass,
    StatusChange,
    Student,
    StudentNumber,
    SuspectedDropout,
    WatchEntry,
)
from registry.record import Record, load_record, place_in_class, values_of
from registry.services.intake_rules import lock_places
from registry.services.problems import close_attempts, follow_pupils
from registry.services.refusals import ChangeNotPossible
from registry.status import IN_SCHOOL, MOVED, NORMAL, OPEN, STATUSES, VOIDED

# What belongs to the person and so follows her to another school; a test knows every table about a pupil.
FOLLOWING: tuple[type[Model], ...] = (
    Student, IdentityDocument, StudentNumber, FamilyMember, Enrolment, AidRecognition, DropoutEntry,
    Protection, RecordEntry, SuspectedDropout, PersuasionVisit, WatchEntry,
)  # fmt: skip


# One statement for all: the pupil's row is locked, and a transfer waits for each statement that it sends.
# The county in which the former school lies, and what that school has answered: its proof stays behind.
_ALSO: dict[type[Model], str] = {
    SuspectedDropout: ", host_path = NULL, answer = CASE WHEN closed_on IS NULL THEN '' ELSE answer END"
}
_OTHERS = ", ".join(
    f"t{place} AS (UPDATE {model._meta.db_table} SET org_path = %(path)s{_ALSO.get(model, '')}"  # noqa: S608
    " WHERE student_id = ANY(%(students)s))"
    for place, model in enumerate(FOLLOWING[1:])
)
_FOLLOW = (
    f"WITH {_OTHERS} UPDATE registry_student SET org_path = %(path)s, version = version + 1"  # noqa: S608
    " WHERE id = ANY(%(students)s)"
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
def put_back(student: Student, grade: str, change: Change, *, actor: Actor) -> StatusChange:
    """Put the pupil back into `grade` without a class, as the promotion leaves whoever repeats: her class
    went on before the case was performed (R-CHG-01). Raises ChangeNotPossible unless she is in school.
    """
    if done := _done(student, change):
        return done
    spell, before = _begin(student, change, IN_SCHOOL)
    spell.grade, spell.school_class, spell.class_number = grade, None, ""
    spell.save()
    kept = _finish(before, spell)
    record(
        "registry.student.put_back", student, actor=actor, basis=change.basis,
        fields=["grade", "class_number"], kind=change.name, number=change.case_no,
        grade=label("grade", grade),
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
    before.promoted_in = _promoted_in(spell.school_id)
    take_snapshot(student, spell, change, to_name=school_class.school.organization.name)
    fault("move.snapshot")
    day = boundary(spell, change.effective_on)
    Enrolment.objects.filter(pk=spell.pk).update(valid=DateRange(spell.valid.lower, day), status=MOVED)
    fault("move.closed")
    follow([student.pk], spell.org_path, school_class.org_path)
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
def restore_spell(spell: Enrolment, change: Change, *, actor: Actor) -> StatusChange:
    """Take the end of `spell` back: normal again at the same school, its class open again (毕业生回退,
    R-GRD-06). No later spell may exist; the constraint on overlaps decides.

    Safe to repeat for the same case.
    """
    student = spell.student
    if done := _done(student, change):
        return done
    Student.objects.select_for_update(no_key=True).only("pk").get(pk=student.pk)
    before = note_before(student, spell, change)
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


def _promoted_in(school_id: int) -> int | None:
    """The year, if the school stands promoted in the present one."""
    stands = PromotionSchool.objects.filter(school_id=school_id, year=today().year, undone_at=None)
    found: int | None = stands.exclude(done_at=None).values_list("year", flat=True).first()
    return found


def _open_spell(former: Enrolment, school_class: SchoolClass, day: date, status: str) -> Enrolment:
    """The spell that follows `former` at the school of the class, from `day`; the record is there already."""
    opened: Enrolment = Enrolment.objects.get(pk=former.pk)
    opened.pk, opened.valid, opened.status = None, DateRange(day, None), status
    opened.school_id, opened.number_in_class = school_class.school_id, ""
    opened.org_path = school_class.org_path
    place_in_class(opened, school_class)
    opened.created_at, opened._state.adding = Now(), True
    opened.save(force_insert=True)
    return opened


def boundary(spell: Enrolment, day: date) -> date:
    """The day on which a spell ends and the next begins: never before the spell's own second day."""
    return max(day, spell.valid.lower + timedelta(days=1))


def follow(students: Sequence[int], former: str, path: str) -> None:
    """Everything about these pupils of the school at `former` goes under `path`; what that school keeps are
    its snapshots.
    """
    pupils = list(students)
    with connection.cursor() as cursor:
        cursor.execute(_FOLLOW, {"students": pupils, "path": path})
    follow_pupils(pupils, path)
    reports = AttendanceReport.objects.filter(attendance__student__in=pupils, home_path=former)
    reports.update(home_path=path)
    Attendance.objects.filter(student__in=pupils, home_path=former).update(home_path=path)
    # The former school keeps its own sides of what happened there; the present one sees it from the other.
    StatusChange.objects.filter(student__in=pupils, to_path=former).update(to_path=path)


def take_snapshot(student: Student, spell: Enrolment, change: Change, *, to_name: str) -> EnrolmentSnapshot:
    """Keep the record as the former school leaves it: sealed, never changed (R-TRF-17)."""
    entries = entries_of([student.pk])[student.pk]
    snapshot = snapshot_of(load_record(student), spell, change, entries, to_name=to_name)
    snapshot.save(force_insert=True)
    return snapshot


def snapshot_of(
    held: Record, spell: Enrolment, change: Change, entries: list[dict[str, Any]], *, to_name: str
) -> EnrolmentSnapshot:
    """The same, unsaved, of a record that has been read."""
    snapshot = EnrolmentSnapshot(
        org_path=spell.org_path,
        student_id=spell.student_id,
        enrolment_id=spell.pk,
        case_no=change.case_no,
        as_of=spell.valid.upper or change.effective_on,  # who goes on years later left that school then
        name=held.student.name,
        grade=spell.grade,
        class_name=spell.school_class.name if spell.school_class else "",
        to_name=to_name,
        began_on=spell.valid.lower,
        entry_month=spell.entry_month,
        sex=held.student.sex,
        ethnic_group=held.student.ethnic_group,
        hukou_division=held.student.hukou_division,
    )
    snapshot.set_fields(values_of(held), entries)
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
    return spell, note_before(student, spell, change)


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


def note_before(student: Student, spell: Enrolment, change: Change) -> StatusChange:
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
        sex=student.sex,
        ethnic_group=student.ethnic_group,
        hukou_division=student.hukou_division,
    )


def _keep(before: StatusChange, spell: Enrolment) -> StatusChange:
    """Save the change with what is after it."""
    fill_after(before, spell).save(force_insert=True)
    return before


def fill_after(before: StatusChange, spell: Enrolment) -> StatusChange:
    before.to_path = before.counted_path = spell.org_path
    before.to_school_id = spell.school_id
    before.to_status, before.to_grade = spell.status, spell.grade
    before.to_class = spell.school_class.name if spell.school_class else ""
    return before
