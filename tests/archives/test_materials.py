"""Materials from upload to purge: who may, what is stored, what is shown to whom, what is left behind."""

import json
import re
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image
from rest_framework.test import APIRequestFactory, force_authenticate

from accounts.models import User
from archives import services
from archives.api import MaterialView
from archives.models import Material
from archives.refusals import KindUnknown, MaterialTaken, UploadGone
from audit.models import AccessEntry, Event
from config import sealed_files
from config.crypto import DoesNotOpen
from config.errors import NotAllowed
from registry.models import Student
from tests import make
from tests.archives.pictures import CANARY, EXE, as_bytes, halves, noise, with_metadata

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nation")]


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "materials"
    return tmp_path / "materials"


@pytest.fixture
def registrar() -> User:
    return make.make_registrar()


@pytest.fixture
def pupil() -> Student:
    return make.make_student()


def send(client: Client, user: User, data: bytes, **fields: str) -> Any:
    client.force_login(user)
    file = SimpleUploadedFile(fields.pop("name", "照片.jpg"), data, "image/jpeg")
    return client.post(
        reverse("archives:upload"), {"file": file, "kind": "photo", **fields}, headers={"HX-Request": "1"}
    )


def show(client: Client, user: User, material: Material) -> Any:
    client.force_login(user)
    return client.get(reverse("archives:material", args=[material.public_id]))


def photo_of(student: Student, actor: User) -> Material:
    material = services.add_material(as_bytes(noise(400, 500)), kind="photo", actor=actor)
    services.attach([material], student, actor=actor)
    return Material.objects.get(pk=material.pk)


def body(response: Any) -> bytes:
    """The answer without what differs every time: number of the request, masks of the CSRF token, minute."""
    number = response["X-Request-Id"].replace("-", "").upper()[:8].encode()
    text = bytes(response.content).replace(b"</i><i>", b"").replace(number, b"-")
    return re.sub(rb"[A-Za-z0-9]{64}|\d{4}-\d\d-\d\d \d\d:\d\d", b"-", text)


# ── Taking in ────────────────────────────────────────────────────────────
@pytest.mark.rule("FI-1", "FI-4")
def test_an_upload_is_written_anew_sealed_and_shown(client: Client, registrar: User, folder: Path) -> None:
    answer = send(client, registrar, with_metadata("JPEG") + CANARY)
    assert answer.status_code == 200, answer.content.decode()
    material = Material.objects.get()
    assert f'<input type="hidden" name="photo" value="{material.public_id}">' in answer.content.decode()
    assert reverse("archives:material", args=[material.public_id]) in answer.content.decode()
    assert (material.org_path, material.student, material.created_by) == (make.SCHOOL, None, registrar.pk)
    assert Event.objects.get(action="archives.material.add").subject_id == material.pk

    [file] = [path for path in folder.rglob("*") if path.is_file()]
    assert file.relative_to(folder).as_posix() == f"{material.stored_as[:2]}/{material.stored_as}"
    assert file.stat().st_mode & 0o077 == 0
    sealed = file.read_bytes()
    written = services.open_material(material)
    assert written[:3] == b"\xff\xd8\xff"
    assert written[:64] not in sealed
    assert b"JFIF" not in sealed

    image = show(client, registrar, material)
    assert image.content == written
    assert CANARY not in written
    assert Image.open(BytesIO(written)).size == (260, 320)


@pytest.mark.rule("FI-4")
def test_the_image_carries_a_policy_of_its_own(client: Client, registrar: User, pupil: Student) -> None:
    answer = show(client, registrar, photo_of(pupil, registrar))
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.rule("FI-1")
def test_a_png_with_a_program_inside_is_stored_without_it(client: Client, registrar: User) -> None:
    data = as_bytes(halves(400, 500), "PNG") + EXE
    assert send(client, registrar, data, kind="document", evidence_type="02", name="x.png").status_code == 200
    material = Material.objects.get()
    assert (material.evidence_type, material.content_type) == ("02", "image/jpeg")
    assert EXE not in services.open_material(material)


