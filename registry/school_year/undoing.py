"""Undoing the promotion of one school, by its authority, for a few days (R-GRD-10)."""

import json
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import record, record_set
from config.clock import today
from config.faults import fault
from config.rules import rule
from registry.models import PromotionSchool
from registry.queries.schools import authority_above
from registry.school_year.refusals import NothingToUndo, UndoBuiltUpon, UndoReason, UndoTooLate
from registry.services.grades import next_grade_sql
from registry.status import IN_SCHOOL, OPEN

_SHORTEST, _LONGEST = 6, 200

# Who has been changed since (moved away, told to repeat, skipped a grade) stays as she is.
_GATHER = f"""CREATE TEMPORARY TABLE undoing ON COMMIT DROP AS
SELECT e.id, e.student_id, e.org_path, was.grade
FROM jsonb_each(%(spells)s::jsonb) AS kept (grade, ids), jsonb_array_elements_text(kept.ids) AS one (id),
  registry_enrolment e JOIN registry_school s ON s.organization_id = e.school_id,
  LATERAL (SELECT kept.grade) AS was (grade)
WHERE e.id = one.id::bigint AND e.school_id = %(school)s AND e.status = ANY(%(open)s) AND NOT e.is_void
  AND e.grade = {next_grade_sql("was.grade")}
ORDER BY e.id FOR NO KEY UPDATE OF e"""  # noqa: S608  # our own constants

_SPELLS = "UPDATE registry_enrolment e SET grade = u.grade FROM undoing u WHERE e.id = u.id"

# Somebody else sits in the class by now: its grade cannot go back under her.
_STRANGERS = """SELECT count(*) FROM registry_enrolment e
WHERE e.school_class_id = ANY(%(classes)s) AND e.status = ANY(%(in_school)s) AND NOT e.is_void
  AND NOT EXISTS (SELECT FROM undoing u WHERE u.id = e.id)"""

_CLASSES = """UPDATE registry_schoolclass c SET grade = k.grade,
  name = CASE WHEN c.name = k.after THEN k.name ELSE c.name END
FROM jsonb_to_recordset(%(kept)s::jsonb) AS k (id bigint, grade text, name text, after text)
WHERE c.id = k.id"""

_PLACES = """UPDATE registry_enrolment e SET school_class_id = c.id, class_number = c.number
FROM jsonb_to_recordset(%(unplaced)s::jsonb) AS k (id bigint, class bigint, grade text, status text)
JOIN registry_schoolclass c ON c.id = k.class
WHERE e.id = k.id AND e.school_class_id IS NULL AND e.grade = k.grade AND e.status = k.status
  AND NOT e.is_void"""


def last_day(row: PromotionSchool) -> date:
    """The last day on which the promotion of the school may be undone."""
    assert row.done_at is not None
    days = rule("PROMOTION_UNDO_DAYS", at=row.org_path).number
    return timezone.localdate(row.done_at) + timedelta(days=days)


def authority_path(row: PromotionSchool) -> str:
    """The office that may undo it."""
    authority = authority_above(row.org_path)
    return authority.path if authority else ""


@transaction.atomic
def undo(row: PromotionSchool, *, actor: User, reason: str) -> PromotionSchool:
    """Give the pupils whom the promotion moved their grade back, the classes theirs, and those without a
    class their place. The school then waits for another promotion of the year.

    Raises NotAllowed, NothingToUndo, UndoTooLate, UndoReason, UndoBuiltUpon.
    """
    explain(actor, Right.DECIDE, at=authority_path(row)).or_raise()
    row = PromotionSchool.objects.select_for_update(of=("self",)).select_related("school").get(pk=row.pk)
    reason = reason.strip()
    if row.done_at is None or row.undone_at is not None:
        raise NothingToUndo()
    if today() > (last := last_day(row)):
        raise UndoTooLate(last=last.isoformat())
    if not _SHORTEST <= len(reason) <= _LONGEST:
        raise UndoReason()
    count = _give_back(row, actor)
    fault("promote.undone")
    PromotionSchool.objects.filter(pk=row.pk).update(
        undone_at=Now(), undone_by_name=actor.signing_name, undone_reason=reason
    )
    record(
        "registry.promotion.undo", row, actor=actor, basis="R-GRD-10", reason=reason, year=row.year,
        name=row.school.name, count=count,
    )  # fmt: skip
    row.refresh_from_db()
    return row


def _give_back(row: PromotionSchool, actor: User) -> int:
    given: dict[str, Any] = {
        "spells": json.dumps(row.spells), "school": row.school_id, "open": list(OPEN),
        "in_school": list(IN_SCHOOL), "classes": [one["id"] for one in row.classes],
        "kept": json.dumps(row.classes), "unplaced": json.dumps(row.unplaced),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_GATHER, given)
        cursor.execute(_STRANGERS, given)
        if count := cursor.fetchone()[0]:
            raise UndoBuiltUpon(count=str(count))
        cursor.execute(_SPELLS)
        moved = int(cursor.rowcount)
        cursor.execute(_CLASSES, given)
        cursor.execute(_PLACES, given)
        record_set(
            "registry.student.promote_back", "student",
            "SELECT student_id, org_path, jsonb_build_object('year', %s::int) FROM undoing", [row.year],
            actor=actor, basis="R-GRD-10", fields=["grade"],
        )  # fmt: skip
        cursor.execute("DROP TABLE undoing")
    return moved
