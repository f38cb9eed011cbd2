"""What runs in the worker and on the timetable. Arguments are ids; every task may run twice, at once, or be
cut.
"""

from datetime import timedelta

from celery import shared_task
from django.db import OperationalError
from django.db.models.functions import Now

from accounts.models import Organization
from config import breaker
from config.clock import today
from config.models import Job, Outbox
from config.scope import NATION, scoped_transaction
from registry.intake.arriving import COMMIT
from registry.models import Student
from registry.reorganizing import execute
from registry.services.problems import ended_ones
from registry.status import NORMAL
from transfers import cleanup, clock, suspensions
from transfers.completion import MOST_ATTEMPTS, perform_owed
from transfers.lanes import fold_lanes
from transfers.outbox import NUMBER_STUDENT, PERFORM, SETTLE_PROBLEM, owe
from transfers.submission import submit_batch

_SWEEP = 500
_PACK = 500


@shared_task(name=PERFORM, autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def perform(pk: int) -> None:
    """Perform one owed effect."""
    perform_owed(pk)


@shared_task
def sweep_outbox() -> int:
    """Each minute: offer again what is still owed. Twice, late or never delivered gives the same result."""
    owed = Outbox.objects.filter(
        done_at=None, attempts__lt=MOST_ATTEMPTS, created_at__lt=Now() - timedelta(seconds=30)
    )
    rows = list(owed.order_by("id").values_list("pk", flat=True)[:_SWEEP])
    for pk in rows:
        perform.delay(pk)
    return len(rows)


def provinces() -> list[str]:
    return list(Organization.objects.filter(kind="province").order_by("path").values_list("path", flat=True))


@shared_task
def remind_and_escalate() -> int:
    """Each quarter of an hour: remind at half time and on the eve; what is late goes before the office above.
    Nothing passes by silence (R-TRF-03).
    """
    done = 0
    for path in provinces():
        for act in (clock.escalate, clock.remind_on_the_eve, clock.remind_of_half):
            pack = clock.PACK
            while pack == clock.PACK:
                with scoped_transaction(path):
                    pack = act(path)
                done += pack
    return done


@shared_task
def fold_lane_paces() -> int:
    """Nightly: how long the cases of each lane took, for the forecast on tracking pages."""
    with scoped_transaction(NATION):
        return fold_lanes()


@shared_task
def watch_suspensions() -> int:
    """Nightly: tell schools of suspensions that run out or have (R-CHG-04). Each is said once."""
    due = 0
    for path in provinces():
        with scoped_transaction(path):
            due += suspensions.remind(path)
    return due


@shared_task
def clean_graduating_business() -> int:
    """Nightly, from the day of the notice until the freeze is over: what graduating grades have not finished
    is ended (A7.4, R-GRD-02).
    """
    paths, waiting = provinces(), 0
    for path in paths:
        with scoped_transaction(path):
            waiting += cleanup.due(path).count()
    try:
        breaker.allow("clean_graduating", path=NATION, touched=waiting, of=0)
    except breaker.MassRunHeld:
        return 0  # its row waits for two persons
    done = 0
    for path in paths:
        pack = cleanup.PACK
        while pack == cleanup.PACK:
            with scoped_transaction(path):
                pack = cleanup.clean_due(path)
            done += pack
    return done


@shared_task
def gather_stragglers() -> int:
    """Nightly: what a slow request wrote under a former path of an office that moved meanwhile follows it."""
    with scoped_transaction(NATION):
        return execute.gather_stragglers(today() - timedelta(days=2))


@shared_task
def settle_ended_problems() -> int:
    """Nightly: problem records of which a side has ended are settled; who is free gets her number
    (R-PRB-05).
    """
    with scoped_transaction(NATION):
        ended = ended_ones()
        for pk in ended:
            owe(SETTLE_PROBLEM, pk, NATION)
    return len(ended)


@shared_task
def issue_numbers(job_id: int | None = None) -> int:
    """Promise the national check for every pupil in school who still has an L number (R-NUM-06); nightly
    and by hand.

    With `job_id`, that job's row shows the progress. Safe to repeat: an owed check is owed once.
    """
    promised, after = 0, 0
    waiting = Student.objects.filter(
        number__startswith="L", enrolments__status=NORMAL, enrolments__is_void=False
    )
    if job_id:
        Job.objects.filter(pk=job_id).update(state=Job.State.RUNNING)
    while True:
        with scoped_transaction(NATION):
            pack = list(waiting.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:_PACK])
            for student_id in pack:
                owe(NUMBER_STUDENT, student_id, NATION)
        if not pack:
            break
        promised, after = promised + len(pack), pack[-1]
        if job_id:
            Job.objects.filter(pk=job_id).update(done=promised)
    if job_id:
        Job.objects.filter(pk=job_id).update(
            state=Job.State.DONE, done=promised, total=promised, ended_at=Now()
        )
    return promised


@shared_task(
    name=COMMIT, acks_late=True, autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5
)
def commit_intake(job_id: int) -> None:
    """Commit one checked batch: its pupils and its case."""
    submit_batch(job_id)
