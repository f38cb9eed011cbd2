"""Classes in scope, and the roll of one."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.models import Organization, User
from accounts.rights import requires
from accounts.roles import Right
from audit.services import record_list
from config.clock import today
from registry.codes import choices, label
from registry.enrolling.auxiliary import is_kept
from registry.entries.reading import kinds_in_class
from registry.models import SchoolClass
from registry.queries import schools as queries
from registry.queries.guests import guests_in
from registry.queries.rosters import COLUMNS, dress
from registry.queries.sight import own_classes, pupils_of
from registry.services.allowances import may_set
from registry.services.reporting_in import may_note

MOST_IN_ROLL = 200  # far above any class; a list is never without an end


@requires(Right.VIEW_CLASS, Right.VIEW_OWN_CLASS)
@require_GET
def classes(request: HttpRequest) -> HttpResponse:
    """Classes in scope with their counts; nobody's name but the head teacher's."""
    user: Any = request.user
    page = queries.read_classes(user, request.GET)
    return render(
        request,
        "registry/classes.html",
        {
            "page": page,
            "grades": choices("grade"),
            "is_narrow": len({row["org_path"] for row in page.rows}) <= 1,
            "is_school": user.acting_office.kind == Organization.Kind.SCHOOL,
        },
    )


@requires(Right.VIEW_CLASS, Right.VIEW_OWN_CLASS)
@require_GET
def school_class(request: HttpRequest, pk: int) -> HttpResponse:
    """The roll of a class. Document and number only for who may read the records; one access entry (RD-3)."""
    user: Any = request.user
    found = queries.open_class(user, pk)
    rows = list(pupils_of(found, user).order_by("name_py", "id").values(*COLUMNS)[:MOST_IN_ROLL])
    dress(rows, user)
    guests = list(guests_in(found).select_related("home"))
    shown = [row["student_id"] for row in rows] + [guest.student_id for guest in guests]
    record_list("student", shown, actor=user, route="registry:school_class")
    may_read = _may_read_records(user, found)
    return render(
        request,
        "registry/school_class.html",
        {
            "school_class": found,
            "grade_name": label("grade", found.grade),
            "type_name": label("class_type", found.type),
            "rows": rows,
            "room": queries.room_in(found, rows, today()),
            "girls": sum(row["sex"] == "2" for row in rows),
            "boys": sum(row["sex"] == "1" for row in rows),
            "may_read": may_read,
            "class_guests": guests,
            "may_read_guests": _covers(user, Right.VIEW_STUDENT, found),
            "may_open": may_read or _covers(user, Right.VIEW_HEALTH, found),
            "may_note": may_note(user, found),
            "may_see_entries": bool(kinds_in_class(user, found)),
            "may_number": user.may_act_at(Right.EDIT_STUDENT, found.org_path) and is_kept(found.org_path),
            "may_permit": user.holds(Right.DECIDE) and may_set(user, found.school),
            "may_file": found.is_open and user.may_act_at(Right.FILE, found.org_path),
        },
    )


def _covers(user: User, right: str, school_class: SchoolClass) -> bool:
    return any(school_class.org_path.startswith(path) for path in user.scope_paths(right))


def _may_read_records(user: User, school_class: SchoolClass) -> bool:
    return (
        _covers(user, Right.VIEW_STUDENT, school_class)
        or own_classes(user).filter(pk=school_class.pk).exists()
    )
