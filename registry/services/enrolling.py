"""招生入学 as it takes effect: graduates continue at the school of their next stage, one or a whole list,
in the same statements (A7.3, R-GRD-05, R-NUM-01).
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from audit.services import Actor, record_many
from config.copying import copy_rows
from config.faults import fault
from registry.entries.keeping import entries_of
from registry.models import Enrolment, EnrolmentSnapshot, SchoolClass, StatusChange
from registry.record import Record, load_records, new_row, place_in_class
from registry.services.batches import lock_pupils
from registry.services.changing import Change, fill_after, follow, note_before, snapshot_of
from registry.services.intake_rules import ENTRY_GRADES, lock_places
from registry.services.refusals import ChangeNotPossible
from registry.status import GRADUATED, NORMAL, STATUSES

_COPIED = [
    column.attname for column in Enrolment._meta.concrete_fields if column.attname not in ("id", "created_at")
]


@transaction.atomic
def enrol_graduates(
    places: Mapping[int, SchoolClass], change: Change, *, admission_mode: str, actor: Actor
) -> None:
    """Continue the records of graduates (pupil → class of one school): a new spell of the same person under
    the same number, never a new record. The schools that graduated them keep their snapshots.

    All of them or nobody; safe to repeat for the same case. Raises ChangeNotPossible unless each last spell
    ended in graduation, PlanExceeded, QuotaExceeded, ClassFull, ClassUnknown, and PupilsMissing when the
    scope does not hold them.
    """
    lock_pupils(sorted(places))
    done = StatusChange.objects.filter(case_no=change.case_no, student_id__in=places)
    waiting = sorted(places.keys() - set(done.values_list("student_id", flat=True)))
    if not waiting:
        return
    records = load_records(waiting)
    for held in records.values():
        if held.enrolment.is_void or held.enrolment.status != GRADUATED:
            raise ChangeNotPossible(status=STATUSES[held.enrolment.status].name)
    school = places[waiting[0]].school
    _lock([places[pk] for pk in waiting], change)
    fault("enrol.locked")
    entries, name = entries_of(waiting), school.organization.name
    copy_rows(
        EnrolmentSnapshot,
        [
            snapshot_of(held, held.enrolment, change, entries[pk], to_name=name)
            for pk, held in records.items()
        ],
    )
    befores = {pk: note_before(held.student, held.enrolment, change) for pk, held in records.items()}
    former: dict[str, list[int]] = defaultdict(list)
    for pk, held in records.items():
        former[held.enrolment.org_path].append(pk)
    for path, pupils in sorted(former.items()):
        follow(pupils, path, school.organization.path)
    fault("enrol.followed")
    opened = {pk: _next_spell(held, places[pk], change, admission_mode) for pk, held in records.items()}
    copy_rows(Enrolment, list(opened.values()))
    copy_rows(StatusChange, [fill_after(befores[pk], spell) for pk, spell in opened.items()])
    fault("enrol.opened")
    record_many(
        "registry.student.enrol", "student", [(pk, school.organization.path) for pk in waiting], actor=actor,
        basis=change.basis or "R-GRD-05", fields=["school"], kind=change.name, number=change.case_no,
        school=name,
    )  # fmt: skip


def _lock(classes: Sequence[SchoolClass], change: Change) -> None:
    """The places of plan, quota and classes: entry grades count as an intake, the rest as a move."""
    for is_intake in (True, False):
        wanted = Counter(one.pk for one in classes if (one.grade in ENTRY_GRADES) == is_intake)
        if wanted:
            lock_places(classes[0].school, wanted, change.effective_on, is_intake=is_intake)


def _next_spell(held: Record, school_class: SchoolClass, change: Change, admission_mode: str) -> Enrolment:
    former = held.enrolment
    day = max(change.effective_on, former.valid.upper)
    spell = new_row(Enrolment, **{name: getattr(former, name) for name in _COPIED})
    spell.org_path, spell.school_id = school_class.org_path, school_class.school_id
    spell.status, spell.valid, spell.number_in_class = NORMAL, DateRange(day, None), ""
    spell.entry_month, spell.admission_mode = f"{change.effective_on:%Y-%m}", admission_mode
    place_in_class(spell, school_class)
    return spell
