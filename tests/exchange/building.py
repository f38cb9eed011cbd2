"""Grants to receivers outside, approved and with a client, the way pages and worker make them."""

import secrets
from datetime import timedelta
from typing import Any
from uuid import uuid4

from allauth.idp.oidc.adapter import get_adapter
from allauth.idp.oidc.models import Client, Token
from django.utils import timezone

from accounts.models import User
from config.clock import today
from config.crypto import next_ids, seal
from exchange.grants import Terms, propose
from exchange.models import DataGrant, GrantClient
from exchange.oauth import AUDIENCE
from tests import make
from tests.transfers.filing import finish, make_material
from transfers.models import Case
from transfers.services import decide

FIELDS = ["sex", "birth_on", "hukou_division", "grade"]


def with_check(code: str) -> str:
    """Seventeen characters and their check character."""
    from exchange.grants import is_credit_code

    return next(code + last for last in "0123456789ABCDEFGHJKLMNPQRTUWXY" if is_credit_code(code + last))


def terms(**changes: Any) -> Terms:
    """A proposal without a fault, on a law; `changes` overwrite."""
    given: dict[str, Any] = {
        "receiver_name": "深圳市公共交通服务中心",
        "receiver_code": with_check("12440300MB2D0013X"),
        "purpose": f"学生公交优惠资格核验 {uuid4().hex[:6]}",
        "basis": "law",
        "law": "《深圳经济特区公共交通条例》第三十条",
        "services": ["students", "classes", "enrolled"],
        "fields": list(FIELDS),
        "starts_on": today(),
        "ends_on": today() + timedelta(days=300),
        "quota": 1000,
    }
    return Terms(**given | changes)


DOCUMENT: dict[str, Any] = {
    "basis": "document",
    "law": "",
    "document_no": "深府办函〔2026〕18号",
    "document_by": "深圳市人民政府",
    "document_level": "city",
    "document_on": today() - timedelta(days=20),
}


def staff() -> dict[str, User]:
    """Who proposes at the county, its leader, and the leader above."""
    make.make_office(make.SCHOOL)
    return {
        "reviewer": make.make_reviewer(make.COUNTY),
        "leader": make.make_user("bureau_leader", make.COUNTY),
        "above": make.make_user("bureau_leader", make.CITY),
    }


def proposed(people: dict[str, User], subtree: str = make.COUNTY, **changes: Any) -> DataGrant:
    given = terms(**changes)
    papers = [make_material(people["reviewer"], "27")] if given.basis == "document" else []
    return propose(
        given,
        at=make.make_office(make.COUNTY),
        subtree=make.make_office(subtree),
        actor=people["reviewer"],
        materials=papers,
    )


def approved(people: dict[str, User], subtree: str = make.COUNTY, **changes: Any) -> DataGrant:
    """Proposed, approved by both, and put in force by the worker."""
    grant = proposed(people, subtree, **changes)
    ticked = ["27"] if grant.basis == "document" else []
    for who in ("leader", "above"):
        decide(Case.objects.get(number=grant.case_no), "approve", actor=people[who], ticked=ticked)
    finish(Case.objects.get(number=grant.case_no))
    return DataGrant.objects.get(pk=grant.pk)


def bearer(client: GrantClient) -> dict[str, str]:
    """A token as the endpoint would give it, as the header of a request."""
    value = uuid4().hex * 2
    token = Token(
        type=Token.Type.ACCESS_TOKEN,
        hash=get_adapter().hash_token(value),
        client_id=client.oauth_id,
        expires_at=timezone.now() + timedelta(minutes=10),
    )
    token.set_resources([AUDIENCE])
    token.save()
    return {"Authorization": f"Bearer {value}"}


def in_force(subtree: str = make.COUNTY, **changes: Any) -> DataGrant:
    """A grant in force, as a row only: how it came about is another test's affair."""
    county, over = make.make_office(make.COUNTY), make.make_office(subtree)
    given = terms(**changes)
    pk = next_ids("exchange_datagrant")[0]
    key = seal(secrets.token_bytes(32), "exchange_datagrant", pk, "key")
    DataGrant.objects.create(
        pk=pk, org_path=county.path, org_name=county.name, subtree=over.path, subtree_name=over.name,
        state="active", key=key, proposed_by=0, proposed_by_name="测试",
        **{name: getattr(given, name) for name in Terms.__dataclass_fields__},
    )  # fmt: skip
    return DataGrant.objects.get(pk=pk)


def bare_client(grant: DataGrant | None = None) -> GrantClient:
    """A client as rows only: nobody knows its secret."""
    oauth = Client.objects.create(name="测试", secret="!", grant_types="client_credentials")
    return GrantClient.objects.create(
        grant=grant or in_force(), oauth=oauth, name="测试", addresses=["127.0.0.1/32"], made_by=0,
        made_by_name="测试",
    )  # fmt: skip
