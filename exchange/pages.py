"""What the pages of grants ask, and how the form of a proposal is read."""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Sum
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.roles import Right
from config.clock import today
from config.errors import NotFound
from config.paging import count_up_to
from exchange.given import COARSE, GIVABLE, form_in_words, sample
from exchange.grants import Terms, months_after
from exchange.models import DataGrant, Delivery, GrantClient
from registry.fields import SECTION_TITLES

PAGE = 50
RIGHTS = (Right.PROPOSE_GRANT, Right.APPROVE_GRANT)
TEXTS = (
    "receiver_name", "receiver_code", "purpose", "basis", "law", "document_no", "document_by",
    "document_level",
)  # fmt: skip
LISTS = ("services", "fields", "clear")
SENT = (*TEXTS, *LISTS, "office", "document_on", "starts_on", "ends_on", "quota", "action", "document",
        "file", "evidence_type")  # fmt: skip
LABELS: dict[str, Any] = {
    "receiver_name": _("接收方名称"),
    "receiver_code": _("统一社会信用代码"),
    "purpose": _("用途"),
    "basis": _("依据"),
    "law": _("法律条款"),
    "document_no": _("批准文号"),
    "document_by": _("批准机关"),
    "document_level": _("机关级别"),
    "document_on": _("批准日期"),
    "services": _("服务"),
    "fields": _("数据项"),
    "office": _("提供范围"),
    "starts_on": _("开始日期"),
    "ends_on": _("结束日期"),
    "quota": _("每日额度"),
    "document": _("批准文件扫描件"),
}


def seen_by(user: User) -> Any:
    """The grants of the offices she sees by one of the two rights."""
    rows = DataGrant.objects.all()
    return next((rows.visible_to(user, right) for right in RIGHTS if user.scope_paths(right)), rows.none())


def open_grant(user: User, public_id: UUID) -> DataGrant:
    """Raises NotFound: hidden and missing look alike."""
    grant: DataGrant | None = seen_by(user).filter(public_id=public_id).first()
    if grant is None:
        raise NotFound()
    return grant


@dataclass(slots=True)
class Page:
    rows: list[DataGrant]
    after: str
    total: int


def read_grants(user: User, after: str, size: int = PAGE) -> Page:
    """Newest first. The cursor is a grant's public id, resolved in scope."""
    rows = seen_by(user)
    total = count_up_to(rows)
    if after:
        try:
            rows = rows.filter(pk__lt=open_grant(user, UUID(after)).pk)
        except ValueError:
            raise NotFound() from None
    found = list(rows.order_by("-id")[: size + 1])
    return Page(found[:size], str(found[size - 1].public_id) if len(found) > size else "", total)


def deliveries_of(grant: DataGrant) -> list[dict[str, Any]]:
    """The last days on which something was delivered, by day and service."""
    rows = Delivery.objects.filter(client__grant=grant).values("day", "service")
    sums = rows.annotate(answers=Sum("answers"), records=Sum("records")).order_by("-day", "service")
    return [{**row, "name": DataGrant.Service(row["service"]).label} for row in sums[:60]]


def clients_of(grant: DataGrant) -> list[GrantClient]:
    return list(grant.clients.select_related("oauth").order_by("stopped_at", "-id"))


# ── The form ──────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Choice:
    """One field of the form's table: whether it can leave de-identified, and what is ticked."""

    key: str
    label: str
    form: str
    is_given: bool
    is_clear: bool
    is_sealed: bool


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def read_terms(posted: QueryDict) -> Terms:
    """What was typed; ticking 明文 alone chooses the field as well."""
    terms = Terms()
    for name in TEXTS:
        setattr(terms, name, " ".join(posted.get(name, "").split()))
    terms.receiver_code = terms.receiver_code.upper()
    terms.services = list(dict.fromkeys(posted.getlist("services")))
    terms.clear = list(dict.fromkeys(posted.getlist("clear")))
    chosen = {*posted.getlist("fields"), *terms.clear}
    known = [one.key for one in GIVABLE]
    terms.fields = [key for key in known if key in chosen] + sorted(chosen - set(known))
    terms.document_on = _day(posted.get("document_on", ""))
    terms.starts_on, terms.ends_on = _day(posted.get("starts_on", "")), _day(posted.get("ends_on", ""))
    quota = posted.get("quota", "")
    terms.quota = int(quota) if quota.isascii() and quota.isdigit() and len(quota) < 10 else 0
    if terms.basis == DataGrant.Basis.LAW:
        terms.document_no = terms.document_by = terms.document_level = ""
        terms.document_on = None
    elif terms.basis == DataGrant.Basis.DOCUMENT:
        terms.law = ""
    return terms


def fresh_terms(before: DataGrant | None) -> Terms:
    """An empty form, or one filled like a grant that ends: the next year is approved anew."""
    starts = today() if before is None else max(today(), before.ends_on + timedelta(days=1))
    terms = Terms(starts_on=starts, ends_on=months_after(starts, 12) - timedelta(days=1), quota=10_000)
    if before is not None:
        for name in (*TEXTS, *LISTS, "document_on", "quota"):
            setattr(terms, name, getattr(before, name))
    return terms


def sections(terms: Terms) -> list[tuple[Any, list[Choice]]]:
    """The fields that can be given, by section of the form."""
    found: dict[str, list[Choice]] = {}
    for one in GIVABLE:
        form = form_in_words(one, is_clear=False) if one.key in COARSE else ""
        is_clear = one.key in terms.clear
        choice = Choice(
            one.key, one.label_zh, form, one.key in terms.fields and not is_clear, is_clear, one.sealed
        )
        found.setdefault(one.section, []).append(choice)
    return [(SECTION_TITLES.get(key, _("学籍号")), lines) for key, lines in found.items()]


def sample_answer(terms: Terms | DataGrant) -> str:
    """What the receiver would read of one pupil, invented."""
    known = [key for key in terms.fields if key in {one.key for one in GIVABLE}]
    body = {"id": "5d0c1f9a7be24c13a0d5f3c6b8e9a1f2"} | sample(known, terms.clear)
    return json.dumps(body, ensure_ascii=False, indent=2)
