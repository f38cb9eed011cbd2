"""What an export may hold: the items of the form, which of them are masked, and whose right each needs."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from registry.field_rights import Reading, readable
from registry.fields import BY_KEY, FIELDS, SECTION_TITLES
from registry.queries.sight import in_words, is_masked, mask
from registry.status import STATUSES

NAME = "name"  # in every export: a row that says nobody's name helps nobody and cannot be traced
# Beside the form: where the pupil is, as lists show it.
_PLACES = {"school_name": _("学校"), "class_name": _("班级名称"), "status": _("学籍状态")}
_LEFT_OUT = frozenset(("photo", "auxiliary_number"))
_TITLES = {"place": _("学校与状态"), "status": _("学籍信息"), "system": _("学籍信息"), **SECTION_TITLES}


@dataclass(frozen=True, slots=True)
class Column:
    """One item that may be chosen."""

    key: str
    label: str
    section: str
    is_masked: bool = False


def _columns() -> dict[str, Column]:
    places = [Column(key, str(label), "place") for key, label in _PLACES.items()]
    items = [
        Column(field.key, field.label_zh, "status" if field.section == "system" else field.section,
               is_masked(field.key))
        for field in FIELDS
        if field.key not in _LEFT_OUT and (field.place != "none" or field.key == "status_number")
    ]  # fmt: skip
    by_key = {column.key: column for column in (*places, *items)}
    return {NAME: by_key[NAME], **by_key}


COLUMNS = _columns()


def offered_to(user: User) -> list[Column]:
    """The items whose values she may read, masked or not (AZ-4)."""
    return [
        column
        for column in COLUMNS.values()
        if column.key not in BY_KEY or readable(user, column.key) != Reading.NONE
    ]


def may_see_clear(user: User, key: str = "id_number") -> bool:
    """Whether an approval may name a masked item in clear for her."""
    return readable(user, key) in (Reading.REVEALABLE, Reading.CLEAR)


def by_section(columns: list[Column]) -> list[tuple[str, list[Column]]]:
    """The items under the headings of the form."""
    found: dict[str, list[Column]] = {}
    for column in columns:
        found.setdefault(str(_TITLES[column.section]), []).append(column)
    return list(found.items())


def shown(key: str, value: str, *, is_clear: bool) -> str:
    """A value as the file holds it: in words, masked unless the approval names it in clear."""
    if key == "status":
        return STATUSES[value].name if value else ""
    if key not in BY_KEY:
        return value
    if not is_clear and COLUMNS[key].is_masked:
        return mask(key, value)
    return in_words(BY_KEY[key], value)


def labels(keys: Any) -> list[str]:
    return [COLUMNS[key].label for key in keys]
