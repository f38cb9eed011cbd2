"""Divisions as people name them on a form, and the codes that are stored."""

import re
from functools import cache

from registry.codes import DATA, division_full_name, known_division, rows_of
from registry.form_values import clean_division


@cache
def _division_codes() -> dict[str, str]:
    """Full name (四川省凉山彝族自治州昭觉县) → the 12 digits that are stored."""
    return {
        division_full_name(row["code"]): row["code"] + "000000" for row in rows_of(DATA / "divisions.csv")
    }


def division_code(text: str) -> str:
    """What somebody put into the picker as the stored code: digits, a full name, or digits before a name.

    What cannot be read stays as it is, for the check to object to.
    """
    plain = re.sub(r"\s+", "", text)
    if plain in _division_codes():
        return _division_codes()[plain]
    digits = re.match(r"[0-9]{6}(?:[0-9]{6})?(?![0-9])", clean_division(plain))
    return clean_division(digits[0]) if digits else text


def division_shown(code: str) -> str:
    """A stored code as the picker shows it; text that is no known code stays as typed."""
    return division_full_name(code) if re.fullmatch(r"[0-9]{12}", code) and known_division(code) else code


def find_divisions(text: str, limit: int = 20) -> list[tuple[str, str]]:
    """(six digits, full name) of today's divisions whose name or code holds `text`; shorter names first."""
    plain = re.sub(r"\s+", "", text)
    if not plain:
        return []
    found = [
        (code[:6], name)
        for name, code in _division_codes().items()
        if plain in name or code.startswith(plain)
    ]
    return sorted(found, key=lambda pair: (not pair[1].endswith(plain), len(pair[1]), pair[0]))[:limit]
