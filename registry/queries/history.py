"""A record over time: how it stood on a day, what happened to it, and who looked at it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from audit.models import AccessEntry, Event
from audit.sentences import sentence
from registry.fields import BY_KEY
from registry.models import Enrolment, FamilyMember, IdentityDocument, Student, StudentNumber
from registry.queries.dossier import Dossier, assemble
from registry.queries.sight import Sight
from registry.record import Record

MOST_ACTS = 200
MOST_READERS = 50
# What pghistory calls the row it keeps when a row is deleted.
_GONE = "delete"


def _end_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


def _rows_as_of(model: type[Model], day: date, **whose: Any) -> list[Any]:
    """The rows of `model` as they stood at the end of `day`, unsaved, newest version of each.

    A sealed value opens because the copy has the id of the row it was sealed for.
    """
    event_model = apps.get_model("registry", f"{model.__name__}Event")
    versions = (
        event_model._default_manager.filter(pgh_created_at__lt=_end_of(day), **whose)
        .order_by("pgh_obj_id", "-pgh_id")
        .distinct("pgh_obj_id")
    )
    names = [column.attname for column in model._meta.concrete_fields if column.attname != "public_id"]
    return [
        model(**{name: getattr(version, name) for name in names if hasattr(version, name)})
        for version in versions
        if not version.pgh_label.startswith(_GONE)
    ]


def dossier_as_of(student: Student, sight: Sight, day: date) -> Dossier | None:
    """The record at the end of `day`, or None when it did not exist then, or not for this office.

    `student` was resolved in scope; the wall stands before the history tables too.
    """
    then: list[Student] = _rows_as_of(Student, day, pgh_obj_id=student.pk)
    spells: list[Enrolment] = _rows_as_of(Enrolment, day, student_id=student.pk)
    if not then or not spells:
        return None
    former = then[0]
    former.public_id = student.public_id
    spell = min(spells, key=lambda row: (row.is_void, -row.valid.lower.toordinal()))
    documents: list[IdentityDocument] = _rows_as_of(IdentityDocument, day, student_id=student.pk)
    family: list[FamilyMember] = _rows_as_of(FamilyMember, day, student_id=student.pk)
    record = Record(
        former,
        max(documents, key=lambda row: row.pk, default=None),
        spell,
        sorted(family, key=lambda row: row.ordinal),
    )
    return assemble(former, sight, record, as_of=day)


@dataclass(frozen=True, slots=True)
class Act:
    """One line of the timeline: when, what, who and where in one sentence, on which basis and why."""

    at: datetime
    sentence: str
    action: str
    basis: str
    reason: str


def spells_of(student: Student, user: User, sight: Sight) -> list[Enrolment]:
    """Every spell in her scope, newest first; void ones too, marked as such."""
    spells = Enrolment.objects.visible_to(user, sight.right).filter(student=student)
    return list(spells.select_related("school", "school_class").order_by("-valid", "-id"))


def numbers_of(student: Student, user: User, sight: Sight) -> list[StudentNumber]:
    """Every number the pupil has or had."""
    numbers = StudentNumber.objects.visible_to(user, sight.right).filter(student=student)
    return list(numbers.order_by("-issued_at", "-id"))


def acts_on(student: Student, user: User, sight: Sight) -> list[Act]:
    """What was done to the record, newest first."""
    events = Event.objects.visible_to(user, sight.right).filter(subject_type="student", subject_id=student.pk)
    return [_act(event) for event in events.order_by("-at", "-id")[:MOST_ACTS]]


def _act(event: Event) -> Act:
    return Act(event.at, sentence(event), event.action, event.basis, event.reason)


@dataclass(frozen=True, slots=True)
class Reader:
    """One look at the record. `person` is empty for readers without the right to the log (AU-6, RD-4)."""

    at: datetime
    office: str
    person: str
    what: str
    purpose: str
    outcome: str
    outcome_name: str


def readers_of(student: Student, user: User, sight: Sight) -> list[Reader]:
    """The newest looks at the record in her scope; persons are named to holders of VIEW_LOG."""
    entries = AccessEntry.objects.visible_to(user, sight.right).filter(
        subject_type="student", subject_id=student.pk
    )
    with_names = sight.shows("reader_names")
    return [
        Reader(
            at=entry.at,
            office=entry.office_name,
            person=entry.actor_name if with_names or entry.actor_id == user.pk else "",
            what=fields_in_words(entry.fields),
            purpose=entry.purpose,
            outcome=entry.outcome,
            outcome_name=AccessEntry.Outcome(entry.outcome).label,
        )
        for entry in entries.order_by("-at", "-id")[:MOST_READERS]
    ]


def fields_in_words(fields: list[str]) -> str:
    parts = {
        "basic": _("基本信息"),
        "family": _("家庭成员"),
        "history": _("学籍经历"),
        "graduation": _("毕业"),
        "readers": _("谁看过"),
        "health": _("健康信息"),
        "edit": _("修改页"),
    }
    return "、".join(parts.get(key) or (BY_KEY[key].label_zh if key in BY_KEY else key) for key in fields)
