"""The job that commits an intake batch: pending pupils and their one case of 学籍注册, in one transaction.

Registry ends at a checked batch; here it becomes pupils and a case, or nothing at all. Killed at any row it
leaves nothing and is done again; done twice it finds the batch committed.
"""

from django.db.models.functions import Now

from accounts.models import User
from accounts.rights import acting_at
from accounts.roles import Right
from audit.services import System, record, record_refusal
from config.errors import Refusal
from config.faults import fault
from config.jobs import JobCancelled, finish, held, queue
from config.models import Job
from config.scope import scoped_transaction
from registry.intake.arriving import CHECK, State, erase
from registry.intake.committing import Written, refuse_if_moved, write_rows
from registry.models import ImportBatch
from transfers.intake import file_batch_case


def submit_batch(job_id: int) -> None:
    """Commit the batch of one job, or give it back to the registrar with the reason."""
    with held(job_id) as job:
        if job is None:
            return
        try:
            _submit(job)
        except Refusal as refusal:
            _give_back(job, refusal)
        except JobCancelled:
            _give_back(job, None)


def _submit(job: Job) -> None:
    with scoped_transaction(job.path):
        batch = ImportBatch.objects.select_for_update().get(job_id=job.pk)
        if batch.state != State.COMMITTING:
            return
        # Rights as they are now, not as they were when she pressed the button (AZ-6).
        actor = acting_at(job.started_by or 0, Right.FILE, at=batch.org_path)
        fault("intake.claimed")
        refuse_if_moved(batch)
        written = write_rows(batch, job, actor=actor)
        fault("intake.file")
        number = ""
        if not written.unplaced:  # else the placement of the last pupil files it (D7)
            number = file_batch_case(batch, actor=actor, reach=written.reach, attested=True).number
        _close(batch, job, written, actor=actor, case_no=number)
        fault("intake.before_commit")
    fault("intake.after_commit")


def _close(batch: ImportBatch, job: Job, written: Written, *, actor: User, case_no: str) -> None:
    ImportBatch.objects.filter(pk=batch.pk).update(
        state=State.COMMITTED, case_no=case_no, ended_at=Now(), preview={"counts": batch.preview["counts"]}
    )
    record(
        "registry.import.committed", batch, actor=actor, basis="R-EST-10", created=written.created,
        continued=written.continued, skipped=batch.rows_wrong, number=case_no,
    )  # fmt: skip
    finish(job, Job.State.DONE, errors=batch.rows_wrong)
    erase(batch)


def _give_back(job: Job, refusal: Refusal | None) -> None:
    """After the rollback: the batch is checked anew, and the page says why nothing was written."""
    with scoped_transaction(job.path):
        again = Job.objects.create(
            kind=CHECK, path=job.path, started_by=job.started_by, started_by_name=job.started_by_name
        )
        held_batches = ImportBatch.objects.filter(job_id=job.pk, state=State.COMMITTING)
        batch = held_batches.first()
        if batch is None or not held_batches.update(
            state=State.CHECKING, job=again, failure=refusal.in_words() if refusal else {}, preview={}
        ):
            again.delete()
            return
        Job.objects.filter(pk=job.pk).exclude(state=Job.State.CANCELLED).update(
            state=Job.State.FAILED, ended_at=Now()
        )
        if refusal is not None:
            record_refusal(
                actor=System(job.path, job.started_by_name, pk=job.started_by),
                route=job.kind,
                code=refusal.code,
                status=refusal.status,
                subject=batch,
            )
        queue(again)
