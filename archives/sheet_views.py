"""确认表: print a class, see who is still missing, file a signed sheet by its square (R-VER-04)."""

import re
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.rights import requires
from accounts.roles import Right
from archives import sheets as services
from archives.views import sent_file
from audit.services import record_list, record_read
from config.errors import NotFound, Refusal
from config.rules import rule
from registry.queries.schools import open_class
from registry.verification.queries_rolls import read_sheets
from registry.verification.rolls import may_confirm, verification_of

_READERS = (Right.CONFIRM_ROLL, Right.VIEW_STUDENT)


@requires(*_READERS)
@require_GET
def sheets(request: HttpRequest, pk: int) -> HttpResponse:
    """The pupils of a class and whose signed sheet has come back."""
    user: Any = request.user
    school_class = open_class(user, pk)
    lines = read_sheets(school_class)
    shown = [line.student for line in lines]
    record_list("student", shown, actor=user, route="archives:sheets")
    context = {
        "school_class": school_class, "lines": lines, "school": verification_of(school_class.org_path),
        "filed": sum(line.state == "done" for line in lines),
        "printed": sum(line.sheet is not None for line in lines),
        "may_act": may_confirm(user, school_class),
    }  # fmt: skip
    return render(request, "verification/sheets.html", context)


@requires(Right.CONFIRM_ROLL)
@require_POST
def sheets_print(request: HttpRequest, pk: int) -> HttpResponse:
    """The sheets of a class as one PDF."""
    user: Any = request.user
    school_class = open_class(user, pk)
    request.subject = school_class  # type: ignore[attr-defined]
    response = HttpResponse(services.print_sheets(school_class, actor=user), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="confirmation-sheets-{school_class.pk}.pdf"'
    response["Content-Security-Policy"] = "sandbox"
    return response


@requires(*_READERS)
@require_GET
def sheet_find(request: HttpRequest) -> HttpResponse:
    """What a scanner or a hand typed, the whole address or the code alone, leads to the pupil."""
    typed = re.sub(r"[\s-]", "", request.GET.get("code", "")).rstrip("/").rpartition("/")[2].upper()
    return redirect("archives:sheet", services.open_sheet(_user(request), typed).code)


@requires(*_READERS)
@require_http_methods(["GET", "POST"])
def sheet(request: HttpRequest, code: str) -> HttpResponse:
    """The sheet of one pupil; POST files its scan."""
    user = _user(request)
    found = services.open_sheet(user, code)
    request.subject = found.student  # type: ignore[attr-defined]
    refusal: Refusal | None = None
    if request.method == "POST":
        services.refuse_unless_hers(user, found.school_class)
        try:
            has_corrections = request.POST.get("has_corrections") == "1"
            services.file_sheet(found, sent_file(request), has_corrections=has_corrections, actor=user)
            messages.success(request, _("{name}的确认表已归档。").format(name=found.student.name))
            return redirect("archives:sheet", code)
        except NotFound:
            raise
        except Refusal as refused:
            refusal = refused
            request.refusal = refused  # type: ignore[attr-defined]
    record_read(found.student, actor=user, route="archives:sheet")
    context = {
        "sheet": found, "refusal": refusal, "may_act": may_confirm(user, found.school_class),
        "may_edit": user.may_act_at(Right.EDIT_STUDENT, found.org_path),
        "may_file": user.may_act_at(Right.FILE, found.org_path),
        "may_open": user.holds(Right.VIEW_STUDENT), "kilobytes": rule("EVIDENCE_MAX_KB").number,
    }  # fmt: skip
    return render(request, "verification/sheet.html", context, status=refusal.status if refusal else 200)


def _user(request: HttpRequest) -> Any:
    return request.user
