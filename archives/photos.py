"""照片采集: the photos of one class from upload to the pupils' files, or to nothing (HANDBOOK C4).

Who ends a batch only says so; what is sealed for it is erased after the commit, and its rows say what is
still owed if the process dies in between.
"""

from datetime import datetime
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from archives.models import Material, PhotoBatch, PhotoFile
from archives.photo_refusals import (
    BadZip,
    ClassBusy,
    NoPhotoGood,
    PhotoDropped,
    PhotosNotNow,
    PupilLeft,
    SomePhotosWrong,
)
from archives.photo_zip import PhotoZip, shown_name
from archives.services import MATERIAL_TABLE
from audit.services import Actor, System, record, record_many
from config import sealed_files
from config.crypto import next_ids
from config.faults import fault
from config.jobs import OPEN, queue
from config.models import Job
from config.scope import scoped_transaction
from registry.models import SchoolClass, Student
from registry.reorganizing import refuse_if_moving

CHECK = "check_photos"
TABLE = "archives_photobatch"
BATCH = 500
State = PhotoBatch.State
_GONE = (State.FAILED, State.CANCELLED)
_LOOSE = (State.WAITING, State.CHECKING, State.CHECKED)


# ── Up to the case ───────────────────────────────────────────────────────────────────────────────────────
@transaction.atomic
def take_in(school_class: SchoolClass, file_name: str, content: bytes, *, actor: User) -> PhotoBatch:
    """Keep an uploaded ZIP sealed and queue it for checking.

    Raises NotAllowed, BadZip (what its directory tells) and ClassBusy: one batch of a class at a time.
    """
    explain(actor, Right.FILE, at=school_class.org_path).or_raise()
    refuse_if_moving(school_class.org_path)
    PhotoZip(content)
    job = Job.objects.create(
        kind=CHECK, path=school_class.org_path, started_by=actor.pk, started_by_name=actor.name
    )
    try:
        with transaction.atomic():
            batch = PhotoBatch.objects.create(
                org_path=school_class.org_path, school_class=school_class, job=job, size=len(content),
                file_name=shown_name(file_name.strip(), is_number=False) or "照片.zip",
                digest=sealed_files.digest_of(content), created_by=actor, created_by_name=actor.name,
            )  # fmt: skip
    except IntegrityError as error:
        open_one = PhotoBatch.objects.get(school_class=school_class, state__in=PhotoBatch.LIVE)
        raise ClassBusy(name=school_class.name, state=open_one.get_state_display()) from error
    batch.stored_as = sealed_files.store(content, TABLE)
    batch.save(update_fields=["stored_as"])
    batch.refresh_from_db()
    record("archives.photo.upload", batch, actor=actor, basis="C4", name=school_class.name)
    queue(job)
    return batch


@transaction.atomic
def cancel(batch: PhotoBatch, *, actor: User) -> None:
    """Give a batch up before it is handed in; a check under way stops at its next file. Raises NotAllowed,
    PhotosNotNow.
    """
    explain(actor, Right.FILE, at=batch.org_path).or_raise()
    # The job first, as the check that ends takes them: two who wait for each other would both fail.
    Job.objects.filter(pk=batch.job_id or 0, state__in=OPEN).update(state=Job.State.CANCELLED, ended_at=Now())
    move(batch, _LOOSE, State.CANCELLED, ended_at=Now())
    record("archives.photo.cancel", batch, actor=actor)
    _erase_later(batch)


def fail(batch: PhotoBatch, refusal: BadZip) -> None:
    """Set a ZIP aside that cannot be taken, with the sentence that says why."""
    if batch.state in _GONE:  # cancelled meanwhile
        return
    move(batch, (State.WAITING, State.CHECKING), State.FAILED, failure=refusal.in_words(), ended_at=Now())
    Job.objects.filter(pk=batch.job_id or 0).update(state=Job.State.FAILED, ended_at=Now())
    actor = System(acting_path=batch.org_path)
    record("archives.photo.fail", batch, actor=actor, basis=refusal.rule, code=refusal.code)
    _erase_later(batch)


def move(batch: PhotoBatch, before: tuple[str, ...], state: str, **columns: Any) -> None:
    """Put the batch into `state`; the UPDATE names the states it expects. Raises PhotosNotNow."""
    rows = PhotoBatch.objects.filter(pk=batch.pk)
    if not rows.filter(state__in=before).update(state=state, **columns):
        raise PhotosNotNow(state=rows.get().get_state_display())


def hand_in(batch: PhotoBatch, *, skips_wrong: bool) -> None:
    """Put a checked batch into the hands of a case. Raises SomePhotosWrong unless told to skip them,
    NoPhotoGood, PhotosNotNow.
    """
    if batch.state == State.CHECKED and not batch.files_good:
        raise NoPhotoGood()
    if batch.state == State.CHECKED and batch.files_wrong and not skips_wrong:
        raise SomePhotosWrong(count=batch.files_wrong)
    move(batch, (State.CHECKED,), State.SUBMITTED)


def good_files(batch_id: int) -> Any:
    """The photos that a case is about, in the order of the ZIP."""
    return PhotoFile.objects.filter(batch=batch_id, failure={}).order_by("ordinal")


