"""What a guardian reads: the own child's record, who looked at it, and what is open (RD-4)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from accounts.models import Organization
from accounts.offices import authority_of
from accounts.roles import Right
from audit.models import AccessEntry, Event
from audit.sentences import act_name
from config.clock import now, today
from config.errors import NotFound
from config.rules import rule
from exchange.guardians.door import Visit
from registry.field_rights import GUARDIAN
from registry.queries.dossier import Dossier, open_dossier
from registry.queries.history import fields_in_words
from registry.queries.sight import Sight
from transfers.kinds import KINDS
from transfers.models import Case
from transfers.tracking import code_of

MOST = 50
# A guardian sees the whole form and the health data of the own child, masked like everywhere else.
_SIGHT = Sight(
    "guardian", frozenset({str(Right.VIEW_STUDENT), str(Right.VIEW_HEALTH)}), frozenset({GUARDIAN})
)


def dossier_of(visit: Visit) -> Dossier:
    return open_dossier(visit.student, _SIGHT)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the record as a guardian sees it: when, which office, what for; never the person."""

    pk: int
    at: datetime
    office: str
    how: str
    what: str
    purpose: str


def looks_at(visit: Visit) -> list[Look]:
    """The newest looks at the record; inspections only some weeks after they happened (RD-4)."""
    entries = _entries(visit).order_by("-at", "-id")[:MOST]
    return [
        Look(
            entry.pk, entry.at, entry.office_name, AccessEntry.Outcome(entry.outcome).label,
            fields_in_words(entry.fields), entry.purpose,
        )
        for entry in entries
    ]  # fmt: skip


def look(visit: Visit, pk: int) -> AccessEntry:
    """One of the looks that the guardian may see. Raises NotFound."""
    entry = _entries(visit).filter(pk=pk).first()
    if entry is None:
        raise NotFound()
    return entry


def _entries(visit: Visit) -> Any:
    own = AccessEntry.objects.filter(subject_type="student", subject_id=visit.student.pk)
    own = own.exclude(outcome=AccessEntry.Outcome.REFUSED)
    days = rule("INSPECTION_HIDDEN_DAYS", at=visit.code.org_path, on=today()).number
    recent = own.filter(at__gt=now() - timedelta(days=days))
    school = Organization.objects.get(path=visit.code.org_path)
    authority = authority_of(school)
    # An inspection is a look from above the competent authority.
    line = authority.path if authority else visit.code.org_path
    return own.exclude(pk__in=recent.exclude(office_path__startswith=line).values("pk"))


@dataclass(frozen=True, slots=True)
class Business:
    """A case about the child, with the code of its tracking page."""

    number: str
    kind: str
    state: str
    state_name: str
    filed_on: date
    code: str


def business_of(visit: Visit) -> list[Business]:
    """Open cases first, then the newest ended ones."""
    cases = Case.objects.filter(student=visit.student).order_by("-is_open", "-id")[:MOST]
    return [
        Business(
            case.number, KINDS[case.kind].name, case.state, str(case.get_state_display()),
            case.filed_at.date(), code_of(case.number),
        )
        for case in cases
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Act:
    at: datetime
    what: str
    office: str


def acts_on(visit: Visit) -> list[Act]:
    """What was done to the record, newest first."""
    events = Event.objects.filter(subject_type="student", subject_id=visit.student.pk)
    # The act's name, not its sentence: that one names persons (RD-4).
    return [
        Act(one.at, act_name(one.action), one.office_name) for one in events.order_by("-at", "-id")[:MOST]
    ]
