"""Data maintenance: normal fields at once, key fields never by this door (R-UPD-05)."""

from django.db import transaction

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import Actor, record
from audit.warning_rules import ROW
from audit.warnings import refuse_stopped
from config.clock import today
from config.rules import rule
from registry.field_rights import writable
from registry.fields import BY_KEY
from registry.findings import errors
from registry.form_values import clean_record
from registry.models import Student
from registry.record import changed_keys, fill_enrolment, fill_student, load_record, member_values, values_of
from registry.services.family import replace_family
from registry.services.locks import refuse_if_locked, take_version
from registry.services.refusals import FieldNotYours, KeyFieldLocked, NotPlaced, RecordRefused, frozen
from registry.services.registration import examine, save_auxiliary
from registry.status import STATUSES


def key_fields(path: str) -> tuple[str, ...]:
    """Fields that change only by a case, at this office: the national ones and what the province added."""
    return rule("KEY_FIELDS", at=path, on=today()).words


@transaction.atomic
def update_normal(student: Student, values: dict[str, str], *, version: int, actor: User) -> list[str]:
    """Change normal fields of a record at once; returns the changed keys.

    `values` may hold any part of the form. Raises KeyFieldLocked when a key field would change,
    FieldNotYours, RecordFrozen after graduation handling, NotPlaced before the pupil has a class,
    BusinessOpen while a case runs, RecordRefused, ChangedMeanwhile.
    """
    explain(actor, Right.EDIT_STUDENT, at=student.org_path).or_raise()
    pupil = load_record(student)
    status = STATUSES[pupil.enrolment.status]
    if not status.is_open:
        raise frozen(status.code)
    refuse_if_locked(student)
    refuse_stopped(ROW, f"student:{student.pk}")  # W15
    before = values_of(pupil)
    if pupil.enrolment.school_class is None:
        raise NotPlaced()
    merged = before | values
    document = pupil.document
    cleaned, found = examine(
        merged, pupil.enrolment.school_class, is_disputed=document is not None and document.is_disputed
    )
    # Against what was typed, not against `cleaned`: the examination puts school and class in by itself.
    touched = changed_keys(before, clean_record(values, pupil.enrolment.grade))
    locked = [
        key for key in touched if key in key_fields(student.org_path) or BY_KEY[key].change_class != "normal"
    ]
    if locked:
        raise KeyFieldLocked(fields="、".join(BY_KEY[key].label_zh for key in locked))
    if foreign := [key for key in touched if not writable(actor, key, at=student.org_path)]:
        raise FieldNotYours(fields="、".join(BY_KEY[key].label_zh for key in foreign))
    # Faults of fields that were not touched are the verification's business, not a reason to block a new
    # address.
    wrong = [finding for finding in errors(found) if finding.field in touched]
    if wrong:
        raise RecordRefused(findings=wrong, count=len(wrong))
    take_version(student, version)
    if touched:
        changed = {key: cleaned[key] for key in touched}
        fill_student(student, changed)
        student.save()
        fill_enrolment(pupil.enrolment, changed, student)
        pupil.enrolment.save()
        if any(key.startswith("member") for key in touched):
            replace_family(student, [member_values(cleaned, 1), member_values(cleaned, 2)])
        save_auxiliary(student, changed.get("auxiliary_number", ""))
        if document is not None and "id_validity" in changed:
            document.valid_text = changed["id_validity"]
            document.save(update_fields=["valid_text"])
        note_update(student, touched, repr(sorted(changed.items())), actor=actor)
    return touched


def note_update(student: Student, fields: list[str], values: str, *, actor: Actor) -> None:
    record("registry.student.update", student, actor=actor, basis="R-UPD-05", fields=fields, values=values)
