"""Long work as a row that page and API show: queue it, hold it, report on it, take it up again
(ARCHITECTURE 6).

A job's kind is the name of the task that does it. The row is a hint for people; what the work changed is
told by the rows it changed.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic

from celery import current_app
from django.db import connection, transaction
from django.db.models.functions import Now

from config.models import Job

OPEN = (Job.State.WAITING, Job.State.RUNNING)
_PATIENCE = timedelta(seconds=30)
_PAUSE = 1.0  # seconds between two reports out of one transaction: each takes a connection of its own
_said: dict[int, float] = {}


class JobCancelled(Exception):  # noqa: N818  # not a fault: somebody changed her mind
    """The person who started the work has cancelled it."""


def queue(job: Job) -> None:
    """Hand the job to the worker after the commit. A dead queue only delays: `resume` asks again."""
    transaction.on_commit(lambda: current_app.send_task(job.kind, [job.pk], retry=False), robust=True)


@contextmanager
def held(job_id: int) -> Iterator[Job | None]:
    """The job, held by this process until the block ends; None when another holds it or it has ended.

    The lock belongs to the connection: a process that dies gives it back.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [f"job {job_id}"])
        is_mine = cursor.fetchone()[0]
    if not is_mine:
        yield None
        return
    try:
        taken = Job.objects.filter(pk=job_id, state__in=OPEN).update(state=Job.State.RUNNING)
        yield Job.objects.get(pk=job_id) if taken else None
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [f"job {job_id}"])


def is_idle(job_id: int) -> bool:
    """Whether no process holds the job; if so, none can until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"job {job_id}"])
        return bool(cursor.fetchone()[0])


def report(job: Job, done: int, *, total: int | None = None) -> None:
    """Show progress at once, also from inside a long transaction; raises JobCancelled when she gave up."""
    columns = {"done": done} if total is None else {"done": done, "total": total}
    if connection.in_atomic_block:
        if monotonic() - _said.get(job.pk, 0.0) < _PAUSE:
            return
        _said.clear()  # one job at a time in a process
        _said[job.pk] = monotonic()
        # A connection of its own: what this transaction writes nobody sees before it ends.
        with ThreadPoolExecutor(1) as outside:
            is_open = outside.submit(_report, job.pk, columns).result()
    else:
        is_open = Job.objects.filter(pk=job.pk, state__in=OPEN).update(**columns) == 1
    if not is_open:
        raise JobCancelled


def _report(pk: int, columns: dict[str, int]) -> bool:
    """Whether the job goes on; one that only this transaction knows yet cannot have been cancelled."""
    try:
        job = Job.objects.filter(pk=pk)
        return job.filter(state__in=OPEN).update(**columns) == 1 or not job.exists()
    finally:
        connection.close()


def finish(job: Job, state: str, *, errors: int = 0) -> None:
    """End the job, in the transaction that ends the work. Raises JobCancelled when she gave up before."""
    changed = Job.objects.filter(pk=job.pk, state__in=OPEN).update(state=state, errors=errors, ended_at=Now())
    if changed != 1:
        raise JobCancelled


def resume(kinds: tuple[str, ...]) -> int:
    """Offer again every open job of `kinds` that is older than half a minute; whoever holds one goes on."""
    stale = Job.objects.filter(kind__in=kinds, state__in=OPEN, started_at__lt=Now() - _PATIENCE)
    rows = list(stale.values_list("pk", "kind")[:200])
    for pk, kind in rows:
        current_app.send_task(kind, [pk], retry=False)
    return len(rows)
