"""The headings of a workbook against the template, and the rows below them by field (HANDBOOK C1: the
template must not be altered; R-EST-10: nothing is left out silently).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

from django.utils.translation import gettext_lazy as _

from registry.fields import TEMPLATE
from registry.findings import Finding, Objection
from registry.intake.reading import Reading
from registry.intake.refusals import BadFile
from registry.intake.sheet import (
    CONTROL_COLUMN,
    PROBLEM_HEADING,
    VERSION_MARK,
    column_letters,
    fold,
    is_guidance,
)
from registry.objections import ARTICLE_BASIC

KEYS = [field.key for field in TEMPLATE]
_NAMED = 10  # columns that one sentence lists
_UNTOLD = {"continues_record", "school_code", "template_control"}  # filled in beforehand, they say no pupil
_TELLING = [number for number, key in enumerate(KEYS) if key not in _UNTOLD]
_NAME, _MONTH = KEYS.index("name"), "entry_month"
_EXPONENT = re.compile(r"[0-9](?:\.[0-9]+)?E\+[0-9]{2,3}", re.IGNORECASE)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

NUMBER_DAMAGED = Objection(
    "number_damaged",
    _("“{label}”已被表格软件改写为指数形式（如3.3E+17），后几位数字已经丢失。"),
    _("该列须设为“文本”格式，然后重新填写完整的号码。"),
    rule="C1",
    article=ARTICLE_BASIC,
)


def heading_of(label: str, is_mandatory: bool) -> str:
    """A heading as the template shows it."""
    return f"★{label}" if is_mandatory else label


def template_version() -> str:
    """What the control column's heading says; changes with any column's place, name or meaning."""
    columns = "\n".join(f"{field.template_col} {field.key} {field.label_zh}" for field in TEMPLATE)
    return VERSION_MARK + sha256(columns.encode()).hexdigest()[:8]


def _heading(text: str) -> str:
    """Stars, blanks and width do not count."""
    return fold(text).lstrip("★☆*").casefold()


_CONTROL_LABEL = TEMPLATE[CONTROL_COLUMN - 1].label_zh
_EXPECTED = [_heading(field.label_zh) for field in TEMPLATE]


def match_header(cells: Sequence[str], file: str = "", sheet: str = "") -> list[str]:
    """The keys of the columns, in order. Raises BadFile that names the column that is missing, unknown,
    double or moved, or says that the template is of another version.

    The column of problems behind the last one, which a returned workbook has, is nobody's.
    """
    given = [_heading(text) for text in cells]
    while given and not given[-1]:
        given.pop()
    if given[len(KEYS) :] == [PROBLEM_HEADING]:
        given.pop()
    versions = [number for number, text in enumerate(given) if text.startswith(VERSION_MARK.casefold())]
    shown = list(cells)
    if versions:
        # The control column has its version where others have their label.
        given[versions[0]] = _heading(_CONTROL_LABEL)
        shown[versions[0]] = _CONTROL_LABEL
    if given != _EXPECTED:
        raise _difference(given, shown, file, sheet)
    if fold(cells[CONTROL_COLUMN - 1]) != template_version():
        letters = column_letters(CONTROL_COLUMN)
        raise BadFile(
            "template_version", file=file, sheet=sheet, row=1, column=CONTROL_COLUMN, letters=letters
        )
    return KEYS


def _difference(given: list[str], shown: list[str], file: str, sheet: str) -> BadFile:
    """The refusal that says how the headings differ."""

    def bad(reason: str, column: int, numbers: Sequence[int], texts: Sequence[str]) -> BadFile:
        names = "、".join(texts[number].strip() or column_letters(number + 1) for number in numbers[:_NAMED])
        more = f"等{len(numbers)}列" if len(numbers) > _NAMED else ""
        return BadFile(reason, file=file, sheet=sheet, row=1, column=column + 1, names=names + more)

    labels = [field.label_zh for field in TEMPLATE]
    if not set(given) & set(_EXPECTED):
        return BadFile("headings", file=file, sheet=sheet, row=1)
    if missing := [number for number, text in enumerate(_EXPECTED) if text not in given]:
        return bad("columns_missing", missing[0], missing, labels)
    if unknown := [number for number, text in enumerate(given) if text not in _EXPECTED]:
        return bad("columns_unknown", unknown[0], unknown, shown)
    if double := [number for number, text in enumerate(given) if text in given[:number]]:
        return bad("columns_double", double[0], double, shown)
    moved = next(number for number, text in enumerate(_EXPECTED) if given[number] != text)
    return BadFile(
        "columns_moved", file=file, sheet=sheet, row=1, column=moved + 1,
        expected=labels[moved], given=shown[moved].strip(),
    )  # fmt: skip


def pupils(reading: Reading) -> Iterator[tuple[int, dict[str, str]]]:
    """The pupils of a workbook: row number and what is typed, by key. The template's own notes and example,
    unchanged, and rows that say nothing of a pupil are no pupils. Raises BadFile.
    """
    _number, headings = next(reading, (1, []))
    keys = match_header(headings, reading.file, reading.sheet)
    width = len(keys) + (_heading(headings[len(keys)]) == PROBLEM_HEADING if len(headings) > len(keys) else 0)
    for number, cells in reading:
        if len(cells) > width and any(map(str.strip, cells[width:])):
            column = next(place for place, text in enumerate(cells[width:], width + 1) if text.strip())
            raise BadFile(
                "columns_unknown", file=reading.file, sheet=reading.sheet, row=number, column=column,
                names=column_letters(column),
            )  # fmt: skip
        if number <= 3 and is_guidance(cells):
            continue
        if cells[_NAME].strip() or any(cells[place].strip() for place in _TELLING):
            values = dict(zip(keys, cells, strict=False))
            if _DAY.fullmatch(values[_MONTH]):  # "2025-9" typed into a cell of dates has become a day
                values[_MONTH] = values[_MONTH][:7]
            yield number, values


def damaged(values: Mapping[str, str]) -> list[Finding]:
    """Numbers that a spreadsheet has cut to an exponent; their own checks would only call them wrong."""
    return [
        NUMBER_DAMAGED.at(field.key, label=field.label_zh)
        for field in TEMPLATE
        if "+" in (text := values.get(field.key, "")) and _EXPONENT.fullmatch(text.strip())
    ]
