"""One worksheet, looked at as text while it is inflated: cells beyond the limits, formulas, faulty cells,
merged and hidden ones (SECURITY FI-2).

`Skim` looks at the distinct tags only, which are few once digits are made alike: it is as fast as inflating.
Where a tag gives reason to doubt, `Walk` goes from cell to cell and names row and column. Standard library
only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from registry.intake.sheet import CONTROL_COLUMN, BadWorkbook, Limits, column_number

# Every tag but end tags and the plain <v>, which say nothing.
_TAG = re.compile(rb"<(?!v>)([^/][^>]*)")
_FORM = re.compile(rb"([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*)\s*/?", re.ASCII)
_ATTRIBUTE = re.compile(rb"([\w:.-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.ASCII)
_PLAIN_CELL = re.compile(
    rb'c r="([A-Z]{1,3})([0-9]{1,7})"(?: s="[0-9]+")?(?: t="(?:s|n|str|inlineStr|b)")?/?'
)
_REFERENCE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_ROW_NUMBERS = re.compile(rb"\sr\s*=\s*[\"'][A-Za-z]+([0-9]+)")
_HIDING = re.compile(rb"<((?:\w+:)?(?:row|col)\s[^<>]*\bhidden\b[^<>]*)")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^<>]*\bref\s*=\s*[\"']([A-Za-z]{1,3})([0-9]{1,7})")
_CELL_BEFORE = re.compile(rb"<(?:\w+:)?c\s[^<>]*?\br=[\"']([A-Za-z]{1,3})([0-9]{1,7})[\"']")

# What the tags of a stretch give reason for.
DOUBT, NUMBERS, HIDING, MERGED, VALUES = 1, 2, 4, 8, 16
_CELL_TYPES = frozenset(("s", "n", "str", "inlineStr", "b", "d"))
_INSIDE_CELL = frozenset(("f", "v", "is", "t", "r", "rPr"))
_SHOWN = ("0", "false")
_SHAPES = 100_000  # distinct tags of one part; ordinary ones have a few thousand


class LongRun(Exception):  # noqa: N818  # caught where it is known whose text it is
    """More bytes without a tag than any cell may hold; `before` is what was seen of the part last."""

    def __init__(self, before: bytes) -> None:
        super().__init__()
        self.before = before


def whole_tags(chunks: Iterable[bytes], longest: int) -> Iterator[bytes]:
    """The same text, cut before a tag, so that no tag lies in two pieces. Raises LongRun."""
    rest = b""
    for chunk in chunks:
        text = rest + chunk
        cut = text.rfind(b"<")
        if len(text) - cut > longest:
            raise LongRun(text)
        if cut > 0:
            yield text[:cut]
            text = text[cut:]
        rest = text
    yield rest


def too_long(run: LongRun) -> BadWorkbook:
    """The refusal of a cell with so long a text, which begins after the last cell seen."""
    row = column = 0
    if before := _CELL_BEFORE.findall(run.before):
        row, column = int(before[-1][1]), column_number(before[-1][0].decode())
    return BadWorkbook("cell_too_long", row=row, column=column)


def parse_tag(tag: bytes) -> tuple[str, dict[str, str]]:
    """(name without prefix, attributes) of what stands between < and >.

    Raises BadWorkbook for forms that two readers may understand in two ways.
    """
    form = _FORM.fullmatch(tag)
    if not form:
        raise BadWorkbook("exotic")
    pairs = _ATTRIBUTE.findall(form[2])
    attributes = {
        name.decode(): (double or single).decode("utf-8", "replace") for name, double, single in pairs
    }
    if len(attributes) < len(pairs):
        raise BadWorkbook("exotic")
    return form[1].decode().rpartition(":")[2], attributes


class Skim:
    """The first pass over a part that holds cells or their texts: what its tags give reason for."""

    def __init__(self, limits: Limits) -> None:
        self.found = 0
        self.hidden_rows: set[int] = set()
        self.hidden_columns: set[int] = set()
        self.merged: tuple[int, int] | None = None  # row and column of the first merged cells
        self._limits = limits
        self._known: dict[bytes, int] = {}
        leading = ord(str(limits.last_row)[0])
        self._digits_of_last = len(str(limits.last_row))
        # Digits become 0 or 9: below the first digit of the last row allowed, or not.
        self._alike = bytes(
            (57 if byte >= leading else 48) if 48 <= byte <= 57 else byte for byte in range(256)
        )

    def look(self, piece: bytes) -> None:
        """Take what the tags of `piece` tell. Raises BadWorkbook for odd ones."""
        reasons = 0
        for shape in set(_TAG.findall(piece.translate(self._alike))):
            verdict = self._known.get(shape)
            if verdict is None:
                if len(self._known) >= _SHAPES:
                    raise BadWorkbook("exotic")
                verdict = self._known[shape] = self._judge(shape)
            reasons |= verdict
        if reasons & NUMBERS and max(map(int, _ROW_NUMBERS.findall(piece))) > self._limits.last_row:
            reasons |= DOUBT
        if reasons & HIDING:
            self._look_at_hidden(piece)
        if reasons & MERGED and not self.merged and (first := _MERGED.search(piece)):
            self.merged = int(first[2]), column_number(first[1].decode())
        if not self.found & VALUES and b"<v>" in piece:
            reasons |= VALUES
        self.found |= reasons

    def _judge(self, shape: bytes) -> int:
        if shape.startswith(b"?xml "):
            return 0
        if shape.startswith((b"!DOCTYPE", b"!ENTITY")):
            raise BadWorkbook("entities")
        name, attributes = parse_tag(shape)
        if name == "c":
            return self._judge_cell(attributes)
        if name in ("row", "col"):
            return HIDING if "hidden" in attributes else 0
        if name == "mergeCell":
            return MERGED
        return DOUBT if name == "f" else VALUES if name in ("v", "is") else 0

    def _judge_cell(self, attributes: dict[str, str]) -> int:
        place = _REFERENCE.fullmatch(attributes.get("r", ""))
        if not place or attributes.get("t", "n") not in _CELL_TYPES:
            return DOUBT
        if column_number(place[1]) > self._limits.columns or len(place[2]) > self._digits_of_last:
            return DOUBT
        return NUMBERS if len(place[2]) == self._digits_of_last and place[2][0] == "9" else 0

    def _look_at_hidden(self, piece: bytes) -> None:
        for tag in _HIDING.findall(piece):
            name, attributes = parse_tag(tag)
            if attributes.get("hidden", "0") in _SHOWN:
                continue
            try:
                if name == "row":
                    self.hidden_rows.add(int(attributes["r"]))
                else:
                    first, last = int(attributes["min"]), int(attributes["max"])
                    self.hidden_columns.update(range(first, min(last, self._limits.columns) + 1))
            except (KeyError, ValueError):
                raise BadWorkbook("exotic") from None
        self.hidden_columns.discard(CONTROL_COLUMN)


class Walk:
    """The second pass over one worksheet: from tag to tag, with row and column, up to the first fault."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._row = self._column = 0
        self._in_cell = False

    def look(self, piece: bytes) -> None:
        """Go on through `piece`. Raises BadWorkbook."""
        for tag in _TAG.findall(piece):
            if plain := _PLAIN_CELL.fullmatch(tag):
                self._enter(column_number(plain[1].decode()), int(plain[2]))
            elif not tag.startswith(b"?xml "):
                self._take(*parse_tag(tag))

    def _take(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._take_cell(attributes)
            return
        if name == "f" and self._in_cell:
            raise self._bad("formula")
        if name == "row":
            self._row = self._row_number(attributes)
            self._column = 0
        self._in_cell = self._in_cell and name in _INSIDE_CELL

    def _row_number(self, attributes: dict[str, str]) -> int:
        given = attributes.get("r")
        if given is None:
            return self._row + 1
        if not re.fullmatch(r"[0-9]{1,7}", given):
            raise self._bad("exotic")
        return int(given)

    def _take_cell(self, attributes: dict[str, str]) -> None:
        # Without a reference a cell follows the one before it.
        place = _REFERENCE.fullmatch(attributes.get("r", ""))
        if "r" in attributes and not place:
            raise self._bad("exotic")
        self._enter(*((column_number(place[1]), int(place[2])) if place else (self._column + 1, self._row)))
        kind = attributes.get("t", "n")
        if kind not in _CELL_TYPES:
            raise self._bad("error_cell" if kind == "e" else "exotic")

    def _enter(self, column: int, row: int) -> None:
        self._row, self._column, self._in_cell = row, column, True
        if column > self._limits.columns:
            raise self._bad("too_many_columns", self._limits.columns)
        if row > self._limits.last_row:
            raise self._bad("too_many_rows", self._limits.rows)

    def _bad(self, code: str, limit: int = 0) -> BadWorkbook:
        return BadWorkbook(code, row=self._row, column=self._column, limit=limit)
