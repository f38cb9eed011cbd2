"""对外提供 from the proposal to the last answer: who approves, what leaves, what stops it."""

import base64
import json
import time
from datetime import date, timedelta
from typing import Any

import pytest
from allauth.idp.oidc.models import Token
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import Post, User
from audit.models import AccessEntry, Event
from audit.models_warnings import EarlyWarning
from config.clock import today
from exchange import limits
from exchange.clients import make_client, stop_client
from exchange.given import COARSE, GIVABLE, KEYS, given
from exchange.grants import note_receiver_changed, propose, stop
from exchange.models import DataGrant, Delivery, GrantClient
from exchange.refusals import AlreadyProposed, TermsRefused
from exchange.tasks import watch_grants
from registry.models import Protection, Student
from tests import make
from tests.exchange.building import DOCUMENT, FIELDS, bare_client, bearer, in_force, proposed, staff, terms
from tests.transfers.filing import finish, make_material
from transfers.models import Case
from transfers.refusals import SecondSignature
from transfers.services import decide

pytestmark = pytest.mark.usefixtures("nation")
API = "/api/v1/provided"
TYPED = ("receiver_name", "receiver_code", "purpose", "basis", "law")


@pytest.fixture
def people() -> dict[str, User]:
    return staff()


# ── The proposal and its approvals ────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-EXT-01", "R-EXT-02", "EX-2", "GRANT_MONTHS", "GRANT_RECORDS_A_DAY")
@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"basis": ""}, "basis"),
        ({"law": ""}, "law"),
        ({**DOCUMENT, "document_no": ""}, "document_no"),
        ({**DOCUMENT, "document_level": "school"}, "document_level"),
        ({**DOCUMENT, "document_on": today() + timedelta(days=1)}, "document_on"),
        ({"receiver_code": "12440300MB2D0013X0"}, "receiver_code"),
        ({"fields": [*FIELDS, "name"]}, "fields"),  # a name has no de-identified form
        ({"fields": [*FIELDS, "name"], "clear": ["name"]}, "fields"),  # clear, but no document lists it
        ({"fields": [*FIELDS, "photo"], **DOCUMENT, "clear": ["photo"]}, "fields"),
        ({"services": []}, "services"),
        ({"services": ["enrolled"]}, "fields"),
        ({"ends_on": date(today().year + 2, 1, 1)}, "ends_on"),
        ({"starts_on": today() - timedelta(days=1)}, "starts_on"),
        ({"quota": 200_001}, "quota"),
    ],
)
def test_a_proposal_rests_on_a_law_or_a_government_and_has_bounds(
    people: dict[str, User], changes: dict[str, Any], place: str
) -> None:
    at = make.make_office(make.COUNTY)
    with pytest.raises(TermsRefused) as refused:
        propose(terms(**changes), at=at, subtree=at, actor=people["reviewer"], materials=[])
    assert place in {finding.field for finding in refused.value.findings}
    assert not DataGrant.objects.exists()
    far = make.make_office(make.NEIGHBOUR_COUNTY)
    with pytest.raises(TermsRefused) as refused:
        propose(terms(), at=at, subtree=far, actor=people["reviewer"], materials=[])
    assert [finding.field for finding in refused.value.findings] == ["office"]


