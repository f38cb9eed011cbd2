"""The edit page of a record: which fields it offers, what stands in them, and what somebody changed.

A value that is shown masked stays masked here: an empty box leaves it as it is, so that editing is no way
around the reveal (RD-2). Only what differs from the record goes to the service.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from config.errors import BadRequest
from registry.divisions import division_code, division_shown
from registry.fields import BY_KEY, SECTIONS, Field
from registry.form_values import clean_value
from registry.queries.dossier import Dossier

# Photos are files; the reading of the name follows the name.
_NOT_HERE = ("photo", "name_pinyin", "former_name")
_CLEAR, _DROP = "clear_", "drop_member2"
_SENT_BESIDES = frozenset(("csrfmiddlewaretoken", "version", _DROP))
SECOND = "family member 2"


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of the page: its box, or what is shown in its place when it is locked."""

    item: Field
    value: str
    shown: str
    change: str
    is_sealed: bool
    is_cleared: bool

    @property
    def key(self) -> str:
        return self.item.key

    @property
    def label(self) -> str:
        return self.item.label_short

    @property
    def widget(self) -> str:
        return self.item.widget

    @property
    def is_locked(self) -> bool:
        return self.change != "edit"

    @property
    def is_must(self) -> bool:
        return self.item.mandatory == "Y"

    @property
    def may_clear(self) -> bool:
        """An optional sealed value can be taken out: an empty box means that it stays."""
        return self.is_sealed and not self.is_must and bool(self.shown)

    @property
    def options(self) -> list[tuple[str, str]]:
        if self.item.widget == "yes_no" and not self.item.code_list:
            return [("1", _("是")), ("0", _("否"))]
        return self.item.choices


@dataclass(slots=True)
class EditForm:
    """What the page shows and what was typed into it."""

    dossier: Dossier
    version: int
    typed: dict[str, str] = field(default_factory=dict)
    cleared: frozenset[str] = frozenset()
    drops_second: bool = False

    @classmethod
    def blank(cls, dossier: Dossier) -> "EditForm":
        return cls(dossier, dossier.student.version)

    @classmethod
    def read(cls, posted: Mapping[str, str], dossier: Dossier) -> "EditForm":
        """What was sent. Raises BadRequest for a key that the page does not offer (AZ-5)."""
        form = cls(dossier, 0)
        offered = {entry.key for entry in form.entries() if not entry.is_locked}
        clears = {key for key in posted if key.startswith(_CLEAR)}
        unknown = set(posted) - offered - clears - _SENT_BESIDES
        unknown |= {key for key in clears if key.removeprefix(_CLEAR) not in offered}
        version = posted.get("version", "")
        if unknown or not (version.isascii() and version.isdigit() and len(version) < 9):
            raise BadRequest(why=_("页面已更新或内容不完整，请重新打开修改页"))
        form.version = int(version)
        form.typed = {key: posted[key] for key in offered if key in posted}
        form.cleared = frozenset(key.removeprefix(_CLEAR) for key in clears)
        form.drops_second = posted.get(_DROP) == "1"
        return form

    def sections(self) -> list[tuple[str, Any, list[Entry]]]:
        """Key, title and entries of each block of the form."""
        return [
            (
                section.key.replace(" ", "-"),
                section.title,
                [self._entry(item) for item in section.fields if item.key not in _NOT_HERE],
            )
            for section in SECTIONS
        ]

    def entries(self) -> list[Entry]:
        return [entry for _key, _title, entries in self.sections() for entry in entries]

    @property
    def has_second(self) -> bool:
        return any(member.ordinal == 2 for member in self.dossier.record.family)

    def _entry(self, item: Field) -> Entry:
        stored = self.dossier.values.get(item.key, "")
        sight = self.dossier.sight
        is_hidden = not sight.shows_field(item.key) or sight.masks(item.key)
        shown = sight.show(item, stored)
        value = self.typed.get(item.key, "" if is_hidden else _as_typed(item, stored))
        return Entry(item, value, shown, self.dossier.change_of(item), is_hidden, item.key in self.cleared)

    def changes(self) -> dict[str, str]:
        """The fields whose value is another than the record's, as the service takes them."""
        changed = {}
        for entry in self.entries():
            key, stored = entry.key, self.dossier.values.get(entry.key, "")
            if entry.is_locked or key not in self.typed:
                continue
            value = self._cleaned(entry.item, self.typed[key])
            if key in self.cleared and entry.may_clear:
                value = ""
            elif entry.is_sealed and not value:
                continue
            if value != stored:
                changed[key] = value
        if self.drops_second and self.has_second:
            changed |= {item.key: "" for item in BY_KEY.values() if item.section == SECOND}
        return changed

    def _cleaned(self, item: Field, text: str) -> str:
        if item.widget == "division":
            return division_code(text) if text.strip() else ""
        return clean_value(item, text, self.dossier.record.enrolment.grade)


def _as_typed(item: Field, value: str) -> str:
    """A stored value as its box holds it: places by name, everything else as stored."""
    return division_shown(value) if item.widget == "division" else value
