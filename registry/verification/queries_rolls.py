"""What the pages and the API show of rolls: one class with its pupils, the classes of a school."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q

from accounts.models import Organization, User
from audit.services import record_list
from registry.codes import label
from registry.models import (
    Attendance,
    Campaign,
    ClassRoll,
    ConfirmationSheet,
    Enrolment,
    RollMark,
    SchoolClass,
    SchoolVerification,
    Student,
)
from registry.queries.guests import guests_in
from registry.queries.schools import open_class, open_school
from registry.queries.sight import classes_seen_by
from registry.services.reporting_in import roll_of
from registry.verification.rolls import may_confirm, verification_of

PRESENT = "present"
MOST_CLASSES = 300  # of one school


@dataclass(frozen=True, slots=True)
class Line:
    """One pupil of the roll: what is said of her, `present` where nothing is."""

    student: int
    name: str
    sex_name: str
    says: str
    why: str
    is_new: bool  # came into the class after it was confirmed


@dataclass(slots=True)
class Roll:
    """A class, its verification, and what its head teacher said."""

    school_class: SchoolClass
    school: SchoolVerification | None
    saved: ClassRoll | None
    lines: list[Line]
    unlisted: list[str]
    guests: list[Attendance]
    may_confirm: bool

    @property
    def is_signed(self) -> bool:
        return self.school is not None and self.school.state == SchoolVerification.State.SIGNED

    @property
    def is_open(self) -> bool:
        return self.school is not None and not self.is_signed

    @property
    def version(self) -> int:
        return self.saved.version if self.saved else 0

    @property
    def newcomers(self) -> int:
        return sum(line.is_new for line in self.lines)

    @property
    def is_confirmed(self) -> bool:
        return self.saved is not None and not self.newcomers


def open_roll(user: User, pk: int, route: str) -> Roll:
    """The roll of a class that she may read; the reading is recorded. Raises NotFound."""
    school_class = open_class(user, pk)
    school = verification_of(school_class.org_path)
    saved = _saved(school.campaign, school_class) if school else None
    marks = list(saved.marks.order_by("pk")) if saved else []
    of_pupil = {mark.student_id: mark for mark in marks if mark.student_id}
    listed = set(saved.students) if saved else set()
    roster = roll_of(school_class)
    record_list("student", roster, actor=user, route=route)
    return Roll(
        school_class,
        school,
        saved,
        [
            _line(spell, of_pupil.get(pk), is_new=bool(saved) and pk not in listed)
            for pk, spell in roster.items()
        ],
        [mark.name for mark in marks if mark.kind == RollMark.Kind.UNLISTED],
        list(guests_in(school_class)),
        may_confirm(user, school_class),
    )


def _saved(campaign: Campaign, school_class: SchoolClass) -> ClassRoll | None:
    found: ClassRoll | None = ClassRoll.objects.filter(campaign=campaign, school_class=school_class).first()
    return found


def _line(spell: Enrolment, mark: RollMark | None, *, is_new: bool) -> Line:
    return Line(
        spell.student_id, spell.name, label("sex", spell.sex), mark.kind if mark else PRESENT,
        mark.why if mark else "", is_new,
    )  # fmt: skip


@dataclass(slots=True)
class ClassLine:
    """One class of the list: how many pupils, what its roll says, how many sheets have come back."""

    school_class: SchoolClass
    pupils: int = 0
    roll: ClassRoll | None = None
    newcomers: int = 0
    printed: int = 0
    filed: int = 0

    @property
    def state(self) -> str:
        if self.roll is None:
            return "open"
        return "returned" if self.newcomers else "done"


@dataclass(slots=True)
class RollList:
    """The classes of one school in its verification."""

    path: str
    school: SchoolVerification | None
    lines: list[ClassLine] = field(default_factory=list)

    @property
    def confirmed(self) -> int:
        return sum(line.state == "done" for line in self.lines)


def read_rolls(user: User, path: str) -> RollList:
    """The open classes at the school of `path` that she may read, with their rolls. Constant queries."""
    school = verification_of(path)
    found = classes_seen_by(user).filter(org_path=path, is_open=True).select_related("head_teacher")
    lines = {one.pk: ClassLine(one) for one in found.order_by("grade", "number")[:MOST_CLASSES]}
    students: dict[int, set[int]] = {pk: set() for pk in lines}
    spells = Enrolment.objects.filter(org_path=path, school_class__in=lines).in_school()
    for class_id, student in spells.values_list("school_class_id", "student_id"):
        students[class_id].add(student)
    rolls: dict[int, ClassRoll] = {}
    sheets: dict[int, dict[str, Any]] = {}
    if school is not None:
        of_school = {"org_path": path, "campaign": school.campaign}
        rolls = {roll.school_class_id: roll for roll in ClassRoll.objects.filter(**of_school)}
        counted = ConfirmationSheet.objects.filter(**of_school).values("school_class").annotate(
            printed=Count("student", distinct=True),
            filed=Count("student", distinct=True, filter=Q(filed_at__isnull=False)),
        )  # fmt: skip
        sheets = {row["school_class"]: dict(row) for row in counted}
    for pk, line in lines.items():
        line.pupils, line.roll = len(students[pk]), rolls.get(pk)
        line.newcomers = len(students[pk] - set(line.roll.students)) if line.roll else 0
        line.printed = sheets.get(pk, {}).get("printed", 0)
        line.filed = sheets.get(pk, {}).get("filed", 0)
    return RollList(path, school, [line for line in lines.values() if line.pupils])


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One pupil of a class and her sheet, if it was printed."""

    student: int
    public_id: UUID
    name: str
    sheet: ConfirmationSheet | None

    @property
    def state(self) -> str:
        if self.sheet is None:
            return ""
        return "done" if self.sheet.filed_at else "waiting"


def read_sheets(school_class: SchoolClass) -> list[SheetLine]:
    """Everybody in the class with her latest sheet of the latest verification."""
    school = verification_of(school_class.org_path)
    roster = roll_of(school_class)
    rows = ConfirmationSheet.objects.filter(
        org_path=school_class.org_path, campaign=school.campaign if school else None, student__in=roster
    )
    sheets = {row.student_id: row for row in rows.order_by(F("filed_at").asc(nulls_first=True), "pk")}
    ids: dict[int, UUID] = dict(Student.objects.filter(pk__in=roster).values_list("pk", "public_id"))
    return [SheetLine(pk, ids[pk], spell.name, sheets.get(pk)) for pk, spell in roster.items()]


def path_of_school(user: User, school: int | None) -> str:
    """Her own school's path, or that of the school in scope that she names. Raises NotFound."""
    if school is None and user.acting_office and user.acting_office.kind == Organization.Kind.SCHOOL:
        return str(user.acting_path)
    return str(open_school(user, school or 0).organization.path)
