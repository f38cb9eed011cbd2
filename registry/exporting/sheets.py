"""The file itself, row by row into the sealed writer: nothing of it is ever on the disk, or whole in memory,
in clear.

The workbook is written here rather than by openpyxl, whose write-only sheets lie as clear temporary files
until they are packed. Every cell is a string (SECURITY EX-6).
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any, Protocol
from xml.sax.saxutils import escape  # noqa: S406  # writes only
from zipfile import ZIP_DEFLATED, ZipFile

from registry.intake.sheet import column_letters, neutral

Header = Sequence[tuple[str, str]]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"
ABOUT, DATA = "导出说明", "数据"
# Not allowed in XML, and in no text that a person reads.
_UNWRITABLE = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NOT_IN_NAMES = re.compile(r"[\\/:*?\"<>|\[\]\s\0-\x1f\x7f]+")
_LONG_NUMBER = re.compile(r"[0-9]{12,}")

_PARTS = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
        '<Override PartName="/xl/worksheets/sheet1.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
        '<Override PartName="/xl/worksheets/sheet2.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
        '<Override PartName="/xl/styles.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>'
    ),
    "_rels/.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Target="xl/workbook.xml" Type='
        '"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>'
    ),
    "xl/workbook.xml": (
        '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
        f'<sheet name="{ABOUT}" sheetId="1" r:id="rId1"/><sheet name="{DATA}" sheetId="2" r:id="rId2"/>'
        "</sheets></workbook>"
    ),
    "xl/_rels/workbook.xml.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Target="worksheets/sheet1.xml" Type='
        '"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"/>'
        '<Relationship Id="rId2" Target="worksheets/sheet2.xml" Type='
        '"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"/>'
        '<Relationship Id="rId3" Target="styles.xml" Type='
        '"http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles"/></Relationships>'
    ),
    # Style 1 is text, 2 bold text: number format 49 is "@", which no program turns into a number.
    "xl/styles.xml": (
        '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        '<fonts count="2"><font><sz val="11"/><name val="宋体"/></font>'
        '<font><b/><sz val="11"/><name val="宋体"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        "<borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders>"
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/>'
        '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
        "</styleSheet>"
    ),
}  # fmt: skip
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
_FROZEN = (
    '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" state="frozen"/>'
    "</sheetView></sheetViews>"
)


class Sink(Protocol):
    """Where bytes go: the sealed file."""

    def write(self, content: bytes) -> int: ...
    def flush(self) -> None: ...


class Sheet(Protocol):
    """A file being written: packs of rows, then the end."""

    def add(self, rows: Iterable[Sequence[str]]) -> None: ...
    def close(self) -> None: ...


def cell(text: str) -> str:
    """`text` as a file may hold it: no program takes it for a formula, no control character stays."""
    return neutral(_UNWRITABLE.sub("□", text))


def file_name(place: str, number: str, ending: str, *, kind: str = "学籍导出") -> str:
    """A name that no program takes for a path or a formula."""
    return f"{kind}-{_NOT_IN_NAMES.sub('', place)[:40]}-{number}.{ending}"


def open_sheet(kind: str, sink: Sink, *, about: Header, headings: Sequence[str], mark: str) -> Sheet:
    """Begin a file of `kind` (xlsx or csv). `mark` is printed on every page of a workbook."""
    return Workbook(sink, about, headings, mark) if kind == "xlsx" else Commas(sink, about, headings)


class Workbook:
    """An .xlsx of two sheets: what it is, and the rows."""

    def __init__(self, sink: Sink, about: Header, headings: Sequence[str], mark: str) -> None:
        file: Any = sink  # one that can neither seek nor tell is written from front to back
        self._archive = ZipFile(file, "w", ZIP_DEFLATED)
        for name, content in _PARTS.items():
            self._archive.writestr(name, _XML + content)
        printed = escape(_UNWRITABLE.sub("", mark).replace("&", "&&"))  # "&" begins a code there
        self._end = (
            f"</sheetData><headerFooter><oddHeader>&amp;C{printed}</oddHeader>"
            f"<oddFooter>&amp;C{printed}</oddFooter></headerFooter></worksheet>"
        )
        with self._archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            widths = '<cols><col min="1" max="1" width="16"/><col min="2" max="2" width="90"/></cols>'
            rows = "".join(_row(number, pair, 1) for number, pair in enumerate(about, 1))
            sheet.write(f"{_XML}{_SHEET}{widths}<sheetData>{rows}{self._end}".encode())
        self._sheet = self._archive.open("xl/worksheets/sheet2.xml", "w")
        width = f'<cols><col min="1" max="{len(headings)}" width="18"/></cols>'
        self._sheet.write(f"{_XML}{_SHEET}{_FROZEN}{width}<sheetData>{_row(1, headings, 2)}".encode())
        self._line = 1

    def add(self, rows: Iterable[Sequence[str]]) -> None:
        lines = []
        for texts in rows:
            self._line += 1
            lines.append(_row(self._line, texts, 1))
        self._sheet.write("".join(lines).encode())

    def close(self) -> None:
        self._sheet.write(self._end.encode())
        self._sheet.close()
        self._archive.close()


class Commas:
    """A CSV in UTF-8 with its mark, so that office programs read Chinese: what it is, a blank line, headings,
    rows.
    """

    def __init__(self, sink: Sink, about: Header, headings: Sequence[str]) -> None:
        self._sink = sink
        self._sink.write(b"\xef\xbb\xbf")
        self.add([*about, (), headings])

    def add(self, rows: Iterable[Sequence[str]]) -> None:
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerows([_plain(value) for value in texts] for texts in rows)
        self._sink.write(text.getvalue().encode())

    def close(self) -> None:
        self._sink.flush()


def _plain(text: str) -> str:
    # An office program would make a rounded number of an identity number.
    return f"'{text}" if _LONG_NUMBER.fullmatch(text) else cell(text)


def _row(number: int, texts: Sequence[str], style: int) -> str:
    cells = "".join(
        f'<c r="{_LETTERS[place]}{number}" s="{style}" t="inlineStr">'
        f'<is><t xml:space="preserve">{escape(cell(text))}</t></is></c>'
        for place, text in enumerate(texts)
        if text
    )
    return f'<row r="{number}">{cells}</row>'


_LETTERS = [column_letters(number) for number in range(1, 201)]
