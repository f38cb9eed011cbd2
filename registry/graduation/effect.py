"""The effect of a decided list: spells end, graduates and their certificate numbers arise, classes close."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from audit.services import Actor, record, record_each
from config.clock import today
from config.copying import copy_rows
from config.crypto import next_ids
from config.faults import fault
from registry.codes import label
from registry.graduation.checking import refuse_if_unready
from registry.graduation.numbers import certificate_number, last_serial
from registry.models import (
    GraduationList,
    GraduationRecord,
    GraduationRow,
    School,
    StatusChange,
    Student,
)
from registry.record import Record, load_records, values_of
from registry.services.batches import PupilsMissing, lock_pupils
from registry.status import COMPLETED, GRADUATED, NORMAL, PARTIAL

STATUS_OF = {"1": GRADUATED, "2": COMPLETED, "3": PARTIAL}  # by list completion_type
_CATEGORY_OF = {"1": "60", "2": "62", "3": "63"}  # list status_change_category
KIND = "graduation"


@transaction.atomic
def graduate(graduation: GraduationList, *, actor: Actor, confirmed_by: str) -> int:
    """End the spells of everybody on the list who is not held back; returns how many.

    One transaction, under a scope that holds the school: all of them or nobody. Safe to repeat: a list that
    is done is left alone. Raises what `refuse_if_unready` raises.
    """
    held = GraduationList.objects.select_for_update(no_key=True).get(pk=graduation.pk)
    if held.state == GraduationList.State.DONE:
        return held.records.count()
    taken = list(held.rows.filter(held="").values_list("student_id", flat=True))
    # Before anything is looked at: what is filed for one of them from here on waits (R-GRD-02, G-10).
    pupils = {student.pk: student for student in lock_pupils(taken, also_references=True)}
    rows = refuse_if_unready(held)
    on = today()
    # Before the spells end: the frozen record is the one of a pupil in school.
    papers = load_records(list(pupils))
    fault("graduate.locked")
    _end_spells(held, on, len(rows))
    _end_guests(list(pupils), on)
    fault("graduate.ended")
    made = _records(held, rows, papers, on)
    copy_rows(GraduationRecord, made)
    copy_rows(StatusChange, [_change(held, row, papers[row.student_id], on) for row in rows])
    Student.objects.filter(pk__in=pupils).update(version=F("version") + 1)
    closed = _close_classes(held, papers.values())
    fault("graduate.recorded")
    acts = (
        (pupils[one.student_id], {"outcome": label("completion_type", one.outcome), "number": one.number})
        for one in made
    )
    record_each("registry.student.graduate", acts, actor=actor, basis="R-GRD-03")
    GraduationList.objects.filter(pk=held.pk).update(
        state=GraduationList.State.DONE, graduated_on=on, confirmed_by_name=confirmed_by
    )
    record(
        "registry.graduation.confirm", held, actor=actor, basis="R-GRD-03", grade=label("grade", held.grade),
        count=len(rows), classes=closed, number=held.case_no,
    )  # fmt: skip
    fault("graduate.done")
    return len(rows)


def _end_spells(graduation: GraduationList, on: date, count: int) -> None:
    """Raises PupilsMissing when a spell is not as the list says: nothing may end that nobody looked at."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE registry_enrolment e SET valid = daterange(lower(e.valid),"
            " greatest(%(on)s::date, lower(e.valid) + 1)), status = CASE r.outcome WHEN '1' THEN %(first)s"
            " WHEN '2' THEN %(second)s ELSE %(third)s END FROM registry_graduationrow r"
            " WHERE r.graduation_id = %(list)s AND r.held = '' AND e.id = r.enrolment_id"
            " AND e.status = %(normal)s AND e.grade = %(grade)s AND NOT e.is_void",
            {
                "on": on, "first": GRADUATED, "second": COMPLETED, "third": PARTIAL,
                "list": graduation.pk, "normal": NORMAL, "grade": graduation.grade,
            },
        )  # fmt: skip
        if cursor.rowcount != count:
            raise PupilsMissing(f"{cursor.rowcount} of {count} spells")


