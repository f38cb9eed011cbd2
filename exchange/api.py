"""What receivers outside ask: pupils, classes, and whether somebody is one; each under its own grant."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from allauth.idp.oidc.internal.resources import is_resources_subset
from allauth.idp.oidc.models import Token
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import Body, Query, read_body, read_query
from accounts.openapi import DescribedSchema, describe
from audit.services import record_refusal
from audit.warnings import warn
from config.errorpages import refusal_response
from config.errors import Refusal, StoreUnavailable
from config.rules import rule
from config.scope import scoped_transaction
from exchange import limits, provide
from exchange.clients import address_of, client_behind
from exchange.given import GIVABLE, KEYS
from exchange.models import DataGrant, GrantClient
from exchange.oauth import AUDIENCE
from exchange.refusals import QuotaSpent, TokenUnknown
from registry.codes import choices

log = structlog.get_logger()
# Documents whose number names one person by itself.
_ASKED_TYPES = ("1", "6", "7", "8", "9", "C", "D", "E", "F", "G")


class Caller:
    """A client in the place where a view looks for a user."""

    is_authenticated = True

    def __init__(self, client: GrantClient) -> None:
        self.client = client


class BearerOfGrant(BaseAuthentication):
    """The opaque token of a client, looked up by its hash; grant, addresses and audience at every request."""

    def authenticate(self, request: Request) -> tuple[Caller, Token] | None:
        scheme, _sep, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not value:
            return None
        token = Token.objects.lookup(Token.Type.ACCESS_TOKEN, value.strip())
        if token is None or not token.get_resources():
            raise TokenUnknown()
        if not is_resources_subset([AUDIENCE], token.get_resources()):
            raise TokenUnknown()
        bare: HttpRequest = request._request
        bare.token = token  # type: ignore[attr-defined]  # a refusal's trace names its client
        return Caller(client_behind(token, address_of(bare))), token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="provided"'


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "exchange.api.BearerOfGrant"
    name = "grant"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        scopes = {code: str(label) for code, label in DataGrant.Service.choices}
        flow = {"tokenUrl": "/exchange/token", "scopes": scopes}
        return {
            "type": "oauth2",
            "flows": {"clientCredentials": flow},
            "description": "以客户端编号和密钥换取十分钟有效的访问令牌，仅支持 client_credentials。",
        }


class ProvidedSchema(DescribedSchema):
    """Besides the usual errors: a grant that gives nothing, and too many requests."""

    def _errors(self) -> list[int]:
        return sorted({*super()._errors(), 403, 429} - {409, 413})


class ProvidedView(APIView):
    """A view for clients: one transaction in the scope of the grant, one trace of every refusal."""

    authentication_classes = (BearerOfGrant,)
    permission_classes = ()
    required_rights = ()  # no person enters; the grant says what is given
    schema = ProvidedSchema()
    service = ""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not isinstance(request.user, Caller):
            self.permission_denied(request)  # 401 with the scheme to use
        client = request.user.client
        provide.refuse_unless_granted(client.grant, self.service)
        limits.spend_call(client, rule("CLIENT_CALLS_PER_MINUTE", at=client.grant.org_path).number)

    def client(self) -> GrantClient:
        """Who asks; `initial` has let in nobody else."""
        caller: Any = self.request.user
        found: GrantClient = caller.client
        return found

    @contextmanager
    def serving(self, client: GrantClient, wanted: int) -> Iterator[int]:
        """The grant's scope, and how many records may leave; what is not delivered goes back."""
        granted = limits.reserve(client, wanted)
        self.delivered = 0
        try:
            with scoped_transaction(client.grant.subtree):
                yield granted
        finally:
            limits.give_back(client, granted - self.delivered)

    def handle_exception(self, exc: Exception) -> Any:
        response = super().handle_exception(exc)
        if isinstance(exc, TokenUnknown):
            response["WWW-Authenticate"] = 'Bearer realm="provided", error="invalid_token"'
        return self._remembered(exc, response)

    def _remembered(self, exc: Exception, response: Any) -> Any:
        """The refusal in the log under the receiver's name, in a transaction of its own; else 503 (RD-3)."""
        token = getattr(self.request._request, "token", None)
        client = (
            GrantClient.objects.select_related("grant").filter(oauth_id=token.client_id).first()
            if token is not None
            else None
        )
        if client is None:
            return response
        code = exc.code if isinstance(exc, Refusal) else f"http_{response.status_code}"
        try:
            with scoped_transaction(client.grant.subtree):
                record_refusal(
                    actor=provide.receiver_of(client), route=f"provided:{self.service}", code=code,
                    status=response.status_code,
                )  # fmt: skip
                if isinstance(exc, QuotaSpent):
                    grant = client.grant
                    warn("W14", path=grant.org_path, key=f"quota {grant.pk}", quota=grant.quota)
        except DatabaseError:
            log.exception("refusal not recorded")
            return refusal_response(self.request._request, StoreUnavailable())
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"  # RD-7
        return response


def _page(request: Request, found: provide.Page) -> Response:
    following = None
    if found.after:
        query = request.query_params.copy()
        query["after"] = found.after
        following = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
    return Response({"results": found.rows, "next": following})


# ── Shapes ────────────────────────────────────────────────────────────────────────────────────────────────
class ProvidedStudent(serializers.Serializer[Any]):
    """The grant's fields and no other; which form each has depends on the grant."""

    id = serializers.CharField(help_text="去标识编号：同一授权内稳定，不同授权之间无法关联")

    def get_fields(self) -> dict[str, Any]:
        words = {
            one.key: serializers.CharField(required=False, allow_blank=True, help_text=one.label_zh)
            for one in GIVABLE
        }
        return {**super().get_fields(), **words}


