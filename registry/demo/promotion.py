"""A rehearsed promotion for the demonstration: what the next one would do, for the nation to confirm."""

from accounts.models import User
from config.scope import NATION, scoped_transaction
from registry.school_year import runs
from registry.school_year.units import divide


def rehearse_promotion(operator: User) -> int:
    """Rehearse the coming promotion at once, without a worker; how many units it has."""
    with scoped_transaction(NATION):
        run = runs.rehearse(actor=operator)
        divide(run)
    for pk in list(run.parts.values_list("pk", flat=True)):
        runs.work(pk)
    return run.parts.count()
