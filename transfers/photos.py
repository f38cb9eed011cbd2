"""The case of a class's photos: filing it, and what its pages show."""

from dataclasses import dataclass

from django.db import transaction

from accounts.models import User
from accounts.roles import Right
from archives.models import PhotoBatch
from archives.photo_queries import count_missing
from transfers.kinds.photos import PHOTOS
from transfers.models import Case
from transfers.services import file_case


@transaction.atomic
def submit_photos(batch: PhotoBatch, *, actor: User, skips_wrong: bool) -> Case:
    """File the one case of a checked batch; its number stands in the batch from here on.

    Raises NotAllowed, RequirementFailed, and what photos.hand_in raises.
    """
    school = batch.school_class.school.organization
    case = file_case(PHOTOS, school, actor=actor, batch=batch, skips_wrong=skips_wrong)
    PhotoBatch.objects.filter(pk=batch.pk).update(case_no=case.number)
    return case


@dataclass(frozen=True, slots=True)
class PhotoCase:
    """What the case page shows of the batch: counts, no picture."""

    batch: PhotoBatch
    count: int
    skipped: int
    pupils: int
    missing: int


def batch_of(case: Case, user: User) -> PhotoBatch | None:
    """The batch that a case of this kind is about; None for other kinds."""
    if case.kind != PHOTOS.code:
        return None
    batches = PhotoBatch.objects.visible_to(user, Right.VIEW_CASE).select_related("school_class")
    found: PhotoBatch | None = batches.filter(pk=case.payload["photo_batch"]).first()
    return found


def open_photo_case(case: Case, user: User) -> PhotoCase | None:
    """A constant number of queries."""
    batch = batch_of(case, user)
    if batch is None:
        return None
    counts = count_missing(user, case.to_path, batch.school_class_id)
    pupils, missing = counts.get(batch.school_class_id, (0, 0))
    return PhotoCase(batch, case.count, int(case.payload["skipped"]), pupils, missing)
