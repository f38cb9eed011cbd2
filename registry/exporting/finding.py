"""Which exports a person sees: those of her offices, and what she may do with each."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.models import User
from accounts.roles import Right
from config.clock import now
from config.errors import NotFound
from config.rules import rule
from registry.exporting.approving import may_decide
from registry.exporting.asking import UNDER_WAY, State
from registry.exporting.columns import labels
from registry.exporting.terms import PURPOSES
from registry.models import Export
from registry.queries.rosters import number_in

PAGE = 50


def exports_seen_by(user: User) -> Any:
    """Her own requests, and those of the offices for which she approves."""
    own = Export.objects.visible_to(user, Right.EXPORT).filter(requested_by_id=user.pk)
    return own | Export.objects.visible_to(user, Right.APPROVE_EXPORT)


def open_export(user: User, public_id: "UUID | str") -> Export:
    """One export. Raises NotFound: hidden and missing look alike."""
    try:
        wanted = public_id if isinstance(public_id, UUID) else UUID(public_id)
    except ValueError:
        raise NotFound() from None
    found = exports_seen_by(user).select_related("job").filter(public_id=wanted).first()
    if found is None:
        raise NotFound()
    return found  # type: ignore[no-any-return]


def read_exports(user: User, after: str) -> tuple[list[Export], int | None]:
    """The exports she sees, newest first, by key."""
    rows = exports_seen_by(user).order_by("-pk")
    if after:
        rows = rows.filter(pk__lt=number_in(after))
    page = list(rows[: PAGE + 1])
    return page[:PAGE], page[PAGE - 1].pk if len(page) > PAGE else None


def waiting_for(user: User) -> list[Export]:
    """What she may decide now, the oldest first."""
    if not user.may_act_at(Right.APPROVE_EXPORT, user.acting_path):
        return []
    rows = Export.objects.visible_to(user, Right.APPROVE_EXPORT).within(user.acting_path)
    waiting = rows.filter(Q(state=State.ASKED) | Q(state=State.HELD)).exclude(requested_by_id=user.pk)
    return list(waiting.order_by("pk")[:PAGE])


@dataclass(frozen=True, slots=True)
class Chances:
    """What she may do with one export now."""

    decide: bool
    confirm: bool
    collect: bool
    cancel: bool
    left: int


def chances(export: Export, user: User) -> Chances:
    mine = export.requested_by_id == user.pk and user.may_act_at(Right.EXPORT, export.org_path)
    left = max(rule("EXPORT_DOWNLOADS", at=export.org_path).number - export.downloads, 0)
    decides = may_decide(export, user)
    is_kept = export.state == State.READY and export.expires_at is not None and export.expires_at > now()
    return Chances(
        decide=decides and export.state in (State.ASKED, State.HELD),
        confirm=decides and export.state == State.HELD,
        collect=mine and is_kept and left > 0,
        cancel=mine and export.state in UNDER_WAY,
        left=left,
    )


def facts(export: Export) -> dict[str, Any]:
    """What a page says of the terms."""
    return {
        "purpose": PURPOSES[export.purpose],
        "fields": labels(export.fields),
        "clear": labels(export.clear_fields),
    }
