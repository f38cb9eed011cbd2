"""问题学籍 being handled: one record, its arbitration, reopening, the progress by office."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Organization, User
from accounts.rights import requires
from accounts.roles import Right
from audit.services import record_list, record_read
from config.errors import BadRequest, NotFound, Refusal
from registry.models import ProblemRecord
from registry.queries.sight import students_seen_by
from registry.services.problems import reopen
from transfers import problems as service
from transfers.forms import expect
from transfers.problem_file import open_problem_file
from transfers.problem_numberless import read_numberless
from transfers.problem_progress import read_progress


@requires(Right.VIEW_STUDENT)
@require_GET
def problem(request: HttpRequest, pk: int) -> HttpResponse:
    """One problem record with both sides; a read of each record that is shown."""
    user: Any = request.user
    return show(request, user, pk)


def show(
    request: HttpRequest, user: User, pk: int, refusal: Refusal | None = None, **typed: Any
) -> HttpResponse:
    file = open_problem_file(user, pk)
    ids = [side.party.student_id for side in file.sides if side.party.student_id]
    for student in students_seen_by(user).filter(pk__in=ids):
        record_read(student, actor=user, route="transfers:problem", purpose=_("核对问题学籍"))
    context = {"file": file, "problem": file.problem, "lines": file.lines, "refusal": refusal, **typed}
    return render(request, "transfers/problem.html", context, status=refusal.status if refusal else 200)


def visible_problem(user: User, pk: int) -> ProblemRecord:
    """Raises NotFound: hidden and missing look alike."""
    found: ProblemRecord | None = (
        ProblemRecord.objects.visible_to(user, Right.VIEW_STUDENT).filter(pk=pk).first()
    )
    if found is None:
        raise NotFound()
    return found


@requires(Right.ARBITRATE)
@require_POST
def arbitrate(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    found = visible_problem(user, pk)
    request.subject = found  # type: ignore[attr-defined]
    expect(request.POST, "verdict", "reason")
    reason = " ".join(request.POST.get("reason", "").split())[:400]
    try:
        service.arbitrate(found, request.POST.get("verdict", ""), reason, actor=user)
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        return show(request, user, pk, refusal, typed_reason=reason)
    messages.success(request, _("已裁定，系统正在办结。"))
    return redirect("transfers:problem", pk)


@requires(Right.FILE)
@require_POST
def judge_hint(request: HttpRequest, pk: int) -> HttpResponse:
    """The school says whether the two of a hint are one."""
    user: Any = request.user
    found = visible_problem(user, pk)
    request.subject = found  # type: ignore[attr-defined]
    expect(request.POST, "is_same", "reason")
    told, reason = request.POST.get("is_same", ""), " ".join(request.POST.get("reason", "").split())[:400]
    try:
        if told not in ("0", "1"):
            raise BadRequest(why="is_same")
        service.judge_hint(found, told == "1", reason, actor=user)
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        return show(request, user, pk, refusal, typed_reason=reason)
    messages.success(request, _("已记录。") if told == "0" else _("已列为问题学籍，请按问题学籍办理。"))
    return redirect("transfers:problem", pk)


@requires(Right.DECIDE, Right.ARBITRATE)
@require_POST
def reopen_problem(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    found = visible_problem(user, pk)
    request.subject = found  # type: ignore[attr-defined]
    expect(request.POST, "reason")
    reason = " ".join(request.POST.get("reason", "").split())[:400]
    try:
        reopen(found, reason, actor=user)
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        return show(request, user, pk, refusal, typed_reason=reason)
    messages.success(request, _("已重新打开，双方学校须重新办理。"))
    return redirect("transfers:problem", pk)


@requires(Right.VIEW_STUDENT)
@require_GET
def progress(request: HttpRequest) -> HttpResponse:
    """Her office and those directly below it; `office` goes down to one of them."""
    user: Any = request.user
    number = request.GET.get("office", "")
    path = ""
    if number:
        if not (number.isascii() and number.isdigit() and len(number) < 19):
            raise NotFound()
        path = Organization.objects.filter(pk=int(number)).values_list("path", flat=True).first() or ""
        if not path:
            raise NotFound()
    return render(request, "transfers/problem_progress.html", {"progress": read_progress(user, path)})


@requires(Right.VIEW_STUDENT)
@require_GET
def numberless(request: HttpRequest) -> HttpResponse:
    """Pupils in scope without an identity document, and what is still missing (R-PRB-06)."""
    user: Any = request.user
    page = read_numberless(user, request.GET.get("after", ""))
    record_list("student", [row.student_id for row in page.rows], actor=user, route="transfers:numberless")
    return render(request, "transfers/numberless.html", {"page": page})
