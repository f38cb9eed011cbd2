"""Writing the log: the only functions that add to it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.db import connection
from django.db.models import Model

from audit.models import AccessEntry, Event
from config.copying import copy_rows
from config.crypto import salted_digest
from config.requestid import current_request_id
from config.scope import NATION, scoped_transaction


class Actor(Protocol):
    """Who acts: a person under one of her posts, or the system in a job."""

    @property
    def pk(self) -> int | None: ...
    @property
    def name(self) -> str: ...
    @property
    def acting_path(self) -> str: ...
    @property
    def acting_office_name(self) -> str: ...
    @property
    def own_office(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class System:
    """A job's own name in the log, working for the office at `acting_path`."""

    acting_path: str = "CN."
    name: str = "系统"
    acting_office_name: str = "后台作业"
    pk: int | None = None
    own_office: None = None


class Person(Protocol):
    """Whoever an account belongs to, before any post is chosen."""

    @property
    def pk(self) -> int: ...
    @property
    def name(self) -> str: ...


def _paths(subject: Any) -> tuple[str, str]:
    if hasattr(subject, "from_path"):
        return subject.to_path, subject.from_path
    if hasattr(subject, "other_path"):  # a problem record: both sides follow how it is handled
        return subject.org_path, subject.other_path
    own = (
        subject.org_path if hasattr(subject, "org_path") else subject.path
    )  # a job or an office has a plain path
    return own, own


def _path_in_reach(subject: Any, actor: Actor) -> str:
    """The subject's path inside the reader's scope: of a case between two offices she may see either side."""
    within = [path for path in _paths(subject) if path.startswith(actor.acting_path)]
    return within[0] if within else actor.acting_path


def _who(actor: Actor) -> dict[str, Any]:
    return {
        "request_id": current_request_id(),
        "actor_id": actor.pk,
        # Under a substitute's post both names stand in the log; a job has one.
        "actor_name": getattr(actor, "signing_name", actor.name),
        # Under a dated grant she looks at another office, but remains who she is.
        "office_path": actor.own_office.path if actor.own_office else actor.acting_path or "CN.",
        "office_name": actor.own_office.name if actor.own_office else actor.acting_office_name,
    }


def record(
    action: str,
    subject: Model,
    *,
    actor: Actor,
    reason: str = "",
    basis: str = "",
    fields: Sequence[str] = (),
    values: str = "",
    **detail: Any,
) -> Event:
    """Add one act about `subject`, in the caller's transaction.

    `values` are the changed values as text: only their salted digest is kept. `detail` holds words and
    codes, never D4.
    """
    org_path, other_path = _paths(subject)
    return Event.objects.create(
        **_who(actor),
        action=action,
        org_path=org_path,
        other_path=other_path,
        subject_type=subject._meta.model_name or "",
        subject_id=subject.pk,
        reason=reason,
        basis=basis,
        fields=list(fields),
        digest=salted_digest(values) if values else "",
        detail=detail,
    )


def record_many(
    action: str,
    subject_type: str,
    subjects: Iterable[tuple[int, str]],
    *,
    actor: Actor,
    reason: str = "",
    basis: str = "",
    fields: Sequence[str] = (),
    **detail: Any,
) -> None:
    """Add one act for each of `subjects` (id and path), set-wise; what they share is said once."""
    who = _who(actor)
    copy_rows(
        Event,
        [
            Event(
                **who, action=action, org_path=path, other_path=path, subject_type=subject_type,
                subject_id=pk, reason=reason, basis=basis, fields=list(fields), detail=detail,
            )
            for pk, path in subjects
        ],
    )  # fmt: skip


def record_set(
    action: str,
    subject_type: str,
    select: str,
    given: Sequence[Any],
    *,
    actor: Actor,
    basis: str = "",
    fields: Sequence[str] = (),
) -> int:
    """Add one act for each row of `select` (id, path and detail of a subject) without reading the rows here;
    how many. For sets too large to pass through this process.
    """
    who = _who(actor)
    into = (
        "INSERT INTO audit_event (request_id, actor_id, actor_name, office_path, office_name, action,"
        " org_path, other_path, subject_type, subject_id, reason, basis, fields, digest, detail)"
    )
    shared = "%s, %s, %s, %s, %s, %s, s.path, s.path, %s, s.id, '', %s, %s::varchar[], '', s.detail"
    with connection.cursor() as cursor:
        cursor.execute(
            f"{into} SELECT {shared} FROM ({select}) AS s (id, path, detail)",  # noqa: S608  # constants
            [*who.values(), action, subject_type, basis, list(fields), *given],
        )
        return int(cursor.rowcount)


