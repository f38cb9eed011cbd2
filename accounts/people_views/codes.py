"""First codes, and resets that are confirmed after seeing the holder, by two where it takes two (AC-4)."""

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
from accounts.people_views.acting import person_or_404, read, try_to
from accounts.people_views.people import show_person
from accounts.rights import requires
from accounts.roles import Right
from accounts.step_up import require_step_up
from config.errors import BadRequest


@requires(Right.MANAGE_ACCOUNTS)
@require_POST
def hand_out(request: HttpRequest, pk: int) -> HttpResponse:
    """A first code for this person, shown once; or the reset that her own browser waits for, where it takes
    two the request for the second's word.
    """
    user: Any = request.user
    person = person_or_404(request, pk)
    form = CodeForm(request.POST)
    if not read(form):
        raise BadRequest(why=_("请选择重设内容。"))
    given = form.cleaned_data
    if given["purpose"] == CodePurpose.FIRST:
        require_step_up(request)
        return _slip(request, person, resets.first_code(person, actor=user))

    def confirm() -> str:
        require_step_up(request)
        if resets.needs_two(person):
            resets.ask(person, **given, actor=user)
            return _("已提出申请，请由另一位同事在“待复核的重设”中复核后生效。")
        resets.reset(person, **given, actor=user)
        return _confirmed(person)

    said, refusal = try_to(request, confirm)
    if refusal:
        return show_person(request, person, form, refusal)
    messages.success(request, said)
    return redirect("accounts:person", pk=person.pk)


@requires(Right.MANAGE_ACCOUNTS, Right.HANDLE_WARNINGS)
@require_GET
def requests(request: HttpRequest) -> HttpResponse:
    """Resets of her office that wait for a second word."""
    user: Any = request.user
    return render(request, "accounts/code_requests.html", {"rows": list(resets.waiting(user))})


@requires(Right.MANAGE_ACCOUNTS, Right.HANDLE_WARNINGS)
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """The second person's word."""
    user: Any = request.user
    asked = get_object_or_404(resets.waiting(user), pk=pk)
    form = DecideForm(request.POST)
    if not read(form):
        raise BadRequest(why=_("请选择同意或不同意。"))
    require_step_up(request)
    confirms = form.cleaned_data["decision"] == "confirm"
    resets.decide(asked, confirms=confirms, actor=user)
    messages.success(request, _confirmed(asked.user) if confirms else _("已不予同意，未作重设。"))
    return redirect("accounts:code_requests")


def _confirmed(person: User) -> str:
    return _("已确认。请{name}在自己的屏幕上继续。").format(name=person.name)


def _slip(request: HttpRequest, person: User, code: str) -> HttpResponse:
    home = home_of(person)
    place = home.name if home else ""
    hours = service.hours_valid(home.path) if home else 0
    slip = service.Slip(person.name, person.username, place, code, hours)
    return render(request, "accounts/code_slips.html", {"slips": [slip], "person": person})
