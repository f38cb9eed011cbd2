"""The calendar of the school year as data: freezes, promotion, windows, terms, campaigns, as this office's
rules and rows set them (HANDBOOK A7.4). Nothing here knows a date.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext as _

from config.rules import RuleInForce, rules
from config.rules.parameter import month_day_in
from config.scope import ancestors
from registry.models import Campaign
from registry.school_year.year import moment_in, moment_in_words
from registry.services.seasons import (
    FREEZES,
    WINDOW_RULES,
    freeze_days,
    seasons_of,
    study_year,
    term_days,
    windows_by,
)

_DAYS = ("GRADUATING_CLEAN_ON", "REGISTRATION_CLOSES")
_RULES = (*FREEZES, *WINDOW_RULES, *_DAYS, "GRADUATION_WINDOW", "PROMOTION_AT", "ENROLMENT_WINDOWS")
_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the calendar: its first and last day, and the days until the first; 0 or less is now."""

    first: date
    last: date
    title: str
    words: str
    article: str
    stops: bool  # whether it stops business
    days: int

    @property
    def is_now(self) -> bool:
        return self.days <= 0


def entries(path: str, on: date) -> list[Entry]:
    """What is in force for the office of `path` on the day `on`, and what comes in the year after it, in
    order. A constant number of queries.
    """
    held = rules(_RULES, at=path, on=on)
    found = [
        *_periods(held, on), _promotion(held, on), *_days(held, on), *_windows(held, path, on),
        *_terms(path, on), *_campaigns(path, on),
    ]  # fmt: skip
    lines = [
        Entry(first, last, title, words, article, stops, (first - on).days)
        for first, last, title, words, article, stops in found
        if last >= on and first <= on + _YEAR
    ]
    return sorted(lines, key=lambda entry: (max(entry.first, on), entry.last, entry.title))


_Found = tuple[date, date, str, str, str, bool]


def coming_period(held: RuleInForce, on: date) -> tuple[date, date]:
    """The period of the year that `on` lies in, else the next one: its first and last day."""
    if now := freeze_days(held, on):
        return now.first, now.last
    first, _dots, last = held.word.partition("..")
    year = on.year if month_day_in(on.year, first) > on else on.year + 1
    return month_day_in(year, first), month_day_in(year if first <= last else year + 1, last)


def _periods(held: Mapping[str, RuleInForce], on: date) -> Iterator[_Found]:
    for key in (*FREEZES, "GRADUATION_WINDOW"):
        rule = held[key]
        title = str(rule.parameter.text)
        yield *coming_period(rule, on), title, rule.display(), rule.article, key in FREEZES


def _promotion(held: Mapping[str, RuleInForce], on: date) -> _Found:
    rule = held["PROMOTION_AT"]
    day = promotion_day(rule, on)
    return day, day, str(rule.parameter.text), moment_in_words(moment_in(rule, day.year)), rule.article, False


def promotion_day(held: RuleInForce, on: date) -> date:
    """The civil day of the coming promotion, as the notice writes it: 24:00 belongs to the day that ends."""
    month_day = held.word.partition(" ")[0]
    day = month_day_in(on.year, month_day)
    return day if day >= on else month_day_in(on.year + 1, month_day)


def _days(held: Mapping[str, RuleInForce], on: date) -> Iterator[_Found]:
    for key in _DAYS:
        rule = held[key]
        day = month_day_in(on.year, rule.word)
        day = day if day >= on else month_day_in(on.year + 1, rule.word)
        yield day, day, str(rule.parameter.text), rule.display(), rule.article, False


def _windows(held: Mapping[str, RuleInForce], path: str, on: date) -> Iterator[_Found]:
    for season in windows_by(held, path, on).seasons:
        yield season.first, season.last, _("转学窗口"), season.words, held["TRANSFER_WINDOWS"].article, False
    rule = held["ENROLMENT_WINDOWS"]
    for season in seasons_of(rule, path, on):
        yield season.first, season.last, _("跨省入学窗口"), season.words, rule.article, False


def _terms(path: str, on: date) -> Iterator[_Found]:
    year = study_year(path, on)
    for school_year in (year, year + 1):
        for semester, title in (("1", _("秋季学期")), ("2", _("春季学期"))):
            first, last = term_days(path, school_year, semester)
            yield (
                first,
                last,
                title,
                _("{year}学年").format(year=f"{school_year}—{school_year + 1}"),
                "",
                False,
            )


def _campaigns(path: str, on: date) -> Iterator[_Found]:
    """The nearest office's campaigns that are not over."""
    rows = Campaign.objects.filter(path__in=ancestors(path), due_on__gte=on).order_by("due_on")
    for row in rows:
        yield row.opens_on, row.due_on, _("学籍核准"), row.office_name, "第二十五条", False
