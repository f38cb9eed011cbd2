"""Handing the admissions of a school in."""

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
from transfers.enrolling import submit_admissions
from transfers.forms import expect


@requires(Right.FILE)
@require_POST
def submit(request: HttpRequest) -> HttpResponse:
    """Everybody who is ready becomes one case; else the list again, with the reason."""
    user: Any = request.user
    expect(request.POST)
    try:
        case = submit_admissions(actor=user)
    except Refusal as refusal:
        if refusal.status == 403:
            raise
        request.refusal = refusal  # type: ignore[attr-defined]
        return show_admissions(request, refusal)
    messages.success(request, _("已报送，办件号 {number}。").format(number=case.number))
    return redirect("transfers:case", case.number)
