"""学校与机构: choose what changes, fill in the document, look at the rehearsal, file it as shown."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Organization, User
from accounts.rights import requires
from accounts.roles import Right
from archives.services import find_uploads
from config.errors import NotFound, Refusal
from registry.findings import Finding
from registry.reorganizing.plan import LABELS
from registry.reorganizing.rehearse import rehearse
from transfers import services
from transfers.forms import expect, placed
from transfers.kinds.offices import APPROVAL, OFFICE_KINDS, follow
from transfers.models import Case
from transfers.office_form import FORMS, read_form, suggestions
from transfers.offices import file_change, own_rehearsal, shown, try_again
from transfers.queries import open_case
from transfers.views.registration import uploads_shown

_PAPER_KEYS = ("document", "file", "evidence_type")


@requires(Right.MANAGE_OFFICES)
@require_http_methods(["GET", "POST"])
def offices_new(request: HttpRequest) -> HttpResponse:
    """The six procedures; with `kind` the form of one; POST rehearses it and leads to what it showed."""
    user: Any = request.user
    at = _own(user)
    sent = request.POST if request.method == "POST" else request.GET
    kind = sent.get("kind", "")
    if kind not in FORMS:
        if kind:
            raise NotFound()
        return render(request, "transfers/office_choose.html", {"kinds": OFFICE_KINDS.values(), "at": at})
    questions = FORMS[kind]
    expect(request.POST, "kind", *(question.key for question in questions))
    typed: dict[str, Any] = {
        one.key: sent.getlist(one.key) if one.widget == "stages" else sent.get(one.key, "")
        for one in questions
    }
    found: list[Finding] = []
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            office, values = read_form(kind, at, typed)
            row = rehearse(kind, at, office, values, actor=user, after=follow)
            return redirect("transfers:office_rehearsal", row.public_id)
        except Refusal as refused:
            refusal, found = refused, list(refused.findings) or [placed(refused)]
            request.refusal = refused  # type: ignore[attr-defined]
    by_field: dict[str, list[Finding]] = {}
    for finding in found:
        by_field.setdefault(finding.field, []).append(finding)
    context = {
        "kind": OFFICE_KINDS[kind],
        "at": at,
        "lines": [(question, typed[question.key], by_field.get(question.key, [])) for question in questions],
        "errors": by_field,
        "labels": LABELS,
        "offices": suggestions(at),
        "refusal": refusal,
    }
    return render(request, "transfers/office_form.html", context, status=refusal.status if refusal else 200)


@requires(Right.MANAGE_OFFICES)
@require_http_methods(["GET", "POST"])
def office_rehearsal(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What the rehearsal showed, with its hash; POST files exactly that, with the document."""
    user: Any = request.user
    at, row = _own(user), own_rehearsal(user, public_id)
    if row.case_no:
        return redirect("transfers:case", row.case_no)
    expect(request.POST, "digest", *_PAPER_KEYS)
    kept = [text for text in request.POST.getlist("document") if text]
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            materials = find_uploads(kept, actor=user)
            case = file_change(row, request.POST.get("digest", ""), actor=user, materials=materials)
            messages.success(request, _("已提交，办件号 {number}。").format(number=case.number))
            return redirect("transfers:case", case.number)
        except Refusal as refused:
            refusal = refused
            request.refusal = refused  # type: ignore[attr-defined]
    context = {
        "change": shown(row),
        "kind": OFFICE_KINDS[row.kind],
        "at": at,
        "documents": uploads_shown(user, kept),
        "papers": [(APPROVAL, _("批复文件"))],
        "errors": {placed(refusal).field: [placed(refusal)]} if refusal else {},
        "labels": LABELS,
        "refusal": refusal,
    }
    return render(
        request, "transfers/office_rehearsal.html", context, status=refusal.status if refusal else 200
    )


@requires(Right.MANAGE_OFFICES, Right.REVIEW, Right.DECIDE)
@require_POST
def office_rehearse(request: HttpRequest, number: str) -> HttpResponse:
    """Rehearse the change of an open case again, for whose turn it is; a returned one is sent on with it."""
    user: Any = request.user
    case = open_case(user, number)
    request.subject = case  # type: ignore[attr-defined]
    expect(request.POST, *_PAPER_KEYS)
    if case.kind not in OFFICE_KINDS:
        raise NotFound()
    if case.state == Case.State.RETURNED:
        kept = [text for text in request.POST.getlist("document") if text]
        services.refile(case, actor=user, materials=find_uploads(kept, actor=user))
        messages.success(request, _("{number} 已补正并重新提交。").format(number=number))
    else:
        try_again(case, actor=user)
        messages.success(request, _("已重新演练，请核对后再办。"))
    return redirect("transfers:case", number)


def _own(user: User) -> Organization:
    assert user.own_office is not None, "the door has asked for a right"
    return user.own_office
