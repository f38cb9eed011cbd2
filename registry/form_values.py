"""What people and spreadsheets write, in the one form that is stored: dates, months, phones, codes,
divisions.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from datetime import date
from functools import lru_cache, partial

from registry import codes
from registry.fields import BY_KEY, Field
from registry.identity import fold_number
from registry.names import clean_name

LONG_TERM = "长期"
_LONGEST_DATE = len("2019年03月15日")

# Without separators only full width is safe: 2019111 could be the 11th of January or the 1st of November.
_DATE = re.compile(r"([0-9]{4})(?:[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?|([0-9]{2})([0-9]{2}))")
_MONTH = re.compile(r"([0-9]{4})(?:[-/.年]([0-9]{1,2})月?|([0-9]{2}))")
# Two days with a hyphen, a wave or 至 between them, though days may have hyphens of their own.
_SPAN = re.compile(r"([0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[^-~至—]+)(?:--?|[~至—]+)(.+)")
_MOBILE = re.compile(r"1[0-9]{10}")
_MOBILE_IN_GROUPS = re.compile(r"1[0-9-]{10,13}")
_CHINA = re.compile(r"^(?:\+|00)86-?")
_SIX = re.compile(r"[0-9]{6}")
_PHONE = re.compile(r"1[0-9]{10}|0[0-9]{2,3}-?[0-9]{7,8}(?:-[0-9]{1,6})?|\+[0-9]{6,15}")
_NAMES = frozenset(("name", "former_name", "member1_name", "member2_name"))


def _plain(text: str) -> str:
    return "".join((text if text.isascii() else unicodedata.normalize("NFKC", text)).split())


@lru_cache(maxsize=8192)
def _day(plain: str) -> date | None:
    match = _DATE.fullmatch(plain)
    if not match:
        return None
    try:
        return date(int(match[1]), int(match[2] or match[4]), int(match[3] or match[5]))
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def _month(plain: str) -> date | None:
    match = _MONTH.fullmatch(plain)
    if not match:
        return None
    try:
        return date(int(match[1]), int(match[2] or match[3]), 1)
    except ValueError:
        return None


def parse_date(text: str) -> date | None:
    """The day that `text` names (20190315, 2019-3-15, 2019/03/15, 2019年3月15日), or None."""
    plain = _plain(text).removesuffix("00:00:00")  # a spreadsheet adds midnight to its dates
    return _day(plain) if len(plain) <= _LONGEST_DATE else None


def parse_month(text: str) -> date | None:
    """The first day of the month that `text` names (202509, 2025-9, 2025年9月), or None if there is none."""
    plain = _plain(text)
    return _month(plain) if len(plain) <= _LONGEST_DATE else None


@lru_cache(maxsize=64)  # asked for its form, and soon again for its last day
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
    if _MOBILE.fullmatch(text):
        return text
    plain = fold_number(text).replace("(", "").replace(")", "-").replace("—", "-")
    plain = _CHINA.sub("", plain)
    return plain.replace("-", "") if _MOBILE_IN_GROUPS.fullmatch(plain) else plain


def is_phone(text: str) -> bool:
    """Whether `text`, cleaned, is a mobile number, a landline with area code, or a foreign number with +."""
    return bool(_PHONE.fullmatch(text))


def clean_division(text: str) -> str:
    """A division code in the 12 digits that are stored; six digits are filled up, anything else stays as it
    is.
    """
    plain = fold_number(text)
    return plain + "000000" if _SIX.fullmatch(plain) else plain


def allowed_codes(field: Field, grade: str = "") -> Collection[str]:
    """The codes a pupil's record may hold in `field`; the admission mode depends on the stage of `grade`."""
    if field.key == "admission_mode" and grade:
        return ("21", "22", "23", "99") if grade.startswith("3") else ("11", "12")
    return field.allowed


def cleaner(field: Field, grade: str = "") -> Callable[[str], str]:
    """What turns any text of `field` into what is stored: ISO dates, "2025-09", codes for labels, folded
    numbers.

    What cannot be read stays, trimmed. `grade` (a code of the grade list) settles labels that occur in two
    stages.
    """
    if field.key in _NAMES:
        return clean_name
    if field.code_list:
        return partial(_code, field.code_list, allowed_codes(field, grade))
    if field.widget in _BY_WIDGET:
        return _BY_WIDGET[field.widget]
    if field.key.endswith("phone"):
        return clean_phone
    if field.key.endswith("id_number") or field.key in ("postcode", "school_code", "status_number"):
        return fold_number
    return str.strip


def _code(code_list: str, allowed: Collection[str], text: str) -> str:
    return codes.code_of(code_list, text, allowed) or codes.code_of(code_list, text) or text.strip()


def _iso_day(text: str) -> str:
    day = parse_date(text)
    return day.isoformat() if day else text.strip()


def _iso_month(text: str) -> str:
    month = parse_month(text)
    return f"{month:%Y-%m}" if month else text.strip()


_BY_WIDGET: dict[str, Callable[[str], str]] = {
    "date": _iso_day,
    "month": _iso_month,
    "division": clean_division,
    "number": _plain,
}


def clean_value(field: Field, text: str, grade: str = "") -> str:
    """`text` as it is stored in `field`; safe to apply twice."""
    return cleaner(field, grade)(text)


def clean_record(values: Mapping[str, str], grade: str = "") -> dict[str, str]:
    """Every known field of `values` as it is stored, blank ones too; unknown keys are dropped."""
    return {key: clean_value(BY_KEY[key], text or "", grade) for key, text in values.items() if key in BY_KEY}
