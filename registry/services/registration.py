"""新生注册 as the registry sees it: check, create as pending, confirm, or take back.

transfers decides who may and when; nothing here opens a status by itself (R-EST-04).
"""

from dataclasses import replace
from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import F

from audit.services import Actor, record
from config.clock import today
from config.rules import rules
from registry.checks import Checker, Context
from registry.findings import Finding, errors
from registry.form_values import clean_phone
from registry.models import Enrolment, School, SchoolClass, Student, StudentNumber
from registry.record import (
    Record,
    changed_keys,
    fill_document,
    fill_enrolment,
    fill_student,
    load_record,
    member_values,
    new_record,
    place_in_class,
    school_year_start,
    values_of,
)
from registry.services.family import replace_family
from registry.services.intake_rules import lock_places
from registry.services.locks import take_version
from registry.services.refusals import NumberTaken, RecordRefused, StatusExists
from registry.status import NORMAL, REFUSED


def school_context(school: School, path: str, day: date) -> Context:
    """What every record of a school is checked against, whatever its grade: school, entry age, who set it."""
    in_force = rules(("ENTRY_AGE", "ENTRY_CUTOFF"), at=path, on=day)
    year_start = school_year_start(day)
    cutoff = in_force["ENTRY_CUTOFF"]
    on = cutoff.date_in(year_start.year)
    return Context(
        today=day,
        grade="",
        school_code=school.code,
        school_division=school.organization.division,
        school_ownership=school.ownership,
        school_phones=frozenset({clean_phone(school.phone)} if school.phone else ()),
        stages=frozenset(str(int(stage) - 1) for stage in school.stages if stage in "234"),
        school_year_start=year_start,
        primary_years=int(school.schooling[0]),
        entry_age=in_force["ENTRY_AGE"].number,
        cutoff=(on.month, on.day),
        cutoff_source=cutoff.explain(),
    )


def check_context(school_class: SchoolClass, day: date) -> Context:
    """What a record in this class is checked against. Two queries."""
    return replace(school_context(school_class.school, school_class.org_path, day), grade=school_class.grade)


def examine(
    values: dict[str, str], school_class: SchoolClass, *, is_disputed: bool = False
) -> tuple[dict[str, str], list[Finding]]:
    """The values as they would be stored, and everything wrong or doubtful about them.

    With `is_disputed`, faults of the number that evidence may outweigh become warnings: a disputed number
    is never a reason to keep a child out (R-EST-08).
    """
    context = check_context(school_class, today())
    values = values | {
        "grade": school_class.grade,
        "class_number": school_class.number,
        "school_code": context.school_code,
    }
    cleaned, found = Checker(context).check(values)
    if is_disputed:
        found = [f for f in found if not f.disputable]
    return cleaned, found


def lock_seat(school_class: SchoolClass, *, besides: int | None = None, is_intake: bool = True) -> None:
    """Take the locks of one place in this class and make sure that it is free: plan, quota, class.

    `is_intake` is False for a pupil who moves in rather than registers. Raises what `lock_places` raises.
    """
    lock_places(school_class.school, {school_class.pk: 1}, today(), is_intake=is_intake, besides=besides)


@transaction.atomic
def create_pending(
    values: dict[str, str], school_class: SchoolClass, *, actor: Actor, is_disputed: bool = False
) -> Student:
    """Create person, document, family and a pending spell in `school_class`, or change nothing.

    Raises RecordRefused (all findings at once), ClassFull, PlanExceeded, QuotaExceeded, NumberTaken (the
    constraint decides, not a look before) or StatusExists. Returns the pupil.
    """
    cleaned, found = examine(values, school_class, is_disputed=is_disputed)
    wrong = errors(found)
    if wrong:
        raise RecordRefused(findings=found, count=len(wrong))
    lock_seat(school_class)
    pupil = new_record(cleaned, school_class, starts_on=today(), is_disputed=is_disputed)
    try:
        with transaction.atomic():
            save_record(pupil)
            save_auxiliary(pupil.student, cleaned.get("auxiliary_number", ""))
    except IntegrityError as error:
        raise _taken(error) from error
    record(
        "registry.student.create",
        pupil.student,
        actor=actor,
        basis="R-EST-03",
        fields=sorted(key for key, text in cleaned.items() if text),
        school_class=school_class.name,
    )
    return pupil.student


