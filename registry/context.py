"""What the frame of every page says about the calendar: freezes in force, and the transfer window."""

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
from config.rules import rules
from registry.services.seasons import FREEZES, WINDOW_RULES, Season, freeze_days, windows_by

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
    """Freezes for everybody, the window for those who file or decide; two queries."""
    path, day = user.acting_path, today()
    held = rules((*FREEZES, *WINDOW_RULES), at=path, on=day)
    frozen = [(held[key], days) for key in FREEZES if (days := freeze_days(held[key], day))]
    notices = [Notice(str(rule.parameter.text), str(days), rule.article) for rule, days in frozen]
    coming = None
    if any(user.may_act_at(right, path) for right in TRANSFERRING):
        found = windows_by(held, path, day)
        coming = None if found.is_open() else found.next
        if (now := found.present) and freeze_days(held["TRANSFER_FREEZE"], day) is None:
            notices.append(Notice(_("转学窗口开放中"), _until(now, day), found.rule.article, is_open=True))
    return InSeason(tuple(notices), coming)


def _until(season: Season, day: date) -> str:
    left = season.days_left(day)
    if not left:
        return _("{days}（今天截止）").format(days=season)
    return ngettext("{days}（还剩 {n} 天）", "{days}（还剩 {n} 天）", left).format(days=season, n=left)
