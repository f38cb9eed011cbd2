"""Setting, confirming and ending the protection of a pupil; answering a reveal as the second person."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.rights import requires
from accounts.roles import Right
from audit.services import record_list, record_read
from config.errors import BadRequest, NotFound, Refusal
from registry import protection as service
from registry.fields import BY_KEY
from registry.models import Protection, RevealRequest, Student
from registry.queries.sight import open_record

_FIELDS = {"propose": ("reason", "until"), "confirm": (), "decline": (), "end": ("reason",)}


@requires(Right.PROTECT_STUDENT)
@require_http_methods(["GET", "POST"])
def protection(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The pupil's protection and its former ones; POST with an act changes it."""
    user: Any = request.user
    pupil, _sight = open_record(user, public_id)
    request.subject = pupil  # type: ignore[attr-defined]
    refusal: Refusal | None = None
    rows = Protection.objects.visible_to(user, Right.PROTECT_STUDENT).filter(student=pupil).order_by("-pk")
    if request.method == "POST":
        try:
            said = _act(request, pupil, rows.filter(state__in=("proposed", "in_force")).first())
        except Refusal as error:
            if error.status not in (409, 422):
                raise
            request.refusal = refusal = error  # type: ignore[attr-defined]
        else:
            messages.success(request, said)
            return redirect("registry:protection", public_id)
    record_read(pupil, actor=user, route="registry:protection", purpose=_("保护对象"))
    held = list(rows[:20])
    context = {
        "student": pupil,
        "present": held[0] if held and held[0].state in ("proposed", "in_force") else None,
        "rows": held,
        "may_propose": service.may_propose(user, pupil),
        "may_decide": service.may_decide(user, pupil),
        "refusal": refusal,
        "reason": request.POST.get("reason", ""),
        "until": request.POST.get("until", ""),
    }
    return render(request, "registry/protection.html", context, status=refusal.status if refusal else 200)


def _act(request: HttpRequest, pupil: Student, present: Protection | None) -> str:
    """Do what was pressed and say so. Raises BadRequest, NotFound and what the services raise."""
    user: Any = request.user
    act, reason = request.POST.get("act", ""), request.POST.get("reason", "")
    if act not in _FIELDS or set(request.POST) - {"act", "csrfmiddlewaretoken", *_FIELDS[act]}:
        raise BadRequest(why=_("没有这项操作"))
    if act == "propose":
        service.propose(pupil, actor=user, reason=reason, until=_day(request.POST.get("until", "")))
        return _("已提出，待主管部门领导确认。")
    if present is None:
        raise NotFound()
    if act == "end":
        service.end(present, actor=user, reason=reason)
        return _("已解除保护。")
    service.decide(present, actor=user, is_confirmed=act == "confirm")
    return _("已确认为保护对象。") if act == "confirm" else _("未予确认。")


def _day(text: str) -> Any:
    try:
        return parse_date(text)
    except ValueError:
        return None


@requires(Right.VIEW_IDENTITY)
@require_GET
def reveal_requests(request: HttpRequest) -> HttpResponse:
    """What waits for a second person at her office."""
    user: Any = request.user
    rows = list(service.waiting_requests(user)[:50])
    pupils = Student.objects.visible_to(user, Right.VIEW_STUDENT).in_bulk([row.student_id for row in rows])
    record_list("student", pupils, actor=user, route="registry:reveal_requests")
    lines = [
        {"row": row, "student": pupils.get(row.student_id), "label": BY_KEY[row.field].label_zh,
         "is_own": row.asked_by_id == user.pk}
        for row in rows
    ]  # fmt: skip
    return render(request, "registry/reveal_requests.html", {"lines": lines})


@requires(Right.VIEW_IDENTITY)
@require_POST
def reveal_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """She agrees that her colleague sees the field once."""
    user: Any = request.user
    asked = RevealRequest.objects.visible_to(user, Right.VIEW_IDENTITY).filter(pk=pk).first()
    if asked is None:
        raise NotFound()
    service.approve(asked, actor=user)
    messages.success(request, _("已同意，申请人可在时限内查看一次。"))
    return redirect("registry:reveal_requests")
