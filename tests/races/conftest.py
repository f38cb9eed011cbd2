"""Processes and ground for races and kills. What they commit stays until the end, so they run last."""

from collections.abc import Iterator
from typing import IO, Any

import pytest

from tests.races import ground
from tests.races.processes import Nursery
from tests.races.story import TALLY


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """After all others: a test that counts must not meet pupils of a committed transaction."""
    items.sort(key=lambda item: item.nodeid.startswith("tests/races/"))


@pytest.fixture(scope="session")
def own_province(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        ground.clear()  # of a run that was cut short
    yield
    with django_db_blocker.unblock():
        ground.clear()


@pytest.fixture(scope="session")
def program_log(own_province: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[IO[bytes]]:
    """What the processes print; pytest keeps it for a failed run."""
    with (tmp_path_factory.mktemp("races") / "processes.log").open("ab") as log:
        yield log


@pytest.fixture(scope="session")
def nurseries(program_log: IO[bytes]) -> Iterator[dict[str, Nursery]]:
    both = {role: Nursery(role, program_log) for role in ("web", "worker")}
    yield both
    for nursery in both.values():
        nursery.stop()


@pytest.fixture
def web(committed_db: None, nurseries: dict[str, Nursery]) -> Iterator[Nursery]:
    yield nurseries["web"]
    nurseries["web"].kill_children()


@pytest.fixture
def worker(committed_db: None, nurseries: dict[str, Nursery]) -> Iterator[Nursery]:
    yield nurseries["worker"]
    nurseries["worker"].kill_children()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if TALLY.kills or TALLY.rounds:
        terminalreporter.section("kills")
        for line in TALLY.lines():
            terminalreporter.write_line(line)
