"""One-use codes: handing one out after seeing the holder, and the second person's word (AC-4)."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts import codes as service
from accounts.administration import resets
from accounts.administration.reach import home_of
from accounts.models import CodePurpose, User
from accounts.people_forms import CodeForm, DecideForm
from accounts.people_views.acting import person_or_404, read
from accounts.rights import requires
from accounts.roles import Right
from accounts.step_up import require_step_up
from config.errors import BadRequest


@requires(Right.MANAGE_ACCOUNTS)
@require_POST
def hand_out(request: HttpRequest, pk: int) -> HttpResponse:
    """A code for this person, shown once; where it takes two, the request for the second's word."""
    user: Any = request.user
    person = person_or_404(request, pk)
    form = CodeForm(request.POST)
    if not read(form):
        raise BadRequest(why=_("请选择重设内容。"))
    require_step_up(request)
    purpose, seen_how = form.cleaned_data["purpose"], form.cleaned_data["seen_how"]
    if purpose == CodePurpose.FIRST:
        return _slip(request, person, resets.first_code(person, actor=user), purpose)
    if resets.needs_two(person):
        resets.ask(person, purpose=purpose, seen_how=seen_how, actor=user)
        messages.success(request, _("已提出申请，请由另一位同事在“待复核的重设”中复核后发放。"))
        return redirect("accounts:person", pk=person.pk)
    code = resets.reset(person, purpose=purpose, seen_how=seen_how, actor=user)
    return _slip(request, person, code, purpose)


@requires(Right.MANAGE_ACCOUNTS, Right.HANDLE_WARNINGS)
@require_GET
def requests(request: HttpRequest) -> HttpResponse:
    """Resets of her office that wait for a second word."""
    user: Any = request.user
    return render(request, "accounts/code_requests.html", {"rows": list(resets.waiting(user))})


@requires(Right.MANAGE_ACCOUNTS, Right.HANDLE_WARNINGS)
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """The second person's word; the code is shown to her, once."""
    user: Any = request.user
    asked = get_object_or_404(resets.waiting(user), pk=pk)
    form = DecideForm(request.POST)
    if not read(form):
        raise BadRequest(why=_("请选择同意或不同意。"))
    require_step_up(request)
    confirms = form.cleaned_data["decision"] == "confirm"
    code = resets.decide(asked, confirms=confirms, actor=user)
    if code:
        return _slip(request, asked.user, code, asked.purpose)
    messages.success(request, _("已不予同意，未发放验证码。"))
    return redirect("accounts:code_requests")


def _slip(request: HttpRequest, person: User, code: str, purpose: str) -> HttpResponse:
    home = home_of(person)
    place = home.name if home else ""
    hours = service.hours_valid(home.path) if home else 0
    label = str(CodePurpose(purpose).label)
    slip = service.Slip(person.name, person.username, place, code, hours, label)
    return render(request, "accounts/code_slips.html", {"slips": [slip], "person": person})