def save_record(pupil: Record) -> None:
    """Write a new pupil's rows."""
    pupil.student.save(force_insert=True)
    if pupil.document is not None:
        pupil.document.save(force_insert=True)
    pupil.enrolment.save(force_insert=True)
    for member in pupil.family:
        member.save(force_insert=True)


def save_auxiliary(student: Student, number: str) -> None:
    """Keep the province's auxiliary number current; a former one stays on file."""
    known = student.numbers.filter(kind=StudentNumber.Kind.AUXILIARY, is_current=True)
    if number and not known.filter(number=number).exists():
        known.update(is_current=False)
        StudentNumber.objects.create(
            org_path=student.org_path,
            student=student,
            kind=StudentNumber.Kind.AUXILIARY,
            province=student.org_path.split(".")[1],
            number=number,
        )


def _taken(error: IntegrityError) -> Exception:
    text = str(error)
    if "one_document_one_person" in text:
        return NumberTaken()
    if "one_active_status" in text or "no_overlap_in_time" in text:
        return StatusExists()
    return error


@transaction.atomic
def correct_pending(
    student: Student,
    values: dict[str, str],
    school_class: SchoolClass,
    *,
    version: int,
    actor: Actor,
    is_disputed: bool = False,
) -> Student:
    """Rewrite a registration that was returned for correction; every field may change, the number too.

    Raises what create_pending raises, and ChangedMeanwhile when another registrar saved first.
    """
    cleaned, found = examine(values, school_class, is_disputed=is_disputed)
    wrong = errors(found)
    if wrong:
        raise RecordRefused(findings=found, count=len(wrong))
    take_version(student, version)
    lock_seat(school_class, besides=student.pk)
    pupil = load_record(student)
    before = values_of(pupil)
    fill_student(student, cleaned)
    place_in_class(pupil.enrolment, school_class)
    fill_enrolment(pupil.enrolment, cleaned, student)
    document = pupil.document
    assert document is not None, "a pupil without a document row"
    fill_document(document, cleaned, is_disputed=is_disputed)
    try:
        with transaction.atomic():
            student.save()
            document.save()
            pupil.enrolment.save()
            save_auxiliary(student, cleaned.get("auxiliary_number", ""))
    except IntegrityError as error:
        raise _taken(error) from error
    replace_family(student, [member_values(cleaned, 1), member_values(cleaned, 2)])
    changed = changed_keys(before, cleaned)
    record(
        "registry.student.correct",
        student,
        actor=actor,
        fields=changed,
        values=repr([cleaned[k] for k in changed]),
    )
    return student


@transaction.atomic
def confirm(student: Student, *, actor: Actor, on: date) -> Enrolment:
    """Turn the pending spell into a normal one (R-EST-04). Safe to repeat: a normal spell stays as it is."""
    spell: Enrolment = student.enrolments.select_for_update().get(is_void=False, status__in=("00", "01"))
    if spell.status != NORMAL:
        spell.status = NORMAL
        spell.save(update_fields=["status"])
        record("registry.student.register", student, actor=actor, basis="R-EST-04")
    return spell


@transaction.atomic
def take_back(student: Student, *, actor: Actor, reason: str) -> None:
    """End a registration that was refused or withdrawn: the spell is void, the document claims nothing any
    more.

    The rows stay, with their trace; another school may register the child at once.
    """
    student.enrolments.filter(is_void=False, status="00").update(status=REFUSED, is_void=True)
    student.documents.update(is_claimed=False)
    Student.objects.filter(pk=student.pk).update(version=F("version") + 1)
    record("registry.student.take_back", student, actor=actor, reason=reason)
