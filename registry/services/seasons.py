"""When a transfer may be filed: windows, freezes, and the bans that go with grade and term (R-TRF-11 to 13).

Every question is answered by an empty text, or by the sentence that a refusal shows: the days, the rule, who
set it, and which office may make an exception. A question takes a constant number of queries.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

from django.utils.translation import gettext as _

from config.lunar import lunar_date
from config.rules import RuleInForce, rule, rules
from config.rules.parameter import month_day_in
from config.scope import ancestors
from registry.models import Term
from registry.services.intake_rules import ENTRY_GRADES

WINDOW_RULES = ("TRANSFER_WINDOWS", "TRANSFER_BAN_MID_TERM")
FREEZES = ("TRANSFER_FREEZE", "GRADUATING_FREEZE")
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Season:
    """Days in a row, the first and the last included; `words` say what the rule calls them."""

    first: date
    last: date
    words: str

    def covers(self, day: date) -> bool:
        return self.first <= day <= self.last

    def days_left(self, day: date) -> int:
        """Days after `day` on which it is still open; 0 on the last."""
        return (self.last - day).days

    def __str__(self) -> str:
        last = _day(self.last) if self.first.year != self.last.year else month_day(self.last)
        return _("{first}至{last}").format(first=_day(self.first), last=last)


# ── Windows ──────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Windows:
    """The transfer windows of one office around the day `on`: those of the year before, this and the next.

    Entries that meet are one season. Where the locality takes transfers at any time there are no seasons and
    every day is open.
    """

    on: date
    seasons: tuple[Season, ...]
    rule: RuleInForce
    mid_term: RuleInForce

    @property
    def is_always_open(self) -> bool:
        return self.mid_term.word == "off"

    @property
    def present(self) -> Season | None:
        return next((season for season in self.seasons if season.covers(self.on)), None)

    @property
    def next(self) -> Season | None:
        """The next that opens after the day; the present one does not count."""
        return next((season for season in self.seasons if season.first > self.on), None)

    def is_open(self, on: date | None = None) -> bool:
        return self.is_always_open or any(season.covers(on or self.on) for season in self.seasons)

    def explain(self) -> str:
        """Whether it is open and until when, or when it opens next; the rule; who may make an exception."""
        if self.is_always_open:
            return self.mid_term.explain()
        if now := self.present:
            said = _("转学窗口开放中：{days}（{words}）。").format(days=now, words=now.words)
            return said + self.rule.explain()
        if coming := self.next:
            said = _("现在不在转学窗口内，下次开放为{days}（{words}）。").format(
                days=coming, words=coming.words
            )
        else:
            said = _("本地未设定转学窗口，现在不受理转学。")
        return said + self.rule.explain() + exception("TRANSFER_BAN_MID_TERM")


def windows(path: str, on: date) -> Windows:
    """The transfer windows that hold at the office of `path` on the day `on`."""
    return windows_by(rules(WINDOW_RULES, at=path, on=on), path, on)


def windows_by(in_force: Mapping[str, RuleInForce], path: str, on: date) -> Windows:
    """`windows` by rules that have been read already; one query more where days count from the term's."""
    held, mid_term = (in_force[key] for key in WINDOW_RULES)
    found = () if mid_term.word == "off" else tuple(seasons_of(held, path, on))
    return Windows(on, found, held, mid_term)


def window_closed(path: str, on: date) -> str:
    """Empty while transfers are taken at the office of `path` (R-TRF-12), else why not and when again."""
    found = windows(path, on)
    return "" if found.is_open() else found.explain()


def enrolment_closed(path: str, on: date) -> str:
    """Empty while graduates of other provinces are enrolled at the office of `path` (A7.3), else why not and
    when again.
    """
    held = rule("ENROLMENT_WINDOWS", at=path, on=on)
    seasons = seasons_of(held, path, on)
    if any(season.covers(on) for season in seasons):
        return ""
    said = _("现在不在跨省入学窗口内。")
    if coming := next((season for season in seasons if season.first > on), None):
        said = _("现在不在跨省入学窗口内，下次开放为{days}。").format(days=coming)
    return said + held.explain() + exception("ENROLMENT_WINDOWS")


