"""Reports upward, the watch list, household lists, what the ministry pushes down (R-DRP-05 … R-DRP-09)."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.rights import requires
from accounts.roles import Right
from audit.services import record_list
from config.clock import today
from config.errors import BadRequest, NotFound, Refusal
from registry.dropout import households as lists
from registry.dropout import pushing, reporting, watching
from registry.dropout.ledgers import office_in
from registry.dropout.views.absences import shown_refusal
from registry.dropout.views.sent import act_in, day_in, words_in
from registry.identity import last4, mask_name
from registry.models import DropoutReport, HouseholdRow, Student
from registry.protection import HIDDEN_PLACE, hidden_from
from registry.queries.imports import progress_of
from registry.queries.rosters import PAGE, number_in, one_of
from registry.views.imports import sent_workbook

_MOST_SHOWN = 200  # faults, or pupils, on one page


# ── Reports ──────────────────────────────────────────────────────────────────────────────────────────────
@requires(Right.VIEW_REPORT)
@require_GET
def reports(request: HttpRequest) -> HttpResponse:
    """The reports of an office and of those below, with what is owed and overdue, and the way down."""
    user: Any = request.user
    office = office_in(user, request.GET.get("office", ""))
    show = one_of(request.GET.get("show", ""), tuple(reporting.SHOWS)) or "all"
    kind = one_of(request.GET.get("kind", ""), DropoutReport.Kind.values)
    rows, following, total = reporting.read_reports(
        user, office, show=show, kind=kind, after=_after(request), size=PAGE
    )
    lines = [
        {
            "report": row,
            "may_sign": reporting.may_sign(user, row),
            "is_overdue": reporting.is_overdue(row),
            "counts": [(words, row.counts.get(key, 0)) for key, words in reporting.LABELS.items()],
        }
        for row in rows
    ]
    context = {
        "lines": lines, "after": following, "total": total, "show": show, "kind": kind,
        "shows": reporting.SHOWS, "kinds": DropoutReport.Kind.choices, "labels": reporting.LABELS,
        "office": office, "below": reporting.read_below(user, office),
    }  # fmt: skip
    return render(request, "dropout/reports.html", context)


@requires(Right.VIEW_REPORT)
@require_POST
def report_sign(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign one report upward."""
    user: Any = request.user
    report = reporting.seen_by(user).filter(pk=pk).first()
    if report is None:
        raise NotFound()
    request.subject = report  # type: ignore[attr-defined]
    if set(request.POST) - {"remark", "csrfmiddlewaretoken"}:
        raise BadRequest(why=_("没有这项操作"))
    reporting.sign(report, actor=user, remark=request.POST.get("remark", ""))
    messages.success(request, _("已签报。"))
    return redirect("dropout:reports")


# ── The watch list ───────────────────────────────────────────────────────────────────────────────────────
@requires(Right.VIEW_WATCH_LIST)
@require_http_methods(["GET", "POST"])
def watch_list(request: HttpRequest) -> HttpResponse:
    """Children who are watched over; POST enters one by hand."""
    user: Any = request.user
    refusal: Refusal | None = None
    if request.method == "POST":
        act_in(request, {"enter": ("number", "kind", "from_on", "note")})
        number = request.POST.get("number", "").strip().upper()
        seen = Student.objects.visible_to(user, Right.VIEW_WATCH_LIST)
        pupil = seen.filter(number=number).first() if number else None
        if pupil is None:
            raise NotFound()
        try:
            watching.enter(
                pupil, request.POST.get("kind", ""), actor=user, from_on=day_in(request, "from_on"),
                note=request.POST.get("note", ""),
            )  # fmt: skip
        except Refusal as refused:
            refusal = shown_refusal(request, refused)
        else:
            messages.success(request, _("已列入重点关注。"))
            return redirect("dropout:watch_list")
    kind = one_of(request.GET.get("kind", ""), tuple(watching.kinds_for(user)))
    rows, following = watching.read_list(user, kind, _after(request), PAGE)
    record_list(
        "student", [row.student_id for row in rows], actor=user, route="dropout:watch_list",
        purpose=_("重点关注名单"),
    )  # fmt: skip
    context = {
        "lines": [watching.line_of(row) for row in rows], "after": following, "kind": kind,
        "kinds": watching.kinds_for(user), "by_hand": watching.kinds_for(user, by_hand=True),
        "today": today(), "sent": words_in(request), "refusal": refusal,
    }  # fmt: skip
    return render(request, "dropout/watch_list.html", context, status=refusal.status if refusal else 200)


@requires(Right.VIEW_WATCH_LIST)
@require_POST
def watch_end(request: HttpRequest, pk: int) -> HttpResponse:
    """End an entry that was made by hand."""
    user: Any = request.user
    entry = watching.seen_by(user).filter(pk=pk).first()
    if entry is None:
        raise NotFound()
    request.subject = entry  # type: ignore[attr-defined]
    watching.end(entry, actor=user)
    messages.success(request, _("已终止。"))
    return redirect("dropout:watch_list")