# ── What a case does with them ───────────────────────────────────────────────────────────────────────────
def drop(batch_id: int, ordinals: list[int]) -> int:
    """Take single photos out of a batch that came back; how many are left. Raises NoPhotoGood."""
    batch = PhotoBatch.objects.select_for_update().get(pk=batch_id)
    good_files(batch_id).filter(ordinal__in=ordinals).update(failure=PhotoDropped().in_words())
    left = good_files(batch_id).count()
    if not left:
        raise NoPhotoGood()
    PhotoBatch.objects.filter(pk=batch_id).update(files_good=left)
    _erase_later(batch)
    return int(left)


def file_away(batch_id: int, *, case_no: str, actor: Actor) -> None:
    """Make the approved photos materials of their pupils: the latest is the present one. A pupil who has left
    the school meanwhile is passed over. Safe to repeat.
    """
    batch = PhotoBatch.objects.select_for_update().get(pk=batch_id)
    files = list(good_files(batch_id).filter(material=None))
    # Locked: nobody moves a pupil away between this look and the photo on her file.
    pupils = Student.objects.select_for_update(no_key=True).filter(
        pk__in=[file.student_id for file in files], org_path=batch.org_path
    )
    here = set(pupils.order_by("pk").values_list("pk", flat=True))
    taken = [file for file in files if file.student_id in here]
    materials = [
        Material(
            pk=pk, org_path=batch.org_path, student_id=file.student_id, kind=Material.Kind.PHOTO,
            content_type="image/jpeg", size=file.size, digest=file.digest, stored_as=file.stored_as,
            created_by=batch.created_by_id, created_by_name=batch.created_by_name,
        )
        for file, pk in zip(taken, next_ids("archives_material", len(taken)), strict=True)
    ]  # fmt: skip
    Material.objects.bulk_create(materials)
    for file, material in zip(taken, materials, strict=True):
        file.material, file.stored_as = material, ""
    for file in files:
        if file.student_id not in here:
            file.failure = PupilLeft().in_words()
    PhotoFile.objects.bulk_update(files, ["material", "stored_as", "failure"])
    fault("photos.filed")
    move(batch, (State.SUBMITTED,), State.DONE, files_good=len(taken), ended_at=Now())
    record_many(
        "archives.photo.attach", "student", [(file.student_id, batch.org_path) for file in taken],
        actor=actor, basis="C4", number=case_no,
    )  # fmt: skip
    _erase_later(batch)


def forget(batch_id: int) -> None:
    """The case was refused or withdrawn: its photos are erased, another ZIP may follow."""
    batch = PhotoBatch.objects.get(pk=batch_id)
    move(batch, (State.SUBMITTED,), State.CANCELLED, ended_at=Now())
    _erase_later(batch)


# ── What nothing needs any more ──────────────────────────────────────────────────────────────────────────
def _erase_later(batch: PhotoBatch) -> None:
    # After the commit: a rollback must find the photos. A cut leaves the rows for the nightly purge.
    transaction.on_commit(partial(erase_owed, batch.org_path, batch.pk), robust=True)


def erase_owed(path: str, batch_id: int | None = None) -> int:
    """Erase what is sealed for batches under `path` without need: ZIPs that are looked at, refused photos,
    everything of batches that ended; how many files. Safe to cut and to repeat.
    """
    ended = Q(batch__state__in=_GONE)
    with scoped_transaction(path):
        files = PhotoFile.objects.within(path).exclude(stored_as="").filter(ended | ~Q(failure={}))
        zips = PhotoBatch.objects.within(path).exclude(stored_as="")
        zips = zips.exclude(state__in=(State.WAITING, State.CHECKING))
        gone = PhotoFile.objects.within(path).filter(ended, stored_as="")
        if batch_id is not None:
            files, zips, gone = (
                files.filter(batch=batch_id),
                zips.filter(pk=batch_id),
                gone.filter(batch=batch_id),
            )
        done = 0
        for rows in (files, zips):
            for row in rows.select_for_update(skip_locked=True, of=("self",))[:BATCH]:
                sealed_files.erase(row.stored_as)
                type(row).objects.filter(pk=row.pk).update(stored_as="")
                done += 1
        gone.delete()
        return done


def purge(before: datetime, paths: list[str]) -> int:
    """Give up batches from before that moment that nobody handed in, and erase what is owed; how many batches
    (RD-8). Safe to repeat.
    """
    done = 0
    for path in paths:
        with scoped_transaction(path):
            for batch in _stale(path, before).select_for_update(skip_locked=True)[:BATCH]:
                move(batch, (batch.state,), State.CANCELLED, ended_at=Now())
                record("archives.photo.purge", batch, actor=System(acting_path=path), basis="RD-8")
                done += 1
        while erase_owed(path):
            pass
    return done


def count_stale(before: datetime, paths: list[str]) -> int:
    """How many batches `purge` would give up now."""
    total = 0
    for path in paths:
        with scoped_transaction(path):
            total += _stale(path, before).count()
    return total


def _stale(path: str, before: datetime) -> Any:
    return PhotoBatch.objects.within(path).filter(state__in=_LOOSE, created_at__lt=before)


def open_photo(file: PhotoFile) -> bytes:
    """The photo itself; whoever calls records the read. Raises DoesNotOpen, which is an alarm (W15)."""
    return sealed_files.load(file.stored_as, MATERIAL_TABLE, file.digest)