def seasons_of(held: RuleInForce, path: str, on: date) -> list[Season]:
    """The windows of a rule around the day `on`, in order; those that meet are one."""
    return _joined(_seasons(held, path, on))


def _seasons(held: RuleInForce, path: str, on: date) -> Iterator[Season]:
    years = range(on.year - 1, on.year + 2)
    has_terms = any(word.startswith("term") for word in held.words)
    terms = _terms(path, range(years.start - 1, years.stop)) if has_terms else {}
    for word in held.words:
        words = held.parameter.display((word,))
        first, _dots, last = word.partition("..")
        if first.startswith("term"):
            for term in terms.values():
                opens, closes = (term.starts_on + timedelta(days=int(end[4:])) for end in (first, last))
                yield Season(opens, closes, words + term.doubt)
        elif first.startswith("lunar"):
            yield from _lunar_seasons(first[5:], last[5:], years, words)
        else:
            yield from _yearly(first, last, years, words)


def _yearly(first: str, last: str, years: Iterable[int], words: str) -> Iterator[Season]:
    """A civil period of each year; one that ends before it begins crosses the new year."""
    for year in years:
        ends = year if first <= last else year + 1
        yield Season(month_day_in(year, first), month_day_in(ends, last), words)


def _lunar_seasons(first: str, last: str, years: Iterable[int], words: str) -> Iterator[Season]:
    for year in years:
        opens = lunar_date(year, int(first[:2]), int(first[2:]))
        closes = lunar_date(year if first <= last else year + 1, int(last[:2]), int(last[2:]))
        if opens and closes:
            yield Season(opens, closes, words)


def _joined(seasons: Iterable[Season]) -> list[Season]:
    """In order of days, those that overlap or meet as one. A window that ends before it begins is none."""
    found: list[Season] = []
    for season in sorted((one for one in seasons if one.first <= one.last), key=lambda one: one.first):
        before = found[-1] if found else None
        if before is None or season.first > before.last + ONE_DAY:
            found.append(season)
        else:
            words = before.words if season.words in before.words else f"{before.words}、{season.words}"
            found[-1] = Season(before.first, max(before.last, season.last), words)
    return found


# ── Freezes ──────────────────────────────────────────────────────────────────────────────────────────────
def freeze_days(held: RuleInForce, on: date) -> Season | None:
    """The yearly period of a freeze that `on` lies in, with its years."""
    first, _dots, last = held.word.partition("..")
    periods = _yearly(first, last, (on.year - 1, on.year), held.display())
    return next((period for period in periods if period.covers(on)), None)


def transfer_freeze(path: str, on: date) -> str:
    """Empty, or why no transfer is filed around the promotion (R-TRF-13); cases under way go on."""
    return _frozen("TRANSFER_FREEZE", path, on)


def graduating_freeze(path: str, grade: str, schooling: str, on: date) -> str:
    """Empty, or why nothing new is filed for a pupil of a graduating grade (HANDBOOK A7.4)."""
    return _frozen("GRADUATING_FREEZE", path, on) if is_graduating(grade, schooling) else ""


def _frozen(key: str, path: str, on: date) -> str:
    held = rule(key, at=path, on=on)
    days = freeze_days(held, on)
    if days is None:
        return ""
    said = _("{days}停止受理，{day}起恢复。").format(days=days, day=_day(days.last + ONE_DAY))
    return held.explain() + said + exception(key)


# ── Bans ─────────────────────────────────────────────────────────────────────────────────────────────────
def ban(key: str, path: str, on: date) -> str:
    """The sentence of a ban in force at the office of `path`, e.g. TRANSFER_BAN_SANCTION; empty where the
    province lifted it. Whether it meets the pupil is the caller's question.
    """
    held = rule(key, at=path, on=on)
    return held.explain() + exception(key) if held.is_on else ""


def graduating_ban(path: str, grade: str, schooling: str, on: date) -> str:
    """Empty, or why a pupil of a graduating grade does not transfer (R-TRF-11)."""
    return ban("TRANSFER_BAN_GRADUATING", path, on) if is_graduating(grade, schooling) else ""