def _end_guests(pupils: Sequence[int], on: date) -> None:
    """A guest study elsewhere ends with the status (R-CHG-09)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE registry_attendance SET valid = daterange(lower(valid),"
            " greatest(%s::date, lower(valid) + 1)) WHERE student_id = ANY(%s) AND upper(valid) > %s::date",
            [on, list(pupils), on],
        )


def _records(
    graduation: GraduationList, rows: Sequence[GraduationRow], papers: dict[int, Record], on: date
) -> list[GraduationRecord]:
    """The graduates in the order of their classes and names, with the next numbers of the school."""
    school = School.objects.select_for_update(no_key=True).select_related("organization")
    own = school.get(pk=graduation.school_id)
    serial = last_serial(own.code, on.year)
    ordered = sorted(rows, key=lambda row: _in_class(papers[row.student_id]))
    found = []
    for place, (row, pk) in enumerate(
        zip(ordered, next_ids("registry_graduationrecord", len(ordered)), strict=True), start=1
    ):
        pupil = papers[row.student_id]
        one = GraduationRecord(
            id=pk,
            org_path=graduation.org_path,
            graduation_id=graduation.pk,
            student_id=row.student_id,
            enrolment_id=row.enrolment_id,
            school_name=own.organization.name,
            school_year=graduation.school_year,
            grade=graduation.grade,
            class_number=pupil.enrolment.class_number,
            class_name=_class_name(pupil),
            name=pupil.student.name,
            sex=pupil.student.sex,
            outcome=row.outcome,
            number=certificate_number(own.code, on.year, serial + place),
            graduated_on=on,
            destination=row.destination,
        )
        one.set_fields(values_of(pupil))
        found.append(one)
    return found


def _in_class(pupil: Record) -> tuple[str, str, int]:
    return pupil.enrolment.class_number, pupil.student.name_py, pupil.student.pk


def _class_name(pupil: Record) -> str:
    return pupil.enrolment.school_class.name if pupil.enrolment.school_class else ""


def _change(graduation: GraduationList, row: GraduationRow, pupil: Record, on: date) -> StatusChange:
    return StatusChange(
        from_path=graduation.org_path,
        to_path=graduation.org_path,
        counted_path=graduation.org_path,
        student_id=row.student_id,
        case_no=graduation.case_no or f"BY{graduation.pk:08d}",
        kind=KIND,
        category=_CATEGORY_OF[row.outcome],
        from_school_id=graduation.school_id,
        to_school_id=graduation.school_id,
        from_status=NORMAL,
        to_status=STATUS_OF[row.outcome],
        from_grade=graduation.grade,
        to_grade=graduation.grade,
        from_class=_class_name(pupil),
        to_class=_class_name(pupil),
        happened_on=on,
        effective_on=on,
        sex=pupil.student.sex,
        ethnic_group=pupil.student.ethnic_group,
        hukou_division=pupil.student.hukou_division,
    )


def _close_classes(graduation: GraduationList, papers: Any) -> int:
    """Close the classes of the graduates in which nobody has an open status and no guest sits any more."""
    own = {paper.enrolment.school_class_id for paper in papers}
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE registry_schoolclass c SET is_open = false WHERE c.id = ANY(%s) AND c.is_open"
            " AND NOT EXISTS (SELECT FROM registry_enrolment e WHERE e.school_class_id = c.id"
            " AND NOT e.is_void AND upper_inf(e.valid))"
            " AND NOT EXISTS (SELECT FROM registry_attendance a WHERE a.school_class_id = c.id"
            " AND a.valid @> %s::date)",
            [[pk for pk in own if pk], today()],
        )
        return int(cursor.rowcount)
