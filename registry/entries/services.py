"""Adding an entry, lifting a sanction, voiding a wrong entry: nothing is ever overwritten (R-UPD-04)."""

from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from accounts.models import User
from accounts.rights import explain
from audit.services import record
from config.clock import today
from config.crypto import next_ids
from config.errors import NotFound
from registry.entries import refusals as say
from registry.entries.cleaning import Cleaned, clean
from registry.entries.kinds import KINDS, SANCTION, Kind
from registry.entries.reading import may_write
from registry.models import Enrolment, EntrySheet, RecordEntry, Student
from registry.protection import SHORTEST_REASON
from registry.reorganizing import refuse_if_moving
from registry.services.seasons import terms_by_day
from registry.status import OPEN


@transaction.atomic
def add_entry(student: Student, kind_code: str, typed: Mapping[str, str], *, actor: User) -> RecordEntry:
    """Enter one dated entry for a pupil of her school; a constraint decides whether it was entered before.

    Raises NotFound for an unknown kind, NotAllowed, OfficeMoving, EntryPupilGone, EntryFaulty, EntryKnown.
    """
    kind = KINDS.get(kind_code)
    if kind is None:
        raise NotFound()
    refuse_foreign(actor, kind, student.org_path)
    refuse_if_moving(student.org_path)
    spell = _present(student)
    found = clean(kind, typed, spell.grade, today(), terms_by_day(spell.org_path))
    if found.faults:
        raise say.EntryFaulty(findings=found.faults, count=len(found.faults))
    entry = new_entry(next_ids("registry_recordentry")[0], student.pk, spell.org_path, kind, found, actor)
    try:
        with transaction.atomic():
            entry.save(force_insert=True)
    except IntegrityError as error:
        raise say.EntryKnown(kind=kind.name) from error
    record("registry.entry.add", entry, actor=actor, basis="C1", kind=str(kind.name), student=student.pk)
    return entry


def new_entry(
    pk: int, student_id: int, path: str, kind: Kind, found: Cleaned, actor: User,
    sheet: EntrySheet | None = None,
) -> RecordEntry:  # fmt: skip
    """The unsaved row; `pk` is fresh, for what is sealed is bound to it (KE-2)."""
    entry = RecordEntry(
        id=pk, org_path=path, student_id=student_id, kind=kind.code, happened_on=found.happened_on,
        school_year=found.school_year, semester=found.semester, fingerprint=found.fingerprint(kind),
        sheet=sheet, entered_by=actor, entered_by_name=actor.signing_name,
        office_name=actor.acting_office.name if actor.acting_office else "",
    )  # fmt: skip
    hidden = {column.key for column in kind.columns if column.is_hidden}
    entry.set_values(
        {key: value for key, value in found.values.items() if key not in hidden},
        {key: value for key, value in found.values.items() if key in hidden},
    )
    return entry


@transaction.atomic
def void_entry(entry: RecordEntry, *, reason: str, actor: User) -> None:
    """Void a wrong entry; it stays readable, struck out. Raises NotAllowed, ReasonShort, EntryPupilGone,
    EntryOver.
    """
    kind, reason = _begin(entry, reason, actor)
    _end(entry, voided_at=Now(), voided_by_name=actor.signing_name, void_reason=reason)
    record(
        "registry.entry.void", entry, actor=actor, basis="R-UPD-04", reason=reason, kind=str(kind.name),
        student=entry.student_id,
    )  # fmt: skip


@transaction.atomic
def lift_sanction(entry: RecordEntry, *, reason: str, actor: User) -> None:
    """A sanction stands no longer from today. Raises NotASanction and what `void_entry` raises."""
    kind, reason = _begin(entry, reason, actor)
    if entry.kind != SANCTION:
        raise say.NotASanction()
    _end(entry, lifted_on=today(), lifted_by_name=actor.signing_name)
    record(
        "registry.entry.lift", entry, actor=actor, basis="C1", reason=reason, kind=str(kind.name),
        student=entry.student_id,
    )  # fmt: skip


def refuse_foreign(actor: User, kind: Kind, path: str) -> None:
    """Raise NotAllowed unless she writes this kind at exactly this office."""
    if not may_write(actor, kind, path):
        explain(actor, kind.writes[0], at=path).or_raise()


def _begin(entry: RecordEntry, reason: str, actor: User) -> tuple[Kind, str]:
    kind, reason = KINDS[entry.kind], " ".join(reason.split())[:200]
    refuse_foreign(actor, kind, entry.org_path)
    refuse_if_moving(entry.org_path)
    if len(reason) < SHORTEST_REASON:
        raise say.ReasonShort(count=SHORTEST_REASON)
    _present(entry.student)
    return kind, reason


def _present(student: Student) -> Enrolment:
    """The pupil's open spell at the school she sits in. Raises EntryPupilGone."""
    spells = student.enrolments.filter(org_path=student.org_path, status__in=OPEN, is_void=False)
    spell: Enrolment | None = spells.first()
    if spell is None:
        raise say.EntryPupilGone()
    return spell


def _end(entry: RecordEntry, **columns: object) -> None:
    """Two who press at once: one wins, the other is told."""
    rows = RecordEntry.objects.filter(pk=entry.pk, voided_at=None)
    rows = rows.filter(lifted_on=None) if "lifted_on" in columns else rows
    if rows.update(**columns) != 1:
        raise say.EntryOver()
