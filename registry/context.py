"""What the frame of every page says about the calendar: freezes in force, and the transfer window."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from accounts.roles import Right
from config.clock import today
from config.rules import RuleInForce, rules
from registry.school_year.calendar import coming_period, promotion_day
from registry.school_year.year import moment_in, moment_in_words
from registry.services.seasons import FREEZES, WINDOW_RULES, Season, freeze_days, month_day, windows_by

TRANSFERRING = (Right.FILE, Right.REVIEW, Right.DECIDE)


@dataclass(frozen=True, slots=True)
class Notice:
    """One line of the banner: no surprise may lie in what is closed, or closes soon (HANDBOOK A7.4)."""

    title: str
    text: str
    article: str
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class InSeason:
    """What the calendar says to one office today; `coming` is the next transfer window while none is open."""

    notices: tuple[Notice, ...] = ()
    coming: Season | None = None


def seasons(request: HttpRequest) -> dict[str, Any]:
    """Asked only where a template shows it: a fragment has no banner."""
    user: Any = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not user.acting_path:
        return {"in_season": InSeason()}
    return {"in_season": SimpleLazyObject(lambda: in_season(user))}


def in_season(user: User) -> InSeason:
    """What stops or is near for everybody, the window for those who file or decide; two queries."""
    path, day = user.acting_path, today()
    held = rules((*FREEZES, *WINDOW_RULES, "PROMOTION_AT", "YEAR_NOTICE_DAYS"), at=path, on=day)
    frozen = [(held[key], days) for key in FREEZES if (days := freeze_days(held[key], day))]
    notices = [Notice(str(rule.parameter.text), str(days), rule.article) for rule, days in frozen]
    notices += _near(held, day)
    coming = None
    if any(user.may_act_at(right, path) for right in TRANSFERRING):
        found = windows_by(held, path, day)
        coming = None if found.is_open() else found.next
        if (now := found.present) and freeze_days(held["TRANSFER_FREEZE"], day) is None:
            notices.append(Notice(_("转学窗口开放中"), _until(now, day), found.rule.article, is_open=True))
    return InSeason(tuple(notices), coming)


def _near(held: Mapping[str, RuleInForce], day: date) -> Iterator[Notice]:
    """What will stop business, or move everybody, within the days in which it is announced."""
    announced = range(held["YEAR_NOTICE_DAYS"].number + 1)
    for key in FREEZES:
        rule = held[key]
        first, _last = coming_period(rule, day)
        left = (first - day).days
        if left > 0 and left in announced:
            said = ngettext("{day}起，还有 {n} 天", "{day}起，还有 {n} 天", left).format(
                day=month_day(first), n=left
            )
            yield Notice(str(rule.parameter.text), said, rule.article)
    rule = held["PROMOTION_AT"]
    promoted = promotion_day(rule, day)
    left = (promoted - day).days
    if left in announced:
        at = moment_in_words(moment_in(rule, promoted.year))
        said = ngettext("{at}，还有 {n} 天", "{at}，还有 {n} 天", left).format(at=at, n=left)
        yield Notice(str(rule.parameter.text), said, rule.article)


def _until(season: Season, day: date) -> str:
    left = season.days_left(day)
    if not left:
        return _("{days}（今天截止）").format(days=season)
    return ngettext("{days}（还剩 {n} 天）", "{days}（还剩 {n} 天）", left).format(days=season, n=left)
