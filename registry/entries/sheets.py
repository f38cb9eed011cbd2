"""A workbook of entries from upload to its rows: kept sealed, checked again, written by a job, all or
nothing (R-EST-10, RD-8).
"""

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from accounts.models import User
from accounts.rights import acting_at
from audit.services import System, record, record_each
from config.copying import copy_rows
from config.crypto import next_ids
from config.errors import NotFound, Refusal
from config.faults import fault
from config.jobs import JobCancelled, finish, held, queue, report
from config.models import Job
from config.scope import scoped_transaction
from registry.entries import refusals as say
from registry.entries import workbook
from registry.entries.kinds import KINDS, WRITES, Kind
from registry.entries.services import new_entry, refuse_foreign
from registry.models import EntrySheet, RecordEntry
from registry.reorganizing import refuse_if_moving

COMMIT = "commit_entries"
_PACK = 500


def sheets_of(user: User) -> Any:
    """The sheets of the office she acts for whose kinds she writes there."""
    mine = [kind.code for kind in writable_kinds(user)]
    rows = EntrySheet.objects.filter(org_path=user.acting_path, kind__in=mine)
    return rows.select_related("job").order_by("-pk")


def writable_kinds(user: User) -> list[Kind]:
    held = {right for right in WRITES if user.may_act_at(right, user.acting_path)}
    return [kind for kind in KINDS.values() if held & set(kind.writes)]


def open_sheet(user: User, public_id: Any) -> EntrySheet:
    """Raises NotFound."""
    sheet: EntrySheet | None = sheets_of(user).filter(public_id=public_id).first()
    if sheet is None:
        raise NotFound()
    return sheet


@transaction.atomic
def upload(kind_code: str, file_name: str, content: bytes, *, actor: User) -> EntrySheet:
    """Read a workbook and keep it sealed until somebody says yes. Raises NotFound, NotAllowed,
    OfficeMoving, BadFile, SheetForeign, SheetEmpty.
    """
    kind = KINDS.get(kind_code)
    if kind is None:
        raise NotFound()
    refuse_foreign(actor, kind, actor.acting_path)
    refuse_if_moving(actor.acting_path)
    rows = workbook.read(content, file_name, kind)
    sheet = EntrySheet(
        id=next_ids("registry_entrysheet")[0], org_path=actor.acting_path, kind=kind.code,
        file_name=file_name.strip()[:200] or "未命名.xlsx", rows_total=len(rows), created_by=actor,
        created_by_name=actor.signing_name,
    )  # fmt: skip
    sheet.set_cells(rows)
    sheet.save(force_insert=True)
    sheet.refresh_from_db()
    record("registry.entry.upload", sheet, actor=actor, basis="R-EST-10", kind=str(kind.name), rows=len(rows))
    return sheet


def rows_of(sheet: EntrySheet) -> list[workbook.Row]:
    """Its rows as things stand now. Raises SheetDone when they are written or dropped."""
    if sheet.cells is None:
        raise say.SheetDone()
    return workbook.check(sheet.open_cells(), KINDS[sheet.kind], sheet.org_path)


@transaction.atomic
def confirm(sheet: EntrySheet, *, actor: User) -> Job:
    """Hand the sheet to the job that writes it. Raises NotAllowed, SheetFaulty, SheetDone."""
    refuse_foreign(actor, KINDS[sheet.kind], sheet.org_path)
    if wrong := sum(bool(row.faults) for row in rows_of(sheet)):
        raise say.SheetFaulty(count=wrong)
    job = Job.objects.create(
        kind=COMMIT, path=sheet.org_path, total=sheet.rows_total, started_by=actor.pk,
        started_by_name=actor.name,
    )  # fmt: skip
    # A job that failed left its reason; the sheet may be confirmed again.
    waiting = EntrySheet.objects.filter(pk=sheet.pk, job=sheet.job_id, cells__isnull=False)
    if sheet.job is not None and sheet.job.state != Job.State.FAILED:
        raise say.SheetDone()
    if waiting.update(job=job, failure={}) != 1:
        raise say.SheetDone()
    queue(job)
    return job


