"""A class's photos as a case: handed in, looked at, approved, returned, refused (C4, AZ-7, RD-3)."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from accounts.models import User
from archives import photos
from archives.models import Material, PhotoBatch, PhotoFile
from archives.services import add_material, attach, open_material
from audit.models import AccessEntry, Event
from config.models import Outbox
from registry.models import Enrolment, Student
from tests import make
from tests.archives.photo_zips import JPEG, checked, pupils, work
from tests.archives.pictures import as_bytes, halves
from tests.registry.hostile import pack
from tests.transfers.filing import finish
from transfers.completion import perform_owed
from transfers.models import Case
from transfers.photos import submit_photos
from transfers.refusals import SecondSignature
from transfers.services import decide, withdraw

pytestmark = pytest.mark.usefixtures("nation")


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "materials"
    return tmp_path / "materials"


@pytest.fixture
def office() -> dict[str, Any]:
    return {
        "class": make.make_class(name="三(2)班", grade="13"),
        "registrar": make.make_registrar(),
        "leader": make.make_leader(),
        "reviewer": make.make_reviewer(),
    }


def batch_of(office: dict[str, Any], *names: str, wrong: int = 0) -> tuple[PhotoBatch, list[Student]]:
    """A checked batch with a photo of each of these pupils, and `wrong` files beside."""
    made, numbers = pupils(office["class"], *names)
    files = {f"{number}.jpg": JPEG for number in numbers} | {f"无名{n}.jpg": JPEG for n in range(wrong)}
    return checked(office["class"], files, actor=office["registrar"]), made


def submitted(office: dict[str, Any], *names: str) -> tuple[Case, list[Student]]:
    batch, made = batch_of(office, *names)
    return submit_photos(batch, actor=office["registrar"], skips_wrong=False), made


def approve(case: Case, office: dict[str, Any]) -> None:
    for person in ("leader", "reviewer"):
        decide(Case.objects.get(pk=case.pk), "approve", actor=office[person])


def page(client: Client, user: User, route: str, *arguments: Any, **query: str) -> Any:
    client.force_login(user)
    return client.get(reverse(route, args=arguments), query)


def anew(user: User) -> User:
    """The same person with the posts she has now."""
    found = User.objects.get(pk=user.pk)
    found.acting_post = user.acting_post
    return found


def sealed(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


def colours(material: Material) -> str:
    """Which half is above: tells a new photo from an old one."""
    image = Image.open(BytesIO(open_material(material)))
    red, _green, blue = image.getpixel((130, 20))  # type: ignore[misc]
    return "red" if red > blue else "blue"


# ── From the ZIP to the record ───────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("C4", "FI-1", "FI-4", "RD-3")
def test_from_upload_to_the_records_through_the_pages(
    client: Client, office: dict[str, Any], folder: Path
) -> None:
    made, numbers = pupils(office["class"], "王小明", "李佳佳", "陈晨", "艾力", "欧阳静")
    old = add_material(as_bytes(halves(400, 500).rotate(180)), kind="photo", actor=office["registrar"])
    attach([old], made[0], actor=office["registrar"])
    listed = page(client, office["registrar"], "archives:photos", **{"class": str(office["class"].pk)})
    assert f'value="{office["class"].pk}" selected' in listed.text
    assert '<td class="right num" data-label="缺照片"><b>4</b></td>' in listed.text
    code, number = office["class"].school.code, office["class"].number
    files = {
        f"{numbers[0]}.jpg": JPEG, f"{numbers[1]}.JPG": JPEG, f"{code}_{number}_陈晨.jpg": JPEG,
        f"{code}_{number}_艾力.jpg": JPEG, "欧阳静.jpg": JPEG, "集体照.jpg": JPEG,
    }  # fmt: skip
    zipped = SimpleUploadedFile("三年级二班.zip", pack(files))
    sent = client.post(reverse("archives:photos"), {"class": office["class"].pk, "file": zipped})
    assert sent.status_code == 302
    batch = PhotoBatch.objects.get()
    assert "hx-get" in client.get(sent["Location"]).text
    batch = work(batch)
    done = client.get(reverse("archives:photo_progress", args=[batch.public_id]))
    assert done["HX-Refresh"] == "true"
    shown = client.get(sent["Location"]).text
    assert "photo_pupil_unknown" in shown
    assert not any(number in shown for number in numbers)
    act = reverse("transfers:photos_submit", args=[batch.public_id])
    refused = client.post(act)
    assert (refused.status_code, "photo_some_wrong" in refused.text) == (422, True)
    handed_in = client.post(act, {"skips_wrong": "1"})
    case = Case.objects.get(kind="photos")
    assert handed_in["Location"] == reverse("transfers:case", args=[case.number])
    assert (case.number[:2], case.count, case.student_id, case.state) == ("ZP", 5, None, "waiting")
    assert "三(2)班 5 人" in client.get(handed_in["Location"]).text
    for person in ("leader", "reviewer"):
        client.force_login(office[person])
        assert "三(2)班 5 人" in client.get(handed_in["Location"]).text
        answer = client.post(reverse("transfers:decide", args=[case.number]), {"decision": "approve"})
        assert answer.status_code == 302
    assert not Material.objects.exclude(pk=old.pk).exists()
    finish(case)
    case.refresh_from_db()
    assert case.state == "done"
    for pupil in made:
        answer = page(client, office["reviewer"], "archives:photo", pupil.public_id)
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
        assert Event.objects.filter(action="archives.photo.attach", subject_id=pupil.pk).count() == 1
    latest = Material.objects.filter(student=made[0]).order_by("-pk")
    assert [colours(material) for material in latest] == ["red", "blue"]
    assert sealed(folder) == 6  # five new, one old; nothing of the ZIP
    again = page(client, office["registrar"], "archives:photos")
    assert '<td class="right num" data-label="缺照片">0</td>' in again.text
    assert "已归档" in page(client, office["registrar"], "archives:photo_batch", batch.public_id).text


@pytest.mark.rule("RE-1")
def test_the_effect_performed_twice_is_one_photo(office: dict[str, Any]) -> None:
    case, made = submitted(office, "甲", "乙")
    approve(case, office)
    owed = Outbox.objects.get(kind="complete_case", subject_id=case.pk)
    assert perform_owed(owed.pk)
    Outbox.objects.filter(pk=owed.pk).update(done_at=None)
    perform_owed(owed.pk)
    assert Material.objects.filter(student__in=made).count() == 2
    assert Event.objects.filter(action="archives.photo.attach").count() == 2


def test_a_pupil_who_left_before_the_approval_is_passed_over(office: dict[str, Any], folder: Path) -> None:
    case, [stays, leaves] = submitted(office, "甲", "乙")
    make.make_office(make.NEIGHBOUR)
    Enrolment.objects.filter(student=leaves).update(status="11")
    Student.objects.filter(pk=leaves.pk).update(org_path=make.NEIGHBOUR)
    approve(case, office)  # the reviewers are told; nothing stops
    finish(case)
    assert Material.objects.filter(student=stays).count() == 1
    assert not Material.objects.filter(student=leaves).exists()
    assert PhotoFile.objects.get(student=leaves).failure["code"] == "photo_pupil_left"
    photos.erase_owed(make.SCHOOL)
    assert sealed(folder) == 1


# ── Refused, withdrawn, returned ─────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("RD-8", "FI-4")
@pytest.mark.parametrize("how", ["refused", "withdrawn"])
def test_photos_of_a_case_that_ends_are_erased(
    office: dict[str, Any], folder: Path, how: str, django_capture_on_commit_callbacks: Any
) -> None:
    case, made = submitted(office, "甲", "乙")
    assert sealed(folder) == 2
    with django_capture_on_commit_callbacks(execute=True):
        if how == "refused":
            decide(case, "refuse", actor=office["leader"], reason="照片与学生不符")
        else:
            withdraw(case, actor=office["registrar"], reason="拿错了班级")
    assert Case.objects.get(pk=case.pk).state == how
    assert PhotoBatch.objects.get().state == "cancelled"
    assert (sealed(folder), PhotoFile.objects.count(), Material.objects.count()) == (0, 0, 0)
    assert submitted(office, "丙")[0].state == "waiting"
    assert not Event.objects.filter(action="archives.photo.attach", subject_id=made[0].pk).exists()


def test_a_returned_batch_goes_on_without_the_photos_objected_to(
    client: Client, office: dict[str, Any]
) -> None:
    case, made = submitted(office, "甲", "乙", "丙")
    decide(case, "return", actor=office["leader"], reason="第 2 张不是本人")
    client.force_login(office["registrar"])
    act = reverse("transfers:correct", args=[case.number])
    assert "第 2 张不是本人" in client.get(act).text
    everyone = client.post(act, {"dropped": ["1", "2", "3"]})
    assert (everyone.status_code, "photo_none_good" in everyone.text) == (422, True)
    assert client.post(act, {"dropped": "x"}).status_code == 400
    assert client.post(act, {"dropped": "2"}).status_code == 302
    case.refresh_from_db()
    assert (case.state, case.count) == ("waiting", 2)
    approve(case, office)
    finish(case)
    have = Material.objects.filter(kind="photo").values_list("student_id", flat=True)
    assert set(have) == {made[0].pk, made[2].pk}


@pytest.mark.rule("AZ-7", "R-ACC-02")
def test_who_files_does_not_review_and_nobody_signs_twice(office: dict[str, Any]) -> None:
    case, _made = submitted(office, "甲")
    make.add_post(office["registrar"], "leader", make.SCHOOL)
    make.add_post(office["leader"], "reviewer", make.COUNTY)
    with pytest.raises(SecondSignature):
        decide(case, "approve", actor=anew(office["registrar"]))
    decide(case, "approve", actor=anew(office["leader"]))
    with pytest.raises(SecondSignature):
        decide(Case.objects.get(pk=case.pk), "approve", actor=anew(office["leader"]))
    decide(Case.objects.get(pk=case.pk), "approve", actor=office["reviewer"])
    assert Case.objects.get(pk=case.pk).state == "approved"


def test_a_batch_is_handed_in_once_and_only_with_a_good_photo(client: Client, office: dict[str, Any]) -> None:
    none_good = checked(office["class"], {"无名.jpg": JPEG}, actor=office["registrar"])
    client.force_login(office["registrar"])
    act = reverse("transfers:photos_submit", args=[none_good.public_id])
    refused = client.post(act, {"skips_wrong": "1"})
    assert (refused.status_code, "photo_none_good" in refused.text) == (422, True)
    assert client.post(reverse("archives:photo_cancel", args=[none_good.public_id])).status_code == 302
    batch, _made = batch_of(office, "甲")
    act = reverse("transfers:photos_submit", args=[batch.public_id])
    assert client.post(act).status_code == 302
    assert client.post(act).status_code == 409
    assert client.post(reverse("archives:photo_cancel", args=[batch.public_id])).status_code == 409
    assert Case.objects.filter(kind="photos").count() == 1


def test_uploads_that_are_refused_say_why(client: Client, office: dict[str, Any]) -> None:
    client.force_login(office["registrar"])
    foreign = make.make_class(make.SISTER)
    chosen, act = office["class"].pk, reverse("archives:photos")

    def send(content: bytes | None, school_class: Any) -> Any:
        file = {"file": SimpleUploadedFile("a.zip", content)} if content is not None else {}
        return client.post(act, {"class": school_class} | file)

    good = pack({"甲.jpg": JPEG})
    for content, school_class, status, code in (
        (None, chosen, 422, "photo_zip_missing"),
        (b"Rar!", chosen, 422, "photo_zip_file_other"),
        (good, foreign.pk, 404, ""),
        (good, "x", 404, ""),
        (good, chosen, 302, ""),
        (good, chosen, 409, "photo_class_busy"),
    ):
        answer = send(content, school_class)
        assert (answer.status_code, code in answer.content.decode()) == (status, True)


# ── Who sees what ────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("AZ-1", "AZ-2", "RD-1", "RD-3")
def test_a_photo_is_seen_above_only_once_it_is_a_case_and_each_opening_is_traced(
    client: Client, office: dict[str, Any]
) -> None:
    batch, [pupil, _other] = batch_of(office, "甲", "乙")
    file = PhotoFile.objects.get(student=pupil)

    def opened(user: User) -> int:
        return int(page(client, user, "archives:photo_file", file.public_id).status_code)

    strangers = [make.make_registrar(make.SISTER), make.make_reviewer(make.NEIGHBOUR_COUNTY)]
    assert (opened(office["registrar"]), opened(office["reviewer"])) == (200, 404)
    case = submit_photos(batch, actor=office["registrar"], skips_wrong=False)
    assert (opened(office["reviewer"]), [opened(user) for user in strangers]) == (200, [404, 404])
    reads = AccessEntry.objects.filter(route="archives:photo_file", outcome="read")
    assert (
        list(reads.values_list("subject_type", "subject_id", "fields"))
        == [("student", pupil.pk, ["photo"])] * 2
    )
    answer = page(client, office["reviewer"], "archives:photo_file", file.public_id)
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert page(client, strangers[0], "transfers:case_photos", case.number).status_code == 404
    looked = page(client, office["leader"], "transfers:case_photos", case.number)
    assert looked.text.count("<figure><img") == 2
    trace = AccessEntry.objects.get(route="transfers:case_photos", outcome="list")
    assert (trace.actor_id, len(trace.subject_ids)) == (office["leader"].pk, 2)
    # Not on the case's own page, nor in any list.
    for user, route, arguments in (
        (office["leader"], "transfers:case", [case.number]),
        (office["leader"], "transfers:queue", []),
        (office["registrar"], "archives:photos", []),
    ):
        assert str(file.public_id) not in page(client, user, route, *arguments).text


def test_the_photos_of_a_case_are_paged(client: Client, office: dict[str, Any]) -> None:
    case, made = submitted(office, *(f"学生{chr(0x4E00 + n)}" for n in range(26)))
    first = page(client, office["leader"], "transfers:case_photos", case.number)
    rest = page(client, office["leader"], "transfers:case_photos", case.number, after="24")
    assert (first.text.count('class="photo-pair"'), rest.text.count('class="photo-pair"')) == (24, 2)
    assert made[25].name in rest.text
    assert page(client, office["leader"], "transfers:case_photos", case.number, after="x").status_code == 404


def test_query_counts_do_not_grow_with_photos(client: Client, office: dict[str, Any]) -> None:
    counts = []
    for size in (1, 8):
        office["class"] = make.make_class(name=f"三({size})班", grade="13")
        batch, _made = batch_of(office, *(f"学生{chr(0x4E00 + n)}" for n in range(size)), wrong=size)
        found = []
        for route in ("archives:photo_batch", "archives:photos"):
            arguments = [batch.public_id] if route == "archives:photo_batch" else []
            page(client, office["registrar"], route, *arguments)
            with CaptureQueriesContext(connection) as queries:
                assert page(client, office["registrar"], route, *arguments).status_code == 200
            found.append(len(queries))
        case = submit_photos(batch, actor=office["registrar"], skips_wrong=True)
        for route in ("transfers:case", "transfers:case_photos"):
            page(client, office["leader"], route, case.number)
            with CaptureQueriesContext(connection) as queries:
                assert page(client, office["leader"], route, case.number).status_code == 200
            found.append(len(queries))
        counts.append(found)
    assert counts[0] == counts[1]
