"""One pupil's record as pages and the API show it: header, sections, masked values, nothing in clear that
need not be.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import Right
from config.clock import today
from config.rules import RuleInForce, rules
from registry.codes import label
from registry.fields import BY_KEY, SECTIONS, Field, Section
from registry.models import AidRecognition, OpenBusiness, ProblemRecord, Student, StudentNumber
from registry.numbers import TEMPORARY
from registry.queries.sight import HEALTH_KEYS, Sight, in_words
from registry.record import Record, load_record, open_number, values_of
from registry.services.aid import aid_of
from registry.services.duplicates import blocking_problems
from registry.status import OPEN, STATUSES

FAMILY = ("family member 1", "family member 2")
# Shown in the header or as the page itself, not again among the lines.
_NOT_LINES = ("photo",)


@dataclass(frozen=True, slots=True)
class Line:
    """One value on a record: its label, what is shown, and how it may be changed or revealed."""

    key: str
    label: str
    shown: str
    form_no: int | None
    change: str  # "edit", "case", "system"
    is_masked: bool = False
    may_reveal: bool = False
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """One section of the form with its lines."""

    key: str
    title: str
    lines: list[Line]


@dataclass(slots=True)
class Dossier:
    """A record ready to be shown. `as_of` is set when it shows a former state."""

    student: Student
    sight: Sight
    record: Record
    values: dict[str, str]
    in_force: dict[str, RuleInForce]
    as_of: date | None = None
    numbers: list[StudentNumber] = field(default_factory=list)

    @property
    def status(self) -> str:
        return self.record.enrolment.status

    @property
    def status_name(self) -> str:
        return STATUSES[self.status].name

    @property
    def is_open(self) -> bool:
        return self.status in OPEN and not self.record.enrolment.is_void

    @property
    def masked_number(self) -> str:
        return self.sight.show(BY_KEY["status_number"], self.student.number)

    @property
    def number_kind(self) -> str:
        kind = self.student.number[:1]
        return label("xueji_number_prefix", kind) if kind else ""

    @property
    def archive_due(self) -> date | None:
        """The day the archive must be complete (R-EST-02), while the number is temporary or none."""
        if self.student.number[:1] not in ("", TEMPORARY) or not self.is_open:
            return None
        return self.in_force["ARCHIVE_DEADLINE"].days_after(self.record.enrolment.valid.lower)

    def blocks(self) -> list[Block]:
        """The form's sections but the family's, as far as she may see them."""
        return [self.block(section) for section in SECTIONS if section.key not in FAMILY]

    def family_blocks(self) -> list[Block]:
        """The family members there are."""
        present = {f"family member {member.ordinal}" for member in self.record.family}
        return [self.block(section) for section in SECTIONS if section.key in present]

    def health_lines(self) -> list[Line]:
        return [self.line(BY_KEY[key]) for key in HEALTH_KEYS]

    def block(self, section: Section) -> Block:
        lines = [
            self.line(item)
            for item in section.fields
            if item.key not in _NOT_LINES and self.sight.shows_field(item.key)
        ]
        return Block(section.key, str(section.title), lines)

    def line(self, item: Field) -> Line:
        value = self.values.get(item.key, "")
        masked = self.sight.masks(item.key)
        return Line(
            key=item.key,
            label=item.label_short,
            shown=self.sight.show(item, value),
            form_no=item.form_no,
            change=self.change_of(item),
            is_masked=masked and bool(value),
            may_reveal=bool(value) and self.as_of is None and self.sight.reveals(item.key),
            is_number=item.key.endswith(("id_number", "status_number", "auxiliary_number")),
        )

    def change_of(self, item: Field) -> str:
        """Its change class at this office: at once, by a case, or by the system only (R-UPD-05)."""
        if item.change_class == "key" or item.key in self.in_force["KEY_FIELDS"].words:
            return "case"
        return "edit" if item.change_class == "normal" else "system"


def open_dossier(student: Student, sight: Sight) -> Dossier:
    """The record as it stands today."""
    return assemble(student, sight, load_record(student))


def assemble(student: Student, sight: Sight, record: Record, as_of: date | None = None) -> Dossier:
    """A record with its values and the rules that speak about it. Two queries besides those that loaded
    `record`.
    """
    in_force = rules(("ARCHIVE_DEADLINE", "KEY_FIELDS"), at=student.org_path, on=today())
    numbers = list(student.numbers.order_by("-is_current", "-issued_at", "-id"))
    values = values_of(record)
    values["auxiliary_number"] = next(
        (n.number for n in numbers if n.kind == StudentNumber.Kind.AUXILIARY and n.is_current), ""
    )
    return Dossier(student, sight, record, values, in_force, as_of, numbers)


@dataclass(frozen=True, slots=True)
class Flags:
    """What stands in the way of a record, or waits on it."""

    business: OpenBusiness | None
    problems: list[ProblemRecord]
    hints: int
    aid: AidRecognition | None

    @property
    def aid_in_words(self) -> str:
        """Level and days of the recognition, or an empty text."""
        if self.aid is None:
            return ""
        first, last = self.aid.valid.lower, self.aid.valid.upper - timedelta(days=1)
        level = label("hardship_level", self.aid.level)
        return _("{level}，{first}至{last}").format(level=level, first=first, last=last)


def flags_of(student: Student, user: User, sight: Sight) -> Flags:
    """Open business, problem records that block, how many hints to look at, and 家庭经济困难认定 in force.

    That a family is poor is shown to who keeps or decides on the record, not to every reader (D17).
    """
    business = OpenBusiness.objects.visible_to(user, sight.right).filter(student=student).first()
    open_hints = ProblemRecord.objects.visible_to(user, sight.right).filter(
        Q(student=student) | Q(other=student), closed_at=None, is_hint=True
    )
    aid = aid_of(student, today()) if sight.right == Right.VIEW_STUDENT else None
    return Flags(business, blocking_problems(student), open_hints.count(), aid)


def clear_value(student: Student, key: str) -> str:
    """One value in clear, in words. The caller has asked for the right and records the reveal. Raises
    DoesNotOpen.
    """
    pupil = load_record(student)
    if key == "id_number":
        return open_number(pupil.document) if pupil.document else ""
    if key == "status_number":
        return student.number
    return in_words(BY_KEY[key], values_of(pupil).get(key, ""))


def change_words() -> dict[str, str]:
    """What the change classes are called."""
    return {"edit": _("可直接修改"), "case": _("需核准"), "system": _("系统")}