@pytest.mark.rule("EX-2", "R-EXT-01", "R-EXT-03", "AC-7")
def test_two_leaders_approve_after_a_step_up_and_their_names_stay(
    people: dict[str, User], client: Client
) -> None:
    grant = proposed(people, fields=[*FIELDS, "name"], clear=["name"], **DOCUMENT)
    with pytest.raises(AlreadyProposed):
        proposed(people, purpose=grant.purpose)
    number = grant.case_no
    address = reverse("transfers:decide", args=[number])
    yes = {"decision": "approve", "ticked": "27"}
    twice = User.objects.get(pk=people["reviewer"].pk)
    twice.acting_post = make.add_post(twice, "bureau_leader", make.COUNTY)
    with pytest.raises(SecondSignature):
        decide(Case.objects.get(number=number), "approve", actor=twice, ticked=["27"])
    Post.objects.filter(pk=twice.acting_post.pk).delete()
    for who in ("leader", "above"):
        client.force_login(people[who])
        shown = client.get(reverse("transfers:case", args=[number])).content.decode()
        assert all(words in shown for words in (grant.receiver_name, grant.document_no, "姓名", "只到年月"))
        assert client.post(address, yes).status_code == 403  # no second factor within five minutes
        session = client.session
        session["factor_at"] = time.time()
        session.save()
        assert client.post(reverse("transfers:approve"), {"case": number, "looked": "1"}).status_code == 403
        assert not DataGrant.objects.get(pk=grant.pk).is_live
        assert client.post(address, yes).status_code == 302
    finish(Case.objects.get(number=number))
    grant = DataGrant.objects.get(pk=grant.pk)
    assert grant.is_live
    names = [people["leader"].name, people["above"].name]
    assert [one["name"] for one in grant.approvals] == names
    assert Event.objects.get(action="exchange.grant.begin").detail["approvers"] == "、".join(names)
    change: dict[str, Any]
    for change in ({"approvals": []}, {"fields": ["name"]}, {"ends_on": date(2030, 1, 1)}):
        with pytest.raises(DatabaseError), transaction.atomic():
            DataGrant.objects.filter(pk=grant.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        DataGrant.objects.filter(pk=grant.pk).delete()


@pytest.mark.rule("EX-2")
def test_one_refusal_ends_the_proposal(people: dict[str, User]) -> None:
    grant = proposed(people)
    case = Case.objects.get(number=grant.case_no)
    decide(case, "refuse", actor=people["leader"], reason="依据不足，请补充")
    assert DataGrant.objects.get(pk=grant.pk).state == "refused"


@pytest.mark.rule("EX-2")
def test_a_returned_proposal_is_approved_again_by_both(people: dict[str, User], client: Client) -> None:
    grant = proposed(people, **DOCUMENT)
    number = grant.case_no
    decide(Case.objects.get(number=number), "approve", actor=people["leader"], ticked=["27"])
    decide(Case.objects.get(number=number), "return", actor=people["above"], reason="扫描件不清晰，请补")
    client.force_login(people["reviewer"])
    again = reverse("transfers:correct", args=[number])
    assert "批复文件" in client.get(again).content.decode()
    scan = make_material(people["reviewer"], "27")
    assert client.post(again, {"document": str(scan.public_id)}).status_code == 302
    for who in ("leader", "above"):
        decide(Case.objects.get(number=number), "approve", actor=people[who], ticked=["27"])
    finish(Case.objects.get(number=number))
    assert len(DataGrant.objects.get(pk=grant.pk).approvals) == 2


# ── What leaves ───────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("EX-3", "R-EXT-02", "R-EXT-06")
def test_no_field_leaves_in_clear_unless_the_grant_lists_it() -> None:
    values = {key: "440305198001011234张三" for key in KEYS}
    assert given(values, sorted(KEYS), ()).keys() == COARSE
    sealed = {one.key for one in GIVABLE if one.sealed}
    assert not COARSE & {*sealed, "name", "id_number", "status_number", "talent", "native_place", "photo"}
    assert given(values | {"birth_on": "2016-03-15"}, ["birth_on"], ()) == {"birth_on": "2016-03"}
    assert given(values | {"birthplace": "440305000000"}, ["birthplace"], ()) == {"birthplace": "440305"}
    assert given(values, ["name"], ["name"]) == {"name": values["name"]}


class World:
    """Two pupils in the county and one next door; a grant over the county with a client."""

    def __init__(self) -> None:
        self.people = staff()
        here = make.make_class()
        self.pupils = [make.make_student(here) for _n in range(2)]
        self.stranger = make.make_student(make.make_class(make.NEIGHBOUR))
        self.grant = in_force()
        self.client = bare_client(self.grant)
        self.header = bearer(self.client)


@pytest.fixture
def world() -> World:
    return World()


def entries(world: World) -> Any:
    return AccessEntry.objects.filter(office_name=world.grant.receiver_name)


@pytest.mark.rule("G-13", "EX-3", "AP-3", "R-EXT-03", "R-EXT-04", "RD-3", "AZ-10")
def test_an_answer_is_the_grants_fields_of_the_grants_subtree_and_leaves_its_trace(
    world: World, client: Client
) -> None:
    answer = client.get(f"{API}/students/", headers=world.header)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    rows = answer.json()["results"]
    assert len(rows) == 2  # nobody from next door
    for row in rows:
        assert row.keys() == {"id", *FIELDS}
        assert (len(row["birth_on"]), len(row["hukou_division"])) == (7, 6)
    known = {str(p.public_id) for p in world.pupils} | {str(p.pk) for p in world.pupils}
    assert not known & {row["id"] for row in rows}
    told = entries(world).get(outcome="list")
    assert sorted(told.subject_ids) == sorted(pupil.pk for pupil in world.pupils)
    assert (told.purpose, sorted(told.fields)) == (world.grant.purpose, sorted(FIELDS))
    # Outside the grant: absent, and traced (G-13).
    narrower = client.get(f"{API}/students/?fields=grade,name,phone", headers=world.header)
    assert all(row.keys() == {"id", "grade"} for row in narrower.json()["results"])
    trace = entries(world).get(code="field_outside_grant")
    assert sorted(trace.fields) == ["name", "phone"]
    assert client.get(f"{API}/students/?fields=nonsense", headers=world.header).status_code == 400
    day = Delivery.objects.get(client=world.client, service="students")
    assert (day.answers, day.records) == (2, 4)
    # A protected pupil is not there (AZ-10).
    Protection.objects.create(
        org_path=make.SCHOOL, student=world.pupils[0], state="in_force", reason="法院保护令",
        until=today(), proposed_by=world.people["leader"], proposed_by_name="领导",
    )  # fmt: skip
    assert len(client.get(f"{API}/students/", headers=world.header).json()["results"]) == 1
    # Another grant of the same receiver: other pseudonyms, so that the two cannot be joined.
    other = in_force(services=["students"])
    header = bearer(bare_client(other))
    assert {r["id"] for r in rows} == {r["id"] for r in narrower.json()["results"]}
    joined = {r["id"] for r in client.get(f"{API}/students/", headers=header).json()["results"]}
    assert not joined & {r["id"] for r in rows}
    refused = client.get(f"{API}/classes/", headers=header)
    assert (refused.status_code, refused.json()["code"]) == (403, "service_not_granted")


@pytest.mark.rule("AP-3", "AZ-1")
def test_pages_follow_one_another_and_a_cursor_serves_its_own_grant_only(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchange.provide.PAGE", 1)
    first = client.get(f"{API}/students/", headers=world.header).json()
    last = client.get(first["next"], headers=world.header).json()
    assert last["next"] is None
    assert len({row["id"] for row in first["results"] + last["results"]}) == 2
    other = bearer(bare_client(in_force()))
    assert client.get(first["next"], headers=other).status_code == 404
    classes = client.get(f"{API}/classes/", headers=world.header).json()["results"]
    assert [(row["pupils"], row["school_code"]) for row in classes] == [(2, "2144000001")]
    assert "head_teacher" not in classes[0]


@pytest.mark.rule("R-EXT-05", "AP-3", "EX-3")
def test_the_signed_answer_says_yes_or_no_and_can_be_checked_without_asking_again(
    world: World, client: Client
) -> None:
    pupil = make.valid_values()
    student: Student = make.make_student(make.make_class(), **pupil)

    def ask(header: dict[str, str], **changes: str) -> dict[str, Any]:
        body = {"name": student.name, "id_type": "1", "id_number": pupil["id_number"]} | changes
        answer = client.post(f"{API}/enrolled/", body, "application/json", headers=header)
        assert answer.status_code == 200, answer.content
        head, claims, signature = answer.json()["answer"].split(".")
        (key,) = client.get(reverse("exchange:keys")).json()["keys"]
        public = Ed25519PublicKey.from_public_bytes(_raw(key["x"]))
        public.verify(_raw(signature), f"{head}.{claims}".encode())
        assert json.loads(_raw(head))["kid"] == key["kid"]
        found: dict[str, Any] = json.loads(_raw(claims))
        assert found["exp"] - found["iat"] == 24 * 3600
        return found

    yes = ask(world.header)
    assert yes.keys() == {"iss", "aud", "sub", "enrolled", "on", "iat", "exp", "jti"}
    assert (yes["enrolled"], yes["aud"]) == (True, world.grant.receiver_code)
    no = ask(world.header, name="另一个人")
    assert (no["enrolled"], no["sub"] == yes["sub"]) == (False, False)
    assert ask(world.header, id_number=make.identity_number(date(2016, 3, 1)))["enrolled"] is False
    other = bearer(bare_client(in_force()))
    assert ask(other)["sub"] != yes["sub"]
    beside = in_force(make.SISTER, services=["enrolled"], fields=[])
    assert ask(bearer(bare_client(beside)))["enrolled"] is False  # not in that part of the tree
    logged = "".join(
        str(row) for row in AccessEntry.objects.values_list("route", "purpose", "fields", "code")
    )
    assert pupil["id_number"] not in logged
    assert entries(world).filter(route="provided:enrolled", outcome="list").exists()
    assert entries(world).filter(route="provided:enrolled", outcome="look_up", code="none").exists()
    assert client.get(f"{API}/enrolled/", headers=world.header).status_code == 405


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# ── What stops it ─────────────────────────────────────────────────────────────────────────────────────────
def asked(client: Client, header: dict[str, str]) -> tuple[int, str]:
    answer = client.get(f"{API}/students/", headers=header)
    return answer.status_code, answer.json().get("code", "")


@pytest.mark.rule("G-13", "R-EXT-03", "EX-2", "AP-2")
def test_a_grant_that_ended_gives_nothing_more_from_that_moment(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked(client, world.header) == (200, "")
    with monkeypatch.context() as later:
        after = world.grant.ends_on + timedelta(days=1)
        later.setattr("exchange.models.today", lambda: after)
        answer = client.get(f"{API}/students/", headers=world.header)
        assert (answer.status_code, answer.json()["code"]) == (403, "grant_expired")
        assert "到期" in answer.json()["detail"]
        assert entries(world).filter(outcome="refused", code="grant_expired").exists()
    assert asked(client, world.header) == (200, "")
    stop_client(world.client, actor=world.people["leader"])
    assert not Token.objects.filter(client_id=world.client.oauth_id).exists()
    assert asked(client, world.header) == (401, "token_unknown")
    assert asked(client, bearer(world.client)) == (403, "client_stopped")
    again = bare_client(world.grant)
    header = bearer(again)
    # The receiver has another name: all its grants wait for a new approval.
    assert note_receiver_changed(
        world.grant, name="深圳市出行服务中心", actor=world.people["reviewer"], reason="机构更名，职责未变"
    ) == 1  # fmt: skip
    assert asked(client, header)[0] == 401
    assert asked(client, bearer(again)) == (403, "grant_stopped")
    stop(world.grant, actor=world.people["leader"], reason="用途已经终止")
    assert asked(client, bearer(again)) == (403, "grant_stopped")
    assert client.get(f"{API}/students/").status_code == 401
    session = Client()
    session.force_login(world.people["leader"])  # a session of staff opens nothing here
    assert session.get(f"{API}/students/").status_code == 401


@pytest.mark.rule("AP-2", "AP-6", "CLIENT_CALLS_PER_MINUTE", "R-EXT-03")
def test_addresses_pace_and_quota_hold_and_without_counters_nothing_leaves(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = client.get(f"{API}/students/", headers=world.header, REMOTE_ADDR="10.1.1.1")
    assert (away.status_code, away.json()["code"]) == (403, "address_not_allowed")
    small = in_force(quota=3)
    header = bearer(bare_client(small))
    assert len(client.get(f"{API}/students/", headers=header).json()["results"]) == 2
    rest = client.get(f"{API}/students/", headers=header).json()
    assert len(rest["results"]) == 1  # what is left of the day
    over = client.get(rest["next"], headers=header)
    assert (over.status_code, over.json()["code"]) == (429, "quota_spent")
    assert 0 < int(over["Retry-After"]) <= 86401
    make.make_rule("CLIENT_CALLS_PER_MINUTE", 1, make.PROVINCE)
    fresh = bearer(bare_client(world.grant))
    paces = [client.get(f"{API}/classes/", headers=fresh) for _n in range(3)]
    assert paces[0].status_code == 200
    assert {answer.status_code for answer in paces[1:]} <= {200, 429}
    too_fast = next(answer for answer in paces if answer.status_code == 429)
    assert 0 < int(too_fast["Retry-After"]) <= 60
    monkeypatch.setattr(limits, "_store", lambda: limits.Redis.from_url("redis://127.0.0.1:1/0"))
    gone = client.get(f"{API}/students/", headers=world.header)
    assert (gone.status_code, gone.json()["code"]) == (503, "limits_unavailable")


@pytest.mark.rule("W14", "W14_DAYS", "EX-2")
def test_a_grant_that_ends_soon_and_a_client_that_asks_too_much_are_warned_of(
    world: World, client: Client
) -> None:
    for days in (31, 30, 29):
        in_force(ends_on=today() + timedelta(days=days))
    assert watch_grants() == watch_grants() == 2
    keys = EarlyWarning.objects.filter(rule="W14", org_path=make.COUNTY).values_list("key", flat=True)
    assert sum(key.startswith("ends ") for key in keys) == 2
    client.get(f"{API}/students/?fields=grade,sex", headers=world.header)
    assert not [key for key in keys.all() if key.startswith("fields ")]
    client.get(f"{API}/students/?fields=grade,phone", headers=world.header)
    header = bearer(bare_client(in_force(quota=1)))
    assert client.get(f"{API}/students/", headers=header).status_code == 200
    assert not [key for key in keys.all() if key.startswith("quota ")]
    assert client.get(f"{API}/students/", headers=header).status_code == 429
    note_receiver_changed(world.grant, name="", actor=world.people["leader"], reason="业务范围已经变更")
    assert {key.split()[0] for key in keys.all()} == {"ends", "fields", "quota", "receiver"}


# ── Pages ─────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("EX-2", "AC-7", "AP-2")
def test_the_pages_propose_show_the_secret_once_and_stop(people: dict[str, User], client: Client) -> None:
    client.force_login(people["reviewer"])
    form = {
        **{name: getattr(terms(), name) for name in TYPED},
        "services": ["students"], "fields": FIELDS, "starts_on": str(today()),
        "ends_on": str(today() + timedelta(days=30)), "quota": "500", "office": make.SCHOOL.split(".")[-2],
    }  # fmt: skip
    address = reverse("exchange:propose")
    assert client.get(address).status_code == 200
    seen = client.post(address, form | {"action": "preview"}).content.decode()
    assert "2016-03" in seen
    assert "2016-03-15" not in seen
    assert client.post(address, form | {"action": "file", "law": ""}).status_code == 422
    assert client.post(address, form | {"action": "file", "state": "active"}).status_code == 400
    made = client.post(address, form | {"action": "file"})
    assert made.status_code == 302
    grant = DataGrant.objects.get(receiver_code=form["receiver_code"])
    for who in ("leader", "above"):
        decide(Case.objects.get(number=grant.case_no), "approve", actor=people[who])
    finish(Case.objects.get(number=grant.case_no))
    page = reverse("exchange:grant", args=[grant.public_id])
    asked_for = reverse("exchange:new_client", args=[grant.public_id])
    sent = {"name": "校车系统", "addresses": "203.0.113.7\n203.0.113.16/28"}
    assert client.post(asked_for, sent).status_code == 403  # AC-7
    session = client.session
    session["factor_at"] = time.time()
    session.save()
    assert client.post(asked_for, sent | {"addresses": "0.0.0.0/0"}).status_code == 422
    shown = client.post(asked_for, sent)
    secret = shown.context["secret"]
    assert secret in shown.content.decode()
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32
    assert secret not in client.get(page).content.decode()
    kept = GrantClient.objects.get(grant=grant)
    assert secret not in kept.oauth.secret
    assert kept.oauth.check_secret(secret)
    assert not kept.oauth.check_secret(kept.oauth.secret)  # the hash does not work as the secret
    assert client.post(reverse("exchange:end_client", args=[grant.public_id, kept.pk])).status_code == 302
    stop_it = reverse("exchange:stop", args=[grant.public_id])
    assert client.post(stop_it, {"reason": "停"}).status_code == 422
    assert client.post(stop_it, {"reason": "接收方不再需要"}).status_code == 302
    assert client.post(stop_it, {"reason": "接收方不再需要"}).status_code == 409
    assert "已停止" in client.get(page).content.decode()
    with pytest.raises(Exception, match="已停止"):
        make_client(grant, name="再来", addresses=["203.0.113.7"], actor=people["leader"])
    client.force_login(make.make_reviewer(make.NEIGHBOUR_COUNTY))
    assert client.get(page).status_code == 404
    assert grant.receiver_name not in client.get(reverse("exchange:grants")).content.decode()
