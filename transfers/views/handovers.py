"""档案移交: what was handed over with a status, and the new school's receipt (R-TRF-17)."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from accounts.rights import requires
from accounts.roles import Right
from archives.handover import receive as receive_file
from archives.models import Handover
from audit.services import record_list
from config.clock import today
from config.errors import NotFound
from config.paging import count_up_to
from registry.queries.rosters import PAGE, go_on
from transfers.forms import expect

SHOWS = {"open": gettext_lazy("待接收"), "done": gettext_lazy("已接收"), "all": gettext_lazy("全部")}


@requires(Right.VIEW_CASE)
@require_GET
def handovers(request: HttpRequest) -> HttpResponse:
    """Files on their way into or out of her office's schools. One access entry with the pupils (RD-3)."""
    user: Any = request.user
    show = request.GET.get("show", "open")
    if show not in SHOWS:
        raise NotFound()
    found, after, total = read_handovers(user, show, request.GET.get("after", ""))
    record_list("student", [one.student_id for one in found], actor=user, route="transfers:handovers")
    rows = [
        {
            "row": one,
            "is_late": one.received_at is None and one.due_on < today(),
            "is_in": one.to_path.startswith(user.acting_path),
            "may_receive": one.received_at is None and user.may_act_at(Right.FILE, one.to_path),
        }
        for one in found
    ]
    context = {"rows": rows, "after": after, "total": total, "shows": SHOWS, "show": show}
    return render(request, "transfers/handovers.html", context)


def read_handovers(user: User, show: str, after: str) -> tuple[list[Handover], int | None, int]:
    """One page of them, newest first; the key to go on after, and how many there are."""
    seen = Handover.objects.visible_to(user, Right.VIEW_CASE)
    rows = seen.within(user.acting_path)
    if show != "all":
        rows = rows.filter(received_at__isnull=show == "open")
    total = count_up_to(rows)
    rows = go_on(rows, seen, after)
    shown: list[Handover] = list(rows.newest_first(user.acting_path)[: PAGE + 1])
    return shown[:PAGE], shown[PAGE - 1].pk if len(shown) > PAGE else None, total


def visible_handover(user: User, pk: int) -> Handover:
    """Raises NotFound: hidden and missing look alike."""
    found: Handover | None = Handover.objects.visible_to(user, Right.VIEW_CASE).filter(pk=pk).first()
    if found is None:
        raise NotFound()
    return found


@requires(Right.FILE)
@require_POST
def receive(request: HttpRequest, pk: int) -> HttpResponse:
    """The new school confirms what came."""
    user: Any = request.user
    found = visible_handover(user, pk)
    request.subject = found  # type: ignore[attr-defined]
    expect(request.POST, "remark")
    receive_file(found, request.POST.get("remark", ""), actor=user)
    messages.success(request, _("已确认接收{name}的学籍档案。").format(name=found.name))
    return redirect("transfers:handovers")
