"""What runs inside Django: `python -m benchmarks.steps STEP PUPILS …`, started by `python -m benchmarks`.

Each step is a process of its own, under the database role that its environment names.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import django

django.setup()

from django.db import transaction  # noqa: E402

from benchmarks import asks, drive, ground, intake, memory, plans, pupils  # noqa: E402
from benchmarks.country import lanes_of, plan_country  # noqa: E402
from config.celery import app  # noqa: E402

# What the worker does meanwhile, so that its memory is that of one at work.
EXERCISE = ("transfers.tasks.remind_and_escalate", "transfers.tasks.sweep_outbox")


def build(count: str) -> None:
    """Offices, schools, staff; then the tables lie open, and their constraints are printed for `close`."""
    ground.load_ground(plan_country(int(count)))
    with transaction.atomic():
        print(json.dumps(ground.loosen()))


def lane(count: str, number: str, lanes: str) -> None:
    """The pupils of one lane; prints the running total."""
    counties = lanes_of(plan_country(int(count)), int(lanes))[int(number)]
    pupils.load_lane(counties, int(number), int(lanes), lambda done: print(done, flush=True))


def close(_count: str, statements: str) -> None:
    """Indexes and constraints back, hints, statistics; prints how many pupils there are."""
    ground.tighten(json.loads(Path(statements).read_text()))
    print(ground.finish())


def measure(count: str, url: str, web_log: str, seconds: str) -> None:
    """Every page at every position: alone, together and in the spike; prints the figures."""
    asked = asks.collect(ground.positions(plan_country(int(count))))
    for task in EXERCISE:
        app.send_task(task)
    print(json.dumps(drive.run(url, Path(web_log), asked, int(seconds))))


def take_in(count: str) -> None:
    """Workbooks of September at the largest school; prints the figures of each size."""
    found = ground.positions(plan_country(int(count)))
    largest = next(at for at in found if at.code == "largest school")
    schools = {school.path: school for county in plan_country(int(count)) for school in county.schools}
    print(json.dumps(intake.run(schools[largest.path], largest.usernames("registrar")[0])))


def explain(count: str, wanted: str) -> None:
    """Plans of the slowest statements of the pages in `wanted` ("page|position"), as the application role."""
    positions = ground.positions(plan_country(int(count)))
    subjects = [subject.split("|") for subject in json.loads(wanted)]
    found = plans.explain(positions, asks.collect(positions), [(page, at) for page, at in subjects])
    print(json.dumps(found, ensure_ascii=False))


def bare(_count: str) -> None:
    """What a Python process with this project loaded holds: the floor of every memory figure, in MiB."""
    print(memory.held([memory.own()]).pss)


STEPS: dict[str, Callable[..., None]] = {
    step.__name__: step for step in (build, lane, close, measure, take_in, explain, bare)
}

if __name__ == "__main__":
    STEPS[sys.argv[1]](*sys.argv[2:])
