"""The suite runs as the application does: application role, walled tables, no superuser (ARCHITECTURE 10)."""

import gc
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

_passed: dict[str, bool] = {}
_rules: dict[str, tuple[str, ...]] = {}
_counts: dict[str, int] = defaultdict(int)


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """The launcher made and migrated the database as its owner; nothing here creates or drops one."""


class ScopelessClient(Client):
    """A client whose requests begin without a scope.

    Inside a test's transaction a scope that a builder set would still hold, and a view that forgot its own
    would pass.
    """

    def request(self, **request: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('app.scope', true), set_config('app.scope', '', true)")
            before = cursor.fetchone()[0] or ""
        try:
            return super().request(**request)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('app.scope', %s, true)", [before])


@pytest.fixture
def client() -> ScopelessClient:
    return ScopelessClient()


@pytest.fixture
def committed_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Real commits, for races and kills. Nothing is flushed: the application role may not truncate, and
    does not need to, because every test makes its own pupils and looks only at them.
    """
    with django_db_blocker.unblock():
        yield
        connection.close()


@pytest.fixture
def nation(db: None) -> Iterator[None]:
    """Builders write under the national scope; the wall is still there."""
    from config.scope import scope

    with scope("CN."):
        yield


# ── var/test-report.json ──────────────────────────────
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        _rules[item.nodeid] = tuple(rule for mark in item.iter_markers("rule") for rule in mark.args)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What is loaded by now stays: a quarter of the suite's time went into looking through it for garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" and report.passed:
        _passed[report.nodeid] = True
    elif report.failed:
        _passed[report.nodeid] = False
    if report.skipped:
        _counts["skipped"] += 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    rules: dict[str, list[str]] = defaultdict(list)
    for node, is_passed in _passed.items():
        for rule in _rules.get(node, ()):
            if is_passed:
                rules[rule].append(node)
    report = {
        "passed": sum(_passed.values()),
        "failed": sum(not ok for ok in _passed.values()),
        "skipped": _counts["skipped"],
        "rules": {rule: sorted(nodes) for rule, nodes in sorted(rules.items())},
    }
    target = Path(os.environ["XUEJI_TEST_REPORT"])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(report, ensure_ascii=False, indent=1))
