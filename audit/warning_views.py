"""Early warnings: the list, one of them, taking it up, and closing it with a finding."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from audit import warnings as service
from audit.models_warnings import EarlyWarning
from audit.services import record_list
from audit.warning_queries import PAGE_SIZE, STATES, facts_in_words, history, names_of, page_of_warnings
from audit.warning_rules import RULES
from config.errors import BadRequest, NotAllowed, NotFound, Refusal
from config.paging import count_up_to


def _for_handlers(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """What `accounts.rights.requires` is for views above: audit stands below and may not import it."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user: Any = request.user
        if not user.holds(service.HANDLE_WARNINGS):
            raise NotAllowed(right=_("处置预警"), who="")
        return view(request, *args, **kwargs)

    guarded.required_rights = (service.HANDLE_WARNINGS,)  # type: ignore[attr-defined]
    return guarded


@_for_handlers
@require_GET
def warnings(request: HttpRequest) -> HttpResponse:
    """Warnings in her scope, newest first: those not yet closed unless she asks otherwise."""
    user: Any = request.user
    state, rule = request.GET.get("state", "unclosed"), request.GET.get("rule", "")
    if state not in STATES or (rule and rule not in RULES):
        raise NotFound()
    rows = visible(user)
    found, after = page_of_warnings(rows, user.acting_path, state, rule, request.GET.get("after", ""))
    record_list("earlywarning", [row.pk for row in found], actor=user, route="audit:warnings")
    context = {
        "rows": found,
        "after": after,
        "total": count_up_to(rows.filter(state="open")),
        "states": STATES,
        "state": state,
        "rules": RULES.values(),
        "rule": rule,
        "page_size": PAGE_SIZE,
    }
    return render(request, "audit/warnings.html", context)


def visible(user: Any) -> Any:
    """The warnings she may see."""
    return EarlyWarning.objects.visible_to(user, service.HANDLE_WARNINGS)


def _open(request: HttpRequest, pk: int) -> EarlyWarning:
    user: Any = request.user
    warning: EarlyWarning | None = visible(user).filter(pk=pk).first()
    if warning is None:
        raise NotFound()
    request.subject = warning  # type: ignore[attr-defined]
    return warning


def _page(request: HttpRequest, row: EarlyWarning, refusal: Refusal | None = None) -> HttpResponse:
    user: Any = request.user
    context = {
        "warning": row,
        "facts": facts_in_words(row.facts),
        "people": names_of(row.subjects),
        "is_own": user.pk in row.subjects,
        "may_handle": service.may_handle(user, row),
        "history": history(row),
        "refusal": refusal,
        "finding": request.POST.get("finding", ""),
        "shortest": service.SHORTEST_FINDING,
    }
    return render(request, "audit/warning.html", context, status=refusal.status if refusal else 200)


@_for_handlers
@require_GET
def warning(request: HttpRequest, pk: int) -> HttpResponse:
    """One warning: what was seen, what is stopped, who handles it."""
    user: Any = request.user
    row = _open(request, pk)
    record_list("earlywarning", [row.pk], actor=user, route="audit:warning")
    return _page(request, row)


@_for_handlers
@require_POST
def take(request: HttpRequest, pk: int) -> HttpResponse:
    """She takes it up."""
    user: Any = request.user
    row = _open(request, pk)
    _expect(request)
    service.take(row, actor=user)
    messages.success(request, _("已受理，请核查后写明结论。"))
    return redirect("audit:warning", pk)


@_for_handlers
@require_POST
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """She closes it with what she found; a text that is too short comes back with the form."""
    user: Any = request.user
    row = _open(request, pk)
    _expect(request, "finding")
    try:
        service.close(row, actor=user, finding=request.POST.get("finding", ""))
    except service.FindingNeeded as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        return _page(request, row, refusal)
    messages.success(request, _("预警已办结。"))
    return redirect("audit:warning", pk)


def _expect(request: HttpRequest, *fields: str) -> None:
    if unknown := set(request.POST) - {*fields, "csrfmiddlewaretoken"}:
        raise BadRequest(why="、".join(sorted(unknown))[:60])
