"""The event list of an auditor."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from audit.forms import EventFilter
from audit.queries import VIEW_LOG, page_of_events
from audit.sentences import act_name, sentence
from audit.services import record_list
from config.errors import NotAllowed


@require_GET
def events(request: HttpRequest) -> HttpResponse:
    """Acts in her scope, newest first, each as a sentence. Reading the log leaves its own trace (AU-6)."""
    user: Any = request.user
    if not user.holds(VIEW_LOG):
        raise NotAllowed(right=_("查看日志"), who="")
    form = EventFilter(request.GET)
    found, after = page_of_events(user, form.cleaned_data) if form.is_valid() else ([], None)
    record_list("event", [event.pk for event in found], actor=user, route="audit:events")
    is_fragment = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    context = {
        "form": form,
        "rows": [
            {"event": event, "sentence": sentence(event), "name": act_name(event.action)} for event in found
        ],
        "after": after,
    }
    template = "audit/_rows.html" if is_fragment else "audit/events.html"
    response = render(request, template, context, status=200 if form.is_valid() else 400)
    patch_vary_headers(response, ["HX-Request"])
    return response


events.required_rights = (VIEW_LOG,)  # type: ignore[attr-defined]  # what accounts.rights.requires would set
