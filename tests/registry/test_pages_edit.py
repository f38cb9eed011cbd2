"""The edit page: normal fields at once, key fields locked, sealed values not shown, nothing typed is lost."""

import html
import re
from typing import Any

import pytest
from django.urls import reverse

from audit.models import AccessEntry, Event
from registry.models import OpenBusiness, Student
from registry.record import load_record, values_of
from registry.services.editing import update_normal
from tests import make

pytestmark = pytest.mark.usefixtures("nation")


def page_of(student: Student) -> str:
    return reverse("registry:student_edit", args=[student.public_id])


def sent(client: Any, student: Student, **changes: str) -> dict[str, str]:
    """What a browser sends: every box as it stands on the page, with `changes` typed into it."""
    page = client.get(page_of(student)).content.decode()
    form = page[page.index('<form method="post" novalidate') :]
    boxes = dict(re.findall(r'<input class="form-control[^>]*? name="([^"]+)" value="([^"]*)"', form))
    boxes |= dict(re.findall(r'<textarea[^>]*? name="([^"]+)"[^>]*>([^<]*)</textarea>', form))
    for name, options in re.findall(r'<select[^>]*? name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        boxes[name] = chosen[1] if chosen else ""
    version = re.search(r'name="version" value="(\d+)"', form)
    assert version
    return {name: html.unescape(text) for name, text in boxes.items()} | {"version": version[1]} | changes


def values(student: Student) -> dict[str, str]:
    return values_of(load_record(Student.objects.get(pk=student.pk)))


@pytest.mark.rule("R-UPD-05", "RD-1", "RD-2")
def test_the_form_locks_key_fields_and_shows_no_sealed_value(client: Any) -> None:
    student, user = make.make_student(), make.make_registrar()
    client.force_login(user)
    page = client.get(page_of(student)).content.decode()
    for key in ("name", "sex", "birth_on", "id_type", "id_number", "grade", "class_number"):
        assert f'name="{key}"' not in page, key
    assert page.count("需走关键数据变更") >= 7
    for key in ("home_address", "phone", "talent", "hukou_division", "member1_phone", "only_child"):
        assert f'name="{key}"' in page, key
    for secret in ("13800138000", "13900139000", "南海大道", "林建国"):
        assert secret not in page
    assert "138******00" in page
    entry = AccessEntry.objects.get(actor_id=user.pk)
    assert (entry.route, entry.fields) == ("registry:student_edit", ["edit"])


@pytest.mark.rule("R-UPD-05", "R-UPD-04")
def test_only_what_was_changed_is_saved_and_named(client: Any) -> None:
    student, user = make.make_student(), make.make_registrar()
    before = values(student)
    client.force_login(user)
    answer = client.post(
        page_of(student),
        sent(client, student, talent="围棋", phone="13700137000", hukou_division="440304"),
    )
    assert answer.status_code == 302
    assert answer.headers["Location"] == reverse("registry:student", args=[student.public_id])
    after = values(student)
    assert {k for k in after if after[k] != before[k]} == {"talent", "phone", "hukou_division"}
    assert (after["talent"], after["phone"], after["hukou_division"]) == (
        "围棋",
        "13700137000",
        "440304000000",
    )
    event = Event.objects.get(action="registry.student.update", subject_id=student.pk)
    assert set(event.fields) == {"talent", "phone", "hukou_division"}
    page = client.get(answer.headers["Location"]).content.decode()
    assert "已保存：" in page
    assert "13700137000" not in page


def test_an_untouched_form_changes_nothing(client: Any) -> None:
    student = make.make_student(disability="0", blood_type="1", auxiliary_number="4403A1")
    client.force_login(make.make_registrar())
    assert client.post(page_of(student), sent(client, student)).status_code == 302
    assert Student.objects.get(pk=student.pk).version == 2  # the version is claimed, nothing else moves
    assert values(student) == values_of(load_record(student))
    assert not Event.objects.filter(
        action="registry.student.update", subject_id=student.pk, fields__len__gt=0
    ).exists()


def test_an_optional_sealed_value_is_taken_out_and_a_second_member_comes_and_goes(client: Any) -> None:
    student = make.make_student(email="lin@example.com")
    client.force_login(make.make_registrar())
    second = {
        "member2_name": "王秀英",
        "member2_relation": "52",
        "member2_address": "深圳市南山区南海大道1号2栋301",
        "member2_hukou_division": "440305",
        "member2_phone": "13600136000",
        "member2_is_guardian": "1",
    }
    answer = client.post(page_of(student), sent(client, student, clear_email="1", **second))
    assert answer.status_code == 302, answer.content.decode()
    after = values(student)
    assert after["email"] == ""
    assert (after["member2_name"], after["member2_hukou_division"]) == ("王秀英", "440305000000")
    assert client.post(page_of(student), sent(client, student, drop_member2="1")).status_code == 302
    assert "member2_name" not in values(student)


@pytest.mark.rule("R-EST-06")
def test_a_refused_form_keeps_everything_typed_and_writes_nothing(client: Any) -> None:
    student, user = make.make_student(), make.make_registrar()
    before = values(student)
    client.force_login(user)
    typed = sent(client, student, phone="123", talent="棋与书", postcode="51800", commute_km="十里")
    answer = client.post(page_of(student), typed)
    page = answer.content.decode()
    assert answer.status_code == 422
    for text in ("123", "棋与书", "51800", "十里"):
        assert f'value="{text}"' in page
    assert 'id="id_phone_error"' in page
    assert 'href="#id_phone"' in page
    assert values(student) == before
    assert not Event.objects.filter(subject_id=student.pk, action="registry.student.update").exists()
    refused = AccessEntry.objects.get(actor_id=user.pk, outcome="refused")
    assert (refused.code, refused.purpose, refused.subject_id) == ("record_refused", "422", student.pk)


@pytest.mark.rule("R-UPD-04")
def test_of_two_registrars_who_save_one_is_told(client: Any) -> None:
    student, other = make.make_student(), make.make_registrar()
    client.force_login(make.make_registrar())
    typed = sent(client, student, talent="围棋")
    update_normal(student, {"talent": "书法"}, version=1, actor=other)
    answer = client.post(page_of(student), typed)
    assert answer.status_code == 409
    assert 'value="围棋"' in answer.content.decode()
    assert values(student)["talent"] == "书法"


@pytest.mark.rule("AZ-5", "R-UPD-05")
@pytest.mark.parametrize(
    "extra",
    [
        {"name": "改名"},
        {"id_number": "1"},
        {"org_path": "CN."},
        {"number": "G1"},
        {"clear_name": "1"},
        {"version": "x"},
    ],
)
def test_keys_that_the_page_does_not_offer_are_refused(extra: dict[str, str], client: Any) -> None:
    student = make.make_student()
    client.force_login(make.make_registrar())
    assert client.post(page_of(student), sent(client, student, talent="围棋") | extra).status_code == 400
    assert values(student)["talent"] == ""


@pytest.mark.rule("AZ-2", "R-ACC-02")
def test_only_the_registrar_of_the_school_edits(client: Any) -> None:
    student = make.make_student()
    for user, status in (
        (make.make_registrar(), 200),
        (make.make_leader(), 403),
        (make.make_reviewer(), 403),
        (make.make_registrar(make.SISTER), 404),
    ):
        client.force_login(user)
        assert client.get(page_of(student)).status_code == status
        if status != 200:
            assert client.post(page_of(student), {"version": "1", "talent": "围棋"}).status_code == status


@pytest.mark.rule("R-TRF-06", "R-UPD-09")
def test_open_business_and_a_closed_status_keep_the_form_shut(client: Any) -> None:
    student, gone = make.make_student(), make.make_student(status="07")
    client.force_login(make.make_registrar())
    OpenBusiness.objects.create(
        from_path=student.org_path,
        to_path=student.org_path,
        student=student,
        case_no="X1",
        kind="k",
        kind_name="转学",
    )
    for one, words in ((student, "在办业务"), (gone, "冻结")):
        answer = client.get(page_of(one))
        assert answer.status_code == 409
        assert words in answer.content.decode()
        assert client.post(page_of(one), {"version": "1", "talent": "围棋"}).status_code == 409
