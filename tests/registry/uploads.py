"""An upload read to its end, or refused; shared by the tests of the reading process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from config.rules import PARAMETERS
from registry.intake.columns import pupils
from registry.intake.reading import LIMIT_KEYS, limits_of, read_rows
from registry.intake.refusals import BadFile
from registry.intake.sheet import Limits

NATIONAL = {key: PARAMETERS[key].value for key in LIMIT_KEYS}
LIMITS = limits_of(NATIONAL)
FILE = "一年级新生.xlsx"


def children() -> set[str]:
    """Reading processes of ours that live or were not buried; other tests keep servers and a browser."""
    tasks = Path("/proc/self/task").iterdir()
    pids = [pid for task in tasks for pid in (task / "children").read_text().split()]
    return {pid for pid in pids if _is_reader(Path("/proc", pid))}


def _is_reader(process: Path) -> bool:
    command = (process / "cmdline").read_bytes()
    return not command or b"registry.intake.reader" in command  # a dead one has no command any more


@pytest.fixture(autouse=True)
def nothing_stays_behind() -> Iterator[None]:
    before = children()
    yield
    assert children() <= before


def read(content: bytes, limits: Limits = LIMITS) -> list[tuple[int, dict[str, str]]]:
    with read_rows(content, FILE, limits) as rows:
        return list(pupils(rows))


def refused(content: bytes, limits: Limits = LIMITS) -> BadFile:
    with pytest.raises(BadFile) as caught:
        read(content, limits)
    return caught.value


def tighter(**changes: int) -> Limits:
    return limits_of(NATIONAL | changes)
