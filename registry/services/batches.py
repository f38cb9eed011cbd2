"""What registration does to one pupil, done to the pupils of a whole batch: set-wise, one event each.

transfers decides when (R-EST-04); everything runs in the caller's transaction, under a scope that holds all
of them.
"""

from collections import defaultdict
from collections.abc import Sequence

from django.db.models import F

from accounts.models import Organization
from audit.services import Actor, record_many
from config.copying import copy_rows
from config.crypto import next_ids
from registry.entries.keeping import entries_of
from registry.intake.continuing import filled_in, open_keys
from registry.models import Enrolment, EnrolmentSnapshot, FamilyMember, IdentityDocument, ImportRow, Student
from registry.record import fill_member, fill_student, load_records, member_values
from registry.services.changing import Change, follow, snapshot_of
from registry.status import GRADUATE, NORMAL, PENDING, REFUSED

_PACK = 200  # pupils in one statement that names columns row by row


class PupilsMissing(RuntimeError):
    """Fewer rows were touched than the case is about: the scope is too narrow, or somebody changed them."""


def lock_pupils(ids: Sequence[int], *, also_references: bool = False) -> list[Student]:
    """The pupils, locked in ascending order; with `also_references` nobody files business of theirs either
    until this ends. Raises PupilsMissing when the scope does not hold them all.
    """
    # No-key as a rule: a finding about another pupil refers to this row and must not wait.
    locked = Student.objects.select_for_update(no_key=not also_references)
    pupils = list(locked.filter(pk__in=ids).order_by("pk"))
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


def continue_all(
    rows: Sequence[ImportRow], school: Organization, change: Change, *, actor: Actor
) -> set[int]:
    """Bring former pupils to the school: everything about them moves there as with a transfer, the former
    school keeps its snapshot, and the record takes what the school wrote into the row beside the key fields.
    The number stays (R-NUM-01). Returns who of them had graduated.
    """
    path, pupils = school.path, {row.student_id: row for row in rows if row.student_id is not None}
    graduates = _leave(list(pupils), school, change)
    students = list(Student.objects.filter(pk__in=pupils).order_by("pk"))
    if len(students) != len(pupils):
        raise PupilsMissing(f"{len(students)} of {len(pupils)} continued")
    for student in students:
        fill_student(student, filled_in(pupils[student.pk].open_cells().stored, path))
    columns = [*open_keys(path), "private"]
    Student.objects.bulk_update(students, columns, batch_size=_PACK)
    _replace_families(students, pupils)
    subjects = ((student.pk, path) for student in students)
    record_many("registry.student.continue", "student", subjects, actor=actor, basis="R-EST-08")
    return graduates


def _leave(pupils: Sequence[int], school: Organization, change: Change) -> set[int]:
    """Each record goes from the school where it lies to the new one; who of them had graduated."""
    spells = Enrolment.objects.filter(student_id__in=pupils, is_void=False).exclude(status=PENDING)
    last = spells.select_related("school", "school_class").order_by("student_id", "-valid")
    former = {spell.student_id: spell for spell in last.distinct("student_id")}
    records, entries = load_records(pupils), entries_of(pupils)
    leaving: dict[str, list[int]] = defaultdict(list)
    snapshots = []
    for pk, held in records.items():
        leaving[held.student.org_path].append(pk)
        if held.student.org_path != school.path and pk in former:
            held.enrolment = former[pk]  # as that school has it; the new spell waits here already
            snapshots.append(snapshot_of(held, former[pk], change, entries[pk], to_name=school.name))
    copy_rows(EnrolmentSnapshot, snapshots)
    for path, ids in sorted(leaving.items()):
        if path == school.path:
            Student.objects.filter(pk__in=ids).update(version=F("version") + 1)
        else:
            follow(ids, path, school.path)
    return {pk for pk, spell in former.items() if spell.status in GRADUATE}


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
