"""A file that a job makes for one person: kept sealed, fetched by her, erased after its time (EX-5, RD-8).

Each kind has a table of its own, born of `MadeFile`, and a job that writes it; what becomes of the rows is
the same for all.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from config import sealed_files
from config.clock import now
from config.errors import Refusal
from config.jobs import finish
from config.models import Job
from config.rules import rule
from config.scope import PathField, ScopedQuerySet, scoped_transaction
from registry.exporting.refusals import DownloadsSpent
from registry.models.person import NewPublicId

log = structlog.get_logger()


class NotYourFile(Refusal):
    code, status, rule = "made_file_not_yours", 403, "EX-5"
    message = _("文件只能由申请人本人下载。您可以自行申请一份。")


class FileNotReady(Refusal):
    code, status, rule = "made_file_not_ready", 409, "EX-5"
    message = _("该文件现在不能下载（{state}）。生成中的请稍候；已删除的请重新申请。")


class MadeFile(models.Model):
    """One file: asked for, made by a job, fetched by who asked, erased after its time."""

    class State(models.TextChoices):
        WAITING = "waiting", "生成中"
        READY = "ready", "可下载"
        FAILED = "failed", "未生成"
        ERASED = "erased", "已删除"

    public_id = models.UUIDField(unique=True, db_default=NewPublicId(), editable=False)
    org_path = PathField("申请单位路径")
    office_name = models.CharField("申请单位", max_length=100)
    state = models.CharField("状态", max_length=10, choices=State, default=State.WAITING)
    requested_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="申请人"
    )
    requested_by_name = models.CharField("申请人姓名", max_length=50)
    requested_at = models.DateTimeField("申请时间", db_default=Now())
    job = models.ForeignKey(Job, models.PROTECT, verbose_name="任务")
    stored_as = models.CharField("存储名", max_length=32, blank=True)
    size = models.BigIntegerField("字节数", default=0)
    expires_at = models.DateTimeField("保留至", null=True)
    downloads = models.PositiveIntegerField("下载次数", default=0)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        abstract = True


State = MadeFile.State


def request_by(actor: User, kind: str, *, total: int = 0) -> dict[str, Any]:
    """The columns of a new row: who asks, where, and the job that is to make it."""
    job = Job.objects.create(
        kind=kind, path=actor.acting_path, total=total, started_by=actor.pk,
        started_by_name=actor.signing_name,
    )  # fmt: skip
    return {
        "org_path": actor.acting_path, "office_name": actor.acting_office_name, "requested_by": actor,
        "requested_by_name": actor.signing_name, "job": job,
    }  # fmt: skip


def finish_file(made: MadeFile, job: Job, sink: sealed_files.Writer) -> None:
    """Hand the written file out, in the transaction that ends the work. Raises JobCancelled."""
    kept = timedelta(days=rule("EXPORT_KEEP_DAYS", at=made.org_path).number)
    type(made)._default_manager.filter(pk=made.pk).update(
        state=State.READY, stored_as=sink.name, size=sink.size, expires_at=Now() + kept
    )
    finish(job, Job.State.DONE)


def give_up(model: type[MadeFile], job: Job, why: Exception) -> None:
    """The right is gone, or what it was asked for: there is nothing to hand out."""
    log.info("file not made", kind=job.kind, job=job.pk, why=type(why).__name__)
    with scoped_transaction(job.path):
        model._default_manager.filter(job=job, state=State.WAITING).update(state=State.FAILED)
        Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED, ended_at=Now())


def downloads_left(made: MadeFile) -> int | None:
    """How often the file may still be fetched; None where there is no file yet, or no more."""
    if made.state != State.READY or made.expires_at is None or made.expires_at <= now():
        return None
    return max(rule("EXPORT_DOWNLOADS", at=made.org_path).number - made.downloads, 0)


def open_for(made: MadeFile, table: str, *, actor: User, right: Right) -> Iterator[bytes]:
    """The file's content, for who asked for it, and counted; the caller records that it was fetched.

    Raises NotYourFile, NotAllowed, DownloadsSpent, FileNotReady, DoesNotOpen: the whole is opened once before
    a byte leaves.
    """
    if made.requested_by_id != actor.pk:
        raise NotYourFile()
    explain(actor, right, at=made.org_path).or_raise()
    most = rule("EXPORT_DOWNLOADS", at=made.org_path).number
    ready = type(made)._default_manager.filter(pk=made.pk, state=State.READY, expires_at__gt=Now())
    fresh = ready.filter(downloads__lt=most)
    if not fresh.update(downloads=F("downloads") + 1):
        if ready.exists():
            raise DownloadsSpent(count=most)
        is_over = made.state == State.READY  # past its day, not erased yet
        raise FileNotReady(state=State.ERASED.label if is_over else made.get_state_display())
    made.refresh_from_db()
    for _piece in sealed_files.read(made.stored_as, table):
        pass
    return sealed_files.read(made.stored_as, table)


def purge(model: type[MadeFile], paths: list[str]) -> int:
    """Erase what is past its time, and what was written of files that failed; how many. Safe to repeat."""
    done = 0
    over = Q(state=State.READY, expires_at__lte=Now()) | Q(state__in=(State.FAILED, State.ERASED)) & ~Q(
        stored_as=""
    )
    for path in paths:
        with scoped_transaction(path):
            rows = model._default_manager.filter(over, org_path__within=path)
            for made in rows.select_for_update(skip_locked=True, of=("self",))[:500]:
                sealed_files.erase(made.stored_as)
                state = State.ERASED if made.state == State.READY else made.state
                model._default_manager.filter(pk=made.pk).update(state=state, stored_as="")
                done += 1
    return done
