"""Jobs of the statistics. Each may run twice, at once, or be cut."""

from celery import shared_task
from django.db import OperationalError

from accounts.models import Organization
from config.jobs import resume
from config.scope import NATION
from registry.exporting.made import purge
from reports import files, folding
from reports.files import RUN
from reports.models import ReportFile

_LAST = 9  # behind whatever somebody waits for


def _tops() -> list[str]:
    """The paths right below the nation: one pass of a job is one of them."""
    below = Organization.objects.filter(parent__path=NATION).order_by("path")
    return list(below.values_list("path", flat=True))


@shared_task
def count_statistics() -> int:
    """Every few minutes: have each province's units counted, and the nation's own business."""
    folding.count_unit(folding.Unit(NATION, own=True))
    tops = _tops()
    for path in tops:
        count_province.apply_async([path], expires=240, priority=_LAST)
    return len(tops)


@shared_task
def count_province(path: str) -> int:
    """Append what changed in each unit of a province; a unit is a transaction."""
    return sum(folding.count_unit(unit) for unit in folding.counted_units(path))


@shared_task
def fold_statistics() -> int:
    """Each minute: sum up what was appended."""
    return folding.fold()


@shared_task
def check_statistics() -> int:
    """Nightly: have each province recounted in full, and the folded sums compared with their units."""
    folding.fold()
    wrong = folding.check_sums()
    folding.check_unit(folding.Unit(NATION, own=True))
    for path in _tops():
        check_province.apply_async([path], priority=_LAST)
    return wrong


@shared_task(acks_late=True, autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def check_province(path: str) -> int:
    """Hand out a full recount of each unit."""
    units = folding.counted_units(path)
    for unit in units:
        check_unit.apply_async([unit.path, unit.own], priority=_LAST)
    return len(units)


@shared_task(acks_late=True, autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def check_unit(path: str, own: bool) -> int:
    """Recount one unit, its encrypted values included."""
    return folding.check_unit(folding.Unit(path, own))


@shared_task(name=RUN, acks_late=True, autoretry_for=(OperationalError,), retry_backoff=True, max_retries=5)
def write_report(job_id: int) -> None:
    """Write one report file."""
    files.write(job_id)


@shared_task(name=folding.REFRESH, acks_late=True, autoretry_for=(OperationalError,), retry_backoff=True)
def refresh_unit(job_id: int) -> None:
    """Count one unit in full because somebody asked."""
    folding.run_refresh(job_id)


@shared_task
def resume_reports() -> int:
    """Each minute: offer again what a dead worker left."""
    return resume((RUN, folding.REFRESH))


@shared_task
def purge_reports() -> int:
    """Hourly: erase report files past their time (EX-5, RD-8)."""
    return purge(ReportFile, [NATION, *_tops()])
