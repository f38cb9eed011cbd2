"""The pupils of a batch's case: all rows in pages, and returning single ones."""

import re
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.rights import requires
from accounts.roles import Right
from audit.services import record_read
from config.errors import NotFound, Refusal
from transfers.batchfile import read_rows
from transfers.casefile import open_file
from transfers.forms import expect
from transfers.intake import MOST_RETURNED, return_rows
from transfers.queries import open_case
from transfers.refusals import RowsUnclear
from transfers.views.cases import reason_given, show_case

_BETWEEN = re.compile(r"[\s,;，；、]+")


@requires(Right.VIEW_CASE)
@require_GET
def case_rows(request: HttpRequest, number: str) -> HttpResponse:
    """Every pupil of the batch, masked as on lists. One access entry with the pupils shown (RD-3)."""
    user: Any = request.user
    case = open_case(user, number)
    request.subject = case  # type: ignore[attr-defined]
    if case.batch_id is None:
        raise NotFound()
    page = read_rows(case, user, request.GET.get("after", ""))
    record_read(case, actor=user, route="transfers:case_rows", purpose=_("逐行查看"))
    page.leave_trace(user, "transfers:case_rows")
    return render(
        request, "transfers/case_rows.html", {"file": open_file(case, user), "case": case, "page": page}
    )


@requires(Right.REVIEW, Right.DECIDE, Right.FILE)
@require_POST
def return_single(request: HttpRequest, number: str) -> HttpResponse:
    """Take the marked pupils out of the batch for correction; the case goes on with the others."""
    user: Any = request.user
    case = open_case(user, number)
    request.subject = case  # type: ignore[attr-defined]
    expect(request.POST, "rows", "chosen", "text")
    typed = "、".join(text for text in request.POST.getlist("rows") if text.strip())
    try:
        return_rows(case, row_numbers(typed), actor=user, reason=reason_given(request, case))
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        kept = {"rows_typed": typed, "rows_chosen": request.POST.get("chosen", "")}
        kept["rows_text"] = request.POST.get("text", "")
        return show_case(request, user, open_case(user, number), refusal=refusal, **kept)
    messages.success(request, _("所选学生已退回，本办件继续办理其余学生。"))
    return redirect("transfers:case", number)


def row_numbers(text: str) -> list[int]:
    """Row numbers as marked or typed, in any order and with any separator. Raises RowsUnclear."""
    parts = [part for part in _BETWEEN.split(text) if part]
    if not all(part.isascii() and part.isdigit() and len(part) < 7 for part in parts):
        raise RowsUnclear(most=MOST_RETURNED)
    return sorted({int(part) for part in parts})
