"""The evaluator of early warning: reads what was added to the log since last time and warns.

One statement per rule over the log of the whole country, thresholds by the office concerned. Safe to run
twice, at once, or to be cut: `warn` is told the newest entry that was counted and does not count it again.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from audit.models_warnings import SignInAttempt, Watch
from audit.warnings import warn
from config.clock import today
from config.crypto import blind_index
from config.rules import PARAMETERS
from config.rules.in_force import in_force, values_set
from config.scope import NATION, ancestors, common_path, scoped_transaction

LATE = timedelta(minutes=5)  # how long a transaction may stay open before its entries are missed
BEGINNING = timedelta(days=1)  # how far back the first run looks
WORKDAY = timedelta(hours=12)  # the longest sign-in: acts within it belong to the device (AC-6)
ATTEMPTS_KEPT = timedelta(days=30)
FILERS = frozenset({"registrar", "reviewer"})
LEADERS = frozenset({"leader", "bureau_leader"})
_FILING = ("transfers.case.file", "transfers.case.refile")
_FOLLOWS = ("transfers.case.file", "registry.student.create")
# One look-up for a whole workbook: its case comes when the rows are committed, for a household list none.
_BULK = ["check_intake", "compare_households"]
Rows = list[tuple[Any, ...]]


def evaluate() -> int:
    """Evaluate each rule on what is new; answers how many suspicions were found, old ones included."""
    return sum(_evaluate(code, judge) for code, judge in JUDGES.items())


def _evaluate(code: str, judge: "Callable[[datetime, Limits], int]") -> int:
    with scoped_transaction(NATION):
        Watch.objects.get_or_create(rule=code, defaults={"seen_to": timezone.now() - BEGINNING})
        watch = Watch.objects.select_for_update(skip_locked=True).filter(rule=code).first()
        if watch is None:  # another worker is at it
            return 0
        found = judge(watch.seen_to - LATE, Limits(code))
        Watch.objects.filter(pk=watch.pk).update(seen_to=Now())
    return found


class Limits:
    """The thresholds of one rule, by office: the values of all levels are read once."""

    def __init__(self, code: str) -> None:
        self.keys = [key for key in PARAMETERS if key.startswith(f"{code}_")]
        self.stored: dict[tuple[str, str], Any] = {
            (row.key, row.path): row
            for row in values_set().filter(key__in=self.keys, valid__contains=today())
        }

    def __call__(self, key: str, path: str) -> int:
        """The value at the office of `path`: the nearest office above that set one decides."""
        above = (self.stored.get((key, one)) for one in reversed(ancestors(path)))
        return in_force(PARAMETERS[key], next((row for row in above if row), None)).number

    def lowest(self, key: str) -> int:
        return min(self._all(key))

    def highest(self, key: str) -> int:
        return max(self._all(key))

    def _all(self, key: str) -> list[int]:
        set_here = [
            in_force(PARAMETERS[key], row).number for (one, _), row in self.stored.items() if one == key
        ]
        return [in_force(PARAMETERS[key], None).number, *set_here]


def _rows(sql: str, **values: Any) -> Rows:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


@dataclass(frozen=True, slots=True)
class Burst:
    """The densest stretch of a row of moments: how many, and when the last stretch dense enough ended."""

    most: int
    ended: datetime | None


def burst(moments: Sequence[datetime], span: timedelta, bound: int) -> Burst:
    """How many of `moments` (ascending) fall into one stretch of `span`, and the end of the last stretch
    with at least `bound` of them.
    """
    first, most, ended = 0, 0, None
    for last, moment in enumerate(moments):
        while moment - moments[first] > span:
            first += 1
        inside = last - first + 1
        most = max(most, inside)
        if inside >= bound:
            ended = moment
    return Burst(most, ended)


# ── W3: many reveals in a short time ──────────────────────────────────────────────────────────────────
def _reveals(since: datetime, limits: Limits) -> int:
    rows = _rows(
        "SELECT actor_id, (array_agg(office_path ORDER BY at DESC))[1], array_agg(at ORDER BY at)"
        " FROM audit_accessentry WHERE outcome = 'reveal' AND actor_id IS NOT NULL AND at > %(from)s"
        " GROUP BY actor_id HAVING count(*) >= %(bound)s AND max(at) > %(since)s",
        **{"from": since - timedelta(minutes=limits.highest("W3_MINUTES"))},
        since=since, bound=limits.lowest("W3_REVEALS"),
    )  # fmt: skip
    found = 0
    for actor, path, moments in rows:
        dense = burst(moments, timedelta(minutes=limits("W3_MINUTES", path)), limits("W3_REVEALS", path))
        if dense.ended:
            found += 1
            warn(
                "W3", path=path, key=f"user:{actor}", subject_user=actor, seen=dense.ended, reveals=dense.most
            )
    return found


# ── W5: look-ups across scope: many in a day, or a row of them that no case followed ───────────────────
def _look_ups(since: datetime, limits: Limits) -> int:
    midnight = timezone.make_aware(datetime.combine(today(), datetime.min.time()))
    rows = _rows(
        "SELECT asked.actor_id, (array_agg(asked.office_path ORDER BY asked.at DESC))[1], count(*),"
        " count(*) FILTER (WHERE asked.route <> ALL(%(bulk)s)"
        "  AND (followed.at IS NULL OR asked.at > followed.at)), max(asked.at)"
        " FROM audit_accessentry asked LEFT JOIN ("
        "  SELECT actor_id, max(at) AS at FROM audit_event"
        "  WHERE at >= %(midnight)s AND action = ANY(%(follows)s) GROUP BY actor_id"
        " ) followed ON followed.actor_id = asked.actor_id"
        " WHERE asked.outcome = 'look_up' AND asked.at >= %(midnight)s AND asked.actor_id IS NOT NULL"
        " GROUP BY asked.actor_id HAVING max(asked.at) > %(since)s AND count(*) >= %(bound)s",
        bulk=_BULK, midnight=midnight, follows=list(_FOLLOWS), since=since,
        bound=min(limits.lowest("W5_LOOKUPS"), limits.lowest("W5_WITHOUT_CASE")),
    )  # fmt: skip
    found = 0
    for actor, path, asked, idle, newest in rows:
        if asked > limits("W5_LOOKUPS", path) or idle >= limits("W5_WITHOUT_CASE", path):
            found += 1
            warn(
                "W5", path=path, key=f"user:{actor}", subject_user=actor, seen=newest,
                look_ups=asked, without_case=idle,
            )  # fmt: skip
    return found


# ── W7: failed attempts to sign in ────────────────────────────────────────────────────────────────────
def _failures(since: datetime, limits: Limits) -> int:
    begin = {"from": since - timedelta(minutes=limits.highest("W7_MINUTES")), "since": since}
    by_office = _rows(
        "SELECT office_path, array_agg(at ORDER BY at) FROM audit_signinattempt"
        " WHERE is_failure AND account > 0 AND at > %(from)s"
        " GROUP BY office_path HAVING count(*) >= %(bound)s AND max(at) > %(since)s",
        bound=limits.lowest("W7_FAILURES"), **begin,
    )  # fmt: skip
    found = 0
    for path, moments in by_office:
        span = timedelta(minutes=limits("W7_MINUTES", path))
        dense = burst(moments, span, limits("W7_FAILURES", path))
        if dense.ended:
            found += 1
            warn("W7", path=path, key="office", seen=dense.ended, failures=dense.most)
    by_address = _rows(
        "SELECT address, array_agg(at ORDER BY at), array_agg(account ORDER BY at),"
        " array_agg(DISTINCT office_path) FROM audit_signinattempt WHERE is_failure AND at > %(from)s"
        " GROUP BY address HAVING count(DISTINCT account) >= %(bound)s AND max(at) > %(since)s",
        bound=limits.lowest("W7_ACCOUNTS"), **begin,
    )  # fmt: skip
    for address, moments, accounts, paths in by_address:
        path = _common(paths)
        span = timedelta(minutes=limits("W7_MINUTES", path))
        tried = _most_accounts(list(zip(moments, accounts, strict=True)), span)
        if tried >= limits("W7_ACCOUNTS", path):
            found += 1
            warn("W7", path=path, key=f"address:{address.hex}", seen=moments[-1], accounts=tried)
    return found


def _most_accounts(attempts: list[tuple[datetime, int]], span: timedelta) -> int:
    """The most different accounts that were tried within one stretch of `span`."""
    first, most, inside = 0, 0, defaultdict[int, int](int)
    for moment, account in attempts:
        inside[account] += 1
        while moment - attempts[first][0] > span:
            gone = attempts[first][1]
            inside[gone] -= 1
            if not inside[gone]:
                del inside[gone]
            first += 1
        most = max(most, len(inside))
    return most


def _common(paths: Iterable[str]) -> str:
    known = list(paths)
    shared = known[0]
    for path in known[1:]:
        shared = common_path(shared, path)
    return shared


# ── W9: one person in two posts of a case; filer and leader from one device ───────────────────────────
def _posts(since: datetime, limits: Limits) -> int:
    found = 0
    for case, actor, path, newest in _rows(
        "WITH fresh AS (SELECT DISTINCT subject_id FROM audit_event"
        "  WHERE at > %(since)s AND subject_type = 'case' AND action LIKE 'transfers.case.%%')"
        " SELECT subject_id, actor_id, min(office_path), max(at) FROM audit_event"
        " WHERE subject_type = 'case' AND subject_id IN (SELECT subject_id FROM fresh)"
        "  AND actor_id IS NOT NULL AND action LIKE 'transfers.case.%%'"
        " GROUP BY subject_id, actor_id"
        " HAVING count(DISTINCT (office_path, action = ANY(%(filing)s))) > 1"
        "  AND bool_or(action = ANY(%(deciding)s))",
        since=since, filing=list(_FILING), deciding=_DECIDING,
    ):  # fmt: skip
        found += 1
        warn("W9", path=path, key=f"case:{case}", subject_user=actor, seen=newest, posts=2)
    return found + _devices(since, limits)


_DECIDING = ["transfers.case.approve", "transfers.case.refuse", "transfers.case.return"]


def _devices(since: datetime, limits: Limits) -> int:
    """Filer and leader of one office who signed in on one device, one soon after the other: each case on
    which both have acted meanwhile stops; without one, the pair itself is told.
    """
    shared = _rows(
        "SELECT a.office_path, least(a.account, b.account), greatest(a.account, b.account),"
        " min(least(a.at, b.at)), max(greatest(a.at, b.at)), min(greatest(a.at, b.at) - least(a.at, b.at))"
        " FROM audit_signinattempt a JOIN audit_signinattempt b"
        "  ON b.device = a.device AND b.office_path = a.office_path AND b.account <> a.account"
        " WHERE NOT a.is_failure AND NOT b.is_failure AND a.at > %(from)s AND b.at > %(from)s"
        "  AND a.roles && %(filers)s::varchar[] AND b.roles && %(leaders)s::varchar[]"
        "  AND greatest(a.at, b.at) - least(a.at, b.at) <= %(widest)s"
        " GROUP BY 1, 2, 3",
        **{"from": since - WORKDAY}, filers=sorted(FILERS), leaders=sorted(LEADERS),
        widest=timedelta(minutes=limits.highest("W9_MINUTES")),
    )  # fmt: skip
    near = [row for row in shared if row[5] <= timedelta(minutes=limits("W9_MINUTES", row[0]))]
    found = 0
    for path, one, other, first, last, _gap in near:
        found += 1
        cases = _rows(
            "SELECT subject_id, max(at) FROM audit_event WHERE subject_type = 'case' AND at >= %(first)s"
            " AND actor_id IN (%(one)s, %(other)s) AND action LIKE 'transfers.case.%%'"
            " GROUP BY subject_id HAVING count(DISTINCT actor_id) = 2",
            first=first, one=one, other=other,
        )  # fmt: skip
        for case, newest in cases:
            warn("W9", path=path, key=f"case:{case}", subjects=[one, other], seen=newest, persons=2)
        if not cases:
            warn("W9", path=path, key=f"users:{one},{other}", subjects=[one, other], seen=last, persons=2)
    return found


JUDGES: dict[str, Callable[[datetime, Limits], int]] = {
    "W3": _reveals,
    "W5": _look_ups,
    "W7": _failures,
    "W9": _posts,
}


# ── Attempts to sign in: what the evaluator needs of them ─────────────────────────────────────────────
def note_attempt(
    *,
    account: int | None,
    typed: str,
    address: str,
    device: str = "",
    office_path: str = NATION,
    roles: Sequence[str] = (),
    is_failure: bool,
) -> None:
    """Keep one attempt in a transaction of its own; address, device and a name that nobody has as keyed
    digests.
    """
    with transaction.atomic():
        SignInAttempt.objects.create(
            account=account or _mark(typed),
            office_path=office_path,
            address=address_key(address),
            device=blind_index("device", device) if device else None,
            roles=list(roles),
            is_failure=is_failure,
        )


def _mark(typed: str) -> int:
    """Sixteen bits of a keyed digest, below zero: people type passwords where a name belongs."""
    return -1 - (blind_index("sign-in name", typed).int & 0xFFFF)


def address_key(address: str) -> Any:
    """The keyed digest that stands for an address."""
    return blind_index("address", address)


def address_stop_key(address: str) -> str:
    """What a stop of an address is filed under."""
    return f"address:{address_key(address).hex}"


def purge_attempts() -> int:
    """Erase attempts older than a month."""
    return SignInAttempt.objects.filter(at__lt=Now() - ATTEMPTS_KEPT).delete()[0]
