"""The units of a promotion: the schools right under a county, or under a city, province or authority."""

from typing import Any

from django.db import connection

from config.clock import today
from registry.models import PromotionRun
from registry.status import OPEN

# A township is no unit of its own. A school that stands promoted this year is not asked again (R-GRD-10).
_SCHOOLS = """FROM accounts_organization o
JOIN accounts_organization p ON p.id = o.parent_id
JOIN accounts_organization u ON u.id = CASE p.kind WHEN 'township' THEN p.parent_id ELSE p.id END
WHERE o.kind = 'school' AND o.valid @> %(today)s::date
  AND NOT EXISTS (SELECT FROM registry_promotionschool d WHERE d.school_id = o.id AND d.year = %(year)s
    AND d.done_at IS NOT NULL AND d.undone_at IS NULL)
  AND EXISTS (SELECT FROM registry_enrolment e WHERE e.school_id = o.id AND e.status = ANY(%(open)s)
    AND NOT e.is_void)"""


def divide(run: PromotionRun) -> int:
    """Write the units of a run that has none yet; how many. Needs the nation's scope."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO registry_promotionpart (run_id, path, name, state, reason, digest, counts)"
            f" SELECT DISTINCT %(run)s::bigint, u.path, u.name, 'waiting', '', '', '{{}}'::jsonb {_SCHOOLS}"
            " ON CONFLICT DO NOTHING",
            _given(run.year) | {"run": run.pk},
        )
        return int(cursor.rowcount)


def schools_of(path: str, year: int) -> list[int]:
    """The schools of one unit that have pupils and are still to be promoted."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT o.id {_SCHOOLS} AND u.path = %(path)s", _given(year) | {"path": path})
        return [pk for (pk,) in cursor.fetchall()]


def _given(year: int) -> dict[str, Any]:
    return {"today": today(), "year": year, "open": list(OPEN)}
