"""Jobs of the archives."""

from datetime import timedelta

from celery import shared_task
from django.db import OperationalError

from archives import services
from config.clock import now
from config.rules import rule


@shared_task(acks_late=True, autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def purge_materials(dry_run: bool = False) -> int:
    """Nightly. Uploads that no record took in UPLOAD_KEEP_DAYS are erased (RD-8); a dry run only counts."""
    before = now() - timedelta(days=rule("UPLOAD_KEEP_DAYS").number)
    return services.count_unattached(before) if dry_run else services.purge_unattached(before)
