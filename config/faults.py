"""Named points at which a test may end the process (RE-9). Silent everywhere but under test with a plan."""

import os
import signal

from django.conf import settings


def fault(point: str) -> None:
    """Kill this process here when the test's plan (XUEJI_FAULT, `point` or `point@n` for the n-th time)
    says so.
    """
    if not settings.UNDER_TEST:
        return
    planned = os.environ.get("XUEJI_FAULT", "")
    if planned and planned == point:
        os.kill(os.getpid(), signal.SIGKILL)
