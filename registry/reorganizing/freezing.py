"""While an office moves, nobody begins anything there: what is written behind the mover would be lost."""

from django.db import connection

from config.scope import ancestors
from registry.models import Reorganization
from registry.reorganizing.refusals import OfficeMoving

_LOCK = "hashtextextended('reorganizing', 0)"


def running() -> "list[tuple[list[str], str, str]]":
    """Frozen paths, name of the office and of the business of every reorganization that runs; mostly none."""
    rows = Reorganization.objects.filter(started_at__isnull=False, done_at=None, dropped_at=None)
    return [
        (frozen, plan["office_name"], plan["kind_name"])
        for frozen, plan in rows.values_list("frozen", "plan")
    ]


def refuse_if_moving(*paths: str) -> None:
    """Raise OfficeMoving when one of `paths` lies in an office that is being moved at this moment.

    The caller's transaction holds off the beginning of a move until it ends: what it writes is moved too.
    Needs an open transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock_shared({_LOCK})")
    if found := moving(*paths):
        raise OfficeMoving(office=found[0], kind=found[1])


def moving(*paths: str) -> "tuple[str, str] | None":
    """Office and business, when one of `paths` lies in an office that is being moved; else None."""
    above = {one for path in paths for one in ancestors(path)}
    return next(((name, kind) for frozen, name, kind in running() if above & set(frozen)), None)


def wait_for_writers() -> None:
    """Until this transaction ends nobody passes `refuse_if_moving`, and who has passed it has committed."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
