"""ZIPs of photos in tests: made, handed in, and the worker's turn."""

from collections.abc import Mapping
from typing import Any
from zipfile import ZipInfo

from accounts.models import User
from archives import photos
from archives.models import PhotoBatch, PhotoFile
from archives.photo_checking import check_batch
from registry.models import SchoolClass, Student
from tests import make
from tests.archives.pictures import as_bytes, halves
from tests.registry.hostile import pack

JPEG = as_bytes(halves(400, 500))


class ChineseWindows(ZipInfo):
    """An entry whose name is in the code page of Chinese Windows, without the mark for UTF-8."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802  # the library's name
        return self.filename.encode("gb18030"), self.flag_bits


def pupils(school_class: SchoolClass, *names: str) -> tuple[list[Student], list[str]]:
    """Pupils of these names with the numbers of their documents."""
    numbers = [make.identity_number(make.first_grader_birth()) for _name in names]
    made = [
        make.make_student(school_class, name=name, id_number=number)
        for name, number in zip(names, numbers, strict=True)
    ]
    return made, numbers


def hand_in(school_class: SchoolClass, files: "Mapping[str, bytes] | bytes", *, actor: User) -> PhotoBatch:
    content = files if isinstance(files, bytes) else pack(files)
    return photos.take_in(school_class, "一班.zip", content, actor=actor)


def work(batch: PhotoBatch) -> PhotoBatch:
    """What the worker does with the batch's job."""
    assert batch.job_id
    check_batch(batch.job_id)
    return PhotoBatch.objects.get(pk=batch.pk)


def checked(school_class: SchoolClass, files: Mapping[str, bytes], *, actor: User) -> PhotoBatch:
    return work(hand_in(school_class, files, actor=actor))


def results(batch: PhotoBatch) -> dict[str, Any]:
    """File name as shown → pupil's id, or the code of the refusal."""
    files = PhotoFile.objects.filter(batch=batch).order_by("ordinal")
    return {file.name: file.failure.get("code") or file.student_id for file in files}
