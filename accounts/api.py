"""What every API view shares: who is asking, may she enter, what she sent, one page form, one error form."""

import json
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions, serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.alarms import alarm
from accounts.idempotency import Claim, claim
from accounts.rights import admit
from config.crypto import DoesNotOpen
from config.errorpages import error_response, refusal_response
from config.errors import NotFound, Refusal
from config.paging import MOST_COUNTED

LARGEST_ID = 2**63 - 1  # of the database's bigint


class CsrfFailed(Refusal):
    code, status = "csrf", 403
    message = gettext_lazy("缺少 CSRF 令牌或令牌不符：请把 csrf Cookie 的值放入 X-CSRFToken 请求头。")


class BodyUnreadable(Refusal):
    code, status = "body_unreadable", 400
    message = gettext_lazy("请求体不是合法的 JSON，或不是 UTF-8 编码。请检查后重新提交。")


class BodyTooLarge(Refusal):
    code, status = "body_too_large", 413
    message = gettext_lazy("请求体超过 {limit} MB。请减少内容，或分几次提交。")

    def __init__(self) -> None:
        super().__init__(limit=settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 2**20)


# ── Who ────────────────────────────────────────
class SessionOrNothing(SessionAuthentication):
    """The browser's session, with CSRF; anonymous callers get 401."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"

    def enforce_csrf(self, request: Request) -> None:  # type: ignore[override]
        try:
            super().enforce_csrf(request)
        except exceptions.PermissionDenied:
            raise CsrfFailed() from None


class HoldsRight(BasePermission):
    """Entry by the view's `required_rights`: any of them, or, when it says none, everybody who is signed in.
    A view that declares nothing has no entry.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        rights = getattr(view, "required_rights", None)
        if rights is None or not request.user.is_authenticated:
            return False
        admit(request.user, rights)  # type: ignore[arg-type]
        return True


# ── What she sent ────────────────────────────────────────
class JSONBody(BaseParser):
    """JSON in UTF-8, whatever charset is claimed, of bounded size and depth, without what no text column
    takes.
    """

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge()
        try:
            sent = json.loads(body.decode(), parse_constant=_no_number)
            json.dumps(sent, ensure_ascii=False).encode()  # half a surrogate pair passes until here
        except (ValueError, RecursionError):
            raise BodyUnreadable() from None
        return sent


def _no_number(text: str) -> None:
    raise ValueError(text)  # NaN and Infinity are no JSON


