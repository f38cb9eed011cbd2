"""Named points at which a test may end the process (RE-9). Silent everywhere but under test with a plan."""

import os
import signal
from pathlib import Path

from django.conf import settings
from django.db import connection
from psycopg.pq import TransactionStatus

_passed: dict[str, int] = {}  # how often this process came by each planned point


def fault(point: str) -> None:
    """Kill this process here when the test's plan (XUEJI_FAULT, `point` or `point@n` for the n-th time)
    says so.

    The file XUEJI_FAULT_LOG keeps one line, the plan and whether the kill hit inside a transaction. A plan
    with a line is spent: whoever is started again in the same environment goes on.
    """
    plan = os.environ.get("XUEJI_FAULT", "")
    if not settings.UNDER_TEST or plan.partition("@")[0] != point:
        return
    log = Path(os.environ["XUEJI_FAULT_LOG"])
    if log.exists() and log.stat().st_size:
        return
    _passed[plan] = _passed.get(plan, 0) + 1
    if _passed[plan] < int(plan.partition("@")[2] or 1):
        return
    server = connection.connection  # the protocol's own word, not what Django believes
    inside = server is not None and server.info.transaction_status is TransactionStatus.INTRANS
    log.write_text(f"{plan} {'inside' if inside else 'outside'}\n")
    os.kill(os.getpid(), signal.SIGKILL)
