"""The ZIP of a class's photos: whose each file is, what is refused and why, what stays behind (C4, FI-2)."""

import io
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import pytest
from PIL import Image

from accounts.models import User
from archives import photo_checking, photos
from archives.models import Material, PhotoBatch, PhotoFile
from archives.photo_refusals import BadZip, ClassBusy, PhotosNotNow
from archives.tasks import purge_materials, resume_photos
from audit.models import Event
from config.clock import now
from config.errors import NotAllowed
from config.models import Job
from registry.models import SchoolClass
from tests import make
from tests.archives.photo_zips import JPEG, ChineseWindows, checked, hand_in, pupils, results, work
from tests.archives.pictures import CANARY, as_bytes, halves, noise, with_metadata
from tests.registry import hostile as h

pytestmark = pytest.mark.usefixtures("nation")


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "materials"
    return tmp_path / "materials"


@pytest.fixture
def registrar() -> User:
    return make.make_registrar()


@pytest.fixture
def room() -> SchoolClass:
    return make.make_class(name="三(2)班", grade="13")


def sealed(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


# ── Whose photo ──────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("C4", "FI-1", "FI-2", "FI-5")
def test_files_find_their_pupils_by_number_by_code_and_by_name(
    room: SchoolClass, registrar: User, folder: Path
) -> None:
    made, numbers = pupils(room, "王小明", "李佳佳", "陈晨", "买买提·艾力", "欧阳静")
    code = room.school.code
    files = {
        f"三(2)班/{numbers[0]}.jpg": with_metadata("JPEG") + CANARY,
        f"三(2)班/{numbers[1].lower()}.JPEG": JPEG,
        f"{code}_{room.number}_陈晨.jpg": JPEG,
        f"{code}＿{room.number}＿买买提•艾力.png": as_bytes(halves(520, 640), "PNG"),
        "欧阳静.jpg": JPEG,
        "__MACOSX/三(2)班/._x.jpg": b"resource fork",
        "三(2)班/.DS_Store": b"\0" * 60,
        "Thumbs.db": b"\0" * 60,
    }
    batch = checked(room, files, actor=registrar)
    assert (batch.state, batch.files_total, batch.files_good, batch.attempts) == ("checked", 5, 5, 0)
    assert list(results(batch).values()) == [pupil.pk for pupil in made]
    for file in PhotoFile.objects.filter(batch=batch):
        written = photos.open_photo(file)
        assert Image.open(io.BytesIO(written)).size == (260, 320)
        assert len(written) <= 60 * 1024
        assert CANARY not in written
        assert not any(number in file.name for number in numbers)
    assert [name[6:14] for name in list(results(batch))[:2]] == ["********"] * 2
    assert not Material.objects.exists()  # nobody has approved anything yet
    assert (batch.stored_as, sealed(folder)) == ("", 5)  # the ZIP itself is gone
    events = Event.objects.filter(subject_type="photobatch", subject_id=batch.pk).order_by("pk")
    assert [event.action for event in events] == ["archives.photo.upload", "archives.photo.check"]
    assert not any(number in str(event.detail) for number in numbers for event in events)


@pytest.mark.rule("C4")
def test_names_written_by_chinese_windows_are_read(room: SchoolClass, registrar: User) -> None:
    [pupil], _numbers = pupils(room, "龚宇轩")
    content = io.BytesIO()
    with ZipFile(content, "w", ZIP_STORED) as archive:
        archive.writestr(ChineseWindows("龚宇轩.jpg"), JPEG)
    batch = work(hand_in(room, content.getvalue(), actor=registrar))
    assert results(batch) == {"龚宇轩.jpg": pupil.pk}


@pytest.mark.rule("C4")
def test_other_documents_name_a_pupil_too(room: SchoolClass, registrar: User) -> None:
    permit = make.make_student(room, id_type="C", id_number="H1234567801", nationality="CHN")
    passport = make.make_student(
        room, id_type="A", id_number="E12345678", nationality="USA", overseas_status="51"
    )
    batch = checked(room, {"H12345678.jpg": JPEG, "e12345678.jpg": JPEG}, actor=registrar)
    assert list(results(batch).values()) == [permit.pk, passport.pk]
    assert not any("1234567" in name for name in results(batch))


_sheet = Image.new("RGB", (5200, 5200))
_sheet.paste(noise(300, 300))  # else the ZIP would look like a bomb
HUGE = as_bytes(_sheet, "PNG")
# File name (placeholders filled below), content, and the code of the refusal.
BAD = [
    ("{unknown}.jpg", JPEG, "photo_pupil_unknown"),
    ("没有此人.jpg", JPEG, "photo_pupil_unknown"),
    ("{stranger}.jpg", JPEG, "photo_pupil_unknown"),  # a pupil of another school: not told so (AZ-9)
    ("{sister}.jpg", JPEG, "photo_other_class"),
    ("隔壁同学.jpg", JPEG, "photo_other_class"),
    ("{code}_{other_class}_隔壁同学.jpg", JPEG, "photo_other_class"),
    ("9999999999_{class}_同名.jpg", JPEG, "photo_pupil_unknown"),
    ("同名.jpg", JPEG, "photo_pupils_alike"),
    ("{second}.jpg", b"GIF89a" + bytes(99), "not_an_image"),
    ("{second}.jpg", b"", "not_an_image"),
    ("{second}.jpg", JPEG[:-900], "not_an_image"),
    ("说明.txt", "请查收".encode(), "not_an_image"),
    ("{second}.jpg", JPEG + Random(1).randbytes(2 * 1024**2), "file_too_large"),
    ("{second}.png", HUGE, "image_too_large"),
    ("{second}.jpg", as_bytes(halves(80, 100)), "image_too_small"),
    ("{second}.jpg", as_bytes(halves(800, 600)), "photo_proportions"),
    ("{second}.jpg", as_bytes(halves(300, 700)), "photo_proportions"),
    ("{second}.jpg", h.pack({"1.jpg": JPEG}), "photo_nested"),
    ("补交.rar", b"Rar!\x1a\x07\x00", "photo_nested"),
]


@pytest.mark.rule("C4", "FI-1", "AZ-9")
@pytest.mark.parametrize(("name", "content", "code"), BAD, ids=[f"{n} {c}" for n, _b, c in BAD])
def test_a_bad_file_is_named_with_its_reason_and_the_good_one_stands(
    room: SchoolClass, registrar: User, name: str, content: bytes, code: str
) -> None:
    other = make.make_class(name="三(3)班", grade="13")
    made, numbers = pupils(room, "甲", "乙", "同名", "同名")
    _others, [sister] = pupils(other, "隔壁同学")
    _far, [stranger] = pupils(make.make_class(make.NEIGHBOUR), "外校同学")
    words = {
        "unknown": make.identity_number(make.first_grader_birth()), "stranger": stranger, "sister": sister,
        "second": numbers[1], "code": room.school.code, "class": room.number, "other_class": other.number,
    }  # fmt: skip
    files = {f"{numbers[0]}.jpg": JPEG, name.format(**words): content}
    batch = checked(room, files, actor=registrar)
    assert list(results(batch).values()) == [made[0].pk, code]
    assert (batch.files_good, batch.files_wrong) == (1, 1)
    bad = PhotoFile.objects.get(batch=batch, ordinal=2)
    assert bad.failure["detail"]
    assert not bad.stored_as
    for number in (*words.values(), *numbers):
        if len(number) == 18:
            assert number not in bad.name + str(bad.failure)


@pytest.mark.rule("C4", "R-EST-08")
def test_a_number_that_two_records_claim_names_nobody(room: SchoolClass, registrar: User) -> None:
    made, numbers = pupils(room, "甲", "乙")
    make.make_student(room, name="丙", id_number=numbers[0], is_disputed="1")
    batch = checked(room, {f"{number}.jpg": JPEG for number in numbers}, actor=registrar)
    assert list(results(batch).values()) == ["photo_pupils_alike", made[1].pk]


@pytest.mark.rule("C4")
def test_two_photos_of_one_pupil_are_both_refused(room: SchoolClass, registrar: User) -> None:
    made, numbers = pupils(room, "甲", "乙")
    files = {f"{numbers[0]}.jpg": JPEG, f"新/{numbers[0]}.png": JPEG, "乙.jpg": JPEG}
    assert list(results(checked(room, files, actor=registrar)).values()) == [
        "photo_twice",
        "photo_twice",
        made[1].pk,
    ]


# ── Hostile archives ─────────────────────────────────────────────────────────────────────────────────────
def raw(*entries: tuple[str, bytes, int]) -> bytes:
    return h.raw_zip([("甲.jpg", JPEG, 0), *entries])


def overlapping() -> bytes:
    packed = h.pack({"aa.jpg": JPEG, "bb.jpg": JPEG})
    first, second = (packed.rindex(name) - 46 for name in (b"aa.jpg", b"bb.jpg"))
    moved = packed[: second + 42] + packed[first + 42 : first + 46] + packed[second + 46 :]
    return moved.replace(b"bb.jpg", b"aa.jpg")


HOSTILE = [
    (b"", "file_empty"),
    (b"PK\5\6" + bytes(18), "file_empty"),
    (b"PK\3\4" + bytes(20 * 1024**2), "file_too_big"),
    (b"Rar!\x1a\x07\x00" + bytes(99), "file_other"),
    (h.old_style("Workbook"), "file_other"),
    (h.pack({"甲.jpg": JPEG})[:500], "truncated"),
    (h.pack({"甲.jpg": JPEG}) + b"x", "archive_form"),
    (raw(("../../etc/cron.d/x.jpg", JPEG, 0)), "part_name"),
    (raw(("/etc/x.jpg", JPEG, 0)), "part_name"),
    (raw(("C:\\x.jpg", JPEG, 0)), "part_name"),
    (raw(("乙\u202egpj.exe", JPEG, 0)), "part_name"),
    (raw(("乙.jpg", JPEG, 1)), "file_encrypted"),
    (raw(("甲.JPG", JPEG, 0)), "overlap"),
    (overlapping(), "overlap"),
    (h.pack({f"{n}.jpg": b"x" for n in range(201)}), "parts"),
    (h.pack({"__MACOSX/._甲.jpg": b"x", "空/": b""}), "no_photos"),
]


@pytest.mark.rule("FI-2", "PHOTO_ZIP_MB", "PHOTO_ZIP_MOST")
@pytest.mark.parametrize(("content", "reason"), HOSTILE, ids=[reason for _c, reason in HOSTILE])
def test_a_hostile_archive_is_refused_at_the_door(
    room: SchoolClass, registrar: User, folder: Path, content: bytes, reason: str
) -> None:
    with pytest.raises(BadZip) as refused:
        hand_in(room, content, actor=registrar)
    assert refused.value.code == f"photo_zip_{reason}"
    assert "{" not in refused.value.detail
    assert (PhotoBatch.objects.count(), Job.objects.count(), sealed(folder)) == (0, 0, 0)
    assert hand_in(room, {"甲.jpg": JPEG}, actor=registrar).state == "waiting"


BOMB = {"0.jpg": JPEG, "乙.jpg": bytes(80 * 1024**2)}


@pytest.mark.rule("FI-2", "FI-4", "INTAKE_RATIO", "INTAKE_UNPACKED_MB")
@pytest.mark.parametrize("reason", ["ratio", "unpacked"])
def test_a_bomb_is_refused_whole_before_anything_is_kept(
    room: SchoolClass, registrar: User, folder: Path, reason: str
) -> None:
    if reason == "unpacked":
        make.make_rule("INTAKE_UNPACKED_MB", 1, make.NATION)
    files = {"0.jpg": JPEG, "乙.jpg": JPEG + Random(1).randbytes(1024**2)} if reason == "unpacked" else BOMB
    batch = work(hand_in(room, files, actor=registrar))
    assert (batch.state, batch.failure["code"]) == ("failed", f"photo_zip_{reason}")
    assert not PhotoFile.objects.exists()
    assert Job.objects.get(pk=batch.job_id).state == Job.State.FAILED
    photos.erase_owed(make.SCHOOL)
    assert sealed(folder) == 0
    assert hand_in(room, {"甲.jpg": JPEG}, actor=registrar)  # another ZIP may follow


@pytest.mark.rule("FI-2")
def test_a_size_that_lies_is_a_broken_file(room: SchoolClass, registrar: User) -> None:
    made, _numbers = pupils(room, "甲", "乙")
    packed = h.pack({"甲.jpg": JPEG, "乙.jpg": JPEG})
    place = packed.rindex("乙.jpg".encode()) - 46
    lying = packed[: place + 24] + b"\x10\0\0\0" + packed[place + 28 :]
    batch = work(hand_in(room, lying, actor=registrar))
    assert list(results(batch).values()) == [made[0].pk, "photo_broken"]


# ── The job ──────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("RE-1", "FI-3")
def test_a_cut_run_goes_on_and_a_second_run_changes_nothing(
    room: SchoolClass, registrar: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, numbers = pupils(room, "甲", "乙", "丙")
    batch = hand_in(room, {f"{number}.jpg": JPEG for number in numbers}, actor=registrar)
    passed: list[str] = []

    def cut(point: str) -> None:
        passed.append(point)
        if passed.count("photos.row") == 2:
            raise ConnectionResetError

    with monkeypatch.context() as patch:
        patch.setattr(photo_checking, "fault", cut)
        with pytest.raises(ConnectionResetError):
            work(batch)
    batch.refresh_from_db()
    assert (batch.state, batch.files.count()) == ("checking", 1)
    Job.objects.filter(pk=batch.job_id).update(started_at=now() - timedelta(minutes=1))
    offered: list[Any] = []
    monkeypatch.setattr("config.jobs.current_app.send_task", lambda *sent, **_how: offered.append(sent))
    assert resume_photos() == 1
    assert offered == [(photos.CHECK, [batch.job_id])]
    done = work(batch)
    assert list(results(done).values()) == [pupil.pk for pupil in made]
    before = list(PhotoFile.objects.order_by("pk").values_list("pk", "stored_as"))
    assert work(done).state == "checked"
    assert list(PhotoFile.objects.order_by("pk").values_list("pk", "stored_as")) == before
    assert Event.objects.filter(action="archives.photo.check").count() == 1


@pytest.mark.rule("FI-3", "INTAKE_ATTEMPTS")
def test_a_zip_that_ends_its_checks_is_set_aside(
    room: SchoolClass, registrar: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = hand_in(room, {"甲.jpg": JPEG}, actor=registrar)

    def dies(*_: object, **__: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr(photo_checking, "_look_at", dies)
    for _turn in range(2):
        with pytest.raises(MemoryError):
            work(batch)
    assert work(batch).failure["code"] == "photo_zip_set_aside"


@pytest.mark.rule("FI-4", "RD-8")
def test_a_cancelled_batch_leaves_nothing(room: SchoolClass, registrar: User, folder: Path) -> None:
    pupils(room, "甲", "乙")
    batch = checked(room, {"甲.jpg": JPEG, "乙.jpg": JPEG}, actor=registrar)
    with pytest.raises(ClassBusy):
        hand_in(room, {"甲.jpg": JPEG}, actor=registrar)
    with pytest.raises(NotAllowed):
        photos.cancel(batch, actor=make.make_reviewer())
    assert sealed(folder) == 2
    photos.cancel(batch, actor=registrar)
    photos.erase_owed(make.SCHOOL, batch.pk)
    assert (PhotoFile.objects.count(), sealed(folder)) == (0, 0)
    with pytest.raises(PhotosNotNow):
        photos.cancel(batch, actor=registrar)
    assert work(batch).state == "cancelled"  # a late worker does nothing
    assert hand_in(room, {"甲.jpg": JPEG}, actor=registrar)


@pytest.mark.rule("RD-8", "UPLOAD_KEEP_DAYS")
def test_what_nobody_handed_in_is_purged_after_the_term(
    room: SchoolClass, registrar: User, folder: Path
) -> None:
    pupils(room, "甲")
    batch = checked(room, {"甲.jpg": JPEG}, actor=registrar)
    PhotoBatch.objects.update(created_at=now() - timedelta(days=6, hours=23))
    assert (purge_materials(), sealed(folder)) == (0, 1)
    PhotoBatch.objects.update(created_at=now() - timedelta(days=7, minutes=1))
    assert (purge_materials(dry_run=True), sealed(folder)) == (1, 1)
    assert (purge_materials(), sealed(folder)) == (1, 0)
    assert PhotoBatch.objects.get(pk=batch.pk).state == "cancelled"
    assert Event.objects.filter(action="archives.photo.purge", subject_id=batch.pk).count() == 1
    assert purge_materials() == 0
