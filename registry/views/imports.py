"""批量导入, four screens: choose and download, upload and watch, mend, check and confirm (UI.md)."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.rights import requires
from accounts.roles import Right
from audit.services import record_list
from config.errors import NotFound, Refusal
from registry.intake import arriving, correcting, deciding
from registry.intake import preview as looking
from registry.intake.annotated import write_annotated
from registry.intake.template import write_template
from registry.models import ImportBatch, School, SchoolClass
from registry.queries import imports as queries

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_ROUTE = "registry:import"


class FileMissing(Refusal):
    code, status, rule = "import_file_missing", 422, "FI-2"
    message = _("没有收到文件。请选择填好的模板文件（.xlsx，不超过 {limit} MB）后再上传。")


def sent_workbook(request: HttpRequest) -> tuple[str, bytes]:
    """Name and content of the workbook that a form brought. Raises FileMissing."""
    sent = request.FILES.get("file")
    if sent is None:
        raise FileMissing(limit=settings.FILE_UPLOAD_MAX_MEMORY_SIZE // 1024**2)
    return sent.name or "", sent.read()


@requires(Right.FILE)
@require_http_methods(["GET", "POST"])
def imports(request: HttpRequest) -> HttpResponse:
    """Screens 1 and 2: template, upload, and the imports so far; POST takes a workbook in."""
    user: Any = request.user
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            batch = arriving.take_in(*sent_workbook(request), actor=user)
            return redirect(_ROUTE, batch.public_id)
        except Refusal as refused:
            refusal = refused
            request.refusal = refused  # type: ignore[attr-defined]
    rows, after = queries.read_batches(user, request.GET.get("after", ""))
    classes = SchoolClass.objects.visible_to(user, Right.FILE).filter(org_path=user.acting_path, is_open=True)
    context = {
        "rows": rows, "after": after, "refusal": refusal, "classes": classes.order_by("grade", "number"),
    }  # fmt: skip
    return render(request, "registry/imports.html", context, status=refusal.status if refusal else 200)


@requires(Right.FILE)
@require_GET
def template(request: HttpRequest) -> HttpResponse:
    """The workbook to fill in, with the school's code and classes."""
    user: Any = request.user
    school = School.objects.select_related("organization").get(organization=user.acting_office)
    classes = SchoolClass.objects.filter(org_path=user.acting_path, is_open=True).order_by("number")
    lines = classes.values_list("number", "name")
    content = write_template(school.organization.name, school.code, lines)
    return _download(content, f"新生信息导入模板-{school.organization.name}.xlsx")


def _download(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=XLSX)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    response["Cache-Control"] = "no-store"
    return response


