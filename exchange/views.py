"""对外提供: the list, a proposal with the answer it would give, one grant with its clients and deliveries."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import Organization, User
from accounts.rights import requires
from accounts.roles import Right
from accounts.step_up import steps_up
from archives.services import find_uploads
from config.errors import NotFound, Refusal
from exchange import pages
from exchange.clients import make_client, read_addresses, stop_client
from exchange.given import named
from exchange.grants import check, is_keeper, note_receiver_changed, propose, stop
from exchange.kind import APPROVAL
from exchange.models import DataGrant, GrantClient
from registry.findings import Finding
from transfers.forms import expect
from transfers.office_form import find_office, suggestions
from transfers.views.registration import uploads_shown


@requires(*pages.RIGHTS)
@require_GET
def grants(request: HttpRequest) -> HttpResponse:
    """The grants of her office and below, newest first."""
    user: Any = request.user
    page = pages.read_grants(user, request.GET.get("after", ""))
    may_propose = user.may_act_at(Right.PROPOSE_GRANT, user.acting_path)
    return render(request, "exchange/grants.html", {"page": page, "may_propose": may_propose})


@requires(Right.PROPOSE_GRANT)
@require_http_methods(["GET", "POST"])
def propose_grant(request: HttpRequest) -> HttpResponse:
    """The form; `action=preview` shows an answer about nobody, `action=file` sends it to the leaders."""
    user: Any = request.user
    at = user.own_office
    assert at is not None, "the door has asked for a right"
    expect(request.POST, *pages.SENT)
    if request.method == "GET":
        before = pages.open_grant(user, _uuid(request.GET["like"])) if "like" in request.GET else None
        office = f"{before.subtree_name}" if before else at.name
        return _form(request, at, pages.fresh_terms(before), office, [], None)
    terms, office = pages.read_terms(request.POST), request.POST.get("office", "")
    subtree = find_office(at, office)
    kept = [text for text in request.POST.getlist("document") if text]
    if request.POST.get("action") != "file":
        found = check(terms, at, subtree)
        return _form(request, at, terms, office, kept, None, found, is_preview=True)
    try:
        materials = find_uploads(kept, actor=user)
        grant = propose(terms, at=at, subtree=subtree, actor=user, materials=materials)
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        return _form(request, at, terms, office, kept, refusal, _placed(refusal))
    messages.success(request, _("已提交审批，办件号 {number}。").format(number=grant.case_no))
    return redirect("exchange:grant", grant.public_id)


def _placed(refusal: Refusal) -> list[Finding]:
    if refusal.findings:
        return list(refusal.findings)
    place = "document" if refusal.code in ("evidence_missing", "upload_gone") else "purpose"
    return [Finding(place, refusal.code, refusal.detail, refusal.rule, "", "")]


def _form(
    request: HttpRequest,
    at: Organization,
    terms: Any,
    office: str,
    kept: list[str],
    refusal: Refusal | None,
    found: Any = (),
    *,
    is_preview: bool = False,
) -> HttpResponse:
    user: Any = request.user
    errors: dict[str, list[Finding]] = {}
    for finding in found:
        errors.setdefault(finding.field, []).append(finding)
    context = {
        "at": at, "terms": terms, "office": office, "offices": suggestions(at), "errors": errors,
        "labels": pages.LABELS, "sections": pages.sections(terms), "refusal": refusal,
        "bases": DataGrant.Basis.choices, "organs": DataGrant.Organ.choices,
        "services": DataGrant.Service.choices, "papers": [(APPROVAL, _("批复文件"))],
        "documents": uploads_shown(user, kept),
        "sample": pages.sample_answer(terms) if is_preview and "students" in terms.services else "",
        "is_preview": is_preview,
    }  # fmt: skip
    return render(request, "exchange/propose.html", context, status=refusal.status if refusal else 200)


@requires(*pages.RIGHTS)
@require_GET
def grant(request: HttpRequest, public_id: UUID) -> HttpResponse:
    user: Any = request.user
    return _show(request, user, pages.open_grant(user, public_id))


def _show(request: HttpRequest, user: User, found: DataGrant, **more: Any) -> HttpResponse:
    refusal: Refusal | None = more.get("refusal")
    context = {
        "grant": found, "fields": named(found.fields, found.clear), "clients": pages.clients_of(found),
        "deliveries": pages.deliveries_of(found), "is_keeper": is_keeper(user, found),
        "may_propose": user.may_act_at(Right.PROPOSE_GRANT, found.org_path),
        "sample": pages.sample_answer(found) if found.fields else "", **more,
    }  # fmt: skip
    return render(request, "exchange/grant.html", context, status=refusal.status if refusal else 200)


@requires(*pages.RIGHTS)
@require_POST
def stop_grant(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One click and a reason: from now on no client gets another answer."""
    user: Any = request.user
    found = pages.open_grant(user, public_id)
    request.subject = found  # type: ignore[attr-defined]
    expect(request.POST, "reason")
    try:
        stop(found, actor=user, reason=request.POST.get("reason", ""))
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        return _show(request, user, found, refusal=refusal)
    messages.success(request, _("已停止对外提供，所有客户端立即失效。"))
    return redirect("exchange:grant", public_id)


@requires(*pages.RIGHTS)
@require_POST
def receiver_changed(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The receiver has another name or business: its grants are suspended until approved anew."""
    user: Any = request.user
    found = pages.open_grant(user, public_id)
    request.subject = found  # type: ignore[attr-defined]
    expect(request.POST, "name", "reason")
    name = request.POST.get("name", "").strip()[:100]
    try:
        count = note_receiver_changed(found, name=name, actor=user, reason=request.POST.get("reason", ""))
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        return _show(request, user, found, refusal=refusal)
    messages.success(request, _("已暂停该接收方的 {n} 项对外提供。").format(n=count))
    return redirect("exchange:grant", public_id)


@requires(*pages.RIGHTS)
@require_POST
@steps_up
@never_cache
def new_client(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A client and its secret, shown this once (AC-7)."""
    user: Any = request.user
    found = pages.open_grant(user, public_id)
    request.subject = found  # type: ignore[attr-defined]
    expect(request.POST, "name", "addresses")
    try:
        addresses = read_addresses(request.POST.get("addresses", ""))
        name = request.POST.get("name", "").strip()
        client, secret = make_client(found, name=name, addresses=addresses, actor=user)
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        return _show(request, user, found, refusal=refusal)
    return _show(request, user, found, fresh=client, secret=secret)


@requires(*pages.RIGHTS)
@require_POST
def end_client(request: HttpRequest, public_id: UUID, pk: int) -> HttpResponse:
    user: Any = request.user
    found = pages.open_grant(user, public_id)
    request.subject = found  # type: ignore[attr-defined]
    client = GrantClient.objects.select_related("grant").filter(grant=found, pk=pk).first()
    if client is None:
        raise NotFound()
    stop_client(client, actor=user)
    messages.success(request, _("客户端已停用，立即生效。"))
    return redirect("exchange:grant", public_id)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound() from None