class StrictSerializer(serializers.Serializer[Any]):
    """Fields named one by one; unknown keys are refused (AZ-5)."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := set(data) - set(self.fields)):
            message = exceptions.ErrorDetail(_("不认识的字段。"), "unknown")
            raise serializers.ValidationError({key: [message] for key in sorted(unknown)})
        return super().to_internal_value(data)


class Body(StrictSerializer):
    """A JSON body: each value of its own type. A number is no text and "1" no number, whatever could be made
    of it.
    """

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            wrong = [name for name, field in self.fields.items() if _is_mistyped(field, data.get(name))]
            if wrong:
                message = exceptions.ErrorDetail(_("类型不符，请按接口文档填写。"), "type")
                raise serializers.ValidationError({name: [message] for name in wrong})
        return super().to_internal_value(data)


class EmptyBody(Body):
    """No fields: the act is in the address."""


_TYPES: tuple[tuple[Any, type], ...] = (
    (serializers.BooleanField, bool),
    (serializers.IntegerField, int),
    ((serializers.CharField, serializers.ChoiceField, serializers.UUIDField, serializers.DateField), str),
)


def _is_mistyped(field: Any, value: Any) -> bool:
    """Lists and objects are told by their fields themselves; what they hold is looked at here."""
    if isinstance(field, serializers.ListField):
        return isinstance(value, list) and any(_is_mistyped(field.child, one) for one in value)
    if isinstance(field, serializers.DictField):
        return isinstance(value, dict) and any(_is_mistyped(field.child, one) for one in value.values())
    wanted = next((kind for own, kind in _TYPES if isinstance(field, own)), None)
    return wanted is not None and value is not None and type(value) is not wanted


class Id(serializers.IntegerField):
    """A number from outside that the database could hold as an id."""

    def __init__(self, **more: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_ID, **more)


class Query(StrictSerializer):
    """What may stand behind the question mark; a subclass names each parameter, and each is documented."""


def read_query(request: Request, known: type[Query] = Query) -> dict[str, Any]:
    """The parameters of a request, checked. Raises ValidationError for an unknown, repeated or wrong one: a
    misspelt filter must not look like a wider answer.
    """
    given = request.query_params
    if repeated := sorted(name for name, values in given.lists() if len(values) > 1):
        raise serializers.ValidationError({name: [_("只能出现一次。")] for name in repeated})
    query = known(data=given.dict())
    query.is_valid(raise_exception=True)
    return dict(query.validated_data)


def read_body(request: Request, known: type[StrictSerializer]) -> dict[str, Any]:
    """The body of a request, checked. Raises ValidationError."""
    sent = known(data=request.data)
    sent.is_valid(raise_exception=True)
    return dict(sent.validated_data)


def claim_key(request: Request, route: str, digest: bytes) -> Claim:
    """The claim on the request's Idempotency-Key. Raises KeyMissing, StillRunning or KeyReused (AP-4)."""
    user: Any = request.user
    return claim(user, route, request.headers.get("Idempotency-Key", ""), digest)


# ── What she gets ────────────────────────────────────────
def page(request: Request, rows: Any, after: int | str | None, total: int) -> Response:
    """One page: rows, the address of the next one, and the count (exact up to ten thousand)."""
    following = None
    if after is not None:
        query = request.query_params.copy()
        query["after"] = str(after)
        following = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
    body = {
        "results": rows,
        "next": following,
        "total": min(total, MOST_COUNTED),
        "total_is_exact": total <= MOST_COUNTED,
    }
    return Response(body)


_CODES = {
    400: "invalid",
    401: "not_signed_in",
    403: "not_allowed",
    405: "no_such_method",
    406: "not_acceptable",
    415: "unsupported_media_type",
}


def refusal_handler(exc: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Every error as {"code", "detail", "rule", "fields", "reference"}, always in JSON whatever was asked
    for; the request's transaction rolls back on its status. None for a fault of ours, which becomes a 500.
    """
    request = context["request"]._request
    if isinstance(exc, Http404):
        exc = NotFound()
    if isinstance(exc, RequestDataTooBig):
        exc = BodyTooLarge()
    if isinstance(exc, DoesNotOpen):
        exc = alarm(exc, request.user)
    if isinstance(exc, Refusal):
        request.refusal = exc
        return refusal_response(request, exc)
    if isinstance(exc, serializers.ValidationError):
        fields: dict[str, list[dict[str, str]]] = {}
        for place, fault in _faults(exc.detail):
            fields.setdefault(place, []).append(fault)
        return error_response(request, 400, _CODES[400], _("提交的内容有误，见各项说明。"), fields=fields)
    if isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    if isinstance(exc, SuspiciousOperation):
        exc = exceptions.ParseError()
    if isinstance(exc, exceptions.APIException):
        return error_response(request, exc.status_code, _CODES.get(exc.status_code, ""))
    return None


def _faults(detail: Any, place: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """(place, fault) of each thing that is wrong, in the form of a refusal's findings: `values.phone`."""
    if isinstance(detail, dict):
        for key, below in detail.items():
            own = "" if key == "non_field_errors" else str(key)
            yield from _faults(below, f"{place}.{own}".strip("."))
    elif isinstance(detail, list):
        for below in detail:
            yield from _faults(below, place)
    else:
        fault = {"code": detail.code, "message": str(detail), "rule": "", "article": "", "remedy": ""}
        yield place or "__all__", fault | {"level": "error"}
