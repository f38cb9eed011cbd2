"""What is owed and performed: how fast the workers drain it, and what one completion costs beside its floor.

The floor is the same rows written by plain SQL, in one transaction each, with the same driver and the same
durability, into copies of the tables that have B-tree indexes and nothing else: no exclusion constraint, no
trigger, no wall, no foreign key. The rows are found by the transaction that wrote them (`xmin`).
"""

from __future__ import annotations

import re
import time
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from benchmarks.moves import sign_last
from benchmarks.table import percentile
from config.models import Outbox
from config.requestid import current_request_id
from config.scope import NATION, scoped_transaction
from transfers.completion import perform_owed
from transfers.models import Case
from transfers.outbox import COMPLETE_CASE, owe

_MOST_SECONDS = 300
_STEP_SECONDS = 0.2
_OWED = Outbox.objects.filter(kind=COMPLETE_CASE)


# ── The outbox, with the workers as the product runs them ─────────────────────────────────────────────────
def drain(numbers: list[str]) -> dict[str, float]:
    """Wait until what was owed before is done, then owe all of these at once. Answers how long the former
    waited, and how many a second the workers perform. Raises RuntimeError when they do not, or when a case
    was not completed.
    """
    emptied = _until_empty()
    former = _OWED.values_list("created_at", "done_at")
    waits = [(end - start).total_seconds() for start, end in former if end]
    with scoped_transaction(NATION):
        ids = sign_last(numbers)
        for case in Case.objects.filter(pk__in=ids):
            owe(COMPLETE_CASE, case.pk, case.reach)
    _until_empty()
    times = [(start, end) for start, end in former.filter(subject_id__in=ids) if end]
    seconds = (max(end for _start, end in times) - min(start for start, _end in times)).total_seconds()
    with scoped_transaction(NATION):
        refused = Case.objects.filter(~Q(state=Case.State.DONE), pk__in=_OWED.values("subject_id")).count()
    if refused:
        raise RuntimeError(f"{refused} approved cases were not completed")
    return {
        "drained": len(ids), "rate": len(ids) / seconds, "emptied": emptied, "completed": len(waits),
        "wait_p95": percentile(waits, 0.95),
    }  # fmt: skip


def _until_empty() -> float:
    began = time.monotonic()
    while left := _OWED.filter(done_at=None).count():
        if time.monotonic() - began > _MOST_SECONDS:
            errors = set(_OWED.filter(done_at=None).values_list("last_error", flat=True))
            raise RuntimeError(f"{left} effects are still owed: {errors}")
        time.sleep(_STEP_SECONDS)
    return time.monotonic() - began


# ── One completion after the other, in a process that does what the worker does ───────────────────────────
def touched(number: str) -> dict[str, Any]:
    """What one completion writes, by table (inserts, updates, deletes), and how many statements it sends;
    it is taken back.
    """
    statements = 0

    def counted(execute: Any, *arguments: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*arguments)

    with transaction.atomic():
        before = _writes()
        with connection.execute_wrapper(counted):
            perform_owed(_owe_quietly([number])[0])
        tables = {name: [now - then for now, then in zip(counts, before.get(name, (0, 0, 0)), strict=True)]
                  for name, counts in _writes().items()}  # fmt: skip
        transaction.set_rollback(True)
    return {"tables": {name: counts for name, counts in tables.items() if any(counts)},
            "statements": statements}  # fmt: skip


def _writes() -> dict[str, list[int]]:
    found = _rows("SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_xact_user_tables"
                  " WHERE schemaname = 'public'")  # fmt: skip
    return {name: counts for name, *counts in found}


def _owe_quietly(numbers: list[str]) -> list[int]:
    """Sign and owe without telling the queue: nobody but this process performs them."""
    with scoped_transaction(NATION):
        cases = Case.objects.filter(pk__in=sign_last(numbers))
        common = {"kind": COMPLETE_CASE, "request_id": current_request_id()}
        rows = [Outbox(subject_id=case.pk, path=case.reach, **common) for case in cases]
        return [row.pk for row in Outbox.objects.bulk_create(rows)]


def complete(numbers: list[str]) -> dict[str, Any]:
    """Milliseconds of each completion, and the numbers of the transactions between which it lies."""
    spans, milliseconds = [], []
    for pk in _owe_quietly(numbers):
        first = _next_transaction()
        began = time.perf_counter()
        assert perform_owed(pk)
        milliseconds.append((time.perf_counter() - began) * 1000)
        spans.append((first, _next_transaction()))
    return {"ms": milliseconds, "spans": spans}


def _next_transaction() -> int:
    return int(_rows("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")[0][0])


