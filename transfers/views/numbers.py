"""学籍号签发 by hand, and how far it is."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from accounts.rights import requires
from accounts.roles import Right
from config.errors import NotFound, Refusal
from config.models import Job
from transfers.forms import expect
from transfers.numbering import KIND, RUNNING, last_job, promised, start_issuing, waiting_pupils


@requires(Right.ISSUE_NUMBERS)
@require_http_methods(["GET", "POST"])
def numbers(request: HttpRequest) -> HttpResponse:
    """How many pupils wait for a formal number; POST starts the run."""
    user: Any = request.user
    refusal: Refusal | None = None
    expect(request.POST)
    if request.method == "POST":
        try:
            start_issuing(user)
            return redirect("transfers:numbers")
        except Refusal as refused:
            refusal = refused
            request.refusal = refused  # type: ignore[attr-defined]
    found = last_job()
    context = {"waiting": waiting_pupils(user).count(), "refusal": refusal, **_progress(found)}
    return render(request, "transfers/numbers.html", context, status=refusal.status if refusal else 200)


@requires(Right.ISSUE_NUMBERS)
@require_GET
def job(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress alone, asked for every two seconds until the run is over."""
    user: Any = request.user
    found = Job.objects.filter(pk=pk, kind=KIND).first()
    if found is None or not any(
        found.path.startswith(path) for path in user.scope_paths(Right.ISSUE_NUMBERS)
    ):
        raise NotFound()
    return render(
        request, "transfers/_job.html", _progress(found) | {"waiting": waiting_pupils(user).count()}
    )


def _progress(found: Job | None) -> dict[str, Any]:
    left = promised()
    is_running = found is not None and (
        found.state in RUNNING or (found.state == Job.State.DONE and left > 0)
    )
    return {"job": found, "left": left, "is_running": is_running}
