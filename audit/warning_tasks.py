"""Jobs of early warning. Safe to run twice, at once, or to be cut."""

from celery import shared_task
from django.db import OperationalError

from audit import warnings, watching


@shared_task(autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def evaluate_warnings() -> int:
    """Every two minutes: read what was added to the log and warn; pass on what is overdue."""
    return watching.evaluate() + warnings.escalate()


@shared_task(autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def purge_attempts() -> int:
    """Nightly: erase attempts to sign in older than a month."""
    return watching.purge_attempts()
