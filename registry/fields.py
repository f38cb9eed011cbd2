"""The 72 items of the national form and the 73 columns of its template, as data read once (HANDBOOK C1).

`data/fields.csv` restates the form; `data/field_details.csv` adds what is ours: key, place, widget, secrecy,
bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.utils.translation import gettext_lazy as _

from registry import codes
from registry.codes import DATA, rows_of

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Mandatory = Literal["Y", "N", "C", "system"]
ChangeClass = Literal["key", "normal", "system"]
Place = Literal["student", "private", "document", "enrolment", "member", "none"]
Widget = Literal[
    "text", "select", "date", "month", "yes_no", "division", "textarea", "number", "photo", "none"
]

SECTION_TITLES = {
    "basic": _("基本信息"),
    "auxiliary": _("辅助信息"),
    "status": _("学籍信息"),
    "contact": _("联系方式"),
    "extended": _("扩展信息"),
    "commute": _("交通"),
    "family member 1": _("家庭成员一"),
    "family member 2": _("家庭成员二"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One item. `form_no` is its number on the form, `template_col` its column in the template; None where
    absent.

    `mandatory` is "C" where it depends on other fields (`registry.checks`). `place` says where the value is
    stored: columns of the student, sealed JSON of the student ("private"), document, enrolment, family
    member, or nowhere. `sealed` values are D4: encrypted, masked, absent from logs and lists. `allowed`
    narrows the code list for pupils.
    """

    form_no: int | None
    template_col: int | None
    key: str
    label_zh: str
    section: str
    mandatory: Mandatory
    code_list: str
    format_rule: str
    change_class: ChangeClass
    place: Place
    widget: Widget
    sealed: bool
    max_length: int | None
    allowed: tuple[str, ...]

    @property
    def choices(self) -> list[tuple[str, str]]:
        """(code, label) a pupil's record may hold, in official order; empty without a code list."""
        return codes.choices(self.code_list, self.allowed) if self.code_list else []

    @property
    def label_short(self) -> str:
        """The label without "成员1" before it, for use under its section's title."""
        return self.label_zh[3:] if self.place == "member" else self.label_zh


@dataclass(frozen=True, slots=True)
class Section:
    """One block of the form, with its fields in form order."""

    key: str
    title: StrOrPromise
    fields: tuple[Field, ...]


def _number(text: str) -> int | None:
    return int(text) if text else None


def _read_fields() -> tuple[Field, ...]:
    details = {row["name_zh"]: row for row in rows_of(DATA / "field_details.csv")}
    fields = []
    for row in rows_of(DATA / "fields.csv"):
        own = details.pop(row["name_zh"])
        fields.append(
            Field(
                form_no=_number(row["form_no"]),
                template_col=_number(row["template_col"]),
                key=own["key"],
                label_zh=row["name_zh"],
                section=row["section"],
                mandatory=row["mandatory"],  # type: ignore[arg-type]  # a test proves the values of the file
                code_list=row["code_list"],
                format_rule=row["format_rule"],
                change_class=row["change_class"],  # type: ignore[arg-type]
                place=own["place"],  # type: ignore[arg-type]
                widget=own["widget"],  # type: ignore[arg-type]
                sealed=own["sealed"] == "Y",
                max_length=_number(own["max_length"]),
                allowed=tuple(own["allowed"].split()),
            )
        )
    if details:
        raise ValueError(f"field_details.csv describes fields that the form does not have: {sorted(details)}")
    return tuple(fields)


FIELDS = _read_fields()
"""Every field, in the order of the source file (roughly that of the template)."""

BY_KEY = {field.key: field for field in FIELDS}

TEMPLATE = tuple(sorted((f for f in FIELDS if f.template_col), key=lambda f: f.template_col or 0))
"""The columns of the import template, 1 to 73."""

# Blood type has a column but no number on the form; it follows the document's validity, as in the template.
SECTIONS = tuple(
    Section(
        key=key,
        title=title,
        fields=tuple(
            sorted((f for f in FIELDS if f.section == key), key=lambda f: (f.form_no is None, f.form_no or 0))
        ),
    )
    for key, title in SECTION_TITLES.items()
)
"""The form, block by block; header and system fields are not on it."""

MEMBER_KEYS = tuple(f.key.removeprefix("member1_") for f in FIELDS if f.section == "family member 1")
"""The twelve items of a family member, without the block's prefix."""
