"""What stays open in a person's name, whoever's app it lies in (R-ACC-08).

The apps above say in their `AppConfig.ready` what of theirs can wait in somebody's name; whoever leaves hands
it over in the one act that ends her posts. Accounts stands below and may not ask for their tables.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.roles import Right
from config.models import Job

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of open thing. `rights` are those by which it came into her name: the successor holds the
    post that gave her one of them. `give` writes the successor into the rows, in one statement.
    """

    label: "StrOrPromise"
    rights: frozenset[Right]
    of: Callable[[User], "QuerySet[Any]"]
    give: Callable[["QuerySet[Any]", User], int]


def _jobs_of(person: User) -> "QuerySet[Job]":
    return Job.objects.filter(started_by=person.pk, state__in=(Job.State.WAITING, Job.State.RUNNING))


# A job asks for the rights of whoever started it: without a successor it would stop half-way (AZ-6).
KINDS: list[Kind] = [
    Kind(
        _("未完成的后台任务"),
        frozenset((Right.FILE, Right.EXPORT, Right.DECIDE, Right.ISSUE_NUMBERS)),
        _jobs_of,
        lambda rows, successor: rows.update(started_by=successor.pk, started_by_name=successor.name),
    )
]


def open_things(person: User) -> list[tuple[Kind, int]]:
    """What is open in her name, by kind; kinds without any are left out. One count for each kind."""
    counted = [(kind, kind.of(person).count()) for kind in KINDS]
    return [(kind, count) for kind, count in counted if count]


def give_all(person: User, successor: User) -> int:
    """Write `successor` into everything that is open in the person's name; answers how many rows."""
    return sum(kind.give(kind.of(person), successor) for kind in KINDS)
