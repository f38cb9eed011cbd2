"""What a parameter of the regulation is: number or choice, unit, article, bound, and who may set it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.rules.bounds import Bound, Value

REGULATION = "《中小学生学籍管理办法》"


class Level(StrEnum):
    """The levels that may set a parameter, as text equal to the kinds of offices."""

    NATION = "nation"
    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"

    @property
    def label(self) -> str:
        return str(_LEVEL_NAMES[self])


_LEVEL_NAMES = {
    Level.NATION: _("国家"),
    Level.PROVINCE: _("省级"),
    Level.CITY: _("地市级"),
    Level.COUNTY: _("县级"),
}

Unit = Literal[
    "工作日", "日", "周", "月", "岁", "秒", "分钟", "小时", "KB", "MB", "像素", "%",
    "人", "次", "条", "个", "张", "页", "行", "列", "字", "倍", "",
]  # fmt: skip
_MEASURES = {"工作日": "个工作日", "月": "个月"}

# The kinds of a value, as JSON stores it:
#   int, bool   a number, a switch                   choice    one word out of a list
#   choices     a list of words                      month_day "0831"
#   period      "0715..0814", both days included     moment    "0810 24:00", local time
#   windows     a list of "term-7..term+14" (days from the first day of term), "0820..0920" or
#               "lunar0108..lunar0120" (Chinese calendar), each with both days included
#   date        "2028-08-31", or "" for none
Kind = Literal["int", "bool", "choice", "choices", "month_day", "period", "moment", "windows", "date"]

_TERM_WINDOW = re.compile(r"term[+-]\d{1,3}\.\.term[+-]\d{1,3}")
_LUNAR_DAY = r"lunar(0[1-9]|1[0-2])(0[1-9]|[12]\d|30)"
_LUNAR_WINDOW = re.compile(rf"{_LUNAR_DAY}\.\.{_LUNAR_DAY}")


@dataclass(frozen=True, slots=True)
class Subject:
    """A heading of the catalogue: the parameters below it, up to the next heading, belong to it."""

    title: str | Promise


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number or choice that an article or a local policy fixes, with the bound no level may pass.

    `value` counts `unit` and is the national default; `text` is our sentence about the article, shown beside
    a refusal; `article` is an article of the regulation ("第十五条") or another source in full; `labels`
    names the words of a choice. Only the levels in `set_by` may set a value of their own.
    """

    key: str
    article: str
    value: Value
    unit: Unit
    bound: Bound
    set_by: frozenset[Level]
    text: str | Promise
    kind: Kind = "int"
    labels: Mapping[str, str | Promise] = field(default_factory=dict, compare=False)

    @property
    def citation(self) -> str:
        """The source in full: articles belong to the regulation unless they name their own."""
        return f"{REGULATION}{self.article}" if self.article.startswith("第") else self.article

    @property
    def measure(self) -> str:
        """The unit as it follows a number: 10个工作日, 2个月, 45人."""
        return _MEASURES.get(self.unit, self.unit)

    def is_well_formed(self, value: object) -> bool:
        """Whether `value` is of this parameter's kind at all; its bound is another question."""
        return _CHECKS[self.kind](value)

    def allows(self, value: object) -> bool:
        """Whether a level may set `value`: of the right kind and within the national bound."""
        frozen = freeze(value)
        return self.is_well_formed(frozen) and self._knows(frozen) and self.bound.allows(frozen)

    def _knows(self, value: Value) -> bool:
        """Whether a list holds named words only: a slip of the pen would be kept and mean nothing."""
        return not isinstance(value, tuple) or not self.labels or set(value) <= self.labels.keys()

    def may_be_set_by(self, level: str) -> bool:
        return level in self.set_by

    def levels(self) -> str:
        """Who may set it, from the top down: 国家、省级."""
        return "、".join(known.label for known in Level if known in self.set_by)

    def display(self, value: Value) -> str:
        """`value` in Chinese, with its unit and the names of its words."""
        if isinstance(value, bool):
            return str(_("是") if value else _("否"))
        if isinstance(value, int):
            return f"{value}{self.measure}"
        words = value if isinstance(value, tuple) else (value,)
        return "、".join(_in_words(word, self.labels) for word in words if word) or str(_("无"))

    def bound_in_words(self) -> str:
        """The national bound as a Chinese half sentence."""
        return self.bound.describe(self.display)


def freeze(value: Any) -> Value:
    """JSON gives lists; values in force are compared and shared, so they must not change."""
    return tuple(value) if isinstance(value, list) else value


def month_day_in(year: int, month_day: str) -> date:
    """ "0831" in `year`; 29 February is the 28th in an ordinary year."""
    month, day = int(month_day[:2]), int(month_day[2:])
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, month, day - 1)


def _is_month_day(text: str) -> bool:
    if not re.fullmatch(r"[0-9]{4}", text):
        return False
    try:
        date(2000, int(text[:2]), int(text[2:]))  # a leap year: 0229 is a day
    except ValueError:
        return False
    return True


def _is_period(text: str) -> bool:
    first, dots, last = text.partition("..")
    return bool(dots) and _is_month_day(first) and _is_month_day(last)


def _is_window(text: str) -> bool:
    return bool(_is_period(text) or _TERM_WINDOW.fullmatch(text) or _LUNAR_WINDOW.fullmatch(text))


def _is_moment(text: str) -> bool:
    day, _space, clock = text.partition(" ")
    return _is_month_day(day) and bool(re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d|24:00", clock))


def _is_date(text: str) -> bool:
    if not text:
        return True
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_text(value: object, check: Callable[[str], bool]) -> bool:
    return isinstance(value, str) and check(value)


def _is_words(value: object, check: Callable[[str], bool]) -> bool:
    if not isinstance(value, tuple) or not all(isinstance(word, str) and check(word) for word in value):
        return False
    return len(set(value)) == len(value)


_CHECKS: dict[Kind, Callable[[object], bool]] = {
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "choice": lambda value: _is_text(value, bool),
    "choices": lambda value: _is_words(value, bool),
    "month_day": lambda value: _is_text(value, _is_month_day),
    "period": lambda value: _is_text(value, _is_period),
    "moment": lambda value: _is_text(value, _is_moment),
    "windows": lambda value: _is_words(value, _is_window),
    "date": lambda value: _is_text(value, _is_date),
}


def _in_words(word: str, labels: Mapping[str, str | Promise]) -> str:
    """A word by its label; days of the year, periods and windows as Chinese reads them."""
    if word in labels:
        return str(labels[word])
    first, dots, last = word.partition("..")
    if dots:
        return f"{_in_words(first, labels)}至{_in_words(last, labels)}"
    if word.startswith("term"):
        days = int(word[4:])
        return f"开学前{-days}日" if days < 0 else f"开学后{days}日"
    if word.startswith("lunar"):
        return f"农历{int(word[5:7])}月{int(word[7:9])}日"
    day, _space, clock = word.partition(" ")
    if _is_month_day(day):
        return f"{int(day[:2])}月{int(day[2:])}日{clock}"
    return word
