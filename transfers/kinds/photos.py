"""照片采集: the photos of one class, decided as one case (HANDBOOK C4). On approval they become the pupils'
present photos; refused or withdrawn, they are erased.
"""

from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Organization, User
from archives import photos
from archives.models import PhotoBatch
from audit.services import Actor
from registry.models import Enrolment
from transfers.kind import Advice, Facts, Kind, Party, Requirement, Subject
from transfers.kinds.registration import ROUTE
from transfers.models import Case

_SOURCE = "全国中小学生学籍照片采集要求"


def open_photos(
    school: Organization, *, payload: dict[str, Any], actor: User, batch: PhotoBatch, skips_wrong: bool
) -> Subject:
    """Take the checked batch in hand; nothing of a pupil changes yet. Raises as photos.hand_in does."""
    photos.hand_in(batch, skips_wrong=skips_wrong)
    payload |= {"photo_batch": batch.pk, "count": batch.files_good, "skipped": batch.files_wrong}
    return Subject()


def reopen_photos(case: Case, payload: dict[str, Any], actor: User) -> None:
    """After a return: the photos named in `dropped` leave the case."""
    case.payload["count"] = photos.drop(case.payload["photo_batch"], payload.get("dropped", []))


def file_photos(case: Case, actor: Actor) -> None:
    photos.file_away(case.payload["photo_batch"], case_no=case.number, actor=actor)


def undo(case: Case, actor: Actor, reason: str) -> None:
    photos.forget(case.payload["photo_batch"])


# ── Conditions: an empty text when met, else what is wrong and what to do ────────────────────────────────
def pupils_here(facts: Facts) -> str:
    pupils = list(photos.good_files(facts.payload["photo_batch"]).values_list("student_id", flat=True))
    spells = Enrolment.objects.in_school().filter(org_path=facts.to_path, student_id__in=pupils)
    gone = len(pupils) - spells.values("student_id").distinct().count()
    if gone == len(pupils):
        return _("这批照片的学生都已不在本校，请撤回。")
    return Advice(_("{n} 名学生已不在本校，其照片不会归档。").format(n=gone)) if gone else ""


PHOTOS = Kind(
    code="photos",
    name="照片采集",
    prefix="ZP",
    article=_SOURCE,
    started_by=Party.TAKE_OVER_SCHOOL,
    open=open_photos,
    reopen=reopen_photos,
    requirements=(Requirement("pupils", "学生在本校就读", "C4", _SOURCE, pupils_here),),
    route=ROUTE,
    effect=file_photos,
    undo=undo,
    locks_student=False,
    reasons=("不是近期正面免冠彩色照", "照片与学生不符", "背景、头部大小或清晰度不合要求", "其他"),
)
