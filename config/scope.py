"""Scope: which part of the tree a transaction may touch, in the queries and in the database's own wall."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from operator import or_
from typing import Any, Protocol, Self

from django.db import connection, models, transaction
from django.db.models import F, Lookup, Q, QuerySet

NATION = "CN."


class NoScope(RuntimeError):
    """Somebody tried to work on walled tables without saying for which office."""


class HasScope(Protocol):
    def scope_paths(self, right: str) -> list[str]: ...


class PathField(models.TextField):
    """The path of an office, e.g. `CN.44.03.05.`: official codes, each ended by a dot, byte order."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["db_collation"] = "C"
        super().__init__(*args, **kwargs)

    def formfield(self, **kwargs: Any) -> None:  # type: ignore[override]
        """Paths are never writable from outside (AZ-5)."""


@PathField.register_lookup
class Within(Lookup):  # type: ignore[type-arg]
    """`org_path__within="CN.44."`: that office and everything under it.

    A range, not LIKE: LIKE is not leakproof and would lose the index behind row-level security.
    """

    lookup_name = "within"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        column, column_params = self.process_lhs(compiler, connection)
        path, path_params = self.process_rhs(compiler, connection)
        params = (*column_params, *path_params) * 2
        return f"({column} >= {path} AND {column} < {path} || '~')", params


class ScopedQuerySet(QuerySet[Any]):
    """Rows of a walled table; pages, lists, choices, counts, API and jobs all begin with `visible_to`."""

    scope_fields: tuple[str, ...] = ("org_path",)

    def visible_to(self, user: HasScope, right: str) -> Self:
        """Rows under any office where `user` holds `right`; none if she holds it nowhere."""
        paths = user.scope_paths(right)
        inside = [Q((f"{field}__within", path)) for field in self.scope_fields for path in paths]
        return self.filter(reduce(or_, inside)) if inside else self.none()

    def within(self, path: str) -> Self:
        """Rows of one office and everything under it."""
        return self.filter(reduce(or_, [Q((f"{field}__within", path)) for field in self.scope_fields]))

    def newest_first(self, path: str) -> Self:
        """Newest first, without the plan that walks the whole table.

        Behind the wall the planner cannot see how selective a scope is: plain key order serves wide scopes,
        `id + 0` (no index on the order) serves narrow ones.
        """
        is_wide = path.count(".") <= 2
        return self.order_by("-id") if is_wide else self.order_by((F("id") + 0).desc())


class BothPathsQuerySet(ScopedQuerySet):
    """Rows that two offices share: a case and everything below it."""

    scope_fields = ("from_path", "to_path")


@contextmanager
def scope(path: str) -> Iterator[None]:
    """Work for the office at `path` inside the open transaction; the only way to set the wall's setting.

    Raises NoScope for an empty or unfinished path and outside a transaction. The old value comes back on
    success and on failure: a block left normally would leak otherwise.
    """
    if not path or not path.endswith(".") or not path.startswith(NATION):
        raise NoScope(f"not an office path: {path!r}")
    if not connection.in_atomic_block:
        raise NoScope("a scope needs an open transaction")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.scope', true), set_config('app.scope', %s, true)", [path])
        before = cursor.fetchone()[0] or ""
    try:
        yield
    finally:
        # A failed transaction takes no more commands; its rollback restores the value by itself.
        if not _is_failed():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('app.scope', %s, true)", [before])


def _is_failed() -> bool:
    raw = connection.connection
    return (
        connection.needs_rollback
        or raw is None
        or raw.closed
        or raw.info.transaction_status.name in {"INERROR", "UNKNOWN"}
    )


def current_scope() -> str:
    """The path this transaction works under, or an empty string."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('app.scope', true), '')")
        return str(cursor.fetchone()[0])


@contextmanager
def scoped_transaction(path: str) -> Iterator[None]:
    """One transaction under one office: what a batch of a job runs in."""
    with transaction.atomic(), scope(path):
        yield


def common_path(first: str, second: str) -> str:
    """The nearest office above (or equal to) both paths."""
    shared = []
    for left, right in zip(first.split("."), second.split("."), strict=False):
        if left != right or not left:
            break
        shared.append(left)
    return ".".join(shared) + "." if shared else NATION


def ancestors(path: str) -> list[str]:
    """`CN.44.03.` → [`CN.`, `CN.44.`, `CN.44.03.`]."""
    parts = path.rstrip(".").split(".")
    return [".".join(parts[: n + 1]) + "." for n in range(len(parts))]
