"""Today, in one place, so that a test can move it (1 September, 10 August 24:00, 29 February)."""

import os
from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils import timezone


def _moved() -> timedelta:
    """How far a test has moved the clock (XUEJI_CLOCK, an ISO date); nothing outside tests."""
    if settings.UNDER_TEST and (wanted := os.environ.get("XUEJI_CLOCK")):
        return date.fromisoformat(wanted) - timezone.localdate()
    return timedelta()


def now() -> datetime:
    return timezone.now() + _moved()


def today() -> date:
    """The civil date in China."""
    return timezone.localdate(now())
