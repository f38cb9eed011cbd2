"""Jobs of accounts. Safe to run twice, at once, or to be cut."""

from celery import shared_task
from django.db import OperationalError

from accounts import notice_mail, notices


@shared_task(autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def send_notices() -> int:
    """Each minute: send by e-mail the notices that wait for it."""
    return notice_mail.send_waiting()


@shared_task(autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def purge_notices() -> int:
    """Nightly: forget old notices."""
    return notices.purge()
