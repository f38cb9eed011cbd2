"""直属学校: the county in which a directly run school lies holds its suspicions in the ledger, too (R-DRP-02,
R-DRP-04).

The row carries the county's path beside the school's, so the county sees it; the pupil stays behind the
wall. What is shown of her is read under the path that the row itself names, and nothing can be done there.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import groupby
from typing import Any

from django.db import connection

from accounts.models import User
from audit.services import System, record_many
from config.clock import today
from config.errors import NotFound
from config.scope import scope, scoped_transaction
from registry.models import Student
from registry.protection import hidden_from, in_force

Cards = dict[int, dict[str, Any]]

# Schools move, and offices are reorganised: who hosts a school is asked anew each night. Of a protected pupil
# no other county's ledger has a row (AZ-10).
_HOSTS = """
WITH counties AS MATERIALIZED (
  SELECT DISTINCT ON (left(division, 6)) left(division, 6) AS place, path FROM accounts_organization
  WHERE kind = 'county' AND valid @> %(day)s AND division <> '' ORDER BY 1, path
)
UPDATE registry_suspecteddropout s SET host_path = c.path
FROM registry_suspecteddropout t JOIN accounts_organization o ON o.path = t.org_path
LEFT JOIN counties c ON c.place = left(o.division, 6) AND NOT starts_with(o.path, c.path)
  AND NOT EXISTS (SELECT FROM registry_protection p
    WHERE p.student_id = t.student_id AND p.state = 'in_force' AND p.until >= %(day)s)
WHERE t.id = s.id AND t.org_path >= %(path)s AND t.org_path < %(path)s || '~' AND t.closed_on IS NULL
  AND t.host_path IS DISTINCT FROM c.path
RETURNING s.id, s.org_path"""


def set_hosts(path: str) -> int:
    """Put the open suspicions under `path` into the ledgers of the counties in which their schools lie; how
    many were put elsewhere. Safe to repeat.
    """
    with scoped_transaction(path), connection.cursor() as cursor:
        cursor.execute(_HOSTS, {"path": path, "day": today()})
        moved = cursor.fetchall()
        record_many(
            "registry.suspicion.host", "suspecteddropout", moved, actor=System(acting_path=path),
            basis="R-DRP-04",
        )  # fmt: skip
    return len(moved)


def is_hosted(user: User, row: Any) -> bool:
    """Whether she sees the row as the county that hosts its school only."""
    return not str(row.org_path).startswith(user.acting_path)


@contextmanager
def reaching(user: User, row: Any) -> Iterator[None]:
    """Read what belongs to a row that she has found: its pupil, under the school's path where that lies
    beyond her own. Raises NotFound for a protected pupil, as if the row were missing (AZ-10).
    """
    with scope(row.org_path) if is_hosted(user, row) else nullcontext():
        if _hidden(user, row).filter(student_id=row.student_id).exists():
            raise NotFound()
        yield


def _hidden(user: User, row: Any) -> Any:
    """Protected pupils whom she does not see: of a hosted school all of them, whatever she holds at home."""
    return in_force().values_list("student_id", flat=True) if is_hosted(user, row) else hidden_from(user)


def cards(user: User, rows: Sequence[Any], told: Callable[[Iterable[Student]], Cards]) -> Cards:
    """What `told` says of the pupils of these rows, by id, without the protected: one round for her own rows
    and one for each hosted school.
    """
    found: Cards = {}
    for path, some in groupby(sorted(rows, key=partial(_place, user)), partial(_place, user)):
        ids = [row.student_id for row in some]
        with scope(path) if path else nullcontext():
            pupils = Student.objects.filter(pk__in=ids)
            if path:
                pupils = pupils.exclude(pk__in=in_force().values("student_id"))
            found |= told(pupils.only("pk", "public_id", "name", "birth_on", "sex"))
    return found


def _place(user: User, row: Any) -> str:
    """Under which path the pupil is read; empty: her own."""
    return str(row.org_path) if is_hosted(user, row) else ""
