"""The leader signs the school's verification; what was counted is frozen (R-VER-01, G-16)."""

from typing import Any

from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import Now

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import record
from registry.models import Finding, SchoolVerification
from registry.verification.checking import recount
from registry.verification.kinds import KINDS
from registry.verification.refusals import (
    FindingsUnplanned,
    NotChecked,
    OwnPlanSigned,
    RollsUnconfirmed,
    SignedAlready,
)
from registry.verification.rolls import classes_to_confirm, unconfirmed_classes

State = SchoolVerification.State


@transaction.atomic
def sign(school: SchoolVerification, *, actor: User) -> SchoolVerification:
    """Sign the verification of one school. Raises NotAllowed, SignedAlready, NotChecked, OwnPlanSigned,
    FindingsUnplanned (G-16) or RollsUnconfirmed.
    """
    explain(actor, Right.REVIEW, at=school.org_path).or_raise()
    # Locked: a plan, a roll or a second leader comes before or after, never during.
    rows = SchoolVerification.objects.select_for_update(no_key=True, of=("self",))
    held: SchoolVerification = rows.select_related("campaign").get(pk=school.pk)
    refuse(held, actor)
    recount(held.campaign_id, [held.org_path])
    held.refresh_from_db()
    total = classes_to_confirm(held.org_path)
    signed = SchoolVerification.objects.filter(pk=held.pk, state=State.OPEN).update(
        state=State.SIGNED, signed_by=actor, signed_by_name=actor.signing_name, signed_at=Now(),
        rolls_total=total, rolls_confirmed=total, counts=_counts(held, total),
    )  # fmt: skip
    if signed != 1:
        raise SignedAlready(name=held.signed_by_name)
    record(
        "registry.verification.sign", held, actor=actor, basis="第二十五条", pupils=held.pupils,
        count=held.findings_open,
    )  # fmt: skip
    held.refresh_from_db()
    return held


def refuse(held: SchoolVerification, actor: User) -> None:
    """Raise what stands in the way of signing, if anything does."""
    if held.state == State.SIGNED:
        raise SignedAlready(name=held.signed_by_name)
    if held.checked_at is None:
        raise NotChecked()
    own = Finding.objects.filter(campaign=held.campaign, org_path=held.org_path)
    if own.filter(Q(planned_by=actor) | Q(closed_by=actor)).exists():
        raise OwnPlanSigned()
    unplanned = dict(own.filter(state=Finding.State.OPEN).values_list("kind").annotate(n=Count("pk")))
    if unplanned:
        listed = "、".join(f"{KINDS[kind].label} {n}" for kind, n in sorted(unplanned.items()))
        raise FindingsUnplanned(count=sum(unplanned.values()), listed=listed)
    if unconfirmed := unconfirmed_classes(held.campaign, held.org_path):
        raise RollsUnconfirmed(count=unconfirmed)


def _counts(held: SchoolVerification, rolls: int) -> dict[str, Any]:
    """What the sheet says for ever: pupils, classes, findings by kind and state."""
    own = Finding.objects.filter(campaign=held.campaign, org_path=held.org_path)
    by_kind: dict[str, dict[str, int]] = {}
    for kind, state, n in own.values_list("kind", "state").annotate(n=Count("pk")).order_by("kind"):
        by_kind.setdefault(kind, {})[state] = n
    return {
        "pupils": held.pupils, "rolls": rolls, "findings": held.findings_total, "open": held.findings_open,
        "kinds": by_kind,
    }  # fmt: skip
