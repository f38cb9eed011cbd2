"""Turning the rows of a checked batch into pending pupils: COPY and set-based SQL, all or nothing, each pupil
with its own event and history (ARCHITECTURE 6, R-EST-10).

Runs inside one transaction of the job that commits; the app that files cases calls it and files the one case.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Count

from accounts.models import User
from audit.services import record_many
from config.clock import today
from config.copying import copy_rows
from config.crypto import next_ids
from config.faults import fault
from config.jobs import report
from config.models import Job
from config.scope import NATION, common_path, scope
from registry.intake.checking import PACK, count_rows, packs
from registry.intake.comparing import compare
from registry.intake.preview import NothingToCommit, PreviewMoved, compute, what_moved
from registry.models import (
    Enrolment,
    FamilyMember,
    IdentityDocument,
    ImportBatch,
    ImportRow,
    School,
    SchoolClass,
    Student,
    StudentNumber,
)
from registry.record import Record, fill_enrolment, new_record, place_in_class
from registry.services.intake_rules import lock_places
from registry.services.refusals import NumberTaken, StatusExists
from registry.status import PENDING


@dataclass(slots=True)
class Written:
    """What a commit wrote: how many pupils are new, continue and have no class yet, and the office whose
    scope holds them all.
    """

    created: int = 0
    continued: int = 0
    unplaced: int = 0
    reach: str = ""
    pupils: dict[int, int] = field(default_factory=dict)  # row number → pupil


def refuse_if_moved(batch: ImportBatch) -> None:
    """Compare the rows anew and refuse when anything differs from what was seen; then hold the places.

    Raises PreviewMoved, saying what moved, NothingToCommit, or what `lock_places` raises.
    """
    with scope(NATION):
        compare(batch)
        count_rows(batch)
    batch.refresh_from_db()
    moved = what_moved(batch, batch.preview, compute(batch))
    if moved:
        raise PreviewMoved(moved="".join(moved))
    if not batch.rows.exclude(action=ImportRow.Action.WRONG).exists():
        raise NothingToCommit()
    sound = batch.rows.exclude(action=ImportRow.Action.WRONG)
    counted = list(sound.values_list("school_class", "grade").annotate(n=Count("pk")).order_by())
    school = School.objects.select_related("organization").get(pk=batch.school_id)
    # From here on nobody else takes these places.
    lock_places(
        school,
        {pk: n for pk, _grade, n in counted if pk is not None},
        today(),
        without_class={grade: n for pk, grade, n in counted if pk is None},
    )


def write_rows(batch: ImportBatch, job: Job, *, actor: User) -> Written:
    """Write every sound row of the batch as a pending pupil. Raises NumberTaken or StatusExists when another
    registration came first (a constraint decides, not a look before), and JobCancelled.
    """
    written = Written(reach=batch.org_path)
    try:
        for pack in packs(_sound_rows(batch), PACK):
            _write_pack(batch, pack, written, actor)
            report(job, written.created + written.continued)
    except IntegrityError as error:
        raise _meant(error) from error
    _link(batch, written.pupils)
    return written


def _sound_rows(batch: ImportBatch) -> Iterator[ImportRow]:
    rows = ImportRow.objects.filter(batch=batch).exclude(action=ImportRow.Action.WRONG)
    return rows.select_related("school_class").order_by("number").iterator(PACK)


def _write_pack(batch: ImportBatch, rows: list[ImportRow], written: Written, actor: User) -> None:
    new = [row for row in rows if row.action == ImportRow.Action.CREATE]
    back = [row for row in rows if row.action == ImportRow.Action.CONTINUE]
    students = next_ids("registry_student", len(new))
    documents = next_ids("registry_identitydocument", len(new))
    members = next_ids("registry_familymember", 2 * len(new))
    records, numbers = [], []
    for place, row in enumerate(new):
        fault("intake.write")
        values = row.open_cells().stored
        ids = (students[place], documents[place], (members[2 * place], members[2 * place + 1]))
        pupil = new_record(values, _class_of(row, batch), starts_on=today(), ids=ids)
        records.append(pupil)
        written.pupils[row.number] = pupil.student.pk
        if values["auxiliary_number"]:
            numbers.append(_auxiliary(pupil, values["auxiliary_number"]))
    _copy(records, numbers)
    _continue(batch, back, written)
    record_many(
        "registry.student.create", "student", [(r.student.pk, batch.org_path) for r in records],
        actor=actor, basis="R-EST-10", batch=batch.pk,
    )  # fmt: skip
    written.created += len(new)
    written.continued += len(back)
    written.unplaced += sum(row.school_class_id is None for row in rows)
    fault("intake.written")


def _class_of(row: ImportRow, batch: ImportBatch) -> SchoolClass:
    """The row's class; where placement registers, one that is still to come (D7)."""
    to_come = SchoolClass(org_path=batch.org_path, school_id=batch.school_id, grade=row.grade, number="")
    return row.school_class or to_come


def _copy(records: list[Record], numbers: list[StudentNumber]) -> None:
    copy_rows(Student, [record.student for record in records])
    copy_rows(IdentityDocument, [record.document for record in records if record.document])
    copy_rows(Enrolment, [record.enrolment for record in records])
    copy_rows(FamilyMember, [member for record in records for member in record.family])
    copy_rows(StudentNumber, numbers)


def _auxiliary(pupil: Record, number: str) -> StudentNumber:
    path = pupil.student.org_path
    return StudentNumber(
        org_path=path, student=pupil.student, kind=StudentNumber.Kind.AUXILIARY,
        province=path.split(".")[1], number=number,
    )  # fmt: skip


def _continue(batch: ImportBatch, rows: list[ImportRow], written: Written) -> None:
    """A new pending spell of a former pupil; the record follows when the case is decided (R-EST-08)."""
    if not rows:
        return
    with scope(NATION):
        people = {
            student.pk: student for student in Student.objects.filter(pk__in=[r.student_id for r in rows])
        }
    spells = []
    for row in rows:
        fault("intake.write")
        student = people[row.student_id]  # type: ignore[index]
        spell = Enrolment(
            org_path=batch.org_path, student=student, school_id=batch.school_id, status=PENDING,
            valid=DateRange(today(), None),
        )  # fmt: skip
        fill_enrolment(spell, row.open_cells().stored, student)
        place_in_class(spell, _class_of(row, batch))
        spells.append(spell)
        written.reach = common_path(written.reach, student.org_path)
    copy_rows(Enrolment, spells)


def _link(batch: ImportBatch, pupils: dict[int, int]) -> None:
    """Each row remembers the pupil it became."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE registry_importrow r SET student_id = p.student_id "
            "FROM unnest(%s::int[], %s::bigint[]) AS p (number, student_id) "
            "WHERE r.batch_id = %s AND r.number = p.number",
            [list(pupils), list(pupils.values()), batch.pk],
        )


def _meant(error: IntegrityError) -> Any:
    text = str(error)
    if "one_document_one_person" in text:
        return NumberTaken()
    if "one_active_status" in text or "no_overlap_in_time" in text:
        return StatusExists()
    return error
