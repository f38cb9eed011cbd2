"""Dated grants on the offices she administers: the list, giving one with its preview, taking one back."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from accounts import who_gains
from accounts.administration import granting
from accounts.administration.granting import Grant
from accounts.models import User
from accounts.people_forms import GrantForm, ReasonForm
from accounts.people_views.acting import STEP, offices_of, posted, read, status_of, try_to
from accounts.rights import requires
from accounts.roles import RIGHT_LABELS, Right
from accounts.step_up import require_step_up
from config.clock import today
from config.errors import Refusal
from config.rules import rule


class NoSuchAccount(Refusal):
    code, status = "no_such_account", 422
    message = gettext_lazy("没有这个账号，或它已封存、停用。请向对方核对完整的账号。")


@requires(Right.MANAGE_ACCOUNTS)
@require_GET
def grants(request: HttpRequest) -> HttpResponse:
    """Who outside may look at the offices she administers, soonest end first."""
    user: Any = request.user
    rows = [
        (one, RIGHT_LABELS[Right(one.permission.codename)], one.valid.lower > today())
        for one in granting.grants_given(user)[:200]
    ]
    return render(request, "accounts/grants.html", {"rows": rows})


@requires(Right.MANAGE_ACCOUNTS)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A grant: form, preview of who gains what, then saved."""
    user: Any = request.user
    form = GrantForm(posted(request), offices=offices_of(request), initial={"first": today()})
    refusal: Refusal | None = None
    context: dict[str, Any] = {"form": form, "most": rule("GRANT_MOST_DAYS", at=user.acting_path).number}
    if request.method == "POST" and read(form):
        given = form.cleaned_data
        wanted = Grant(form.offices[given["office"]], given["right"], given["first"], given["last"])
        person = User.objects.filter(username=given["username"], is_active=True, sealed_at=None).first()

        def act() -> Any:
            if person is None:
                raise NoSuchAccount()
            if request.POST.get(STEP) != "save":
                granting.check(person, wanted, user)
                return None
            require_step_up(request)
            return granting.grant(person, wanted, actor=user, reason=given["reason"])

        made, refusal = try_to(request, act)
        if made:
            messages.success(request, _("已授权{name}。").format(name=made.user.name))
            return redirect("accounts:grants")
        if person:
            context["person"] = person
            context["gains"] = who_gains.gained(person, wanted.office, [wanted.right])
    context["refusal"] = refusal
    return render(request, "accounts/grant_new.html", context, status=status_of(form, refusal))


@requires(Right.MANAGE_ACCOUNTS)
@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a grant back now."""
    user: Any = request.user
    one = get_object_or_404(granting.grants_given(user), pk=pk)
    form = ReasonForm(posted(request))
    refusal: Refusal | None = None
    if request.method == "POST" and read(form):

        def save() -> bool:
            granting.end_grant(one, actor=user, reason=form.cleaned_data["reason"])
            return True

        done, refusal = try_to(request, save)
        if done:
            messages.success(request, _("授权已收回。"))
            return redirect("accounts:grants")
    label = RIGHT_LABELS[Right(one.permission.codename)]
    context = {"form": form, "grant": one, "label": label, "refusal": refusal}
    return render(request, "accounts/grant_end.html", context, status=status_of(form, refusal))
