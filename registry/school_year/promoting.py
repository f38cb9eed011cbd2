"""The promotion of a set of schools in the caller's transaction, and nothing else: set-based SQL, the same
for the rehearsal and in earnest (R-GRD-08, R-UPD-02).

Everybody of the school year that ends is put into one of FATES first, under lock; the rest follows from that
table.
Nobody in another state than 正常在校 moves; where the class moves on without her she waits for a new class.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from audit.services import Actor, record_set
from config.faults import fault
from registry.codes import choices
from registry.school_year.year import SchoolYear
from registry.services.grades import grade_steps, next_grade_sql
from registry.services.state_rules import REPEAT
from registry.status import DEAD, EXPELLED, GRADUATE, LEFT, NORMAL, OPEN, PENDING, WITHDRAWN

ENDED = (LEFT, WITHDRAWN, EXPELLED, DEAD)  # she left, and to no other school

# What becomes of an open spell, in the order in which it is told. Only the first moves.
FATES = {
    "promoted": _("升级"),
    "repeated": _("留级"),
    "graduating": _("毕业年级"),
    "newcomer": _("新学年新生"),
    "came": _("转入前已升级"),
    "beyond": _("年级超出学制"),
    "00": _("待核准"),
    "02": _("休学"),
    "04": _("出国"),
    "05": _("失踪"),
    "06": _("辍学"),
}

# A repeat of this grade, asked for in the school year that ends. The day of effect does not count: performed
# late, or after an undone promotion, it holds her in this promotion and in no other.
_REPEATS = """EXISTS (SELECT FROM registry_statuschange c WHERE c.student_id = e.student_id
  AND c.kind = %(repeat)s AND c.to_grade = e.grade AND c.to_path = e.org_path
  AND c.happened_on >= %(first)s AND c.happened_on < %(turn)s)"""

# She moved here from a school that stood promoted: her turn of this year has been there (G-09). Asked only of
# spells that began since the promotion before.
_CAME = """lower(e.valid) >= %(first)s AND EXISTS (SELECT FROM registry_statuschange c
  WHERE c.student_id = e.student_id AND c.promoted_in = %(year)s)"""

_WAS_HERE = "(upper_inf(e.valid) OR upper(e.valid) >= %(first)s)"


def fate_sql() -> str:
    """The fate of the spell `e` of the school `s`, as an expression; needs what `given` says."""
    last = f"{next_grade_sql()} = ''"
    beyond = "substr(e.grade, 2) > CASE left(e.grade, 1) WHEN '1' THEN left(s.schooling, 1)"
    beyond += " WHEN '2' THEN right(s.schooling, 1) ELSE '3' END"
    return (
        f"CASE WHEN e.status <> '{NORMAL}' THEN e.status WHEN e.entry_month >= %(entry)s THEN 'newcomer'"
        f" WHEN {_CAME} THEN 'came'"
        f" WHEN {beyond} THEN 'beyond' WHEN {last} THEN 'graduating'"
        f" WHEN {_REPEATS} THEN 'repeated' ELSE 'promoted' END"
    )


def given(year: SchoolYear) -> dict[str, Any]:
    """What `fate_sql` asks for."""
    days = {"year": year.year, "first": year.first_day, "turn": year.next_first_day}
    return days | {"repeat": REPEAT, "entry": year.entry_month}


def _gather() -> str:
    # Whoever changes one of these pupils now has committed before, or waits until this ends. The days of a
    # spell say that somebody was here, its status what has become of her: one must bear out the other.
    return f"""CREATE TEMPORARY TABLE promoting ON COMMIT DROP AS
SELECT e.id, e.student_id, e.school_id, e.org_path, e.school_class_id, e.grade, e.status,
  {_WAS_HERE} AS was_here, {next_grade_sql()} AS next,
  CASE WHEN e.status = ANY(%(open)s) THEN {fate_sql()}
    WHEN NOT upper_inf(e.valid) AND e.status = ANY(%(graduated)s) THEN 'graduated'
    WHEN NOT upper_inf(e.valid) AND e.status = ANY(%(left)s) THEN 'left' ELSE e.status END AS fate
