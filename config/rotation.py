"""A new data key, and everything sealed anew under it: in batches, cut at any instant, repeated (KE-3).

Run as the owner of the tables: history is append-only for every other role. Values change under an expected
state: what somebody writes meanwhile stays hers and is met in the next round.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pgtrigger
from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

from config import keyring, sealed_files
from config.crypto import DoesNotOpen, seal, unseal
from config.faults import fault
from config.keyring import KeysNotReady
from config.sealed import SealedColumn, SealedFiles, columns, files

Say = Callable[[str], object]
_ROUNDS = 5  # writers under the former key end within one; more only guard against a loop
_LOCK = 0x6B657973


@dataclass(slots=True)
class Left:
    """How much lies under which key, what could not be opened, and which files are missing."""

    counts: dict[str, Counter[int]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def under(self, number: int) -> int:
        return sum(count[number] for count in self.counts.values())

    def but(self, number: int) -> int:
        return sum(sum(count.values()) for count in self.counts.values()) - self.under(number)


def rotate(batch: int, say: Say) -> Left:
    """Begin a rotation, or go on with the one that is under way, until nothing is left under a former key.

    Raises KeysNotReady when another process is at it. What does not open is left, told, and keeps the former
    key from being destroyed.
    """
    with _alone():
        number, is_new = keyring.begin_rotation(settings.KEYRING)
        say(f"第 {number} 号数据密钥{'已生成并启用' if is_new else '的轮换继续进行'}。")
        broken: list[str] = []
        for _round in range(_ROUNDS):
            broken = [place for column in columns() for place in _column(column, number, batch, say)]
            broken += [place for kind in files() for place in _files(kind, number, batch, say)]
            left = count()
            if left.but(number) <= len(broken):
                break
        left.broken = broken
        if not left.but(number):
            keyring.end_rotation(settings.KEYRING)
        return left


def destroy(number: int) -> None:
    """Destroy a former key under which nothing is left. Raises KeysNotReady."""
    with _alone():
        if rest := count().under(number):
            raise KeysNotReady(
                f"第 {number} 号密钥下还有 {rest} 项，不能销毁。请先运行 rotate_keys 至无剩余。"
            )
        keyring.destroy(settings.KEYRING, number)


def count() -> Left:
    """How many values and files lie under which key."""
    left = Left()
    for column in columns():
        left.counts[f"{column.table}.{column.column}"] = _keys_in(column)
    for kind in files():
        found: Counter[int] = Counter()
        for _pk, name in _names(kind, 1000):
            try:
                found.update(sealed_files.keys_of(name, kind.bound_to))
            except DoesNotOpen:
                continue  # missing: told by whoever opens it
        left.counts[f"{kind.table}.{kind.column}"] = found
    return left


@contextmanager
def _alone() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            raise KeysNotReady("另一个进程正在轮换密钥，请等它结束。")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


# ── Columns ─────────────────────────────────────────────────────────────────────────────────────────────
def _value(column: SealedColumn) -> sql.Composable:
    """The sealed bytes in a row."""
    plain = sql.Identifier("t", column.column)
    if not column.json_key:
        return plain
    return sql.SQL("decode({} ->> {}, 'base64')").format(plain, sql.Literal(column.json_key))


def _stored(column: SealedColumn) -> sql.Composable:
    """What stands in the column when the sealed bytes are `v.sealed`."""
    if not column.json_key:
        return sql.SQL("v.sealed")
    return sql.SQL("jsonb_set({}, {}, to_jsonb(translate(encode(v.sealed, 'base64'), E'\\n', '')))").format(
        sql.Identifier("t", column.column), sql.Literal(f"{{{column.json_key}}}")
    )


def _key_in(column: SealedColumn) -> sql.Composable:
    value = _value(column)
    return sql.SQL("(get_byte({}, 1) * 256 + get_byte({}, 2))").format(value, value)


def _keys_in(column: SealedColumn) -> Counter[int]:
    query = sql.SQL("SELECT {key}, count(*) FROM {table} t WHERE {value} IS NOT NULL GROUP BY 1").format(
        key=_key_in(column), table=sql.Identifier(column.table), value=_value(column)
    )
    return Counter(dict(_all(query)))


def _column(column: SealedColumn, number: int, batch: int, say: Say) -> list[str]:
    """Seal one column anew; the places of what does not open."""
    broken: list[str] = []
    last, done = None, 0
    kind = _type_of(column.table, column.pk)
    while rows := _batch(column, number, last, batch):
        last = rows[-1][0]
        fresh = []
        for pk, row, raw in rows:
            before = bytes(raw)
            try:
                value = unseal(before, column.bound_table, row, column.field)
            except DoesNotOpen:
                broken.append(f"{column.table}.{column.column} {pk}")
                continue
            fresh.append((pk, before, seal(value, column.bound_table, row, column.field)))
        done += _write(column, kind, fresh)
    if done:
        say(f"  {column.title}（{column.table}.{column.column}）：{done}")
    return broken


def _batch(column: SealedColumn, number: int, last: Any, size: int) -> list[tuple[Any, str, bytes]]:
    query = sql.SQL(
        "SELECT {pk}, ({row})::text, {value} FROM {table} t WHERE {value} IS NOT NULL AND {key} <> {number}"
        " {after} ORDER BY {pk} LIMIT {size}"
    ).format(
        pk=sql.Identifier("t", column.pk), row=sql.SQL(column.row), value=_value(column),
        table=sql.Identifier(column.table), key=_key_in(column), number=sql.Literal(number),
        size=sql.Literal(size),
        after=sql.SQL("AND {} > {}").format(sql.Identifier("t", column.pk), sql.Literal(last))
        if last is not None
        else sql.SQL(""),
    )  # fmt: skip
    return _all(query)


def _write(column: SealedColumn, kind: str, fresh: list[tuple[Any, bytes, bytes]]) -> int:
    """One transaction of one statement; a value that has changed meanwhile stays as it is."""
    if not fresh:
        return 0
    statement = sql.SQL(
        "UPDATE {table} t SET {column} = {stored}"
        " FROM unnest(%s::text[], %s::bytea[], %s::bytea[]) AS v(pk, before, sealed)"
        " WHERE {pk} = v.pk::{kind} AND {value} = v.before"
    ).format(
        table=sql.Identifier(column.table), column=sql.Identifier(column.column), stored=_stored(column),
        pk=sql.Identifier("t", column.pk), kind=sql.SQL(kind), value=_value(column),
    )  # fmt: skip
    arrays: list[Any] = [
        [str(pk) for pk, _b, _s in fresh],
        [b for _p, b, _s in fresh],
        [s for _p, _b, s in fresh],
    ]
    # What a value says does not change: no history of it, and history itself may change its cover.
    with transaction.atomic(), pgtrigger.ignore(), connection.cursor() as cursor:
        cursor.execute(statement.as_string(), arrays)
        fault("keys.batch")
        return int(cursor.rowcount)


# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────
def _files(kind: SealedFiles, number: int, batch: int, say: Say) -> list[str]:
    """Seal the files of one column anew; the places of what does not open. A missing file is none."""
    broken: list[str] = []
    done = 0
    for pk, name in _names(kind, batch):
        try:
            done += sealed_files.reseal(name, kind.bound_to, number)
        except DoesNotOpen:
            if sealed_files.exists(name):
                broken.append(f"{kind.table}.{kind.column} {pk}")
    if done:
        say(f"  {kind.title}（{kind.table}.{kind.column}）：{done} 个文件")
    return broken


def _names(kind: SealedFiles, batch: int) -> Iterator[tuple[int, str]]:
    last = 0
    query = sql.SQL(
        "SELECT id, {column} FROM {table} WHERE id > {last} AND {column} <> '' ORDER BY id LIMIT {size}"
    )
    while rows := _all(
        query.format(
            column=sql.Identifier(kind.column), table=sql.Identifier(kind.table), last=sql.Literal(last),
            size=sql.Literal(batch),
        )
    ):  # fmt: skip
        last = rows[-1][0]
        yield from rows


def _type_of(table: str, column: str) -> str:
    return str(
        _all(
            sql.SQL(
                "SELECT format_type(atttypid, NULL) FROM pg_attribute"
                " WHERE attrelid = {}::regclass AND attname = {}"
            ).format(sql.Literal(table), sql.Literal(column))
        )[0][0]
    )


def _all(query: sql.Composable) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query.as_string())
        return cursor.fetchall()
