"""Clerks at work on cases: sixteen who decide, then five times as many for a minute, and how fast the service
is itself again.

Sixteen go on all the time; the others come for the minute and leave. The load of a request is that of the
moment in which it was asked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

from django.urls import reverse

from benchmarks import drive
from benchmarks.asks import Ask, Asked
from benchmarks.drive import PAUSE_SECONDS, SPIKE_SECONDS, TIMES, Answer, Clients
from benchmarks.ground import CLIENTS, Position
from benchmarks.moves import PAPERS
from benchmarks.table import AFTER, BEFORE, DECIDING, RUSH, percentile, recovery
from transfers.kinds.suspension import SUSPENSION

DECIDING_SECONDS, BEFORE_SECONDS, AFTER_SECONDS = 60, 20, 25
APPROVAL = (("decision", "approve"), *(("ticked", code) for code in PAPERS))


def run(
    url: str, web_log: Path, county: Position, school: Position, numbers: list[str], pupils: list[str]
) -> dict[str, Any]:
    """`numbers` are cases that wait at `county`, `pupils` public ids at `school`. Answers samples and counts
    by load, decisions a second, and the seconds to recovery. Raises RuntimeError when the cases run out.
    """
    asked = Asked(accounts={
        (county.code, county.signer): county.usernames(county.signer),
        (school.code, school.reader): school.usernames(school.reader),
    })  # fmt: skip
    clients, cases = Clients(url, asked), iter(numbers)
    forms = [reverse("transfers:file", args=[pupil, SUSPENSION.code]) for pupil in pupils]
    files = cycle([Ask("form", school.code, school.reader, form) for form in forms])
    begins = web_log.stat().st_size
    answers = _work(clients, CLIENTS, DECIDING_SECONDS, lambda: _decide(county, cases), lambda _at: DECIDING)
    mixed, spike = _spike(clients, lambda: _mix(county, cases, files))
    if next(cases, None) is None:
        raise RuntimeError("the cases have run out: fewer clerks worked than should have")
    server = drive.server_times(web_log, begins)
    by_load = {load: [one for one in mixed if one.load == load] for load in (BEFORE, RUSH, AFTER)}
    seconds = {BEFORE: BEFORE_SECONDS, RUSH: SPIKE_SECONDS, AFTER: AFTER_SECONDS}
    counts = {load: drive.count(found, seconds[load]) for load, found in by_load.items()}
    before = [server[one.marker] for one in by_load[BEFORE] if one.marker in server]
    after = [(one.at - spike, server[one.marker]) for one in by_load[AFTER] if one.marker in server]
    return {
        "counts": {DECIDING: drive.count(answers, DECIDING_SECONDS), **counts},
        "samples": drive.samples(answers + mixed, server),
        "decided": {
            DECIDING: _decisions(answers) / DECIDING_SECONDS,
            RUSH: _decisions(by_load[RUSH]) / SPIKE_SECONDS,
        },
        "before": percentile(before, 0.95),
        "recovery": recovery(before, after),
    }


def _decisions(answers: list[Answer]) -> int:
    return sum(one.ask.page == "decide" and not one.is_error for one in answers)


def _decide(county: Position, cases: Iterator[str]) -> Iterator[Ask]:
    """Case after case: open it, look, approve."""
    for number in cases:
        yield _asked(county, "case", "transfers:case", number)
        yield _asked(county, "decide", "transfers:decide", number)


def _mix(county: Position, cases: Iterator[str], files: Iterator[Ask]) -> Iterator[Ask]:
    """What an office and its schools do at the same time: queue, case, decision, a form that is opened."""
    for number in cases:
        yield Ask("queue", county.code, county.signer, reverse("transfers:queue"))
        yield _asked(county, "case", "transfers:case", number)
        yield _asked(county, "decide", "transfers:decide", number)
        yield next(files)


def _asked(county: Position, page: str, route: str, number: str) -> Ask:
    path = reverse(route, args=[number])
    if page == "decide":
        return Ask(page, county.code, county.signer, path, APPROVAL, 302)
    return Ask(page, county.code, county.signer, path)


def _spike(clients: Clients, asks: Callable[[], Iterator[Ask]]) -> tuple[list[Answer], float]:
    """The answers before, in and after the spike, and the moment of its end."""
    rises = time.monotonic() + BEFORE_SECONDS
    falls = rises + SPIKE_SECONDS

    def load_at(at: float) -> str:
        return BEFORE if at < rises else RUSH if at < falls else AFTER

    found: list[Answer] = []

    def rush() -> None:
        time.sleep(max(0.0, rises - time.monotonic()))
        found.extend(_work(clients, CLIENTS * (TIMES - 1), SPIKE_SECONDS, asks, load_at, first=CLIENTS))

    others = threading.Thread(target=rush)
    others.start()
    found.extend(_work(clients, CLIENTS, BEFORE_SECONDS + SPIKE_SECONDS + AFTER_SECONDS, asks, load_at))
    others.join()
    return found, falls


def _work(
    clients: Clients,
    size: int,
    seconds: int,
    asks: Callable[[], Iterator[Ask]],
    load_at: Callable[[float], str],
    first: int = 0,
) -> list[Answer]:
    """`size` clerks for `seconds`, each reading what she opened for a moment."""
    found: list[Answer] = []
    ends = time.monotonic() + seconds

    def work(number: int) -> None:
        random = Random(number)  # noqa: S311
        time.sleep(random.random() * PAUSE_SECONDS)
        for one in asks():
            if time.monotonic() >= ends:
                break
            found.append(clients.ask(number, one, load_at(time.monotonic())))
            time.sleep(random.expovariate(1 / PAUSE_SECONDS))

    threads = [threading.Thread(target=work, args=[first + number]) for number in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found
