"""The roll of a class in a verification, and the sheets that families sign (R-VER-02, R-VER-04, R-VER-06)."""

import io
import re
from datetime import timedelta
from typing import Any
from zipfile import ZipFile

import pypdfium2
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from archives import sheet_prints
from archives.models import Material, SheetPrint
from archives.sheets import NobodyToPrint
from archives.tasks import purge_sheets
from audit.models import AccessEntry, Event
from audit.services import System
from config.clock import today
from config.errors import NotAllowed, NotFound
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
from registry.verification.acts import plan
from registry.verification.checking import check_schools
from registry.verification.refusals import FindingsUnplanned, WayMissing
from registry.verification.rolls import (
    Mark,
    NameNotUsable,
    ReasonMissing,
    RollOutdated,
    confirm_roll,
    unconfirmed_classes,
)
from registry.verification.signing import sign
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


def downloaded(client: Client, address: str) -> bytes:
    answer: Any = client.post(f"{address}/download")
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


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
    Finding.objects.filter(kind="separated").update(order_due_on=today())
    back = form([*pupils, late], version=2, p0="away:unknown", p1="not_ours")
    assert client.post(page(school_class), back).status_code == 302
    assert kinds(school) == ["separated", "vacant"]
    due = dict(Finding.objects.values_list("kind", "due_on"))
    assert due["separated"] == today() < due["vacant"]  # a day that was ordered stands
    # Her record has gone to where she is: the next check closes it; who is away stays the roll's.
    there = make.make_class(make.SISTER)
    Enrolment.objects.filter(student=pupils[1]).update(org_path=make.SISTER, school_class=there)
    check_schools(campaign, make.make_office(make.COUNTY), [school.school], actor=System(make.COUNTY))
    assert {"separated", "vacant"} & set(kinds(school)) == {"vacant"}


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
        (form(pupils, p0="away"), 422, "away_reason_missing"),
        (form(pupils, p0="elsewhere"), 400, ""),
        (form(pupils) | {"path": "CN."}, 400, ""),
    ):
        answer = client.post(page(school_class), sent)
        assert (answer.status_code, code in answer.content.decode()) == (status, True)
    ids = [pupil.pk for pupil in pupils]
    holiday = Mark(ids[0], "away", "holiday")
    for version, marks, names, refusal in (
        (3, [], [], RollOutdated),
        (0, [holiday], [], ReasonMissing),
        (0, [], ["林😀"], NameNotUsable),
    ):
        with pytest.raises(refusal):
            confirm_roll(school_class, ids, marks, names, version=version, actor=teacher)
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
    url, sent = reverse("archives:sheet_prints"), {"class": school_class.pk}
    assert client.post(url).status_code == 422
    made, again = (client.post(url, sent) for _n in range(2))
    assert made.url == again.url  # pressed twice, one file
    job = SheetPrint.objects.get().job_id
    assert "已生成 0 / 1 个班" in client.get(made.url).content.decode()
    assert client.post(f"{made.url}/download").status_code == 409
    for _twice in range(2):
        sheet_prints.make(job)
    with pypdfium2.PdfDocument(downloaded(client, made.url)) as document:
        texts = [document[n].get_textpage().get_text_range() for n in range(len(document))]
    assert len(texts) == 2
    assert all("第 1 页 共 1 页" in text for text in texts)
    printed = "".join(texts)
    mask = first.documents.get().mask
    assert mask in printed
    assert "13800138000" not in printed
    assert "南海大道" not in printed
    assert {first.name, second.name} <= set(re.findall(r"林\S+", printed))
    assert (
        AccessEntry.objects.within(make.SCHOOL).filter(route="archives:sheet_prints", outcome="list").count()
        == 1
    )
    event = Event.objects.within(make.SCHOOL).get(action="archives.sheet.print")
    assert (event.actor_id, event.detail["count"]) == (teacher.pk, 2)
    codes = dict(ConfirmationSheet.objects.values_list("student_id", "code"))
    # One sheet at once, and everybody keeps her code.
    single = client.post(reverse("archives:sheet_print", args=[school_class.pk, first.public_id]))
    assert (single.status_code, single["Content-Type"]) == (200, "application/pdf")
    assert dict(ConfirmationSheet.objects.values_list("student_id", "code")) == codes
    assert AccessEntry.objects.within(make.SCHOOL).filter(route="archives:sheet_print").count() == 1
    for _last in range(2):
        assert downloaded(client, made.url)[:4] == b"%PDF"
    text = client.get(made.url).content.decode()
    assert ("下载次数已用完" in text, f"{made.url}/download" in text) == (True, False)
    refused = client.post(f"{made.url}/download")
    assert (refused.status_code, "已领取 3 次" in refused.content.decode()) == (409, True)
    SheetPrint.objects.update(expires_at=F("requested_at") - timedelta(days=1))
    assert (purge_sheets(), purge_sheets()) == (1, 0)
    assert client.post(f"{made.url}/download").status_code == 409
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


