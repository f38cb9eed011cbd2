"""证书编号: 学校标识码 10 + 毕业年份 4 + 流水号 5 + 校验码 1, twenty characters in all.

The serial counts the graduates of one school in one year and is never given again; the last character is
ISO 7064 MOD 11-2 over the nineteen before it (0-9 or X), so that a mistyped number shows itself. No pupil's
datum is in it (R-NUM-05).
"""

import re

from registry.models import GraduationRecord

_FORM = re.compile(r"[0-9]{19}[0-9X]")
MOST_A_YEAR = 99_999


def certificate_number(school_code: str, year: int, serial: int) -> str:
    """The number of the graduate `serial` of a school in a year. Raises ValueError beyond the serial's
    width.
    """
    if not 0 < serial <= MOST_A_YEAR:
        raise ValueError(f"serial {serial}")
    body = f"{school_code}{year:04d}{serial:05d}"
    return body + _check_character(body)


def is_certificate_number(text: str) -> bool:
    """Whether form and check character are right."""
    return _FORM.fullmatch(text) is not None and _check_character(text[:-1]) == text[-1]


def last_serial(school_code: str, year: int) -> int:
    """The highest serial given to the school's graduates of that year, void ones included; 0 before the
    first. The caller holds the school's row, so that nobody else takes the next.
    """
    prefix = f"{school_code}{year:04d}"
    given = GraduationRecord.objects.filter(number__gte=prefix, number__lt=f"{prefix}~")
    last = given.order_by("-number").values_list("number", flat=True).first()
    return int(last[14:19]) if last else 0


def _check_character(digits: str) -> str:
    rest = 0
    for digit in digits:
        rest = (rest + int(digit)) * 2 % 11
    return "0123456789X"[(12 - rest) % 11]
