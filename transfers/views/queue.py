"""The queue of a reviewing office: one for all kinds, soonest deadline first, many decided together."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from accounts.rights import requires
from accounts.roles import Right
from accounts.step_up import StepUpNeeded
from audit.services import record_list
from config.errors import BadRequest, Refusal
from transfers.forms import expect
from transfers.kinds import KINDS
from transfers.models import Step
from transfers.queries import PAGE, SIGNING, kind_choices, open_case, queue_counts, read_filters, read_queue
from transfers.services import decide
from transfers.together import sort_out


@requires(*SIGNING)
@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    """What waits for her office. One access entry with the ids shown (RD-3)."""
    user: Any = request.user
    filters = read_filters(request.GET)
    page = read_queue(user, filters, request.GET.get("after", ""))
    record_list("case", [row["case_id"] for row in page.rows], actor=user, route="transfers:queue")
    context = {"page": page, "filters": filters, "counts": queue_counts(user), "kinds": kind_choices()}
    return render(request, "transfers/queue.html", context)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case of a batch."""

    number: str
    refusal: Refusal | None = None


@requires(Right.REVIEW, Right.DECIDE)
@require_POST
def approve(request: HttpRequest) -> HttpResponse:
    """What can be approved together, to be confirmed (`looked`); then the cases one by one, each in its own
    savepoint, and which did not go through.
    """
    user: Any = request.user
    expect(request.POST, "case", "looked")
    numbers = list(dict.fromkeys(request.POST.getlist("case")))
    if not numbers or len(numbers) > PAGE:
        raise BadRequest(why=_("请勾选 1 至 {n} 件。").format(n=PAGE))
    if request.POST.get("looked") != "1":
        choice = sort_out(user, numbers)
        ids = [one.pk for one in (*choice.like, *choice.apart)]
        record_list("case", ids, actor=user, route="transfers:approve")
        return render(request, "transfers/approve.html", {"choice": choice})
    outcomes = [_approve_one(user, number) for number in numbers]
    refused = [outcome for outcome in outcomes if outcome.refusal]
    status = 200
    if len(refused) == len(outcomes):
        request.refusal = refused[0].refusal  # type: ignore[attr-defined]
        status = refused[0].refusal.status if refused[0].refusal else 409
    context = {"done": [one for one in outcomes if not one.refusal], "refused": refused}
    return render(request, "transfers/approved.html", context, status=status)


def _approve_one(user: User, number: str) -> Outcome:
    try:
        case = open_case(user, number)
        if KINDS[case.kind].steps_up:
            raise StepUpNeeded()  # on the case's own page, where its terms are read
        papers = [code for need in KINDS[case.kind].needs(case.payload) for code in need.types]
        decide(case, Step.Decision.APPROVE, actor=user, ticked=papers)
    except Refusal as refusal:
        return Outcome(number, refusal)
    return Outcome(number)