@pytest.mark.rule("R-VER-04", "AZ-1", "AZ-6", "EX-5")
def test_a_sheet_is_printed_and_filed_by_its_own_school_only(
    client: Client, teacher: User, school_class: SchoolClass, school: SchoolVerification
) -> None:
    (pupil,) = pupils_in(school_class, 1)
    second, empty = make.make_class(name="一(2)班"), make.make_class(name="一(3)班")
    make.make_student(second)
    chosen, registrar = [school_class.pk, second.pk, empty.pk], make.make_registrar()
    for user, refusal in (
        (make.make_leader(), NotAllowed),
        (make.make_registrar(make.SISTER), NotFound),
        (make.make_reviewer(), NotFound),
        (teacher, NotFound),  # one class is hers
    ):
        with pytest.raises(refusal):
            sheet_prints.ask(chosen, actor=user)
    with pytest.raises(NobodyToPrint):
        sheet_prints.ask([empty.pk], actor=registrar)
    made = sheet_prints.ask(chosen, actor=registrar)
    sheet_prints.make(made.job_id)
    signed_in(client, registrar)
    address = reverse("archives:sheet_made", args=[made.public_id])
    with ZipFile(io.BytesIO(downloaded(client, address))) as bundle:
        assert ["一(1)班" in name or "一(2)班" in name for name in bundle.namelist()] == [True, True]
        assert all(bundle.read(name).startswith(b"%PDF") for name in bundle.namelist())
    assert Event.objects.within(make.SCHOOL).filter(action="archives.sheet.print").count() == 2
    lost = sheet_prints.ask(chosen, actor=registrar)
    registrar.posts.all().delete()  # her right is gone before the worker comes
    sheet_prints.make(lost.job_id)
    lost.refresh_from_db()
    assert (lost.state, lost.job.state) == ("failed", "failed")
    sheet = reverse("archives:sheet", args=[ConfirmationSheet.objects.get(student=pupil).code])
    other = make.make_user("head_teacher", make.SCHOOL)
    assert signed_in(client, other).get(address).status_code == 404  # who asked alone
    for user, status in ((other, 404), (make.make_leader(), 403), (make.make_registrar(make.SISTER), 404)):
        sent = {"file": SimpleUploadedFile("a.jpg", jpeg())}
        assert signed_in(client, user).post(sheet, sent).status_code == status
    there = make.make_class(make.SISTER)
    Enrolment.objects.filter(student=pupil).update(org_path=make.SISTER, school_class=there)
    Student.objects.filter(pk=pupil.pk).update(org_path=make.SISTER)
    assert signed_in(client, make.make_registrar()).get(sheet).status_code == 404  # her record is elsewhere
    assert Material.objects.count() == 0


@pytest.mark.rule("R-VER-06", "R-VER-05", "G-16")
def test_what_becomes_of_a_pupil_beyond_the_list_is_planned_one_by_one(
    client: Client, teacher: User, school_class: SchoolClass, school: SchoolVerification
) -> None:
    listed = [pupil.pk for pupil in pupils_in(school_class, 1)]
    confirm_roll(school_class, listed, [], ["林外来", "吴新禾", "周转去"], version=0, actor=teacher)
    found, registrar = Finding.objects.get(kind="unlisted"), make.make_registrar()
    address, act = (reverse(f"verification:finding{end}", args=[found.pk]) for end in ("", "_act"))
    marks = {mark.name: mark.pk for mark in RollMark.objects.filter(student=None)}
    soon = (today() + timedelta(days=5)).isoformat()
    ways = dict(zip(marks.values(), ("transfer", "create", "back"), strict=True))
    sent = {"act": "ways", "due_on": soon, "text": ""} | {f"way{pk}": way for pk, way in ways.items()}
    signed_in(client, registrar)
    for wrong in (
        {f"way{marks['林外来']}": ""},
        {f"way{marks['林外来']}": "wait"},
        {f"way{10**9}": "back"},
        {"due_on": ""},
    ):
        assert client.post(act, sent | wrong).status_code == 422, wrong
    with pytest.raises(WayMissing):  # nor by the list of findings
        plan(school.campaign, make.SCHOOL, [found.pk], actor=registrar, text="逐人查明学籍", due_on=today())
    assert client.post(act, sent).status_code == 302
    found.refresh_from_db()
    said = "转入学籍 1 人、回学籍所在学校 1 人、新建学籍 1 人。"
    assert (found.state, found.plan, found.planned_by) == ("planned", said, registrar)
    page = client.get(address).content.decode()
    assert f'action="{reverse("transfers:move_in")}"' in page
    assert f"{reverse('transfers:register')}?class={school_class.pk}" in page
    assert "回到学籍所在学校" in page
    # Somebody new sits there: the plan does not cover her, what was planned for the others stays.
    Finding.objects.filter(pk=found.pk).update(order_due_on=today())
    confirm_roll(school_class, listed, [], ["林外来", "吴新禾", "郑又来"], version=1, actor=teacher)
    found.refresh_from_db()
    assert (found.state, found.due_on) == ("open", today())  # a day that was ordered stands
    assert dict(RollMark.objects.filter(student=None).values_list("name", "way")) == {
        "林外来": "transfer", "吴新禾": "create", "郑又来": "",
    }  # fmt: skip
    with pytest.raises(FindingsUnplanned):
        sign(school, actor=make.make_leader())


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
