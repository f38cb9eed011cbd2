"""How long cases take: working days from filing to the end, by lane, of the last year."""

from datetime import date, timedelta

from django.db import connection

from config.clock import today
from config.workdays import Calendar
from transfers.models import LanePace

_FOLD = """
INSERT INTO transfers_lanepace (lane, count, half, most, folded_at)
SELECT c.lane, count(*), percentile_disc(0.5) WITHIN GROUP (ORDER BY e.n - f.n),
       percentile_disc(0.9) WITHIN GROUP (ORDER BY e.n - f.n), now()
FROM transfers_case c
JOIN unnest(%(days)s::date[], %(counts)s::int[]) AS f (day, n)
  ON f.day = (c.filed_at AT TIME ZONE 'Asia/Shanghai')::date
JOIN unnest(%(days)s::date[], %(counts)s::int[]) AS e (day, n)
  ON e.day = (c.ended_at AT TIME ZONE 'Asia/Shanghai')::date
WHERE c.state = 'done' AND c.lane <> '' AND c.ended_at >= %(since)s
GROUP BY c.lane
ON CONFLICT (lane) DO UPDATE
SET count = excluded.count, half = excluded.half, most = excluded.most, folded_at = excluded.folded_at
"""


def fold_lanes() -> int:
    """Count anew how long each lane's cases of the last year took; how many lanes there are.

    Two joins with a table of days, not a calendar question per case. The scope decides which cases count:
    the nightly job runs it for the nation.
    """
    last = today()
    since = last - timedelta(days=365)
    days, counts = _workdays(since - timedelta(days=365), last)
    with connection.cursor() as cursor:
        cursor.execute(_FOLD, {"days": days, "counts": counts, "since": since})
    return LanePace.objects.count()


def _workdays(first: date, last: date) -> tuple[list[date], list[int]]:
    """Each day, and how many working days there were up to it."""
    calendar = Calendar({first.year, last.year})
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    counts, so_far = [], 0
    for day in days:
        so_far += bool(calendar.workday(day))
        counts.append(so_far)
    return days, counts
