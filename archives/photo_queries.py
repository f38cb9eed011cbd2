"""What the pages of 照片采集 show: classes and who has no photo, batches, and the files of one."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef

from accounts.models import User
from accounts.roles import Right
from archives.models import Material, PhotoBatch, PhotoFile
from config.errors import NotFound
from registry.models import Enrolment, SchoolClass, Student
from registry.queries.rosters import last_documents, number_in

PAGE = 50
MOST_CLASSES = 300


@dataclass(frozen=True, slots=True)
class ClassLine:
    """One class: its pupils, how many of them have no photo, and the batch under way."""

    school_class: SchoolClass
    pupils: int
    missing: int
    batch: PhotoBatch | None


def read_classes(user: User) -> list[ClassLine]:
    """The open classes of the school she files for, in three queries."""
    classes = own_classes(user).order_by("grade", "number")[:MOST_CLASSES]
    counts = count_missing(user, user.acting_path)
    live = PhotoBatch.objects.visible_to(user, Right.FILE).filter(state__in=PhotoBatch.LIVE)
    batches = {batch.school_class_id: batch for batch in live.filter(org_path=user.acting_path)}
    return [ClassLine(one, *counts.get(one.pk, (0, 0)), batches.get(one.pk)) for one in classes]


def own_classes(user: User) -> Any:
    """The open classes she may file for."""
    return SchoolClass.objects.visible_to(user, Right.FILE).filter(org_path=user.acting_path, is_open=True)


def count_missing(
    user: User, path: str, school_class: int | None = None
) -> dict[int | None, tuple[int, int]]:
    """Class → pupils and those without a photo, in one query."""
    photo = Material.objects.filter(student=OuterRef("student"), kind=Material.Kind.PHOTO)
    spells = Enrolment.objects.visible_to(user, Right.VIEW_STUDENT).in_school().filter(org_path=path)
    if school_class is not None:
        spells = spells.filter(school_class=school_class)
    counted = spells.values("school_class").annotate(
        pupils=Count("pk"), missing=Count("pk", filter=~Exists(photo))
    )
    return {row["school_class"]: (row["pupils"], row["missing"]) for row in counted.order_by()}


def open_batch(user: User, public_id: UUID) -> PhotoBatch:
    """One batch of her own office. Raises NotFound: hidden and missing look alike."""
    batches = PhotoBatch.objects.visible_to(user, Right.FILE).select_related("job", "school_class")
    found: PhotoBatch | None = batches.filter(public_id=public_id).first()
    if found is None or not user.may_act_at(Right.FILE, found.org_path):
        raise NotFound()
    return found


def read_batches(user: User, after: str) -> tuple[list[PhotoBatch], int | None]:
    """Her batches, newest first, by key."""
    rows = PhotoBatch.objects.visible_to(user, Right.FILE).select_related("school_class")
    rows = rows.filter(org_path=user.acting_path).newest_first(user.acting_path)
    if after:
        rows = rows.filter(pk__lt=number_in(after))
    page = list(rows[: PAGE + 1])
    return page[:PAGE], page[PAGE - 1].pk if len(page) > PAGE else None


@dataclass(slots=True)
class FilePage:
    """Some files of a batch, each with its pupil; `after` is the place in the ZIP to go on after."""

    rows: list[dict[str, Any]]
    after: int | None

    @property
    def pupil_ids(self) -> list[int]:
        return [row["student"].pk for row in self.rows if row["student"]]


def read_files(
    user: User, batch: PhotoBatch, after: str = "", *, which: str = "", size: int = PAGE
) -> FilePage:
    """Files in the order of the ZIP; `which` is "good" or "wrong". Constant queries."""
    if which not in ("", "good", "wrong"):
        raise NotFound()
    files = PhotoFile.objects.visible_to(user, Right.VIEW_STUDENT).filter(batch=batch)
    if which:
        files = files.filter(failure={}) if which == "good" else files.exclude(failure={})
    if after:
        files = files.filter(ordinal__gt=number_in(after))
    found = list(files.order_by("ordinal")[: size + 1])
    shown = found[:size]
    ids = [file.student_id for file in shown if file.student_id is not None]
    pupils = Student.objects.visible_to(user, Right.VIEW_STUDENT).in_bulk(ids)
    photos = Material.objects.filter(student_id__in=ids, kind=Material.Kind.PHOTO)
    present = set(photos.values_list("student_id", flat=True))
    documents = last_documents(ids, user)
    rows = [
        {
            "file": file,
            "student": pupils.get(file.student_id or 0),
            "document": documents.get(file.student_id or 0, ""),
            "has_present": file.student_id in present and file.material_id is None,
        }
        for file in shown
    ]
    return FilePage(rows, shown[-1].ordinal if len(found) > size else None)
