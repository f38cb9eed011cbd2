"""Jobs of the registry."""

from celery import shared_task
from django.db import OperationalError

from accounts.models import Organization
from config.jobs import resume
from config.rules import rule
from config.scope import NATION
from registry.intake.arriving import CHECK, COMMIT, purge
from registry.intake.checking import check_batch


@shared_task(name=CHECK, acks_late=True, autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def check_intake(job_id: int) -> None:
    """Check the workbook of one batch."""
    check_batch(job_id)


@shared_task
def resume_intake() -> int:
    """Each minute: offer again what a dead worker left. Whoever still works on a job keeps it."""
    return resume((CHECK, COMMIT))


@shared_task
def purge_imports() -> int:
    """Nightly. Batches that nobody committed within UPLOAD_KEEP_DAYS are erased (RD-8)."""
    tops = Organization.objects.filter(parent__path=NATION).order_by("path").values_list("path", flat=True)
    return purge(rule("UPLOAD_KEEP_DAYS").number, list(tops))
