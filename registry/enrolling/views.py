"""统一招生: the authority imports its result lists, the school places, settles doubles and hands in."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.rights import requires
from accounts.roles import Right
from audit.services import record_list
from config.clock import today
from config.errors import NotFound, Refusal
from registry.codes import label
from registry.enrolling import admissions as service
from registry.enrolling import auxiliary, lists
from registry.entries.views import refuse_unknown, shown
from registry.models import AdmissionList, School, SchoolClass
from registry.queries.rosters import number_in
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
            name, content = sent_workbook(request)
            made = lists.take_in(content, name, actor=user)
            messages.success(request, _("已导入 {n} 人，录取学校可以看到。").format(n=made.rows_total))
            return redirect("enrolling:results")
        except Refusal as refused:
            refusal = shown(request, refused)
    rows = AdmissionList.objects.visible_to(user, Right.DECIDE).within(user.acting_path)
    context = {
        "rows": list(rows.order_by("-pk")[:50]),
        "doubled": service.doubled_within(user.acting_path),
        "refusal": refusal,
        "most_rows": lists.MOST_ROWS,
    }
    return render(request, "enrolling/results.html", context, status=refusal.status if refusal else 200)


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
@require_http_methods(["GET", "POST"])
def admissions(request: HttpRequest) -> HttpResponse:
    """The school's own; POST notes the chosen classes (`class-<admission>`)."""
    user: Any = request.user
    refusal: Refusal | None = None
    if request.method == "POST":
        wanted = {
            number_in(name.removeprefix("class-")): number_in(str(value)) if value else 0
            for name, value in request.POST.items()
            if name.startswith("class-")
        }
        refuse_unknown(request, *(name for name in request.POST if name.startswith("class-")))
        try:
            changed = service.choose_classes(wanted, actor=user)
            messages.success(request, _("已保存 {n} 名学生的班级。").format(n=changed))
            return redirect("enrolling:admissions")
        except Refusal as refused:
            refusal = shown(request, refused)
    return show_admissions(request, refusal)


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
        "ready": sum(
            row.state == row.State.WAITING and bool(row.school_class_id) and row.student_id not in doubles
            for row in rows
        ),
    }  # fmt: skip
    return render(request, "enrolling/admissions.html", context, status=refusal.status if refusal else 200)


@requires(Right.FILE)
@require_POST
def settle(request: HttpRequest, pk: int) -> HttpResponse:
    """Of a pupil whom another school has as well: she sits here, or she is taken off this list."""
    user: Any = request.user
    row = service.open_admission(user, pk)
    request.subject = row  # type: ignore[attr-defined]
    refuse_unknown(request, "act", "reason")
    act = {"drop": service.drop, "claim": service.claim}.get(request.POST.get("act", ""))
    if act is None:
        raise NotFound()
    try:
        act(row, reason=request.POST.get("reason", ""), actor=user)
    except Refusal as refused:
        return show_admissions(request, shown(request, refused))
    messages.success(request, _("已办理。"))
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
