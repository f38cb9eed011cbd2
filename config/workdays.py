"""Working days by the official calendar, with its make-up days (调休): the clock of every step (R-TRF-02).

The State Council's notice for a year, once imported, says all of that year: its rows are the days that depart
from the weekday. Until then holidays are computed (make-up days, where the `holidays` package knows them)
and every answer is provisional. Nothing is kept between calls: an imported notice counts at once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import holidays
import structlog

from config.models import WorkingDay

log = structlog.get_logger(__name__)

ONE_DAY = timedelta(days=1)
# Whatever a notice rearranges, these two rest: a year that lacks one has not been imported in full.
ALWAYS_FREE = ((1, 1), (10, 1))


@dataclass(frozen=True, slots=True)
class Workday:
    """Whether people work on a day, and why; `provisional` until the year's notice is imported."""

    value: bool
    name: str = ""
    provisional: bool = False

    def __bool__(self) -> bool:
        return self.value


class Calendar:
    """The calendar of some years, read in one query; further years are read when a count runs into them."""

    def __init__(self, years: Iterable[int]) -> None:
        self._stored: dict[date, WorkingDay] = {}
        self._final: dict[int, bool] = {}
        self._load(set(years))

    @cached_property
    def _computed(self) -> holidays.HolidayBase:
        return holidays.country_holidays("CN", language="zh_CN")

    def workday(self, day: date) -> Workday:
        """The notice first, then the computed holidays, then the weekday."""
        if day.year not in self._final:
            self._load({day.year})
        row = self._stored.get(day)
        if row is not None:
            return Workday(row.is_working, row.name, row.is_provisional)
        is_weekday = day.weekday() < 5
        if self._final[day.year]:
            return Workday(is_weekday)
        name = str(self._computed.get(day, "")).replace("; ", "、")
        is_makeup = day in self._computed.weekend_workdays
        return Workday(is_makeup or (is_weekday and not name), name, provisional=True)

    def is_final(self, year: int) -> bool:
        """Whether the notice for `year` is imported and nothing in it is provisional."""
        if year not in self._final:
            self._load({year})
        return self._final[year]

    def add(self, start: date, count: int) -> date:
        """The day `count` working days after `start` (before it, if negative); 0 gives `start` itself."""
        day, step = start, ONE_DAY if count > 0 else -ONE_DAY
        for _left in range(abs(count)):
            day += step
            while not self.workday(day):
                day += step
        return day

    def between(self, first: date, last: date) -> int:
        """Working days after `first` up to and including `last`; negative if `last` lies before."""
        if last < first:
            return -self.between(last, first)
        return sum(1 for day in _days(first + ONE_DAY, last) if self.workday(day))

    def _load(self, years: set[int]) -> None:
        rows: dict[int, dict[date, WorkingDay]] = {year: {} for year in years}
        for row in WorkingDay.objects.filter(day__year__in=years):
            rows[row.day.year][row.day] = row
        for year, of_year in rows.items():
            self._stored.update(of_year)
            has_guess = any(row.is_provisional for row in of_year.values())
            self._final[year] = _is_complete(year, of_year) and not has_guess
            if not self._final[year]:
                log.warning("calendar_year_missing", year=year)


def is_workday(day: date) -> Workday:
    """Whether `day` is a working day; truthy if it is."""
    return Calendar([day.year]).workday(day)


def add_workdays(start: date, count: int) -> date:
    """The last day of a term of `count` working days from `start`; counting starts on the next working day.

    G-04: filed on Friday 2025-09-26, ten working days end on 2025-10-16. A negative `count` counts backwards.
    """
    return Calendar(_years(start, start + timedelta(days=_span(count)))).add(start, count)


def workdays_between(first: date, last: date) -> int:
    """Working days after `first`, up to and including `last`: undoes `add_workdays`; negative if reversed."""
    return Calendar(_years(first, last)).between(first, last)


def is_calendar_final(year: int) -> bool:
    """Whether deadlines in `year` rest on the State Council's notice; else pages mark them as provisional."""
    return Calendar([year]).is_final(year)


def _is_complete(year: int, rows: dict[date, WorkingDay]) -> bool:
    free = (rows.get(date(year, month, day)) for month, day in ALWAYS_FREE)
    return all(row is not None and not row.is_working for row in free)


def _span(count: int) -> int:
    """Calendar days that `count` working days may take, so that one query reads their years."""
    return count * 7 // 5 + (14 if count > 0 else -14 if count < 0 else 0)


def _years(first: date, last: date) -> set[int]:
    return set(range(min(first, last).year, max(first, last).year + 1))


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += ONE_DAY
