"""The dropout ledger: an entry opens and closes with the change of state that brings it (R-DRP-03, R-DRP-07).

Both functions are safe to repeat and run in the transaction of that change, whose event they share.
"""

from datetime import date

from registry.models import DropoutEntry, Student


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
