"""关键数据: which fields change by a case only, what stands against a proposal, and the change itself
(R-UPD-05 to R-UPD-08).

Nothing here decides who may; a case brings the change when its last office has approved.
"""

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import F

from audit.services import Actor, record
from config.clock import today
from registry import objections_change as o
from registry.checks import Checker
from registry.fields import BY_KEY
from registry.findings import Finding, errors
from registry.form_values import clean_record
from registry.identity import family
from registry.models import Attendance, IdentityDocument, Student
from registry.names import fold_name
from registry.record import (
    Record,
    changed_keys,
    copy_name,
    fill_document,
    fill_enrolment,
    fill_student,
    load_record,
    open_number,
    values_of,
)
from registry.services.editing import key_fields
from registry.services.refusals import NumberTaken, RecordRefused
from registry.services.registration import school_context

# In the order of the page. Grade and class are key fields as well, but have procedures of their own.
PROPOSABLE = (
    "name", "sex", "birth_on", "id_type", "id_number", "ethnic_group", "nationality", "overseas_status",
    "birthplace", "native_place", "hukou_type", "hukou_division", "attendance_mode",
)  # fmt: skip
DOCUMENT_KEYS = ("id_type", "id_number")
PLACE_KEYS = ("grade", "class_number")


def proposable(path: str) -> tuple[str, ...]:
    """The fields that a case may change at this office: the national ones and what the province added."""
    own = key_fields(path)
    return tuple(key for key in PROPOSABLE if key in own)


def clean_proposal(proposed: Mapping[str, str], grade: str) -> dict[str, str]:
    """What is proposed as it would be stored; what was left open is not proposed. A type without a number is
    none: the form offers one beforehand.
    """
    given = {key: text for key, text in proposed.items() if key in BY_KEY and text.strip()}
    if "id_number" not in given:
        given.pop("id_type", None)
    return clean_record(given, grade)


def refuse_other_fields(path: str, values: Mapping[str, str]) -> None:
    """Raise RecordRefused for fields that no such case changes: grade, class, and normal ones."""
    found = [
        (o.OWN_PROCEDURE if key in PLACE_KEYS else o.NOT_KEY).at(key, label=BY_KEY[key].label_zh)
        for key in values
        if key not in proposable(path)
    ]
    if found:
        raise RecordRefused(findings=found, count=len(found))


def check_change(student: Student, values: Mapping[str, str]) -> list[Finding]:
    """Everything that the cleaned `values` would make wrong or doubtful about the record.

    The whole record is looked at, for a new sex may contradict the old number (R-EST-06); faults that it has
    anyway are not held against the proposal. Under-age by a corrected birth date is a doubt, not a reason
    to keep a false date.
    """
    pupil = load_record(student)
    before = values_of(pupil)
    touched = set(changed_keys(before, dict(values)))
    if not values:
        return [o.NOTHING_PROPOSED.at("name")]
    found = _same(student, values, touched)
    known = {(finding.field, finding.code) for finding in _examine(pupil, before)}
    is_disputed = pupil.document is not None and pupil.document.is_disputed and "id_number" not in values
    for finding in _examine(pupil, {**before, **values}):
        is_new = finding.field in touched or (finding.field, finding.code) not in known
        if is_new and not (is_disputed and finding.disputable):
            found.append(replace(finding, level="warning") if finding.code == "under_age" else finding)
    return found


def refuse_wrong(student: Student, values: Mapping[str, str]) -> None:
    """Raises RecordRefused with every fault at once."""
    found = check_change(student, values)
    if errors(found):
        raise RecordRefused(findings=found, count=len(errors(found)))


def _same(student: Student, values: Mapping[str, str], touched: set[str]) -> list[Finding]:
    """What is proposed as it stands already."""
    found = []
    if "name" in values and fold_name(values["name"]) == student.name_fold:
        found.append(o.SAME_NAME.at("name"))
    if "id_number" in values and not touched & set(DOCUMENT_KEYS):
        found.append(o.SAME_VALUE.at("id_number", label=BY_KEY["id_number"].label_zh))
    others = [key for key in values if key not in touched and key not in ("name", *DOCUMENT_KEYS)]
    return found + [o.SAME_VALUE.at(key, label=BY_KEY[key].label_zh) for key in others]


def _examine(pupil: Record, values: Mapping[str, str]) -> list[Finding]:
    spell = pupil.enrolment
    context = replace(school_context(spell.school.school, spell.org_path, today()), grade=spell.grade)
    own = {"grade": spell.grade, "class_number": spell.class_number, "school_code": context.school_code}
    return Checker(context).check({**values, **own})[1]


def as_proposed(student: Student, values: Mapping[str, str]) -> Student:
    """The pupil as she would be, never saved: for the national check under new name, sex, birth date or
    nationality.
    """
    future = copy(student)
    for key in ("name", "sex", "nationality"):
        setattr(future, key, values.get(key) or getattr(student, key))
    if values.get("birth_on"):
        future.birth_on = date.fromisoformat(values["birth_on"])
    return future


@transaction.atomic
def change_fields(
    student: Student, values: Mapping[str, str], *, actor: Actor, is_late: bool = False
) -> list[str]:
    """Put cleaned key values other than name and document onto the record; returns the changed keys.

    History keeps what was before (R-UPD-04). Numbers stay (R-NUM-04); a passport is found under its new
    country. Raises NumberTaken when somebody else holds it there.
    """
    locked = Student.objects.select_for_update(no_key=True).get(pk=student.pk)
    pupil = load_record(locked)
    own = {key: text for key, text in values.items() if key not in ("name", *DOCUMENT_KEYS)}
    touched = changed_keys(values_of(pupil), own)
    if not touched:
        return []
    fill_student(locked, own)
    locked.save()
    Student.objects.filter(pk=locked.pk).update(version=F("version") + 1)
    for spell in locked.enrolments.filter(is_void=False):
        copy_name(spell, locked)
        spell.save(update_fields=["name", "name_py", "name_ini", "sex"])
    if "attendance_mode" in touched:
        pupil.enrolment.refresh_from_db()
        fill_enrolment(pupil.enrolment, {"attendance_mode": own["attendance_mode"]}, locked)
        pupil.enrolment.save()
    if "nationality" in touched:
        for document in locked.documents.select_for_update(no_key=True):
            _index_again(document, own["nationality"])
    tell_hosts(locked)
    record(
        "registry.student.rekey", locked, actor=actor, basis="R-UPD-07", fields=touched,
        values=repr(sorted(own.items())), is_late=is_late,
    )  # fmt: skip
    student.refresh_from_db()
    return touched


def tell_hosts(student: Student) -> None:
    """A host school does not see the pupil's row: its guest list carries name and sex."""
    present = Attendance.objects.filter(student=student, valid__contains=today())
    present.update(name=student.name, sex=student.sex)


def _index_again(document: IdentityDocument, nationality: str) -> None:
    """A passport number means nothing without its country: the blind index follows the nationality."""
    if family(document.type) != "passport":
        return
    claimed = document.is_claimed
    known = {"id_type": document.type, "id_number": open_number(document), "nationality": nationality}
    fill_document(document, known | {"id_validity": document.valid_text}, is_disputed=document.is_disputed)
    document.is_claimed = claimed
    try:
        with transaction.atomic():
            document.save()
    except IntegrityError as error:
        raise NumberTaken() from error
