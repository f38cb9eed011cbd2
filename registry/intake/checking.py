"""The job that checks a workbook: read in a limited process, row by row, then the rows against each other
and the country. Cut at any row it goes on at the next pack; run twice it changes nothing.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import structlog
from django.db.models import Count, F, Q

from audit.services import System, record
from config import sealed_files
from config.clock import today
from config.copying import copy_rows
from config.crypto import next_ids
from config.faults import fault
from config.jobs import JobCancelled, finish, held, report
from config.models import Job
from config.rules import rule
from config.scope import NATION, scope, scoped_transaction
from registry.intake.arriving import TABLE, clear, fail
from registry.intake.columns import pupils
from registry.intake.comparing import compare
from registry.intake.reading import read_rows
from registry.intake.refusals import BadFile, SetAside
from registry.intake.rows import RowChecker
from registry.models import ImportBatch, ImportFinding, ImportRow

log = structlog.get_logger()
PACK = 500
State = ImportBatch.State


def check_batch(job_id: int) -> None:
    """Check the batch of one job to its end, or go on where a cut run stopped."""
    with held(job_id) as job:
        if job is None:
            return
        try:
            batch = _claim(job)
            if batch is None:
                return
            if not batch.rows_total:
                _read(batch, job)
            _compare(batch, job)
        except BadFile as refusal:
            with scoped_transaction(job.path):
                fail(ImportBatch.objects.get(job_id=job.pk), refusal)
        except JobCancelled:
            with scoped_transaction(job.path):
                batch = ImportBatch.objects.filter(job_id=job.pk, state=State.CANCELLED).first()
                if batch is not None:
                    clear(batch)


def _claim(job: Job) -> ImportBatch | None:
    """Count the attempt and mark the batch as being checked; None when there is nothing to do.

    Raises SetAside when the workbook has taken its reader down too often (FI-3).
    """
    with scoped_transaction(job.path):
        batch = ImportBatch.objects.select_for_update().filter(job_id=job.pk).first()
        if batch is None or batch.state not in (State.WAITING, State.CHECKING):
            return None
        is_unread = not batch.rows_total
        if is_unread and batch.attempts >= rule("INTAKE_ATTEMPTS").number:
            raise SetAside(file=batch.file_name)
        ImportBatch.objects.filter(pk=batch.pk).update(
            state=State.CHECKING, attempts=F("attempts") + int(is_unread)
        )
        return batch


def _read(batch: ImportBatch, job: Job) -> None:
    """Read and check what is not yet stored, in packs of one transaction each."""
    fault("intake.read")
    content = sealed_files.load(batch.stored_as, TABLE, batch.digest)
    with scoped_transaction(batch.org_path):
        checker = RowChecker(batch, today())
        stored = batch.rows.count()
    done = stored
    with read_rows(content, batch.file_name) as reading:
        report(job, stored, total=reading.total)
        for pack in packs(islice(pupils(reading), stored, None)):
            done += _store(batch, checker, pack)
            report(job, done)
    if not done:
        raise BadFile("sheet_empty", file=batch.file_name)
    with scoped_transaction(batch.org_path):
        # All rows are in: from here on a cut run only compares again.
        ImportBatch.objects.filter(pk=batch.pk).update(rows_total=done)
    batch.rows_total = done


def packs(rows: Iterable[Any], size: int = PACK) -> Iterator[list[Any]]:
    iterator = iter(rows)
    while pack := list(islice(iterator, size)):
        yield pack


def _store(batch: ImportBatch, checker: RowChecker, pack: list[tuple[int, dict[str, str]]]) -> int:
    """Check and keep one pack."""
    with scoped_transaction(batch.org_path):
        rows, findings = [], []
        for pk, (number, typed) in zip(next_ids("registry_importrow", len(pack)), pack, strict=True):
            fault("intake.row")
            row, found = checker.check(number, typed)
            row.pk = pk
            rows.append(row)
            for finding in found:
                finding.row_id = pk
            findings += found
        copy_rows(ImportRow, rows)
        copy_rows(ImportFinding, findings)
        # A pack that is in shows that the workbook can be read: only deaths without one are counted.
        ImportBatch.objects.filter(pk=batch.pk).update(attempts=0)
        fault("intake.pack")
    return len(pack)


def _compare(batch: ImportBatch, job: Job) -> None:
    """Compare the rows with each other and with the country, count, and end the job."""
    fault("intake.compare")
    # Uniqueness is national: the comparison sees the country, its words only what the school may know.
    with scoped_transaction(NATION):
        compare(batch)
        count_rows(batch)
        ImportBatch.objects.filter(pk=batch.pk).update(
            state=State.CHECKED, version=F("version") + 1, preview={}
        )
        batch.refresh_from_db()
        with scope(batch.org_path):
            record(
                "registry.import.check", batch, actor=System(acting_path=batch.org_path), basis="R-EST-10",
                rows=batch.rows_total, wrong=batch.rows_wrong,
            )  # fmt: skip
        finish(job, Job.State.DONE, errors=batch.rows_wrong)
        fault("intake.checked")


def count_rows(batch: ImportBatch) -> None:
    """Mark the rows that have an error, and count them."""
    wrong = ImportFinding.objects.filter(batch=batch, level="error").values("row")
    rows = ImportRow.objects.filter(batch=batch)
    rows.filter(pk__in=wrong).update(action=ImportRow.Action.WRONG, student=None)
    counts = rows.aggregate(total=Count("pk"), wrong=Count("pk", filter=Q(action=ImportRow.Action.WRONG)))
    ImportBatch.objects.filter(pk=batch.pk).update(rows_total=counts["total"], rows_wrong=counts["wrong"])