FROM registry_enrolment e JOIN registry_school s ON s.organization_id = e.school_id
WHERE e.school_id = ANY(%(schools)s) AND NOT e.is_void AND (e.status = ANY(%(open)s) OR {_WAS_HERE})
  AND NOT EXISTS (SELECT FROM registry_enrolmentsnapshot n WHERE n.enrolment_id = e.id)
ORDER BY e.id FOR NO KEY UPDATE OF e"""  # noqa: S608  # our own constants


# What two persons confirm: who moves, and who loses her class. Others come and go until midnight.
_DIGESTS = f"""SELECT p.school_id, o.path, coalesce(encode(sha256(convert_to(string_agg(concat_ws('|', p.id,
  p.grade, p.status, coalesce(p.school_class_id, 0), p.fate, p.next), ';' ORDER BY p.id)
  FILTER (WHERE p.fate = 'promoted' OR p.status = '{NORMAL}' AND c.id IS NOT NULL), 'UTF8')), 'hex'), '')
FROM promoting p JOIN accounts_organization o ON o.id = p.school_id
  LEFT JOIN promoting_class c ON c.id = p.school_class_id GROUP BY p.school_id, o.path"""  # noqa: S608  # our own constants

# A class goes up with its pupils as soon as one of them does; empty ones and those of newcomers stay.
_CLASSES = """CREATE TEMPORARY TABLE promoting_class ON COMMIT DROP AS
SELECT c.id, c.school_id, c.grade, c.name, p.next, c.name AS next_name
FROM registry_schoolclass c JOIN (SELECT DISTINCT school_class_id, grade, next FROM promoting
  WHERE fate = 'promoted' AND school_class_id IS NOT NULL) p ON p.school_class_id = c.id AND p.grade = c.grade
ORDER BY c.id FOR NO KEY UPDATE OF c"""

# 一(1)班 becomes 二(1)班 where the name begins with the grade's word; other names stay as they are.
_NAMES = """UPDATE promoting_class p SET next_name = w.after || substr(p.name, length(w.before) + 1)
FROM registry_school s, (VALUES {words}) w (schooling, grade, before, after)
WHERE s.organization_id = p.school_id AND w.schooling = s.schooling AND w.grade = p.grade
  AND p.name ~ ('^' || w.before || '([(（0-9]|年级)')"""

_MOVE_SPELLS = f"""UPDATE registry_enrolment e SET
  grade = CASE p.fate WHEN 'promoted' THEN p.next ELSE e.grade END,
  school_class_id = CASE p.fate WHEN 'promoted' THEN e.school_class_id END,
  class_number = CASE p.fate WHEN 'promoted' THEN e.class_number ELSE '' END
FROM promoting p LEFT JOIN promoting_class c ON c.id = p.school_class_id
WHERE e.id = p.id AND (p.fate = 'promoted' OR c.id IS NOT NULL AND p.status IN ('{NORMAL}', '{PENDING}'))"""  # noqa: S608  # our own constants

_MOVE_CLASSES = """UPDATE registry_schoolclass c SET grade = p.next, name = p.next_name
FROM promoting_class p WHERE c.id = p.id"""

# Before: by the days. After, from the rows as they are now: who moved stands one grade higher, everybody else
# where she stood.
_RECOUNT = """SELECT p.school_id, p.fate, count(*) FILTER (WHERE p.was_here),
  count(*) FILTER (WHERE e.status = p.status
  AND NOT e.is_void AND e.grade = CASE p.fate WHEN 'promoted' THEN p.next ELSE p.grade END)
FROM promoting p LEFT JOIN registry_enrolment e ON e.id = p.id GROUP BY p.school_id, p.fate"""

# Whose spell lies at her next school by now, behind the wall: her certificate or her snapshot tells of her. A
# graduate has both.
_GONE_ON = """SELECT l.school_id, 'graduated', count(*) FROM registry_graduationrecord g
  JOIN registry_graduationlist l ON l.id = g.graduation_id
