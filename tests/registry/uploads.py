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
    return {
        pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()
    }


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