class ProvidedClass(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="去标识编号")
    name = serializers.CharField(help_text="班级名称")
    number = serializers.CharField(help_text="班号")
    grade = serializers.ChoiceField(choices("grade"), help_text="年级代码")
    type = serializers.ChoiceField(choices("class_type"), help_text="班级类型代码")
    pupils = serializers.IntegerField(help_text="在校人数")
    school_name = serializers.CharField(help_text="学校名称")
    school_code = serializers.CharField(help_text="学校标识码")


class _Paged(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True, help_text="下一页的地址；最后一页为 null")


@extend_schema_serializer(many=False)
class ProvidedStudents(_Paged):
    results = ProvidedStudent(many=True)


@extend_schema_serializer(many=False)
class ProvidedClasses(_Paged):
    results = ProvidedClass(many=True)


class FieldNames(serializers.CharField):
    """Keys of the form, separated by commas; a key that the form does not have is a mistake of spelling."""

    def to_internal_value(self, data: Any) -> Any:
        keys = list(dict.fromkeys(str(super().to_internal_value(data)).split(",")))
        if set(keys) - KEYS:
            raise serializers.ValidationError(_("不认识的数据项代码，请查阅接口文档。"))
        return keys


_AFTER = serializers.RegexField(
    "^[A-Za-z0-9_-]{40,600}$", required=False, help_text="翻页位置，取自上一页的 next"
)


class ProvidedQuery(Query):
    after = _AFTER


class ProvidedStudentQuery(Query):
    fields = FieldNames(  # type: ignore[assignment]
        required=False, max_length=1500, help_text="只要这些数据项，以逗号分隔；授权之外的不会出现，并留痕"
    )
    after = _AFTER


class EnrolledBody(Body):
    name = serializers.CharField(max_length=100, help_text="姓名")
    id_type = serializers.ChoiceField(
        [pair for pair in choices("id_document_type") if pair[0] in _ASKED_TYPES], help_text="证件类型代码"
    )
    id_number = serializers.CharField(max_length=30, help_text="证件号码；只放在请求体中，不会留存")


class EnrolledAnswer(serializers.Serializer[Any]):
    answer = serializers.CharField(help_text="签名的答复（JWT，EdDSA），公钥见 /exchange/keys")
    expires_at = serializers.IntegerField(help_text="失效时刻，1970 年以来的秒数")


_STUDENT = {"id": "5d0c1f9a7be24c13a0d5f3c6b8e9a1f2", "sex": "2", "birth_on": "2016-03", "grade": "14"}
_CLASS = {
    "id": "b8e9a1f25d0c1f9a7be24c13a0d5f3c6", "name": "四(1)班", "number": "2022001", "grade": "14",
    "type": "10", "pupils": 38, "school_name": "示例市第一小学", "school_code": "2144000001",
}  # fmt: skip
_TAG = "对外提供"


# ── Views ─────────────────────────────────────────────────────────────────────────────────────────────────
class ProvidedStudentsView(ProvidedView):
    """GET provided/students/?fields=&after="""

    service = DataGrant.Service.STUDENTS

    @describe(
        _TAG,
        "学生信息",
        "授权范围内的在校学生，只含授权的数据项，默认去标识：出生日期只到年月，行政区划只到县级。每次提供留痕。",
        query=ProvidedStudentQuery,
        answer=ProvidedStudents,
        example={"results": [_STUDENT], "next": None},
    )
    def get(self, request: Request) -> Response:
        client = self.client()
        asked = read_query(request, ProvidedStudentQuery)
        with self.serving(client, provide.PAGE) as most:
            page = provide.students(client, asked.get("fields", []), asked.get("after", ""), most)
            self.delivered = len(page.rows)
        return _page(request, page)


class ProvidedClassesView(ProvidedView):
    """GET provided/classes/?after="""

    service = DataGrant.Service.CLASSES

    @describe(
        _TAG,
        "班级与人数",
        "授权范围内在用的班级及其在校人数，不含任何姓名。每次提供留痕。",
        query=ProvidedQuery,
        answer=ProvidedClasses,
        example={"results": [_CLASS], "next": None},
    )
    def get(self, request: Request) -> Response:
        client = self.client()
        asked = read_query(request, ProvidedQuery)
        with self.serving(client, provide.PAGE) as most:
            page = provide.classes(client, asked.get("after", ""), most)
            self.delivered = len(page.rows)
        return _page(request, page)


class EnrolledView(ProvidedView):
    """POST provided/enrolled/ {"name", "id_type", "id_number"}"""

    service = DataGrant.Service.ENROLLED

    @describe(
        _TAG,
        "在籍核验",
        "姓名与证件号码一致的人今天是否在授权范围内在籍，只答是否。答复经签名，二十四小时内有效，可离线验证；"
        "其中的编号因接收方而异。能用核验的，不必取得数据。",
        body=EnrolledBody,
        sends={"name": "林小鹿", "id_type": "1", "id_number": "110101201603150018"},
        answer=EnrolledAnswer,
        example={"answer": "eyJhbGciOiJFZERTQSJ9.e30.c2ln", "expires_at": 1790000000},
    )
    def post(self, request: Request) -> Response:
        client = self.client()
        read_query(request)
        asked = read_body(request, EnrolledBody)
        with self.serving(client, 1) as _one:
            answer, expires_at = provide.enrolled(client, **asked)
            self.delivered = 1
        return Response({"answer": answer, "expires_at": expires_at})
