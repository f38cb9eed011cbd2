"""What a case about one pupil brings when it is approved, and what it takes back when it is not."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from audit.services import Actor
from config.clock import today
from registry.services.changing import Change
from transfers.models import Case


def undo(case: Case, actor: Actor, reason: str) -> None:
    """Nothing to take back: the pupil's rows were not touched."""


def change_of(case: Case, category: str, **more: Any) -> Change:
    """The change that this case brings, effective today."""
    from transfers.kinds import KINDS  # the kinds import this module

    asked: Mapping[str, str] = case.payload.get("asked", {})
    happened = asked.get("happened_on") or case.payload.get("filed_on") or today().isoformat()
    return Change(
        kind=case.kind,
        name=KINDS[case.kind].name,
        case_no=case.number,
        category=category,
        reason=more.pop("reason", asked.get("reason", "")),
        happened_on=date.fromisoformat(happened),
        effective_on=more.pop("effective_on", today()),
        **more,
    )
