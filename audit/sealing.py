"""The sealer: gives every committed entry of the log a leaf of the tree, in the order of commitment (AU-3).

What a pass has seen is kept as PostgreSQL's own snapshot: the next pass takes what has become visible since,
that is, newer transactions and those that were still running. A long transaction that commits late is found
by its number; nothing is looked for by id or time, and no history is read again.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from audit.canonical import AS_WRITTEN, FORM, SOURCES, SUITE
from audit.merkle import WIDTH, WIDTH_BITS, Tree, full_root
from config.faults import fault
from config.scope import NATION, scope

PACK = 20_000  # transactions, written or not, whose entries one pass seals
_LOCK = "SELECT {}(hashtextextended('seal log', 0))"
_MOST_LEVELS = 8  # 256⁸ leaves


class LogFromAnotherCluster(RuntimeError):
    """The tables were loaded into another database cluster: its transaction numbers do not go on here."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a pass could see: transactions below `end` but those of `running`."""

    end: int
    running: tuple[int, ...]

    @classmethod
    def read(cls, text: str) -> "Seen":
        _start, end, running = text.split(":")
        return cls(int(end), tuple(int(xid) for xid in running.split(",") if xid))

    def up_to(self, end: int) -> "Seen":
        return Seen(end, tuple(xid for xid in self.running if xid < end))

    def __str__(self) -> str:
        return f"{min(self.running, default=self.end)}:{self.end}:{','.join(map(str, self.running))}"


NOTHING = Seen(1, ())


def seal_all() -> int:
    """Seal until nothing is left, pack by pass; answers how many entries. Zero also when another is at it."""
    done, has_more = 0, True
    while has_more:
        sealed, has_more = seal()
        done += sealed
    return done


def seal() -> tuple[int, bool]:
    """Seal one pack in a transaction of its own; answers how many entries, and whether there is another pack.

    Raises LogFromAnotherCluster when the log goes back behind what has been sealed.
    """
    with transaction.atomic(durable=True), scope(NATION), connection.cursor() as cursor:
        if not hold(cursor, waits=False):
            return 0, False
        before, size = last_pass(cursor)
        cursor.execute("SELECT pg_current_snapshot()::text")
        now = Seen.read(cursor.fetchone()[0])
        if now.end < before.end:
            raise LogFromAnotherCluster(f"transaction {before.end} was sealed, {now.end} is next")
        seen = now.up_to(min(now.end, before.end + PACK))
        count = _add_leaves(cursor, before, seen, size)
        _add_nodes(cursor, size, size + count)
        if count or seen.end < now.end:
            cursor.execute(
                "INSERT INTO audit_sealpass (seen, size) VALUES (%s, %s)", [str(seen), size + count]
            )
        fault("before_seal_commits")
    return count, seen.end < now.end


def hold(cursor: Any, *, waits: bool) -> bool:
    """The sealer's lock until the transaction ends: one at a time gives numbers and signs."""
    cursor.execute(_LOCK.format("pg_advisory_xact_lock" if waits else "pg_try_advisory_xact_lock"))
    return bool(waits or cursor.fetchone()[0])


def last_pass(cursor: Any) -> tuple[Seen, int]:
    """What the last pass had seen, and how many leaves there are."""
    cursor.execute("SELECT seen::text, size FROM audit_sealpass ORDER BY id DESC LIMIT 1")
    found = cursor.fetchone()
    return (Seen.read(found[0]), found[1]) if found else (NOTHING, 0)


def _add_leaves(cursor: Any, before: Seen, seen: Seen, size: int) -> int:
    arms = [
        f"SELECT {source.number} AS source, id, at, xid, {source.leaf_sql()} AS hash FROM {source.table}"  # noqa: S608
        " WHERE (xid >= %(from)s AND xid < %(to)s OR xid = ANY(%(late)s::xid8[]))"
        " AND xid <> ALL(%(running)s::xid8[])"
        for source in SOURCES
    ]
    cursor.execute(AS_WRITTEN)
    cursor.execute(
        f"INSERT INTO audit_leaf (number, source, entry_id, at, suite, form, hash)"  # noqa: S608
        f" SELECT %(size)s + row_number() OVER () - 1, source, id, at, {SUITE},"
        f" {FORM}, hash FROM ({' UNION ALL '.join(arms)}) AS fresh",
        {
            "from": str(before.end),
            "to": str(seen.end),
            "late": [str(xid) for xid in before.running],
            # Visible to this statement, but not to the snapshot that is kept: the next pass takes them.
            "running": [str(xid) for xid in seen.running],
            "size": size,
        },
    )
    return int(cursor.rowcount)


def _add_nodes(cursor: Any, first: int, end: int) -> None:
    """The roots of the subtrees that leaves `first` … `end` - 1 have filled, level by level."""
    for level in range(1, _MOST_LEVELS):
        first, end = first >> WIDTH_BITS, end >> WIDTH_BITS
        if first == end:
            return
        table, of_level = ("audit_leaf", "") if level == 1 else ("audit_node", f"level = {level - 1} AND ")
        cursor.execute(
            f"SELECT number >> {WIDTH_BITS}, string_agg(hash, ''::bytea ORDER BY number) FROM {table}"  # noqa: S608
            f" WHERE {of_level} number >= %s AND number < %s GROUP BY 1 ORDER BY 1",
            [first * WIDTH, end * WIDTH],
        )
        full = [(number, full_root(_cut(bytes(hashes)))) for number, hashes in cursor.fetchall()]
        cursor.execute(
            "INSERT INTO audit_node (level, number, hash)"
            " SELECT %s, * FROM unnest(%s::bigint[], %s::bytea[])",
            [level, [number for number, _hash in full], [root for _number, root in full]],
        )


def tree(size: int) -> Tree:
    """The tree over the first `size` leaves that this database keeps."""
    return Tree(size, lambda level, number: _tile(level, number, size))


def _tile(level: int, number: int, size: int) -> list[bytes]:
    table, of_level = ("audit_leaf", "") if level == 0 else ("audit_node", f"level = {level} AND ")
    end = min((number + 1) * WIDTH, size >> WIDTH_BITS * level)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT string_agg(hash, ''::bytea ORDER BY number) FROM {table}"  # noqa: S608
            f" WHERE {of_level} number >= %s AND number < %s",
            [number * WIDTH, end],
        )
        return _cut(bytes(cursor.fetchone()[0] or b""))


def _cut(hashes: bytes) -> list[bytes]:
    return [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
