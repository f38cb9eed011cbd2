"""What is late below an office, with its urging, and how each office keeps its time."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.rights import requires
from accounts.roles import Right
from audit.services import record_list
from config.errors import NotFound
from transfers import clock
from transfers.pace import months_shown, read_pace


@requires(Right.VIEW_CASE)
@require_GET
def overdue(request: HttpRequest) -> HttpResponse:
    """Late steps below her office. One access entry with the ids shown (RD-3)."""
    user: Any = request.user
    page = clock.read_overdue(user, request.GET.get("after", ""))
    record_list("case", [row["case_id"] for row in page.rows], actor=user, route="transfers:overdue")
    context = {"page": page, "may_urge": user.may_act_at(Right.DECIDE, user.acting_path)}
    return render(request, "transfers/overdue.html", context)


@requires(Right.DECIDE)
@require_POST
def urge(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    step = clock.visible_step(user, pk)
    request.subject = step.case  # type: ignore[attr-defined]
    clock.urge(step, actor=user)
    messages.success(
        request, _("已催办{office}：{number}。").format(office=step.office_name, number=step.case.number)
    )
    return redirect("transfers:overdue")


@requires(Right.VIEW_CASE)
@require_GET
def pace(request: HttpRequest) -> HttpResponse:
    """Her office by month, and the offices directly below it."""
    user: Any = request.user
    month, after = request.GET.get("month", ""), request.GET.get("after", "")
    if after and not (after.isascii() and after.isdigit() and len(after) < 19):
        raise NotFound()
    found = read_pace(user, int(after) if after else None, read_month(month))
    context = {"pace": found, "months": months_shown(), "month": month}
    return render(request, "transfers/pace.html", context)


def read_month(text: str) -> date | None:
    """`2026-09` as its first day. Raises NotFound for what is no month."""
    if not text:
        return None
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise NotFound() from None
