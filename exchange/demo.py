"""Provision outside for the demonstration: one grant in force with a delivery, one waiting, one expired."""

import secrets
from datetime import date, timedelta

from accounts.models import Organization, User
from accounts.rights import valid_posts
from archives.services import add_material
from config.clock import today
from config.crypto import next_ids, seal
from config.models import Outbox
from config.scope import NATION, scoped_transaction
from exchange.clients import make_client
from exchange.grants import Terms, propose
from exchange.kind import APPROVAL
from exchange.models import DataGrant, Delivery
from transfers.completion import perform_owed
from transfers.management.commands.demo_cases import paper
from transfers.models import Case
from transfers.outbox import COMPLETE_CASE
from transfers.services import decide

PROPOSER, LEADER, ABOVE = "demo.county.reviewer", "demo.county.bureau_leader", "demo.city.bureau_leader"
_LAW = "《中华人民共和国义务教育法》第十三条"


def _persona(username: str) -> User:
    user = User.objects.get(username=username)
    user.acting_post = valid_posts(user)[0]
    return user


def _transport() -> Terms:
    day = today()
    return Terms(
        receiver_name="南山区公共交通服务中心", receiver_code="12440305MB2D00138G",
        purpose="核验学生公交优惠资格", basis="document", document_no="深南府办函〔2026〕31号",
        document_by="深圳市南山区人民政府", document_level="county", document_on=day - timedelta(days=40),
        services=["enrolled", "students", "classes"],
        fields=["sex", "birth_on", "grade", "hukou_division", "commute_mode"],
        starts_on=day, ends_on=day + timedelta(days=330), quota=5000,
    )  # fmt: skip


def _library() -> Terms:
    day = today()
    return Terms(
        receiver_name="南山区图书馆", receiver_code="12440305MB2D002184", purpose="核验少儿读者证办理资格",
        basis="law", law="《中华人民共和国公共图书馆法》第三十四条", services=["enrolled"],
        starts_on=day, ends_on=day + timedelta(days=180), quota=300,
    )  # fmt: skip


def load() -> int:
    """Load them once; how many grants were made."""
    with scoped_transaction(NATION):
        if DataGrant.objects.exists():
            return 0
        proposer, leader, above = _persona(PROPOSER), _persona(LEADER), _persona(ABOVE)
        at = Organization.objects.get(path=proposer.acting_path)
        scan = add_material(paper(77), kind="document", evidence_type=APPROVAL, actor=proposer)
        active = propose(_transport(), at=at, subtree=at, actor=proposer, materials=[scan])
        for person in (leader, above):
            decide(Case.objects.get(number=active.case_no), "approve", actor=person, ticked=[APPROVAL])
        propose(_library(), at=at, subtree=at, actor=proposer, materials=[])
        _expired(at, proposer, [leader, above])
        case = Case.objects.get(number=active.case_no)
    perform_owed(Outbox.objects.get(kind=COMPLETE_CASE, subject_id=case.pk).pk)
    with scoped_transaction(NATION):
        grant = DataGrant.objects.get(pk=active.pk)
        client, _secret = make_client(grant, name="公交卡系统", addresses=["203.0.113.7"], actor=leader)
        Delivery.objects.create(client=client, day=today(), service="enrolled", answers=214, records=214)
        Delivery.objects.create(client=client, day=today(), service="students", answers=3, records=300)
    return 3


def _expired(at: Organization, proposer: User, leaders: list[User]) -> None:
    """Last year's grant, as its rows stand today."""
    pk = next_ids("exchange_datagrant")[0]
    begun = today() - timedelta(days=400)
    DataGrant.objects.create(
        pk=pk, org_path=at.path, org_name=at.name, subtree=at.path, subtree_name=at.name,
        state=DataGrant.State.ACTIVE, receiver_name="南山区公共交通服务中心",
        receiver_code="12440305MB2D00138G", purpose="核验学生公交优惠资格（上一年度）", basis="law", law=_LAW,
        services=["enrolled"], starts_on=begun, ends_on=_year_after(begun), quota=2000,
        key=seal(secrets.token_bytes(32), "exchange_datagrant", pk, "key"),
        approvals=[
            {"name": one.name, "office": one.acting_office_name, "id": str(one.pk), "at": f"{begun}T09:00:00"}
            for one in leaders
        ],
        proposed_by=proposer.pk, proposed_by_name=proposer.name,
    )  # fmt: skip


def _year_after(day: date) -> date:
    return day + timedelta(days=364)
