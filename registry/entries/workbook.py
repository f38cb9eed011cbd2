"""The workbook of one kind: template, reading, every fault of every row (FI-2, R-EST-10)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from config.clock import today
from registry.entries import refusals as say
from registry.entries.cleaning import Cleaned, clean
from registry.entries.kinds import Kind
from registry.findings import Finding
from registry.intake.reading import limits_in_force, look_at, read_rows
from registry.intake.sheet import HELP, PUPILS, column_letters, neutral
from registry.intake.template import HEAD_FILL, TEXT
from registry.models import Enrolment, RecordEntry
from registry.names import fold_name
from registry.services.seasons import terms_by_day

MOST_ROWS = 5_000  # one school, one kind, one term
_KEYS = ("status_number", "name", "class_number", "when")
Cells = list[tuple[int, list[str]]]


@dataclass(slots=True)
class Row:
    """One row as it was read, the pupil it means, and what is wrong with it."""

    number: int
    typed: dict[str, str]
    student_id: int = 0
    found: Cleaned | None = None
    faults: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault as the page lists it: row, column, what stands there, why, by which rule."""

    row: int
    column: str
    heading: str
    value: str
    finding: Finding


def headings(kind: Kind) -> list[str]:
    when = _("学年学期") if kind.is_once_a_term else _("日期")
    return [_("学籍号"), _("姓名"), _("班号"), when, *(str(column.label) for column in kind.columns)]


def keys(kind: Kind) -> list[str]:
    return [*_KEYS, *(column.key for column in kind.columns)]


# ── The template ─────────────────────────────────────────────────────────────────────────────────────────
def template(kind: Kind, pupils: Iterable[tuple[str, str, str]]) -> bytes:
    """An empty workbook of the kind with the school's pupils (number, name, class number) filled in."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = PUPILS
    sheet.append(headings(kind))
    for cell in sheet[1]:
        cell.font, cell.fill = Font(bold=True), HEAD_FILL
        sheet.column_dimensions[cell.column_letter].width = 18
    for number, name, class_number in pupils:
        sheet.append([neutral(number), neutral(name), neutral(class_number)])
    last = max(sheet.max_row, 200) + 200
    for row in sheet.iter_rows(2, last, 1, len(headings(kind))):
        for cell in row:
            cell.number_format = TEXT
    _offer(sheet, kind, last)
    sheet.freeze_panes = "A2"
    notes = book.create_sheet(HELP)
    for line in _notes(kind):
        notes.append([line])
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _offer(sheet: Worksheet, kind: Kind, last: int) -> None:
    """Drop-downs where the words fit into a cell's rule; longer lists stand among the notes."""
    for place, column in enumerate(kind.columns, len(_KEYS) + 1):
        words = ",".join(name for _code, name in column.choices)
        if words and len(words) < 250:
            choice = DataValidation(type="list", formula1=f'"{words}"', allow_blank=True)
            sheet.add_data_validation(choice)
            letters = column_letters(place)
            choice.add(f"{letters}2:{letters}{last}")


def _notes(kind: Kind) -> list[str]:
    lines = [
        _("一行一条记录；整份表格要么全部写入，要么一条也不写入。没有记录的学生请删去该行。"),
        _("学籍号可以留空，此时按姓名和班号对应学生；本班有同名学生的必须填学籍号。"),
        _("学年学期写成 2026-1（2026 年秋季学期）或 2026-2（2027 年春季学期），空着为本学期。")
        if kind.is_once_a_term
        else _("日期写成 2026-09-01 的形式。"),
        str(kind.note),
    ]
    for column in kind.columns:
        words = "、".join(name for _code, name in column.choices)
        must = _("必填") if column.is_must else _("选填")
        lines.append(f"{column.label}（{must}）" + (f"：{words}" if words else ""))
    return [line for line in lines if line]


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────
def read(content: bytes, file_name: str, kind: Kind) -> Cells:
    """The rows below the headings, as text. Raises BadFile, SheetForeign or SheetEmpty; whatever the file
    does, only the child that parses it dies of it.
    """
    look_at(content, file_name)
    wanted = headings(kind)
    with read_rows(content, file_name, replace(limits_in_force(), rows=MOST_ROWS)) as rows:
        _number, first = next(rows, (0, []))
        if [text.strip() for text in first[: len(wanted)]] != wanted or any(first[len(wanted) :]):
            raise say.SheetForeign(kind=kind.name)
        found = [
            (number, [text.strip() for text in cells[: len(wanted)]])
            for number, cells in rows
            if any(text.strip() for text in cells[3 : len(wanted)])
        ]
    if not found:
        raise say.SheetEmpty()
    return found


