"""What template, reader, parser and returned workbook agree on. No Django: the reading process imports
this.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

PUPILS, HELP, DICTIONARY, PROBLEMS = "学生信息", "填写说明", "字典", "问题清单"
"""The sheets of our workbooks; only the first is read."""

OWN_SHEETS = frozenset((HELP, DICTIONARY, PROBLEMS))
CONTROL_COLUMN = 49  # hidden; says which template this is, and which rows are guidance
VERSION_MARK, NOTE_MARK, EXAMPLE_MARK = "学籍导入模板/", "说明/", "示例/"
GUIDANCE_MARKS = (NOTE_MARK, EXAMPLE_MARK)
HEADING_ROWS = 3  # headings, notes, example
PROBLEM_HEADING = "问题"  # after the last column of a returned workbook; ignored when it is read again

CELL_END, ROW_END = "\x1f", "\x1e"  # between cells and rows on their way to the parent
_DANGEROUS = tuple("=+-@|%\t\r\n\0＝＋－＠")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a workbook and the process that reads it may take (SECURITY FI-2)."""

    file_bytes: int
    rows: int
    columns: int
    characters: int
    parts: int
    unpacked_bytes: int
    ratio: int
    memory_bytes: int
    cpu_seconds: int

    @property
    def last_row(self) -> int:
        return self.rows + HEADING_ROWS


class BadWorkbook(Exception):  # noqa: N818  # told to the parent as data; there it becomes a refusal
    """The workbook cannot be taken. `code` names the reason (`refusals.REASONS`), row and column count from
    1.

    `words` fill the reason's sentence; never the text of a cell.
    """

    def __init__(
        self, code: str, *, sheet: str = "", row: int = 0, column: int = 0, **words: str | int
    ) -> None:
        super().__init__(code)
        self.code, self.sheet, self.row, self.column, self.words = code, sheet, row, column, words

    def as_data(self) -> dict[str, str | int]:
        place: dict[str, str | int] = {"sheet": self.sheet, "row": self.row, "column": self.column}
        return {"code": self.code} | place | self.words


def neutral(text: str) -> str:
    """`text` as a cell may hold it: no program takes it for a formula, also not after a detour by CSV
    (SECURITY EX-6).
    """
    return "'" + text if text.startswith(_DANGEROUS) else text


def restored(text: str) -> str:
    """What `neutral` was given."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_DANGEROUS) else text


def fold(text: str) -> str:
    """`text` without blanks, in ordinary width: what office programs change on saving does not count."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def row_digest(cells: Sequence[str]) -> str:
    """A mark of what a row says outside the control column."""
    others = [fold(text) for number, text in enumerate(cells, 1) if number != CONTROL_COLUMN]
    while others and not others[-1]:
        others.pop()
    return sha256(CELL_END.join(others).encode()).hexdigest()[:12]


def is_guidance(cells: Sequence[str]) -> bool:
    """Whether a row is the template's own note or example, unchanged; one written over is a pupil's."""
    mark, slash, digest = "".join(cells[CONTROL_COLUMN - 1 : CONTROL_COLUMN]).partition("/")
    return mark + slash in GUIDANCE_MARKS and digest == row_digest(cells)


def is_blank(line: str) -> bool:
    """Whether the joined cells of a row say nothing."""
    return not line.replace(CELL_END, "").strip()


def column_number(letters: str) -> int:
    """A is 1, Z 26, AA 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """1 is A, 27 is AA."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
