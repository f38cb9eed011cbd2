"""Filled-in workbooks for tests, as a school would hand them in."""

from collections.abc import Iterable
from io import BytesIO
from typing import Any

from openpyxl import Workbook

from registry.fields import TEMPLATE
from registry.intake.sheet import PUPILS
from registry.intake.template import guidance_rows, headings
from registry.models import SchoolClass
from tests import make

FIRST_ROW = 4  # headings, notes, example; then the pupils


def line(school_class: SchoolClass, **changes: str) -> dict[str, str]:
    """A new pupil of this class, as typed into a row."""
    return make.valid_values(**({"class_number": school_class.number} | changes))


def lines(school_class: SchoolClass, count: int) -> list[dict[str, str]]:
    return [line(school_class) for _number in range(count)]


def workbook(rows: Iterable[dict[str, Any]]) -> bytes:
    """The bytes of a filled-in template; each row is a dictionary of field keys."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(PUPILS)
    sheet.append(headings())
    for guidance in guidance_rows():
        sheet.append(guidance)
    for row in rows:
        sheet.append([row.get(field.key) for field in TEMPLATE])
    content = BytesIO()
    book.save(content)
    return content.getvalue()
