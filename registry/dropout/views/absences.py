"""缺勤登记 on a phone: the list, a new one, one with its contacts and its end (R-DRP-01, R-DRP-07)."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.rights import explain, requires
from accounts.roles import Right
from audit.services import record_list, record_read
from config.clock import today
from config.errors import NotFound, Refusal
from registry.dropout import absences as services
from registry.dropout.reading import (
    CHOICES,
    classes_for,
    open_absence,
    read_absences,
    reportable,
    visits_of,
)
from registry.dropout.views.sent import VISIT_FIELDS, act_in, day_in, words_in
from registry.models import Absence
from registry.queries.rosters import number_in, one_of

_NEW = {"report": ("student", "from_on", "is_excused", "reason", "note")}
_ACTS = {"visit": VISIT_FIELDS, "return": ("on",), "excuse": ()}
SHOWS = ("open", "ended")


@requires(Right.REPORT_ABSENCE, Right.VIEW_STUDENT)
@require_GET
def absences(request: HttpRequest) -> HttpResponse:
    """Who stays away now, the longest absent first; or who has come back."""
    user: Any = request.user
    show = one_of(request.GET.get("show", ""), SHOWS) or "open"
    after = request.GET.get("after", "")
    page = read_absences(user, show, number_in(after) if after else 0)
    record_list("student", [row.student_id for row in page.rows], actor=user, route="dropout:absences")
    may_report = user.may_act_at(Right.REPORT_ABSENCE, user.acting_path)
    context = {"page": page, "show": show, "may_report": may_report}
    return render(request, "dropout/absences.html", context)


@requires(Right.REPORT_ABSENCE)
@require_http_methods(["GET", "POST"])
def absence_new(request: HttpRequest) -> HttpResponse:
    """One class, one pupil, from which day: four answers for a phone."""
    user: Any = request.user
    classes = list(classes_for(user))
    chosen = request.GET.get("class", "")
    picked = next((one for one in classes if str(one.pk) == chosen), None)
    if chosen and picked is None:
        raise NotFound()
    if picked is None and len(classes) == 1:
        picked = classes[0]
    refusal: Refusal | None = None
    if request.method == "POST":
        act_in(request, _NEW)
        spell = reportable(user).filter(student__public_id=_uuid(request.POST.get("student", ""))).first()
        if spell is None:
            raise NotFound()
        try:
            made = services.report(
                spell, actor=user, from_on=day_in(request, "from_on"),
                is_excused=request.POST.get("is_excused") == "1", reason=request.POST.get("reason", ""),
                note=request.POST.get("note", ""),
            )  # fmt: skip
        except Refusal as refused:
            refusal = shown_refusal(request, refused)
        else:
            messages.success(request, _("已登记缺勤。请尽快联系家长，并在下面登记联系情况。"))
            return redirect("dropout:absence", made.pk)
    roll = []
    if picked:
        rows = reportable(user).filter(school_class=picked).select_related("student")
        roll = list(rows.order_by("name_py", "pk"))
    record_list("student", [spell.student_id for spell in roll], actor=user, route="dropout:absence_new")
    context = {
        "classes": classes, "picked": picked, "roll": roll, "reasons": Absence.Reason.choices,
        "today": today(), "sent": words_in(request), "refusal": refusal,
    }  # fmt: skip
    return render(request, "dropout/absence_new.html", context, status=refusal.status if refusal else 200)


@requires(Right.REPORT_ABSENCE, Right.VIEW_STUDENT)
@require_http_methods(["GET", "POST"])
def absence(request: HttpRequest, pk: int) -> HttpResponse:
    """One absence; POST with an act: a contact, the return, the excuse."""
    user: Any = request.user
    found = open_absence(user, pk)
    request.subject = found  # type: ignore[attr-defined]
    refusal: Refusal | None = None
    if request.method == "POST":
        if not services.may_report(user, found.org_path, found.school_class_id):
            explain(user, Right.REPORT_ABSENCE, at=found.org_path).or_raise()
        act = act_in(request, _ACTS)
        try:
            messages.success(request, _done(request, found, act))
            return redirect("dropout:absence", pk)
        except Refusal as refused:
            refusal = shown_refusal(request, refused)
    record_read(found.student, actor=user, route="dropout:absence", purpose=_("控辍保学"))
    context = {
        "absence": found, "visits": visits_of(found.student_id), "today": today(), "choices": CHOICES,
        "may_act": services.may_report(user, found.org_path, found.school_class_id),
        "suspicion": found.student.suspicions.filter(closed_on=None).first(),
        "sent": words_in(request), "refusal": refusal,
    }  # fmt: skip
    return render(request, "dropout/absence.html", context, status=refusal.status if refusal else 200)


def _done(request: HttpRequest, found: Absence, act: str) -> str:
    """Do what was pressed and say so."""
    user: Any = request.user
    if act == "visit":
        attempt = services.attempt_from(words_in(request), day_in(request, "on"))
        services.visit(found.student, attempt, actor=user)
        return _("已登记联系情况。")
    if act == "return":
        services.come_back(found, actor=user, on=day_in(request, "on"))
        return _("已登记返校，缺勤结束。")
    services.excuse(found, actor=user)
    return _("已改为请假，不再预警。")


def shown_refusal(request: HttpRequest, refused: Refusal) -> Refusal:
    """A refusal that is shown with the form; others go their way."""
    if refused.status not in (409, 413, 422):
        raise refused
    request.refusal = refused  # type: ignore[attr-defined]
    return refused


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound() from None
