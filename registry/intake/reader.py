"""The reading process: `python -m registry.intake.reader LIMITS`, the workbook on stdin, frames on stdout.

It limits itself before it looks at a byte, scans, parses with python-calamine and writes every cell as text.
A hostile workbook may take this process down, and nothing else (SECURITY FI-2, FI-3). No Django, no database,
no settings: it knows its limits and the bytes.

Its frames: `H` {"sheet", "total"}, `R` rows in order (the first is the sheet's first row), `E` the end, `B`
why the workbook cannot be taken.
"""

from __future__ import annotations

import datetime
import gc
import io
import json
import sys
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

from registry.intake.scan import Found, scan
from registry.intake.sheet import (
    CELL_END,
    HEADING_ROWS,
    ROW_END,
    BadWorkbook,
    Limits,
    is_blank,
    is_guidance,
    restored,
)
from registry.limited import confine, send

HEAD, ROWS, END, BAD = b"H", b"R", b"E", b"B"
PACK_ROWS, PACK_CHARACTERS = 500, 1_000_000
WIDEST = 10**15  # a spreadsheet keeps fifteen digits of a number; the sixteenth is gone


def main() -> None:
    """Read one workbook and say what it holds, or why it cannot be taken."""
    limits = Limits(**json.loads(sys.argv[1]))
    confine(limits.memory_bytes, limits.cpu_seconds)
    gc.disable()  # rows come and go by the thousand; nothing here is circular
    try:
        for kind, body in frames(sys.stdin.buffer.read(limits.file_bytes + 1), limits):
            send(kind, body)
    except BrokenPipeError:
        sys.stderr.close()  # the parent has lost interest


def frames(data: bytes, limits: Limits) -> Iterator[tuple[bytes, bytes]]:
    """What goes to the parent, in order; the last one is END or BAD."""
    sheet = ""
    try:
        found = scan(data, limits)
        sheet = found.sheet
        yield from _rows(data, found, limits)
        yield END, b""
    except BadWorkbook as fault:
        yield _bad(fault)
    except MemoryError:
        yield _bad(BadWorkbook("memory", sheet=sheet))
    except GeneratorExit:
        raise
    except BaseException:  # the parser's panics are not Exceptions; what they say may hold cells
        yield _bad(BadWorkbook("unreadable", sheet=sheet))


def _bad(fault: BadWorkbook) -> tuple[bytes, bytes]:
    return BAD, json.dumps(fault.as_data()).encode()


def _rows(data: bytes, found: Found, limits: Limits) -> Iterator[tuple[bytes, bytes]]:
    from python_calamine import CalamineWorkbook  # after the scan: most bad files never come so far

    sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name(found.sheet)
    if sheet.start is None:
        raise BadWorkbook("sheet_empty", sheet=found.sheet)
    lines = Lines(found, limits)
    # A sheet whose first columns are blank begins later: its rows are filled up from the left.
    left = [""] * sheet.start[1]
    source = (lines.line(left + row if left else row) for row in sheet.iter_rows())
    head = list(islice(source, HEADING_ROWS))
    headings = 1 + sum(is_guidance(line.split(CELL_END)) for line in head[1:])
    total = sheet.start[0] + sheet.height - headings
    if total > limits.rows:
        last = limits.rows + headings
        raise BadWorkbook("too_many_rows", sheet=found.sheet, row=last + 1, limit=limits.rows)
    yield HEAD, json.dumps({"sheet": found.sheet, "total": total}).encode()
    characters = 0
    for pack in _packs(chain(head, source)):
        yield ROWS, pack.encode()
        characters += len(pack)
        if characters > limits.unpacked_bytes:
            # A few long texts, shown in every cell, make gigabytes of a small file.
            raise BadWorkbook("unpacked", limit=limits.unpacked_bytes // 1024**2)


def _packs(source: Iterable[str]) -> Iterator[str]:
    pack: list[str] = []
    size = 0
    for line in source:
        pack.append(line)
        size += len(line)
        if len(pack) >= PACK_ROWS or size > PACK_CHARACTERS:
            yield ROW_END.join(pack)
            pack, size = [], 0
    if pack:
        yield ROW_END.join(pack)


class Lines:
    """Rows as lines of text, and what only the texts can tell: too long, or hidden from whoever looks."""

    def __init__(self, found: Found, limits: Limits) -> None:
        self._found, self._limits = found, limits
        self._hidden_columns = [column - 1 for column in sorted(found.hidden_columns)]
        self._row = 0

    def line(self, cells: list[Any]) -> str:
        """The cells as text, joined. Raises BadWorkbook with row and column."""
        self._row += 1
        try:
            line = CELL_END.join(cells)
        except TypeError:
            cells = [cell if cell.__class__ is str else text_of(cell) for cell in cells]
            line = CELL_END.join(cells)
        if "'" in line or ROW_END in line or line.count(CELL_END) >= len(cells):
            cells = [restored(cell).replace(CELL_END, "\1").replace(ROW_END, "\1") for cell in cells]
            line = CELL_END.join(cells)
        if len(line) > self._limits.characters:
            self._check_lengths(cells)
        if self._hidden_columns or self._row in self._found.hidden_rows:
            self._check_hidden(cells, line)
        return line

    def _check_lengths(self, cells: list[str]) -> None:
        for column, cell in enumerate(cells, 1):
            if len(cell) > self._limits.characters:
                raise self._bad("cell_too_long", column, limit=self._limits.characters)

    def _check_hidden(self, cells: list[str], line: str) -> None:
        """Headings, notes and the example may be hidden; a pupil, or a part of one, may not."""
        if self._row == 1 or is_blank(line) or (self._row <= HEADING_ROWS and is_guidance(cells)):
            return
        if self._row in self._found.hidden_rows:
            others = (row for row in self._found.hidden_rows if row >= self._row)
            raise self._bad("hidden_rows", rows=_some(others))
        for column in self._hidden_columns:
            if cells[column : column + 1] and cells[column].strip():
                raise self._bad("hidden_columns", column + 1)

    def _bad(self, code: str, column: int = 0, **words: str | int) -> BadWorkbook:
        return BadWorkbook(code, sheet=self._found.sheet, row=self._row, column=column, **words)


def _some(rows: Iterable[int]) -> str:
    numbers = sorted(rows)
    named = "、".join(map(str, numbers[:10]))
    return f"{named}等{len(numbers)}" if len(numbers) > 10 else named


def text_of(cell: Any) -> str:
    """A cell that is no text, as a person would have typed it. Numbers beyond fifteen digits are damaged in
    the file already: they come out as 3.30106E+17, which the row's check recognises.
    """
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, int | float):
        if abs(cell) >= WIDEST:
            return f"{cell:.5E}"
        return str(int(cell)) if float(cell).is_integer() else f"{cell:.15g}"
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(" ", "seconds").removesuffix(" 00:00:00")
    return str(cell)


if __name__ == "__main__":
    main()
