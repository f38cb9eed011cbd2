"""Filing a rehearsed change of a school or office, rehearsing it again, and what its case page shows."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import Organization, User
from accounts.rights import explain
from accounts.roles import Right
from archives.models import Material
from config.errors import NotFound
from registry.codes import label
from registry.models import Reorganization
from registry.reorganizing.plan import LABELS, LISTS, plan_of
from registry.reorganizing.rehearse import claim, rehearse_again
from transfers.kinds.offices import OFFICE_KINDS, follow, row_of
from transfers.models import Case
from transfers.refusals import CaseClosed
from transfers.services import file_case
from transfers.turns import own_turn


def own_rehearsal(user: User, public_id: UUID) -> Reorganization:
    """The rehearsal of her own office. Raises NotAllowed, NotFound."""
    explain(user, Right.MANAGE_OFFICES, at=user.acting_path).or_raise()
    row = Reorganization.objects.filter(public_id=public_id, path=user.acting_path).first()
    if row is None:
        raise NotFound()
    return row


@transaction.atomic
def file_change(row: Reorganization, digest: str, *, actor: User, materials: Sequence[Material]) -> Case:
    """File the rehearsed change: `digest` is what was confirmed. Raises as file_case does, and RehearsalGone,
    FactsChanged, OfficeBusy.
    """
    at = Organization.objects.get(path=row.path)
    case = file_case(
        OFFICE_KINDS[row.kind], at, actor=actor, from_school=row.office or at, materials=materials,
        reorganization=row, digest=digest,
    )  # fmt: skip
    claim(row, digest, case.number)
    return case


@transaction.atomic
def try_again(case: Case, *, actor: User) -> Reorganization:
    """Rehearse the change of an open case on today's facts, for whose turn it is. Raises NotAllowed,
    CaseClosed, PlanRefused, RehearsalFailed.
    """
    if case.state != Case.State.WAITING:
        raise CaseClosed(state=case.get_state_display())
    own_turn(case, actor)
    return rehearse_again(row_of(case), actor=actor, after=follow)


def shown(row: Reorganization) -> dict[str, Any]:
    """What the rehearsal page and the case page say about a change: the plan in words and what it moves."""
    plan = plan_of(row.plan)
    values = [(LABELS[key], _word(key, text)) for key, text in plan.values.items() if key in LABELS]
    return {"row": row, "plan": plan, "values": values, "result": row.shown, "progress": _progress(row)}


def _word(key: str, text: str) -> str:
    if key in ("target", "parent"):
        return Organization.objects.get(pk=text).name
    if key == "office_kind":
        return str(Organization.Kind(text).label)
    if key in LISTS:
        return "、".join(label(LISTS[key], one) for one in text.split(","))
    return text


def _progress(row: Reorganization) -> int:
    """How many rows the execution has moved so far."""
    return sum(row.cursor.get("counts", {}).values())


def change_of_case(case: Case) -> dict[str, Any] | None:
    """The same for a case; None for a case about something else."""
    return shown(row_of(case)) if case.kind in OFFICE_KINDS else None
