"""休学到期: the suspensions of a school and what is due for each."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.rights import requires
from accounts.roles import Right
from audit.services import record_list
from transfers.suspensions import read_suspensions


@requires(Right.FILE)
@require_GET
def suspensions(request: HttpRequest) -> HttpResponse:
    """One access entry with the pupils shown (RD-3)."""
    user: Any = request.user
    page = read_suspensions(user, request.GET.get("after", ""))
    pupils = [row["student_id"] for row in page.rows]
    record_list("student", pupils, actor=user, route="transfers:suspensions")
    return render(request, "transfers/suspensions.html", {"page": page})