BAD = {
    "text renamed": ({"data": "姓名,性别".encode()}, 422, "not_an_image"),
    "cut off": ({"data": as_bytes(noise(300, 400))[:9000]}, 422, "not_an_image"),
    "empty": ({"data": b""}, 422, "not_an_image"),
    "over 2 MB": ({"data": b"\xff\xd8\xff" + b"\x00" * (2048 * 1024)}, 413, "file_too_large"),
    "over 5 MB": ({"data": b"\xff\xd8\xff" + b"\x00" * (5 << 20)}, 413, "file_too_large"),
    "over 25 megapixels": ({"data": as_bytes(Image.new("1", (5001, 5000)), "PNG")}, 413, "image_too_large"),
    "too small": ({"data": as_bytes(noise(99, 200))}, 422, "image_too_small"),
    "kind not in list": ({"data": as_bytes(noise(300, 400)), "kind": "video"}, 422, "material_kind_unknown"),
    "type not in list": (
        {"data": as_bytes(noise(300, 400)), "kind": "document", "evidence_type": "77"},
        422,
        "material_kind_unknown",
    ),
    "photo as a paper": (
        {"data": as_bytes(noise(300, 400)), "evidence_type": "02"},
        422,
        "material_kind_unknown",
    ),
}


@pytest.mark.rule("FI-1")
@pytest.mark.parametrize("case", BAD)
def test_a_refused_file_leaves_nothing_but_the_refusal(
    client: Client, registrar: User, folder: Path, case: str
) -> None:
    fields, status, code = BAD[case]
    former = services.add_material(as_bytes(noise(400, 500)), kind="photo", actor=registrar)
    events, files = Event.objects.count(), sorted(folder.rglob("*"))
    answer = send(client, registrar, **fields, field="photo", photo=str(former.public_id))  # type: ignore[arg-type]
    text = answer.content.decode()
    assert answer.status_code == status, text
    assert code in text
    assert f'name="photo" value="{former.public_id}"' in text  # what was there is kept
    assert list(Material.objects.all()) == [former]
    assert Event.objects.count() == events
    assert sorted(folder.rglob("*")) == files
    entry = AccessEntry.objects.get(outcome="refused")
    assert (entry.route, entry.code, entry.purpose) == ("archives:upload", code, str(status))


def test_an_upload_without_a_file_is_told_so(client: Client, registrar: User) -> None:
    client.force_login(registrar)
    answer = client.post(reverse("archives:upload"), {"kind": "photo", "field": '"><script>'})
    assert answer.status_code == 422
    assert "file_missing" in answer.content.decode()
    assert "<script>" not in answer.content.decode()


def test_the_paper_of_a_field_may_stand_in_the_address(client: Client, registrar: User) -> None:
    client.force_login(registrar)
    file = SimpleUploadedFile("a.jpg", as_bytes(halves(400, 500)))
    address = reverse("archives:upload") + "?evidence_type=01"
    answer = client.post(address, {"file": file, "kind": "document", "field": "paper_1"})
    material = Material.objects.get()
    assert f'name="paper_1" value="{material.public_id}"' in answer.content.decode()
    assert "居民户口簿" in answer.content.decode()
    assert material.evidence_type == "01"


def send_to_api(user: User, fields: dict[str, Any], key: str = "first-key") -> Any:
    """POST /api/v1/materials/, in a transaction as the request's own would be."""
    request = APIRequestFactory().post(
        "/api/v1/materials/", fields, format="multipart", headers={"Idempotency-Key": key}
    )
    force_authenticate(request, user)
    with transaction.atomic():
        return MaterialView.as_view()(request)


