"""The job that writes the file: rights asked again for every pack, rows streamed, nothing in clear on the
disk. Cut at any point it begins anew; run twice it changes nothing.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import structlog
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from audit.services import System, record
from audit.warnings import warn
from config import sealed_files
from config.clock import now
from config.crypto import DoesNotOpen
from config.faults import fault
from config.jobs import JobCancelled, finish, held, report
from config.models import Job
from config.rules import rule
from config.scope import scoped_transaction
from registry.exporting.approving import ask_again
from registry.exporting.asking import State, forget_file, move
from registry.exporting.columns import labels
from registry.exporting.order import ordered
from registry.exporting.reading import headings, read_pack
from registry.exporting.refusals import NothingToExport, TermsChanged, TooManyRows
from registry.exporting.sheets import Header, open_sheet
from registry.exporting.telling import tell_requester
from registry.exporting.terms import PURPOSES, chosen_filters, count_rows, requester_of, rows_of
from registry.models import Export

log = structlog.get_logger()
PACK = 500
_MOST_ATTEMPTS = 3  # whatever kills its worker is not offered for ever
TABLE = "registry_export"


def run_export(job_id: int) -> None:
    """Write the file of one job's export, from the beginning."""
    with held(job_id) as job:
        if job is None:
            return
        try:
            _run(job)
        except TermsChanged as refusal:
            _give_up(job, refusal.detail)
        except DoesNotOpen as error:
            log.error("export met a value that does not open", place=str(error))
            with scoped_transaction(job.path):
                warn("W15", path=job.path, key=f"export {job.pk}", place=str(error)[:100])
            _give_up(job, _("有一项加密内容未通过完整性校验，已停止生成并发出预警。"))
        except JobCancelled:
            log.info("export cancelled", job=job.pk)


def _run(job: Job) -> None:
    with scoped_transaction(job.path):
        export = Export.objects.filter(job_id=job.pk, state=State.APPROVED).first()
        if export is None:
            return
        forget_file(export)  # of a run that was cut
        if export.attempts >= _MOST_ATTEMPTS:
            raise TermsChanged(why=_("文件生成多次中断，已停止。"))
        user = requester_of(export)
        rows = rows_of(chosen_filters(export.filters, user), user)
        places = list(rows.values_list("pk", "org_path", "grade", "class_number")[: export.row_cap + 1])
        if len(places) > export.row_cap:
            _grown(export, user, job)
            return
        sink = sealed_files.Writer(TABLE)
        Export.objects.filter(pk=export.pk).update(stored_as=sink.name, attempts=F("attempts") + 1)
    try:
        _write(export, ordered(export, places), sink, job)
    except BaseException:
        sink.abandon()
        raise


def _write(export: Export, ids: list[int], sink: sealed_files.Writer, job: Job) -> None:
    report(job, 0, total=len(ids))
    about = header_of(export, len(ids))
    sheet = open_sheet(export.format, sink, about=about, headings=headings(export), mark=mark_of(export))
    done = written = 0
    for pack in _packs(ids):
        with scoped_transaction(export.org_path):
            # Her rights of this moment, and the terms as they stand: a right lost meanwhile stops the run.
            lines = read_pack(export, pack, requester_of(Export.objects.get(pk=export.pk)))
            fault("export.pack")
        sheet.add(lines)
        written += len(lines)
        done += len(pack)
        report(job, done)
    sheet.close()
    sink.finish()
    fault("export.written")
    with scoped_transaction(export.org_path):
        kept = timedelta(days=rule("EXPORT_KEEP_DAYS", at=export.org_path).number)
        move(
            export, (State.APPROVED,), State.READY, rows=written, size=sink.size, ready_at=Now(),
            expires_at=Now() + kept,
        )  # fmt: skip
        record(
            "registry.export.run", export, actor=System(export.org_path), basis="EX-1",
            number=export.approval_number, count=written,
        )  # fmt: skip
        tell_requester(export)
        finish(job, Job.State.DONE)
        fault("export.ready")


def _packs(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), PACK):
        yield ids[start : start + PACK]


def _grown(export: Export, user: User, job: Job) -> None:
    """More rows than the cap: nothing is read, and the approver is asked again."""
    try:
        count = count_rows(chosen_filters(export.filters, user), user)
    except (TooManyRows, NothingToExport) as refusal:
        raise TermsChanged(why=refusal.detail) from None
    ask_again(export, count)
    finish(job, Job.State.FAILED)


def _give_up(job: Job, why: str) -> None:
    """The approval holds no longer: the export ends without a file."""
    with scoped_transaction(job.path):
        export = Export.objects.filter(job_id=job.pk, state=State.APPROVED).first()
        if export is None:
            return
        forget_file(export)
        void(export, why)
        finish(job, Job.State.FAILED)


def void(export: Export, why: str) -> None:
    """End an approved export whose approval no longer holds; the caller has erased its file."""
    move(export, (State.APPROVED, State.READY), State.VOID, reason=why[:200])
    record(
        "registry.export.void", export, actor=System(export.org_path), reason=why[:200], basis="EX-1",
        number=export.approval_number,
    )  # fmt: skip
    tell_requester(export)


def mark_of(export: Export) -> str:
    """The watermark: for whom, by which approval, when."""
    return (
        f"{export.requested_by_name} {export.office_name} {export.approval_number} "
        f"{timezone.localtime(now()):%Y-%m-%d %H:%M}"
    )


def header_of(export: Export, count: int) -> Header:
    """The sheet that says what the file is, who asked, who is responsible (EX-5)."""
    assert export.decided_at is not None  # noqa: S101  # an approved export
    decided = timezone.localtime(export.decided_at)
    return [
        ("导出单号", export.approval_number),
        ("水印", mark_of(export)),
        ("申请单位", export.office_name),
        ("申请人", export.requested_by_name),
        ("申请时间", f"{timezone.localtime(export.requested_at):%Y-%m-%d %H:%M}"),
        ("用途", f"{PURPOSES[export.purpose]}：{export.purpose_text}"),
        ("数据范围", export.scope_name),
        ("筛选条件", export.filter_words),
        ("项目", "、".join(labels(export.fields))),
        ("明文项目", "、".join(labels(export.clear_fields)) or "无，敏感项目均已遮盖"),
        ("批准", f"{export.decided_office} {export.decided_by_name} {decided:%Y-%m-%d %H:%M}"),
        ("人数", str(count)),
        ("注意", "本文件含未成年人个人信息，仅限上述用途；用毕删除，不得转发。行序可追溯到本次导出。"),
    ]  # fmt: skip
