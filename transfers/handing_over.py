"""Cases that somebody filed and that are not done go to her successor (R-ACC-08). Steps wait at an office,
not at a person: her colleagues find them in their queue as before.
"""

from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.handover import Kind
from accounts.models import NAME_LENGTH, User
from accounts.roles import Right
from transfers.models import Case


def _cases_of(person: User) -> Any:
    return Case.objects.filter(filed_by=person, is_open=True)


def _give(rows: Any, successor: User) -> int:
    # The log keeps who filed; the case says who answers for it now, and for whom she does.
    given = 0
    for name in list(rows.values_list("filed_by_name", flat=True).distinct()):
        words = _("{successor}（接{name}）").format(successor=successor.name, name=name)[:NAME_LENGTH]
        given += rows.filter(filed_by_name=name).update(filed_by=successor, filed_by_name=words)
    return given


KINDS = (
    Kind(
        _("本人发起、尚未办结的办件"),
        frozenset((Right.FILE, Right.DECIDE, Right.MANAGE_OFFICES)),
        _cases_of,
        _give,
    ),
)
