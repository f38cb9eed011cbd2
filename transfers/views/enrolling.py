"""Placing the admissions of a school and handing them in."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.rights import requires
from accounts.roles import Right
from config.errors import Refusal
from registry.enrolling.views import show_admissions
from registry.entries.views import shown
from registry.queries.rosters import number_in
from transfers.enrolling import place_admissions, submit_admissions
from transfers.forms import expect
from transfers.models import Case


@requires(Right.FILE)
@require_POST
def place(request: HttpRequest) -> HttpResponse:
    """Note the chosen classes (`class-<admission>`); where placement registers, the last one hands in."""
    user: Any = request.user
    chosen = [name for name in request.POST if name.startswith("class-")]
    expect(request.POST, *chosen)
    wanted = {number_in(name.removeprefix("class-")): number_in(request.POST[name] or "0") for name in chosen}
    try:
        changed, case = place_admissions(wanted, actor=user)
    except Refusal as refused:
        return show_admissions(request, shown(request, refused))
    messages.success(request, _("已保存 {n} 名学生的班级。").format(n=changed))
    return _filed(request, case) if case else redirect("enrolling:admissions")


@requires(Right.FILE)
@require_POST
def submit(request: HttpRequest) -> HttpResponse:
    """Everybody who is ready becomes one case; else the list again, with the reason."""
    user: Any = request.user
    expect(request.POST)
    try:
        return _filed(request, submit_admissions(actor=user))
    except Refusal as refused:
        return show_admissions(request, shown(request, refused))


def _filed(request: HttpRequest, case: Case) -> HttpResponse:
    messages.success(request, _("已报送，办件号 {number}。").format(number=case.number))
    return redirect("transfers:case", case.number)
