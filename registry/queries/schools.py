"""Schools and classes: who teaches, how many pupils, which limit holds."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Q

from accounts.models import Organization, User
from accounts.roles import Right
from config.errors import NotFound
from config.paging import after_key, count_up_to
from config.scope import ancestors
from registry.codes import choices, label
from registry.models import Enrolment, School, SchoolClass
from registry.queries.rosters import PAGE, number_in, one_of
from registry.queries.sight import classes_seen_by
from registry.services.intake_rules import Seats, both_seats
from registry.status import PENDING

CLASS_ORDER = ("org_path", "grade", "number", "id")


@dataclass(frozen=True, slots=True)
class Room:
    """How full a class is: pupils, the limit in force, and the sentence that says who set it.

    `intake` are the seats that new registrations of an entry grade count against, where those are fewer.
    """

    count: int
    pending: int
    cap: int
    why: str
    intake: Seats | None = None

    @property
    def left(self) -> int:
        return max(0, self.cap - self.count)

    @property
    def is_full(self) -> bool:
        return self.count >= self.cap

    @property
    def may_register(self) -> bool:
        """Whether a new registration finds a seat."""
        return not self.is_full and (self.intake is None or self.intake.left > 0)

    @property
    def state(self) -> str:
        return "overdue" if self.count > self.cap else "pending" if self.is_full else "ok"


@dataclass(slots=True)
class ClassPage:
    rows: list[dict[str, Any]]
    after: int | None
    total: int
    place: str
    office: Organization | None
    grade: str


def read_classes(user: User, query: Any) -> ClassPage:
    """Classes in scope, key-set paged in the order of their index. Constant queries."""
    grade = one_of(query.get("grade", ""), [code for code, _name in choices("grade")])
    office, path = None, user.acting_path
    if wanted := query.get("office", ""):
        offices = Organization.objects.visible_to(user, Right.VIEW_OFFICE).within(user.acting_path)
        office = offices.filter(pk=number_in(wanted)).first()
        if office is None:
            raise NotFound()
        path = office.path
    rows = classes_seen_by(user).within(path).filter(is_open=True)
    if grade:
        rows = rows.filter(grade=grade)
    total = count_up_to(rows)
    if after := query.get("after", ""):
        last = classes_seen_by(user).filter(pk=number_in(after)).values_list(*CLASS_ORDER).first()
        if last is None:
            raise NotFound()
        rows = after_key(rows, CLASS_ORDER, last)
    columns = (
        *CLASS_ORDER,
        "name",
        "type",
        "cap",
        "head_teacher__name",
        "school_id",
        "school__organization__name",
    )
    shown = list(rows.order_by(*CLASS_ORDER).values(*columns)[: PAGE + 1])
    has_more, shown = len(shown) > PAGE, shown[:PAGE]
    counts = class_counts(user, [row["id"] for row in shown])
    for row in shown:
        row["count"] = counts.get(row["id"], 0)
        row["grade_name"], row["type_name"] = label("grade", row["grade"]), label("class_type", row["type"])
        row["head_teacher"] = row.pop("head_teacher__name") or ""
        row["school_name"] = row.pop("school__organization__name")
    place = office.name if office else user.acting_office_name
    return ClassPage(shown, shown[-1]["id"] if has_more else None, total, place, office, grade)


def class_counts(user: User, classes: list[int]) -> dict[int, int]:
    """Pupils in school, pending ones included, by class; one query."""
    spells = _class_spells(user).in_school().filter(school_class__in=classes)
    return dict(spells.values_list("school_class").annotate(n=Count("id")).order_by())


def _class_spells(user: User) -> Any:
    """Spells that she may count: a class's roll is for VIEW_CLASS, the own class for its head teacher."""
    by_class = Enrolment.objects.visible_to(user, Right.VIEW_CLASS)
    if not user.scope_paths(Right.VIEW_OWN_CLASS):
        return by_class
    return by_class | Enrolment.objects.visible_to(user, Right.VIEW_OWN_CLASS).filter(
        school_class__in=classes_seen_by(user).values("pk")
    )


