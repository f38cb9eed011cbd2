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


def close_entry(student: Student, case_no: str, day: date, *, legal_end: str = "") -> None:
    """Close the pupil's open entry, if she has one, by the case that brought her back; or by the one that
    ended her status, for which `legal_end` has a word.
    """
    entries = DropoutEntry.objects.filter(student=student, closed_on=None)
    entries.update(closed_on=day, closed_by_case=case_no, legal_end=legal_end)


def settle_absence(student: Student, day: date, *, actor: Actor) -> None:
    """A change of status ends the pupil's absence and strikes her suspicion off."""
    _settle(student.pk, Absence.Ended.CASE, SuspectedDropout.Closed.CASE, day, actor=actor)


def confirm_at_school(student_id: int, *, actor: Actor) -> None:
    """The authority has seen the proof: the suspicion is struck off, and the absence ends with it. If it went
    on, the alarm would open the same suspicion the next day.
    """
    _settle(student_id, Absence.Ended.RETURNED, SuspectedDropout.Closed.CONFIRMED, today(), actor=actor)


def _settle(student_id: int, absence: str, suspicion: str, day: date, *, actor: Actor) -> None:
    name = getattr(actor, "signing_name", actor.name)
    running = Absence.objects.filter(student_id=student_id, ended_on=None)
    running.update(ended_on=Greatest(Value(day), F("from_on")), ended_how=absence, ended_by_name=name)
    for entry in SuspectedDropout.objects.filter(student_id=student_id, closed_on=None):
        closed = SuspectedDropout.objects.filter(pk=entry.pk, closed_on=None)
        if closed.update(closed_on=today(), closed_how=suspicion, closed_by_name=name):
            record(f"registry.suspicion.{suspicion}", entry, actor=actor, basis="R-DRP-07")