WHERE l.school_id = ANY(%(schools)s) AND g.voided_on IS NULL AND g.graduated_on >= %(first)s
  AND NOT EXISTS (SELECT FROM promoting p WHERE p.id = g.enrolment_id) GROUP BY 1
UNION ALL SELECT o.id, 'left', count(*) FROM registry_enrolmentsnapshot n
  JOIN accounts_organization o ON o.path = n.org_path
WHERE o.id = ANY(%(schools)s) AND n.as_of >= %(first)s
  AND NOT EXISTS (SELECT FROM registry_graduationrecord g WHERE g.enrolment_id = n.enrolment_id) GROUP BY 1"""

_FINDINGS = {
    # An open case does not stop a promotion; of a graduate it does stop the graduation (R-GRD-02).
    "blocked": """SELECT p.school_id, count(*) FROM promoting p
  JOIN registry_openbusiness b USING (student_id) WHERE p.fate IN ('promoted', 'graduating') GROUP BY 1""",
    "early": """SELECT school_id, count(*) FROM promoting
WHERE fate = 'graduating' AND grade = ANY(%(not_last)s) GROUP BY 1""",
    "without_class": """SELECT school_id, count(*) FROM promoting p
WHERE p.status = ANY(%(in_school)s) AND p.fate <> 'promoted'
  AND EXISTS (SELECT FROM promoting_class c WHERE c.id = p.school_class_id) GROUP BY 1""",
    "no_successor": """SELECT p.school_id, count(*) FROM promoting_class p WHERE NOT EXISTS (
  SELECT FROM registry_schoolclass c WHERE c.school_id = p.school_id AND c.is_open AND c.grade = p.next)
GROUP BY 1""",
}

_KEPT = """SELECT s.id,
 coalesce((SELECT jsonb_object_agg(g.grade, g.ids) FROM (SELECT p.grade, jsonb_agg(p.id ORDER BY p.id)
   FROM promoting p WHERE p.school_id = s.id AND p.fate = 'promoted' GROUP BY p.grade) g (grade, ids)), '{}'),
 coalesce((SELECT jsonb_agg(to_jsonb(k)) FROM (SELECT id, grade, name, next_name AS after
   FROM promoting_class c WHERE c.school_id = s.id ORDER BY id) k), '[]'),
 coalesce((SELECT jsonb_agg(to_jsonb(k)) FROM (SELECT p.id, c.id AS class, p.grade, p.status
   FROM promoting p JOIN promoting_class c ON c.id = p.school_class_id WHERE p.school_id = s.id
   AND p.fate <> 'promoted' AND p.status = ANY(%(in_school)s) ORDER BY p.id) k), '[]')
