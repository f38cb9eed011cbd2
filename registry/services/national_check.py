"""全国查重: the whole country compared with itself by sets, beside the look at each pupil who is numbered
(R-EST-05, HANDBOOK A9).

It finds records with one identity number, and records with one name, sex and birth date. Records judged on
these very data do not come back; nothing merges (R-PRB-02).
"""

from django.db import connection

from audit.services import System, record_each
from config.faults import fault
from config.scope import NATION, ancestors, scoped_transaction
from registry.models import ProblemRecord, Student
from registry.services.duplicates import due_on, identity_digest
from registry.status import OPEN

PACK = 5_000  # pairs written in one transaction
_NEIGHBOURS = 5  # with how many of her namesakes each is paired: a hundred give no ten thousand pairs
FOUND_BY = "全国查重"

# One pass over the pupils and one over the documents: whoever shares nothing has left after the grouping.
# What stays has statistics of its own: behind the wall the planner would expect one row, and join by loops.
_SHARERS = """CREATE TEMPORARY TABLE sharers ON COMMIT DROP AS
SELECT '3' AS type, array_agg(s.id ORDER BY s.id) AS ids FROM registry_student s
GROUP BY s.birth_on, s.name_fold, s.sex HAVING count(*) > 1
UNION ALL
SELECT '2', array_agg(DISTINCT d.student_id) FROM registry_identitydocument d
WHERE d.blind IS NOT NULL GROUP BY d.blind HAVING count(DISTINCT d.student_id) > 1"""
_LIVING = """(SELECT true FROM registry_enrolment e
  WHERE e.student_id = {id} AND e.status = ANY(%(open)s) AND NOT e.is_void LIMIT 1)"""
_HAS_NUMBER = """(SELECT d.mask <> '' AND d.type <> 'Z' AND NOT d.is_disputed
  FROM registry_identitydocument d WHERE d.student_id = {id} ORDER BY d.id DESC LIMIT 1)"""
_WRITTEN = """EXISTS (SELECT FROM registry_problemrecord r WHERE r.closed_at IS NULL AND r.type = p.type
  AND r.student_id = p.first AND r.other_id = p.other AND (p.is_hint OR NOT r.is_hint))"""
_PAIRS = f"""CREATE TEMPORARY TABLE twins AS
SELECT row_number() OVER (ORDER BY p.type, p.first, p.other) AS place, p.*, s.org_path,
  t.org_path AS other_path
FROM (
  SELECT n.type, n.ids[i] AS first, n.ids[j] AS other, n.type = '3' AND coalesce(
    {_HAS_NUMBER.format(id="n.ids[i]")} AND {_HAS_NUMBER.format(id="n.ids[j]")}, false) AS is_hint
  FROM sharers n CROSS JOIN LATERAL generate_subscripts(n.ids, 1) AS i
  CROSS JOIN LATERAL generate_series(i + 1, CASE n.type
    WHEN '3' THEN least(i + %(neighbours)s, cardinality(n.ids)) ELSE cardinality(n.ids) END) AS j
  WHERE {_LIVING.format(id="n.ids[i]")} AND {_LIVING.format(id="n.ids[j]")}
) p JOIN registry_student s ON s.id = p.first JOIN registry_student t ON t.id = p.other
WHERE NOT {_WRITTEN}"""  # noqa: S608  (put together of what stands above)

_JUDGED = """SELECT p.place, p.first, p.other, r.judged_digest FROM twins p JOIN registry_problemrecord r
ON r.student_id = p.first AND r.other_id = p.other AND r.side = 'record'
WHERE p.place > %(after)s AND p.place <= %(after)s + %(pack)s
AND r.closed_at IS NOT NULL AND r.judged_digest <> '' AND (p.is_hint OR NOT r.is_hint)"""

_WRITE = f"""INSERT INTO registry_problemrecord
  (org_path, other_path, type, side, student_id, other_id, is_hint, found_by, detail)
SELECT p.org_path, p.other_path, p.type, 'record', p.first, p.other, p.is_hint, %(found_by)s,
  CASE p.type WHEN '2' THEN '身份证件号相同' ELSE '姓名、性别、出生日期相同' END
FROM twins p WHERE p.place > %(after)s AND p.place <= %(after)s + %(pack)s
AND NOT p.place = ANY(%(judged)s) AND NOT {_WRITTEN} ORDER BY p.place
RETURNING id"""  # noqa: S608


def compare_all() -> int:
    """Compare everybody with everybody; how many problem records were opened. Safe to repeat and to cut."""
    with scoped_transaction(NATION):
        pairs = _find_pairs()
    found = 0
    for after in range(0, pairs, PACK):
        with scoped_transaction(NATION):
            found += _write(after)
    return found


def _find_pairs() -> int:
    """Keep, in this connection, the pairs of the country that nobody has written down; how many."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS sharers, twins")
        cursor.execute(_SHARERS)
        cursor.execute("ANALYZE sharers")
        cursor.execute(_PAIRS, {"open": list(OPEN), "neighbours": _NEIGHBOURS})
        cursor.execute("ANALYZE twins")
        cursor.execute("SELECT count(*) FROM twins")
        return int(cursor.fetchone()[0])


def _write(after: int) -> int:
    """Problem records for the pairs of one pack; how many. A look at one pupil that writes one of them at
    this moment ends the transaction: the next run goes on.
    """
    pack = {"after": after, "pack": PACK}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('compare all', 0))")
        cursor.execute(_JUDGED, pack)
        judged = _judged_on_these_data(cursor.fetchall())
        cursor.execute(_WRITE, pack | {"found_by": FOUND_BY, "judged": judged})
        ids = [pk for (pk,) in cursor.fetchall()]
    fault("compare.written")
    rows = ProblemRecord.objects.filter(pk__in=ids)
    problems = rows.filter(is_hint=False)
    for province in {ancestors(path)[1] for path in problems.values_list("org_path", flat=True).distinct()}:
        problems.filter(org_path__startswith=province).update(
            due_on=due_on(province)
        )  # no school sets the days
    acts = [(row, {"type": row.type, "is_hint": row.is_hint}) for row in rows.order_by("pk")]
    record_each("registry.problem.found", acts, actor=System(NATION), basis="R-EST-05")
    return len(ids)


def _judged_on_these_data(rows: list[tuple[int, int, int, str]]) -> list[int]:
    """The places of pairs that somebody has judged on the data they have now (R-PRB-03); three queries."""
    needed = Student.objects.only("name_fold", "sex", "birth_on").prefetch_related("documents")
    students = needed.in_bulk({pk for _place, first, other, _digest in rows for pk in (first, other)})
    return [place for place, first, other, digest in rows
            if identity_digest([students[first], students[other]]) == digest]  # fmt: skip
