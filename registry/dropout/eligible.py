"""适龄: who is of the age of compulsory schooling, by the rules in force at an office (R-DRP-04)."""

from datetime import date

from config.rules import rule
from config.rules.parameter import month_day_in


def born_by(path: str, day: date, key: str) -> date:
    """The last birthday of those who had reached the age of the rule `key` at the latest cut-off before
    `day`.
    """
    cutoff = str(rule("ENTRY_CUTOFF", at=path, on=day).value)
    year = day.year if month_day_in(day.year, cutoff) < day else day.year - 1
    return month_day_in(year - rule(key, at=path, on=day).number, cutoff)


def birthdays(path: str, day: date) -> tuple[date, date]:
    """First (exclusive) and last (inclusive) birthday of the children who must go to school this year."""
    return born_by(path, day, "COMPULSORY_END_AGE"), born_by(path, day, "ENTRY_AGE")