@transaction.atomic
def drop(sheet: EntrySheet, *, actor: User) -> None:
    """Forget a sheet that is not to be written. Raises NotAllowed, SheetDone."""
    refuse_foreign(actor, KINDS[sheet.kind], sheet.org_path)
    open_rows = EntrySheet.objects.filter(pk=sheet.pk, cells__isnull=False, job=sheet.job_id)
    is_running = sheet.job is not None and sheet.job.state != Job.State.FAILED
    if is_running or open_rows.update(cells=None) != 1:
        raise say.SheetDone()
    record("registry.entry.drop", sheet, actor=actor, kind=str(KINDS[sheet.kind].name))


def commit_entries(job_id: int) -> None:
    """Write the sheet of one job, or keep the reason why not. Killed anywhere it leaves nothing; done twice
    it finds the sheet written.
    """
    with held(job_id) as job:
        if job is None:
            return
        try:
            _commit(job)
        except Refusal as refusal:
            with scoped_transaction(job.path):
                EntrySheet.objects.filter(job=job, cells__isnull=False).update(failure=refusal.in_words())
                finish(job, Job.State.FAILED)
        except JobCancelled:
            return


def _commit(job: Job) -> None:
    with scoped_transaction(job.path):
        sheet = EntrySheet.objects.select_for_update(of=("self",)).get(job=job)
        if sheet.cells is None:  # erased before its turn: there is nothing to write
            finish(job, Job.State.FAILED)
            return
        kind = KINDS[sheet.kind]
        actor = _actor(job, kind, sheet.org_path)
        refuse_if_moving(sheet.org_path)
        rows = rows_of(sheet)
        if wrong := sum(bool(row.faults) for row in rows):
            raise say.SheetFaulty(count=wrong)
        try:
            for start in range(0, len(rows), _PACK):
                _write(rows[start : start + _PACK], sheet, kind, actor)
                report(job, min(start + _PACK, len(rows)))
        except IntegrityError as error:  # somebody entered one of them meanwhile
            raise say.SheetFaulty(count=1) from error
        fault("entries.written")
        EntrySheet.objects.filter(pk=sheet.pk).update(cells=None, done_at=Now())
        finish(job, Job.State.DONE)


def _actor(job: Job, kind: Kind, path: str) -> User:
    """Whoever confirmed it, by her rights of this moment (AZ-6). Raises NotAllowed."""
    *others, last = kind.writes
    for right in others:
        try:
            return acting_at(job.started_by or 0, right, at=path)
        except Refusal:
            continue
    return acting_at(job.started_by or 0, last, at=path)


def _write(rows: list[workbook.Row], sheet: EntrySheet, kind: Kind, actor: User) -> None:
    ids = next_ids("registry_recordentry", len(rows))
    entries: list[RecordEntry] = []
    for pk, row in zip(ids, rows, strict=True):
        assert row.found is not None, "a row without faults was read"
        entries.append(new_entry(pk, row.student_id, sheet.org_path, kind, row.found, actor, sheet))
    copy_rows(RecordEntry, entries)
    shared = {"kind": str(kind.name), "sheet": sheet.pk}
    acts = [(entry, shared | {"student": entry.student_id}) for entry in entries]
    record_each("registry.entry.add", acts, actor=actor, basis="C1")


def purge(kept_days: int, paths: list[str]) -> int:
    """Erase the cells of sheets that nobody confirmed within `kept_days`; how many (RD-8)."""
    done = 0
    for path in paths:
        with scoped_transaction(path):
            old = EntrySheet.objects.within(path).filter(
                cells__isnull=False, created_at__lt=Now() - timedelta(days=kept_days)
            )
            for sheet in old.select_for_update(skip_locked=True, of=("self",))[:200]:
                EntrySheet.objects.filter(pk=sheet.pk).update(cells=None)
                record("registry.entry.purge", sheet, actor=System(acting_path=path), basis="RD-8")
                done += 1
    return done
