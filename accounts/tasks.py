"""Jobs of accounts. Safe to run twice, at once, or to be cut."""

from celery import shared_task
from django.db import OperationalError

from accounts import mass_runs, notice_mail, notices, reset_requests, sealing, sign_ins, throttle
from accounts.administration import lists, training
from config import breaker
from config.scope import NATION


@shared_task(autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def send_notices() -> int:
    """Each minute: send by e-mail the notices that wait for it."""
    return notice_mail.send_waiting()


@shared_task(autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def purge_notices() -> int:
    """Nightly: forget old notices."""
    try:
        breaker.allow("purge_notices", path=NATION, touched=notices.count_old(), of=0)
    except breaker.MassRunHeld:
        return 0  # its row waits for two persons
    return notices.purge()


@shared_task(autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def seal_dormant_accounts() -> int:
    """Nightly: seal accounts unused for ACCOUNT_SEAL_DAYS (AC-8)."""
    try:
        return sealing.seal_dormant()
    except breaker.MassRunHeld:
        return 0  # its row waits for two persons


@shared_task(autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def warn_idle_accounts() -> int:
    """Each morning: tell whose account will be sealed soon."""
    return sealing.warn_idle()


@shared_task(autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def watch_upkeep() -> int:
    """Each morning: warn of backups and drills that failed or did not happen (RE-7)."""
    return mass_runs.warn_upkeep()


@shared_task(autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def watch_mass_runs() -> int:
    """Each minute: look at the clock, start what two persons confirmed, warn of what is held (RE-4)."""
    breaker.check_clock()
    breaker.start_confirmed()
    return mass_runs.warn_held()


@shared_task(autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def warn_ending_trainings() -> int:
    """Each morning: tell whose training ends soon, and the administrators of the office above (AC-10)."""
    return training.warn_of_endings()


@shared_task(autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def purge_account_lists() -> int:
    """Nightly: forget uploaded lists of accounts that nobody confirmed (RD-8)."""
    return lists.purge()


@shared_task(autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def purge_sign_ins() -> int:
    """Hourly: close sign-ins whose hours are over, forget ended ones, sessions, old failures, and requests
    that nobody confirmed (RD-8).
    """
    return sign_ins.purge() + throttle.purge() + reset_requests.purge()
