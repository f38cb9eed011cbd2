"""借读: the list of host and home, one guest study with its term reports, and ending it early (R-CHG-09)."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.rights import requires
from accounts.roles import Right
from audit.services import record_list, record_read
from config.clock import today
from config.errors import BadRequest, Refusal
from registry.codes import label
from registry.models import Attendance, Student
from registry.queries import guests as queries
from registry.services import guests as services
from registry.services.intake_rules import present_term

_KEYS = {"days_present", "days_absent", "remark", "csrfmiddlewaretoken"}


@requires(Right.VIEW_STUDENT)
@require_GET
def guests(request: HttpRequest) -> HttpResponse:
    """Guests here and own pupils elsewhere; one access entry with the pupils that were shown (RD-3)."""
    user: Any = request.user
    page = queries.read_guests(user, request.GET.get("after", ""))
    record_list("student", [row["student_id"] for row in page.rows], actor=user, route="registry:guests")
    return render(request, "registry/guests.html", {"page": page})


@requires(Right.VIEW_STUDENT)
@require_http_methods(["GET", "POST"])
def guest(request: HttpRequest, pk: int) -> HttpResponse:
    """One guest study with what was reported; POST is the host's report of the present term."""
    user: Any = request.user
    found = queries.open_guest(user, pk)
    request.subject = found  # type: ignore[attr-defined]
    if request.method == "GET":
        return _show(request, found)
    if unknown := sorted(set(request.POST) - _KEYS):
        raise BadRequest(why=_("不认识的字段 {keys}。").format(keys="、".join(unknown)[:100]))
    typed = {
        key: request.POST.get(key, "").strip()[:200] for key in ("days_present", "days_absent", "remark")
    }
    try:
        services.report(found, **typed, actor=user)
    except Refusal as refused:
        if refused.status == 403:
            raise
        request.refusal = refused  # type: ignore[attr-defined]
        return _show(request, found, refusal=refused, typed=typed)
    messages.success(request, _("已向{home}报告本学期情况。").format(home=found.home.name))
    return redirect("registry:guest", pk)


@requires(Right.FILE)
@require_POST
def guest_end(request: HttpRequest, pk: int) -> HttpResponse:
    """The host ends the guest study today."""
    user: Any = request.user
    found = queries.open_guest(user, pk)
    request.subject = found  # type: ignore[attr-defined]
    services.end_early(found, actor=user)
    messages.success(request, _("{name}的借读已结束。").format(name=found.name))
    return redirect("registry:guest", pk)


def _show(
    request: HttpRequest, found: Attendance, *, refusal: Refusal | None = None, **more: Any
) -> HttpResponse:
    user: Any = request.user
    # The host does not see the pupil's row; the log names the pupil all the same.
    pupil = Student(pk=found.student_id, org_path=found.home_path)
    record_read(pupil, actor=user, route="registry:guest", purpose=_("借读"))
    term = present_term(found.org_path, today())
    reports = [
        {"report": report, "semester": label("semester", report.semester)}
        for report in found.reports.order_by("-school_year", "-semester")
    ]
    has_term = any(
        (row["report"].school_year, row["report"].semester) == (term.school_year, term.semester)
        for row in reports
    )
    is_host = user.may_act_at(Right.FILE, found.org_path)
    context = {
        "guest": found,
        "grade_name": label("grade", found.grade),
        "term": term,
        "semester": label("semester", term.semester),
        "reports": reports,
        "is_running": found.valid.upper > today(),
        "may_end": is_host and found.valid.upper > today(),
        "may_report": is_host and not has_term and found.valid.upper > term.starts_on,
        "refusal": refusal,
        **more,
    }
    return render(request, "registry/guest.html", context, status=refusal.status if refusal else 200)
