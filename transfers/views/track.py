"""办理进度查询: the family's page, open to whoever holds the code of a receipt."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from config.errors import NotFound
from transfers.forms import expect
from transfers.tracking import read_track, tidy


@login_not_required
@require_http_methods(["GET", "POST"])
def track_entry(request: HttpRequest) -> HttpResponse:
    """Where a code is typed in."""
    expect(request.POST, "code")
    code = tidy(request.POST.get("code", ""))
    if request.method == "POST" and code:
        try:
            read_track(code)
        except NotFound:
            return render(request, "transfers/track_entry.html", {"code": code, "failed": True}, status=404)
        return redirect("transfers:track", code)
    return render(request, "transfers/track_entry.html", {"code": code})


@login_not_required
@require_GET
def track(request: HttpRequest, code: str) -> HttpResponse:
    """One case by its code: which office holds it, since when, until when, and when it will probably end."""
    return render(request, "transfers/track.html", {"track": read_track(tidy(code))})