@requires(Right.FILE)
@require_GET
def batch(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One import: its progress, its faults, or what became of it."""
    return _batch(request, queries.open_batch(_user(request), public_id))


def _user(request: HttpRequest) -> Any:
    return request.user


def _batch(request: HttpRequest, found: ImportBatch, refusal: Refusal | None = None) -> HttpResponse:
    chosen = {name: request.GET.get(name, "") for name in ("code", "rule", "level")}
    context: dict[str, Any] = {
        "batch": found, "refusal": refusal, "progress": queries.progress_of(found.job), "chosen": chosen,
    }  # fmt: skip
    if found.state == ImportBatch.State.CHECKED:
        page = queries.read_faults(found, **chosen, after=request.GET.get("after", ""))
        record_list("importrow", [row.row.pk for row in page.rows], actor=_user(request), route=_ROUTE)
        kinds = queries.faults_by_kind(found)
        context |= {"page": page, "kinds": kinds, "rules": queries.counts_by_rule(kinds)}
    return render(request, "registry/import.html", context, status=refusal.status if refusal else 200)


@requires(Right.FILE)
@require_GET
def progress(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The progress alone, asked for every second; when the work is over the page is loaded anew."""
    found = queries.open_batch(_user(request), public_id)
    response = render(
        request,
        "registry/_import_progress.html",
        {"batch": found, "progress": queries.progress_of(found.job)},
    )
    if found.state not in (found.State.WAITING, found.State.CHECKING, found.State.COMMITTING):
        response["HX-Refresh"] = "true"
    return response


@requires(Right.FILE)
@require_POST
def cells(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Corrected cells (`cell-<row>-<key>`), reasons (`reason-<row>`) and continuations (`continue-<row>`)."""
    user = _user(request)
    found = queries.open_batch(user, public_id)
    request.subject = found  # type: ignore[attr-defined]
    changed, reasons = _sent_cells(request, found)
    try:
        if changed or reasons:
            correcting.correct(found, changed, actor=user, reasons=reasons)
        return redirect(_ROUTE, found.public_id)
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        return _batch(request, found, refusal)


def _sent_cells(request: HttpRequest, found: ImportBatch) -> tuple[dict[int, dict[str, str]], dict[int, str]]:
    """What the form changes: only cells that differ from what the row says."""
    sent: dict[int, dict[str, str]] = {}
    reasons: dict[int, str] = {}
    for name, text in request.POST.items():
        kind, _dash, rest = name.partition("-")
        number, _dash, key = rest.partition("-")
        if not number.isdigit() or len(number) > 9 or not isinstance(text, str):
            continue
        if kind == "cell":
            sent.setdefault(int(number), {})[key] = text
        elif kind == "continue":
            sent.setdefault(int(number), {})["continues_record"] = "是"
        elif kind == "reason" and text.strip():
            reasons[int(number)] = text
    rows = {row.number: row.open_cells().typed for row in found.rows.filter(number__in=sent) if row.cells}
    changed = {
        number: {key: text for key, text in texts.items() if text != rows.get(number, {}).get(key, "")}
        for number, texts in sent.items()
    }
    return {number: texts for number, texts in changed.items() if texts}, reasons


@requires(Right.FILE)
@require_POST
def preview(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Look ahead; then the page that shows what was seen."""
    user = _user(request)
    found = queries.open_batch(user, public_id)
    request.subject = found  # type: ignore[attr-defined]
    looking.preview(found, actor=user)
    return redirect("registry:import_check", found.public_id)


@requires(Right.FILE)
@require_GET
def check(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Screen 4: what will be created and continued, class by class; confirm or go back."""
    found = queries.open_batch(_user(request), public_id)
    if found.state != ImportBatch.State.CHECKED or not found.preview.get("hash"):
        return redirect(_ROUTE, found.public_id)
    return _check(request, found)


def _check(request: HttpRequest, found: ImportBatch, refusal: Refusal | None = None) -> HttpResponse:
    alike = queries.read_faults(found, level="warning")
    doubles = [row for row in alike.rows if any(fault.finding.other for fault in row.faults)]
    record_list(
        "importrow", [row.row.pk for row in doubles], actor=_user(request), route="registry:import_check"
    )
    context = {"batch": found, "counts": found.preview["counts"], "doubles": doubles, "refusal": refusal}
    return render(request, "registry/import_check.html", context, status=refusal.status if refusal else 200)


@requires(Right.FILE)
@require_POST
def commit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Commit what was previewed: `hash`, `skips_wrong`, `is_attested`."""
    user = _user(request)
    found = queries.open_batch(user, public_id)
    request.subject = found  # type: ignore[attr-defined]
    try:
        deciding.commit(
            found, request.POST.get("hash", ""), actor=user,
            skips_wrong=request.POST.get("skips_wrong") == "1",
            is_attested=request.POST.get("is_attested") == "1",
        )  # fmt: skip
        return redirect(_ROUTE, found.public_id)
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        if found.state == ImportBatch.State.CHECKED and found.preview.get("hash"):
            return _check(request, found, refusal)
        return _batch(request, found, refusal)


@requires(Right.FILE)
@require_POST
def cancel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    user = _user(request)
    found = queries.open_batch(user, public_id)
    request.subject = found  # type: ignore[attr-defined]
    arriving.cancel(found, actor=user)
    return redirect(_ROUTE, found.public_id)


@requires(Right.FILE)
@require_GET
def workbook(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The annotated workbook: her own rows back, faults marked, ready to be mended and sent again."""
    user = _user(request)
    found = queries.open_batch(user, public_id)
    if found.state != ImportBatch.State.CHECKED:
        raise NotFound()
    content = write_annotated(queries.rows_for_workbook(found), queries.findings_for_workbook(found))
    record_list("importbatch", [found.pk], actor=user, route="registry:import_workbook")
    return _download(content, f"标注-{found.file_name.removesuffix('.xlsx')}.xlsx")
