"""Rows follow their office: every table with a path is found by looking at the models, so that none can be
forgotten.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import ForeignKey, Model

from config.scope import PathField

# History stays under the path at which it happened: the log, the events of pghistory, former offices.
STAYS = frozenset((
    "audit_event", "audit_accessentry", "audit_earlywarning", "registry_officeversion",
    # Counted anew where the office is now, and to nothing where it was.
    "reports_summary", "reports_summarydelta", "reports_unitstate",
))  # fmt: skip
# Moved with their office by statements of their own (execute.py).
BY_HAND = frozenset(("accounts_organization",))
# What an office that ends set for itself ends or stays behind; what stands below it goes along.
OF_THE_OFFICE = frozenset(("registry_term", "registry_campaign", "config_rulevalue"))
# A row that the successor has already stays behind under the old path, where the authority still sees it.
STAY_BEHIND = {
    "registry_reportin": """NOT EXISTS (SELECT FROM registry_reportin o WHERE o.org_path = {moved}
        AND (o.student_id, o.school_year, o.semester) = (t.student_id, t.school_year, t.semester))""",
    "registry_problemrecord": """(t.closed_at IS NOT NULL OR NOT EXISTS (SELECT FROM registry_problemrecord o
        WHERE o.closed_at IS NULL AND o.id <> t.id AND o.other_path = {moved} AND o.is_hint = t.is_hint
        AND o.type = t.type AND o.student_id = t.student_id
        AND o.other_id IS NOT DISTINCT FROM t.other_id))""",
    "registry_finding": """NOT EXISTS (SELECT FROM registry_finding o WHERE o.org_path = {moved}
        AND (o.campaign_id, o.kind, o.student_id) = (t.campaign_id, t.kind, t.student_id))""",
}
OWED_ONLY = {"config_outbox": "t.done_at IS NULL"}
_MOVED_COLUMN = {
    "registry_reportin": "org_path", "registry_problemrecord": "other_path", "registry_finding": "org_path",
}  # fmt: skip
_FEW = {"registry_importbatch": 5, "archives_photobatch": 5}  # parents with thousands of rows each


@dataclass(frozen=True, slots=True)
class Table:
    """One table whose rows carry paths; with `key`, the foreign key by which they follow `parent`. Where that
    may be empty, they are `loose`: what did not follow is looked for by its path.
    """

    name: str
    title: str
    pk: str
    columns: tuple[str, ...]
    key: str = ""
    parent: str = ""
    loose: bool = False


def carriers() -> Iterator[type[Model]]:
    """Every model with a path."""
    for model in apps.get_models(include_auto_created=True):
        if any(isinstance(one, PathField) for one in model._meta.fields):
            yield model


def stays(model: type[Model]) -> bool:
    return model._meta.db_table in STAYS or hasattr(model, "pgh_id")


@cache
def tables() -> tuple[Table, ...]:
    """Every table that moves, children behind their parents' names; the order is that of the models."""
    moving = [model for model in carriers() if not stays(model) and model._meta.db_table not in BY_HAND]
    return tuple(_table(model) for model in moving)


def _table(model: type[Model]) -> Table:
    columns = _columns(model)
    meta = model._meta
    table = Table(meta.db_table, str(meta.verbose_name), str(meta.pk.column), columns)  # type: ignore[union-attr]
    return table if _is_indexed(model, columns) else _following(table, model)


def _columns(model: type[Model]) -> tuple[str, ...]:
    return tuple(str(one.column) for one in model._meta.fields if isinstance(one, PathField))


def _is_indexed(model: type[Model], columns: tuple[str, ...]) -> bool:
    """Whether each path can be looked up: else its rows are found by the row they belong to."""
    fields = [tuple(index.fields) for index in model._meta.indexes if not index.condition]
    fields += [tuple(getattr(one, "fields", ())) for one in model._meta.constraints]
    leading = {names[0].removeprefix("-") for names in fields if names}
    return set(columns) <= leading


def _following(table: Table, model: type[Model]) -> Table:
    """With the foreign key to a row that carries the same paths: what belongs to it moves with it."""
    for one in model._meta.fields:
        if isinstance(one, ForeignKey):
            target: Any = one.related_model
            theirs, parent = _columns(target), target._meta.db_table
            if theirs and set(theirs) <= set(table.columns) and parent not in BY_HAND:
                return replace(table, key=str(one.column), parent=parent, loose=one.null)
    return table


