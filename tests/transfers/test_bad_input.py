"""Bad input gets a Chinese sentence with a code and the rule, 4xx, and nothing is written."""

import json
import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import AccessEntry, Event
from config.clock import today
from registry.models import Student
from tests import make
from tests.transfers.filing import make_material
from transfers.models import Case

pytestmark = pytest.mark.usefixtures("nation")


def wrong_check_digit(values: dict[str, str]) -> dict[str, str]:
    number = values["id_number"]
    return {"id_number": number[:-1] + ("0" if number[-1] != "0" else "1")}


def other_sex(values: dict[str, str]) -> dict[str, str]:
    return {"sex": "1" if values["sex"] == "2" else "2"}


def next_year(_values: dict[str, str]) -> dict[str, str]:
    return {"birth_on": f"{today().year + 1}-01-01", "id_type": "Z", "id_number": ""}


def other_birth(values: dict[str, str]) -> dict[str, str]:
    return {"birth_on": values["birth_on"][:-2] + "03"}


# What is typed, the field that is named, the finding's code where one code is meant, the rule it rests on.
BAD: dict[str, tuple[Any, str, str]] = {
    "wrong check digit": (wrong_check_digit, "id_number", "R-EST-06"),
    "birth against the number": (other_birth, "birth_on|id_number", "R-EST-06"),
    "sex against the number": (other_sex, "sex|id_number", "R-EST-06"),
    "15 digits": (lambda _v: {"id_number": "440305190101001"}, "id_number", "R-EST"),
    "future date": (next_year, "birth_on", "R-EST"),
    "code not in list": (lambda _v: {"ethnic_group": "777"}, "ethnic_group", "C1"),
    "no name": (lambda _v: {"name": ""}, "name", ""),
    "emoji in the name": (lambda _v: {"name": "林小😀"}, "name", ""),
    "relation without explanation": (lambda _v: {"member1_relation": "99"}, "member1_relation_note", ""),
    "no guardian": (lambda _v: {"member1_is_guardian": "0"}, "member1_is_guardian", ""),
    "a phone that is none": (lambda _v: {"phone": "123"}, "phone", ""),
    "a division that never was": (lambda _v: {"hukou_division": "999999000000"}, "hukou_division", ""),
    "inclusive": (lambda _v: {"inclusive_education": "1"}, "inclusive_education|disability", "A14"),
}  # fmt: skip


@pytest.fixture
def desk() -> dict[str, Any]:
    registrar = make.make_registrar()
    return {"class": make.make_class(), "registrar": registrar, "paper": make_material(registrar)}


def counts() -> tuple[int, int, int]:
    return Student.objects.count(), Case.objects.count(), Event.objects.count()


def post(client: Client, desk: dict[str, Any], values: dict[str, str], **more: Any) -> Any:
    body = {"kind": "registration", "class_id": desk["class"].pk, "values": values,
            "materials": [str(desk["paper"].public_id)]}  # fmt: skip
    return client.post(
        reverse("case-list"),
        json.dumps(body | more),
        content_type="application/json",
        headers={"Idempotency-Key": uuid4().hex},
    )


@pytest.mark.rule("R-EST-06", "R-EST-03", "WB-5")
@pytest.mark.parametrize("name", BAD)
def test_each_fault_is_named_with_rule_and_remedy_and_nothing_is_written(
    client: Client, desk: dict[str, Any], name: str
) -> None:
    change, field, rule = BAD[name]
    values = make.valid_values()
    client.force_login(desk["registrar"])
    before = counts()
    answer = post(client, desk, values | change(values))
    assert answer.status_code == 422
    body = answer.json()
    assert body["code"] == "record_refused"
    named = [
        finding for key, found in body["fields"].items() if re.fullmatch(field, key) for finding in found
    ]
    assert named, body["fields"]
    assert any(finding["rule"].startswith(rule) for finding in named)
    assert all(re.search("[\u4e00-\u9fff]", finding["message"]) for finding in named)
    assert counts() == before
    refused = AccessEntry.objects.filter(actor_id=desk["registrar"].pk, outcome="refused")
    assert [entry.code for entry in refused] == ["record_refused"]
    # The same form without the fault is taken: the fault was the reason.
    assert post(client, desk, values).status_code == 201


@pytest.mark.rule("R-EST-01", "R-EST-05", "R-EST-11", "C5", "AZ-9")
def test_what_the_form_cannot_know_is_refused_by_the_database_and_its_keepers(
    client: Client, desk: dict[str, Any]
) -> None:
    client.force_login(desk["registrar"])
    elsewhere = make.valid_values()
    make.make_student(make.make_class(make.FAR), **elsewhere)
    full = make.make_class(cap=1)
    make.make_student(full)
    before = counts()
    for values, more, status, code in (
        (elsewhere, {}, 409, "number_taken"),
        (make.valid_values(), {"class_id": make.make_class(make.SISTER).pk}, 422, "class_unknown"),
        (make.valid_values(), {"class_id": full.pk}, 409, "class_full"),
        (make.valid_values(), {"materials": []}, 422, "evidence_missing"),
        (make.valid_values(), {"materials": [str(uuid4())]}, 422, "upload_gone"),
        (make.valid_values() | {"org_path": "CN."}, {}, 400, ""),
    ):
        answer = post(client, desk, values, **more)
        assert answer.status_code == status, answer.json()
        assert re.search("[\u4e00-\u9fff]", answer.json()["detail"])
        assert answer.json()["code"] == code or not code
    # The taken number has left its finding (an act of the log); nothing else was written.
    students, cases, events = counts()
    assert (students, cases) == before[:2]
    assert events == before[2] + 1


@pytest.mark.rule("R-EST-09")
def test_a_first_grader_needs_no_earlier_number_and_may_bring_one(
    client: Client, desk: dict[str, Any]
) -> None:
    client.force_login(desk["registrar"])
    assert post(client, desk, make.valid_values()).status_code == 201
    desk["paper"] = make_material(desk["registrar"])
    brought = post(client, desk, make.valid_values(auxiliary_number="GD2025000123"))
    assert brought.status_code == 201
    student = Case.objects.get(number=brought.json()["number"]).student
    assert student is not None
    assert student.numbers.get(kind="auxiliary").number == "GD2025000123"
    assert student.number == ""
