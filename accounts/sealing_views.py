"""Accounts that are sealed and that soon will be, and unsealing by the office above (R-ACC-04)."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from accounts import sealing as service
from accounts.rights import explain, requires
from accounts.roles import Right
from accounts.step_up import steps_up
from config.errors import BadRequest, Refusal
from config.paging import count_up_to
from config.rules import rule

PAGE = 50


class UnsealForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("解封理由"), max_length=200,
        error_messages={"required": gettext_lazy("请写明解封理由（不少于 6 个字），例如“产假期满返岗”。")},
    )  # fmt: skip


class AfterForm(forms.Form):
    after = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)


@requires(Right.MANAGE_ACCOUNTS)
@require_GET
def sealings(request: HttpRequest) -> HttpResponse:
    """Sealed accounts of her office and below, the newest first, and those to be sealed soon."""
    user: Any = request.user
    query = AfterForm(request.GET)
    if not query.is_valid():
        raise BadRequest(why=_("页码有误。"))
    rows = service.sealed_under(user)
    total = count_up_to(rows)
    if after := query.cleaned_data["after"]:
        rows = rows.filter(pk__lt=after)
    found = list(rows.order_by("-pk")[: PAGE + 1])
    mine = service.unsealable(user, found)
    context = {
        "rows": [(row, row.pk in mine) for row in found[:PAGE]],
        "after": found[PAGE - 1].pk if len(found) > PAGE else "",
        "total": total,
        "soon": service.soon(user.scope_paths(Right.MANAGE_ACCOUNTS), most=PAGE),
        "days": rule("ACCOUNT_SEAL_DAYS").number,
        "notice_days": rule("ACCOUNT_SEAL_NOTICE_DAYS").number,
    }
    return render(request, "accounts/sealings.html", context)


@requires(Right.MANAGE_ACCOUNTS)
@steps_up
@require_http_methods(["GET", "POST"])
def unseal(request: HttpRequest, pk: int) -> HttpResponse:
    """One sealed account; POST unseals it, for whoever administers the office above."""
    user: Any = request.user
    sealing = get_object_or_404(service.sealed_under(user), pk=pk)
    form = UnsealForm(request.POST if request.method == "POST" else None)
    refusal: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        try:
            service.unseal(sealing, actor=user, reason=form.cleaned_data["reason"])
        except Refusal as error:
            request.refusal = refusal = error  # type: ignore[attr-defined]
        else:
            messages.success(request, _("已解封{name}的账号。").format(name=sealing.user.name))
            return redirect("accounts:sealings")
    answer = explain(user, Right.MANAGE_ACCOUNTS, at=service.unsealing_path(sealing))
    context = {
        "sealing": sealing,
        "form": form,
        "refusal": refusal,
        "answer": answer,
        "days": rule("ACCOUNT_SEAL_DAYS").number,
    }
    status = refusal.status if refusal else 400 if form.errors else 200
    return render(request, "accounts/unseal.html", context, status=status)
