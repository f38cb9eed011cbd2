"""Invented identity numbers, permits and telephone numbers of the right form."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from random import Random

from registry.identity import check_digit
from registry.numbers import formal_j, temporary

# Beginnings of mobile numbers: two digits, then those that may follow.
_MOBILES = [
    head + digit
    for head, digits in (
        ("13", "0123456789"),
        ("15", "012356789"),
        ("17", "78"),
        ("18", "01235678"),
        ("19", "9"),
    )
    for digit in digits
]


class Papers:
    """Draws numbers from one source of chance and never gives one twice."""

    def __init__(self, random: Random, given: Iterable[str] = ()) -> None:
        self._random = random
        self._given = set(given)
        self._sequences: dict[tuple[str, date], int] = {}

    def citizen(self, division: str, birth: date, sex: str) -> str:
        """An identity number of GB 11643 with the division's six digits."""
        return self._unique(lambda: _with_check(division[:6], birth, self._of_sex(sex)))

    def residence_permit(self, prefix: str, birth: date, sex: str) -> str:
        """A residence permit of Hong Kong (810000), Macao (820000) or Taiwan (830000)."""
        return self._unique(lambda: _with_check(prefix, birth, self._of_sex(sex)))

    def lettered(self, letters: str, digits: int) -> str:
        """A permit, passport or birth certificate: letters and digits."""
        return self._unique(lambda: letters + self._digits(digits))

    def mobile(self) -> str:
        return self._random.choice(_MOBILES) + self._digits(8)

    def landline(self, area_code: str) -> str:
        length = 8 if area_code in ("010", "028", "0755") else 7
        return f"{area_code}-{self._random.randint(2, 8)}{self._digits(length - 1)}"

    def formal_without_identity(self, division: str, day: date) -> str:
        """The next J number of the division and day."""
        while self._sequences.get((division, day), 0) >= 999:
            day -= timedelta(days=1)
        self._sequences[division, day] = sequence = self._sequences.get((division, day), 0) + 1
        return formal_j(division, day, sequence)

    def temporary(self, division: str, day: date) -> str:
        return self._unique(lambda: temporary(division, day, self._random.randrange(10_000)))

    def _of_sex(self, sex: str) -> int:
        return self._random.randrange(1, 499) * 2 + (1 if sex == "1" else 0)

    def _digits(self, count: int) -> str:
        return str(self._random.randrange(10**count)).zfill(count)

    def _unique(self, draw: Callable[[], str]) -> str:
        while (number := draw()) in self._given:
            pass
        self._given.add(number)
        return number


def _with_check(division: str, birth: date, sequence: int) -> str:
    first = f"{division}{birth:%Y%m%d}{sequence:03d}"
    return first + check_digit(first)


def with_wrong_check_digit(number: str) -> str:
    """`number` with the next check digit: a slip of the pen that the form still shows."""
    order = "0123456789X"
    return number[:17] + order[(order.index(number[17]) + 1) % 11]
