"""Which school year a promotion ends, and from which moment it may be done (HANDBOOK A7.4)."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from config.clock import now, today
from config.rules import RuleInForce, rule
from config.rules.parameter import month_day_in
from config.scope import NATION
from registry.school_year.refusals import PromotionTooEarly
from registry.services.seasons import ONE_DAY, term_days


@dataclass(frozen=True, slots=True)
class SchoolYear:
    """The school year that ends with the promotion of `year`."""

    year: int
    at: datetime  # from this moment on it may be done
    first_day: date  # of the school year, right after the promotion before
    entry_month: str  # who entered in this month or later is of the coming year

    @property
    def next_first_day(self) -> date:
        return timezone.localdate(self.at)

    def refuse_before(self) -> None:
        """Raise PromotionTooEarly before the moment."""
        if now() < self.at:
            raise PromotionTooEarly(year=str(self.year), at=moment_in_words(self.at))


def moment_in_words(moment: datetime) -> str:
    """Midnight belongs to the day that ends, as the notices write it: 8月10日24:00."""
    local = timezone.localtime(moment)
    day, clock = local.date(), f"{local:%H:%M}"
    if clock == "00:00":
        day, clock = day - timedelta(days=1), "24:00"
    return f"{day.year}年{day.month}月{day.day}日{clock}"


def school_year(year: int) -> SchoolYear:
    """The one that ends with the promotion of `year`."""
    moment = _moment(year)
    ends_on = term_days(NATION, year - 1, "2")[1]  # new pupils register as soon as the spring term is over
    return SchoolYear(year, moment, timezone.localdate(_moment(year - 1)), f"{ends_on + ONE_DAY:%Y-%m}")


def present_year(day: date | None = None) -> SchoolYear:
    """The one whose promotion comes next, or has just come: what was held in August may be made up for until
    registration closes.
    """
    day = day or today()
    closes = month_day_in(day.year, rule("REGISTRATION_CLOSES", at=NATION, on=day).word)
    return school_year(day.year if day <= closes else day.year + 1)


def moment_in(held: RuleInForce, year: int) -> datetime:
    """The moment that the rule PROMOTION_AT names, in `year`."""
    month_day, _space, clock = held.word.partition(" ")
    hours, minutes = (int(part) for part in clock.split(":"))
    start = timezone.make_aware(datetime.combine(month_day_in(year, month_day), time()))
    return start + timedelta(hours=hours, minutes=minutes)


def _moment(year: int) -> datetime:
    return moment_in(rule("PROMOTION_AT", at=NATION, on=date(year, 8, 1)), year)
