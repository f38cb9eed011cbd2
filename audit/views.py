"""The log for auditors: acts, reads and refusals, one entry with its proof, the signed checkpoints.

Reading the log leaves its own trace (AU-6).
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from audit.canonical import BY_NAME, Source
from audit.checkpoints import slip
from audit.forms import AccessFilter, EventFilter
from audit.models import AccessEntry
from audit.models_sealing import Checkpoint
from audit.proofs import consistency_proof, inclusion_proof
from audit.queries import (
    VIEW_LOG,
    access_of,
    entry_for,
    events_of,
    page_of,
    page_of_checkpoints,
    seal_of,
    words_of,
)
from audit.sentences import act_name, sentence
from audit.services import record_list, record_read
from config.errors import BadRequest, NotAllowed, NotFound

_View = Callable[..., HttpResponse]


def _for_readers(view: _View) -> _View:
    """What `accounts.rights.requires` is for views above: audit stands below and may not import it."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user: Any = request.user
        if not user.holds(VIEW_LOG):
            raise NotAllowed(right=_("查看日志"), who="")
        return view(request, *args, **kwargs)

    guarded.required_rights = (VIEW_LOG,)  # type: ignore[attr-defined]
    return guarded


@_for_readers
@require_GET
def events(request: HttpRequest) -> HttpResponse:
    """Acts in her scope, newest first, each as a sentence."""
    user: Any = request.user
    form = EventFilter(request.GET)
    found, after = _page(events_of, user, form)
    record_list("event", [event.pk for event in found], actor=user, route="audit:events")
    rows = [{"event": event, "sentence": sentence(event), "name": act_name(event.action)} for event in found]
    return _listed(request, form, {"rows": rows, "after": after}, "events", "_rows")


@_for_readers
@require_GET
def access(request: HttpRequest) -> HttpResponse:
    """Reads, look-ups, sign-ins and refusals in her scope, newest first."""
    user: Any = request.user
    form = AccessFilter(request.GET)
    found, after = _page(access_of, user, form)
    record_list("accessentry", [entry.pk for entry in found], actor=user, route="audit:access")
    rows = [{"entry": entry, "name": AccessEntry.Outcome(entry.outcome).label} for entry in found]
    return _listed(request, form, {"rows": rows, "after": after}, "access", "_access_rows")


def _page(
    rows_of: Callable[[Any, dict[str, Any]], Any], user: Any, form: Any
) -> tuple[list[Any], int | None]:
    if not form.is_valid():
        return [], None
    return page_of(rows_of(user, form.cleaned_data), user, form.cleaned_data.get("after"))


def _listed(
    request: HttpRequest, form: Any, context: dict[str, Any], page: str, fragment: str
) -> HttpResponse:
    is_fragment = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    template = f"audit/{fragment if is_fragment else page}.html"
    response = render(request, template, context | {"form": form}, status=200 if form.is_valid() else 400)
    patch_vary_headers(response, ["HX-Request"])
    return response


@_for_readers
@require_GET
def entry(request: HttpRequest, source: str, pk: int) -> HttpResponse:
    """One entry with all that it says, and whether it is sealed under a checkpoint."""
    user: Any = request.user
    found = entry_for(user, _source(source), pk)
    record_read(found, actor=user, route="audit:entry")
    leaf, checkpoint = seal_of(_source(source), pk)
    context = {
        "entry": found,
        "source": source,
        "sentence": words_of(found),
        "outcome": AccessEntry.Outcome(found.outcome).label if source == "access" else "",
        "detail": json.dumps(found.detail, ensure_ascii=False) if source == "event" else "",
        "leaf": leaf,
        "checkpoint": checkpoint,
    }
    return render(request, "audit/entry.html", context)


@_for_readers
@require_GET
def proof(request: HttpRequest, source: str, pk: int) -> HttpResponse:
    """The entry's inclusion proof as a file for verify_log.py."""
    user: Any = request.user
    found = entry_for(user, _source(source), pk)
    record_read(found, actor=user, route="audit:proof", purpose=_("下载日志证明"))
    return _file(json.dumps(inclusion_proof(source, pk), ensure_ascii=False), f"{source}-{pk}.json")


@_for_readers
@require_GET
def checkpoints(request: HttpRequest) -> HttpResponse:
    """The signed checkpoints, newest first."""
    before = request.GET.get("after", "")
    if before and not (before.isascii() and before.isdigit() and len(before) < 19):
        raise BadRequest(why=_("翻页位置应为检查点编号"))
    rows, after = page_of_checkpoints(int(before) if before else None)
    return render(request, "audit/checkpoints.html", {"rows": rows, "after": after})


@_for_readers
@require_GET
def checkpoint(request: HttpRequest, number: int, form: str) -> HttpResponse:
    """One checkpoint as its signed note, as a sheet to print, or as the proof that the log grew into it."""
    found = Checkpoint.objects.filter(number=number).first()
    former = Checkpoint.objects.filter(number=number - 1).first()
    if found is None or form not in ("note", "sheet", "growth") or (form == "growth" and former is None):
        raise NotFound
    if form == "growth":
        assert former is not None
        return _file(json.dumps(consistency_proof(former, found)), f"growth-{number}.json")
    text = found.note if form == "note" else slip(found)
    return _file(text, f"checkpoint-{number}{'-sheet' if form == 'sheet' else ''}.txt", "text/plain")


def _source(name: str) -> Source:
    if name not in BY_NAME:
        raise NotFound
    return BY_NAME[name]


def _file(text: str, name: str, kind: str = "application/json") -> HttpResponse:
    response = HttpResponse(text, content_type=f"{kind}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Content-Security-Policy"] = "sandbox"
    return response
