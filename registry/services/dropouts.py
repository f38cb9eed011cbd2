"""The dropout ledger: an entry opens and closes with the change of state that brings it (R-DRP-03, R-DRP-07).

All are safe to repeat and run in the transaction of that change; an entry shares its event.
"""

from datetime import date

from django.db.models import F, Value
from django.db.models.functions import Greatest

from audit.services import Actor, record
from config.clock import today
from registry.models import Absence, DropoutEntry, Student, SuspectedDropout


def open_entry(student: Student, case_no: str, reason: str, last_seen: date, day: date) -> None:
    """Open the pupil's entry, once; it stays open until she is back or her status ends."""
    DropoutEntry.objects.get_or_create(
        student=student,
        closed_on=None,
        defaults={
            "org_path": student.org_path, "case_no": case_no, "reason": reason, "opened_on": day,
            "last_seen_on": last_seen,
        },
    )  # fmt: skip


def close_entry(student: Student, case_no: str, day: date) -> None:
    """Close the pupil's open entry, if she has one, by the case that brought her back or ended her status."""
    entries = DropoutEntry.objects.filter(student=student, closed_on=None)
    entries.update(closed_on=day, closed_by_case=case_no)


def settle_absence(student: Student, day: date, *, actor: Actor) -> None:
    """A change of status ends the pupil's absence and strikes her suspicion off."""
    running = Absence.objects.filter(student=student, ended_on=None)
    ends = Greatest(Value(day), F("from_on"))
    running.update(ended_on=ends, ended_how=Absence.Ended.CASE, ended_by_name=actor.name)
    close_suspicion(student.pk, SuspectedDropout.Closed.CASE, actor=actor)


def close_suspicion(student_id: int, how: str, *, actor: Actor) -> None:
    """Strike the pupil's open suspicion off the ledger, if there is one."""
    name = getattr(actor, "signing_name", actor.name)
    for entry in SuspectedDropout.objects.filter(student_id=student_id, closed_on=None):
        closed = SuspectedDropout.objects.filter(pk=entry.pk, closed_on=None)
        if closed.update(closed_on=today(), closed_how=how, closed_by_name=name):
            record(f"registry.suspicion.{how}", entry, actor=actor, basis="R-DRP-07")
