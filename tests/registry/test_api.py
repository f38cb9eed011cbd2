"""The API to read: same scope, same masks, same trace as the pages."""

import json
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test.utils import CaptureQueriesContext

from audit.models import AccessEntry
from registry.api import codes
from registry.codes import choices, code_lists
from registry.models import CodeValue
from registry.queries import rosters, schools
from registry.services.code_lists import load_codes
from registry.status import PENDING
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
    for query, place, code in (
        ("order_by=name", "order_by", "unknown"),
        ("format=xml", "format", "unknown"),
        ("after=x", "after", "invalid"),
        (f"after={2**63}", "after", "max_value"),
        ("grade=11&grade=12", "grade", "invalid"),
        ("grade=%00", "grade", "invalid_choice"),
        ("office=-1", "office", "min_value"),
    ):
        body = ask(client, make.make_registrar(), f"{STUDENTS}?{query}", 400)
        assert body["code"] == "invalid"
        assert [(one, fault["code"]) for one, (fault,) in body["fields"].items()] == [(place, code)]
    assert ask(client, make.make_registrar(), f"{STUDENTS}?after=1", 404)["code"] == "not_found"
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


# ── One school, one class ────────────────────────────────────────
@pytest.mark.rule("AZ-1", "AZ-2", "AZ-4")
def test_a_class_says_how_full_it_is(client: Any) -> None:
    here = make.make_class(cap=40)
    make.make_student(here)
    make.make_student(here, status=PENDING)
    body = ask(client, make.make_registrar(), f"{CLASSES}{here.pk}/")
    expected = {
        "id": here.pk, "name": here.name, "grade": "11", "grade_name": "小学一年级", "is_open": True,
        "school_id": here.school_id, "pupils": 2, "pending": 1, "cap": 40, "head_teacher": "", "campus": "",
    }  # fmt: skip
    assert {key: body[key] for key in expected} == expected
    assert body["cap_sentence"]
    bodies = [
        ask(client, user, f"{CLASSES}{pk}/", 404)
        for user, pk in ((make.make_registrar(make.SISTER), here.pk), (make.make_registrar(), 0))
    ]
    assert bodies[0]["detail"] == bodies[1]["detail"]
    ask(client, make.make_user("system_administrator", make.SCHOOL), f"{CLASSES}{here.pk}/", 403)


@pytest.mark.rule("AZ-1", "AZ-2", "AZ-4")
def test_a_school_counts_its_pupils_for_who_reads_rolls(client: Any) -> None:
    here = make.make_class()
    make.make_student(here, sex="2")
    make.make_student(here, sex="1", status=PENDING)
    address = f"{SCHOOLS}{here.school_id}/"
    body = ask(client, make.make_reviewer(), address)
    assert (body["code"], body["authority"]) == ("2144000001", "南山区教育局")
    assert body["division_name"] == "广东省深圳市南山区"
    grade = {"grade": "11", "grade_name": "小学一年级", "pupils": 2, "girls": 1, "boys": 1, "pending": 1}
    assert body["grades"] == [grade]
    assert ask(client, make.make_user("system_administrator", make.SCHOOL), address)["grades"] == []
    ask(client, make.make_reviewer(make.FAR_COUNTY), address, 404)
    ask(client, make.make_reviewer(make.COUNTY), f"{SCHOOLS}{make.make_office(make.COUNTY).pk}/", 404)


def test_details_ask_as_much_for_one_pupil_as_for_many(client: Any) -> None:
    here = make.make_class()
    make.make_student(here)
    user = make.make_reviewer()

    def count(address: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            ask(client, user, address)
        return len(asked)

    addresses = (f"{SCHOOLS}{here.school_id}/", f"{CLASSES}{here.pk}/")
    count(SCHOOLS)
    first = [count(address) for address in addresses]
    for _n in range(7):
        make.make_student(here)
    assert [count(address) for address in addresses] == first


# ── Code lists ────────────────────────────────────────
CODES = "/api/v1/codes/"


def test_code_lists_are_read_as_they_hold_on_a_day(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    load_codes()
    user = make.make_registrar()
    lists = {row["list"]: row for row in ask(client, user, CODES)["results"]}
    assert set(lists) >= set(code_lists())
    assert lists["grade"]["used_by"] == ["年级"]
    body = ask(client, user, f"{CODES}sex/")
    assert [(row["code"], row["name"]) for row in body["results"]] == choices("sex")
    assert (body["total"], body["next"]) == (lists["sex"]["values"], None)
    CodeValue.objects.filter(list="sex", code="9").update(
        valid=DateRange(date(2012, 3, 15), date(2026, 1, 1))
    )
    CodeValue.objects.create(
        list="sex", code="9", name_zh="未说明", valid=DateRange(date(2026, 1, 1), None)
    )  # a new edition of the standard renames it
    names = {
        day: {row["code"]: row["name"] for row in ask(client, user, f"{CODES}sex/?on={day}")["results"]}
        for day in ("2025-12-31", "2026-01-01")
    }
    assert [names[day]["9"] for day in names] == ["未说明的性别", "未说明"]
    assert ask(client, user, f"{CODES}?on=1990-01-01")["results"] == []
    monkeypatch.setattr(codes, "PAGE", 3)
    first = ask(client, user, f"{CODES}sex/")
    second = ask(client, user, first["next"])
    assert [row["code"] for row in first["results"] + second["results"]] == ["0", "1", "2", "9"]
    assert second["next"] is None
