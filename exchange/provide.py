"""What a client gets: rows of the grant's subtree, its fields in its forms, and a trace of each answer."""

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from django.db.models import Count, F, Q

from audit.services import record_list, record_look_up, record_refusal
from audit.warnings import warn
from config.clock import today
from config.crypto import DoesNotOpen, blind_index, seal, unseal
from config.errors import NotFound
from config.paging import after_key
from exchange.given import given, pseudonym
from exchange.models import DataGrant, Delivery, GrantClient
from exchange.refusals import ServiceNotGranted
from exchange.signing import signed
from registry import protection
from registry.identity import canonical, family, fold_number
from registry.models import Enrolment, IdentityDocument, SchoolClass
from registry.names import fold_name
from registry.record import load_records, values_of
from registry.status import IN_SCHOOL

PAGE = 100
_ORDER = ("org_path", "grade", "class_number", "name_py", "id")
_CLASS_ORDER = ("org_path", "grade", "number", "id")


@dataclass(frozen=True, slots=True)
class Receiver:
    """The receiver in the log: its name stands where a person's office stands (R-EXT-03)."""

    acting_path: str
    acting_office_name: str
    name: str
    pk: int | None = None
    own_office: None = None


def receiver_of(client: GrantClient) -> Receiver:
    return Receiver(client.grant.subtree, client.grant.receiver_name, client.name)


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[dict[str, Any]]
    after: str


# ── Where a page goes on ──────────────────────────────────────────────────────────────────────────────────
def _sealed_cursor(grant: DataGrant, key: Sequence[Any]) -> str:
    """The sort key of the last row, sealed for this grant: paths and names stay with us."""
    raw = seal(json.dumps(list(key)).encode(), "exchange_datagrant", grant.pk, "cursor")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _opened_cursor(grant: DataGrant, text: str) -> list[Any]:
    """Raises NotFound for what this grant was not given."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return list(json.loads(unseal(raw, "exchange_datagrant", grant.pk, "cursor")))
    except (ValueError, DoesNotOpen, InvalidTag):
        raise NotFound() from None


# ── The three services; each runs inside the grant's own scope ────────────────────────────────────────────
def in_school(grant: DataGrant) -> Any:
    """The spells that this grant reaches: of pupils in school, never of protected ones (AZ-10)."""
    hidden = protection.in_force().values("student_id")
    return Enrolment.objects.within(grant.subtree).in_school().exclude(student_id__in=hidden)


def students(client: GrantClient, asked: Sequence[str], after: str, most: int) -> Page:
    """The next pupils with those of the granted fields that were asked for; nothing else ever leaves."""
    grant = client.grant
    rows = in_school(grant).order_by(*_ORDER)
    if after:
        rows = after_key(rows, _ORDER, _opened_cursor(grant, after))
    keys = list(rows.values_list(*_ORDER, "student_id")[: most + 1])
    ids = [key[-1] for key in keys[:most]]
    fields = [key for key in grant.fields if not asked or key in asked]
    outside = [key for key in asked if key not in grant.fields]
    secret = grant.open_key()
    with_secrets = bool(grant.clear)
    records = load_records(ids) if fields else {}
    shown = [
        {"id": pseudonym(secret, "student", str(pk))}
        | (given(values_of(records[pk], with_secrets=with_secrets), fields, grant.clear) if fields else {})
        for pk in ids
    ]
    _leave_trace(client, DataGrant.Service.STUDENTS, "student", ids, fields, outside)
    # Inside a page the order would tell how the names sort.
    shown.sort(key=lambda row: row["id"])
    return Page(shown, _sealed_cursor(grant, keys[most - 1][:-1]) if len(keys) > most else "")


def classes(client: GrantClient, after: str, most: int) -> Page:
    """The next open classes: school, grade, name and how many are in it; nobody's name."""
    grant = client.grant
    rows = SchoolClass.objects.within(grant.subtree).filter(is_open=True).order_by(*_CLASS_ORDER)
    if after:
        rows = after_key(rows, _CLASS_ORDER, _opened_cursor(grant, after))
    keys = list(rows.values_list(*_CLASS_ORDER)[: most + 1])
    ids = [key[-1] for key in keys[:most]]
    counted = SchoolClass.objects.filter(pk__in=ids).annotate(
        pupils=Count("enrolments", filter=Q(enrolments__status__in=IN_SCHOOL, enrolments__is_void=False)),
        school_name=F("school__organization__name"),
        school_code=F("school__code"),
    )
    found = {row["id"]: row for row in counted.values(
        "id", "name", "number", "grade", "type", "pupils", "school_name", "school_code"
    )}  # fmt: skip
    secret = grant.open_key()
    shown = [found[pk] | {"id": pseudonym(secret, "class", str(pk))} for pk in ids if pk in found]
    _leave_trace(client, DataGrant.Service.CLASSES, "schoolclass", ids, [], [])
    return Page(shown, _sealed_cursor(grant, keys[most - 1]) if len(keys) > most else "")


def enrolled(client: GrantClient, *, name: str, id_type: str, id_number: str) -> tuple[str, int]:
    """A signed yes or no: is this person a pupil within the grant's subtree today? And when it ends.

    Name and number must both be right: a number alone would let numbers be tried. The subject is a pseudonym
    of this receiver; of a person who was not found it is made from the number that was asked.
    """
    grant = client.grant
    form = canonical(id_type, fold_number(id_number), "")
    blind = blind_index(family(id_type), form)
    holder = IdentityDocument.objects.filter(blind=blind, is_claimed=True).values("student_id")
    spell = in_school(grant).filter(student_id__in=holder, student__name_fold=fold_name(name))
    student = spell.values_list("student_id", flat=True).first()
    secret = grant.open_key()
    subject = pseudonym(secret, "asked", str(blind)) if student is None else pseudonym(
        secret, "student", str(student)
    )  # fmt: skip
    ids = [] if student is None else [student]
    _leave_trace(client, DataGrant.Service.ENROLLED, "student", ids, [], [])
    return signed({"aud": grant.receiver_code, "sub": subject, "enrolled": student is not None,
                   "on": today().isoformat()})  # fmt: skip


def refuse_unless_granted(grant: DataGrant, service: str) -> None:
    """Raises ServiceNotGranted."""
    if service not in grant.services:
        raise ServiceNotGranted()


# ── What stays of it ──────────────────────────────────────────────────────────────────────────────────────
def _leave_trace(
    client: GrantClient,
    service: str,
    subject_type: str,
    ids: Iterable[int],
    fields: Sequence[str],
    outside: Sequence[str],
) -> None:
    """The delivery in the access log with the ids, the day's counters, and fields asked outside the grant."""
    actor, shown = receiver_of(client), list(ids)
    route = f"provided:{service}"
    record_list(subject_type, shown, actor=actor, route=route, purpose=client.grant.purpose, fields=fields)
    if service == DataGrant.Service.ENROLLED and not shown:
        record_look_up(actor=actor, route=route, found=False)
    if outside:
        warn("W14", path=client.grant.org_path, key=f"fields {client.grant_id}", fields=sorted(outside))
        record_refusal(actor=actor, route=route, code="field_outside_grant", status=200, fields=outside)
    row, _is_new = Delivery.objects.get_or_create(client=client, day=today(), service=service)
    Delivery.objects.filter(pk=row.pk).update(
        answers=F("answers") + 1, records=F("records") + max(len(shown), int(service == "enrolled"))
    )
