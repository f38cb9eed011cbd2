"""Jobs of the archives."""

from datetime import timedelta

from celery import shared_task
from django.db import OperationalError

from archives import photos, services, sheet_prints
from archives.models import SheetPrint
from archives.photo_checking import check_batch
from config import breaker
from config.clock import now
from config.jobs import resume
from config.rules import rule
from config.scope import NATION
from registry.exporting.made import purge


@shared_task(acks_late=True, autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def purge_materials(dry_run: bool = False) -> int:
    """Nightly. Uploads that no record took in UPLOAD_KEEP_DAYS, and photos that nobody handed in, are erased
    (RD-8); a dry run only counts.
    """
    before, paths = now() - timedelta(days=rule("UPLOAD_KEEP_DAYS").number), services.top_paths()
    due = services.count_unattached(before) + photos.count_stale(before, paths)
    if dry_run:
        return due
    try:
        breaker.allow("purge_materials", path=NATION, touched=due, of=0)
    except breaker.MassRunHeld:
        return 0  # its row waits for two persons
    return services.purge_unattached(before) + photos.purge(before, paths)


@shared_task(
    name=photos.CHECK, acks_late=True, autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5
)
def check_photos(job_id: int) -> None:
    """Check the ZIP of one class's photos."""
    check_batch(job_id)


@shared_task(name=sheet_prints.PRINT, acks_late=True, autoretry_for=(OperationalError,), retry_backoff=True)
def print_sheets(job_id: int) -> None:
    """Print the confirmation sheets of some classes."""
    sheet_prints.make(job_id)


@shared_task
def resume_photos() -> int:
    """Each minute: offer again what a dead worker left. Whoever still works on a job keeps it."""
    return resume((photos.CHECK, sheet_prints.PRINT))


@shared_task
def purge_sheets() -> int:
    """Hourly: erase printed sheets past their time (EX-5, RD-8)."""
    return purge(SheetPrint, services.top_paths())
