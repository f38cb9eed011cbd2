"""报到登记 of one class, by the registrar or the head teacher (R-UPD-01)."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.rights import explain, requires
from accounts.roles import Right
from audit.services import record_list
from config.clock import today
from config.errors import BadRequest, Refusal
from registry.codes import label
from registry.queries.rosters import number_in
from registry.queries.schools import open_class
from registry.services import reporting_in as services
from registry.services.intake_rules import present_term

_KEYS = {"listed", "present", "csrfmiddlewaretoken"}


@requires(Right.EDIT_STUDENT, Right.VIEW_OWN_CLASS)
@require_http_methods(["GET", "POST"])
def report_in(request: HttpRequest, pk: int) -> HttpResponse:
    """GET lists the class with what is noted; POST notes who came. Who is not ticked is missing."""
    user: Any = request.user
    school_class = open_class(user, pk)
    request.subject = school_class  # type: ignore[attr-defined]
    if not services.may_note(user, school_class):
        explain(user, Right.EDIT_STUDENT, at=school_class.org_path).or_raise()
    refusal: Refusal | None = None
    if request.method == "POST":
        if unknown := sorted(set(request.POST) - _KEYS):
            raise BadRequest(why=_("不认识的字段 {keys}。").format(keys="、".join(unknown)[:100]))
        listed, present = (
            {number_in(text) for text in request.POST.getlist(key)} for key in ("listed", "present")
        )
        try:
            counts = services.note_reports(school_class, listed, present, actor=user)
            said = _("已登记：已到 {present} 人，未到 {missing} 人。")
            messages.success(request, said.format(present=counts.present, missing=counts.missing))
            return redirect("registry:report_in", pk)
        except (services.ReportTooEarly, services.RollChanged) as refused:
            refusal = refused
            request.refusal = refused  # type: ignore[attr-defined]
    term = present_term(school_class.org_path, today())
    roll, noted = services.roll_of(school_class), services.reports_of(school_class, term)
    record_list("student", roll, actor=user, route="registry:report_in")
    rows: list[dict[str, Any]] = [
        {
            "student": student,
            "name": spell.name,
            "sex_name": label("sex", spell.sex),
            "noted": noted.get(student),
        }
        for student, spell in roll.items()
    ]
    context = {
        "school_class": school_class,
        "term": term,
        "semester": label("semester", term.semester),
        "rows": rows,
        "missing": [row["name"] for row in rows if row["noted"] and not row["noted"].is_present],
        "counts": services.count_reports(school_class, term),
        "refusal": refusal,
    }
    return render(request, "registry/report_in.html", context, status=refusal.status if refusal else 200)
