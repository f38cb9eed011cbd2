"""The job that checks a ZIP of photos: file by file to its pupil, decoded and written anew, or refused with
the reason. Cut at any file it goes on at the next; run twice it changes nothing.

Photos are decoded here, as a single upload is (FI-1): two formats, 2 MB, 25 megapixels. What a decoder might
do to this process beyond that, the count of attempts answers (FI-3).
"""

from django.db.models import F

from archives.images import Limits, limits_in_force, read_photo
from archives.models import PhotoBatch, PhotoFile
from archives.photo_names import Named, match
from archives.photo_refusals import BadZip
from archives.photo_zip import PhotoZip
from archives.photos import TABLE, State, erase_owed, fail, good_files, move
from archives.refusals import NotAnImage
from archives.services import MATERIAL_TABLE
from audit.services import System, record
from config import sealed_files
from config.errors import Refusal
from config.faults import fault
from config.jobs import JobCancelled, finish, held, report
from config.models import Job
from config.rules import rule
from config.scope import scoped_transaction

# Beyond a quarter of the picture, cropping by itself may cut what matters, and nobody looks at each photo.
MOST_CUT = 0.25
_IMAGES = (b"\xff\xd8\xff", b"\x89PNG")


def check_batch(job_id: int) -> None:
    """Check the batch of one job to its end, or go on where a cut run stopped."""
    with held(job_id) as job:
        if job is None:
            return
        try:
            batch = _claim(job)
            if batch is not None:
                _check(batch, job)
                _close(batch, job)
                erase_owed(batch.org_path, batch.pk)
        except BadZip as refusal:
            with scoped_transaction(job.path):
                fail(PhotoBatch.objects.get(job_id=job.pk), refusal)
        except JobCancelled:
            erase_owed(job.path)


def _claim(job: Job) -> PhotoBatch | None:
    """Count the attempt; None when there is nothing to do. Raises BadZip when the ZIP has ended too many."""
    with scoped_transaction(job.path):
        rows = PhotoBatch.objects.select_related("school_class__school")
        batch = rows.select_for_update(of=("self",)).filter(job_id=job.pk).first()
        if batch is None or batch.state not in (State.WAITING, State.CHECKING):
            return None
        if batch.attempts >= rule("INTAKE_ATTEMPTS").number:
            raise BadZip("set_aside")
        move(batch, (State.WAITING, State.CHECKING), State.CHECKING, attempts=F("attempts") + 1)
        return batch


def _check(batch: PhotoBatch, job: Job) -> None:
    """Look at every file that is not yet kept, each in a transaction of its own."""
    photos = PhotoZip(sealed_files.load(batch.stored_as, TABLE, batch.digest))
    photos.scan()
    with scoped_transaction(batch.org_path):
        files = match(photos.names, batch.school_class)
        kept = set(batch.files.values_list("ordinal", flat=True))
        limits = limits_in_force(batch.org_path)
    report(job, len(kept), total=len(files))
    for done, named in enumerate((one for one in files if one.ordinal not in kept), len(kept) + 1):
        row = _look_at(batch, photos, named, limits)
        with scoped_transaction(batch.org_path):
            row.save(force_insert=True)
            fault("photos.row")
            # A file that is in shows that it can be read: only deaths without one are counted.
            PhotoBatch.objects.filter(pk=batch.pk).update(attempts=0)
        report(job, done)


def _look_at(batch: PhotoBatch, photos: PhotoZip, named: Named, limits: Limits) -> PhotoFile:
    """The unsaved row of one file, its photo sealed or its fault in words."""
    row = PhotoFile(org_path=batch.org_path, batch=batch, ordinal=named.ordinal, name=named.shown)
    row.student_id = named.student_id
    try:
        content = photos.read(named.entry, limits.evidence_kb)
        if not content.startswith(_IMAGES):
            raise NotAnImage()
        if named.failure is not None:
            raise named.failure
        written = read_photo(content, limits, most_cut=MOST_CUT)
    except BadZip:
        raise
    except Refusal as refusal:
        row.failure = refusal.in_words()
    else:
        row.size, row.digest = len(written), sealed_files.digest_of(written)
        row.stored_as = sealed_files.store(written, MATERIAL_TABLE)
    return row


def _close(batch: PhotoBatch, job: Job) -> None:
    """All files are in: count them. Raises JobCancelled when she gave up meanwhile."""
    with scoped_transaction(batch.org_path):
        total, good = batch.files.count(), good_files(batch.pk).count()
        finish(job, Job.State.DONE, errors=total - good)
        move(batch, (State.CHECKING,), State.CHECKED, files_total=total, files_good=good)
        actor = System(acting_path=batch.org_path)
        record("archives.photo.check", batch, actor=actor, basis="C4", files=total, wrong=total - good)
        fault("photos.checked")
