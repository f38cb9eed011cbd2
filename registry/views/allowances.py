"""计划与总量 of a school, and 允许超班额 of a class: set by the competent authority."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.rights import explain, requires
from accounts.roles import Right
from config.clock import today
from config.errors import BadRequest, Refusal
from registry.codes import label
from registry.form_values import parse_date
from registry.models import School
from registry.queries import allowances as queries
from registry.queries.schools import open_class, open_school
from registry.services import allowances as services
from registry.services.intake_rules import both_seats

_KEYS = {
    "plan": ("what", "school_year", "stage", "figure", "document"),
    "quota": ("what", "stage", "figure", "document"),
    "seats": ("figure", "until", "reason", "document"),
}


@requires(Right.VIEW_CLASS)
@require_http_methods(["GET", "POST"])
def plans(request: HttpRequest, pk: int) -> HttpResponse:
    """What the school may take and what it has taken; POST sets one figure of it."""
    user: Any = request.user
    school = open_school(user, pk)
    request.subject = school.organization  # type: ignore[attr-defined]
    refusal: Refusal | None = None
    if request.method == "POST":
        authority = services.authority_of(school)
        explain(user, Right.DECIDE, at=authority.path if authority else school.organization.path).or_raise()
        try:
            messages.success(request, _set_figure(request, school))
            return redirect("registry:plans", pk)
        except services.AllowanceRefused as refused:
            refusal = refused
            request.refusal = refused  # type: ignore[attr-defined]
    context = {
        "school": school,
        "office": school.organization,
        "plans": queries.plan_lines(school, today()),
        "quotas": queries.quota_lines(school),
        "stages": queries.stages_of(school),
        "years": [services.school_year(today()), services.school_year(today()) + 1],
        "authority": services.authority_of(school),
        "may_set": services.may_set(user, school),
        "may_ask": user.may_act_at(Right.FILE, school.organization.path),
        "typed": request.POST,
        "refusal": refusal,
    }
    return render(request, "registry/plans.html", context, status=refusal.status if refusal else 200)


def _set_figure(request: HttpRequest, school: School) -> str:
    """Set what the form says; returns the sentence for the page after."""
    user: Any = request.user
    what = request.POST.get("what", "")
    if what not in ("plan", "quota"):
        raise BadRequest(why="what")
    _expect(request, what)
    figure, document = _number(request, "figure"), request.POST.get("document", "")
    stage = request.POST.get("stage", "")
    if what == "plan":
        plan = services.set_plan(
            school, _number(request, "school_year"), stage, figure, document=document, actor=user
        )
        said = _("已设定{year}年{stage}招生计划 {n} 人。")
        return said.format(year=plan.school_year, stage=label("school_stage", stage), n=plan.planned)
    quota = services.set_quota(school, stage, figure, document=document, actor=user)
    return _("已核定{stage}学籍总量 {n} 人。").format(stage=label("school_stage", stage), n=quota.most)


@requires(Right.DECIDE)
@require_http_methods(["GET", "POST"])
def permit_seats(request: HttpRequest, pk: int) -> HttpResponse:
    """Allow seats above the class limit, with reason, document and an end (G-19)."""
    user: Any = request.user
    school_class = open_class(user, pk)
    school = school_class.school
    authority = services.authority_of(school)
    explain(user, Right.DECIDE, at=authority.path if authority else school_class.org_path).or_raise()
    refusal: Refusal | None = None
    if request.method == "POST":
        _expect(request, "seats")
        try:
            granted = services.permit_seats(
                school_class,
                _number(request, "figure"),
                until=parse_date(request.POST.get("until", "")) or today() - timedelta(days=1),
                reason=request.POST.get("reason", ""),
                document=request.POST.get("document", ""),
                actor=user,
            )
            messages.success(request, _("已办理超班额许可。") if granted else _("已取消超班额许可。"))
            return redirect("registry:school_class", pk)
        except services.AllowanceRefused as refused:
            refusal = refused
            request.refusal = refused  # type: ignore[attr-defined]
    intake, most = both_seats([pk], today())[pk]
    context = {
        "school_class": school_class,
        "grade_name": label("grade", school_class.grade),
        "most": most,
        "intake": intake,
        "present": queries.permission_of(pk, today()),
        "until": services.last_day(today()),
        "typed": request.POST,
        "refusal": refusal,
    }
    return render(request, "registry/permit_seats.html", context, status=refusal.status if refusal else 200)


def _expect(request: HttpRequest, form: str) -> None:
    """Raise BadRequest when a form sends a key that it does not have (AZ-5)."""
    if unknown := sorted(set(request.POST) - set(_KEYS[form]) - {"csrfmiddlewaretoken"}):
        raise BadRequest(why=_("不认识的字段 {keys}。").format(keys="、".join(unknown)[:100]))


def _number(request: HttpRequest, key: str) -> int:
    """A whole number as typed; -1, which every check refuses, for anything else."""
    text = request.POST.get(key, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1
