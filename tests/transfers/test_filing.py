"""The one flow of every kind that asks: menu, look-up, form, check, filing; by page and by API alike."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import AccessEntry, Event
from config.clock import today
from registry.models import Student
from registry.status import SUSPENDED
from tests import make
from tests.transfers.filing import make_material
from transfers.filing_form import RESERVED
from transfers.kind import About
from transfers.kinds import KINDS
from transfers.models import Case

pytestmark = pytest.mark.usefixtures("nation")
ASKING = [kind for kind in KINDS.values() if kind.about != About.OTHER]
API = "/api/v1/cases/"
SIBLING = "CN.44.03.05.2144000007."  # a third school, which is none of a transfer's business


@pytest.fixture
def office() -> dict[str, Any]:
    school_class = make.make_class(grade="12")
    return {
        "class": school_class,
        "registrar": make.make_registrar(),
        "leader": make.make_leader(),
        "reviewer": make.make_reviewer(),
        "student": make.make_student(school_class),
    }


@pytest.fixture
def elsewhere() -> Student:
    """A second-grader of another province, with a G number."""
    birth = make.first_grader_birth() - timedelta(days=360)
    number = make.identity_number(birth)
    return make.make_student(
        make.make_class(make.FAR, grade="12"),
        birth_on=birth.isoformat(),
        id_number=number,
        number=f"G{number}",
    )


def aid(**changes: str) -> dict[str, str]:
    """The answers of a recognition of hardship for the rest of the school year."""
    return {
        "level": "1",
        "basis": "1",
        "from_on": today().isoformat(),
        "until": today().isoformat(),
        "note": "父亲重病，家中无收入",
    } | changes


def move(office: dict[str, Any], **changes: str) -> dict[str, str]:
    """The answers of a transfer whose pupil is under a sanction: the county may make an exception."""
    return {
        "class_id": str(office["class"].pk),
        "move_on": today().isoformat(),
        "reason": "99",
        "is_voluntary": "1",
        "under_sanction": "1",
        "recorded_later": "0",
        "statement": "随父母迁居",
    } | changes


def papers(office: dict[str, Any], *types: str) -> list[str]:
    return [str(make_material(office["registrar"], code).public_id) for code in types]


def send(client: Client, address: str, action: str, *, htmx: bool = False, **sent: Any) -> Any:
    headers = {"HX-Request": "true"} if htmx else {}
    return client.post(address, {"action": action, "key": uuid4().hex} | sent, headers=headers)


def file_address(student: Student, code: str = "aid") -> str:
    return reverse("transfers:file", args=[student.public_id, code])


def find(client: Client, pupil: Student, kind: str = "transfer", **changes: str) -> Any:
    sent = {"kind": kind, "name": pupil.name, "number": pupil.number} | changes
    return client.post(reverse("transfers:move_in"), sent)


def api(client: Client, body: Any, path: str = API) -> Any:
    headers = {"Idempotency-Key": uuid4().hex}
    return client.post(path, json.dumps(body), content_type="application/json", headers=headers)


def case_of(answer: Any) -> Case:
    assert answer.status_code == 302, answer.context["refusal"]
    return Case.objects.get(number=answer["Location"].rsplit("/", 1)[1])


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as found:
        assert client.get(address).status_code == 200
    return len(found)


# ── The menu ──────────────────────────────────────────────────────────────────────────────────────────────
def test_the_menu_says_what_can_begin_and_why_the_rest_cannot(client: Client, office: dict[str, Any]) -> None:
    address = reverse("transfers:kinds", args=[office["student"].public_id])

    def reasons() -> dict[str, str]:
        groups = client.get(address).context["groups"]
        return {offer.kind.code: offer.why_not for _group, found in groups for offer in found}

    client.force_login(office["registrar"])
    free = reasons()
    own = {k.code for k in KINDS.values() if k.about == About.OWN_PUPIL and k.right == "file_case"}
    assert set(free) == own | {"identity_change"}
    assert free["aid"] == free["class_change"] == ""
    assert "在籍在校" in free["resumption"] or "适用于" in free["resumption"]
    assert "普通高中" in free["withdrawal"] or "义务教育" in free["withdrawal"]
    few = queries(client, address)
    make.make_class()
    office["student"].enrolments.update(status=SUSPENDED)
    assert reasons()["class_change"]
    assert queries(client, address) <= few
    office["student"].enrolments.update(status="01")
    case = case_of(
        send(client, file_address(office["student"]), "file", **aid(), document=papers(office, "31"))
    )
    locked = reasons()
    assert all(case.number in why for code, why in locked.items() if KINDS[code].locks_student)
    client.force_login(office["reviewer"])  # the authority's own procedures, and no school's
    assert set(reasons()) == {k.code for k in ASKING if k.right == "decide_case"}


@pytest.mark.parametrize("kind", ASKING, ids=[kind.code for kind in ASKING])
def test_every_kind_says_what_it_is_and_shows_its_form(
    client: Client, office: dict[str, Any], elsewhere: Student, kind: Any
) -> None:
    assert kind.group
    assert kind.summary
    assert not RESERVED & {ask.key for ask in kind.asks}
    assert not {"name", "number"} & {ask.key for ask in kind.asks}
    client.force_login(office["reviewer" if kind.right == "decide_case" else "registrar"])
    if kind.about == About.OWN_PUPIL:
        address, token = file_address(office["student"], kind.code), ""
        assert client.get(address).status_code == 200
    else:
        elsewhere.enrolments.update(status=kind.statuses[0])
        token = find(client, elsewhere, kind.code).context["draft"].token
        address = reverse("transfers:file_elsewhere", args=[kind.code])
    assert (
        client.get(reverse("transfers:file", args=[office["student"].public_id, "no_such"])).status_code
        == 404
    )
    again = send(client, address, "continue", htmx=True, token=token)
    assert 'id="asks"' in again.text
    assert "<html" not in again.text
    # While the questions stay the same they are not sent anew: nobody loses what she is typing.
    same = send(
        client, address, "continue", htmx=True, token=token, shown=again.context["draft"].applying_keys
    )
    assert (same["HX-Reswap"], 'id="asks"' in same.text) == ("none", False)
    assert send(client, address, "check", token=token, no_such="1").status_code == 400
    nothing = send(client, address, "check", token=token)
    must = {ask.key for ask in kind.asks if ask.is_required and not ask.only_if}
    assert nothing.status_code == (422 if must else nothing.status_code)
    assert must <= set(nothing.context["errors"] if must else ())


# ── A pupil of the own school ─────────────────────────────────────────────────────────────────────────────
def test_page_and_api_file_the_same_case(client: Client, office: dict[str, Any]) -> None:
    client.force_login(office["registrar"])
    address, student = file_address(office["student"]), office["student"]
    sent = aid() | {"document": papers(office, "31")}
    shown = send(client, address, "check", **sent)
    preview = shown.context["preview"]
    assert shown.status_code == 200
    assert preview.is_ready
    assert ("认定等级", "特别困难") in [(str(label), text) for label, text in preview.said]
    assert [step.office_path for step in preview.route] == [make.SCHOOL, make.COUNTY]
    assert not Case.objects.exists()
    by_page = case_of(send(client, address, "file", **sent))
    other = make.make_student(office["class"])
    body = {
        "kind": "aid",
        "student": str(other.public_id),
        "values": aid(),
        "materials": papers(office, "31"),
    }
    tried = api(client, body, f"{API}preview/")
    assert tried.status_code == 200
    assert tried.json()["is_ready"]
    filed = api(client, body)
    assert filed.status_code == 201, filed.json()
    by_api = Case.objects.get(number=filed.json()["number"])
    same = ("kind", "from_path", "to_path", "payload", "state", "lane")
    assert [getattr(by_page, key) for key in same] == [getattr(by_api, key) for key in same]
    assert by_page.open_card()["asked_note"] == by_api.open_card()["asked_note"] == "父亲重病，家中无收入"
    assert "父亲重病" not in json.dumps(by_page.payload, ensure_ascii=False)
    steps = [
        list(case.steps.order_by("ordinal").values_list("office_path", "label")) for case in (by_page, by_api)
    ]
    assert steps[0] == steps[1]
    said = {"question": "认定等级", "answer": "特别困难"}
    assert said in filed.json()["answers"]
    text = client.get(reverse("transfers:case", args=[by_page.number])).text
    assert "父亲重病，家中无收入" in text
    assert AccessEntry.objects.filter(route="transfers:file", subject_id=student.pk, outcome="read").exists()


@pytest.mark.rule("AP-4")
def test_a_form_sent_twice_files_once(client: Client, office: dict[str, Any]) -> None:
    client.force_login(office["registrar"])
    sent = aid() | {"document": papers(office, "31"), "key": uuid4().hex}
    first, again = (send(client, file_address(office["student"]), "file", **sent) for _n in range(2))
    assert first["Location"] == again["Location"]
    assert Case.objects.count() == 1


@pytest.mark.rule("AZ-5")
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(client: Client, office: dict[str, Any]) -> None:
    client.force_login(office["registrar"])
    paper = papers(office, "31")
    for action in ("check", "file"):
        answer = send(
            client, file_address(office["student"]), action, **aid(level="", until="昨天"), document=paper
        )
        assert answer.status_code == 422
        assert set(answer.context["errors"]) == {"level", "until"}
        assert 'value="昨天"' in answer.text
        assert "父亲重病，家中无收入" in answer.text
        assert paper[0] in answer.text
    bare = send(client, file_address(office["student"]), "check", **aid())
    assert bare.context["preview"].missing == ["困难认定申请表或佐证材料"]
    assert 'value="file"' not in bare.text
    unmet = send(client, file_address(office["student"]), "file", **aid(until="2099-01-01"), document=paper)
    assert unmet.status_code == 409  # a condition: the check page again, with everything
    assert unmet.context["preview"].unmet == 1
    student = str(office["student"].public_id)
    body = {"kind": "aid", "student": student, "values": aid(level=""), "materials": paper}
    wrong = api(client, body)
    assert (wrong.status_code, set(wrong.json()["fields"])) == (422, {"level"})
    assert api(client, body | {"values": aid(no_such="1")}).status_code == 400
    assert api(client, body | {"values": aid(statement="1")}).status_code == 400  # another kind's question
    assert api(client, body | {"class_id": 1}).json()["fields"].keys() == {"class_id"}
    assert api(client, body | {"kind": "transfer"}).json()["fields"].keys() == {"student", "pupil"}
    assert not Case.objects.exists()


@pytest.mark.rule("R-TRF-05")
def test_a_returned_case_shows_its_answers_and_goes_round_again(
    client: Client, office: dict[str, Any]
) -> None:
    client.force_login(office["registrar"])
    case = case_of(
        send(client, file_address(office["student"]), "file", **aid(), document=papers(office, "31"))
    )
    client.force_login(office["leader"])
    client.post(reverse("transfers:decide", args=[case.number]), {"decision": "return", "text": "等级写错了"})
    client.force_login(office["registrar"])
    address = reverse("transfers:correct", args=[case.number])
    assert client.get(address).context["draft"].given == aid()
    wrong = send(client, address, "file", **aid(level="", note="母亲重病"))
    assert wrong.status_code == 422
    assert "母亲重病" in wrong.text
    assert case_of(send(client, address, "file", **aid(level="2", note="母亲重病"))).pk == case.pk
    case.refresh_from_db()
    assert (case.state, case.payload["asked"]["level"]) == ("waiting", "2")
    text = client.get(reverse("transfers:case", args=[case.number])).text
    assert "一般困难" in text
    assert "母亲重病" in text


@pytest.mark.rule("AZ-1", "AZ-2")
def test_a_form_asks_as_much_with_one_class_as_with_many(client: Client, office: dict[str, Any]) -> None:
    client.force_login(office["registrar"])
    address = file_address(office["student"], "class_change")
    case = case_of(
        send(client, file_address(office["student"]), "file", **aid(), document=papers(office, "31"))
    )
    page = reverse("transfers:case", args=[case.number])
    before = [queries(client, one) for one in (address, page)]
    for number in range(8):
        make.make_class(grade="12", name=f"二({number + 2})班")
    assert [queries(client, one) for one in (address, page)] == before
    assert max(before) < 50
    client.force_login(make.make_registrar(make.SISTER))
    assert client.get(address).status_code == client.get(page).status_code == 404


# ── A pupil elsewhere ─────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-TRF-01", "R-TRF-08", "G-19")
def test_a_transfer_is_found_filed_and_its_exception_granted(
    client: Client, office: dict[str, Any], elsewhere: Student
) -> None:
    client.force_login(office["registrar"])
    assert client.get(reverse("transfers:move_in")).status_code == 200
    wrong = find(client, elsewhere, name="别人")
    assert (wrong.status_code, 'value="别人"' in wrong.text) == (409, True)
    shown = find(client, elsewhere)
    assert shown.status_code == 200
    school = make.make_office(make.FAR).name
    assert elsewhere.name not in shown.text
    assert school not in shown.text
    token, address = shown.context["draft"].token, reverse("transfers:file_elsewhere", args=["transfer"])
    stranger = make.make_registrar(make.SISTER)
    client.force_login(stranger)  # the token is hers who looked
    assert send(client, address, "check", token=token, **move(office)).status_code == 409
    client.force_login(office["registrar"])
    sent = move(office) | {"token": token, "document": papers(office, "99", "22")}
    checked = send(client, address, "check", **sent)
    preview = checked.context["preview"]
    exempt = [check.requirement.code for check in preview.checks if check.may_exempt]
    assert "sanction" in exempt
    assert preview.is_ready, [(check.requirement.code, check.why) for check in preview.checks if check.stops]
    assert school not in checked.text
    refused = send(client, address, "file", **sent)
    assert (refused.status_code, 'name="exempt"' in refused.text) == (409, True)
    unsaid = send(client, address, "file", **sent, exempt=exempt)
    assert unsaid.status_code == 422
    why = "处分即将解除，家庭已迁居"
    case = case_of(send(client, address, "file", **sent, exempt=exempt, exempt_reason=why))
    assert (case.from_path, case.to_path) == (make.FAR, make.SCHOOL)
    assert why not in json.dumps(case.payload, ensure_ascii=False)
    decide = reverse("transfers:decide", args=[case.number])
    client.force_login(office["leader"])
    assert client.post(decide, {"decision": "approve", "ticked": ["99", "22"]}).status_code == 302
    client.force_login(office["reviewer"])
    page = client.get(reverse("transfers:case", args=[case.number]))
    assert why in page.text
    asked = [requirement.code for requirement, _why in page.context["file"].exceptions]
    assert "sanction" in asked
    choice = client.post(reverse("transfers:approve"), {"case": [case.number]}).context["choice"]
    assert ([one.number for one in choice.apart], choice.like) == ([case.number], [])
    yes = {"decision": "approve", "ticked": ["99", "22"], "text": "情况属实，同意"}
    assert client.post(decide, yes).status_code == 422
    assert client.post(decide, yes | {"granted": asked, "text": ""}).status_code == 422
    assert client.post(decide, yes | {"granted": asked}).status_code == 302
    assert Event.objects.filter(action="transfers.case.exempt", subject_id=case.pk).count() == 1


@pytest.mark.rule("R-TRF-16", "RD-3", "AZ-2")
def test_both_sides_see_checks_and_papers_and_nobody_else(
    client: Client, office: dict[str, Any], elsewhere: Student
) -> None:
    client.force_login(office["registrar"])
    body = {
        "kind": "guest",
        "pupil": {"name": elsewhere.name, "number": elsewhere.number},
        "values": {
            "class_id": str(office["class"].pk),
            "begins_on": today().isoformat(),
            "statement": "随亲",
        },
        "materials": papers(office, "01", "08"),
    }
    filed = api(client, body)
    assert filed.status_code == 201, filed.json()
    case = Case.objects.get(number=filed.json()["number"])
    assert filed.json()["proposed"]
    material = case.evidence.select_related("material")[0].material
    paper = reverse("transfers:case_paper", args=[case.number, material.public_id])
    page = reverse("transfers:case", args=[case.number])
    for path in (make.SCHOOL, make.FAR):
        client.force_login(make.make_leader(path))
        shown = client.get(page)
        assert paper in shown.text
        assert len(shown.context["file"].checks) == len(KINDS["guest"].requirements)
        assert client.get(paper)["Content-Type"] == "image/jpeg"
    reads = AccessEntry.objects.filter(route="transfers:case_paper", subject_id=elsewhere.pk)
    assert reads.count() == 2
    for path in (make.NEIGHBOUR, SIBLING):
        client.force_login(make.make_leader(path))
        assert client.get(page).status_code == client.get(paper).status_code == 404
    client.force_login(office["registrar"])
    loose = papers(office, "99")[0]  # of the school, but not of this case
    assert client.get(reverse("transfers:case_paper", args=[case.number, loose])).status_code == 404


def test_the_api_says_what_each_kind_asks(client: Client, office: dict[str, Any]) -> None:
    client.force_login(office["registrar"])
    bare = {row["code"]: row for row in client.get("/api/v1/kinds/").json()["results"]}
    assert set(bare) == {kind.code for kind in ASKING if kind.right == "file_case"}
    assert bare["aid"]["subject"] == "student"
    assert not any(ask["options"] for ask in bare["aid"]["asks"])
    classes = next(ask for ask in bare["transfer"]["asks"] if ask["key"] == "class_id")
    assert str(office["class"].pk) in [option["code"] for option in classes["options"]]
    answer = client.get("/api/v1/kinds/", {"student": str(office["student"].public_id)})
    known = {row["code"]: row for row in answer.json()["results"]}
    assert {"code": "1", "name": "特别困难"} in known["aid"]["asks"][0]["options"]
    foreign = make.make_student(make.make_class(make.SISTER))
    assert client.get("/api/v1/kinds/", {"student": str(foreign.public_id)}).status_code == 404
