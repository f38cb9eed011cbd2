"""Two schools become one: classes keep their pupils, every status ends and begins on one day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import F

from audit.services import record_many
from registry.models import Enrolment, IntakePlan, SchoolClass, StatusQuota
from registry.status import MOVED, OPEN, PENDING

if TYPE_CHECKING:
    from registry.reorganizing.execute import Run

CATEGORY, REASON = "99", "12"  # 其他变动; 学校撤并分流

# A status that waits for registration, begins later or has run out goes over as it is; every other one is
# closed here and opened there.
_BEGUN = "lower(e.valid) < %s AND (upper_inf(e.valid) OR upper(e.valid) > %s) AND e.status <> %s"
_OWN = "e.school_id = %s AND NOT e.is_void AND e.status = ANY(%s)"
_TAKE = f"""SELECT e.id, e.student_id, e.status FROM registry_enrolment e
WHERE e.org_path = %s AND {_OWN} AND {_BEGUN} LIMIT %s FOR UPDATE"""
_CLOSE = """UPDATE registry_enrolment SET status = %s, valid = daterange(lower(valid), %s), org_path = %s
WHERE id = ANY(%s)"""
_CHANGE = """
INSERT INTO registry_statuschange (from_path, to_path, counted_path, student_id, case_no, kind, category,
  reason, from_school_id, to_school_id, from_status, to_status, from_grade, to_grade, from_class, to_class,
  happened_on, effective_on, is_late)
SELECT %s, %s, %s, e.student_id, %s, %s, %s, %s, %s, %s, p.status, p.status, e.grade, e.grade,
  coalesce(n.before, ''), coalesce(n.name, ''), %s, %s, false
FROM unnest(%s::bigint[], %s::text[]) AS p (spell, status) JOIN registry_enrolment e ON e.id = p.spell
LEFT JOIN unnest(%s::bigint[], %s::text[], %s::text[]) AS n (class_id, before, name)
  ON n.class_id = e.school_class_id"""
_CARRY = f"""UPDATE registry_enrolment e SET school_id = %s, class_number = coalesce(c.number, e.class_number)
FROM registry_enrolment own LEFT JOIN registry_schoolclass c ON c.id = own.school_class_id
WHERE own.id = e.id AND {_OWN}"""


def join_classes(run: Run, room: int) -> int:
    """All classes go to the successor with grade and pupils, under the numbers and names that were shown."""
    plan = run.plan
    ids, numbers, names = ([one[place] for one in plan.classes] for place in (0, 2, 4))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE registry_schoolclass c SET school_id = %s, org_path = %s,"
            " number = p.number, name = p.name"
            " FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS p (id, number, name)"
            " WHERE c.id = p.id AND c.school_id = %s",
            [plan.target, plan.new_path, ids, numbers, names, plan.office],
        )
        return int(cursor.rowcount)


def join_spells(run: Run, room: int) -> int:
    """Up to `room` pupils: the status at the old school ends and an equal one at the successor begins on the
    same day.
    """
    plan, day = run.plan, run.day
    with connection.cursor() as cursor:
        own = [plan.old_path, plan.office, list(OPEN), day, day, PENDING, room]
        cursor.execute(_TAKE, own)
        rows = cursor.fetchall()
        if not rows:
            return 0
        spells, _pupils, statuses = (list(column) for column in zip(*rows, strict=True))
        cursor.execute(_CLOSE, [MOVED, day, plan.new_path, spells])
        cursor.execute(_opening(), [plan.new_path, plan.target, day, spells, statuses])
        ids, befores, names = ([one[place] for one in plan.classes] for place in (0, 3, 4))
        cursor.execute(
            _CHANGE,
            [*(plan.new_path,) * 3, run.case_no, plan.kind, CATEGORY, REASON, plan.office, plan.target,
             day, day, spells, statuses, ids, befores, names],
        )  # fmt: skip
    record_many(
        "registry.student.merge", "student", [(pk, plan.new_path) for _spell, pk, _status in rows],
        actor=run.actor, basis="G-17", number=run.case_no, school=plan.target_name, before=plan.office_name,
    )  # fmt: skip
    return len(rows)


def _opening() -> str:
    """The new spell: every column of the old one but school, path, days, and the class's new number."""
    given = {
        "org_path": "%s", "school_id": "%s", "valid": "daterange(%s, NULL)", "status": "p.status",
        "class_number": "coalesce(c.number, e.class_number)",
    }  # fmt: skip
    names = [
        str(one.column)
        for one in Enrolment._meta.concrete_fields
        if one.column not in ("id", "created_at", *given)
    ]
    columns = ", ".join((*given, *names))
    values = ", ".join((*given.values(), *(f"e.{name}" for name in names)))
    return (
        f"INSERT INTO registry_enrolment ({columns}) SELECT {values}"
        " FROM unnest(%s::bigint[], %s::text[]) AS p (spell, status)"
        " JOIN registry_enrolment e ON e.id = p.spell"
        " LEFT JOIN registry_schoolclass c ON c.id = e.school_class_id"
    )


def join_rest(run: Run, room: int) -> int:
    """What else names the school: statuses that were not split, campuses, allowances, workbooks, guests."""
    plan = run.plan
    with connection.cursor() as cursor:
        cursor.execute(_CARRY, [plan.target, plan.office, list(OPEN)])
        for table, column, more in REPOINTED:
            cursor.execute(
                f"UPDATE {table} SET {column} = %s WHERE {column} = %s {more}", [plan.target, plan.office]
            )
    _add_up(run)
    return 0


# Foreign keys to the school that follow it; a test knows those that stay with the past.
REPOINTED = (
    ("registry_campus", "school_id", ""),
    ("registry_importbatch", "school_id", ""),
    ("registry_attendance", "host_id", "AND (upper_inf(valid) OR upper(valid) > CURRENT_DATE)"),
    ("registry_attendance", "home_id", "AND (upper_inf(valid) OR upper(valid) > CURRENT_DATE)"),
)


def _add_up(run: Run) -> None:
    """招生计划 and 学籍总量 of both schools become one figure."""
    plan = run.plan
    for model, key, figure in (
        (IntakePlan, ("school_year", "stage"), "planned"),
        (StatusQuota, ("stage",), "most"),
    ):
        theirs = {
            tuple(getattr(row, one) for one in key): row for row in model.objects.filter(school=plan.target)
        }
        for row in model.objects.filter(school=plan.office):
            same = theirs.get(tuple(getattr(row, one) for one in key))
            if same is None:
                model.objects.filter(pk=row.pk).update(school=plan.target)
            else:
                model.objects.filter(pk=same.pk).update(**{figure: F(figure) + getattr(row, figure)})
                row.delete()


def close_classes(run: Run, room: int) -> int:
    """A closed school's classes are history."""
    SchoolClass.objects.filter(school=run.plan.office, is_open=True).update(is_open=False)
    return 0
