"""Jobs of the registry."""

from celery import shared_task
from django.db import OperationalError

from accounts.models import Organization
from config import breaker
from config.jobs import resume
from config.rules import rule
from config.scope import NATION
from registry.exporting.approving import RUN
from registry.exporting.collecting import purge as purge_files
from registry.exporting.running import run_export as write_export
from registry.intake.arriving import CHECK, COMMIT, count_old, purge
from registry.intake.checking import check_batch


@shared_task(name=CHECK, acks_late=True, autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def check_intake(job_id: int) -> None:
    """Check the workbook of one batch."""
    check_batch(job_id)


@shared_task
def resume_intake() -> int:
    """Each minute: offer again what a dead worker left. Whoever still works on a job keeps it."""
    return resume((CHECK, COMMIT))


@shared_task(name=RUN, acks_late=True, autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def run_export(job_id: int) -> None:
    """Write the file of one approved export."""
    write_export(job_id)


@shared_task
def resume_exports() -> int:
    """Each minute: offer again what a dead worker left."""
    return resume((RUN,))


@shared_task
def purge_exports() -> int:
    """Hourly. Files whose time is over are erased (EX-5, RD-8)."""
    paths = tops()
    due = purge_files(paths, is_rehearsal=True)
    try:
        breaker.allow("purge_exports", path=NATION, touched=due, of=0)
    except breaker.MassRunHeld:
        return 0  # its row waits for two persons
    return purge_files(paths)


@shared_task
def purge_imports() -> int:
    """Nightly. Batches that nobody committed within UPLOAD_KEEP_DAYS are erased (RD-8)."""
    paths, days = tops(), rule("UPLOAD_KEEP_DAYS").number
    try:
        breaker.allow("purge_imports", path=NATION, touched=count_old(days, paths), of=0)
    except breaker.MassRunHeld:
        return 0  # its row waits for two persons
    return purge(days, paths)


def tops() -> list[str]:
    """The paths right below the nation: one batch of a job is one of them."""
    below = Organization.objects.filter(parent__path=NATION).order_by("path")
    return list(below.values_list("path", flat=True))
