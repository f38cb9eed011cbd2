"""Reading a workbook without parsing it here: a child process of our own does, under limits (SECURITY FI-3).

with read_rows(content, "一年级.xlsx") as reading:
    number, headings = next(reading)     # the first row of the sheet
    for number, cells in reading: ...    # the others, numbered as the spreadsheet counts
"""

from __future__ import annotations

import json
import sys
import weakref
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Self

from config.limited_child import Child, ChildFailed
from config.rules import rules
from registry.intake import archive
from registry.intake.reader import BAD, END, HEAD, ROWS
from registry.intake.refusals import BadFile
from registry.intake.sheet import CELL_END, ROW_END, BadWorkbook, Limits

COMMAND = (sys.executable, "-s", "-m", "registry.intake.reader")
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
        child = Child([*COMMAND, json.dumps(asdict(limits))], content, 2.0 * limits.cpu_seconds)
        self.close = weakref.finalize(self, child.end)
        self.file = file
        try:
            head = json.loads(_frame(child, file, HEAD)[1])
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


def _rows(child: Child, file: str) -> Iterator[tuple[int, list[str]]]:
    number = 0
    try:
        while True:
            kind, body = _frame(child, file, ROWS, END)
            if kind == END:
                return
            for line in body.decode().split(ROW_END):
                number += 1
                yield number, line.split(CELL_END)
    finally:
        child.end()


def _frame(child: Child, file: str, *expected: bytes) -> tuple[bytes, bytes]:
    """The next frame, of one of the expected kinds. Raises BadFile when the child says so, or dies."""
    try:
        kind, body = child.frame()
    except ChildFailed as failed:
        raise BadFile("reader_slow" if failed.is_slow else "reader_died", file=file) from None
    if kind == BAD:
        raise refusal_of(json.loads(body), file)
    if kind not in expected:
        raise BadFile("reader_died", file=file)
    return kind, body


def refusal_of(data: dict[str, Any], file: str) -> BadFile:
    """What the child reports, as the refusal that people read."""
    return BadFile(data.pop("code"), file=file, **data)
