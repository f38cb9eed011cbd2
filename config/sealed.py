"""Which columns and files are sealed: each app says it for its own in a module `sealed`, as data.

A rotation walks these lists, the inventory of keys shows them, and a test finds every binary column of every
model on one of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed values: to which table, row and field they are bound (KE-2).

    `row` is SQL over the row and gives the row's part of the associated data, as text. `bound_to` is the
    table in it, where that is another one: history keeps values bound to the row they were taken from.
    """

    table: str
    column: str
    title: str
    row: str = "id"
    bound_to: str = ""
    pk: str = "id"
    bound_field: str = ""  # the field in the associated data, where it is not the column's name
    json_key: str = ""  # of a JSON column that holds the sealed value in base64 under this key

    @property
    def field(self) -> str:
        return self.bound_field or self.column

    @property
    def bound_table(self) -> str:
        return self.bound_to or self.table


@dataclass(frozen=True, slots=True)
class SealedFiles:
    """A column that names sealed files, and the table they are bound to."""

    table: str
    column: str
    title: str
    bound_to: str


@dataclass(frozen=True, slots=True)
class NotSealed:
    """A binary column that holds no sealed value, and what it holds instead."""

    table: str
    column: str
    why: str


def history(table: str, column: str, title: str) -> SealedColumn:
    """The column's copies in the history table of `table`."""
    return SealedColumn(f"{table}event", column, f"{title}（历史）", "pgh_obj_id", table, "pgh_id")


def columns() -> list[SealedColumn]:
    return [one for one in _declared() if isinstance(one, SealedColumn)]


def files() -> list[SealedFiles]:
    return [one for one in _declared() if isinstance(one, SealedFiles)]


def not_sealed() -> list[NotSealed]:
    return [one for one in _declared() if isinstance(one, NotSealed)]


def _declared() -> Iterator[SealedColumn | SealedFiles | NotSealed]:
    for config in apps.get_app_configs():
        if "." not in config.name and find_spec(f"{config.name}.sealed"):
            yield from import_module(f"{config.name}.sealed").SEALED


SEALED = (NotSealed("config_idempotencykey", "body_digest", "请求体的 SHA-256 摘要"),)
