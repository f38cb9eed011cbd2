"""The workbook back to whoever sent it: the same rows, faulty cells marked, every problem beside its row and
in a list. Its headings are the template's, so that the corrected workbook can be handed in again.

openpyxl makes the workbook around the rows. The rows are written here, straight into the archive: openpyxl
would put children's data in clear into temporary files (SECURITY FI-5), and takes twenty times as long.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape  # noqa: S406  # writes only
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments.comment_sheet import CommentRecord
from openpyxl.drawing.spreadsheet_drawing import SpreadsheetDrawing
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from registry.fields import BY_KEY, TEMPLATE
from registry.intake import template
from registry.intake.sheet import PROBLEM_HEADING, PROBLEMS, PUPILS, column_letters, neutral

MOST_COMMENTS = 5000  # more of them, and office programs take minutes to open the file
_FILLS = {"error": PatternFill("solid", fgColor="FF9999"), "warning": PatternFill("solid", fgColor="FFE699")}
_LEVELS = {"error": "错误", "warning": "提醒"}
_LETTERS = [column_letters(number) for number in range(1, len(TEMPLATE) + 2)]
_NO_ROWS, _NO_SIZE = b"<sheetData></sheetData>", b'<dimension ref="A1:A1" />'
# Not allowed in XML, but a hostile workbook can say them.
_UNWRITABLE = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Problem(NamedTuple):
    """One finding of one row, in words. `level` is "error" or "warning"."""

    field: str
    rule: str
    message: str
    remedy: str
    level: str


def write_annotated(
    rows: Iterable[tuple[int, Sequence[str]]], findings: Mapping[int, Sequence[Problem]]
) -> bytes:
    """An .xlsx with `rows` (number as in the sheet handed in, ascending; texts in template order) and what
    `findings` say of each. Rows keep their numbers, and are taken one at a time.
    """
    book = Workbook()
    pupils = book.active
    assert isinstance(pupils, Worksheet)
    pupils.title = PUPILS
    problems = book.create_sheet(PROBLEMS)
    styles = _Styles(book)
    template.format_columns(pupils)
    template.offer_choices(pupils, template.write_dictionary(book))
    pupils.column_dimensions[_LETTERS[-1]].width = 60
    for letters, width in zip(_LETTERS, (8, 8, 24, 8, 12, 70, 70), strict=False):
        problems.column_dimensions[letters].width = width
    pupils.freeze_panes, problems.freeze_panes = "D2", "A2"
    comments: list[CommentRecord] = []
    content = io.BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        writer = _Writer(book, archive)
        lines = _pupil_rows(rows, findings, styles, comments)
        writer.pack(pupils, lines, comments, has_comments=any(findings.values()))
        writer.pack(problems, _problem_rows(findings, styles), [], has_comments=False)
        writer.write_data()
    return content.getvalue()


class _Writer(ExcelWriter):
    """openpyxl's own, but for sheets whose rows went into the archive one by one."""

    def __init__(self, workbook: Workbook, archive: ZipFile) -> None:
        super().__init__(workbook, archive)
        self._packed: dict[str, tuple[WorksheetWriter, list[CommentRecord]]] = {}

    def pack(
        self, sheet: Worksheet, rows: Iterable[str], comments: list[CommentRecord], *, has_comments: bool
    ) -> None:
        """Write the sheet around `rows`, and the rows; `comments` may grow meanwhile."""
        sheet._id = 1 + len(self._packed)
        around = WorksheetWriter(sheet, out=io.BytesIO())
        sheet._comments = [None] if has_comments else []  # what follows the rows must announce them
        around.write()
        before, after = around.read().replace(_NO_SIZE, b"").split(_NO_ROWS)
        with self._archive.open(sheet.path[1:], "w") as member:
            member.write(before + b"<sheetData>")
            for row in rows:
                member.write(row.encode())
            member.write(b"</sheetData>" + after)
        self._packed[sheet.title] = around, comments

    def write_worksheet(self, ws: Worksheet) -> None:
        if ws.title not in self._packed:
            super().write_worksheet(ws)
            return
        around, ws._comments = self._packed[ws.title]
        ws._drawing, ws._rels = SpreadsheetDrawing(), around._rels
        self.manifest.append(ws)