def first_term_ban(path: str, grade: str, on: date) -> str:
    """Empty, or why a pupil in the first term of a stage does not transfer (R-TRF-11)."""
    return ban("TRANSFER_BAN_FIRST_TERM", path, on) if is_first_term(grade, path, on) else ""


def exception(key: str) -> str:
    """Who may decide otherwise: a freeze of the whole country is not the county's to lift."""
    if key in FREEZES:
        return _("全国统一停办期内确需办理的，由省级教育行政部门依据教育部通知作出例外决定，并写明理由。")
    return _("确有特殊情况的，由转入地学籍主管部门作出例外决定，并写明理由。")


def is_graduating(grade: str, schooling: str) -> bool:
    """Whether `grade` is the last of its stage where stages take `schooling` years, "6-3" or "5-4"."""
    return grade in (f"1{schooling[0]}", f"2{schooling[2]}", "33")


def is_first_term(grade: str, path: str, on: date) -> bool:
    """Whether pupils of `grade` are in the first term of their stage on the day `on`.

    It lasts from the national promotion, before which the grade still holds last year's pupils, to the last
    day of the autumn term; 31 January where nobody has set one.
    """
    if grade not in ENTRY_GRADES:
        return False
    return on <= term_days(path, study_year(path, on), "1")[1]


def study_year(path: str, on: date) -> int:
    """The year in which the school year began that pupils are in on the day `on`: it turns with the national
    promotion.
    """
    return on.year if on >= promotion_day(path, on) else on.year - 1


def promotion_day(path: str, on: date) -> date:
    """The day on which the school year turns in the year of `on`: the first one after the promotion."""
    month_day, _space, clock = rule("PROMOTION_AT", at=path, on=on).word.partition(" ")
    return month_day_in(on.year, month_day) + (ONE_DAY if clock > "00:00" else timedelta())


# ── Terms ────────────────────────────────────────────────────────────────────────────────────────────────
class _TermDays(NamedTuple):
    starts_on: date
    ends_on: date
    doubt: str  # what is said beside days that count from a start nobody has set


def term_days(path: str, school_year: int, semester: str) -> tuple[date, date]:
    """The first and the last day of a term, as the nearest office set them, else as usual."""
    term = _terms(path, [school_year])[school_year, semester]
    return term.starts_on, term.ends_on


def terms_by_day(path: str) -> Callable[[date], tuple[int, str]]:
    """School year and semester that a day is counted to at the office of `path`. The spring runs from the end
    of the autumn term to the promotion: marks entered after its last day are still its own. Two queries for
    each year, however many days are asked.
    """
    turns = cache(lambda year: promotion_day(path, date(year, 8, 1)))
    autumn_ends = cache(lambda year: term_days(path, year, "1")[1])

    def term_of(day: date) -> tuple[int, str]:
        year = day.year if day >= turns(day.year) else day.year - 1
        return year, "1" if day <= autumn_ends(year) else "2"

    return term_of


def _terms(path: str, school_years: Iterable[int]) -> dict[tuple[int, str], _TermDays]:
    """Both terms of the school years, as the nearest office set them, else 1 September and 1 March."""
    years = list(school_years)
    near: dict[tuple[int, str], Term] = {}
    for term in Term.objects.filter(path__in=ancestors(path), school_year__in=years):
        known = near.get((term.school_year, term.semester))
        if known is None or len(term.path) > len(known.path):
            near[term.school_year, term.semester] = term
    found = {}
    for year in years:
        usual = {
            "1": (date(year, 9, 1), date(year + 1, 1, 31)),
            "2": (date(year + 1, 3, 1), date(year + 1, 7, 15)),
        }
        for semester, (starts_on, ends_on) in usual.items():
            term_set = near.get((year, semester))
            if term_set is None:
                doubt = _("，开学日尚未设定，按{day}推算").format(day=month_day(starts_on))
                found[year, semester] = _TermDays(starts_on, ends_on, doubt)
            else:
                found[year, semester] = _TermDays(term_set.starts_on, term_set.ends_on, "")
    return found


def _day(day: date) -> str:
    return _("{year}年{month}月{day}日").format(year=day.year, month=day.month, day=day.day)


def month_day(day: date) -> str:
    """7月15日."""
    return _("{month}月{day}日").format(month=day.month, day=day.day)
