"""One school: code, running type, authority, classes, counts."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.rights import requires
from accounts.roles import Right
from registry.codes import division_full_name, label
from registry.queries import schools as queries


@requires(Right.VIEW_OFFICE)
@require_GET
def school(request: HttpRequest, pk: int) -> HttpResponse:
    """A school in scope. Counts and classes for who may read rolls; the rest is no secret."""
    user: Any = request.user
    found = queries.open_school(user, pk)
    office = found.organization
    grades = queries.grade_counts(user, found)
    return render(
        request,
        "registry/school.html",
        {
            "school": found,
            "office": office,
            "authority": queries.authority_above(office.path),
            "place": division_full_name(office.division),
            "running_type": label("school_running_type", found.running_type),
            "ownership": label("school_ownership", found.ownership),
            "stages": [label("school_stage", stage) for stage in found.stages],
            "campuses": [
                {"campus": campus, "place": division_full_name(campus.division)}
                for campus in found.campuses.order_by("id")
            ],
            "grades": grades,
            "total": sum(row["total"] for row in grades),
            "pending": sum(row["pending"] for row in grades),
            "classes": queries.classes_of(user, found),
            "may_count": user.holds(Right.VIEW_CLASS),
            "may_list": any(office.path.startswith(path) for path in user.scope_paths(Right.VIEW_STUDENT)),
        },
    )