def open_class(user: User, pk: int) -> SchoolClass:
    """A class whose roll she may read. Raises NotFound."""
    found = (
        classes_seen_by(user)
        .filter(pk=pk)
        .select_related("school__organization", "head_teacher", "campus")
        .first()
    )
    if found is None:
        raise NotFound()
    return found


def room_in(school_class: SchoolClass, rows: list[dict[str, Any]], day: date) -> Room:
    """How full the class is, from the roll that was read."""
    intake, most = both_seats([school_class.pk], day)[school_class.pk]
    pending = sum(row["status"] == PENDING for row in rows)
    return Room(most.taken, pending, most.cap, most.why, intake if intake.cap < most.cap else None)


def open_school(user: User, pk: int) -> School:
    """A school in scope. Raises NotFound."""
    offices = Organization.objects.visible_to(user, Right.VIEW_OFFICE).within(user.acting_path)
    school = (
        School.objects.filter(organization__in=offices.filter(pk=pk))
        .select_related("organization__parent")
        .first()
    )
    if school is None:
        raise NotFound()
    return school


_SCHOOL_COLUMNS = (
    "organization_id",
    "organization__path",
    "organization__name",
    "organization__division",
    "code",
    "running_type",
    "stages",
    "schooling",
)


def read_schools(user: User, after: str) -> tuple[list[dict[str, Any]], int | None, int]:
    """Schools in scope in the order of their paths: the rows after `after`, the next key, and how many in
    all.
    """
    offices = Organization.objects.visible_to(user, Right.VIEW_OFFICE).within(user.acting_path)
    schools = School.objects.filter(organization__in=offices)
    total = count_up_to(schools)
    if after:
        last = offices.filter(pk=number_in(after)).values_list("path", flat=True).first()
        if last is None:
            raise NotFound()
        schools = schools.filter(organization__path__gt=last)
    shown = list(schools.order_by("organization__path").values(*_SCHOOL_COLUMNS)[: PAGE + 1])
    has_more, shown = len(shown) > PAGE, shown[:PAGE]
    return shown, shown[-1]["organization_id"] if has_more else None, total


def authority_above(path: str) -> Organization | None:
    """The competent authority of the office at `path`: the nearest office above that is one."""
    above = Organization.objects.filter(path__in=ancestors(path)[:-1], is_authority=True)
    return above.order_by("-path").first()


def grade_counts(user: User, school: School) -> list[dict[str, Any]]:
    """Pupils in school by grade: girls, boys, pending. Empty for who may not read rolls."""
    spells = Enrolment.objects.visible_to(user, Right.VIEW_CLASS).within(school.organization.path).in_school()
    rows = (
        spells.values("grade")
        .annotate(
            total=Count("id"),
            girls=Count("id", filter=Q(sex="2")),
            pending=Count("id", filter=Q(status=PENDING)),
        )
        .order_by("grade")
    )
    return [
        row | {"boys": row["total"] - row["girls"], "grade_name": label("grade", row["grade"])}
        for row in rows
    ]


def classes_of(user: User, school: School) -> list[dict[str, Any]]:
    """The open classes of one school with their counts; two queries."""
    classes = classes_seen_by(user).filter(org_path=school.organization.path, is_open=True)
    rows = list(
        classes.order_by("grade", "number").values(
            "id", "name", "number", "grade", "type", "cap", "head_teacher__name"
        )
    )
    counts = class_counts(user, [row["id"] for row in rows])
    for row in rows:
        row["count"] = counts.get(row["id"], 0)
        row["grade_name"], row["type_name"] = label("grade", row["grade"]), label("class_type", row["type"])
        row["head_teacher"] = row.pop("head_teacher__name") or ""
    return rows
