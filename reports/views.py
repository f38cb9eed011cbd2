"""Statistics as pages: the list of reports, one report with its table and chart, its file."""

import secrets
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.idempotency import claim, form_digest
from accounts.models import Organization
from accounts.rights import requires
from accounts.roles import Right
from audit.services import record_list
from config.errors import NotFound
from config.scope import ancestors
from registry.exporting.made import downloads_left
from registry.models import Export
from registry.views.exports import file_answer
from reports import files, folding
from reports.definitions import BELOW, REPORTS, SPLITS, Column
from reports.evaluation import evaluate
from reports.models import ReportFile
from reports.tables import (
    Choice,
    Row,
    Table,
    options,
    possible_splits,
    read_choice,
    read_table,
    value_label,
    years,
)

NEWEST = 20


@requires(Right.VIEW_REPORT)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The reports there are, and the files made of them."""
    user = _user(request)
    made = ReportFile.objects.visible_to(user, Right.VIEW_REPORT).newest_first(user.acting_path)[:NEWEST]
    context = {"reports": REPORTS.values(), "files": [(one, REPORTS[one.report].title) for one in made]}
    return render(request, "reports/index.html", context)


@requires(Right.VIEW_REPORT)
@require_GET
def report(request: HttpRequest, code: str) -> HttpResponse:
    """One report at one office, split by one dimension."""
    user = _user(request)
    choice = read_choice(user, code, request.GET.dict())
    table = read_table(user, choice)
    may_list = user.holds(Right.VIEW_STUDENT)
    context = {
        "table": table, "choice": choice, "report": choice.report, "headings": files.headings(table),
        "lines": [_line(row, table, may_list) for row in (table.total, *table.rows)],
        "chart": _chart(request, table),
        "fields": _fields(choice), "trail": _trail(user, choice), "in_words": files.in_words(choice),
        "hiding": files.hiding_rule(choice.office.path) if table.hides else "",
        "may_refresh": (folding.unit_of(choice.office.path) or "-").startswith(user.acting_path),
        "key": secrets.token_urlsafe(24), "exports": _exports(user, choice),
        "drift": folding.total_drift(choice.office.path),
    }  # fmt: skip
    return render(request, "reports/report.html", context)


def _user(request: HttpRequest) -> Any:
    return request.user


def _line(row: Row, table: Table, may_list: bool) -> dict[str, Any]:
    """One row ready to be shown: its label, its address one level down, its cells."""
    choice = table.choice
    address = ""
    if row.office:
        same = {key: value for key, value in choice.as_query().items() if key != "split"}
        query = urlencode(same | {"office": row.office.pk})
        address = f"{reverse('reports:report', args=[choice.report.code])}?{query}"
    cells = [
        {
            "value": row.values.get(column.key), "list": _list_of(row, column, table) if may_list else "",
            "hidden": row.is_hidden(column),
        }
        for column in table.columns
    ]  # fmt: skip
    return {"label": row.label if row is not table.total else _("合计"), "url": address, "cells": cells}


def _list_of(row: Row, column: Column, table: Table) -> str:
    """The list of the pupils whom a number counts, where the filters of lists can say it."""
    choice = table.choice
    if not column.list_of or not row.values.get(column.key):
        return ""
    own = {} if row is table.total or row.office else {choice.split: row.key}
    asked = {**choice.where, **own}
    if not asked.keys() <= {"grade", "sex"} or any(
        asked.get(key, value) != value for key, value in column.list_of.items()
    ):
        return ""
    office = row.office or choice.office
    return f"{reverse('registry:students')}?{urlencode({'office': office.pk} | asked | dict(column.list_of))}"


def _chart(request: HttpRequest, table: Table) -> dict[str, Any] | None:
    """Bars of one column; the table beside it holds the same numbers."""
    keys = [column.key for column in table.columns]
    told = [key for key in keys if any(key in row.values for row in table.rows)]
    default = "pupils" if "pupils" in told else (told or keys)[0]
    wanted = request.GET.get("show", "")
    key = wanted if wanted in keys else default
    values = [(row.label, row.values.get(key)) for row in table.rows]
    most = max((value or 0 for _label, value in values), default=0)
    if len(values) < 2 or not most:
        return None
    bars = [
        {"label": label, "value": value, "width": round((value or 0) * 1000 / most) / 10}
        for label, value in values
    ]
    return {"key": key, "label": table.choice.report.column(key).label, "bars": bars}


def _fields(choice: Choice) -> list[dict[str, Any]]:
    """The drop-downs above the table."""
    report = choice.report
    splits = [
        (one, report.code_label if one == "code" else SPLITS[one])
        for one in possible_splits(report, choice.office)
    ]
    found: list[dict[str, Any]] = [
        {"key": "split", "title": _("按什么分行"), "options": splits, "chosen": choice.split, "blank": ""}
    ]
    if report.has_years:
        shown = [(str(year), _("{year} 学年").format(year=year)) for year in years()]
        found.append(
            {"key": "year", "title": _("学年"), "options": shown, "chosen": choice.year, "blank": ""}
        )
    for name in report.splits:
        if values := options(name):
            found.append({
                "key": name, "title": SPLITS[name], "options": values, "chosen": choice.where.get(name, ""),
                "blank": _("全部"),
            })  # fmt: skip
    return found


def _trail(user: Any, choice: Choice) -> list[dict[str, Any]]:
    """The offices from hers down to the one shown, each with the address of its table."""
    paths = [path for path in ancestors(choice.office.path) if path.startswith(user.acting_path)]
    offices = Organization.objects.filter(path__in=paths).order_by("path")
    # A school has nobody below it: back at its county, the offices below are what is wanted.
    same = {key: value for key, value in choice.as_query().items() if key != "split"}
    if choice.office.kind != Organization.Kind.SCHOOL and choice.split != BELOW:
        same["split"] = choice.split
    return [
        {
            "name": office.name,
            "query": urlencode(same | {"office": office.pk}),
            "is_last": office == choice.office,
        }
        for office in offices
    ]


def _exports(user: Any, choice: Choice) -> list[dict[str, Any]]:
    """Who exported what: the newest requests at and below the office (第二十四条)."""
    if choice.report.code != "exports":
        return []
    rows = Export.objects.visible_to(user, Right.VIEW_REPORT).within(choice.office.path)
    found = list(rows.newest_first(choice.office.path)[:NEWEST])
    record_list("export", [one.pk for one in found], actor=user, route="reports:report")
    return [{"row": one, "purpose": value_label("code", one.purpose, "exports")} for one in found]


@requires(Right.VIEW_REPORT)
@require_POST
def ask(request: HttpRequest, code: str) -> HttpResponse:
    """Ask for the workbook of a table; pressed twice it is one file."""
    user = _user(request)
    choice = read_choice(user, code, request.POST.dict())
    kept = claim(user, "reports:ask", request.POST.get("key", ""), form_digest(request.POST))
    if not kept.location:
        made = files.ask(choice, actor=user)
        kept.answer(302, reverse("reports:made", args=[made.public_id]))
    return redirect(kept.location)


@requires(Right.VIEW_REPORT)
@require_POST
def refresh(request: HttpRequest, code: str) -> HttpResponse:
    """Have the county of the table counted now."""
    user = _user(request)
    choice = read_choice(user, code, request.POST.dict())
    folding.ask_refresh(choice.office, actor=user)
    messages.success(
        request, _("已开始重新统计{place}，完成后刷新本页即可看到。").format(place=choice.office.name)
    )
    query = urlencode(choice.as_query() | {"office": choice.office.pk})
    return redirect(f"{reverse('reports:report', args=[code])}?{query}")


@requires(Right.VIEW_REPORT)
@require_GET
def evaluation(request: HttpRequest) -> HttpResponse:
    """The yearly evaluation sheet of an office, to be printed and signed."""
    user, given = _user(request), {key: request.GET.get(key, "") for key in ("office", "year")}
    choice = read_choice(user, "verification", given)
    return render(request, "reports/evaluation.html", {"sheet": evaluate(choice.office, choice.year, user)})


@requires(Right.VIEW_REPORT)
@require_GET
def made(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One file: how far it is, and the download."""
    found = files.open_file(_user(request), public_id)
    template = "reports/_file.html" if request.headers.get("HX-Request") else "reports/file.html"
    own = found.requested_by_id == _user(request).pk
    context = {
        "file": found, "report": REPORTS.get(found.report), "is_own": own, "left": downloads_left(found),
    }  # fmt: skip
    if found.report not in REPORTS:
        raise NotFound()
    return render(request, template, context)


@requires(Right.VIEW_REPORT)
@require_POST
def file(request: HttpRequest, public_id: UUID) -> Any:
    """The workbook, as an attachment under a policy of its own."""
    found = files.open_file(_user(request), public_id)
    request.subject = found  # type: ignore[attr-defined]
    return file_answer(files.collect(found, actor=_user(request)))
