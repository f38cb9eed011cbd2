"""kill -9 of web, worker and database, then everything again, compared with a model (RE-1, RE-5, RE-9)."""

from pathlib import Path

import pytest

from tests.races.processes import Nursery
from tests.races.story import TALLY, WEB_POINTS, WORKER_POINTS, Story

SEEDS = range(20)


@pytest.mark.rule("RE-1", "RE-2", "RE-3", "RE-5", "RE-9", "R-EST-01", "R-NUM-01")
def test_whoever_is_killed_nothing_is_lost_and_nothing_is_doubled(
    web: Nursery, worker: Nursery, tmp_path: Path
) -> None:
    for seed in SEEDS:
        folder = tmp_path / str(seed)
        folder.mkdir()
        try:
            Story(seed, web, worker, folder).play()
        except AssertionError as error:
            error.add_note(f"seed {seed}")
            raise
        web.kill_children()
        worker.kill_children()
    hit = {point for _process, point in TALLY.kills}
    assert hit == {*WEB_POINTS, *WORKER_POINTS, "postmaster", "backend"}
    assert (TALLY.lost, TALLY.doubled) == (0, 0)
    assert TALLY.inside > 0
