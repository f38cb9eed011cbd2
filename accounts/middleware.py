"""The office she acts for, and the transaction everything in a request happens in (ARCHITECTURE 2)."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, cast
from urllib.parse import quote

import pghistory
import structlog
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import DatabaseError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts import sign_ins
from accounts.alarms import alarm
from accounts.models import SignIn, User
from accounts.rights import granted_offices, valid_posts
from accounts.step_up import FACTOR_AT
from audit.services import record_refusal
from config.crypto import DoesNotOpen
from config.errorpages import error_response, refusal_response, wants_json
from config.errors import Refusal, StoreUnavailable
from config.requestid import current_request_id
from config.scope import scope, scoped_transaction

log = structlog.get_logger()
GetResponse = Callable[[HttpRequest], HttpResponse]
POST_IN_SESSION, GRANT_IN_SESSION = "acting_post", "granted_office"
# Receivers outside have no session: what they ask runs in the scope of their grant, whoever is signed in.
_CLIENTS = ("/api/v1/provided/", "/exchange/token", "/exchange/keys")
# Signing in counts failures in transactions of its own; health and static files touch no walled table.
_OUTSIDE = (
    *("/accounts/sign-in", "/accounts/sign-out", "/accounts/personas", "/healthz", "/static/", *_CLIENTS),
    *("/accounts/step-up", "/accounts/password"),  # a failed proof is counted, whatever is answered
)
_WHILE_PASSWORD_IS_OVER = ("/accounts/password", "/accounts/sign-out", "/accounts/sign-in", "/healthz")


class PasswordOver(Refusal):
    """Until she has changed her password nothing else opens (AC-2)."""

    code, status, rule, article = "password_over", 403, "AC-2", "第二十四条"
    message = _("密码已到期或须由本人首次修改，请先在“修改密码”页修改后再办理。")


class LiveSignIn:
    """End a sign-in that has been idle too long, hold one whose password is over at the page that changes it,
    and tell a browser whose sign-in has ended why (AC-2, AC-6).
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/static/"):
            return self.get_response(request)
        if request.user.is_authenticated and sign_ins.is_idle(request):
            sign_ins.end_own(request, SignIn.End.IDLE)
        if (
            request.user.is_authenticated
            and sign_ins.password_is_over(request)
            and not request.path.startswith(_WHILE_PASSWORD_IS_OVER)
        ):
            return self.hold(request)
        response = self.get_response(request)
        if request.user.is_authenticated:
            return response
        return self.tell_why(request, response)

    def hold(self, request: HttpRequest) -> HttpResponse:
        if wants_json(request):
            return refusal_response(request, PasswordOver())
        return _go(request, reverse("accounts:password"))

    def tell_why(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Nobody is sent to the sign-in page; a fragment sends the whole page there."""
        location, door = response.get("Location", ""), f"{reverse('accounts:sign_in')}?next="
        if response.status_code != 302 or not location.startswith(door):
            return response
        if page := request.headers.get("HX-Current-URL"):
            location = f"{door}{quote(page, safe='')}"  # back to the page, not to its fragment
        if word := sign_ins.why_ended(request):
            location = f"{location}&ended={word}"
        return _go(request, location)


def _go(request: HttpRequest, location: str) -> HttpResponse:
    """To another page, also from a fragment, whose place it must not take."""
    if not request.headers.get("HX-Request"):
        return redirect(location)
    response = HttpResponse()
    response["HX-Redirect"] = location
    return response


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
            staff.factor_at = request.session.get(FACTOR_AT, 0.0)
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
        if isinstance(exception, DoesNotOpen):
            log.error("a sealed value does not open", place=str(exception))
            exception = alarm(exception, cast(User, request.user))
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
