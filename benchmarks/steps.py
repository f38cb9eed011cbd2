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

from benchmarks import (  # noqa: E402
    asks,
    completing,
    deciding,
    drive,
    ground,
    intake,
    memory,
    moves,
    plans,
    pupils,
    sealing,
    year,
)
from benchmarks.country import lanes_of, plan_country  # noqa: E402
from config.celery import app  # noqa: E402
from config.scope import NATION, scoped_transaction  # noqa: E402

# What the worker does meanwhile, so that its memory is that of one at work.
EXERCISE = ("transfers.tasks.remind_and_escalate", "transfers.tasks.sweep_outbox")
MOVES = {"completed": 240, "drained": 300, "decided": 1700}  # transfers by use


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


def file_moves(count: str, file: str) -> None:
    """Transfers that wait for their last signature, as the owner; their numbers go to `file` by use."""
    county = position(count, "county")
    numbers = moves.write_transfers(county.path, sum(MOVES.values()))
    dealt: dict[str, list[str]] = {}
    for use, size in MOVES.items():
        # A small country has fewer; whoever decides gets what is left.
        dealt[use], numbers = (numbers[:size], numbers[size:])
    with scoped_transaction(NATION):
        dealt["pupils"] = moves.pupils_without_business(position(count, "largest school").path, asks.SUBJECTS)
    Path(file).write_text(json.dumps(dealt))


def decide(count: str, url: str, web_log: str, file: str) -> None:
    """Clerks decide and work, with a spike; prints the figures."""
    dealt = json.loads(Path(file).read_text())
    county, school = position(count, "county"), position(count, "largest school")
    found = deciding.run(url, Path(web_log), county, school, dealt["decided"], dealt["pupils"])
    print(json.dumps(found))


def drain(_count: str, file: str) -> None:
    """Owe many completions at once and let the workers perform them; prints how fast."""
    print(json.dumps(completing.drain(json.loads(Path(file).read_text())["drained"])))


def touched(_count: str, file: str) -> None:
    """What one completion writes; prints it."""
    print(json.dumps(completing.touched(json.loads(Path(file).read_text())["completed"][0])))


def copy_tables(count: str, names: str) -> None:
    """Copies of these tables with B-tree indexes alone, as the owner."""
    completing.copy_tables(json.loads(names), position(count, "county").path)


def complete(_count: str, file: str) -> None:
    """Complete cases one after the other; prints times and transactions."""
    print(json.dumps(completing.complete(json.loads(Path(file).read_text())["completed"])))


def floor(_count: str, tables: str, spans: str) -> None:
    """The rows of those transactions written again into the copies; prints the times."""
    print(json.dumps(completing.floor(json.loads(tables), json.loads(spans))))


def position(count: str, code: str) -> ground.Position:
    return next(at for at in ground.positions(plan_country(int(count))) if at.code == code)


def take_in(count: str) -> None:
    """Workbooks of September at the largest school; prints the figures of each size."""
    largest = position(count, "largest school")
    schools = {school.path: school for county in plan_country(int(count)) for school in county.schools}
    print(json.dumps(intake.run(schools[largest.path], largest.usernames("registrar")[0])))


def explain(count: str, wanted: str) -> None:
    """Plans of the slowest statements of the pages in `wanted` ("page|position"), as the application role."""
    positions = ground.positions(plan_country(int(count)))
    subjects = [subject.split("|") for subject in json.loads(wanted)]
    found = plans.explain(positions, asks.collect(positions), [(page, at) for page, at in subjects])
    print(json.dumps(found, ensure_ascii=False))


def plain_log(_count: str) -> None:
    """A table like the access log, without the sealer's index, as the owner."""
    sealing.make_plain_table()


def seal_log(_count: str) -> None:
    """Seal, export and verify a million entries; writers without and beside it; prints figures."""
    print(json.dumps(sealing.run()))


def open_year(count: str) -> None:
    """A campaign over the nation, checked once."""
    year.open_year(position(count, "nation"))


def plain_enrolment(_count: str) -> None:
    """A table like the spells with the index of lists alone, as the owner."""
    year.make_plain_enrolment()


def school_year(_count: str) -> None:
    """Verification, comparison, promotion, dashboard; prints figures."""
    print(json.dumps(year.run()))


def bare(_count: str) -> None:
    """What a Python process with this project loaded holds: the floor of every memory figure, in MiB."""
    print(memory.held([memory.own()]).pss)


STEPS: dict[str, Callable[..., None]] = {
    step.__name__: step
    for step in (
        build,
        lane,
        close,
        measure,
        file_moves,
        decide,
        drain,
        take_in,
        explain,
        bare,
        touched,
        copy_tables,
        complete,
        floor,
        plain_log,
        seal_log,
        open_year,
        plain_enrolment,
        school_year,
    )
}

if __name__ == "__main__":
    STEPS[sys.argv[1]](*sys.argv[2:])
