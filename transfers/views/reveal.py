"""The proposed document number of a case in clear: a reason, sixty seconds, one trace (RD-2, RD-6)."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from accounts.rights import requires
from accounts.roles import RIGHT_LABELS, Right
from audit.budgets import spend
from audit.models import AccessEntry
from audit.services import record, record_read
from config.errors import NotAllowed, NotFound, Refusal
from config.rules import rule
from registry.identity import mask_number
from registry.models import Student
from registry.protection import use_approval
from registry.queries.sight import sight_of
from registry.views.reveal import REASONS, SHORTEST_REASON, ReasonNeeded
from transfers.forms import expect
from transfers.queries import open_case


@requires(Right.VIEW_CASE)
@require_POST
def reveal(request: HttpRequest, number: str) -> HttpResponse:
    """Who decides on a number has to compare it with the paper, character by character."""
    user: Any = request.user
    case = open_case(user, number)
    request.subject = case  # type: ignore[attr-defined]
    expect(request.POST, "reason", "text")
    student = Student.objects.visible_to(user, Right.VIEW_STUDENT).filter(cases=case).first()
    proposed = case.open_card().get("proposed_id_number", "") if case.card else ""
    if student is None or not proposed:
        raise NotFound()
    sight = sight_of(user, student)
    if not sight.reveals("id_number"):
        raise NotAllowed(right=str(RIGHT_LABELS[Right.VIEW_IDENTITY]), who="")
    chosen, text = request.POST.get("reason", ""), " ".join(request.POST.get("text", "").split())
    context: dict[str, Any] = {"case": case, "reasons": REASONS, "mask": mask_number(proposed)}
    try:
        if chosen not in REASONS or len(text) < SHORTEST_REASON:
            raise ReasonNeeded(count=SHORTEST_REASON)
        spend(user, "reveals")
        if sight.is_guarded:
            use_approval(student, "id_number", actor=user, reason=f"{REASONS[chosen]}:{text[:150]}")
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        context |= {"refusal": refusal, "reason": chosen, "text": text}
        return render(request, "transfers/_reveal.html", context, status=refusal.status)
    words = f"{REASONS[chosen]}:{text[:150]}"
    record(
        "registry.student.reveal",
        student,
        actor=user,
        reason=words,
        basis="RD-2",
        fields=["id_number"],
        number=case.number,
    )
    record_read(
        student,
        actor=user,
        route="transfers:reveal",
        purpose=words,
        fields=["id_number"],
        outcome=AccessEntry.Outcome.REVEAL,
    )
    seconds = rule("REVEAL_SECONDS", at=student.org_path).number
    return render(request, "transfers/_reveal.html", context | {"value": proposed, "seconds": seconds})
