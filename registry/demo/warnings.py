"""Early warnings of the demonstration, on the story's line."""

from collections.abc import Mapping

from accounts.models import User
from accounts.personas import PREFIX
from audit.budgets import person_key
from audit.warnings import warn
from registry.demo.personas import LEVELS


def raise_warnings(people: Mapping[str, User]) -> None:
    """Warn as the evaluator does; the security administrators of county, city and province find them."""
    auditor = people[f"{PREFIX}city.auditor"]
    warn("W3", path=LEVELS["city"], key=person_key(auditor.pk), subject_user=auditor.pk, reveals=11)
    warn("W7", path=LEVELS["school"], key="office", failures=23)
    warn("W16", path=LEVELS["county"], key="queue", count=340)
