"""Starting the issue of formal numbers by hand (R-NUM-06); the nightly run needs nobody."""

from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import record
from config.errors import Refusal
from config.models import Job, Outbox
from registry.models import Student
from registry.status import NORMAL
from transfers.outbox import NUMBER_STUDENT

KIND = "issue_numbers"
RUNNING = (Job.State.WAITING, Job.State.RUNNING)


class AlreadyRunning(Refusal):
    code, status, rule = "job_running", 409, "R-NUM-06"
    message = _("学籍号签发正在进行（由{who}发起），请等待完成后再发起。")


def waiting_pupils(user: User) -> Any:
    """Pupils in school who still have a temporary number, in her scope."""
    pupils = Student.objects.visible_to(user, Right.ISSUE_NUMBERS)
    return pupils.filter(number__startswith="L", enrolments__status=NORMAL, enrolments__is_void=False)


def promised() -> int:
    """How many checks are promised and not yet done."""
    return Outbox.objects.filter(kind=NUMBER_STUDENT, done_at=None).count()


def last_job() -> Job | None:
    return Job.objects.filter(kind=KIND).order_by("-id").first()


@transaction.atomic
def start_issuing(user: User) -> Job:
    """Create the job and hand it to the worker after the commit. Raises NotAllowed, AlreadyRunning."""
    from transfers.tasks import issue_numbers

    explain(user, Right.ISSUE_NUMBERS, at=user.acting_path).or_raise()
    with connection.cursor() as cursor:
        # Two operators may press at once; the second waits here and then finds the first one's job.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [KIND])
    running = Job.objects.filter(kind=KIND, state__in=RUNNING).first()
    if running is not None:
        raise AlreadyRunning(who=running.started_by_name)
    job = Job.objects.create(
        kind=KIND,
        path=user.acting_path,
        total=waiting_pupils(user).count(),
        started_by=user.pk,
        started_by_name=user.name,
    )
    record("registry.number.run", job, actor=user, basis="R-NUM-06", total=job.total)
    transaction.on_commit(lambda: issue_numbers.delay(job.pk), robust=True)
    return job