def record_each(
    action: str, acts: Iterable[tuple[Model, dict[str, Any]]], *, actor: Actor, basis: str = ""
) -> None:
    """Add one act for each subject, with a detail of its own, set-wise."""
    who = _who(actor)
    rows = []
    for subject, detail in acts:
        org_path, other_path = _paths(subject)
        rows.append(
            Event(
                **who, action=action, org_path=org_path, other_path=other_path,
                subject_type=subject._meta.model_name or "", subject_id=subject.pk, basis=basis,
                fields=[], detail=detail,
            )
        )  # fmt: skip
    copy_rows(Event, rows)


def record_read(
    subject: Model,
    *,
    actor: Actor,
    route: str,
    purpose: str = "",
    fields: Sequence[str] = (),
    outcome: str = AccessEntry.Outcome.READ,
) -> None:
    """Add one read of a record, in the transaction that reads (RD-3)."""
    AccessEntry.objects.create(
        **_who(actor),
        outcome=outcome,
        org_path=_path_in_reach(subject, actor),
        subject_type=subject._meta.model_name or "",
        subject_id=subject.pk,
        route=route,
        purpose=purpose,
        fields=list(fields),
    )


def record_list(
    subject_type: str,
    ids: Iterable[int],
    *,
    actor: Actor,
    route: str,
    purpose: str = "",
    fields: Sequence[str] = (),
) -> None:
    """Add one row for a list that was shown, with the ids on it; an empty list leaves none."""
    shown = list(ids)
    if shown:
        AccessEntry.objects.create(
            **_who(actor),
            outcome=AccessEntry.Outcome.LIST,
            org_path=actor.acting_path,
            subject_type=subject_type,
            route=route,
            purpose=purpose,
            subject_ids=shown,
            fields=list(fields),
        )


def record_look_up(*, actor: Actor, route: str, found: bool) -> None:
    """Add one look-up across scope; what was asked stays out of the log."""
    AccessEntry.objects.create(
        **_who(actor),
        outcome=AccessEntry.Outcome.LOOK_UP,
        org_path=actor.acting_path,
        subject_type="student",
        route=route,
        code="found" if found else "none",
    )


def record_refusal(
    *,
    actor: Actor,
    route: str,
    code: str,
    status: int,
    subject: Model | None = None,
    fields: Sequence[str] = (),
) -> None:
    """Add one refused request, in a transaction of its own; or, with `fields`, what was asked for in vain."""
    AccessEntry.objects.create(
        **_who(actor),
        outcome=AccessEntry.Outcome.REFUSED,
        # The actor's own path: a refused request may concern a row she must not be told about.
        org_path=actor.acting_path,
        subject_type=(subject._meta.model_name or "") if subject is not None else "",
        subject_id=subject.pk if subject is not None else None,
        route=route,
        code=code,
        purpose=str(status),
        fields=list(fields),
    )


def record_sign_in(
    *, person: Person | None, code: str, route: str, office_path: str = NATION, office_name: str = ""
) -> None:
    """Add one attempt to sign in, in a transaction of its own; `code` is ok, failed, waiting,
    step_up, persona or out.

    A failed attempt belongs to no office: it lies at the nation. What was typed stays out of the log, even
    the name of an account that does not exist: people type passwords there.
    """
    with scoped_transaction(NATION):
        AccessEntry.objects.create(
            request_id=current_request_id(),
            actor_id=person.pk if person else None,
            actor_name=person.name if person else "未知账号",
            office_path=office_path,
            office_name=office_name,
            outcome=AccessEntry.Outcome.SIGN_IN,
            org_path=office_path,
            subject_type="user",
            subject_id=person.pk if person else None,
            route=route,
            code=code,
        )
