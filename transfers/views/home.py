"""今日待办， the page everybody lands on."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.rights import requires
from accounts.roles import Right
from audit.services import record_list
from transfers.desk import comes_next, greeting, open_desk


@requires()
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What waits for her; for roles without cases, what they may do. One access entry for the cases."""
    user: Any = request.user
    context: dict[str, Any] = {"greeting": greeting(), "comes_next": comes_next()}
    if user.acting_path and user.holds(Right.VIEW_CASE):
        desk = open_desk(user)
        record_list("case", desk.case_ids, actor=user, route="home")
        context |= {
            "desk": desk,
            "may_file": user.may_act_at(Right.FILE, user.acting_path),
            "may_sign": desk.mine > 0
            or any(user.may_act_at(right, user.acting_path) for right in (Right.REVIEW, Right.DECIDE)),
            "may_number": user.holds(Right.ISSUE_NUMBERS),
        }
    return render(request, "home.html", context)
