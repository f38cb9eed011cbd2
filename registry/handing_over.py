"""What of the registry stands in a person's name and goes to her successor (R-ACC-08), and how many pupils
stand under an office, for whoever is about to give somebody rights there.
"""

from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.handover import Kind
from accounts.models import User
from accounts.roles import Right
from config.paging import count_up_to
from registry.models import Enrolment, ImportBatch, SchoolClass
from registry.models.export import Export

_OPEN_IMPORTS = (
    ImportBatch.State.WAITING,
    ImportBatch.State.CHECKING,
    ImportBatch.State.CHECKED,
    ImportBatch.State.COMMITTING,
)
_OPEN_EXPORTS = (Export.State.ASKED, Export.State.HELD)


def pupils_under(path: str) -> int:
    """Pupils with a status at the offices under `path`, up to 10,000 and one."""
    return count_up_to(Enrolment.objects.in_school().within(path))


def _imports_of(person: User) -> Any:
    return ImportBatch.objects.filter(created_by=person, state__in=_OPEN_IMPORTS)


def _classes_of(person: User) -> Any:
    return SchoolClass.objects.filter(head_teacher=person, is_open=True)


def _exports_of(person: User) -> Any:
    return Export.objects.filter(requested_by=person, state__in=_OPEN_EXPORTS)


KINDS = (
    Kind(
        _("未办结的批量导入"),
        frozenset((Right.FILE,)),
        _imports_of,
        lambda rows, successor: rows.update(created_by=successor, created_by_name=successor.name),
    ),
    Kind(
        _("担任班主任的班级"),
        frozenset((Right.VIEW_OWN_CLASS,)),
        _classes_of,
        lambda rows, successor: rows.update(head_teacher=successor),
    ),
    Kind(
        _("待审批的导出申请"),
        frozenset((Right.EXPORT,)),
        _exports_of,
        lambda rows, successor: rows.update(requested_by=successor, requested_by_name=successor.name),
    ),
)