def roots() -> list[Table]:
    """Tables whose rows are looked for by path, loose ones last."""
    return sorted((table for table in tables() if not table.parent or table.loose), key=lambda one: one.loose)


def alone(table: Table) -> Table:
    """The same table, looked for by path, whatever it belongs to."""
    return replace(table, key="", parent="", loose=False)


def children(parent: str) -> list[Table]:
    return [table for table in tables() if table.parent == parent]


@dataclass(frozen=True, slots=True)
class Move:
    """From one path to another, for everything under it; `ends`: the office itself ceases to exist."""

    old: str
    new: str
    ends: bool

    @property
    def bounds(self) -> list[str]:
        return [self.old, f"{self.old}~"]


def move_some(table: Table, move: Move, room: int) -> int:
    """Move up to `room` rows of a root table with everything that belongs to them; how many.

    What is moved leaves the range, so a cut run simply goes on.
    """
    most = min(room, _FEW.get(table.name, room))
    where, given = _where(table, move)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT t.{table.pk} FROM {table.name} t WHERE {where} LIMIT %s FOR NO KEY UPDATE",
            [*given, most],
        )
        ids = [row[0] for row in cursor.fetchall()]
        if not ids:
            return 0
        for child in children(table.name):
            for grandchild in children(child.name):
                by_child = (
                    f"t.{grandchild.key} IN (SELECT {child.pk} FROM {child.name} WHERE {child.key} = ANY(%s))"
                )
                _set(cursor, grandchild, move, by_child, [ids])
            _set(cursor, child, move, f"t.{child.key} = ANY(%s)", [ids])
        _set(cursor, table, move, f"t.{table.pk} = ANY(%s)", [ids])
    return len(ids)


def left(table: Table, move: Move) -> int:
    """How many rows of a root table are still under the old path."""
    where, given = _where(table, move)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table.name} t WHERE {where}", given)
        return int(cursor.fetchone()[0])


def total(table: Table, paths: list[str]) -> int:
    """How many rows lie under any of `paths`, for the comparison of before and after; what belongs to other
    rows is counted by those.
    """
    if table.parent and not table.loose:
        parent = next(one for one in tables() if one.name == table.parent)
        source = f"{table.name} t JOIN {parent.name} p ON p.{parent.pk} = t.{table.key}"
        columns = [f"p.{column}" for column in parent.columns]
    else:
        source, columns = f"{table.name} t", [f"t.{column}" for column in table.columns]
    inside = " OR ".join(f"({column} >= %s AND {column} < %s)" for column in columns for _path in paths)
    given = [bound for _column in columns for path in paths for bound in (path, f"{path}~")]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {source} WHERE {inside}", given)
        return int(cursor.fetchone()[0])


def _where(table: Table, move: Move) -> tuple[str, list[str]]:
    inside = " OR ".join(f"(t.{column} >= %s AND t.{column} < %s)" for column in table.columns)
    given: list[str] = move.bounds * len(table.columns)
    where = f"({inside})"
    if move.ends and table.name in OF_THE_OFFICE:
        where += f" AND t.{table.columns[0]} <> %s"
        given = [*given, move.old]
    if table.name in OWED_ONLY:
        where += f" AND {OWED_ONLY[table.name]}"
    if table.name in STAY_BEHIND:
        moved = f"%s || substr(t.{_MOVED_COLUMN[table.name]}, {len(move.old) + 1})"
        where += f" AND {STAY_BEHIND[table.name].format(moved=moved)}"
        given = [*given, move.new]
    return where, given


def _set(cursor: Any, table: Table, move: Move, which: str, given: list[object]) -> None:
    """Rewrite the paths of the rows that `which` names; a path elsewhere stays as it is."""
    values: list[object] = []
    sets = []
    for column in table.columns:
        sets.append(
            f"{column} = CASE WHEN {column} >= %s AND {column} < %s "
            f"THEN %s || substr({column}, {len(move.old) + 1}) ELSE {column} END"
        )
        values += [*move.bounds, move.new]
    inside = " OR ".join(f"(t.{column} >= %s AND t.{column} < %s)" for column in table.columns)
    bounds = move.bounds * len(table.columns)
    cursor.execute(
        f"UPDATE {table.name} t SET {', '.join(sets)} WHERE {which} AND ({inside})",
        [*values, *given, *bounds],
    )
