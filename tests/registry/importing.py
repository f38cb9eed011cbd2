"""Intake in tests: upload, the worker's turn, look ahead, commit."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from config.models import Job
from registry.intake import arriving, deciding
from registry.intake.checking import check_batch
from registry.intake.preview import preview
from registry.models import ImportBatch
from tests.registry.workbooks import workbook
from transfers.submission import submit_batch


def upload(rows: "list[dict[str, Any]] | bytes", *, actor: User, name: str = "新生.xlsx") -> ImportBatch:
    """Hand a workbook in; nobody has looked at it yet."""
    content = rows if isinstance(rows, bytes) else workbook(rows)
    return arriving.take_in(name, content, actor=actor)


def as_file(content: bytes, name: str = "新生.xlsx") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def work(batch: ImportBatch) -> ImportBatch:
    """What the worker does with the batch's job, and with what follows from it."""
    for _turn in range(4):
        batch = ImportBatch.objects.select_related("job").get(pk=batch.pk)
        job = batch.job
        if job is None or job.state not in (Job.State.WAITING, Job.State.RUNNING):
            break
        (check_batch if job.kind == arriving.CHECK else submit_batch)(job.pk)
    return ImportBatch.objects.get(pk=batch.pk)


def checked(rows: "list[dict[str, Any]] | bytes", *, actor: User, name: str = "新生.xlsx") -> ImportBatch:
    return work(upload(rows, actor=actor, name=name))


def committed(batch: ImportBatch, *, actor: User, skips_wrong: bool = False) -> ImportBatch:
    """Look ahead, commit what was seen, and let the worker write it."""
    seen = preview(batch, actor=actor)
    batch.refresh_from_db()
    deciding.commit(batch, seen["hash"], actor=actor, skips_wrong=skips_wrong, is_attested=True)
    return work(batch)
