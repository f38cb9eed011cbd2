"""Request id and the headers every answer carries (SECURITY WB-1, WB-3)."""

import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from config.requestid import request_id

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)
_NO_FEATURES = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
LANGUAGE_COOKIE = "language"
GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestId:
    """Give each request an id that the log, the trace and the refusal shown to a person share."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = request_id.set(uuid.uuid4())
        structlog.contextvars.bind_contextvars(request_id=str(request_id.get()))
        try:
            response = self.get_response(request)
            response["X-Request-Id"] = str(request_id.get())
            return response
        finally:
            structlog.contextvars.clear_contextvars()
            request_id.reset(token)


class ChosenLanguage:
    """Chinese unless she has chosen English: by her cookie, never by what a browser happens to announce."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(LANGUAGE_COOKIE, "")
        if chosen not in dict(settings.LANGUAGES):
            chosen = settings.LANGUAGE_CODE
        with translation.override(chosen):
            response = self.get_response(request)
            response.setdefault("Content-Language", chosen)
            return response


class SecurityHeaders:
    """Strict content policy from the first page; pages with personal data are never stored."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", _CSP)
        response.setdefault("Permissions-Policy", _NO_FEATURES)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if not request.path.startswith("/static/"):
            response.setdefault("Cache-Control", "no-store")
        return response
