"""What every API view shares: who is asking, may she enter, one error form, no unknown keys."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from config.errorpages import error_body
from config.errors import NotFound, Refusal


class SessionOrNothing(SessionAuthentication):
    """The browser's session, with CSRF; anonymous callers get 401."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"


class HoldsRight(BasePermission):
    """Entry by the view's `required_rights` (any of them); a view that declares none has no entry."""

    def has_permission(self, request: Request, view: Any) -> bool:
        rights = getattr(view, "required_rights", None)
        if rights is None or not request.user.is_authenticated:
            return False
        return any(request.user.holds(right) for right in rights)  # type: ignore[union-attr]


class StrictSerializer(serializers.Serializer[Any]):
    """Fields named one by one; unknown keys are refused (AZ-5)."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := set(data) - set(self.fields)):
            raise serializers.ValidationError({key: ["不认识的字段。"] for key in sorted(unknown)})
        return super().to_internal_value(data)


_CODES = {400: "invalid", 401: "not_signed_in", 403: "not_allowed", 404: "not_found", 405: "no_such_method"}


def refusal_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Every error as {"code", "detail", "rule", "fields"}; the request's transaction rolls back on its
    status.
    """
    request = context["request"]._request
    if isinstance(exc, Http404):
        exc = NotFound()
    if isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    if isinstance(exc, Refusal):
        request.refusal = exc
        return Response(error_body(exc.status, exc.code, exc.detail, exc.rule, exc.fields()), exc.status)
    if isinstance(exc, exceptions.APIException):
        status = exc.status_code
        if isinstance(exc, exceptions.NotAuthenticated):
            status = 401
        fields = exc.detail if isinstance(exc, exceptions.ValidationError) else {}
        detail = "提交的内容有误。" if fields else str(exc.detail)
        return Response(error_body(status, _CODES.get(status, f"http_{status}"), detail, "", fields), status)
    return None
