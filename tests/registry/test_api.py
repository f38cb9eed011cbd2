"""The API to read: same scope, same masks, same trace as the pages."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import AccessEntry
from registry.queries import rosters, schools
from tests import make

pytestmark = pytest.mark.usefixtures("nation")
STUDENTS, CLASSES, SCHOOLS = "/api/v1/students/", "/api/v1/classes/", "/api/v1/schools/"


def ask(client: Any, user: Any, address: str, status: int = 200) -> Any:
    client.force_login(user)
    answer = client.get(address)
    assert answer.status_code == status, answer.content.decode()
    return json.loads(answer.content)


@pytest.mark.rule("AZ-1", "RD-1", "RD-3")
def test_a_list_is_scoped_masked_and_remembered(client: Any) -> None:
    birth = make.first_grader_birth()
    number = make.identity_number(birth)
    mine = make.make_student(make.make_class(), name="林此校", id_number=number, number=f"G{number}")
    make.make_student(make.make_class(make.NEIGHBOUR), name="林邻县")
    user = make.make_registrar()
    body = ask(client, user, STUDENTS)
    assert body["total"] == 1
    assert body["total_is_exact"] is True
    assert body["next"] is None
    row = body["results"][0]
    names = "id name sex grade status status_name number document_last4 entry_month"
    assert set(row) == {*names.split(), "school_id", "school_name", "class_id", "class_name"}
    assert (row["id"], row["name"]) == (str(mine.public_id), "林此校")
    assert (row["number"], row["document_last4"]) == (f"G…{number[-4:]}", number[-4:])
    entry = AccessEntry.objects.get(actor_id=user.pk)
    assert (entry.route, entry.subject_ids) == ("api:students-list", [mine.pk])


def test_pages_by_key(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rosters, "PAGE", 2)
    here = make.make_class()
    for n in range(5):
        make.make_student(here, name=f"林{'甲乙丙丁戊'[n]}")
    user = make.make_reviewer()
    seen: list[str] = []
    address: str | None = f"{STUDENTS}?grade=11"
    while address:
        body = ask(client, user, address)
        seen += [row["name"] for row in body["results"]]
        address = body["next"]
        assert address is None or "grade=11" in address
    assert sorted(seen) == sorted(f"林{c}" for c in "甲乙丙丁戊")
    assert len(seen) == 5


@pytest.mark.rule("RD-1", "AZ-2", "RD-3")
def test_a_record_is_masked_by_field_and_hidden_is_missing(client: Any) -> None:
    student = make.make_student(make.make_class(), health_status="3")
    hidden = make.make_student(make.make_class(make.NEIGHBOUR))
    user = make.make_registrar()
    body = ask(client, user, f"{STUDENTS}{student.public_id}/")
    fields = {field["key"]: field for section in body["sections"] for field in section["fields"]}
    assert fields["phone"]["value"] == "138******00"
    assert fields["phone"]["masked"] is True
    assert fields["member1_name"]["value"] == "林＊"
    assert fields["health_status"]["value"] == "有慢性病"
    assert fields["name"]["change"] == "case"
    text = json.dumps(body, ensure_ascii=False)
    for secret in ("13800138000", "13900139000", "南海大道", "林建国"):
        assert secret not in text
    entry = AccessEntry.objects.get(actor_id=user.pk)
    assert (entry.route, entry.subject_id) == ("api:students-detail", student.pk)
    leader = ask(client, make.make_leader(), f"{STUDENTS}{student.public_id}/")
    assert "health_status" not in json.dumps(leader)
    answers = [
        ask(client, user, f"{STUDENTS}{one}/", 404)
        for one in (hidden.public_id, "01890000-0000-7000-8000-000000000000", "17")
    ]
    assert {a["code"] for a in answers} == {"not_found"}
    assert len({a["detail"] for a in answers}) == 1


@pytest.mark.rule("AZ-4", "WB-5")
def test_who_may_not_enter_and_what_is_not_understood(client: Any) -> None:
    make.make_student()
    assert ask(client, make.make_user("subject_teacher", make.SCHOOL), STUDENTS, 403)["code"] == "not_allowed"
    assert (
        ask(client, make.make_user("system_administrator", make.SCHOOL), CLASSES, 403)["code"]
        == "not_allowed"
    )
    assert ask(client, make.make_registrar(), f"{STUDENTS}?order_by=name", 400)["code"] == "bad_request"
    assert ask(client, make.make_registrar(), f"{STUDENTS}?after=x", 404)["code"] == "not_found"
    client.logout()
    assert client.get(STUDENTS).status_code in (401, 302)
    client.force_login(make.make_registrar())
    for method in ("post", "put", "patch", "delete"):
        assert getattr(client, method)(STUDENTS, {}, content_type="application/json").status_code == 405


def test_classes_and_schools(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    here, sister = make.make_class(), make.make_class(make.SISTER)
    make.make_class(make.NEIGHBOUR)
    make.make_student(here)
    body = ask(client, make.make_reviewer(), CLASSES)
    assert {(row["id"], row["pupils"]) for row in body["results"]} == {(here.pk, 1), (sister.pk, 0)}
    body = ask(client, make.make_reviewer(), SCHOOLS)
    assert [row["id"] for row in body["results"]] == [here.school_id, sister.school_id]
    assert body["results"][0]["stages"] == ["2", "3", "4"]
    monkeypatch.setattr(schools, "PAGE", 1)
    first = ask(client, make.make_reviewer(), SCHOOLS)
    second = ask(client, make.make_reviewer(), first["next"])
    assert [row["id"] for row in first["results"] + second["results"]] == [here.school_id, sister.school_id]
    assert second["next"] is None


def test_the_lists_ask_as_much_for_one_row_as_for_many(client: Any) -> None:
    here = make.make_class()
    make.make_student(here)
    user = make.make_reviewer()

    def count(address: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            ask(client, user, address)
        return len(asked)

    count(STUDENTS)
    first = [count(address) for address in (STUDENTS, CLASSES, SCHOOLS)]
    for path in (make.SCHOOL, make.SISTER):
        for _n in range(3):
            make.make_student(make.make_class(path))
    assert [count(address) for address in (STUDENTS, CLASSES, SCHOOLS)] == first