# ── Checking ─────────────────────────────────────────────────────────────────────────────────────────────
def check(cells: Cells, kind: Kind, path: str) -> list[Row]:
    """Every row with its pupil and its faults, as things stand now. A few queries, however many rows."""
    known = keys(kind)
    rows = [Row(number, dict(zip(known, texts, strict=False))) for number, texts in cells]
    pupils, term_of = _Pupils(path), terms_by_day(path)
    for row in rows:
        place = pupils.meant_by(row)
        if place is None:
            continue
        row.student_id, grade = place
        row.found = clean(kind, row.typed, grade, today(), term_of)
        row.faults += row.found.faults
    _refuse_doubles(rows, kind)
    return rows


class _Pupils:
    """The school's present pupils by number, and by name and class."""

    def __init__(self, path: str) -> None:
        spells = Enrolment.objects.filter(org_path=path).in_school()
        self._by_number: dict[str, tuple[int, str, str]] = {}
        self._by_name: dict[tuple[str, str], list[tuple[int, str]]] = {}
        for student, number, name, class_number, grade in spells.values_list(
            "student_id", "student__number", "name", "class_number", "grade"
        ):
            folded = fold_name(name)
            if number:
                self._by_number[number] = (student, grade, folded)
            self._by_name.setdefault((folded, class_number), []).append((student, grade))

    def meant_by(self, row: Row) -> tuple[int, str] | None:
        """Pupil and grade, or None and a fault. A number alone is enough, but its name must not differ."""
        number = row.typed.get("status_number", "").upper()
        name, class_number = fold_name(row.typed.get("name", "")), row.typed.get("class_number", "")
        if number:
            held = self._by_number.get(number)
            if held is None or (name and held[2] != name):
                row.faults.append(say.NO_PUPIL.at("status_number" if held is None else "name"))
                return None
            return held[0], held[1]
        found = self._by_name.get((name, class_number), [])
        if len(found) != 1:
            row.faults.append((say.MANY_PUPILS if found else say.NO_PUPIL).at("name"))
            return None
        return found[0]


def _refuse_doubles(rows: list[Row], kind: Kind) -> None:
    """The same entry twice in the sheet, or entered before: a second upload finds every row known."""
    same = {row.number: (row.student_id, row.found.fingerprint(kind)) for row in rows if row.found}
    counts = Counter(same.values())
    held = RecordEntry.objects.filter(
        student__in={student for student, _print in same.values()}, kind=kind.code, voided_at=None
    )
    known = set(held.values_list("student_id", "fingerprint"))
    for row in rows:
        one = same.get(row.number)
        if one and one in known:
            row.faults.append(say.KNOWN.at("name"))
        elif one and counts[one] > 1:
            row.faults.append(say.TWICE.at("name"))


def faults_of(rows: list[Row], kind: Kind) -> list[Fault]:
    """Every fault of every row in the sheet's own terms."""
    places = {key: place for place, key in enumerate(keys(kind), 1)}
    words = dict(zip(keys(kind), headings(kind), strict=True))
    return [
        Fault(
            row.number, column_letters(places[finding.field]), words[finding.field],
            row.typed.get(finding.field, ""), finding,
        )
        for row in rows
        for finding in row.faults
    ]  # fmt: skip


def shown(row: Row, kind: Kind) -> list[Any]:
    return [row.typed.get(key, "") for key in keys(kind)]
