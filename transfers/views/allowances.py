"""申请调整招生计划或学籍总量: the school asks, its authority decides (A7.3, D7)."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts.idempotency import claim, form_digest
from accounts.models import User
from accounts.rights import requires
from accounts.roles import Right
from archives.services import find_uploads
from config.clock import today
from config.errors import NotFound, Refusal
from registry.codes import choices
from registry.models import School
from registry.queries import allowances as queries
from transfers.asking import Asking, take_answers
from transfers.filing_form import Draft, prefilled
from transfers.kinds.allowances import ALLOWANCE_CHANGE
from transfers.models import Case
from transfers.services import file_case, refile
from transfers.views.registration import own_school, uploads_shown

_PAPERS = ("27", "99")


@requires(Right.FILE)
@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
def ask_allowance(request: HttpRequest) -> HttpResponse:
    """The school's request for another figure; its document may be added as an image."""
    user: Any = request.user
    if request.method == "GET":
        return _show(request, user, Draft(ALLOWANCE_CHANGE, {}))
    draft = Draft.read(ALLOWANCE_CHANGE, request.POST)
    if request.POST.get("action") == "continue":
        return _show(request, user, draft)
    office = own_school(user)
    try:
        held = claim(user, "transfers:ask_allowance", draft.key, form_digest(request.POST))
        if held.location:
            return redirect(held.location)
        answers = take_answers(ALLOWANCE_CHANGE, draft.given, Asking(office))
        papers = find_uploads(draft.documents, actor=user)
        case = file_case(ALLOWANCE_CHANGE, office, actor=user, materials=papers, answers=answers)
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        draft.object(refusal)
        return _show(request, user, draft, status=refusal.status)
    location = reverse("transfers:case", args=[case.number])
    held.answer(302, location)
    messages.success(request, _("已提交，办件号 {number}。").format(number=case.number))
    return redirect(location)


def correct_allowance(request: HttpRequest, user: User, case: Case) -> HttpResponse:
    """A returned request: the same form with what was asked for; POST sends it on its way again."""
    if request.method == "GET":
        return _show(request, user, prefilled(ALLOWANCE_CHANGE, case.payload["asked"], []), case)
    draft = Draft.read(ALLOWANCE_CHANGE, request.POST)
    if request.POST.get("action") == "continue":
        return _show(request, user, draft, case)
    try:
        papers = find_uploads(draft.documents, actor=user)
        refile(case, actor=user, materials=papers, payload={"answers": draft.given})
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        draft.object(refusal)
        return _show(request, user, draft, case, status=refusal.status)
    messages.success(request, _("{number} 已补正并重新提交。").format(number=case.number))
    return redirect("transfers:case", case.number)


def _show(
    request: HttpRequest, user: User, draft: Draft, case: Case | None = None, status: int = 200
) -> HttpResponse:
    """The form beside the figures in force; to htmx the questions alone."""
    office = own_school(user)
    school = School.objects.filter(organization=office).select_related("organization").first()
    if school is None:
        raise NotFound()
    act = reverse("transfers:correct", args=[case.number]) if case else reverse("transfers:ask_allowance")
    context: dict[str, Any] = {
        "kind": ALLOWANCE_CHANGE,
        "matter": {"act": act, "case": case},
        "draft": draft,
        "questions": draft.questions(Asking(office)),
        "errors": draft.errors,
        "labels": draft.labels,
    }
    if request.headers.get("HX-Request"):
        return render(request, "transfers/_file_asks.html", context, status=status)
    context |= {
        "office": office,
        "plans": queries.plan_lines(school, today()),
        "quotas": queries.quota_lines(school),
        "documents": uploads_shown(user, draft.documents),
        "papers": [pair for pair in choices("evidence_type") if pair[0] in _PAPERS],
        "back": case.steps.filter(decision="return").order_by("-ordinal").first() if case else None,
    }
    return render(request, "transfers/ask_allowance.html", context, status=status)