FROM (SELECT DISTINCT school_id AS id FROM promoting) s"""


@dataclass(slots=True)
class AtSchool:
    """What a promotion does at one school."""

    school_id: int
    path: str
    digest: str
    counts: dict[str, int] = field(default_factory=dict)
    spells: dict[str, list[int]] = field(default_factory=dict)  # by the grade before
    classes: list[Any] = field(default_factory=list)
    unplaced: list[Any] = field(default_factory=list)
    is_equal: bool = True  # before = promoted + repeated + graduated + left + the unmoved states


def promote(
    schools: Sequence[int], year: SchoolYear, *, actor: Actor, last_grades: Sequence[str]
) -> list[AtSchool]:
    """Promote everybody of `schools` whose turn it is; what it did at each school that has pupils.

    `last_grades` are those in which pupils of the locality graduate: elsewhere they would too early.
    """
    asked = given(year) | {
        "schools": list(schools), "open": list(OPEN), "in_school": [NORMAL, PENDING],
        "graduated": list(GRADUATE), "left": list(ENDED),
        "not_last": [code for code, _name in choices("grade") if code not in last_grades],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_gather(), asked)
        cursor.execute("ANALYZE promoting")
        cursor.execute(_CLASSES)
        cursor.execute(_DIGESTS)
        found = {pk: AtSchool(pk, path, digest) for pk, path, digest in cursor.fetchall()}
        cursor.execute(_NAMES.format(words=_words()))
        fault("promote.gathered")
        for key, sql in _FINDINGS.items():
            cursor.execute(sql, asked)
            for pk, count in cursor.fetchall():
                found[pk].counts[key] = count
        cursor.execute(_MOVE_SPELLS)
        fault("promote.spells")
        cursor.execute(_MOVE_CLASSES)
        cursor.execute(_KEPT, asked)
        for pk, spells, classes, unplaced in cursor.fetchall():
            at = found[pk]
            # Django leaves JSON of a bare cursor as text.
            at.spells, at.classes, at.unplaced = (json.loads(one) for one in (spells, classes, unplaced))
        _count(cursor, asked, found)
        _record(actor, year)
        fault("promote.recorded")
        cursor.execute("DROP TABLE promoting, promoting_class")
    return sorted(found.values(), key=lambda at: at.path)


def _count(cursor: Any, asked: dict[str, Any], found: dict[int, AtSchool]) -> None:
    """Both sides of the equation: before, and each way in which a pupil is accounted for."""
    cursor.execute(_RECOUNT)
    for pk, fate, before, after in cursor.fetchall():
        counts = found[pk].counts
        counts[fate] = after
        counts["before"] = counts.get("before", 0) + before
    cursor.execute(_GONE_ON, asked)
    for pk, way, count in cursor.fetchall():
        if pk in found:
            counts = found[pk].counts
            counts[way] = counts.get(way, 0) + count
            counts["before"] = counts.get("before", 0) + count
    for at in found.values():
        at.is_equal = is_equal(at.counts)


def is_equal(counts: dict[str, int]) -> bool:
    """before = promoted + repeated + graduated + left + the states that do not move."""
    return counts.get("before", 0) == sum(counts.get(way, 0) for way in (*FATES, "graduated", "left"))


def summed(all_counts: Sequence[dict[str, int]]) -> dict[str, int]:
    """The counts of several schools or units together."""
    total: dict[str, int] = defaultdict(int)
    for counts in all_counts:
        for key, count in counts.items():
            total[key] += count
    return dict(total)


def digest_of(pairs: Sequence[tuple[str, str]]) -> str:
    """One hash over (path, hash) pairs, in order of the paths, without schools where nobody moves."""
    lines = [f"{path} {digest}" for path, digest in sorted(pairs) if digest]
    return sha256("\n".join(lines).encode()).hexdigest()


def _record(actor: Actor, year: SchoolYear) -> None:
    codes, names = zip(*choices("grade"), strict=True)
    record_set(
        "registry.student.promote", "student",
        "SELECT p.student_id, p.org_path, jsonb_build_object('year', %s::int, 'before', b.name,"
        " 'after', a.name) FROM promoting p JOIN unnest(%s::text[], %s::text[]) b (code, name)"
        " ON b.code = p.grade JOIN unnest(%s::text[], %s::text[]) a (code, name) ON a.code = p.next"
        " WHERE p.fate = 'promoted'",
        [year.year, list(codes), list(names), list(codes), list(names)],
        actor=actor, basis="R-GRD-08", fields=["grade"],
    )  # fmt: skip


def _words() -> str:
    """The words with which names of classes begin, by length of schooling and grade."""
    numbers = "一二三四五六七八九"
    rows = []
    for schooling, grade, _next in grade_steps():
        # In junior school both are usual: 初一 and, counted through, 七.
        starts = {"1": [("", 0)], "2": [("初", 0), ("", int(schooling[0]))], "3": [("高", 0)]}[grade[0]]
        for word, behind in starts:
            now = int(grade[1]) + behind
            before, after = f"{word}{numbers[now - 1]}", f"{word}{numbers[now]}"
            rows.append(f"('{schooling}', '{grade}', '{before}', '{after}')")
    return ", ".join(rows)
