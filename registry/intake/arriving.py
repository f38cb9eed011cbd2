"""A workbook arrives: taken in, queued for checking, given up, cleared away."""

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, Sum
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import System, record
from config import sealed_files
from config.errors import Refusal
from config.jobs import OPEN, is_idle, queue
from config.models import Job
from config.scope import scoped_transaction
from registry.intake.reading import look_at
from registry.intake.refusals import BadFile
from registry.models import ImportBatch, ImportRow
from registry.reorganizing import refuse_if_moving

CHECK, COMMIT = "check_intake", "commit_intake"
TABLE = "registry_importbatch"
State = ImportBatch.State


class SameFile(Refusal):
    code, status = "import_same_file", 409
    rule, article = "R-EST-10", ""
    message = _(
        "这份文件已于{when}由{who}上传（{state}），不能重复导入。请打开原来的批次，或修改文件后再传。"
    )


class NotNow(Refusal):
    """The batch is in another state than the act needs."""

    code, status = "import_not_now", 409
    rule = "R-EST-10"
    message = _("该批次当前状态为“{state}”，不能进行这项操作。请刷新后再看。")


@transaction.atomic
def take_in(file_name: str, content: bytes, *, actor: User) -> ImportBatch:
    """Keep an uploaded workbook sealed and queue it for checking.

    Raises NotAllowed, BadFile (what can be told at a glance: size, kind, directory) and SameFile.
    """
    explain(actor, Right.FILE, at=actor.acting_path).or_raise()
    refuse_if_moving(actor.acting_path)
    look_at(content, file_name)
    school = Organization.objects.get(path=actor.acting_path)
    digest = sealed_files.digest_of(content)
    job = _new_job(CHECK, actor)
    try:
        with transaction.atomic():
            batch = ImportBatch.objects.create(
                org_path=school.path, school=school, file_name=file_name.strip()[:200] or "未命名.xlsx",
                size=len(content), digest=digest, job=job, created_by=actor, created_by_name=actor.name,
            )  # fmt: skip
    except IntegrityError as error:
        raise _same_file(school.path, digest) from error
    batch.stored_as = sealed_files.store(content, TABLE)
    batch.save(update_fields=["stored_as"])
    batch.refresh_from_db()
    record("registry.import.upload", batch, actor=actor, basis="R-EST-10", size=batch.size)
    queue(job)
    return batch


def _same_file(path: str, digest: str) -> SameFile:
    first = ImportBatch.objects.exclude(state__in=(State.FAILED, State.CANCELLED)).get(
        org_path=path, digest=digest
    )
    return SameFile(
        when=f"{first.created_at:%Y-%m-%d %H:%M}", who=first.created_by_name, state=first.get_state_display()
    )


def _new_job(kind: str, actor: User, total: int = 0) -> Job:
    return Job.objects.create(
        kind=kind, path=actor.acting_path, total=total, started_by=actor.pk, started_by_name=actor.name
    )


def begin(batch: ImportBatch, kind: str, state: str, *, actor: User, **columns: Any) -> Job:
    """Put a checked batch into `state` under a new job of `kind`, handed to the worker after the commit.
    Why an earlier commit was not written is told no longer.

    The UPDATE names the state it expects: of two registrars who press at once, one wins. Raises NotNow.
    """
    job = _new_job(kind, actor, batch.rows_total)
    changed = ImportBatch.objects.filter(pk=batch.pk, state=State.CHECKED, version=batch.version).update(
        state=state, job=job, failure={}, **columns
    )
    if not changed:
        raise NotNow(state=ImportBatch.objects.get(pk=batch.pk).get_state_display())
    queue(job)
    return job


@transaction.atomic
def cancel(batch: ImportBatch, *, actor: User) -> None:
    """Give a batch up, or stop its commit and go back to what was checked. Raises NotAllowed, NotNow once it
    is committed.

    A commit under way holds the batch's row: its job is marked, and the commit takes everything back.
    """
    explain(actor, Right.FILE, at=batch.org_path).or_raise()
    open_job = Job.objects.filter(pk=batch.job_id, state__in=OPEN) if batch.job_id else Job.objects.none()
    is_stopped = open_job.update(state=Job.State.CANCELLED, ended_at=Now()) == 1
    record("registry.import.cancel", batch, actor=actor)
    if is_stopped and batch.state == State.COMMITTING:
        if is_idle(batch.job_id or 0):
            ImportBatch.objects.filter(pk=batch.pk, state=State.COMMITTING).update(
                state=State.CHECKED, preview={}
            )
        return
    live = ImportBatch.objects.filter(pk=batch.pk, state__in=(State.WAITING, State.CHECKING, State.CHECKED))
    if not live.update(state=State.CANCELLED, ended_at=Now()):
        raise NotNow(state=ImportBatch.objects.get(pk=batch.pk).get_state_display())
    clear(batch)


def clear(batch: ImportBatch) -> None:
    """Forget a batch that ends without pupils: rows, findings, cells and file."""
    batch.findings.all().delete()
    batch.rows.all().delete()
    erase(batch)


def erase(batch: ImportBatch) -> None:
    """Erase what the batch says about children, file and cells (RD-8); a continuation keeps its cells until
    its case is decided.
    """
    batch.rows.exclude(action=ImportRow.Action.CONTINUE).update(cells=None)
    batch.rows.update(blind=None, birth_on=None, name_fold="", name_py="", sex="")
    # Before the commit: cut here, the rows come back and are erased again.
    if batch.stored_as:
        sealed_files.erase(batch.stored_as)
        ImportBatch.objects.filter(pk=batch.pk).update(stored_as="")


def fail(batch: ImportBatch, refusal: BadFile) -> None:
    """Set a batch aside that cannot be read, with the sentence that says why."""
    ImportBatch.objects.filter(pk=batch.pk).update(
        state=State.FAILED, failure=refusal.in_words(), ended_at=Now()
    )
    record(
        "registry.import.fail", batch, actor=System(acting_path=batch.org_path), basis=refusal.rule,
        code=refusal.code,
    )  # fmt: skip
    clear(batch)
    Job.objects.filter(importbatch=batch).update(state=Job.State.FAILED, ended_at=Now())


def _old(path: str, kept_days: int) -> Any:
    return ImportBatch.objects.within(path).filter(
        # A commit that was cancelled and whose worker died at once is over, too.
        Q(state__in=(State.CHECKED, State.WAITING, State.CHECKING))
        | Q(state=State.COMMITTING, job__state=Job.State.CANCELLED),
        created_at__lt=Now() - timedelta(days=kept_days),
    )


def count_old(kept_days: int, paths: list[str]) -> int:
    """How many rows `purge` would clear now."""
    total = 0
    for path in paths:
        with scoped_transaction(path):
            total += _old(path, kept_days).aggregate(rows=Sum("rows_total"))["rows"] or 0
    return total


def purge(kept_days: int, paths: list[str]) -> int:
    """Clear batches nobody has committed within `kept_days`; how many (RD-8). Safe to repeat."""
    done = 0
    for path in paths:
        with scoped_transaction(path):
            for batch in _old(path, kept_days).select_for_update(skip_locked=True, of=("self",))[:200]:
                ImportBatch.objects.filter(pk=batch.pk).update(state=State.CANCELLED, ended_at=Now())
                clear(batch)
                record("registry.import.purge", batch, actor=System(acting_path=path), basis="RD-8")
                done += 1
    return done
