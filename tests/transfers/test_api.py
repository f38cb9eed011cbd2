"""Cases over the API: the same services, one error form, one answer per key."""

import json
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
from registry.services.allowances import school_year
from tests import make
from tests.transfers.filing import file_pupil, make_material
from transfers.models import Case

pytestmark = pytest.mark.usefixtures("nation")
CASES = "/api/v1/cases/"


@pytest.fixture
def office() -> dict[str, Any]:
    return {
        "class": make.make_class(),
        "registrar": make.make_registrar(),
        "leader": make.make_leader(),
        "reviewer": make.make_reviewer(),
    }


def post(client: Client, address: str, body: Any, key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(address, json.dumps(body), content_type="application/json", headers=headers)


def registration(office: dict[str, Any], **values: str) -> dict[str, Any]:
    return {
        "kind": "registration",
        "class_id": office["class"].pk,
        "values": make.valid_values(**values),
        "materials": [str(make_material(office["registrar"]).public_id)],
    }


def act(case: Case, name: str) -> str:
    return f"{CASES}{case.number}/{name}/"


@pytest.mark.rule("AP-4")
def test_filing_needs_a_key_and_answers_once(client: Client, office: dict[str, Any]) -> None:
    client.force_login(office["registrar"])
    body, key = registration(office), uuid4().hex
    missing = post(client, CASES, body)
    assert missing.status_code == 400
    assert missing.json()["code"] == "idempotency_key_missing"
    first = post(client, CASES, body, key)
    assert first.status_code == 201
    number = first.json()["number"]
    assert first["Location"] == f"{CASES}{number}/"
    again = post(client, CASES, body, key)
    assert (again.status_code, again.json()["number"]) == (201, number)
    other = post(client, CASES, registration(office), key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Case.objects.filter(filed_by=office["registrar"]).count() == 1


def test_faults_come_by_field_with_their_rule(client: Client, office: dict[str, Any]) -> None:
    client.force_login(office["registrar"])
    answer = post(client, CASES, registration(office, phone="12", name="王小明"), uuid4().hex)
    assert answer.status_code == 422
    body = answer.json()
    assert body["code"] == "record_refused"
    assert {"code", "message", "rule", "article", "remedy", "level"} == set(body["fields"]["phone"][0])
    assert not Student.objects.filter(name="王小明").exists()
    assert AccessEntry.objects.filter(actor_id=office["registrar"].pk, outcome="refused").count() == 1


@pytest.mark.rule("AZ-5")
@pytest.mark.parametrize(
    "change",
    [
        {"state": "done"},
        {"values": {"org_path": "CN."}},
        {"kind": "transfer"},
        {"class_id": 0},
        {"materials": ["x"]},
    ],
)
def test_what_the_api_does_not_know_is_refused(
    client: Client, office: dict[str, Any], change: dict[str, Any]
) -> None:
    client.force_login(office["registrar"])
    answer = post(client, CASES, registration(office) | change, uuid4().hex)
    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "detail", "rule", "fields", "reference"}
    assert not Case.objects.filter(filed_by=office["registrar"]).exists()


def test_a_key_of_a_refused_request_is_free_again(client: Client, office: dict[str, Any]) -> None:
    client.force_login(office["registrar"])
    key = uuid4().hex
    assert post(client, CASES, registration(office, phone="12"), key).status_code == 422
    assert post(client, CASES, registration(office), key).status_code == 201


@pytest.mark.rule("AZ-1", "AZ-2", "RD-1", "RD-3")
def test_reading_obeys_scope_and_masks(client: Client, office: dict[str, Any]) -> None:
    values = make.valid_values()
    case = file_pupil(office, values=values)
    for user, status in (
        (office["registrar"], 200),
        (make.make_reviewer(make.CITY), 200),
        (make.make_registrar(make.SISTER), 404),
        (make.make_reviewer(make.FAR_COUNTY), 404),
        (make.make_user("head_teacher", make.SCHOOL), 403),
    ):
        client.force_login(user)
        answer = client.get(f"{CASES}{case.number}/")
        assert answer.status_code == status
        assert values["id_number"] not in answer.text
    read = AccessEntry.objects.get(actor_id=office["registrar"].pk, outcome="read")
    assert (read.subject_type, read.subject_id) == ("case", case.pk)


def test_the_list_pages_by_number(client: Client, office: dict[str, Any]) -> None:
    cases = [file_pupil(office) for _n in range(3)]
    client.force_login(office["registrar"])
    body = client.get(CASES).json()
    # Races commit cases of this school: ours are the newest three.
    assert [row["number"] for row in body["results"]][:3] == [case.number for case in reversed(cases)]
    assert body["total"] >= 3
    assert body["total_is_exact"]
    older = client.get(CASES, {"after": cases[1].number}).json()
    assert older["results"][0]["number"] == cases[0].number
    assert client.get(CASES, {"sort": "name"}).status_code == 400
    entries = AccessEntry.objects.filter(actor_id=office["registrar"].pk, outcome="list")
    assert {case.pk for case in cases} <= set(entries.first().subject_ids)


@pytest.mark.rule("R-EST-04")
def test_deciding_is_the_pages_own_service(client: Client, office: dict[str, Any]) -> None:
    case = file_pupil(office)
    client.force_login(office["reviewer"])
    early = post(client, act(case, "decide"), {"decision": "approve", "ticked": ["01"]})
    assert (early.status_code, early.json()["code"]) == (409, "not_your_turn")
    client.force_login(office["leader"])
    unticked = post(client, act(case, "decide"), {"decision": "approve"})
    assert (unticked.status_code, unticked.json()["code"]) == (422, "evidence_not_ticked")
    done = post(client, act(case, "decide"), {"decision": "approve", "ticked": ["01"]})
    assert done.status_code == 200
    assert [step["decision"] for step in done.json()["steps"]] == ["approve", ""]
    assert post(client, act(case, "decide"), {"decision": "approve", "by": "me"}).status_code == 400
    assert Event.objects.filter(action="transfers.case.approve", subject_id=case.pk).count() == 1


def test_withdrawing_needs_a_reason(client: Client, office: dict[str, Any]) -> None:
    case = file_pupil(office)
    client.force_login(office["leader"])
    assert post(client, act(case, "withdraw"), {"reason": "家长改变主意"}).status_code == 403
    client.force_login(office["registrar"])
    assert post(client, act(case, "withdraw"), {}).status_code == 422
    answer = post(client, act(case, "withdraw"), {"reason": "家长改变主意"})
    assert (answer.status_code, answer.json()["state"]) == (200, "withdrawn")


def test_the_root_brings_every_app(client: Client, office: dict[str, Any]) -> None:
    client.force_login(office["registrar"])
    for name in ("student", "class", "school", "case", "code", "job", "rule"):
        assert client.get(reverse(f"{name}-list")).status_code == 200, name
    assert client.post(reverse("material-list")).status_code == 400


def test_the_list_and_a_case_ask_as_much_for_one_as_for_many(client: Client, office: dict[str, Any]) -> None:
    first = file_pupil(office)
    client.force_login(office["reviewer"])

    def count(address: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        return len(asked)

    addresses = (CASES, f"{CASES}{first.number}/")
    count(CASES)
    before = [count(address) for address in addresses]
    for _n in range(7):
        file_pupil(office)
    assert [count(address) for address in addresses] == before


@pytest.mark.rule("AP-1")
def test_a_filter_is_an_enumeration_and_a_cursor_is_resolved_in_scope(
    client: Client, office: dict[str, Any]
) -> None:
    case = file_pupil(office)
    client.force_login(make.make_registrar(make.SISTER))
    for query, status, place in (
        ({"state": "nowhere"}, 400, "state"),
        ({"kind": "no_such"}, 400, "kind"),
        ({"after": "1 OR 1=1"}, 400, "after"),
        ({"after": case.number}, 404, ""),  # of another school: hidden and missing look alike
        ({"after": "ZC000000000000"}, 404, ""),
    ):
        answer = client.get(CASES, query)
        assert answer.status_code == status, query
        assert list(answer.json()["fields"]) == ([place] if place else [])


@pytest.mark.rule("R-UPD-06", "AZ-5")
def test_key_data_and_a_larger_plan_are_filed_over_the_api_too(
    client: Client, office: dict[str, Any]
) -> None:
    student = make.make_student(office["class"])
    client.force_login(office["registrar"])
    paper = [str(make_material(office["registrar"]).public_id)]
    body = {"kind": "identity_change", "student": str(student.public_id), "materials": paper}
    refused = post(client, CASES, body | {"values": {"name": student.name}}, uuid4().hex)
    assert (refused.status_code, refused.json()["code"]) == (422, "record_refused")
    filed = post(client, CASES, body | {"values": {"name": "林安澜"}}, uuid4().hex)
    assert (filed.status_code, filed.json()["kind"]) == (201, "identity_change")
    plan = {"what": "plan", "school_year": str(school_year(today())), "stage": "2", "figure": "150",
            "basis": "深南教〔2026〕30号", "reason": "片区新建住宅交付。"}  # fmt: skip
    odd = {"kind": "allowance", "student": str(student.public_id), "values": plan}
    unknown = post(client, CASES, odd, uuid4().hex)
    assert (unknown.status_code, list(unknown.json()["fields"])) == (400, ["student"])
    asked = post(client, CASES, {"kind": "allowance", "values": plan}, uuid4().hex)
    assert (asked.status_code, asked.json()["kind"]) == (201, "allowance")
