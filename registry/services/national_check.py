"""全国查重: the whole country compared with itself by sets, beside the look at each pupil who is numbered
(R-EST-05, HANDBOOK A9).

It finds records with one identity number, and records with one name, sex and birth date. Records judged on
these very data do not come back; nothing merges (R-PRB-02).
"""

from typing import Any

from django.db import connection

from audit.services import System, record_each
from config.faults import fault
from config.scope import NATION, scoped_transaction
from registry.models import ProblemRecord, Student
from registry.services.duplicates import due_on, was_judged
from registry.status import OPEN

PACK = 20_000  # pairs written in one transaction
_NEIGHBOURS = 5  # with how many of her namesakes each is paired: a hundred give no ten thousand pairs
FOUND_BY = "全国查重"

# One pass over the pupils and one over the documents. Whoever shares nothing has left after the grouping.
_PAIRS = """CREATE TEMPORARY TABLE twins ON COMMIT DROP AS
WITH living AS MATERIALIZED (
  SELECT student_id FROM registry_enrolment WHERE status = ANY(%(open)s) AND NOT is_void
), namesakes AS MATERIALIZED (
  SELECT unnest(ids) AS id, ids FROM (
    SELECT array_agg(s.id ORDER BY s.id) AS ids FROM registry_student s
    GROUP BY s.birth_on, s.name_fold, s.sex HAVING count(*) > 1) shared
), holders AS MATERIALIZED (
  SELECT unnest(ids) AS id, ids FROM (
    SELECT array_agg(DISTINCT d.student_id) AS ids FROM registry_identitydocument d
    WHERE d.blind IS NOT NULL GROUP BY d.blind HAVING count(DISTINCT d.student_id) > 1) shared
), numbered AS MATERIALIZED (
  SELECT DISTINCT ON (d.student_id) d.student_id,
    d.mask <> '' AND d.type <> 'Z' AND NOT d.is_disputed AS has_one
  FROM registry_identitydocument d WHERE d.student_id IN (SELECT id FROM namesakes)
  ORDER BY d.student_id, d.id DESC
), pairs AS (
  SELECT '3' AS type, n.id AS first, o.id AS other, coalesce(a.has_one AND b.has_one, false) AS is_hint
  FROM namesakes n CROSS JOIN LATERAL unnest(n.ids) WITH ORDINALITY AS o (id, place)
  LEFT JOIN numbered a ON a.student_id = n.id LEFT JOIN numbered b ON b.student_id = o.id
  WHERE o.id > n.id AND o.place <= array_position(n.ids, n.id) + %(neighbours)s
 UNION ALL
  SELECT '2', h.id, o, false FROM holders h CROSS JOIN LATERAL unnest(h.ids) AS o WHERE o > h.id
)
SELECT p.*, s.org_path, t.org_path AS other_path FROM pairs p
JOIN registry_student s ON s.id = p.first JOIN registry_student t ON t.id = p.other
WHERE p.first IN (SELECT student_id FROM living) AND p.other IN (SELECT student_id FROM living)
AND NOT EXISTS (SELECT FROM registry_problemrecord r WHERE r.closed_at IS NULL AND r.type = p.type
  AND r.student_id = p.first AND r.other_id = p.other AND r.is_hint = p.is_hint)"""

_JUDGED = """SELECT DISTINCT t.first, t.other FROM twins t JOIN registry_problemrecord r
ON r.student_id = t.first AND r.other_id = t.other AND r.judged_digest <> ''"""

_WRITE = """INSERT INTO registry_problemrecord
  (org_path, other_path, type, side, student_id, other_id, is_hint, found_by, detail)
SELECT org_path, other_path, type, 'record', first, other, is_hint, %(found_by)s,
  CASE type WHEN '2' THEN '身份证件号相同' ELSE '姓名、性别、出生日期相同' END
FROM twins ORDER BY type, first, other LIMIT %(pack)s
RETURNING id"""


def compare_all() -> int:
    """Compare everybody with everybody; how many problem records were opened. Safe to repeat and to cut."""
    total, found = 0, PACK
    while found == PACK:
        with scoped_transaction(NATION):
            found = _compare()
        total += found
    return total


def _compare() -> int:
    """The pairs of the country that nobody has written down, and problem records for the first PACK of them.

    A look at one pupil that writes the same pair meanwhile ends this transaction: the next run goes on.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('compare all', 0))")
        cursor.execute("DROP TABLE IF EXISTS twins")
        cursor.execute(_PAIRS, {"open": list(OPEN), "neighbours": _NEIGHBOURS})
        _leave_out_judged(cursor)
        cursor.execute(_WRITE, {"found_by": FOUND_BY, "pack": PACK})
        ids = [pk for (pk,) in cursor.fetchall()]
    fault("compare.written")
    rows = ProblemRecord.objects.filter(pk__in=ids)
    for path in sorted(set(rows.filter(is_hint=False).values_list("org_path", flat=True))):
        rows.filter(org_path=path, is_hint=False).update(due_on=due_on(path))
    acts = [(row, {"type": row.type, "is_hint": row.is_hint}) for row in rows.order_by("pk")]
    record_each("registry.problem.found", acts, actor=System(NATION), basis="R-EST-05")
    return len(ids)


def _leave_out_judged(cursor: Any) -> None:
    """Pairs that somebody has judged on the data they have now (R-PRB-03): few, and each by its digest."""
    cursor.execute(_JUDGED)
    pairs = cursor.fetchall()
    students = Student.objects.in_bulk({pk for pair in pairs for pk in pair})
    for first, other in pairs:
        if was_judged(students[first], students[other], ProblemRecord.Side.RECORD):
            cursor.execute("DELETE FROM twins WHERE first = %s AND other = %s", [first, other])
