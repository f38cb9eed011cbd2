"""Reading the log, in scope and newest first."""

from datetime import date, datetime, time, timedelta
from typing import Any, Protocol

from django.db.models import Q
from django.shortcuts import get_object_or_404
from django.utils import timezone

from audit.models import Event
from config.scope import HasScope

PAGE_SIZE = 50
VIEW_LOG = "view_log"  # accounts.roles.Right.VIEW_LOG: audit lies below accounts and may not import it


class Reader(HasScope, Protocol):
    """Whoever reads: her scope, and the office she reads for."""

    acting_path: str


def page_of_events(user: Reader, chosen: dict[str, Any]) -> tuple[list[Event], int | None]:
    """One page of what `user` may see, and the key of the next page or None.

    Raises Http404 for a key that she may not see.
    """
    visible = Event.objects.visible_to(user, VIEW_LOG)
    events = visible.filter(_wanted(chosen))
    if chosen.get("after"):
        events = events.filter(pk__lt=get_object_or_404(visible, pk=chosen["after"]).pk)
    found = list(events.newest_first(user.acting_path)[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    return shown, shown[-1].pk if len(found) > PAGE_SIZE else None


def _wanted(chosen: dict[str, Any]) -> Q:
    wanted = Q()
    if action := chosen.get("action"):
        wanted &= Q(action=action) | Q(action__startswith=f"{action}.")
    if actor := chosen.get("actor"):
        # Also what she did in the place of somebody absent: 李审核（代王审核）.
        wanted &= Q(actor_name=actor) | Q(actor_name__startswith=f"{actor}（代")
    if first := chosen.get("first"):
        wanted &= Q(at__gte=_midnight(first))
    if last := chosen.get("last"):
        wanted &= Q(at__lt=_midnight(last + timedelta(days=1)))
    return wanted


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
