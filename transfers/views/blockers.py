"""毕业年级在办业务: what blocks graduation, for school and authority; the authority cleans up (R-GRD-02)."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from accounts.rights import requires
from accounts.roles import Right
from audit.services import record_list
from config.errors import BadRequest, Refusal
from transfers.cleanup import MOST, clean_up, graduating_business
from transfers.forms import expect
from transfers.views.queue import Outcome


@requires(Right.VIEW_CASE)
@require_GET
def blockers(request: HttpRequest) -> HttpResponse:
    """Open business of pupils in graduating grades. One access entry with the ids shown (RD-3)."""
    user: Any = request.user
    return _show(request, user)


def _show(request: HttpRequest, user: User, status: int = 200, **more: Any) -> HttpResponse:
    page = graduating_business(user, request.GET.get("after", ""))
    record_list("openbusiness", [row["pk"] for row in page.rows], actor=user, route="transfers:blockers")
    may_clean = user.may_act_at(Right.DECIDE, user.acting_path)
    context = {"page": page, "may_clean": may_clean, **more}
    return render(request, "transfers/blockers.html", context, status=status)


@requires(Right.DECIDE)
@require_POST
def clean(request: HttpRequest) -> HttpResponse:
    """End the ticked cases one by one, each in its own savepoint, and say which did not go through."""
    user: Any = request.user
    expect(request.POST, "case", "reason")
    numbers = list(dict.fromkeys(request.POST.getlist("case")))
    if not numbers or len(numbers) > MOST:
        raise BadRequest(why=_("请勾选 1 至 {n} 件。").format(n=MOST))
    reason = " ".join(request.POST.get("reason", "").split())[:400]
    outcomes = [_clean_one(user, number, reason) for number in numbers]
    refused = [outcome for outcome in outcomes if outcome.refusal]
    done = len(outcomes) - len(refused)
    if not refused:
        messages.success(request, _("已清理 {n} 件，学生恢复到办理前的状态。").format(n=done))
        return redirect("transfers:blockers")
    status = 200
    if not done:
        request.refusal = refused[0].refusal  # type: ignore[attr-defined]
        status = refused[0].refusal.status if refused[0].refusal else 409
    return _show(request, user, status, done=done, refused=refused, reason=reason)


def _clean_one(user: User, number: str, reason: str) -> Outcome:
    try:
        clean_up(number, actor=user, reason=reason)
    except Refusal as refusal:
        return Outcome(number, refusal)
    return Outcome(number)
