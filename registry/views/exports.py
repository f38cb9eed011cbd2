"""在内导出 as pages: ask with a live count, decide, watch, collect (EX-1, EX-5)."""

import secrets
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.idempotency import claim, form_digest
from accounts.models import User
from accounts.rights import requires
from accounts.roles import Right
from accounts.step_up import is_fresh, steps_up
from config.errors import Refusal
from registry.exporting import approving, asking, collecting, columns, finding
from registry.exporting.terms import FILTERS, PURPOSES, chosen_filters, count_rows, read_terms
from registry.models import Export
from registry.queries.imports import progress_of
from registry.views.students import filter_fields

_ROUTE = "registry:export"
_BOTH = (Right.EXPORT, Right.APPROVE_EXPORT)


@requires(*_BOTH)
@require_GET
def exports(request: HttpRequest) -> HttpResponse:
    """What waits for her decision, and the exports she sees, newest first."""
    user: Any = request.user
    rows, after = finding.read_exports(user, request.GET.get("after", ""))
    context = {
        "rows": rows, "after": after, "may_ask": user.may_act_at(Right.EXPORT, user.acting_path),
        "waiting": [] if "after" in request.GET else finding.waiting_for(user),
    }  # fmt: skip
    return render(request, "registry/exports.html", context)


@requires(Right.EXPORT)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The form, with the filters that the list of pupils had; POST asks."""
    user: Any = request.user
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            held = claim(user, "registry:export_new", request.POST.get("key", ""), form_digest(request.POST))
            if held.location:
                return redirect(held.location)
            export = asking.ask(read_terms(_sent(request), user), actor=user)
            held.answer(302, reverse(_ROUTE, args=[export.public_id]))
            messages.success(request, _("已提交，等待另一人审批。"))
            return redirect(held.location)
        except Refusal as refused:
            refusal = refused
            request.refusal = refused  # type: ignore[attr-defined]
    sent = request.POST if request.method == "POST" else request.GET
    context = _scope(request, user) | {
        "refusal": refusal,
        "key": request.POST.get("key") or secrets.token_urlsafe(24),
        "sections": columns.by_section(columns.offered_to(user)),
        "chosen": set(sent.getlist("fields")), "clear": set(sent.getlist("clear_fields")),
        "may_see_clear": columns.may_see_clear(user), "purposes": PURPOSES, "formats": Export.Format.choices,
        "sent": sent,
    }  # fmt: skip
    response = render(request, "registry/export_new.html", context, status=refusal.status if refusal else 200)
    if refusal and (seconds := refusal.data.get("seconds")):
        response["Retry-After"] = seconds
    return response


@requires(Right.EXPORT)
@require_GET
def count(request: HttpRequest) -> HttpResponse:
    """The filters with the count they give: asked for at every change."""
    user: Any = request.user
    return render(request, "registry/_export_scope.html", _scope(request, user))


def _sent(request: HttpRequest) -> dict[str, Any]:
    sent: dict[str, Any] = {
        key: request.POST.get(key, "") for key in ("purpose", "purpose_text", "format", *FILTERS)
    }
    return sent | {key: request.POST.getlist(key) for key in ("fields", "clear_fields")}


def _scope(request: HttpRequest, user: User) -> dict[str, Any]:
    """The filters, in words and as choices, and how many pupils they leave, or why that is no export."""
    sent = request.POST if request.method == "POST" else request.GET
    filters = chosen_filters({key: sent[key] for key in FILTERS if sent.get(key)}, user)
    said: dict[str, Any] = {"filters": filters, "filter_fields": filter_fields(user, filters)}
    try:
        return said | {"count": count_rows(filters, user)}
    except Refusal as refusal:
        return said | {"no_count": refusal.detail}


@requires(*_BOTH)
@require_GET
def export(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One export: its terms, how far it is, and what she may do."""
    return _export(request, finding.open_export(_user(request), public_id))


def _user(request: HttpRequest) -> Any:
    return request.user


def _export(request: HttpRequest, found: Export, refusal: Refusal | None = None) -> HttpResponse:
    user = _user(request)
    context = {
        "export": found, "refusal": refusal, "may": finding.chances(found, user),
        "facts": finding.facts(found),
        "progress": progress_of(found.job), "is_fresh": is_fresh(request),
    }  # fmt: skip
    return render(request, "registry/export.html", context, status=refusal.status if refusal else 200)


@requires(*_BOTH)
@require_GET
def progress(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The progress alone, asked for every second; when the work is over the page is loaded anew."""
    found = finding.open_export(_user(request), public_id)
    context = {"export": found, "progress": progress_of(found.job)}
    response = render(request, "registry/_export_progress.html", context)
    if found.state != Export.State.APPROVED:
        response["HX-Refresh"] = "true"
    return response


def _subject(request: HttpRequest, public_id: UUID) -> Export:
    """The export an act is about; a refusal's trace names it."""
    found = finding.open_export(_user(request), public_id)
    request.subject = found  # type: ignore[attr-defined]
    return found


@requires(Right.APPROVE_EXPORT)
@require_POST
@steps_up
def approve(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Approve, or, where W1 has held it, confirm once more."""
    found = _subject(request, public_id)
    act = approving.confirm if request.POST.get("again") == "1" else approving.approve
    act(found, actor=_user(request))
    return redirect(_ROUTE, found.public_id)


@requires(Right.APPROVE_EXPORT)
@require_POST
def refuse(request: HttpRequest, public_id: UUID) -> HttpResponse:
    found = _subject(request, public_id)
    try:
        approving.refuse(found, actor=_user(request), reason=request.POST.get("reason", ""))
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        return _export(request, found, refusal)
    return redirect(_ROUTE, found.public_id)


@requires(Right.EXPORT)
@require_POST
def cancel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    found = _subject(request, public_id)
    asking.cancel(found, actor=_user(request))
    return redirect(_ROUTE, found.public_id)


@requires(Right.EXPORT)
@require_POST
@steps_up
def file(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The file, as an attachment under a policy of its own."""
    found = _subject(request, public_id)
    return file_answer(collecting.collect(found, actor=_user(request)))


def file_answer(collected: collecting.Collected) -> Any:
    """A file that a job made, opened piece by piece while it is sent."""
    return StreamingHttpResponse(
        collected.pieces,
        content_type=collected.content_type,
        headers={
            "Content-Disposition": content_disposition_header(True, collected.name) or "attachment",
            "Content-Length": str(collected.size),
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )
