"""The guardian's visit: a session that holds the code's row, and the transaction and scope of its pages."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from time import time
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from audit.services import System, record_refusal
from config.clock import today
from config.errors import NotFound, Refusal
from config.rules import rule
from config.scope import scoped_transaction
from exchange.guardians.codes import guardian, valid_code
from exchange.guardians.models import GuardianCode
from registry.models import Student
from registry.protection import in_force

_VISIT, _SEEN = "guardian_code", "guardian_seen"


@dataclass(frozen=True, slots=True)
class Visit:
    """One guardian reading one pupil's record, under the path of the code's own row."""

    code: GuardianCode
    student: Student
    actor: System


def open_visit(request: HttpRequest, code: GuardianCode) -> None:
    """Begin a visit, in a session with a new key."""
    request.session.flush()
    request.session[_VISIT], request.session[_SEEN] = code.pk, time()


def close_visit(request: HttpRequest) -> None:
    request.session.flush()


def for_guardian(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Call `view(request, visit, …)` inside one transaction under the school's path, rendered inside; a
    refusal undoes all and leaves its trace. Without a visit, or after it has idled, the entry page follows.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            code = valid_code(request.session[_VISIT])
        except (KeyError, NotFound):
            return redirect("guardian:enter")
        minutes = rule("GUARDIAN_MINUTES", at=code.org_path, on=today()).number
        if time() - request.session.get(_SEEN, 0) > 60 * minutes:
            close_visit(request)
            return redirect("guardian:enter")
        request.session[_SEEN] = time()
        actor = guardian(code)
        try:
            with scoped_transaction(code.org_path):
                return view(request, _visit(code, actor), *args, **kwargs)
        except Refusal as refusal:
            with scoped_transaction(code.org_path):
                route = getattr(request.resolver_match, "view_name", "") or ""
                record_refusal(actor=actor, route=route, code=refusal.code, status=refusal.status)
            raise

    return login_not_required(guarded)


def _visit(code: GuardianCode, actor: System) -> Visit:
    """Raises NotFound when the pupil is no longer at the school that gave the code, or protected (AZ-10)."""
    student = Student.objects.filter(pk=code.student_id, org_path=code.org_path).first()
    # Of a protected pupil the page tells nothing at all: the child may be hidden from this very guardian.
    if student is None or in_force().filter(student=student).exists():
        raise NotFound()
    return Visit(code, student, actor)
