"""Reading a workbook without parsing it here: a child process of our own does, under limits (SECURITY FI-3).

with read_rows(content, "一年级.xlsx") as reading:
    number, headings = next(reading)     # the first row of the sheet
    for number, cells in reading: ...    # the others, numbered as the spreadsheet counts
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from dataclasses import asdict
from typing import IO, Any, Self

from django.conf import settings

from config.rules import rules
from registry.intake import archive
from registry.intake.reader import BAD, END, FRAME, HEAD, ROWS
from registry.intake.refusals import BadFile
from registry.intake.sheet import CELL_END, ROW_END, BadWorkbook, Limits

COMMAND = (sys.executable, "-s", "-m", "registry.intake.reader")
# Nothing of our environment: it holds the passwords of the database.
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
_PIPE = 1024 * 1024
_LARGEST_FRAME = 64 * 1024 * 1024  # one row of the longest cells
LIMIT_KEYS = (
    "INTAKE_FILE_MB", "INTAKE_ROWS", "INTAKE_COLUMNS", "INTAKE_CELL_CHARACTERS", "INTAKE_PARTS",
    "INTAKE_UNPACKED_MB", "INTAKE_RATIO", "INTAKE_MEMORY_MB", "INTAKE_SECONDS",
)  # fmt: skip


def limits_in_force() -> Limits:
    """The limits of the rule book, in one query."""
    held = rules(LIMIT_KEYS)
    return limits_of({key: held[key].number for key in LIMIT_KEYS})


def limits_of(values: dict[str, int]) -> Limits:
    """The values of the parameters as the reading process counts: megabytes as bytes."""
    return Limits(*(value * 1024**2 if key.endswith("_MB") else value for key, value in values.items()))


def look_at(content: bytes, file: str = "") -> None:
    """What an upload can be refused for at once: size, kind of file, form of the archive. Raises BadFile."""
    try:
        archive.look_at(content, limits_in_force())
    except BadWorkbook as fault:
        raise refusal_of(fault.as_data(), file) from None


def read_rows(content: bytes, file: str = "", limits: Limits | None = None) -> Reading:
    """Start reading a workbook. Raises BadFile, here or in the middle of the rows, with `file` in its
    sentence; whatever the workbook does, only the child dies of it.
    """
    return Reading(content, file, limits or limits_in_force())


class Reading(Iterator[tuple[int, list[str]]]):
    """The rows of one workbook while its reader lives; `total` counts those below headings and guidance.

    The reader ends with the rows, with `close`, with the context, or when the reading is forgotten.
    """

    def __init__(self, content: bytes, file: str, limits: Limits) -> None:
        child = _Child(content, limits)
        self.close = weakref.finalize(self, child.end)
        self.file = file
        try:
            head = json.loads(child.frame(file, HEAD)[1])
        except BaseException:
            self.close()
            raise
        self.sheet, self.total = str(head["sheet"]), int(head["total"])
        self._rows = _rows(child, file)  # knows the child only: a circle would keep it alive

    def __next__(self) -> tuple[int, list[str]]:
        return next(self._rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _rows(child: _Child, file: str) -> Iterator[tuple[int, list[str]]]:
    number = 0
    try:
        while True:
            kind, body = child.frame(file, ROWS, END)
            if kind == END:
                return
            for line in body.decode().split(ROW_END):
                number += 1
                yield number, line.split(CELL_END)
    finally:
        child.end()


class _Child:
    """The reading process, its pipes, and the thread that feeds it."""

    def __init__(self, content: bytes, limits: Limits) -> None:
        self._patience = 2.0 * limits.cpu_seconds  # for one frame, by the wall's clock
        self._buffer = bytearray()
        self._process = subprocess.Popen(
            [*COMMAND, json.dumps(asdict(limits))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a parser's last words may hold cells
            cwd=settings.BASE_DIR,
            env=_ENVIRONMENT,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._output = self._process.stdout.fileno()
        with contextlib.suppress(OSError, AttributeError):
            fcntl.fcntl(self._output, fcntl.F_SETPIPE_SZ, _PIPE)  # fewer turns between the two processes
        self._ready = selectors.DefaultSelector()
        self._ready.register(self._output, selectors.EVENT_READ)
        self._feeder = threading.Thread(target=_feed, args=(self._process.stdin, content), daemon=True)
        self._feeder.start()

    def frame(self, file: str, *expected: bytes) -> tuple[bytes, bytes]:
        """The next frame, of one of the expected kinds. Raises BadFile when the child says so, or dies."""
        kind, size = FRAME.unpack(self._take(FRAME.size, file))
        if kind not in (*expected, BAD) or size > _LARGEST_FRAME:
            raise BadFile("reader_died", file=file)
        body = self._take(size, file)
        if kind == BAD:
            raise refusal_of(json.loads(body), file)
        return kind, body

    def end(self) -> None:
        """Stop the child wherever it is; nothing of it stays. Safe to repeat."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._feeder.join()
        self._ready.close()
        if self._process.stdout:
            self._process.stdout.close()

    def _take(self, size: int, file: str) -> bytes:
        while len(self._buffer) < size:
            if not self._ready.select(self._patience):
                raise BadFile("reader_slow", file=file)
            piece = os.read(self._output, _PIPE)
            if not piece:
                is_slow = self._process.wait() == -signal.SIGXCPU
                raise BadFile("reader_slow" if is_slow else "reader_died", file=file)
            self._buffer += piece
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken


def _feed(pipe: IO[bytes], content: bytes) -> None:
    # A child that has heard enough closes its end.
    with contextlib.suppress(BrokenPipeError), pipe:
        pipe.write(content)


def refusal_of(data: dict[str, Any], file: str) -> BadFile:
    """What the child reports, as the refusal that people read."""
    return BadFile(data.pop("code"), file=file, **data)
