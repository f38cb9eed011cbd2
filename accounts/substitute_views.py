"""Naming a colleague for the post of somebody absent, and ending it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import substitutes as service
from accounts.forms import SubstituteForm
from accounts.rights import requires
from accounts.roles import Right
from config.errors import BadRequest, Refusal


@requires(Right.VIEW_OFFICE)
@require_http_methods(["GET", "POST"])
def substitutes(request: HttpRequest) -> HttpResponse:
    """Who stands in for whom at her office; POST names somebody."""
    user: Any = request.user
    form = SubstituteForm(request.POST if request.method == "POST" else None)
    refusal: Refusal | None = None
    if request.method == "POST":
        if unknown := set(request.POST) - {*form.fields, "csrfmiddlewaretoken"}:
            raise BadRequest(why="、".join(sorted(unknown))[:60])
        if form.is_valid():
            given = form.cleaned_data
            post = get_object_or_404(service.posts_to_fill(user), pk=given.pop("post"))
            colleague = get_object_or_404(service.colleagues(user), pk=given.pop("colleague"))
            try:
                service.name_substitute(post, colleague, actor=user, **given)
            except Refusal as error:
                request.refusal = refusal = error  # type: ignore[attr-defined]
            else:
                messages.success(request, _("已安排{name}代办。").format(name=colleague.name))
                return redirect("accounts:substitutes")
    status = refusal.status if refusal else 400 if form.errors else 200
    context = {
        "form": form,
        "refusal": refusal,
        "posts": list(service.posts_to_fill(user)),
        "colleagues": [one for one in service.colleagues(user) if one.is_active and not one.sealed_at],
        "rows": list(service.arranged(user)),
        "may_arrange": service.may_arrange(user),
        "most_days": service.MOST_DAYS,
    }
    return render(request, "accounts/substitutes.html", context, status=status)


@requires(Right.VIEW_OFFICE)
@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """One press: it ends now."""
    user: Any = request.user
    post = get_object_or_404(service.arranged(user), pk=pk)
    service.end_substitute(post, actor=user)
    messages.success(request, _("代办已结束。"))
    return redirect("accounts:substitutes")
