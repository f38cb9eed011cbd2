"""The office she acts for, and the transaction everything in a request happens in (ARCHITECTURE 2)."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, cast

import pghistory
import structlog
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import DatabaseError, transaction
from django.http import Http404, HttpRequest, HttpResponse

from accounts.models import User
from accounts.rights import granted_offices, valid_posts
from audit.services import record_refusal
from config.errorpages import error_response, refusal_response
from config.errors import Refusal, StoreUnavailable
from config.requestid import current_request_id
from config.scope import scope, scoped_transaction

log = structlog.get_logger()
GetResponse = Callable[[HttpRequest], HttpResponse]
POST_IN_SESSION, GRANT_IN_SESSION = "acting_post", "granted_office"
# Signing in counts failures in transactions of its own; health and static files touch no walled table.
_OUTSIDE = ("/accounts/sign-in", "/accounts/sign-out", "/accounts/personas", "/healthz", "/static/")


class ActingOffice:
    """Set the post she acts under, and the granted office she looks at, from the session: valid ones only."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if user.is_authenticated and not request.path.startswith("/static/"):
            staff = cast(User, user)
            posts = valid_posts(staff)
            wanted = request.session.get(POST_IN_SESSION)
            staff.acting_post = next((p for p in posts if p.pk == wanted), posts[0] if posts else None)
            offices = granted_offices(staff)
            looked_at = request.session.get(GRANT_IN_SESSION)
            staff.granted_office = next((office for office in offices if office.pk == looked_at), None)
            request.valid_posts = posts  # type: ignore[attr-defined]
            request.granted_offices = offices  # type: ignore[attr-defined]
        return self.get_response(request)


class RequestTransaction:
    """One transaction and one scope around the view and its rendering; a status of 400 or more undoes
    everything.

    The refusal itself is then recorded in a short transaction of its own before the answer leaves; if that
    fails, the answer is 503 (RD-3).
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(_OUTSIDE) or not request.user.is_authenticated:
            return self.get_response(request)
        user = cast(User, request.user)
        with (
            pghistory.context(request_id=str(current_request_id()), actor=user.pk),
            transaction.atomic(),
            scope(user.acting_path) if user.acting_path else nullcontext(),
        ):
            response = self.get_response(request)
            rendered: Any = response
            if hasattr(rendered, "is_rendered") and not rendered.is_rendered:
                rendered.render()
            if response.status_code >= 400:
                transaction.set_rollback(True)
        if response.status_code >= 400:
            return self.remember(request, user, response)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A refusal raised by a view becomes its page; everything else is a 500 with its trace in the log."""
        if isinstance(exception, Refusal):
            request.refusal = exception  # type: ignore[attr-defined]
            return refusal_response(request, exception)
        if isinstance(exception, DatabaseError):
            transaction.set_rollback(True)
        if isinstance(exception, Http404 | PermissionDenied | SuspiciousOperation):
            return None  # an answer with a page of its own, no fault of ours
        log.exception("unhandled", route=getattr(request.resolver_match, "view_name", ""))
        return None

    def remember(self, request: HttpRequest, user: User, response: HttpResponse) -> HttpResponse:
        refusal: Refusal | None = getattr(request, "refusal", None)
        try:
            with scoped_transaction(user.acting_path) if user.acting_path else transaction.atomic():
                if user.acting_path:
                    record_refusal(
                        actor=user,
                        route=getattr(request.resolver_match, "view_name", "") or "",
                        code=refusal.code if refusal else f"http_{response.status_code}",
                        status=response.status_code,
                        subject=getattr(request, "subject", None),
                    )
                if refusal and refusal.afterwards:
                    refusal.afterwards()
        except DatabaseError:
            log.exception("refusal not recorded")
            return error_response(request, 503, refusal=StoreUnavailable())
        return response
