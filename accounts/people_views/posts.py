"""Appointing to a post and ending one, each with its preview; leaving for good."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import handover, who_gains
from accounts.administration import appointing, leaving
from accounts.administration.appointing import Appointment
from accounts.models import User
from accounts.people_forms import LeaveForm, PostForm, ReasonForm
from accounts.people_views.acting import (
    STEP,
    offices_of,
    person_or_404,
    post_or_404,
    posted,
    read,
    status_of,
    try_to,
)
from accounts.rights import requires
from accounts.roles import ROLES, Right
from accounts.step_up import require_step_up
from config.clock import today
from config.errors import Refusal


@requires(Right.MANAGE_ACCOUNTS)
@require_http_methods(["GET", "POST"])
def appoint(request: HttpRequest, pk: int) -> HttpResponse:
    """A post for a time: form, preview of who gains what, then saved."""
    user: Any = request.user
    person = person_or_404(request, pk)
    form = PostForm(posted(request), offices=offices_of(request), initial={"first": today()})
    refusal: Refusal | None = None
    context: dict[str, Any] = {"form": form, "person": person}
    if request.method == "POST" and read(form):
        given = form.cleaned_data
        office = form.offices[given["office"]]
        wanted = Appointment(office, given["role"], given["first"], given["last"])
        if request.POST.get(STEP) == "save":

            def save() -> Any:
                require_step_up(request)
                return appointing.appoint(person, wanted, actor=user, reason=given["reason"])

            post, refusal = try_to(request, save)
            if post:
                messages.success(request, _("已任命{name}。").format(name=person.name))
                return redirect("accounts:person", pk=person.pk)
        else:
            _answer, refusal = try_to(request, lambda: _look_at(person, wanted, user))
        context["gains"] = who_gains.gained(person, office, ROLES[given["role"]].rights, given["role"])
        context["role"] = ROLES[given["role"]]
    context["refusal"] = refusal
    return render(request, "accounts/appoint.html", context, status=status_of(form, refusal))


def _look_at(person: User, wanted: Appointment, user: Any) -> None:
    appointing.check_place(wanted, user)
    appointing.check_person(person, wanted, user)


@requires(Right.MANAGE_ACCOUNTS)
@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """What she loses by it; POST ends the post today."""
    user: Any = request.user
    post = post_or_404(request, pk)
    form = ReasonForm(posted(request))
    refusal: Refusal | None = None
    if request.method == "POST" and read(form):

        def save() -> bool:
            require_step_up(request)
            appointing.end_post(post, actor=user, reason=form.cleaned_data["reason"])
            return True

        done, refusal = try_to(request, save)
        if done:
            messages.success(request, _("岗位已结束。"))
            return redirect("accounts:person", pk=post.user_id)
    context = {
        "form": form,
        "post": post,
        "losses": who_gains.lost(post),
        "things": handover.open_things(post.user),
        "refusal": refusal,
    }
    return render(request, "accounts/post_end.html", context, status=status_of(form, refusal))


@requires(Right.MANAGE_ACCOUNTS)
@require_http_methods(["GET", "POST"])
def leave(request: HttpRequest, pk: int) -> HttpResponse:
    """What is open in her name and who could take it over; POST closes her account in one act."""
    user: Any = request.user
    person = person_or_404(request, pk)
    things = handover.open_things(person)
    successors = list(leaving.possible_successors(person)[:200]) if things else []
    form = LeaveForm(posted(request), successors=[(one.pk, one.name) for one in successors])
    refusal: Refusal | None = None
    if request.method == "POST" and read(form):
        given = form.cleaned_data
        successor = next((one for one in successors if one.pk == given["successor"]), None)

        def save() -> bool:
            require_step_up(request)
            leaving.leave(person, actor=user, reason=given["reason"], successor=successor)
            return True

        done, refusal = try_to(request, save)
        if done:
            messages.success(request, _("{name}的离任已办理。").format(name=person.name))
            return redirect("accounts:people")
    context = {
        "form": form,
        "person": person,
        "things": things,
        "has_successors": bool(successors),
        "refusal": refusal,
    }
    return render(request, "accounts/leave.html", context, status=status_of(form, refusal))
