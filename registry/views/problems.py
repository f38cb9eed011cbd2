"""问题学籍: what was found, whom it concerns, what it stops, what comes next."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.rights import requires
from accounts.roles import Right
from audit.services import record_list, record_read
from registry.models import Student
from registry.queries import problems as queries
from registry.queries.sight import students_seen_by


@requires(Right.VIEW_STUDENT)
@require_GET
def problems(request: HttpRequest) -> HttpResponse:
    """Problem records in scope; one access entry with the pupils that were shown."""
    user: Any = request.user
    page = queries.read_problems(user, request.GET.get("show", "open"), request.GET.get("after", ""))
    shown = {side.student_id for problem in page.rows for side in problem.sides if side.student_id}
    record_list("student", sorted(shown), actor=user, route="registry:problems")
    return render(request, "registry/problems.html", {"page": page, "shows": queries.SHOWS})


@requires(Right.VIEW_STUDENT)
@require_GET
def problem(request: HttpRequest, pk: int) -> HttpResponse:
    """One problem side by side; a read of each record that is shown."""
    user: Any = request.user
    found = queries.open_problem(user, pk)
    ids = [side.student_id for side in found.sides if side.student_id]
    students: list[Student] = list(students_seen_by(user).filter(pk__in=ids))
    for student in students:
        record_read(student, actor=user, route="registry:problem", purpose=_("核对问题学籍"))
    return render(request, "registry/problem.html", {"problem": found, "lines": queries.compare(found)})
