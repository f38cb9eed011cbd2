"""Another person says yes or no; many rows or exports warn, and many exports wait for a second yes (W1)."""

from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.rights import who_can
from accounts.roles import RIGHT_LABELS, Right
from audit.services import System, record
from audit.warnings import warn
from config.clock import now
from config.errors import NotAllowed
from config.jobs import queue
from config.models import Job
from config.rules import rules
from registry.exporting.asking import State, exports_since, lock_person, move
from registry.exporting.refusals import OwnRequest, ReasonMissing
from registry.exporting.telling import tell_approvers, tell_requester
from registry.exporting.terms import digest_of
from registry.models import Export

RUN = "run_export"


def may_decide(export: Export, user: User) -> bool:
    """Another person with the right at the office that asks or one above it (EX-1, AZ-7)."""
    at = user.acting_path
    reaches = bool(at) and export.org_path.startswith(at) and user.may_act_at(Right.APPROVE_EXPORT, at)
    return reaches and not _is_requester(export, user)


def _is_requester(export: Export, user: User) -> bool:
    stands_for = user.acting_post.stands_for_id if user.acting_post else None
    return export.requested_by_id in (user.pk, stands_for)


def _admit(export: Export, user: User) -> None:
    if _is_requester(export, user):
        raise OwnRequest()
    if not may_decide(export, user):
        raise NotAllowed(
            right=str(RIGHT_LABELS[Right.APPROVE_EXPORT]),
            who=who_can(Right.APPROVE_EXPORT, at=export.org_path),
        )


@transaction.atomic
def approve(export: Export, *, actor: User) -> None:
    """Approve what was asked, frozen from now on, and begin; held when W1 wants a second confirmation.

    The caller has asked for a step-up. Raises NotAllowed, OwnRequest, NotNow.
    """
    _admit(export, actor)
    lock_person(export.requested_by_id)
    is_held = _warn_of_many(export)
    export.decided_by = actor
    columns = {
        "decided_by": actor, "decided_by_name": actor.signing_name,
        "decided_office": actor.acting_office_name, "decided_at": Now(), "terms_digest": digest_of(export),
        "reason": "",
    }  # fmt: skip
    move(export, (State.ASKED,), State.HELD if is_held else State.APPROVED, **columns)
    record(
        "registry.export.approve", export, actor=actor, basis="EX-1", number=export.approval_number,
        count=export.row_cap, digest=export.terms_digest, held=is_held,
    )  # fmt: skip
    if not is_held:
        _begin(export)


@transaction.atomic
def confirm(export: Export, *, actor: User) -> None:
    """Confirm once more an export that W1 has held. Raises NotAllowed, OwnRequest, NotNow."""
    _admit(export, actor)
    move(export, (State.HELD,), State.APPROVED)
    record("registry.export.confirm", export, actor=actor, basis="W1", number=export.approval_number)
    _begin(export)


@transaction.atomic
def refuse(export: Export, *, actor: User, reason: str) -> None:
    """Raises NotAllowed, OwnRequest, ReasonMissing, NotNow."""
    _admit(export, actor)
    reason = " ".join(reason.split())[:200]
    if not reason:
        raise ReasonMissing()
    columns = {
        "decided_by": actor, "decided_by_name": actor.signing_name,
        "decided_office": actor.acting_office_name, "decided_at": Now(), "reason": reason,
    }  # fmt: skip
    move(export, (State.ASKED, State.HELD), State.REFUSED, **columns)
    record("registry.export.refuse", export, actor=actor, reason=reason, number=export.approval_number)
    tell_requester(export)


def ask_again(export: Export, count: int) -> None:
    """More rows than were approved: the request, with the new count, waits for another approval (EX-1)."""
    reason = _("人数由 {before} 增至 {now}，须重新审批。").format(before=export.row_cap, now=count)
    columns = {
        "row_cap": count, "reason": reason, "terms_digest": "", "attempts": 0, "job": None,
        "decided_by": None, "decided_by_name": "", "decided_office": "", "decided_at": None,
    }  # fmt: skip
    move(export, (State.APPROVED,), State.ASKED, **columns)
    record(
        "registry.export.grown",
        export,
        actor=System(export.org_path),
        number=export.approval_number,
        count=count,
    )
    tell_approvers(export)


def _begin(export: Export) -> None:
    job = Job.objects.create(
        kind=RUN, path=export.org_path, total=export.row_cap, started_by=export.requested_by_id,
        started_by_name=export.requested_by_name,
    )  # fmt: skip
    Export.objects.filter(pk=export.pk).update(job=job)
    export.job = job
    queue(job)


def _warn_of_many(export: Export) -> bool:
    """Open W1 where a bound is reached; whether the export must wait for the leader's second word."""
    bounds = rules(("W1_ROWS", "W1_EXPORTS", "W1_DAYS"), at=export.org_path)
    since = now() - timedelta(days=bounds["W1_DAYS"].number)
    exports = exports_since(export.requested_by_id, since, decided=True) + 1
    is_often = exports >= bounds["W1_EXPORTS"].number
    if is_often or export.row_cap > bounds["W1_ROWS"].number:
        warn(
            "W1", path=export.org_path, key=f"user {export.requested_by_id}",
            subject_user=export.requested_by_id, rows=export.row_cap, exports=exports, export=export.pk,
        )  # fmt: skip
    return is_often
