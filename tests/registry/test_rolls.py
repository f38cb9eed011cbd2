"""The roll of a class in a verification, and the sheets that families sign (R-VER-02, R-VER-04, R-VER-06)."""

import re
from typing import Any

import pypdfium2
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from archives.models import Material
from audit.models import AccessEntry, Event
from registry.models import (
    ClassRoll,
    ConfirmationSheet,
    Enrolment,
    Finding,
    RollMark,
    SchoolClass,
    SchoolVerification,
    Student,
)
from registry.verification.rolls import unconfirmed_classes
from tests import make
from tests.archives.pictures import as_bytes, halves

pytestmark = pytest.mark.usefixtures("nation")


def jpeg() -> bytes:
    return as_bytes(halves(900, 1200))


@pytest.fixture
def teacher() -> User:
    return make.make_user("head_teacher", make.SCHOOL)


@pytest.fixture
def school_class(teacher: User) -> SchoolClass:
    return make.make_class(head_teacher=teacher)


@pytest.fixture
def school(school_class: SchoolClass) -> SchoolVerification:
    return make.make_verification(school_class.school.organization)


def pupils_in(school_class: SchoolClass, count: int = 4) -> list[Student]:
    return [make.make_student(school_class) for _n in range(count)]


def signed_in(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


def page(school_class: SchoolClass) -> str:
    return reverse("verification:roll", args=[school_class.pk])


def form(pupils: list[Student], version: int = 0, **marks: str) -> dict[str, Any]:
    """Everybody present but those of `marks`: p1="not_ours", p0="away:sick"."""
    sent: dict[str, Any] = {"version": version, "unlisted": marks.pop("unlisted", "")}
    for place, pupil in enumerate(pupils):
        says, _colon, why = marks.get(f"p{place}", "present").partition(":")
        sent |= {f"s{pupil.pk}": says, f"w{pupil.pk}": why}
    return sent


def kinds(school: SchoolVerification, state: str = "open") -> list[str]:
    return sorted(
        Finding.objects.filter(org_path=school.org_path, campaign=school.campaign, state=state).values_list(
            "kind", flat=True
        )
    )


@pytest.mark.rule("R-VER-02", "R-VER-05", "R-VER-06")
def test_the_head_teacher_confirms_who_is_there_and_the_rest_become_findings(
    client: Client, teacher: User, school_class: SchoolClass, school: SchoolVerification
) -> None:
    pupils = pupils_in(school_class)
    make.make_student(school_class, status="02")  # suspended: not on the roll
    campaign = school.campaign
    assert unconfirmed_classes(campaign, make.SCHOOL) == 1
    signed_in(client, teacher)
    sent = form(pupils, p0="away:unknown", p1="not_ours", p2="away:sick", unlisted="林外来")
    assert client.post(page(school_class), sent).status_code == 302
    roll = ClassRoll.objects.get(campaign=campaign, school_class=school_class)
    assert (roll.present, roll.away, roll.not_ours, roll.unlisted) == (1, 2, 1, 1)
    assert (roll.confirmed_by, sorted(roll.students)) == (teacher, sorted(pupil.pk for pupil in pupils))
    assert RollMark.objects.filter(roll=roll).count() == 4  # present is no row
    assert kinds(school) == ["separated", "unlisted", "vacant"]
    assert Finding.objects.get(kind="unlisted").facts["pupils"] == 1
    event = Event.objects.within(make.SCHOOL).get(action="registry.roll.confirm")
    assert "林外来" not in str(event.detail)
    assert event.detail["away"] == 2
    school.refresh_from_db()
    assert (school.rolls_total, school.rolls_confirmed, school.unplanned) == (1, 1, 3)
    assert unconfirmed_classes(campaign, make.SCHOOL) == 0
    text = client.get(page(school_class)).content.decode()
    assert "学籍转到本校" in text
    assert "林外来" in text
    assert "********" not in text
    assert reverse("transfers:move_in") not in text
    text = signed_in(client, make.make_registrar()).get(page(school_class)).content.decode()
    assert f'{reverse("transfers:move_in")}"' in text
    signed_in(client, teacher)
    # Somebody comes into the class: it is to be confirmed once more. What is not said any more goes.
    late = make.make_student(school_class)
    assert unconfirmed_classes(campaign, make.SCHOOL) == 1
    assert "须再次确认" in client.get(page(school_class)).content.decode()
    again = form([*pupils, late], version=1, p0="away:unknown")
    assert client.post(page(school_class), again).status_code == 302
    assert (kinds(school), kinds(school, "closed")) == (["vacant"], ["separated", "unlisted"])
    back = form([*pupils, late], version=2, p0="away:unknown", p1="not_ours")
    assert client.post(page(school_class), back).status_code == 302
    assert kinds(school) == ["separated", "vacant"]


@pytest.mark.rule("R-VER-02", "R-VER-05")
def test_a_confirmation_is_refused_when_it_may_not_or_does_not_fit(
    client: Client, teacher: User, school_class: SchoolClass, school: SchoolVerification
) -> None:
    pupils = pupils_in(school_class, 2)
    other = make.make_class(name="一(2)班")
    make.make_student(other)
    for user, path, status in (
        (make.make_leader(), page(school_class), 403),  # sees, does not confirm
        (make.make_user("head_teacher", make.SCHOOL), page(school_class), 404),  # of another class
        (teacher, page(other), 404),
        (make.make_registrar(make.SISTER), page(school_class), 404),
        (make.make_reviewer(), page(school_class), 403),
    ):
        assert signed_in(client, user).post(path, form(pupils)).status_code == status
    signed_in(client, teacher)
    for sent, status, code in (
        (form(pupils[:1]), 409, "roll_outdated"),  # one of the class was not on her page
        (form(pupils, version=3), 409, "roll_outdated"),
        (form(pupils, p0="away"), 422, "away_reason_missing"),
        (form(pupils, p0="away:holiday"), 422, "away_reason_missing"),
        (form(pupils, unlisted="林😀"), 422, "unlisted_name"),
        (form(pupils, p0="elsewhere"), 400, ""),
        (form(pupils) | {"path": "CN."}, 400, ""),
    ):
        answer = client.post(page(school_class), sent)
        assert (answer.status_code, code in answer.content.decode()) == (status, True)
    assert not ClassRoll.objects.exists()
    assert signed_in(client, make.make_registrar()).post(page(school_class), form(pupils)).status_code == 302
    assert client.post(page(school_class), form(pupils)).status_code == 409  # who saw no roll is told of it
    SchoolVerification.objects.filter(pk=school.pk).update(state="signed", signed_by_name="郑校长")
    late = client.post(page(school_class), form(pupils, version=1, p0="not_ours"))
    assert (late.status_code, "verification_signed" in late.content.decode()) == (409, True)
    assert RollMark.objects.count() == 0


@pytest.mark.rule("R-VER-01")
def test_without_a_campaign_there_is_nothing_to_confirm(
    client: Client, teacher: User, school_class: SchoolClass
) -> None:
    pupils = pupils_in(school_class, 1)
    signed_in(client, teacher)
    assert "没有开展" in client.get(page(school_class)).content.decode()
    assert client.post(page(school_class), form(pupils)).status_code == 409
    assert client.get(reverse("verification:rolls")).status_code == 200


@pytest.mark.rule("R-VER-02", "RD-3")
def test_sixty_pupils_cost_as_many_queries_as_two(
    client: Client, teacher: User, school_class: SchoolClass, school: SchoolVerification
) -> None:
    signed_in(client, teacher)
    counts = []
    for more in (2, 58):
        pupils_in(school_class, more)
        with CaptureQueriesContext(connection) as asked:
            text = client.get(page(school_class)).content.decode()
        assert text.count("<fieldset") == Enrolment.objects.filter(school_class=school_class).count()
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 25
    assert AccessEntry.objects.within(make.SCHOOL).filter(route="verification:roll").count() == 2
    listed = client.get(reverse("verification:rolls")).content.decode()
    assert page(school_class) in listed


@pytest.mark.rule("R-VER-04", "R-ACC-07", "FI-1")
def test_sheets_are_printed_masked_with_a_code_and_filed_by_it(
    client: Client, teacher: User, school_class: SchoolClass, school: SchoolVerification
) -> None:
    first, second = pupils_in(school_class, 2)
    signed_in(client, teacher)
    url = reverse("archives:sheets_print", args=[school_class.pk])
    pdf = client.post(url)
    assert (pdf.status_code, pdf["Content-Type"]) == (200, "application/pdf")
    with pypdfium2.PdfDocument(pdf.content) as document:
        texts = [document[n].get_textpage().get_text_range() for n in range(len(document))]
    assert len(texts) == 2
    assert all("第 1 页 共 1 页" in text for text in texts)
    printed = "".join(texts)
    mask = first.documents.get().mask
    assert mask in printed
    assert "13800138000" not in printed
    assert "南海大道" not in printed
    assert {first.name, second.name} <= set(re.findall(r"林\S+", printed))
    assert AccessEntry.objects.within(make.SCHOOL).filter(route="archives:sheets_print").count() == 1
    assert Event.objects.within(make.SCHOOL).filter(action="archives.sheet.print").count() == 1
    codes = dict(ConfirmationSheet.objects.values_list("student_id", "code"))
    client.post(url)
    assert dict(ConfirmationSheet.objects.values_list("student_id", "code")) == codes
    # The square's address, as a scanner types it, leads to the pupil.
    address = f"http://testserver/archives/sheets/{codes[first.pk].lower()}"
    sheet = reverse("archives:sheet", args=[codes[first.pk]])
    assert client.get(reverse("archives:sheet_find"), {"code": address})["Location"] == sheet
    assert client.post(sheet, {"file": SimpleUploadedFile("a.jpg", b"GIF89a")}).status_code == 422
    assert client.post(sheet).status_code == 422
    scan = SimpleUploadedFile("IMG_1.jpg", jpeg())
    assert client.post(sheet, {"file": scan, "has_corrections": "1"}).status_code == 302
    material = Material.objects.get(student=first)
    assert (material.evidence_type, material.created_by_name) == ("21", teacher.name)
    text = client.get(reverse("archives:sheets", args=[school_class.pk])).content.decode()
    assert "已归档 1" in text
    assert text.count("待交回") == 1
    signed_in(client, make.make_registrar())
    text = client.get(sheet).content.decode()
    assert reverse("registry:student_edit", args=[first.public_id]) in text
    assert reverse("transfers:identity_change", args=[first.public_id]) in text
    assert client.get(reverse("archives:material", args=[material.public_id])).status_code == 200


@pytest.mark.rule("R-VER-04", "AZ-1")
def test_a_sheet_is_printed_and_filed_by_its_own_school_only(
    client: Client, teacher: User, school_class: SchoolClass, school: SchoolVerification
) -> None:
    (pupil,) = pupils_in(school_class, 1)
    url = reverse("archives:sheets_print", args=[school_class.pk])
    for user, status in (
        (make.make_leader(), 403),
        (make.make_registrar(make.SISTER), 404),
        (make.make_reviewer(), 403),
        (make.make_registrar(), 200),
    ):
        assert signed_in(client, user).post(url).status_code == status
    sheet = reverse("archives:sheet", args=[ConfirmationSheet.objects.get().code])
    for user, status in (
        (make.make_user("head_teacher", make.SCHOOL), 404),
        (make.make_leader(), 403),
        (make.make_registrar(make.SISTER), 404),
    ):
        sent = {"file": SimpleUploadedFile("a.jpg", jpeg())}
        assert signed_in(client, user).post(sheet, sent).status_code == status
    there = make.make_class(make.SISTER)
    Enrolment.objects.filter(student=pupil).update(org_path=make.SISTER, school_class=there)
    Student.objects.filter(pk=pupil.pk).update(org_path=make.SISTER)
    assert signed_in(client, make.make_registrar()).get(sheet).status_code == 404  # her record is elsewhere
    assert signed_in(client, make.make_registrar()).post(url).status_code == 409  # nobody is left
    assert Material.objects.count() == 0


@pytest.mark.rule("R-VER-02", "R-VER-04", "AZ-5")
def test_a_program_reads_and_confirms_a_roll(
    client: Client, teacher: User, school_class: SchoolClass, school: SchoolVerification
) -> None:
    first, second = pupils_in(school_class, 2)
    signed_in(client, teacher)
    (row,) = client.get(reverse("roll-list")).json()["results"]
    assert (row["class_id"], row["state"], row["away"]) == (school_class.pk, "open", None)
    found = client.get(reverse("roll-detail", args=[school_class.pk])).json()
    assert (found["times"], found["may_confirm"]) == (0, True)
    assert {one["id"] for one in found["pupils"]} == {str(first.public_id), str(second.public_id)}
    url = reverse("roll-confirm", args=[school_class.pk])
    says = [{"id": str(first.public_id), "says": "present"}, {"id": str(second.public_id), "says": "away"}]
    stranger = {"id": str(make.make_student(make.make_class(make.SISTER)).public_id), "says": "present"}
    for sent, status in (
        ({"times": 0, "pupils": says}, 422),  # away without a reason
        ({"times": 0, "pupils": [*says, stranger]}, 409),
        ({"times": 0, "pupils": says, "state": "signed"}, 400),
        ({"times": 0, "pupils": [says[0], says[1] | {"why": "sick"}]}, 200),
    ):
        answer = client.post(url, sent, content_type="application/json")
        assert answer.status_code == status, answer.json()
    assert {one["why"] for one in answer.json()["pupils"]} == {"", "sick"}
    make.make_sheet(school, first, school_class)
    rows = client.get(reverse("roll-sheets", args=[school_class.pk])).json()["results"]
    assert sorted(bool(one["code"]) for one in rows) == [False, True]
    signed_in(client, make.make_reviewer())
    (row,) = client.get(reverse("roll-list"), {"office": school_class.school_id}).json()["results"]
    assert (row["state"], row["away"], row["sheets_printed"]) == ("done", 1, 1)
    seen = client.get(reverse("roll-detail", args=[school_class.pk])).json()
    assert {one["why"] for one in seen["pupils"]} == {""}  # why a child is ill stays in the school
