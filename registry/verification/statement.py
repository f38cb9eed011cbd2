"""The one statement by which a run checks the schools right under one office (R-VER-02, R-VER-03).

Set-based: it finds everything, writes what is new, opens again what came back, and closes what is found no
longer. Nothing it writes is D4: facts are codes and counts. What a roll says (facts with `by`) is the
roll's to take back, until the pupil has left the school.
"""

from functools import cache

from registry.checks import NOT_OF_OVERSEAS
from registry.fields import FIELDS
from registry.models import Student

_COLUMNS = {"student": "s", "enrolment": "e"}
# Grade and class have findings of their own, key fields cannot be empty.
_MANDATORY = [
    field
    for field in FIELDS
    if field.mandatory == "Y"
    and field.place in _COLUMNS
    and field.key not in ("grade", "class_number", "birth_on", "status_number")
]


def _missing() -> str:
    """The keys of the empty mandatory columns of one pupil, as an array."""
    parts = []
    for field in _MANDATORY:
        empty = f"{_COLUMNS[field.place]}.{field.key} = ''"
        if field.key in NOT_OF_OVERSEAS:
            empty += " AND s.overseas_status = '00'"
        parts.append(f"CASE WHEN {empty} THEN '{field.key}' END")
    return f"array_remove(ARRAY[{', '.join(parts)}], NULL)"


_GROUND = f"""
WITH schools AS MATERIALIZED (
  SELECT o.path, left(k.schooling, 1)::int AS primary_years
  FROM accounts_organization o JOIN registry_school k ON k.organization_id = o.id
  WHERE o.path = ANY (%(paths)s)
), reports AS MATERIALIZED (
  SELECT org_path, student_id,
    bool_or(is_present AND school_year = %(year)s AND semester = %(semester)s) AS is_here,
    bool_or(is_present AND school_year = %(year_before)s AND semester = %(semester_before)s) AS was_here
  FROM registry_reportin
  WHERE org_path = ANY (%(paths)s) AND (school_year, semester) IN
    ((%(year)s, %(semester)s), (%(year_before)s, %(semester_before)s))
  GROUP BY 1, 2
), reporting AS MATERIALIZED (
  SELECT org_path FROM reports GROUP BY 1 HAVING bool_or(is_here) AND bool_or(was_here)
), pupils AS MATERIALIZED (
  SELECT e.org_path, e.student_id, e.school_class_id, e.status, e.created_at, lower(e.valid) AS since,
    e.status = ANY (%(in_school)s) AS in_school,
    substr(e.grade, 2)::int AS grade_year,
    CASE WHEN e.entry_month ~ '^[0-9]{{4}}-[0-9]{{2}}$' THEN %(year)s + 1 - left(e.entry_month, 4)::int
      + CASE WHEN right(e.entry_month, 2) < '07' THEN 1 ELSE 0 END END AS expected,
    extract(year FROM age(%(cutoff)s::date, s.birth_on))::int AS age,
    %(entry_age)s + CASE left(e.grade, 1) WHEN '1' THEN 0 WHEN '2' THEN k.primary_years ELSE 9 END
      + substr(e.grade, 2)::int - 1 AS low,
    coalesce(r.is_here, false) AS is_here, coalesce(r.was_here, false) AS was_here,
    {_missing()} AS missing
  FROM registry_enrolment e
  JOIN schools k ON k.path = e.org_path
  JOIN registry_student s ON s.id = e.student_id
  LEFT JOIN reports r ON r.org_path = e.org_path AND r.student_id = e.student_id
  WHERE e.org_path = ANY (%(paths)s) AND e.status = ANY (%(open)s) AND NOT e.is_void
), classes AS MATERIALIZED (
  SELECT k.id, k.org_path, coalesce(p.pupils, 0) AS pupils,
    coalesce(p.pupils, 0) + (
      SELECT count(*) FROM registry_attendance a
      WHERE a.school_class_id = k.id AND a.valid @> %(today)s::date) AS taken,
    least(k.cap, CASE left(k.grade, 1) WHEN '1' THEN %(most_primary)s ELSE %(most_secondary)s END
      + coalesce((SELECT sum(t.seats) FROM registry_seatpermission t
        WHERE t.school_class_id = k.id AND t.valid @> %(today)s::date), 0)) AS seats,
    EXISTS (SELECT FROM registry_reportin r WHERE r.school_class_id = k.id
      AND r.school_year = %(year)s AND r.semester = %(semester)s) AS is_reported
  FROM registry_schoolclass k LEFT JOIN (
    SELECT school_class_id, count(*) AS pupils FROM pupils WHERE in_school GROUP BY 1
  ) p ON p.school_class_id = k.id
  WHERE k.org_path = ANY (%(paths)s) AND k.is_open
), problems AS MATERIALIZED (
  SELECT student_id, type, is_hint FROM registry_problemrecord WHERE closed_at IS NULL
  UNION ALL
  SELECT other_id, type, is_hint FROM registry_problemrecord WHERE closed_at IS NULL AND NOT is_hint
)"""  # noqa: S608

