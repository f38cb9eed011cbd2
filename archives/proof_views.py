"""The school answers a suspicion of dropping out; the proof of attendance goes to the archives (R-DRP-09)."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.rights import explain, requires
from accounts.roles import Right
from archives import proofs
from archives.services import refuse_oversized
from archives.views import sent_file
from audit.services import record_read
from config.errors import Refusal
from config.rules import rule
from registry.dropout.views.absences import shown_refusal
from registry.dropout.views.ledgers import found_suspicion
from registry.dropout.views.sent import act_in, words_in
from registry.models import SuspectedDropout


@requires(Right.FILE)
@require_http_methods(["GET", "POST"])
def suspicion_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """What the school found; who is at school is shown to be there by a file."""
    user: Any = request.user
    entry = found_suspicion(user, pk)
    request.subject = entry  # type: ignore[attr-defined]
    explain(user, Right.FILE, at=entry.org_path).or_raise()
    refusal: Refusal | None = None
    if request.method == "POST":
        act_in(request, {"answer": ("said", "note", "file")})  # a file that nobody chose arrives as a word
        said, note = request.POST.get("said", ""), request.POST.get("note", "")
        try:
            refuse_oversized(request)
            data = sent_file(request) if request.FILES else b""
            proofs.answer(entry, data, said=said, note=note, actor=user)
            messages.success(request, _("已答复。"))
            return redirect("dropout:suspicion", pk)
        except Refusal as refused:
            refusal = shown_refusal(request, refused)
    record_read(entry.student, actor=user, route="archives:suspicion_answer", purpose=_("控辍保学"))
    context = {
        "entry": entry, "answers": SuspectedDropout.Answer.choices, "refusal": refusal,
        "kilobytes": rule("EVIDENCE_MAX_KB", at=entry.org_path).number, "sent": words_in(request),
    }  # fmt: skip
    return render(request, "dropout/answer.html", context, status=refusal.status if refusal else 200)
