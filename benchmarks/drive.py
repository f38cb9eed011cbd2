"""Clients over real HTTP: sign in once, ask again and again, take the times.

Server time is granian's own, from its access log: neither this process nor the way to it counts. The client's
time holds both, and the wait for a free thread.
"""

from __future__ import annotations

import http.client
import itertools
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.test import Client
from django.utils.crypto import get_random_string

from accounts import sign_ins
from accounts.models import User
from benchmarks import MARKER
from benchmarks.asks import Ask, Asked
from benchmarks.ground import CLIENTS
from benchmarks.table import ALONE, ANYWHERE, SPIKE, TOGETHER, figures

_LINE = re.compile(r"^measure (\d+) (\d+) ([0-9.]+)$", re.MULTILINE)
ROUNDS, WARM_UP = 60, 5
PAUSE_SECONDS = 1.0  # between two pages of one clerk, on average: a hasty clerk
TIMES, SPIKE_SECONDS = 5, 60  # the spike: so many times the clients
FLUSH_SECONDS = 1.0


@dataclass(slots=True)
class Sample:
    """Times of one page at one position under one load, in milliseconds."""

    server: list[float] = field(default_factory=list)
    client: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Answer:
    ask: Ask
    load: str
    marker: int
    status: int
    milliseconds: float
    at: float  # when it was asked, by the monotonic clock

    @property
    def is_error(self) -> bool:
        return self.status != self.ask.status


def _signed_in(username: str) -> dict[str, str]:
    """The cookies of somebody who has given both proofs: a program has neither phone nor passkey."""
    client = Client()
    client.force_login(User.objects.get(username=username))
    session = client.session
    session.update({sign_ins.IDLE: 3600, sign_ins.SEEN_AT: time.time()})
    session.save()
    return {
        settings.SESSION_COOKIE_NAME: session.session_key or "",
        settings.CSRF_COOKIE_NAME: get_random_string(32),
    }


class Clients:
    """The signed-in accounts."""

    def __init__(self, url: str, asked: Asked) -> None:
        self.asked, self._address = asked, urlsplit(url).netloc
        self._markers = itertools.count(1)
        self._cookies: dict[tuple[str, str, int], dict[str, Any]] = {}
        for (position, role), usernames in asked.accounts.items():
            for number, username in enumerate(usernames):
                self._cookies[position, role, number] = _signed_in(username)

    def ask(self, number: int, one: Ask, load: str) -> Answer:
        """Ask with the account of this number, over a connection of its own."""
        cookies, marker = self._cookies[one.position, one.role, number % CLIENTS], next(self._markers)
        headers = {MARKER: str(marker), "Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())}
        body = None
        if one.form:
            body = urlencode([*one.form, ("csrfmiddlewaretoken", cookies[settings.CSRF_COOKIE_NAME])])
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        at, started, status = time.monotonic(), time.perf_counter(), 0
        connection = http.client.HTTPConnection(self._address, timeout=60)
        with suppress(OSError, http.client.HTTPException):
            connection.request("POST" if body else "GET", one.path, body, headers)
            response = connection.getresponse()
            response.read()
            status = response.status
        connection.close()
        return Answer(one, load, marker, status, (time.perf_counter() - started) * 1000, at)


def run(url: str, web_log: Path, asked: Asked, seconds: int) -> dict[str, Any]:
    """All three loads. Answers samples by "load|page|position", requests and errors by load."""
    clients = Clients(url, asked)
    begins = web_log.stat().st_size
    counts: dict[str, dict[str, Any]] = {}
    answers: list[Answer] = []
    for load, phase in (
        (ALONE, lambda: _alone(clients)),
        (TOGETHER, lambda: _together(clients, CLIENTS, seconds, TOGETHER)),
        (SPIKE, lambda: _together(clients, CLIENTS * TIMES, SPIKE_SECONDS, SPIKE)),
    ):
        started = time.monotonic()
        found = list(phase())
        counts[load] = count(found, time.monotonic() - started)
        answers += found
    return {"counts": counts, "samples": samples(answers, server_times(web_log, begins))}


def count(answers: list[Answer], seconds: float) -> dict[str, Any]:
    """Requests, errors (what they were, too) and requests a second."""
    wrong = Counter(f"{one.ask.page}: {one.status}" for one in answers if one.is_error)
    return {
        "requests": len(answers), "errors": sum(wrong.values()), "rate": len(answers) / seconds,
        "wrong": dict(wrong),
    }  # fmt: skip


def server_times(web_log: Path, begins: int) -> dict[int, float]:
    """Milliseconds at the server by marker, from what the web log has got since it was `begins` long."""
    time.sleep(FLUSH_SECONDS)
    with web_log.open(errors="replace") as log:
        log.seek(begins)
        return {int(marker): float(ms) for marker, _status, ms in _LINE.findall(log.read())}


def _alone(clients: Clients) -> Iterator[Answer]:
    """One request at a time, the pages in turn, so that a slow moment of the machine touches them all."""
    for turn in range(ROUNDS + WARM_UP):
        for asks in clients.asked.by_page.values():
            answer = clients.ask(turn, asks[turn % len(asks)], ALONE)
            if turn >= WARM_UP:
                yield answer


def _together(clients: Clients, count: int, seconds: int, load: str) -> list[Answer]:
    """`count` clerks for `seconds`, each opening any page anywhere and then reading it for a moment."""
    found: list[Answer] = []
    ends = time.monotonic() + seconds

    def work(number: int) -> None:
        random = Random(number)  # noqa: S311
        pages = list(clients.asked.by_page.values())
        time.sleep(random.random() * PAUSE_SECONDS)
        while time.monotonic() < ends:
            found.append(clients.ask(number, random.choice(random.choice(pages)), load))
            time.sleep(random.expovariate(1 / PAUSE_SECONDS))

    threads = [threading.Thread(target=work, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def samples(answers: list[Answer], server: dict[int, float]) -> dict[str, dict[str, float]]:
    """Figures of each page at each position and anywhere."""
    by_key: dict[str, Sample] = {}
    for one in answers:
        for position in (one.ask.position, ANYWHERE):
            sample = by_key.setdefault(f"{one.load}|{one.ask.page}|{position}", Sample())
            sample.client.append(one.milliseconds)
            if one.marker in server:
                sample.server.append(server[one.marker])
    return {key: figures(sample.server, sample.client) for key, sample in by_key.items()}
