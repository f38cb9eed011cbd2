"""Which value of a parameter holds at an office on a day, and how to say so."""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import structlog
from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from config.clock import today
from config.models import RuleValue
from config.rules.bounds import Value
from config.rules.catalogue import PARAMETERS
from config.rules.parameter import Parameter, freeze, month_day_in
from config.scope import NATION, ancestors
from config.workdays import add_workdays

log = structlog.get_logger(__name__)

# Raise it whenever a default, a bound or a parameter in the catalogue changes: cases keep it.
CATALOGUE_VERSION = "2025.5"


@dataclass(frozen=True, slots=True)
class RuleInForce:
    """A parameter's value at one office on one day.

    `set_at` is the path of the office that set it, empty for the national default; it holds there from
    `since` until before `until`. `is_clamped` says that the stored value passed the national bound (narrowed
    after it was set) and the bound holds instead.
    """

    value: Value
    parameter: Parameter
    set_at: str = ""
    set_by_name: str = ""
    document: str = ""
    is_clamped: bool = False
    since: date | None = None
    until: date | None = None

    @property
    def last(self) -> date | None:
        """The last day on which it holds, if an end is set."""
        return self.until - timedelta(days=1) if self.until else None

    @property
    def unit(self) -> str:
        return self.parameter.unit

    @property
    def article(self) -> str:
        return self.parameter.article

    @property
    def number(self) -> int:
        """The value as a whole number of `unit`. Raises TypeError for a parameter that is no number."""
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return self.value
        raise TypeError(f"{self.parameter.key} is not a number")

    @property
    def is_on(self) -> bool:
        """The value of a switch. Raises TypeError for any other parameter."""
        if isinstance(self.value, bool):
            return self.value
        raise TypeError(f"{self.parameter.key} is not a switch")

    @property
    def word(self) -> str:
        """The value of a choice, a day of the year, a period, a moment or a date, as stored."""
        if isinstance(self.value, str):
            return self.value
        raise TypeError(f"{self.parameter.key} is not a word")

    @property
    def words(self) -> tuple[str, ...]:
        """The value of a list: choices or windows, as stored."""
        if isinstance(self.value, tuple):
            return self.value
        raise TypeError(f"{self.parameter.key} is not a list")

    def days_after(self, day: date) -> date:
        """The last day of the term that begins on `day`; the day itself does not count.

        Working days follow the official calendar (R-TRF-02); a month ends on the same or the last date.
        """
        return _move(day, self.number, self.parameter)

    def days_before(self, day: date) -> date:
        """The day on which a term that ends on `day` began, in the parameter's own unit."""
        return _move(day, -self.number, self.parameter)

    def date_in(self, year: int) -> date:
        """A day of the year ("0831") in `year`. Raises TypeError for parameters of another kind."""
        if self.parameter.kind != "month_day":
            raise TypeError(f"{self.parameter.key} is not a day of the year")
        return month_day_in(year, self.word)

    def covers(self, day: date) -> bool:
        """Whether `day` lies in a yearly period, both ends included; a period may cross the new year."""
        if self.parameter.kind != "period":
            raise TypeError(f"{self.parameter.key} is not a period")
        first, _dots, last = self.word.partition("..")
        given = f"{day:%m%d}"
        return first <= given <= last if first <= last else not last < given < first

    def display(self) -> str:
        """The value in Chinese with its unit: 10个工作日."""
        return self.parameter.display(self.value)

    def explain(self) -> str:
        """One Chinese sentence: source, what it says, the value here, and who set it by which document."""
        if self.set_at:
            named = {"office": self.set_by_name, "document": self.document}
            who = _("由%(office)s（%(document)s）设定") % named
        else:
            who = _("为全国默认值")
        clamped = _("，超出国家规定的部分不生效") if self.is_clamped else ""
        return _("%(source)s：%(text)s。本值%(value)s，%(who)s%(clamped)s。") % {
            "source": self.parameter.citation,
            "text": self.parameter.text,
            "value": self.display(),
            "who": who,
            "clamped": clamped,
        }


def rule(key: str | Parameter, at: str = NATION, on: date | None = None) -> RuleInForce:
    """The value of one parameter at the office `at` on the day `on` (today if left out), in one query.

    The nearest office on the way up decides, within the national bound. Raises KeyError for an unknown key.
    """
    name = key.key if isinstance(key, Parameter) else key
    return rules([name], at, on)[name]


def rules(
    keys: Iterable[str | Parameter], at: str = NATION, on: date | None = None
) -> dict[str, RuleInForce]:
    """Like `rule`, for many parameters in one query whatever their number and the depth of the office."""
    wanted = {name: PARAMETERS[name] for name in (k.key if isinstance(k, Parameter) else k for k in keys)}
    on = on or today()
    stored = values_set().filter(key__in=wanted, path__in=ancestors(at), valid__contains=on)
    nearest: dict[str, RuleValue] = {}
    for row in stored:
        parameter = wanted[row.key]
        if not parameter.is_well_formed(freeze(row.value)):
            # set_rule never writes one; a value that somebody else broke must not decide anything.
            log.error("rule_value_malformed", key=row.key, path=row.path, id=row.pk)
        elif row.key not in nearest or len(row.path) > len(nearest[row.key].path):
            nearest[row.key] = row
    return {name: in_force(parameter, nearest.get(name)) for name, parameter in wanted.items()}


def values_set() -> "QuerySet[RuleValue]":
    """What offices set for themselves, at any time; marks of an end are no values."""
    return RuleValue.objects.exclude(value=None)


def rulebook_version() -> str:
    """Identifies the catalogue and the stored values a case begins under, e.g. "2025.2+17".

    Every change of a stored value, its end too, makes a new row, so the highest id changes with it.
    """
    newest = RuleValue.objects.aggregate(newest=Max("id"))["newest"] or 0
    return f"{CATALOGUE_VERSION}+{newest}"


def in_force(parameter: Parameter, row: RuleValue | None) -> RuleInForce:
    """A stored value as it holds, within the bound; without one the national default."""
    if row is None:
        return RuleInForce(parameter.value, parameter)
    stored = freeze(row.value)
    is_clamped = not parameter.bound.allows(stored)
    value = parameter.bound.clamp(stored) if is_clamped else stored
    return RuleInForce(
        value,
        parameter,
        row.path,
        row.set_by_name,
        row.document,
        is_clamped,
        row.valid.lower,
        row.valid.upper,
    )


def _move(day: date, count: int, parameter: Parameter) -> date:
    match parameter.unit:
        case "工作日":
            return add_workdays(day, count)
        case "日":
            return day + timedelta(days=count)
        case "周":
            return day + timedelta(weeks=count)
        case "月":
            year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
            return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
    raise TypeError(f"{parameter.key} counts {parameter.unit or 'nothing'}, not time")