@pytest.mark.rule("AZ-5")
def test_the_api_takes_the_same_file(registrar: User) -> None:
    sent = {
        "file": SimpleUploadedFile("a.jpg", as_bytes(halves(400, 500))),
        "kind": "document",
        "evidence_type": "02",
    }
    answer = send_to_api(registrar, sent)
    assert answer.status_code == 201
    material = Material.objects.get()
    assert answer.data == {"id": str(material.public_id)}
    assert answer["Location"] == reverse("archives:material", args=[material.public_id])
    assert material.evidence_type == "02"


@pytest.mark.rule("AZ-5")
@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"kind": "photo"}, 400, "invalid"),
        ({"kind": "video", "file": b"x"}, 400, "invalid"),
        ({"kind": "photo", "file": b"text"}, 422, "not_an_image"),
        ({"kind": "photo", "file": b"x" * (5 << 20)}, 413, "file_too_large"),
        ({"kind": "photo", "file": as_bytes(halves(400, 500)), "org_path": "CN."}, 400, "invalid"),
    ],
)
def test_the_api_refuses_in_its_own_form(
    registrar: User, fields: dict[str, Any], status: int, code: str
) -> None:
    if "file" in fields:
        fields = fields | {"file": SimpleUploadedFile("a.jpg", fields["file"])}
    answer = send_to_api(registrar, fields)
    assert answer.status_code == status
    assert json.loads(answer.content)["code"] == code
    assert not Material.objects.exists()


@pytest.mark.rule("AP-4")
def test_the_api_keeps_one_file_a_key(registrar: User) -> None:
    def send(content: bytes, key: str) -> Any:
        file = SimpleUploadedFile("a.jpg", content)
        return send_to_api(registrar, {"file": file, "kind": "document", "evidence_type": "02"}, key)

    picture = as_bytes(halves(400, 500))
    missing = send(picture, "")
    assert (missing.status_code, json.loads(missing.content)["code"]) == (400, "idempotency_key_missing")
    first, again = send(picture, "one-upload"), send(picture, "one-upload")
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.data, again["Location"]) == (first.data, first["Location"])
    other = send(as_bytes(halves(500, 400)), "one-upload")
    assert (other.status_code, json.loads(other.content)["code"]) == (422, "idempotency_key_reused")
    assert Material.objects.count() == 1


@pytest.mark.rule("AZ-2")
@pytest.mark.parametrize(
    ("role", "path"), [("leader", make.SCHOOL), ("bureau_leader", make.COUNTY), ("auditor", make.CITY)]
)
def test_who_may_not_file_may_not_upload(client: Client, role: str, path: str) -> None:
    user = make.make_user(role, path)
    assert send(client, user, as_bytes(noise(400, 500))).status_code == 403
    with pytest.raises(NotAllowed):
        services.add_material(as_bytes(noise(400, 500)), kind="photo", actor=user)
    assert not Material.objects.exists()


# ── Showing ────────────────────────────────────────────────────────────
@pytest.mark.rule("RD-3", "AZ-2", "FI-4")
def test_above_sees_the_photo_and_beside_gets_what_missing_gets(
    client: Client, registrar: User, pupil: Student
) -> None:
    material = photo_of(pupil, registrar)
    routes = {
        reverse("archives:material", args=[material.public_id]): reverse("archives:material", args=[uuid4()]),
        reverse("archives:photo", args=[pupil.public_id]): reverse("archives:photo", args=[uuid4()]),
    }
    seers = [registrar, make.make_leader(), make.make_reviewer(), make.make_user("auditor", make.PROVINCE)]
    for user in seers:
        client.force_login(user)
        for route in routes:
            answer = client.get(route)
            assert answer.status_code == 200
            entry = AccessEntry.objects.filter(actor_id=user.pk, outcome="read").latest("id")
            assert (entry.subject_type, entry.subject_id, entry.fields) == ("student", pupil.pk, ["photo"])
            assert entry.route in {"archives:material", "archives:photo"}
            assert entry.org_path == make.SCHOOL
    for user in (
        make.make_registrar(make.SISTER),
        make.make_reviewer(make.NEIGHBOUR_COUNTY),
        make.make_registrar(make.FAR),
        make.make_user("registrar", make.SCHOOL, trained=False),
    ):
        client.force_login(user)
        for route, missing in routes.items():
            hidden, absent = client.get(route), client.get(missing)
            if user.held:
                assert hidden.status_code == 404
            assert hidden.status_code == absent.status_code >= 400
            assert body(hidden) == body(absent)
        assert not AccessEntry.objects.filter(actor_id=user.pk, outcome="read").exists()


