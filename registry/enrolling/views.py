"""统一招生: the authority imports its result lists, the school looks at whom it gets and drops who is not
there; placing and handing in are cases.
"""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from accounts.rights import requires
from accounts.roles import Right
from audit.services import record_list
from config.clock import today
from config.errors import Refusal
from config.rules import rule
from registry.codes import label
from registry.enrolling import admissions as service
from registry.enrolling import auxiliary, lists
from registry.entries.views import refuse_unknown, shown
from registry.models import School, SchoolClass
from registry.queries.imports import progress_of
from registry.queries.schools import open_class
from registry.views.imports import XLSX, sent_workbook

_MOST_SHOWN = 500


@requires(Right.DECIDE)
@require_http_methods(["GET", "POST"])
def results(request: HttpRequest) -> HttpResponse:
    """The authority's lists, and whom two of its schools have; POST takes a list in."""
    user: Any = request.user
    refusal: Refusal | None = None
    if request.method == "POST":
        refuse_unknown(request)
        try:
            made = lists.take_in(*sent_workbook(request), actor=user)
            return redirect("enrolling:result", made.public_id)
        except Refusal as refused:
            refusal = shown(request, refused)
    context = {
        "rows": list(lists.lists_of(user)[:50]),
        "doubled": service.doubled_within(user),
        "refusal": refusal,
        "most_rows": lists.MOST_ROWS,
    }
    return render(request, "enrolling/results.html", context, status=refusal.status if refusal else 200)


@requires(Right.DECIDE)
@require_GET
@vary_on_headers("HX-Request")
def result(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One list: how far its matching is, or every fault of every row; to htmx that part alone."""
    user: Any = request.user
    made = lists.open_list(user, public_id)
    context = {"list": made, "progress": progress_of(made.job)}
    is_part = bool(request.headers.get("HX-Request"))
    return render(request, "enrolling/_result.html" if is_part else "enrolling/result.html", context)


@requires(Right.DECIDE)
@require_GET
def template(request: HttpRequest) -> HttpResponse:
    """The workbook to fill in, with the codes of the authority's schools."""
    user: Any = request.user
    schools = School.objects.filter(
        organization__path__within=user.acting_path, organization__valid__contains=today()
    )
    named = schools.order_by("code").values_list("code", "organization__name")[: lists.MOST_ROWS]
    response = HttpResponse(lists.template(list(named)), content_type=XLSX)
    response["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=f"录取名单-{user.acting_office_name}.xlsx"
    )
    return response


@requires(Right.FILE)
@require_GET
def admissions(request: HttpRequest) -> HttpResponse:
    """The school's own, to be placed and handed in."""
    return show_admissions(request)


def show_admissions(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    user: Any = request.user
    rows = list(service.admissions_of(user).exclude(state=service.State.DROPPED)[:_MOST_SHOWN])
    doubles = service.other_schools([row.student_id for row in rows], user.acting_path)
    record_list("student", [row.student_id for row in rows], actor=user, route="enrolling:admissions")
    classes: dict[str, list[SchoolClass]] = {}
    for one in SchoolClass.objects.filter(org_path=user.acting_path, is_open=True).order_by("number"):
        classes.setdefault(one.grade, []).append(one)
    context = {
        "rows": [
            {
                "row": row, "grade_name": label("grade", row.grade), "sex_name": label("sex", row.sex),
                "classes": classes.get(row.grade, []), "doubles": doubles.get(row.student_id, []),
            }
            for row in rows
        ],
        "refusal": refusal,
        "registers": rule("PLACEMENT_REGISTERS", at=user.acting_path, on=today()).is_on,
        "ready": sum(
            row.state == row.State.WAITING and bool(row.school_class_id) and row.student_id not in doubles
            for row in rows
        ),
    }  # fmt: skip
    return render(request, "enrolling/admissions.html", context, status=refusal.status if refusal else 200)


@requires(Right.FILE)
@require_POST
def drop(request: HttpRequest, pk: int) -> HttpResponse:
    """She does not sit here: off the school's list."""
    user: Any = request.user
    row = service.open_admission(user, pk)
    request.subject = row  # type: ignore[attr-defined]
    refuse_unknown(request, "reason")
    try:
        service.drop(row, reason=request.POST.get("reason", ""), actor=user)
    except Refusal as refused:
        return show_admissions(request, shown(request, refused))
    messages.success(request, _("已从本校名单删除。"))
    return redirect("enrolling:admissions")


@requires(Right.EDIT_STUDENT)
@require_POST
def number_class(request: HttpRequest, pk: int) -> HttpResponse:
    """学籍辅号 for the pupils of a class who have none."""
    user: Any = request.user
    school_class = open_class(user, pk)
    request.subject = school_class  # type: ignore[attr-defined]
    refuse_unknown(request)
    count = auxiliary.number_class(school_class, actor=user)
    messages.success(request, _("已编制 {n} 个学籍辅号。").format(n=count))
    return redirect("registry:school_class", pk)
