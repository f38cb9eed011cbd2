"""What of the archives stands in a person's name and goes to her successor (R-ACC-08)."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.handover import Kind
from accounts.models import User
from accounts.roles import Right
from archives.models import PhotoBatch

_OPEN = (PhotoBatch.State.WAITING, PhotoBatch.State.CHECKING, PhotoBatch.State.CHECKED)


def _photos_of(person: User) -> Any:
    return PhotoBatch.objects.filter(created_by=person, state__in=_OPEN)


KINDS = (
    Kind(
        _("未办结的照片采集"),
        frozenset((Right.FILE,)),
        _photos_of,
        lambda rows, successor: rows.update(created_by=successor, created_by_name=successor.name),
    ),
)
