"""The numbers that the system gives: 学籍号 (HANDBOOK B1, R-NUM-01…06) and the school identification code
(B3).

Pure forms and builders. That a number is given once and never again is the database's promise, not this
module's. A number is never taken apart to learn a birth date, a sex or an identity (R-NUM-05).
"""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

from registry import objections as o
from registry.codes import is_code, province_codes
from registry.findings import Finding
from registry.identity import check_digit, fold_number, has_valid_check_digit, mask_number

FORMAL, FORMAL_WITHOUT_IDENTITY, TEMPORARY = "G", "J", "L"

_STATUS_NUMBER = re.compile(r"([GJL])([0-9]{17}[0-9X])")
_DIVISION = re.compile(r"[0-9]{6}")
# The Xinjiang Corps counts beside the provinces in education statistics, under 66.
_CORPS = "66"
# Categories with five-digit codes of their own, written after a zero.
_HIGHER_EDUCATION = ("41", "42")


class StatusNumber(NamedTuple):
    """A 学籍号: `prefix` G (formal), J (formal, without identity number) or L (temporary), and 18
    characters.
    """

    prefix: str
    body: str

    def __str__(self) -> str:
        return self.prefix + self.body

    @property
    def is_formal(self) -> bool:
        """Whether the pupil holds it for life; L has the same legal effect until then (R-NUM-02)."""
        return self.prefix != TEMPORARY


class SchoolCode(NamedTuple):
    """学校标识码: category 2 + province 2 + sequence 6 (higher education: 0 + the old five-digit code)."""

    category: str
    province: str
    sequence: str


def parse_status_number(text: str) -> StatusNumber | None:
    """The number that `text` spells (width, blanks and case folded), or None if its form is not one."""
    match = _STATUS_NUMBER.fullmatch(fold_number(text))
    return StatusNumber(match[1], match[2]) if match else None


def check_status_number(text: str, field: str = "status_number") -> list[Finding]:
    """What is wrong with a 学籍号: its form and, for G and J only, its check digit. L has none and is never
    refused.
    """
    number = parse_status_number(text)
    if number is None:
        return [o.STATUS_NUMBER_FORM.at(field)]
    if number.is_formal and not has_valid_check_digit(number.body):
        return [o.STATUS_NUMBER_CHECK.at(field)]
    return []


def is_valid(text: str) -> bool:
    """Whether `text` is a 学籍号 nobody would object to."""
    return not check_status_number(text)


def formal_g(identity_number: str) -> str:
    """The formal number of a pupil with this citizen identity number. Raises ValueError if the number is not
    valid.
    """
    number = fold_number(identity_number)
    if not has_valid_check_digit(number):
        raise ValueError("a formal G number needs a valid identity number")
    return FORMAL + number


def formal_j(division: str, day: date, sequence: int) -> str:
    """The formal number without identity number: school's division (6 digits), day of issue, sequence 1-999
    of both.

    Raises ValueError outside these bounds; the caller then takes the next day.
    """
    if not 1 <= sequence <= 999:
        raise ValueError("the sequence of a J number is 1 to 999")
    first = f"{_six(division)}{day:%Y%m%d}{sequence:03d}"
    return FORMAL_WITHOUT_IDENTITY + first + check_digit(first)


def temporary(division: str, day: date, random: int) -> str:
    """The temporary number: school's division (6 digits), day, four random digits 0-9999 from the caller.

    It has no check digit. Raises ValueError outside these bounds; on a collision the caller draws again.
    """
    if not 0 <= random <= 9999:
        raise ValueError("an L number ends in four digits")
    return f"{TEMPORARY}{_six(division)}{day:%Y%m%d}{random:04d}"


def _six(division: str) -> str:
    if not _DIVISION.fullmatch(division[:6]):
        raise ValueError("a division code of at least six digits expected")
    return division[:6]


def mask_status_number(text: str) -> str:
    """A G number is an identity number behind a letter, and is shown as one: `G110101********0010` (RD-1)."""
    return text[:1] + mask_number(text[1:])


def parse_school_code(text: str) -> SchoolCode | None:
    """The three parts of a school code, or None unless it is ten digits."""
    code = fold_number(text)
    return SchoolCode(code[:2], code[2:4], code[4:]) if re.fullmatch(r"[0-9]{10}", code) else None


def check_school_code(text: str, field: str = "school_code") -> list[Finding]:
    """What is wrong with a school identification code; it has no check digit. Whether it exists the database
    knows.
    """
    code = parse_school_code(text)
    if code is None:
        return [o.SCHOOL_CODE_FORM.at(field)]
    found = []
    if not is_code("school_code_category", code.category):
        found.append(o.SCHOOL_CODE_CATEGORY.at(field, category=code.category))
    if code.province != _CORPS and code.province not in province_codes():
        found.append(o.SCHOOL_CODE_PROVINCE.at(field, province=code.province))
    if code.category in _HIGHER_EDUCATION and not code.sequence.startswith("0"):
        found.append(o.SCHOOL_CODE_FORM.at(field))
    return found