# Each line of findings: kind, path, pupil, class, facts.
_FOUND = """
  SELECT 'data' AS kind, org_path, student_id, school_class_id,
    jsonb_build_object('fields', missing) AS facts
  FROM pupils WHERE missing <> '{}'
 UNION ALL
  SELECT 'guardian', org_path, student_id, school_class_id, '{}' FROM pupils p WHERE NOT EXISTS (
    SELECT FROM registry_familymember f WHERE f.student_id = p.student_id AND f.is_guardian)
 UNION ALL
  SELECT 'document', org_path, student_id, school_class_id, '{}' FROM pupils p WHERE NOT EXISTS (
    SELECT FROM registry_identitydocument d WHERE d.student_id = p.student_id AND d.is_claimed)
 UNION ALL
  SELECT 'photo', org_path, NULL, school_class_id, jsonb_build_object('pupils', count(*)) FROM pupils p
  -- By the pupil's index: materials have none by path, a hashed look-up would read the whole country's.
  WHERE in_school AND school_class_id IS NOT NULL AND since <= %(filed_since)s::date AND NOT EXISTS (
    SELECT FROM _MATERIALS m WHERE m.student_id = p.student_id AND m.kind = 'photo')
  GROUP BY org_path, school_class_id
 UNION ALL
  SELECT 'age', org_path, student_id, school_class_id,
    jsonb_build_object('age', age, 'low', low, 'high', low + 2)
  FROM pupils WHERE in_school AND age NOT BETWEEN low AND low + 2
 UNION ALL
  SELECT 'no_class', org_path, student_id, NULL, '{}' FROM pupils
  WHERE in_school AND school_class_id IS NULL
 UNION ALL
  SELECT 'pending', org_path, student_id, school_class_id, '{}' FROM pupils
  WHERE status = %(pending)s AND created_at < %(pending_since)s::date
 UNION ALL
  SELECT 'suspension', p.org_path, p.student_id, NULL, jsonb_build_object('until', max(c.until))
  FROM pupils p JOIN registry_statuschange c ON c.student_id = p.student_id
  WHERE p.status = %(suspended)s AND c.until < %(today)s::date AND c.closed_on IS NULL
  GROUP BY p.org_path, p.student_id
 UNION ALL
  SELECT 'unmoved', org_path, student_id, school_class_id,
    jsonb_build_object('expected', expected, 'now', grade_year)
  FROM pupils p WHERE status = %(normal)s AND expected <> grade_year AND NOT EXISTS (
    SELECT FROM registry_statuschange c WHERE c.student_id = p.student_id AND c.from_grade <> c.to_grade)
 UNION ALL
  SELECT 'paper', p.org_path, p.student_id, p.school_class_id, '{}' FROM pupils p
  WHERE p.student_id IN (
      SELECT student_id FROM registry_statuschange WHERE effective_on >= %(began_before)s::date)
    AND NOT EXISTS (SELECT FROM _MATERIALS m WHERE m.student_id = p.student_id AND m.kind = 'document')
 UNION ALL
  SELECT CASE WHEN r.is_hint THEN 'duplicate' ELSE 'problem' END, p.org_path, p.student_id,
    min(p.school_class_id), jsonb_build_object('types', jsonb_agg(DISTINCT r.type))
  FROM pupils p JOIN problems r ON r.student_id = p.student_id
  GROUP BY r.is_hint, p.org_path, p.student_id
 UNION ALL
  SELECT 'class_over', org_path, NULL, id, jsonb_build_object('pupils', taken, 'cap', seats)
  FROM classes WHERE taken > seats
 UNION ALL
  SELECT 'unreported', org_path, NULL, id, jsonb_build_object('pupils', pupils)
  FROM classes WHERE pupils > 0 AND NOT is_reported
 UNION ALL
  SELECT CASE WHEN NOT p.was_here AND p.since <= %(began_before)s::date
      AND p.org_path IN (SELECT org_path FROM reporting) THEN 'vacant' ELSE 'absent' END,
    p.org_path, p.student_id, p.school_class_id, '{}'
  FROM pupils p
  -- IS TRUE keeps it a hashed look-up: as a join it would walk all classes for every pupil.
  WHERE p.status = %(normal)s AND NOT p.is_here AND p.since <= %(began)s::date
    AND (p.school_class_id IN (SELECT id FROM classes WHERE is_reported)) IS TRUE"""

