"""Why a page is slow: the plans of its slowest statements, under application role and the page's scope."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test import Client

from accounts.models import User
from benchmarks.asks import Ask, Asked
from benchmarks.ground import Position
from config.scope import scoped_transaction

SLOWEST = 2  # statements of a page
LINES = 40  # of a plan


def explain(positions: list[Position], asked: Asked, wanted: list[tuple[str, str]]) -> dict[str, list[str]]:
    """For each wanted (page, position) the texts of its plans; the page is asked once to warm up."""
    paths = {position.code: position.path for position in positions}
    found = {}
    for page, position in wanted:
        if asks := asked.by_page.get((page, position)):
            statements = _statements(asks[0], asked.accounts[position, asks[0].role][0])
            found[f"{page}|{position}"] = [_plan(paths[position], sql) for sql in statements]
    return found


def _statements(ask: Ask, username: str) -> list[str]:
    """The slowest SELECTs of the page, as they were sent."""
    client: Any = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.get(username=username))
    connection.force_debug_cursor = True
    for _each in range(2):
        connection.queries_log.clear()
        client.post(ask.path, dict(ask.form)) if ask.form else client.get(ask.path)
    queries = [query for query in connection.queries if query["sql"].lstrip("( ").startswith("SELECT")]
    connection.force_debug_cursor = False
    return [query["sql"] for query in sorted(queries, key=lambda one: -float(one["time"]))[:SLOWEST]]


def _plan(path: str, sql: str) -> str:
    with scoped_transaction(path), connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) " + sql)
        lines = [row[0] for row in cursor.fetchall()]
    shown = lines if len(lines) <= LINES else [*lines[: LINES - 3], "…", *lines[-2:]]
    return "\n".join(line[:160] for line in shown)
