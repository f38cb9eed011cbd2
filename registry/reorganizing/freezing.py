"""While an office moves, nobody begins anything there: what is written behind the mover would be lost."""

from django.db import connection

from config.scope import ancestors
from registry.models import Reorganization
from registry.reorganizing.refusals import OfficeMoving

_LOCK = "hashtextextended('reorganizing', 0)"


def running() -> "list[tuple[list[str], dict[str, str]]]":
    """Frozen paths and plan of every reorganization that runs; mostly none."""
    rows = Reorganization.objects.filter(started_at__isnull=False, done_at=None, dropped_at=None)
    return list(rows.values_list("frozen", "plan"))


def refuse_if_moving(*paths: str, is_open: bool = False) -> None:
    """Raise OfficeMoving when one of `paths` lies in an office that is being moved at this moment; for a case
    that `is_open` already, also where it may have arrived before what it is about.

    The caller's transaction holds off the beginning of a move until it ends: what it writes is moved too.
    Needs an open transaction that has locked no row of a case yet: the mover waits for whoever has asked.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock_shared({_LOCK})")
    if found := moving(*paths, is_open=is_open):
        raise OfficeMoving(office=found[0], kind=found[1])


def moving(*paths: str, is_open: bool = False) -> "tuple[str, str] | None":
    """Office and business, when one of `paths` lies in an office that is being moved; else None."""
    above = {one for path in paths for one in ancestors(path)}
    for frozen, plan in running():
        if above & {*frozen, plan["new_path"] if is_open else ""}:
            return plan["office_name"], plan["kind_name"]
    return None


def wait_for_writers() -> None:
    """Until this transaction ends nobody passes `refuse_if_moving`, and who has passed it has committed."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