_WRITTEN = """
, found AS MATERIALIZED (
  SELECT *, coalesce(student_id, -school_class_id) AS about FROM (_FOUND) every
), known AS MATERIALIZED (
  SELECT id, org_path, kind, coalesce(student_id, -school_class_id) AS about, state, gone_at, facts
  FROM registry_finding
  WHERE campaign_id = %(campaign)s AND org_path = ANY (%(paths)s) AND kind = ANY (%(kinds)s)
), written AS (
  INSERT INTO registry_finding (campaign_id, org_path, kind, student_id, school_class_id, facts, due_on)
  SELECT %(campaign)s, n.org_path, n.kind, n.student_id, n.school_class_id, n.facts, %(due)s::date
  FROM found n LEFT JOIN known k USING (org_path, kind, about)
  WHERE k.id IS NULL AND NOT n.org_path = ANY (%(signed)s)
  RETURNING 1
), again AS (
  UPDATE registry_finding f SET facts = n.facts, school_class_id = n.school_class_id, gone_at = NULL,
    closed_at = NULL,
    -- What came back has no plan: the one it had was carried out, and did not do.
    state = CASE WHEN k.gone_at IS NULL THEN f.state ELSE 'open' END,
    due_on = CASE WHEN k.gone_at IS NULL THEN f.due_on ELSE %(due)s::date END,
    escalated_on = CASE WHEN k.gone_at IS NULL THEN f.escalated_on END
  FROM known k JOIN found n USING (org_path, kind, about)
  WHERE f.id = k.id AND NOT k.org_path = ANY (%(signed)s)
    AND (k.gone_at IS NOT NULL
      OR k.state <> 'closed' AND k.facts <> n.facts AND k.facts->>'by' IS NULL)
  RETURNING 1
), gone AS (
  UPDATE registry_finding f SET state = 'closed', closed_at = now(), gone_at = now()
  FROM known k LEFT JOIN found n USING (org_path, kind, about)
  WHERE f.id = k.id AND n.kind IS NULL AND f.state <> 'closed' AND f.offence IS NULL
    AND (k.facts->>'by' IS NULL
      OR k.about > 0 AND ((k.org_path, k.about) IN (SELECT org_path, student_id FROM pupils)) IS NOT TRUE)
  RETURNING 1
)
SELECT (SELECT count(*) FROM written), (SELECT count(*) FROM again), (SELECT count(*) FROM gone)"""


@cache
def statement() -> str:
    """The whole. The table of papers is the archive's, which we may not import: the relation names it."""
    papers = Student._meta.get_field("materials").related_model
    assert papers is not None  # noqa: S101  # a relation has its other side
    return _GROUND + _WRITTEN.replace("_FOUND", _FOUND.replace("_MATERIALS", papers._meta.db_table))


# What the findings of some schools amount to. Read after writing: a statement does not see its own rows.
RECOUNT = """
UPDATE registry_schoolverification v SET
  findings_total = n.total, findings_open = n.still, unplanned = n.unplanned, overdue = n.overdue
FROM (
  SELECT o.path, count(f.id) AS total,
    count(f.id) FILTER (WHERE f.state <> 'closed') AS still,
    count(f.id) FILTER (WHERE f.state = 'open') AS unplanned,
    count(f.id) FILTER (WHERE f.state <> 'closed' AND f.escalated_on IS NOT NULL) AS overdue
  FROM unnest(%(paths)s::text[]) AS o (path)
  LEFT JOIN registry_finding f ON f.org_path = o.path AND f.campaign_id = %(campaign)s
  GROUP BY o.path
) n WHERE v.org_path = n.path AND v.campaign_id = %(campaign)s"""