# ── The floor, as the owner ───────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Table:
    """A table and its copy in the schema `floor`: columns with their types, and the primary key."""

    name: str
    columns: dict[str, str]
    key: tuple[str, ...]

    @property
    def as_text(self) -> str:
        return ", ".join(f'"{name}"::text' for name in self.columns)

    @property
    def keys(self) -> str:
        return ", ".join(f'"{name}"::text' for name in self.key)

    def insert(self, rows: int) -> str:
        one = ", ".join(f"%s::{kind}" for kind in self.columns.values())
        names, values = ", ".join(f'"{name}"' for name in self.columns), ", ".join([f"({one})"] * rows)
        return f"INSERT INTO floor.{self.name} ({names}) VALUES {values}"  # noqa: S608

    @property
    def update(self) -> str:
        changed = ", ".join(f'"{name}" = %s::{kind}' for name, kind in self.columns.items())
        return f"UPDATE floor.{self.name} SET {changed} WHERE {self.is_row}"  # noqa: S608

    @property
    def is_row(self) -> str:
        return " AND ".join(f'"{name}" = %s::{self.columns[name]}' for name in self.key)


def copy_tables(names: list[str], path: str) -> None:
    """Copies of these tables with the rows of the office at `path`, before the measured completions."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA floor")
        for table in map(_table, names):
            paths = [one for one in ("org_path", "from_path", "to_path") if one in table.columns]
            here = " OR ".join(f"({one} >= %(path)s AND {one} < %(path)s || '~')" for one in paths) or "true"
            cursor.execute(f"CREATE TABLE floor.{table.name} (LIKE public.{table.name})")
            cursor.execute(
                f"INSERT INTO floor.{table.name} SELECT * FROM public.{table.name} WHERE {here}",  # noqa: S608
                {"path": path},
            )
            for definition in _btrees(table.name):
                cursor.execute(re.sub(r" ON (?:public\.)?", " ON floor.", definition, count=1))
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"ANALYZE floor.{name}")


def _table(name: str) -> Table:
    columns = _rows(
        """SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
           WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum""",
        name,
    )
    key = _rows(
        """SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)
           WHERE indrelid = %s::regclass AND indisprimary""",
        name,
    )
    return Table(name, dict(columns), tuple(one for (one,) in key))


def _btrees(name: str) -> list[str]:
    found = _rows(
        """SELECT pg_get_indexdef(indexrelid) FROM pg_index
           JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
           WHERE indrelid = %s::regclass AND amname = 'btree'""",
        name,
    )
    return [definition for (definition,) in found]


@dataclass(frozen=True, slots=True)
class Write:
    """A statement of the floor, and how many rows it must touch."""

    statement: str
    values: list[str]
    rows: int = 1


Writes = list[Write]


def floor(touched: dict[str, list[int]], spans: list[tuple[int, int]]) -> dict[str, Any]:
    """Milliseconds of each completion's rows alone, and how many they are."""
    by_case: list[Writes] = [[] for _span in spans]
    for name, (_inserted, _updated, deleted) in touched.items():
        _add_written(_table(name), spans, by_case)
        if deleted:
            _add_deleted(_table(name), by_case)
    milliseconds = []
    for writes in by_case:
        # What ends makes room for what begins.
        writes.sort(key=lambda one: one.statement.startswith("INSERT"))
        began = time.perf_counter()
        with transaction.atomic(), connection.cursor() as cursor:
            for one in writes:
                cursor.execute(one.statement, one.values)
                assert cursor.rowcount == one.rows, one.statement
        milliseconds.append((time.perf_counter() - began) * 1000)
    return {
        "ms": milliseconds,
        "rows": percentile([sum(one.rows for one in writes) for writes in by_case], 0.5),
    }


def _add_written(table: Table, spans: list[tuple[int, int]], by_case: list[Writes]) -> None:
    """The rows that each completion left in the table: an update for one that the copy knows, one insert for
    all others.
    """
    starts, places = [first for first, _end in spans], [list(table.columns).index(one) for one in table.key]
    known = set(_rows(f"SELECT {table.keys} FROM floor.{table.name}"))  # noqa: S608
    written = _rows(
        f"SELECT xmin::text::bigint, {table.as_text} FROM public.{table.name}"  # noqa: S608
        " WHERE xmin::text::bigint BETWEEN %s AND %s",
        spans[0][0],
        spans[-1][1],
    )
    new: list[list[list[str]]] = [[] for _span in spans]
    for writer, *values in written:
        place, key = bisect_right(starts, writer) - 1, tuple(values[one] for one in places)
        if key in known:
            by_case[place].append(Write(table.update, [*values, *key]))
        else:
            new[place].append(values)
    for writes, rows in zip(by_case, new, strict=True):
        if rows:
            writes.append(Write(table.insert(len(rows)), [one for row in rows for one in row], len(rows)))


def _add_deleted(table: Table, by_case: list[Writes]) -> None:
    gone = _rows(
        f"SELECT {table.keys} FROM floor.{table.name}"  # noqa: S608
        f" EXCEPT SELECT {table.keys} FROM public.{table.name}"
    )
    for writes, key in zip(by_case, sorted(gone), strict=False):
        writes.append(Write(f"DELETE FROM floor.{table.name} WHERE {table.is_row}", list(key)))  # noqa: S608


def _rows(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
