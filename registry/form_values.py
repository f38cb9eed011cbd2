"""What people and spreadsheets write, in the one form that is stored: dates, months, phones, codes,
divisions.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from datetime import date

from registry import codes
from registry.fields import BY_KEY, Field
from registry.identity import fold_number
from registry.names import clean_name

LONG_TERM = "长期"

# Without separators only full width is safe: 2019111 could be the 11th of January or the 1st of November.
_DATE = re.compile(r"([0-9]{4})(?:[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?|([0-9]{2})([0-9]{2}))")
_MONTH = re.compile(r"([0-9]{4})(?:[-/.年]([0-9]{1,2})月?|([0-9]{2}))")
# Two days with a hyphen, a wave or 至 between them, though days may have hyphens of their own.
_SPAN = re.compile(r"([0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[^-~至—]+)(?:--?|[~至—]+)(.+)")
_PHONE = re.compile(r"1[0-9]{10}|0[0-9]{2,3}-?[0-9]{7,8}(?:-[0-9]{1,6})?|\+[0-9]{6,15}")
_NAMES = frozenset(("name", "former_name", "member1_name", "member2_name"))


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def parse_date(text: str) -> date | None:
    """The day that `text` names (20190315, 2019-3-15, 2019/03/15, 2019年3月15日), or None."""
    plain = _plain(text).removesuffix("00:00:00")  # a spreadsheet adds midnight to its dates
    match = _DATE.fullmatch(plain)
    if not match:
        return None
    try:
        return date(int(match[1]), int(match[2] or match[4]), int(match[3] or match[5]))
    except ValueError:
        return None


def parse_month(text: str) -> date | None:
    """The first day of the month that `text` names (202509, 2025-9, 2025年9月), or None if there is none."""
    plain = _plain(text)
    match = _MONTH.fullmatch(plain)
    if not match:
        return None
    try:
        return date(int(match[1]), int(match[2] or match[3]), 1)
    except ValueError:
        return None


def parse_validity(text: str) -> tuple[date, date | None] | None:
    """(from, until) of "20200101-20250101"; until is None for a document without end ("20200101-长期").

    None if it cannot be read. "长期" alone counts from the year 1900: its beginning is not known.
    """
    plain = _plain(text)
    if plain == LONG_TERM:
        return date(1900, 1, 1), None
    sides = _SPAN.fullmatch(plain)
    if not sides:
        return None
    start, end = parse_date(sides[1]), parse_date(sides[2])
    if start is None or (end is None and sides[2] != LONG_TERM) or (end is not None and end < start):
        return None
    return start, end


def clean_phone(text: str) -> str:
    """`text` without blanks, brackets and a leading +86; a mobile number without hyphens."""
    plain = fold_number(text).replace("(", "").replace(")", "-").replace("—", "-")
    plain = re.sub(r"^(?:\+|00)86-?", "", plain)
    return plain.replace("-", "") if re.fullmatch(r"1[0-9-]{10,13}", plain) else plain


def is_phone(text: str) -> bool:
    """Whether `text`, cleaned, is a mobile number, a landline with area code, or a foreign number with +."""
    return bool(_PHONE.fullmatch(text))


def clean_division(text: str) -> str:
    """A division code in the 12 digits that are stored; six digits are filled up, anything else stays as it
    is.
    """
    plain = fold_number(text)
    return plain + "000000" if re.fullmatch(r"[0-9]{6}", plain) else plain


def allowed_codes(field: Field, grade: str = "") -> Collection[str]:
    """The codes a pupil's record may hold in `field`; the admission mode depends on the stage of `grade`."""
    if field.key == "admission_mode" and grade:
        return ("21", "22", "23", "99") if grade.startswith("3") else ("11", "12")
    return field.allowed


def clean_value(field: Field, text: str, grade: str = "") -> str:
    """`text` as it is stored: ISO dates, "2025-09", codes for labels, folded numbers. What cannot be read
    stays.
    """
    stripped = text.strip()
    if not stripped:
        return ""
    if field.key in _NAMES:
        return clean_name(text)
    if field.code_list:
        meant = codes.code_of(field.code_list, stripped, allowed_codes(field, grade))
        return meant or codes.code_of(field.code_list, stripped) or stripped
    if field.widget == "date":
        day = parse_date(stripped)
        return day.isoformat() if day else stripped
    if field.widget == "month":
        month = parse_month(stripped)
        return f"{month:%Y-%m}" if month else stripped
    if field.widget == "division":
        return clean_division(stripped)
    if field.key.endswith("phone"):
        return clean_phone(stripped)
    if field.key.endswith("id_number") or field.key in ("postcode", "school_code", "status_number"):
        return fold_number(stripped)
    if field.widget == "number":
        return _plain(stripped)
    return stripped


def clean_record(values: Mapping[str, str], grade: str = "") -> dict[str, str]:
    """Every known field of `values` as it is stored, blank ones too; unknown keys are dropped.

    Safe to apply twice. `grade` (a code of the grade list) settles labels that occur in two stages.
    """
    return {key: clean_value(BY_KEY[key], text or "", grade) for key, text in values.items() if key in BY_KEY}
