"""Samples for inspection (R-VER-07)."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.rights import requires
from accounts.roles import Right
from audit.services import record_list
from config.errors import NotFound, Refusal
from registry.models import SampleRow
from registry.queries.rosters import number_in
from registry.verification import queries, sampling
from registry.verification.views import chosen_campaign


@requires(Right.INSPECT)
@require_http_methods(["GET", "POST"])
def samples(request: HttpRequest) -> HttpResponse:
    """The samples of her office; POST draws one."""
    user: Any = request.user
    campaign = chosen_campaign(request)
    refusal: Refusal | None = None
    if request.method == "POST":
        if campaign is None:
            raise NotFound()
        request.subject = campaign  # type: ignore[attr-defined]
        try:
            drawn = sampling.draw(campaign, actor=user)
            messages.success(request, _("已抽取，种子已记录，可供复核。"))
            return redirect("verification:sample", drawn.pk)
        except sampling.SampleEmpty as refused:
            refusal = refused
            request.refusal = refused  # type: ignore[attr-defined]
    context = {
        "campaign": campaign, "refusal": refusal,
        "samples": queries.samples_of(campaign, user) if campaign else [],
        "may_draw": user.may_act_at(Right.INSPECT, user.acting_path),
    }  # fmt: skip
    return render(request, "verification/samples.html", context, status=refusal.status if refusal else 200)


@requires(Right.INSPECT)
@require_http_methods(["GET", "POST"])
def sample(request: HttpRequest, pk: int) -> HttpResponse:
    """The pupils of a sample; POST notes the result for one."""
    user: Any = request.user
    found = queries.open_sample(user, pk)
    request.subject = found  # type: ignore[attr-defined]
    refusal: Refusal | None = None
    if request.method == "POST":
        rows = SampleRow.objects.visible_to(user, Right.INSPECT).select_related("sample__campaign")
        row = get_object_or_404(rows, sample=found, pk=number_in(request.POST.get("row", "")))
        try:
            sampling.note_result(
                row, actor=user, result=request.POST.get("result", ""), note=request.POST.get("note", "")
            )
            return redirect(request.get_full_path())
        except (sampling.ResultUnclear, sampling.ResultMoved) as refused:
            refusal = refused
            request.refusal = refused  # type: ignore[attr-defined]
    lines, after = queries.sample_rows(found, user, request.GET.get("after", ""))
    pupils = [line["row"].student_id for line in lines if line["pupil"]]
    record_list("student", pupils, actor=user, route="verification:sample", purpose="inspection")
    context = {
        "sample": found, "lines": lines, "after": after, "refusal": refusal, "sent": request.POST,
        "may_note": user.may_act_at(Right.INSPECT, found.org_path),
    }  # fmt: skip
    return render(request, "verification/sample.html", context, status=refusal.status if refusal else 200)