@pytest.mark.rule("RD-3")
def test_an_upload_is_its_own_offices_until_it_belongs_to_a_pupil(
    client: Client, registrar: User, pupil: Student
) -> None:
    material = services.add_material(as_bytes(halves(400, 500)), kind="document", actor=registrar)
    assert show(client, make.make_leader(), material).status_code == 200
    read = AccessEntry.objects.get(outcome="read")
    assert (read.subject_type, read.subject_id, read.fields) == ("material", material.pk, ["material"])
    county = make.make_reviewer()
    assert show(client, county, material).status_code == 404
    services.attach([material], pupil, actor=registrar)
    assert show(client, county, material).status_code == 200


def test_the_latest_photo_is_the_current_one(client: Client, registrar: User, pupil: Student) -> None:
    client.force_login(registrar)
    route = reverse("archives:photo", args=[pupil.public_id])
    assert client.get(route).status_code == 404  # a pupil without a photo
    photo_of(pupil, registrar)
    latest = photo_of(pupil, registrar)
    paper = services.add_material(as_bytes(halves(400, 500)), kind="document", actor=registrar)
    services.attach([paper], pupil)
    assert services.current_photo(pupil) == latest
    assert client.get(route).content == services.open_material(latest)


def test_nobody_who_is_not_signed_in_sees_or_sends(client: Client, registrar: User, pupil: Student) -> None:
    material = photo_of(pupil, registrar)
    for route in (
        reverse("archives:material", args=[material.public_id]),
        reverse("archives:photo", args=[pupil.public_id]),
    ):
        assert client.get(route).status_code in {302, 401}
    for route in (reverse("archives:upload"), reverse("archives:remove", args=[material.public_id])):
        assert client.post(route).status_code in {302, 401, 403}


# ── At rest ────────────────────────────────────────────────────────────
@pytest.mark.rule("FI-4", "KE-2")
def test_a_file_that_was_exchanged_does_not_open(registrar: User, folder: Path) -> None:
    first = services.add_material(as_bytes(halves(400, 500)), kind="photo", actor=registrar)
    second = services.add_material(as_bytes(noise(400, 500)), kind="photo", actor=registrar)
    files = [folder / m.stored_as[:2] / m.stored_as for m in (first, second)]
    files[0].write_bytes(files[1].read_bytes())
    with pytest.raises(DoesNotOpen):
        services.open_material(first)
    assert services.open_material(second)
    first.stored_as = second.stored_as  # the row points at another pupil's file: it opens, the digest tells
    with pytest.raises(DoesNotOpen):
        services.open_material(first)
    files[0].unlink()
    with pytest.raises(DoesNotOpen):
        sealed_files.load(files[0].name, "archives_material", first.digest)
    for name in ("../../etc/passwd", "", "a" * 31, "A" * 32, "a" * 32 + "\n"):
        with pytest.raises(DoesNotOpen):
            sealed_files.load(name, "archives_material", first.digest)


@pytest.mark.rule("RD-3", "KE-2")
def test_a_file_that_does_not_open_is_an_error_and_never_an_empty_image(
    client: Client, registrar: User, pupil: Student, folder: Path
) -> None:
    material = photo_of(pupil, registrar)
    (folder / material.stored_as[:2] / material.stored_as).write_bytes(b"")
    client.raise_request_exception = False
    assert show(client, registrar, material).status_code == 500
    assert not AccessEntry.objects.filter(outcome="read").exists()


