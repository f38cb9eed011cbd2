"""What registration does to one pupil, done to the pupils of a whole batch: set-wise, one event each.

transfers decides when (R-EST-04); everything runs in the caller's transaction, under a scope that holds all
of them.
"""

from collections.abc import Sequence

from django.db.models import F

from audit.services import Actor, record_many
from config.copying import copy_rows
from config.crypto import next_ids
from registry.intake.continuing import filled_in, open_keys
from registry.models import (
    Enrolment,
    FamilyMember,
    IdentityDocument,
    ImportRow,
    RecordEntry,
    Student,
    StudentNumber,
)
from registry.record import fill_member, fill_student, member_values
from registry.status import NORMAL, PENDING, REFUSED

_PACK = 200  # pupils in one statement that names columns row by row


class PupilsMissing(RuntimeError):
    """Fewer rows were touched than the case is about: the scope is too narrow, or somebody changed them."""


def lock_pupils(ids: Sequence[int]) -> list[Student]:
    """The pupils, locked in ascending order. Raises PupilsMissing when the scope does not hold them all."""
    # No-key: a finding about another pupil refers to this row and must not wait.
    pupils = list(Student.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))
    if len(pupils) != len(ids):
        raise PupilsMissing(f"{len(pupils)} of {len(ids)}")
    return pupils


def confirm_all(ids: Sequence[int], path: str, *, actor: Actor) -> None:
    """Turn the pending spells at the school of `path` into normal ones (R-EST-04). Raises PupilsMissing."""
    pending = Enrolment.objects.filter(student_id__in=ids, org_path=path, status=PENDING, is_void=False)
    changed = pending.update(status=NORMAL)
    if changed != len(ids):
        raise PupilsMissing(f"{changed} of {len(ids)} spells")
    subjects = ((pk, path) for pk in ids)
    record_many("registry.student.register", "student", subjects, actor=actor, basis="R-EST-04")


def take_back_all(
    created: Sequence[int], continued: Sequence[int], path: str, *, actor: Actor, reason: str
) -> None:
    """End registrations that were refused or withdrawn: the pending spells are void, documents that came with
    them claim nothing any more. A continued pupil keeps record, document and number as they were before.
    """
    pending = Enrolment.objects.filter(
        student_id__in=[*created, *continued], org_path=path, status=PENDING, is_void=False
    )
    pending.update(status=REFUSED, is_void=True)
    IdentityDocument.objects.filter(student_id__in=created).update(is_claimed=False)
    Student.objects.filter(pk__in=created).update(version=F("version") + 1)
    # The continued record lies elsewhere still: the event belongs to the school that asked.
    subjects = ((pk, path) for pk in (*created, *continued))
    record_many("registry.student.take_back", "student", subjects, actor=actor, reason=reason)


def continue_all(rows: Sequence[ImportRow], path: str, *, actor: Actor) -> None:
    """Bring former pupils to the school of `path`: the record moves there with document, numbers and family,
    and takes what the school wrote into the row beside the key fields. The number stays (R-NUM-01).
    """
    pupils = {row.student_id: row for row in rows if row.student_id is not None}
    for model in (Student, IdentityDocument, StudentNumber, FamilyMember, RecordEntry):
        key = "pk" if model is Student else "student_id"
        model.objects.filter(**{f"{key}__in": pupils}).update(org_path=path)
    students = list(Student.objects.filter(pk__in=pupils).order_by("pk"))
    if len(students) != len(pupils):
        raise PupilsMissing(f"{len(students)} of {len(pupils)} continued")
    for student in students:
        fill_student(student, filled_in(pupils[student.pk].open_cells().stored, path))
        student.version += 1
    columns = [*open_keys(path), "private", "version"]
    Student.objects.bulk_update(students, columns, batch_size=_PACK)
    _replace_families(students, pupils)
    subjects = ((student.pk, path) for student in students)
    record_many("registry.student.continue", "student", subjects, actor=actor, basis="R-EST-08")


def _replace_families(students: Sequence[Student], rows: dict[int, ImportRow]) -> None:
    """Make the families equal the rows' blocks (history keeps the former ones)."""
    blocks = [
        (student, ordinal, block)
        for student in students
        for ordinal in (1, 2)
        if (block := member_values(rows[student.pk].open_cells().stored, ordinal))
    ]
    members = []
    for (student, ordinal, block), pk in zip(
        blocks, next_ids("registry_familymember", len(blocks)), strict=True
    ):
        member = FamilyMember(id=pk, org_path=student.org_path, student=student, ordinal=ordinal)
        fill_member(member, block)
        members.append(member)
    FamilyMember.objects.filter(student_id__in={member.student_id for member in members}).delete()
    copy_rows(FamilyMember, members)
