"""Effects that a transaction promises and a worker performs (ARCHITECTURE 4.4, SECURITY RE-1)."""

from celery import current_app
from django.db import transaction

from config.models import Outbox
from config.requestid import current_request_id

COMPLETE_CASE = "complete_case"
NUMBER_STUDENT = "number_student"
NUMBER_BATCH = "number_batch"  # a pack of a batch, named by its first row
SETTLE_PROBLEM = "settle_problem"  # what both sides of a problem record come to
PERFORM = "transfers.tasks.perform"  # by name: kinds promise effects, and the task's module imports the kinds


def owe(kind: str, subject_id: int, path: str) -> None:
    """Promise an effect in the caller's transaction; a worker is told after the commit, the sweeper asks
    again.
    """
    # ON CONFLICT, not a caught error: one owed effect of a kind is enough, and the table is not behind the
    # wall.
    Outbox.objects.bulk_create(
        [Outbox(kind=kind, subject_id=subject_id, path=path, request_id=current_request_id())],
        ignore_conflicts=True,
    )
    transaction.on_commit(lambda: offer(kind, subject_id), robust=True)


def offer(kind: str, subject_id: int) -> None:
    """Hand the owed row to the queue. A dead queue only delays: the sweeper offers again."""
    for pk in Outbox.objects.filter(kind=kind, subject_id=subject_id, done_at=None).values_list(
        "pk", flat=True
    ):
        current_app.send_task(PERFORM, [pk], retry=False)
