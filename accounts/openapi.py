"""The API's document: how a view says what it takes and answers, and what all operations share.

Its words stand in Chinese only and are not marked for translation: they describe, they are not shown while
working. The errors of an operation follow from its kind; a view never lists them.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import force_instance
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers

from accounts.api import Query, StrictSerializer


class Fault(serializers.Serializer[Any]):
    """One thing that is wrong, as registry.findings and refusals say it."""

    code = serializers.CharField(help_text="稳定的代码，供程序判断")
    message = serializers.CharField(help_text="哪里不对")
    rule = serializers.CharField(help_text="规则编号，可能为空")
    article = serializers.CharField(help_text="依据条款，可能为空")
    remedy = serializers.CharField(help_text="怎样改正，可能为空")
    level = serializers.ChoiceField([("error", "必须改正"), ("warning", "请再核对")])


class Error(serializers.Serializer[Any]):
    """The one error form (ARCHITECTURE 9)."""

    code = serializers.CharField(help_text="稳定的代码，供程序判断")
    detail = serializers.CharField(help_text="给人看的一句话：什么没有办成，接下来怎么办")
    rule = serializers.CharField(help_text="规则编号，可能为空")
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=Fault()),
        help_text="各字段的问题；嵌套的字段用点连接，如 values.phone；不属于某个字段的列在 __all__ 下",
    )
    reference = serializers.CharField(help_text="参考号，咨询时请告知")


def _fault(code: str, message: str, **more: str) -> dict[str, str]:
    return {"code": code, "message": message, "rule": "", "article": "", "remedy": ""} | more | {
        "level": "error"
    }  # fmt: skip


# status → when, and an example: code, detail, rule, fields
_ERRORS: dict[int, tuple[str, str, str, str, dict[str, Any]]] = {
    400: (
        "提交的内容有误：不认识或重复的参数、类型不符、请求体不是 JSON、缺少幂等键",
        "invalid", "提交的内容有误，见各项说明。", "",
        {"after": [_fault("invalid", "请填写合法的整数值。")]},
    ),
    401: ("没有登录，或登录已过期", "not_signed_in", "请先登录；登录已过期的，请重新登录。", "", {}),
    403: (
        "没有该项权限，或缺少 CSRF 令牌",
        "not_allowed", "您没有“发起业务”的权限。应由示例小学办理(张某某 0755-26000000)。", "", {},
    ),
    404: (
        "不存在，或不在所选岗位的管理范围内：两者的应答完全相同",
        "not_found", "没有找到该内容，或它不在您的管理范围内。请检查地址，或从首页重新查找。", "", {},
    ),
    406: (
        "Accept 请求头不接受 JSON",
        "not_acceptable", "接口只以 JSON 应答，请把 Accept 请求头设为 application/json。", "", {},
    ),
    409: (
        "现在不能办：尚未轮到、已由他人办理、有在办业务、同一幂等键正在处理",
        "step_already_taken", "该办件已由李某某办理，当前状态为“已办结”，请刷新后再看。", "", {},
    ),
    413: (
        "请求体或文件过大",
        "file_too_large", "文件超过 2048 KB。请降低分辨率或另存为JPG后重新上传。", "EVIDENCE_MAX_KB", {},
    ),
    415: (
        "Content-Type 不是该接口所要的",
        "unsupported_media_type", "请按接口文档设置 Content-Type 请求头：一般为 application/json，上传为"
        " multipart/form-data。", "", {},
    ),
    422: (
        "内容不合规定，或同一幂等键用于不同的内容",
        "record_refused", "有 1 处需要改正，内容没有提交；您填写的内容已保留。", "",
        {"phone": [_fault("format", "联系电话格式不对。", rule="R-EST-03", remedy="请填写 11 位手机号。")]},
    ),
    429: (
        "请求过于频繁，或今日额度已用完；Retry-After 应答头给出应等待的秒数",
        "too_fast", "请求过于频繁，请在 20 秒后再试。", "AP-6", {},
    ),
    503: (
        "留痕无法写入，因此没有执行",
        "trace_unavailable", "系统暂时无法记录本次操作，因此没有执行。请稍后再试。", "", {},
    ),
}  # fmt: skip


class Page(serializers.Serializer[Any]):
    """What every list answers besides its rows."""

    next = serializers.URLField(allow_null=True, help_text="下一页的地址；最后一页为 null")
    total = serializers.IntegerField(min_value=0, help_text="总数，最多数到一万")
    total_is_exact = serializers.BooleanField(help_text="总数是否准确；否则实际超过一万")


@cache
def page_of(row: type[serializers.Serializer[Any]]) -> type[serializers.Serializer[Any]]:
    """The serializer of one page of such rows."""
    name = row.__name__.removesuffix("Row") + "Page"
    shape = type(name, (Page,), {"results": row(many=True)})
    extend_schema_serializer(many=False)(shape)  # a list view answers one page, not a list of pages
    return shape


class SessionScheme(OpenApiAuthenticationExtension):
    """The browser's session; what changes something also carries the CSRF token."""

    target_class = "accounts.api.SessionOrNothing"
    name = ["session", "csrf"]  # noqa: RUF012  (the library's own shape)

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[Any]]:
        return {"session": []} | ({} if auto_schema.method == "GET" else {"csrf": []})

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        from django.conf import settings

        cookie = {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
        header = {"type": "apiKey", "in": "header", "name": "X-CSRFToken"}
        return [
            cookie | {"description": "在登录页登录后得到的会话 Cookie"},
            header | {"description": f"等于 {settings.CSRF_COOKIE_NAME} Cookie 的值；GET 请求不需要"},
        ]


class DescribedSchema(AutoSchema):
    """One operation, with the errors that its kind can answer."""

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies = super()._get_response_bodies(direction)
        self.resolve_serializer(Error, "response")
        return bodies | {
            str(status): {"$ref": f"#/components/responses/Error{status}"} for status in self._errors()
        }

    def _errors(self) -> list[int]:
        view: Any = self.view
        found = {400, 401, 406, 503}
        if view.required_rights or self.method != "GET":
            found.add(403)
        asked = {parameter["name"] for parameter in self._get_parameters()}
        # A body may name a record as well: the view says in which of its acts.
        names_record = getattr(view, "action", "") in getattr(view, "naming_records", ())
        if "{" in self.path or asked & {"after", "office", "student"} or names_record:
            found.add(404)
        if self.method == "POST":
            found |= {409, 413, 415, 422}
        return sorted(found)

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        if isinstance(field, serializers.FileField):  # comes in, never goes out
            return {"type": "string", "format": "binary", "description": str(field.help_text or "")}
        return super()._map_serializer_field(field, direction, bypass_extensions)

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> dict[str, Any]:
        shape: dict[str, Any] = super()._map_basic_serializer(serializer, direction)
        if isinstance(force_instance(serializer), StrictSerializer):
            shape["additionalProperties"] = False
        return shape


def finish(result: dict[str, Any], **_more: Any) -> dict[str, Any]:
    """Hook of the generator: add the shared error answers, take out the generator's own marks."""
    answers = {}
    for status, (when, code, detail, rule, fields) in _ERRORS.items():
        example = {"code": code, "detail": detail, "rule": rule, "fields": fields, "reference": "3F2A9C1B"}
        content = {"schema": {"$ref": "#/components/schemas/Error"}, "example": example}
        answers[f"Error{status}"] = {"description": when, "content": {"application/json": content}}
    finished: dict[str, Any] = _unmarked(result)
    finished["components"]["responses"] = answers
    return finished


def _unmarked(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _unmarked(below) for key, below in part.items() if key != "x-spec-enum-id"}
    return [_unmarked(below) for below in part] if isinstance(part, list) else part


KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    required=True,
    pattern="^[0-9A-Za-z_-]{8,64}$",
    description="幂等键，8 至 64 个字母、数字、-、_。同键同内容得到第一次的应答；同键不同内容得到 422；"
    "前一次尚未结束得到 409。重试时请使用同一个键。",
    examples=[OpenApiExample("示例", "5f0c2b1e9a7d4c33")],
)
_LOCATION = OpenApiParameter(
    "Location", str, OpenApiParameter.HEADER, response=[201], description="所建内容的地址"
)


