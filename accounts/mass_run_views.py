"""What the breaker held: numbers, what would happen, and two persons' words (RE-4)."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts import mass_runs as service
from accounts.rights import requires
from accounts.roles import Right
from accounts.step_up import steps_up
from config.breaker import CLOCK, KINDS
from config.clock import today
from config.errors import BadRequest, Refusal
from config.scope import NATION

LARGEST = 2**31


class PlanForm(forms.Form):
    """A run confirmed beforehand, for its day and its number."""

    kind = forms.ChoiceField(
        label=gettext_lazy("操作"),
        choices=[(code, kind.label) for code, kind in KINDS.items() if code != CLOCK],
    )
    day = forms.DateField(
        label=gettext_lazy("执行日期"), error_messages={"required": gettext_lazy("请填写执行日期。")}
    )
    expected = forms.IntegerField(
        label=gettext_lazy("预计数量"), min_value=1, max_value=LARGEST,
        error_messages={"required": gettext_lazy("请填写预计数量。")},
    )  # fmt: skip


class SeenForm(forms.Form):
    """The number that stood on the page she pressed."""

    seen = forms.IntegerField(min_value=0, max_value=2**62)


@requires(Right.CONFIRM_RUN)
@steps_up
@require_http_methods(["GET", "POST"])
def mass_runs(request: HttpRequest) -> HttpResponse:
    """What waits and what was confirmed; POST confirms a run beforehand."""
    user: Any = request.user
    form = PlanForm(request.POST if request.method == "POST" else None)
    refusal: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        try:
            service.plan(actor=user, **form.cleaned_data)
        except Refusal as error:
            request.refusal = refusal = error  # type: ignore[attr-defined]
        else:
            messages.success(request, _("已预先确认，还须另一人确认。"))
            return redirect("accounts:mass_runs")
    context = {
        "form": form,
        "refusal": refusal,
        "waiting": [(run, KINDS[run.kind]) for run in service.waiting_for(user)],
        "recent": [(run, KINDS[run.kind]) for run in service.recent(user)],
        "kinds": [(code, kind) for code, kind in KINDS.items() if code != CLOCK],
        "may_confirm": user.may_act_at(Right.CONFIRM_RUN, NATION),
        "today": today(),
    }
    status = refusal.status if refusal else 400 if form.errors else 200
    return render(request, "accounts/mass_runs.html", context, status=status)


@requires(Right.CONFIRM_RUN)
@steps_up
@require_POST
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """One person's word."""
    user: Any = request.user
    run = get_object_or_404(service.waiting_for(user), pk=pk)
    sent = SeenForm(request.POST)
    if not sent.is_valid():
        raise BadRequest(why=_("缺少页面上的数量。"))
    confirmed = service.confirm(run, actor=user, seen=sent.cleaned_data["seen"])
    messages.success(
        request, _("两人均已确认，即将执行。") if confirmed.second_id else _("已确认，还须另一人确认。")
    )
    return redirect("accounts:mass_runs")