# ── Attaching ────────────────────────────────────────────────────────────
def test_an_upload_goes_to_one_pupil_only(registrar: User, pupil: Student) -> None:
    material = services.add_material(as_bytes(halves(400, 500)), kind="photo", actor=registrar)
    assert services.find_uploads([str(material.public_id)] * 2, actor=registrar) == [material]
    services.attach([material], pupil, actor=registrar)
    services.attach([material], pupil, actor=registrar)
    assert Event.objects.filter(action="archives.material.attach", subject_id=pupil.pk).count() == 1
    with pytest.raises(MaterialTaken):
        services.attach([material], make.make_student(), actor=registrar)
    foreign = services.add_material(
        as_bytes(halves(400, 500)), kind="photo", actor=make.make_registrar(make.SISTER)
    )
    with pytest.raises(MaterialTaken):
        services.attach([foreign], pupil, actor=registrar)
    for unknown in ([str(foreign.public_id)], [str(uuid4())], ["x"], [""]):
        with pytest.raises(UploadGone):
            services.find_uploads(unknown, actor=registrar)


def test_kinds_are_a_list(registrar: User) -> None:
    with pytest.raises(KindUnknown):
        services.add_material(as_bytes(noise(400, 500)), kind="pdf", actor=registrar)


# ── Taking back, purging ────────────────────────────────────────────────────────────
def test_an_upload_may_be_taken_back_until_it_is_filed(
    client: Client, registrar: User, pupil: Student, folder: Path
) -> None:
    material = services.add_material(as_bytes(halves(400, 500)), kind="photo", actor=registrar)
    route = reverse("archives:remove", args=[material.public_id])
    client.force_login(make.make_registrar(make.SISTER))
    assert client.post(route).status_code == 404
    client.force_login(registrar)
    assert client.get(route).status_code == 405
    assert client.post(route).status_code == 200
    assert not Material.objects.exists()
    assert not [path for path in folder.rglob("*") if path.is_file()]
    assert Event.objects.filter(action="archives.material.remove", subject_id=material.pk).count() == 1
    filed = photo_of(pupil, registrar)
    assert client.post(reverse("archives:remove", args=[filed.public_id])).status_code == 409
    assert services.open_material(filed)


@pytest.mark.rule("RD-8")
def test_uploads_that_nobody_filed_are_purged_at_their_bound(
    registrar: User, pupil: Student, folder: Path
) -> None:
    filed = photo_of(pupil, registrar)
    far = services.add_material(as_bytes(halves(400, 500)), kind="photo", actor=make.make_registrar(make.FAR))
    near = services.add_material(as_bytes(halves(400, 500)), kind="photo", actor=registrar)
    bound = timezone.now() - timedelta(days=7)
    Material.objects.filter(pk__in=(filed.pk, far.pk, near.pk)).update(
        created_at=bound - timedelta(seconds=1)
    )
    young = services.add_material(as_bytes(halves(400, 500)), kind="photo", actor=registrar)
    Material.objects.filter(pk=young.pk).update(created_at=bound)

    assert services.count_unattached(bound) == 2
    assert services.purge_unattached(bound) == 2
    assert services.purge_unattached(bound) == 0
    assert set(Material.objects.values_list("pk", flat=True)) == {filed.pk, young.pk}
    assert {path.name for path in folder.rglob("*") if path.is_file()} == {filed.stored_as, young.stored_as}
    purged = Event.objects.filter(action="archives.material.purge")
    assert {event.org_path for event in purged} == {make.SCHOOL, make.FAR}
    assert {event.subject_id for event in purged} == {far.pk, near.pk}


def test_the_fragment_holds_no_script_or_style(client: Client, registrar: User) -> None:
    text = send(client, registrar, as_bytes(noise(400, 500))).content.decode()
    assert not re.search(r"\son\w+=|style=|<script|hx-on", text)
