"""确认表: print a class, see who is still missing, file a signed sheet by its square (R-VER-04)."""

import re
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.rights import requires
from accounts.roles import Right
from archives import sheet_prints as printing
from archives import sheets as services
from archives.views import sent_file
from audit.services import record_list, record_read
from config.errors import NotFound, Refusal
from config.rules import rule
from registry.exporting.made import downloads_left
from registry.queries.imports import progress_of
from registry.queries.rosters import number_in
from registry.queries.schools import open_class
from registry.queries.sight import students_seen_by
from registry.verification.queries_rolls import read_rolls, read_sheets
from registry.verification.rolls import may_confirm, verification_of
from registry.views.exports import file_answer

_READERS = (Right.CONFIRM_ROLL, Right.VIEW_STUDENT)
_NEWEST = 10  # files that the page lists


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
def sheet_print(request: HttpRequest, pk: int, student: UUID) -> HttpResponse:
    """The sheet of one pupil of a class, at once."""
    user = _user(request)
    school_class = open_class(user, pk)
    pupil = students_seen_by(user).filter(public_id=student).first()
    if pupil is None:
        raise NotFound()
    request.subject = pupil  # type: ignore[attr-defined]
    content = services.print_sheet(school_class, pupil, actor=user)
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="confirmation-sheet-{pupil.public_id}.pdf"'
    response["Content-Security-Policy"] = "sandbox"
    return response


# ── Whole classes: a job makes the file ──────────────────────────────────────────────────────────────────
@requires(Right.CONFIRM_ROLL)
@require_http_methods(["GET", "POST"])
def sheet_prints(request: HttpRequest) -> HttpResponse:
    """The classes to choose from, and the files so far; POST asks for the sheets of those chosen."""
    user = _user(request)
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            chosen = [number_in(text) for text in request.POST.getlist("class")]
            return redirect("archives:sheet_made", printing.ask(chosen, actor=user).public_id)
        except printing.ClassNotChosen as refused:
            refusal = refused
            request.refusal = refused  # type: ignore[attr-defined]
    context = {
        "page": read_rolls(user, user.acting_path), "refusal": refusal,
        "prints": printing.prints_of(user)[:_NEWEST],
    }  # fmt: skip
    return render(
        request, "verification/sheet_prints.html", context, status=refusal.status if refusal else 200
    )


@requires(Right.CONFIRM_ROLL)
@require_GET
def sheet_made(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One file: how far it is, and the download."""
    found = printing.open_print(_user(request), public_id)
    template = "_sheet_made" if request.headers.get("HX-Request") else "sheet_made"
    context = {"file": found, "progress": progress_of(found.job), "left": downloads_left(found)}
    return render(request, f"verification/{template}.html", context)


@requires(Right.CONFIRM_ROLL)
@require_POST
def sheet_file(request: HttpRequest, public_id: UUID) -> Any:
    """The file, as an attachment under a policy of its own."""
    found = printing.open_print(_user(request), public_id)
    request.subject = found  # type: ignore[attr-defined]
    return file_answer(printing.collect(found, actor=_user(request)))


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