class _Styles:
    """The numbers under which the workbook keeps its styles; all of them are text."""

    def __init__(self, book: Workbook) -> None:
        self.plain = self._number(book)
        self.heading = self._number(
            book, font=Font(bold=True), fill=template.HEAD_FILL, alignment=Alignment(wrap_text=True)
        )
        self.marked = {level: self._number(book, fill=fill) for level, fill in _FILLS.items()}

    def _number(self, book: Workbook, **style: object) -> int:
        cell = WriteOnlyCell(book.active)
        cell.number_format = template.TEXT
        for name, value in style.items():
            setattr(cell, name, value)
        return cell.style_id


def _row(number: int, cells: Iterable[tuple[str, int]]) -> str:
    """One row of (text, style). Texts are texts: no program takes one for a formula or an error."""
    parts = [f'<row r="{number}">']
    for letters, (text, style) in zip(_LETTERS, cells, strict=False):
        if text:
            shown = escape(_UNWRITABLE.sub("□", neutral(text)))
            kept = ' xml:space="preserve"' if shown != shown.strip() or "\n" in shown else ""
            parts.append(f'<c r="{letters}{number}" s="{style}" t="str"><v{kept}>{shown}</v></c>')
        elif style:
            parts.append(f'<c r="{letters}{number}" s="{style}"/>')
    return "".join((*parts, "</row>"))


def _pupil_rows(
    rows: Iterable[tuple[int, Sequence[str]]],
    findings: Mapping[int, Sequence[Problem]],
    styles: _Styles,
    comments: list[CommentRecord],
) -> Iterator[str]:
    yield _row(1, [(text, styles.heading) for text in (*template.headings(), PROBLEM_HEADING)])
    for number, texts in rows:
        marks: dict[str, int] = {}
        problems = findings.get(number, ())
        for problem in sorted(problems, key=lambda problem: problem.level, reverse=True):
            marks[problem.field] = styles.marked[problem.level]  # "error" comes last and stays
        told = "；".join(f"{_label(problem)}：{problem.message}" for problem in problems)
        cells = [
            (text, marks.get(field.key, styles.plain if text else 0))
            for field, text in zip(TEMPLATE, texts, strict=True)
        ]
        yield _row(number, [*cells, (told, styles.plain)])
        comments += _comments(number, problems, MOST_COMMENTS - len(comments))


def _comments(number: int, problems: Sequence[Problem], most: int) -> list[CommentRecord]:
    """One comment for each faulty cell of a row, at most `most`."""
    told: dict[str, str] = {}
    for problem in problems:
        field = BY_KEY.get(problem.field)
        if field and field.template_col:
            cell = f"{column_letters(field.template_col)}{number}"
            told[cell] = f"{told.get(cell, '')}{problem.message}{problem.remedy}\n"
    records = []
    for cell, text in list(told.items())[: max(most, 0)]:
        record = CommentRecord(ref=cell, author="学籍系统", height=120, width=300)
        record.text.t = text.strip()
        records.append(record)
    return records


def _label(problem: Problem) -> str:
    return BY_KEY[problem.field].label_zh if problem.field in BY_KEY else problem.field


def _problem_rows(findings: Mapping[int, Sequence[Problem]], styles: _Styles) -> Iterator[str]:
    """Row, column, item, level, rule, problem, remedy; never the value."""
    titles = ("行", "列", "项目", "级别", "规则", "问题", "改正办法")
    yield _row(1, [(text, styles.heading) for text in titles])
    line = 1
    for number in sorted(findings):
        for problem in findings[number]:
            line += 1
            field = BY_KEY.get(problem.field)
            place = column_letters(field.template_col or 0) if field else ""
            words = (str(number), place, _label(problem), _LEVELS[problem.level])
            texts = (*words, problem.rule, problem.message, problem.remedy)
            yield _row(line, [(text, styles.plain) for text in texts])
