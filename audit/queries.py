"""Reading the log, in scope and newest first: acts, reads and refusals, one entry with its proof."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any, Protocol

from django.db.models import Q
from django.shortcuts import get_object_or_404
from django.utils import timezone

from audit.canonical import Source
from audit.models import AccessEntry, Event
from audit.models_sealing import Checkpoint, Leaf
from audit.sentences import sentence
from config.errors import NotFound
from config.scope import HasScope

PAGE_SIZE = 50
VIEW_LOG = "view_log"  # accounts.roles.Right.VIEW_LOG: audit lies below accounts and may not import it
MODELS: dict[str, Any] = {"event": Event, "access": AccessEntry}


class Reader(HasScope, Protocol):
    """Whoever reads: her scope, and the office she reads for."""

    acting_path: str


def events_of(user: Reader, chosen: dict[str, Any]) -> Any:
    """The acts in her scope that she asks for."""
    wanted = _wanted(chosen)
    if action := chosen.get("action"):
        wanted &= Q(action=action) | Q(action__startswith=f"{action}.")
    return Event.objects.visible_to(user, VIEW_LOG).filter(wanted)


def access_of(user: Reader, chosen: dict[str, Any]) -> Any:
    """The reads and refusals in her scope that she asks for."""
    wanted = _wanted(chosen)
    if outcome := chosen.get("outcome"):
        wanted &= Q(outcome=outcome)
    return AccessEntry.objects.visible_to(user, VIEW_LOG).filter(wanted)


def page_of(rows: Any, user: Reader, after: int | None) -> tuple[list[Any], int | None]:
    """One page of `rows`, newest first, and the key of the next page or None.

    Raises Http404 for a key that she may not see.
    """
    visible = rows.model.objects.visible_to(user, VIEW_LOG)
    if after:
        rows = rows.filter(pk__lt=get_object_or_404(visible, pk=after).pk)
    # Keys first: the columns of fifty rows, not of all that the condition finds.
    keys = list(rows.newest_first(user.acting_path).values_list("pk", flat=True)[: PAGE_SIZE + 1])
    shown = keys[:PAGE_SIZE]
    found = {row.pk: row for row in visible.filter(pk__in=shown)} if shown else {}
    return [found[pk] for pk in shown], shown[-1] if len(keys) > PAGE_SIZE else None


def entry_for(user: Reader, source: Source, pk: int) -> Any:
    """One entry that `user` may see. Raises NotFound."""
    found = MODELS[source.name].objects.visible_to(user, VIEW_LOG).filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


def words_of(entry: Any) -> str:
    """What happened, in a sentence."""
    if isinstance(entry, Event):
        return sentence(entry)
    return f"{entry.office_name} {entry.actor_name} {AccessEntry.Outcome(entry.outcome).label}"


def seal_of(source: Source, pk: int) -> tuple[Leaf | None, Checkpoint | None]:
    """The leaf of an entry, and the first checkpoint that it lies under; None while there is none."""
    leaf = Leaf.objects.filter(source=source.number, entry_id=pk).first()
    if leaf is None:
        return None, None
    return leaf, Checkpoint.objects.filter(size__gt=leaf.number).order_by("number").first()


def page_of_checkpoints(before: int | None) -> tuple[list[Checkpoint], int | None]:
    """One page, newest first, and the key of the next."""
    rows: Iterable[Checkpoint] = Checkpoint.objects.order_by("-number")
    if before is not None:
        rows = Checkpoint.objects.filter(number__lt=before).order_by("-number")
    found = list(rows[: PAGE_SIZE + 1])  # type: ignore[index]
    shown = found[:PAGE_SIZE]
    return shown, shown[-1].number if len(found) > PAGE_SIZE else None


def _wanted(chosen: dict[str, Any]) -> Q:
    wanted = Q()
    if actor := chosen.get("actor"):
        # Also what she did in the place of somebody absent: 李审核（代王审核）.
        wanted &= Q(actor_name=actor) | Q(actor_name__startswith=f"{actor}（代")
    if office := chosen.get("office"):
        wanted &= Q(office_name=office)
    if chosen.get("subject"):
        kind, pk = chosen["subject"]
        wanted &= Q(subject_type=kind, subject_id=pk)
    if first := chosen.get("first"):
        wanted &= Q(at__gte=_midnight(first))
    if last := chosen.get("last"):
        wanted &= Q(at__lt=_midnight(last + timedelta(days=1)))
    return wanted


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
