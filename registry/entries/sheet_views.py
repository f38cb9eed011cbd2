"""Entries by workbook: template, upload, every fault of every row, confirm, progress."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.rights import requires
from audit.services import record_list
from config.errors import NotFound, Refusal
from registry.entries import sheets, workbook
from registry.entries.kinds import KINDS, WRITES
from registry.entries.views import refuse_unknown, shown
from registry.models import Enrolment
from registry.queries.imports import progress_of
from registry.views.imports import XLSX, sent_workbook

_MOST_SHOWN = 200  # faults, or rows, on one page


@requires(*WRITES)
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """Templates, upload, and the sheets so far; POST takes a workbook of one kind in."""
    user: Any = request.user
    refusal: Refusal | None = None
    if request.method == "POST":
        refuse_unknown(request, "kind")
        try:
            sheet = sheets.upload(request.POST.get("kind", ""), *sent_workbook(request), actor=user)
            return redirect("entries:sheet", sheet.public_id)
        except Refusal as refused:
            refusal = shown(request, refused)
    kinds = sheets.writable_kinds(user)
    rows = [(row, KINDS[row.kind]) for row in sheets.sheets_of(user)[:50]]
    context = {
        "kinds": kinds, "rows": rows, "refusal": refusal, "most_rows": workbook.MOST_ROWS,
        "chosen": request.POST.get("kind", request.GET.get("kind", "")),
    }  # fmt: skip
    return render(request, "entries/sheets.html", context, status=refusal.status if refusal else 200)


@requires(*WRITES)
@require_GET
def template(request: HttpRequest, code: str) -> HttpResponse:
    """The workbook of one kind with the school's pupils; a list of them, so it leaves its trace."""
    user: Any = request.user
    kind = next((one for one in sheets.writable_kinds(user) if one.code == code), None)
    if kind is None:
        raise NotFound()
    spells = Enrolment.objects.filter(org_path=user.acting_path).in_school()
    rows = list(
        spells.order_by("grade", "class_number", "name_py", "pk").values_list(
            "student_id", "name", "class_number"
        )[: workbook.MOST_ROWS]
    )
    record_list("student", [row[0] for row in rows], actor=user, route="entries:template")
    # Without numbers: a doctor has none, and a file lies about.
    content = workbook.template(kind, [("", name, number) for _student, name, number in rows])
    response = HttpResponse(content, content_type=XLSX)
    name = f"{kind.name}-{user.acting_office_name}.xlsx"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    response["Cache-Control"] = "no-store"
    return response


@requires(*WRITES)
@require_http_methods(["GET", "POST"])
def sheet(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One sheet: its faults or its rows, its progress, or what became of it; POST writes it."""
    user: Any = request.user
    found = sheets.open_sheet(user, public_id)
    request.subject = found  # type: ignore[attr-defined]
    refusal: Refusal | None = None
    if request.method == "POST":
        refuse_unknown(request)
        try:
            sheets.confirm(found, actor=user)
            return redirect("entries:sheet", public_id)
        except Refusal as refused:
            refusal = shown(request, refused)
    kind, progress = KINDS[found.kind], progress_of(found.job)
    context: dict[str, Any] = {"sheet": found, "kind": kind, "refusal": refusal, "progress": progress}
    if found.cells is not None and not progress.is_running:
        rows = sheets.rows_of(found)
        faults = workbook.faults_of(rows, kind)
        record_list(
            "student", [row.student_id for row in rows if row.student_id], actor=user, route="entries:sheet",
            fields=[kind.code],
        )  # fmt: skip
        context |= {
            "faults": faults[:_MOST_SHOWN], "faults_total": len(faults),
            "wrong": sum(bool(row.faults) for row in rows), "headings": workbook.headings(kind),
            "rows": [(row.number, workbook.shown(row, kind)) for row in rows[:_MOST_SHOWN]],
        }  # fmt: skip
    return render(request, "entries/sheet.html", context, status=refusal.status if refusal else 200)


@requires(*WRITES)
@require_GET
def progress(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The progress alone, asked for every second; when it is over the page is loaded anew."""
    user: Any = request.user
    found = sheets.open_sheet(user, public_id)
    now = progress_of(found.job)
    response = render(request, "entries/_progress.html", {"sheet": found, "progress": now})
    if not now.is_running:
        response["HX-Refresh"] = "true"
    return response


@requires(*WRITES)
@require_POST
def drop(request: HttpRequest, public_id: UUID) -> HttpResponse:
    user: Any = request.user
    found = sheets.open_sheet(user, public_id)
    request.subject = found  # type: ignore[attr-defined]
    sheets.drop(found, actor=user)
    messages.success(request, _("表格已删除，没有写入任何记录。"))
    return redirect("entries:sheets")
