"""Jobs of the log. Safe to run twice, at once, or to be cut."""

from datetime import timedelta

from celery import shared_task
from django.db import OperationalError

from audit import checkpoints, sealing
from audit import warning_tasks as warning_tasks  # the worker looks for tasks here
from audit.warnings import warn
from config.clock import today
from config.rules import rule
from config.scope import NATION


@shared_task
def seal_log() -> int:
    """Every few seconds: give every committed entry of the log its leaf (AU-3)."""
    return sealing.seal_all()


@shared_task(autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def sign_checkpoint() -> int:
    """Every hour: sign what the log is now (AU-4)."""
    return checkpoints.make_checkpoint().size


@shared_task
def write_checkpoints() -> int:
    """Nightly: yesterday's checkpoints as a file, and the sheet of its last one."""
    return len(checkpoints.write_day(today() - timedelta(days=1)))


@shared_task
def watch_sealer() -> bool:
    """Every quarter of an hour: warn when nothing has been signed for too long (W15)."""
    silent = checkpoints.silent_for()
    is_silent = silent >= timedelta(hours=rule("LOG_SILENT_HOURS").number)
    if is_silent:
        warn("W15", path=NATION, key="log:sealer", hours=int(silent.total_seconds() // 3600))
    return is_silent
