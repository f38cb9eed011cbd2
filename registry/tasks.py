"""Jobs of the registry."""

from celery import shared_task
from django.db import IntegrityError, OperationalError

from accounts.models import Organization
from config import breaker
from config.clock import today
from config.jobs import resume
from config.rules import rule
from config.scope import NATION, scoped_transaction
from registry.dropout import alarm, households, pushing, reporting, watching
from registry.enrolling import lists
from registry.enrolling.lists import MATCH as MATCH_ADMISSIONS
from registry.entries.sheets import COMMIT as COMMIT_ENTRIES
from registry.entries.sheets import commit_entries as write_entries
from registry.entries.sheets import purge as purge_entry_sheets
from registry.exporting.approving import RUN
from registry.exporting.collecting import purge as purge_files
from registry.exporting.running import run_export as write_export
from registry.intake.arriving import CHECK, COMMIT, count_old, purge
from registry.intake.checking import check_batch
from registry.school_year import runs as promotion
from registry.school_year.refusals import PromotionTooEarly
from registry.school_year.runs import TASK as PROMOTE
from registry.services.national_check import compare_all
from registry.verification.overdue import escalate
from registry.verification.running import VERIFY
from registry.verification.running import verify as verify_schools


@shared_task(name=CHECK, acks_late=True, autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def check_intake(job_id: int) -> None:
    """Check the workbook of one batch."""
    check_batch(job_id)


@shared_task(
    name=MATCH_ADMISSIONS,
    acks_late=True,
    autoretry_for=(OperationalError,),
    retry_backoff=True,
    max_retries=5,
)
def match_admissions(job_id: int) -> None:
    """Match one result list of an authority."""
    lists.match(job_id)


@shared_task
def resume_intake() -> int:
    """Each minute: offer again what a dead worker left. Whoever still works on a job keeps it."""
    return resume((CHECK, COMMIT, COMMIT_ENTRIES, MATCH_ADMISSIONS))


@shared_task(name=RUN, acks_late=True, autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def run_export(job_id: int) -> None:
    """Write the file of one approved export."""
    write_export(job_id)


@shared_task
def resume_exports() -> int:
    """Each minute: offer again what a dead worker left."""
    return resume((RUN,))


@shared_task(
    name=COMMIT_ENTRIES, acks_late=True, autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5
)
def commit_entries(job_id: int) -> None:
    """Write the entries of one confirmed sheet."""
    write_entries(job_id)


@shared_task
def purge_exports() -> int:
    """Hourly. Files whose time is over are erased (EX-5, RD-8)."""
    paths = tops()
    due = purge_files(paths, is_rehearsal=True)
    try:
        breaker.allow("purge_exports", path=NATION, touched=due, of=0)
    except breaker.MassRunHeld:
        return 0  # its row waits for two persons
    return purge_files(paths)


@shared_task
def purge_imports() -> int:
    """Nightly. Batches that nobody committed within UPLOAD_KEEP_DAYS are erased (RD-8)."""
    paths, days = tops(), rule("UPLOAD_KEEP_DAYS").number
    try:
        breaker.allow("purge_imports", path=NATION, touched=count_old(days, paths), of=0)
    except breaker.MassRunHeld:
        return 0  # its row waits for two persons
    return purge(days, paths) + purge_entry_sheets(days, paths) + pushing.purge(days, [NATION])


@shared_task(
    name=PROMOTE, acks_late=True, autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5
)
def promote_part(part_id: int) -> None:
    """Rehearse or promote the schools of one county. Held by the breaker, or too early, it waits."""
    try:
        promotion.work(part_id)
    except (breaker.MassRunHeld, PromotionTooEarly):
        return  # its row waits for two persons, or the minute's round offers it again


@shared_task
def go_on_with_promotion() -> int:
    """Each minute: offer what is owed of a rehearsal or a promotion. Nothing is, for most of the year."""
    return promotion.offer()


@shared_task(
    name=VERIFY, acks_late=True, autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5
)
def verify_semester(job_id: int) -> None:
    """Check what is left of one campaign's run; several workers share it, office by office."""
    verify_schools(job_id)


@shared_task
def resume_verification() -> int:
    """Each minute: offer again what a dead worker left."""
    return resume((VERIFY,))


@shared_task
def escalate_findings() -> int:
    """Daily: findings past their day are told to the offices above (R-VER-05)."""
    return escalate(tops())


@shared_task
def watch_absences() -> int:
    """Each day: warn schools, open suspicions, tell who must hear of them (R-DRP-01, R-DRP-02)."""
    return sum(alarm.watch(path) for path in tops())


@shared_task
def end_dropouts() -> int:
    """Each day: entries of those whose compulsory years are over are closed by law (R-DRP-03)."""
    paths, due = tops(), 0
    for path in paths:
        with scoped_transaction(path):
            due += alarm.overaged(path, today()).count()
    try:
        breaker.allow("end_dropouts", path=NATION, touched=due, of=0)
    except breaker.MassRunHeld:
        return 0  # its row waits for two persons
    return sum(alarm.end_years(path) for path in paths)


@shared_task
def make_dropout_reports() -> int:
    """Each day: the reports of the periods that are over, for whoever has none yet (R-DRP-06)."""
    return sum(reporting.make(path) for path in tops())


@shared_task
def fold_watch_list() -> int:
    """Each night: hand out the watch list, county by county (R-DRP-08)."""
    paths = watching.units()
    for path in paths:
        fold_watch_unit.apply_async([path])
    return len(paths)


@shared_task(acks_late=True, autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def fold_watch_unit(path: str) -> int:
    """The watch list of one county says what its records say."""
    return watching.fold(path)


@shared_task(name=households.COMPARE, acks_late=True, autoretry_for=(OperationalError,), retry_backoff=True)
def compare_households(job_id: int) -> None:
    """Compare one household list (R-DRP-05)."""
    households.compare(job_id)


@shared_task(name=pushing.PUSH, acks_late=True, autoretry_for=(OperationalError,), retry_backoff=True)
def push_dropouts(job_id: int) -> None:
    """Push one list of suspected dropouts down to the schools (R-DRP-09)."""
    pushing.push(job_id)


@shared_task
def resume_households() -> int:
    """Each minute: offer again what a dead worker left."""
    return resume((households.COMPARE, pushing.PUSH))


@shared_task
def purge_households() -> int:
    """Nightly. Lists older than HOUSEHOLD_LIST_DAYS are erased (R-DRP-05, RD-8)."""
    paths = tops()
    try:
        breaker.allow(households.PURGE, path=NATION, touched=households.count_old(paths), of=0)
    except breaker.MassRunHeld:
        return 0  # its row waits for two persons
    return households.purge(paths)


def tops() -> list[str]:
    """The paths right below the nation: one batch of a job is one of them."""
    below = Organization.objects.filter(parent__path=NATION).order_by("path")
    return list(below.values_list("path", flat=True))


@shared_task(autoretry_for=(OperationalError, IntegrityError), retry_backoff=True, max_retries=5)
def compare_country() -> int:
    """Nightly: records of one number, or of one name, sex and birth date (R-EST-05)."""
    return compare_all()