# ── Household lists ──────────────────────────────────────────────────────────────────────────────────────
@requires(Right.DECIDE)
@require_http_methods(["GET", "POST"])
def households(request: HttpRequest) -> HttpResponse:
    """The county's lists so far; POST takes one in."""
    user: Any = request.user
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            sheet = lists.take_in(*sent_workbook(request), actor=user)
            return redirect("dropout:household", sheet.pk)
        except Refusal as refused:
            refusal = shown_refusal(request, refused)
    context = {"rows": list(lists.seen_by(user).order_by("-pk")[:50]), "refusal": refusal}
    return render(request, "dropout/households.html", context, status=refusal.status if refusal else 200)


@requires(Right.DECIDE)
@require_GET
def household(request: HttpRequest, pk: int) -> HttpResponse:
    """What one list's comparison found, finding by finding."""
    user: Any = request.user
    sheet = lists.seen_by(user).filter(pk=pk).first()
    if sheet is None:
        raise NotFound()
    finding = one_of(request.GET.get("finding", ""), HouseholdRow.Finding.values) or "never"
    is_poor = request.GET.get("poor", "") == "1"
    rows, following = lists.read_rows_of(sheet, finding, is_poor, _after(request), PAGE)
    record_list(
        "householdrow", [row.pk for row in rows], actor=user, route="dropout:household",
        purpose=_("户籍比对"), fields=["name", "id_number"],
    )  # fmt: skip
    lines = []
    for row in rows:
        said = row.open_cells()
        lines.append(
            {"row": row, "name": said.get("name", ""), "last4": last4(said.get("id_number", "")),
             "guardian": mask_name(said.get("guardian", ""))}
        )  # fmt: skip
    context = {
        "sheet": sheet, "lines": lines, "after": following, "finding": finding, "is_poor": is_poor,
        "findings": [(code, name, sheet.counts.get(code, 0)) for code, name in HouseholdRow.Finding.choices],
    }  # fmt: skip
    return render(request, "dropout/household.html", context)


# ── From the ministry ────────────────────────────────────────────────────────────────────────────────────
@requires(Right.PUSH_DROPOUT)
@require_http_methods(["GET", "POST"])
def push(request: HttpRequest) -> HttpResponse:
    """The lists pushed down so far; POST takes a workbook in."""
    user: Any = request.user
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            sheet = pushing.take_in(*sent_workbook(request), actor=user)
            return redirect("dropout:pushed", sheet.pk)
        except Refusal as refused:
            refusal = shown_refusal(request, refused)
    context = {"rows": list(pushing.seen_by(user)[:50]), "refusal": refusal, "most": pushing.MOST_ROWS}
    return render(request, "dropout/push.html", context, status=refusal.status if refusal else 200)


@requires(Right.PUSH_DROPOUT)
@require_http_methods(["GET", "POST"])
def pushed(request: HttpRequest, pk: int) -> HttpResponse:
    """One list: its faults and its pupils, or what the schools have answered; POST pushes it down or drops
    it.
    """
    user: Any = request.user
    sheet = pushing.open_list(user, pk)
    request.subject = sheet  # type: ignore[attr-defined]
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            if act_in(request, {"push": ("skip",), "drop": ()}) == "push":
                pushing.confirm(sheet, actor=user, skips_faulty=request.POST.get("skip") == "1")
            else:
                pushing.drop(sheet, actor=user)
            return redirect("dropout:pushed", pk)
        except Refusal as refused:
            refusal = shown_refusal(request, refused)
    progress = progress_of(sheet.job)
    context: dict[str, Any] = {"sheet": sheet, "refusal": refusal, "progress": progress}
    if sheet.done_at:
        context["answers"] = pushing.answers_to(sheet)
    elif sheet.cells is not None and not progress.is_running:
        context |= _checked(user, pushing.rows_of(sheet))
    return render(request, "dropout/pushed.html", context, status=refusal.status if refusal else 200)


def _checked(user: Any, rows: list[pushing.Row]) -> dict[str, Any]:
    """The faults and the pupils of a list, numbers by their last four characters only; of a protected pupil
    neither name nor school (AZ-10).
    """
    good = [row for row in rows if not row.faults]
    hidden = set(hidden_from(user).filter(student_id__in=[row.student_id for row in good]))
    shown = [
        replace(row, name="—", school=str(HIDDEN_PLACE)) if row.student_id in hidden else row
        for row in good[:_MOST_SHOWN]
    ]
    record_list(
        "student", [row.student_id for row in good], actor=user, route="dropout:pushed",
        purpose=_("下发疑似辍学"),
    )  # fmt: skip
    faults = [
        {
            "row": row.number, "heading": pushing.HEADINGS[fault.field], "finding": fault,
            "value": _masked(fault.field, row.typed.get(fault.field, "")),
        }
        for row in rows
        for fault in row.faults
    ]  # fmt: skip
    return {"good": shown, "faults": faults[:_MOST_SHOWN], "wrong": len(rows) - len(good),
            "ready": len(good)}  # fmt: skip


def _masked(key: str, text: str) -> str:
    return text if key == "name" or not text else f"…{last4(text)}"


def _after(request: HttpRequest) -> int:
    after = request.GET.get("after", "")
    return number_in(after) if after else 0
