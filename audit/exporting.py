"""The log as files that verify_log.py reads: leaves with their entries, checkpoints, block roots, the rest.

What is written is what the tables hold now, whether or not it still fits: judging is the reader's part.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from audit.canonical import AS_WRITTEN, SOURCES
from audit.checkpoints import as_line
from audit.models_sealing import Checkpoint
from config.scope import NATION, scope

_PACK = 50_000  # leaves to a statement
# One value a line, as it is: neither character occurs in JSON.
_AS_LINES = "TO STDOUT (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')"


def export_log(
    folder: Path, *, until: int | None = None, about: tuple[str, int] | None = None
) -> tuple[int, int]:
    """Write leaves and checkpoints up to the checkpoint `until` (the newest); answers how many of each.

    With `about`, a kind and id of subject, entries about others are left to their hashes. All is of one
    moment. Raises Checkpoint.DoesNotExist.
    """
    folder.mkdir(parents=True, exist_ok=True)
    is_outermost = not connection.in_atomic_block  # within somebody's transaction hers decides
    with transaction.atomic(), connection.cursor() as cursor:
        if is_outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with scope(NATION):
            cursor.execute(AS_WRITTEN)
            last = Checkpoint.objects.order_by("-number")
            size = (last.get(number=until) if until is not None else last[:1].get()).size
            checkpoints = Checkpoint.objects.order_by("number")
            if until is not None:
                checkpoints = checkpoints.filter(number__lte=until)
            lines = [as_line(one) for one in checkpoints]
            (folder / "checkpoints.jsonl").write_text("".join(lines), encoding="utf-8")
            packs = (_leaves(first, min(first + _PACK, size), about) for first in range(0, size, _PACK))
            _write(cursor, folder / "entries.jsonl", packs)
            _write(cursor, folder / "blocks.jsonl", [(_BLOCKS, {"size": size})])
            _write(cursor, folder / "unsealed.jsonl", [] if about or until is not None else [(_UNSEALED, {})])
    return size, len(lines)


def _write(cursor: Any, file: Path, statements: Any) -> None:
    with file.open("wb") as target:
        for statement, values in statements:
            with cursor.copy(f"COPY ({statement}) {_AS_LINES}", values) as rows:
                for chunk in rows:
                    target.write(chunk)


def _leaves(first: int, end: int, about: tuple[str, int] | None) -> tuple[str, dict[str, Any]]:
    """Leaves `first` … `end` - 1, each with its entry as it stands now, or null when there is none."""
    entries = " UNION ALL ".join(
        f"SELECT {source.number} AS source, id, at, {source.canonical_sql()} AS entry,"  # noqa: S608
        f" {_is_about(source.columns) if about else 'true'} AS is_shown FROM {source.table}"
        " WHERE at BETWEEN (SELECT low FROM span) AND (SELECT high FROM span)"
        for source in SOURCES
    )
    names = " ".join(f"WHEN {source.number} THEN '{source.name}'" for source in SOURCES)
    statement = (
        "WITH leaves AS MATERIALIZED"  # noqa: S608
        " (SELECT * FROM audit_leaf WHERE number >= %(first)s AND number < %(end)s),"
        " span AS (SELECT min(at) AS low, max(at) AS high FROM leaves)"
        f' SELECT \'{{"leaf":\' || l.number || \',"suite":\' || l.suite || \',"source":"\' ||'
        f" CASE l.source {names} END || '\",\"id\":' || l.entry_id || ',\"hash\":\"' || encode(l.hash, 'hex')"
        " || '\"' || CASE WHEN e.is_shown IS FALSE THEN ''"
        " ELSE ',\"entry\":' || coalesce(e.entry, 'null') END || '}'"
        f" FROM leaves l LEFT JOIN ({entries}) e ON e.source = l.source AND e.id = l.entry_id AND e.at = l.at"
        " ORDER BY l.number"
    )
    values = {"first": first, "end": end}
    return statement, values | ({"kind": about[0], "subject": about[1]} if about else {})


def _is_about(columns: tuple[str, ...]) -> str:
    shown = " OR %(subject)s = ANY(subject_ids)" if "subject_ids" in columns else ""
    return f"coalesce(subject_type = %(kind)s AND (subject_id = %(subject)s{shown}), false)"


_BLOCKS = (
    "SELECT '{\"block\":' || number || ',\"hash\":\"' || encode(hash, 'hex') || '\"}' FROM audit_node"
    " WHERE level = 1 AND number < %(size)s / 256 ORDER BY number"
)


def _unsealed() -> Iterator[str]:
    """Entries without a leaf; `passed_by` says that the sealer had already seen their transaction."""
    for source in SOURCES:
        yield (
            f'SELECT \'{{"source":"{source.name}","id":\' || id || \',"passed_by":\' ||'  # noqa: S608
            " coalesce(pg_visible_in_snapshot(xid,"
            " (SELECT seen FROM audit_sealpass ORDER BY id DESC LIMIT 1)),"
            f" false) || ',\"entry\":' || {source.canonical_sql()} || '}}' FROM {source.table} e"
            f" WHERE NOT EXISTS (SELECT FROM audit_leaf l WHERE l.source = {source.number}"
            " AND l.entry_id = e.id AND l.at = e.at)"
        )


_UNSEALED = " UNION ALL ".join(_unsealed())
