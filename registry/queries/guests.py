"""借读 as host and home see it: the same rows, each from its own side (R-CHG-09)."""

from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from accounts.roles import Right
from config.clock import today
from config.errors import NotFound
from config.paging import count_up_to
from registry.codes import label
from registry.models import Attendance, SchoolClass, Student
from registry.queries.rosters import PAGE, Page, go_on
from registry.queries.sight import Sight

_COLUMNS = (
    "id", "org_path", "home_path", "student_id", "name", "grade", "valid", "case_no", "host__name",
    "home__name", "school_class_id",
)  # fmt: skip


def _in_scope(user: User) -> Any:
    return Attendance.objects.visible_to(user, Right.VIEW_STUDENT)


def read_guests(user: User, after: str) -> Page:
    """Guests here and own pupils who are guests elsewhere, newest first, key-set paged."""
    rows = _in_scope(user).within(user.acting_path)
    total = count_up_to(rows)
    rows = go_on(rows, _in_scope(user), after)
    keys = list(rows.newest_first(user.acting_path).values_list("pk", flat=True)[: PAGE + 1])
    found = {row["id"]: row for row in _in_scope(user).filter(pk__in=keys[:PAGE]).values(*_COLUMNS)}
    shown = [found[pk] for pk in keys[:PAGE] if pk in found]
    for row in shown:
        row["grade_name"] = label("grade", row["grade"])
        row["is_here"] = row["org_path"].startswith(user.acting_path)
        row["is_running"] = row["valid"].upper > today()
    return Page(shown, keys[PAGE - 1] if len(keys) > PAGE else None, total)


def open_guest(user: User, pk: int) -> Attendance:
    """One guest study that her office hosts or sends. Raises NotFound."""
    found: Attendance | None = _in_scope(user).select_related("host", "home").filter(pk=pk).first()
    if found is None:
        raise NotFound()
    return found


def guests_in(school_class: SchoolClass) -> "QuerySet[Attendance]":
    """Who studies in the class today without belonging to the school; the caller has found the class."""
    rows = Attendance.objects.filter(org_path=school_class.org_path, school_class=school_class)
    return rows.filter(valid__contains=today()).order_by("name", "pk")


def stays_of(student: Student, user: User, sight: Sight) -> list[Attendance]:
    """The pupil's guest studies with what the hosts reported, for the record's 学籍经历; two queries."""
    rows = Attendance.objects.visible_to(user, sight.right).filter(student=student)
    return list(rows.select_related("host").prefetch_related("reports").order_by("-id"))
