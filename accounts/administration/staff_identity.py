"""One natural person, one account (AC-9): who she is, by her identity number, which is kept nowhere."""

import re
from datetime import date
from uuid import UUID

from config.crypto import blind_index

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_CITIZEN = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)
_PERMIT = re.compile(r"[A-Z0-9]{7,15}", re.ASCII)  # passports and permits
_FOLD = str.maketrans({chr(0xFF01 + n): chr(0x21 + n) for n in range(94)} | {"　": " "})


def canonical(number: str) -> str:
    """The number as it is compared: width and case folded, no blanks; empty when it is none."""
    folded = "".join(number.translate(_FOLD).split()).upper()
    if _CITIZEN.fullmatch(folded):
        return folded if _is_sound(folded) else ""
    return folded if _PERMIT.fullmatch(folded) and not folded.isdigit() else ""


def digest_of(number: str) -> UUID:
    """The keyed digest of a canonical number, unique over the nation."""
    return blind_index("staff", number)


def _is_sound(number: str) -> bool:
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    return _CHECKS[total % 11] == number[17]
