"""Fetching the file, and erasing it (EX-5, RD-8)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import System, record, record_read
from config import sealed_files
from config.rules import rule
from config.scope import scoped_transaction
from registry.exporting.asking import State, forget_file, move
from registry.exporting.refusals import DownloadsSpent, NotNow, NotYourExport, TermsChanged
from registry.exporting.running import TABLE, void
from registry.exporting.sheets import CSV, XLSX, file_name
from registry.exporting.terms import requester_of
from registry.models import Export

_PART_KEPT = timedelta(days=1)  # longer than any file takes to write
ENDED = (State.REFUSED, State.CANCELLED, State.VOID, State.ERASED)


@dataclass(frozen=True, slots=True)
class Collected:
    """A file on its way to the person who asked for it."""

    name: str
    content_type: str
    size: int
    pieces: Iterator[bytes]


@transaction.atomic
def collect(export: Export, *, actor: User) -> Collected:
    """The file, once more out of the few times; the caller has asked for a step-up.

    Raises NotYourExport, NotAllowed, TermsChanged (and the export is void), NotNow, DownloadsSpent,
    DoesNotOpen: the whole file is opened once before a byte of it leaves.
    """
    if export.requested_by_id != actor.pk:
        raise NotYourExport()
    explain(actor, Right.EXPORT, at=export.org_path).or_raise()
    if export.state != State.READY:
        raise NotNow(state=export.get_state_display())
    try:
        requester_of(export)
    except TermsChanged as refusal:
        refusal.afterwards = partial(_end, export, refusal.detail)
        raise
    _count(export)
    for _piece in sealed_files.read(export.stored_as, TABLE):
        pass
    export.refresh_from_db()
    record(
        "registry.export.collect", export, actor=actor, basis="EX-5", number=export.approval_number,
        count=export.downloads,
    )  # fmt: skip
    record_read(export, actor=actor, route="registry:export_file", purpose=export.approval_number)
    return Collected(
        file_name(export.scope_name, export.approval_number, export.format),
        XLSX if export.format == Export.Format.XLSX else CSV,
        export.size,
        sealed_files.read(export.stored_as, TABLE),
    )


def _count(export: Export) -> None:
    """Count the download. Two at once cannot both be the last: the UPDATE decides."""
    most = rule("EXPORT_DOWNLOADS", at=export.org_path).number
    fresh = Export.objects.filter(pk=export.pk, state=State.READY, expires_at__gt=Now())
    if fresh.filter(downloads__lt=most).update(downloads=F("downloads") + 1):
        return
    if fresh.exists():
        raise DownloadsSpent(count=str(most))
    raise NotNow(state=str(State.ERASED.label))


def _end(export: Export, why: str) -> None:
    forget_file(export)
    void(export, why)


def purge(paths: list[str], *, is_rehearsal: bool = False) -> int:
    """Erase files whose time is over, and what cut runs left; how many. Safe to repeat; a rehearsal only
    counts.
    """
    done = 0
    if not is_rehearsal:
        sealed_files.clear_parts(_PART_KEPT)
    for path in paths:
        with scoped_transaction(path):
            over = Export.objects.within(path).filter(
                Q(state=State.READY, expires_at__lte=Now()) | Q(state__in=ENDED) & ~Q(stored_as="")
            )
            if is_rehearsal:
                done += over.count()
                continue
            for export in over.select_for_update(skip_locked=True, of=("self",))[:500]:
                forget_file(export)
                if export.state == State.READY:
                    move(export, (State.READY,), State.ERASED)
                    record(
                        "registry.export.erase", export, actor=System(path), basis="RD-8",
                        number=export.approval_number,
                    )  # fmt: skip
                done += 1
    return done