def in_path(name: str, description: str, kind: Any = str, **more: Any) -> OpenApiParameter:
    """One part of an address."""
    return OpenApiParameter(name, kind, OpenApiParameter.PATH, description=description, **more)


def describe(
    tag: str,
    summary: str,
    description: str,
    *,
    answer: type[serializers.Serializer[Any]],
    example: Any,
    query: type[Query] = Query,
    path: OpenApiParameter | None = None,
    body: Any = None,
    sends: Any = None,
    creates: bool = False,
) -> Callable[[Any], Any]:
    """Say what an operation is for, takes and answers, with an invented example of both directions.

    `creates`: it needs an Idempotency-Key and answers 201 with the new thing's address.
    """
    parameters: list[Any] = [query] if query().fields else []
    parameters += [path] if path else []
    parameters += [KEY, _LOCATION] if creates else []
    status = 201 if creates else 200
    examples = [OpenApiExample("应答示例", example, response_only=True, status_codes=[status])]
    if sends is not None:
        media_type = "multipart/form-data" if isinstance(body, dict) else "application/json"
        examples.append(OpenApiExample("请求示例", sends, request_only=True, media_type=media_type))
    return extend_schema(
        summary=summary,
        description=description,
        tags=[tag],
        parameters=parameters,
        request=body,
        responses={status: OpenApiResponse(answer, "已建立" if creates else "成功")},
        examples=examples,
    )
