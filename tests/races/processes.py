"""Real processes: children of a nursery, programs that bin/run starts, and the database's own."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import psycopg
from django.conf import settings
from django.db import connection

from config.embedded import stop_with_parent

ANSWER_SECONDS = 60
BACK_SECONDS = 60  # RE-5: after a process kill


def environment(role: str, **more: str) -> dict[str, str]:
    return dict(os.environ) | {"XUEJI_ROLE": role, "PYTHONWARNINGS": "ignore"} | more


class Child:
    """A process of its own: a clerk's request handler, or a worker."""

    def __init__(self, own: socket.socket) -> None:
        own.settimeout(ANSWER_SECONDS)
        self._own, self._stream = own, own.makefile("rw")
        born = self.hear()
        assert born, "the nursery is gone: see its log"
        self.pid: int = born["pid"]

    def tell(self, order: str, *arguments: str, **given: Any) -> None:
        with contextlib.suppress(BrokenPipeError):  # it has died: hear() says so
            self._stream.write(json.dumps({"order": order, "arguments": arguments} | given) + "\n")
            self._stream.flush()

    def hear(self) -> dict[str, Any] | None:
        """Its answer; None when the process has ended instead."""
        try:
            line = self._stream.readline()
        except ConnectionResetError:
            return None
        return json.loads(line) if line else None

    def ask(self, order: str, *arguments: str, **given: Any) -> dict[str, Any] | None:
        self.tell(order, *arguments, **given)
        return self.hear()

    def is_alive(self) -> bool:
        """For a child that does not answer: the kernel closes its socket when it ends."""
        self._own.setblocking(False)
        try:
            return bool(self._own.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return True
        except ConnectionResetError:
            return False
        finally:
            self._own.settimeout(ANSWER_SECONDS)

    def kill(self) -> None:
        """kill -9, and wait until it is gone; a second call does nothing."""
        if self.is_alive():
            os.kill(self.pid, signal.SIGKILL)
            while self.is_alive():
                time.sleep(0.002)
        self._stream.close()
        self._own.close()


class Nursery:
    """Gives children of one role in milliseconds (tests/races/nursery.py)."""

    def __init__(self, role: str, log: IO[bytes]) -> None:
        self._control, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.races.nursery", str(theirs.fileno())],
            cwd=settings.BASE_DIR, env=environment(role), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            pass_fds=[theirs.fileno()], preexec_fn=stop_with_parent(signal.SIGKILL),
        )  # fmt: skip
        theirs.close()
        self._children: list[Child] = []

    def child(self, **env: str) -> Child:
        ours, theirs = socket.socketpair()
        socket.send_fds(self._control, [b"x"], [theirs.fileno()])
        theirs.close()
        child = Child(ours)
        self._children.append(child)
        if env:
            assert child.ask("environment", **env) is not None
        return child

    def kill_children(self) -> None:
        while self._children:
            child = self._children.pop()
            with contextlib.suppress(OSError, ValueError):  # closed before
                child.kill()

    def stop(self) -> None:
        self.kill_children()
        self._control.close()
        self._process.wait(10)


@contextlib.contextmanager
def program(*command: str, role: str, log: IO[bytes], **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program as bin/run starts it, in a group of its own; killed with all that it started at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command], cwd=settings.BASE_DIR, env=environment(role, **env),
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        preexec_fn=stop_with_parent(signal.SIGTERM),
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until(is_so: Callable[[], Any], *, what: str, seconds: float = ANSWER_SECONDS) -> float:
    """Ask again and again; returns how long it took. Fails when it does not come true."""
    began = time.monotonic()
    while not is_so():
        waited = time.monotonic() - began
        assert waited < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.02)
    return time.monotonic() - began


# ── The database server ────────────────────────────────


def _connect(role: str) -> psycopg.Connection[tuple[Any, ...]]:
    name = "DATABASE_WORKER_URL" if role == "worker" else "DATABASE_URL"
    return psycopg.connect(os.environ[name], autocommit=True, connect_timeout=3)


def _parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


class Aim:
    """Ready to kill -9 a server process of the test database, and of no other."""

    def __init__(self, role: str) -> None:
        given = settings.DATABASES["default"]
        assert str(given["NAME"]).endswith("_test")
        assert given["HOST"] == "127.0.0.1"
        self._asking = _connect(role)
        self._postmaster = _parent_of(self._asking.info.backend_pid)
        assert b"postgres" in Path(f"/proc/{self._postmaster}/cmdline").read_bytes()

    def strike(self, *, whole: bool, delay: float = 0, patience: float = 1.5) -> tuple[str, bool]:
        """Wait until a transaction of the role has written something (at most `patience` seconds), and
        `delay` seconds more; then kill the postmaster (`whole`), which the launcher starts again, or the
        process of such a transaction, after which the postmaster starts all of them again. Returns which of
        the two, and whether a transaction was cut; the old server is gone by then.
        """
        deadline = time.monotonic() + patience
        while not self._writing() and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(delay)
        working = self._writing()
        name = "postmaster" if whole or not working else "backend"
        try:
            os.kill(self._postmaster if name == "postmaster" else working[0], signal.SIGKILL)
        except ProcessLookupError:  # that backend has just ended: nothing was cut
            working, name = [], "postmaster"
            os.kill(self._postmaster, signal.SIGKILL)
        if name == "backend" and not self._ends_within(5):
            # It had ended by itself and took the signal as a zombie: nothing was cut.
            working, name = [], "postmaster"
            os.kill(self._postmaster, signal.SIGKILL)
        wait_until(self._is_cut_off, what="the killed server is gone")
        return name, bool(working)

    def _ends_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not self._is_cut_off():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def _writing(self) -> list[int]:
        """The server processes of the role's transactions that have an id: those that have written."""
        rows = self._asking.execute(
            "SELECT pid FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()"
            " AND datname = current_database() AND backend_xid IS NOT NULL"
        )
        return [row[0] for row in rows]

    def _is_cut_off(self) -> bool:
        try:
            self._asking.execute("SELECT 1")
        except psycopg.OperationalError:
            self._asking.close()
            return True
        return False


def wait_for_postgres() -> float:
    """Wait until the server answers again; returns the seconds."""

    def answers() -> bool:
        try:
            _connect("web").close()
        except psycopg.OperationalError:
            return False
        return True

    connection.close()
    return wait_until(answers, what="the database is back", seconds=BACK_SECONDS)
