"""Rules in force over the API: what holds at an office on a day, who set it, by which document."""

from datetime import date
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api import Id, Query, page, read_query
from accounts.models import Organization, User
from accounts.openapi import describe, in_path, page_of
from accounts.roles import Right
from config.clock import today
from config.errors import NotFound
from config.rules import PARAMETERS, RuleInForce, rules
from config.rules.parameter import Level


@extend_schema_field(
    {
        "oneOf": [
            {"type": "integer"},
            {"type": "boolean"},
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}},
        ]
    }
)
class RuleValue(serializers.ReadOnlyField):
    """A number, a switch, a word or a list of words, by the parameter's kind."""


class RuleRow(serializers.Serializer[Any]):
    key = serializers.CharField(source="parameter.key", help_text="参数代码")
    text = serializers.CharField(source="parameter.text", help_text="规则原意的一句话")
    source = serializers.CharField(source="parameter.citation", help_text="依据：办法条款或其他文件")  # type: ignore[assignment]
    kind = serializers.CharField(
        source="parameter.kind",
        help_text="值的种类：int、bool、choice、choices、month_day、period、moment 等",
    )
    unit = serializers.CharField(source="parameter.measure", help_text="单位，可能为空")
    value = RuleValue(help_text="在该机构、该日施行的值")
    shown = serializers.CharField(source="display", help_text="值的中文写法")
    default = RuleValue(source="parameter.value", help_text="全国默认值")
    bound = serializers.CharField(source="parameter.bound_in_words", help_text="国家规定的上下限")
    levels = serializers.SerializerMethodField(help_text="可以设定该参数的层级")
    is_default = serializers.SerializerMethodField(help_text="施行的是全国默认值，没有哪一级另行设定")
    is_clamped = serializers.BooleanField(help_text="设定的值超出国家规定，超出部分不生效")
    set_by = serializers.CharField(source="set_by_name", help_text="设定机构；全国默认值为空")
    document = serializers.CharField(help_text="依据文件；全国默认值为空")
    since = serializers.DateField(allow_null=True, help_text="自该日施行")
    until = serializers.DateField(allow_null=True, help_text="至该日之前施行")
    sentence = serializers.CharField(source="explain", help_text="给人看的一句话")

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField([str(one) for one in Level])))
    def get_levels(self, rule: RuleInForce) -> list[str]:
        return [str(level) for level in Level if level in rule.parameter.set_by]

    def get_is_default(self, rule: RuleInForce) -> bool:
        return not rule.set_at


class RuleQuery(Query):
    office = Id(required=False, help_text="所选岗位管理范围内的机构编号；缺省为所选岗位的机构")
    on = serializers.DateField(required=False, help_text="施行日；缺省为今天")


_EXAMPLE = {
    "key": "TRANSFER_STEP_DAYS",
    "text": "转学的每一方在十个工作日内核办",
    "source": "《中小学生学籍管理办法》第十五条",
    "kind": "int",
    "unit": "个工作日",
    "value": 7,
    "shown": "7个工作日",
    "default": 10,
    "bound": "应为1至10个工作日",
    "levels": ["nation", "province"],
    "is_default": False,
    "is_clamped": False,
    "set_by": "示例省教育厅",
    "document": "示教基〔2026〕3号",
    "since": "2026-09-01",
    "until": None,
    "sentence": "《中小学生学籍管理办法》第十五条：转学的每一方在十个工作日内核办。本值7个工作日，"
    "由示例省教育厅（示教基〔2026〕3号）设定。",
}


class RuleViewSet(ViewSet):
    """`rules/` and `rules/<KEY>/`: each value with its unit, bound, source, and the office that set it."""

    required_rights = (Right.VIEW_OFFICE,)
    lookup_field = "key"
    lookup_value_regex = "[A-Z][A-Z0-9_]{1,39}"

    @describe(
        "规则",
        "施行中的规则",
        "某机构某日施行的全部参数。自该机构向上，最近一级的设定生效，并受国家上下限约束。参数由本系统的目录规定，"
        "为数有限，一页给全。",
        query=RuleQuery,
        answer=page_of(RuleRow),
        example={"results": [_EXAMPLE], "next": None, "total": 1, "total_is_exact": True},
    )
    def list(self, request: Request) -> Response:
        at, on = _place_and_day(request)
        found = rules(PARAMETERS, at, on)
        return page(request, RuleRow(list(found.values()), many=True).data, None, len(found))

    @describe(
        "规则",
        "一项规则",
        "某机构某日施行的一个参数，及其由哪一级、依据哪份文件设定。",
        path=in_path("key", "参数代码，如 TRANSFER_STEP_DAYS", pattern=f"^{lookup_value_regex}$"),
        query=RuleQuery,
        answer=RuleRow,
        example=_EXAMPLE,
    )
    def retrieve(self, request: Request, key: str) -> Response:
        at, on = _place_and_day(request)
        if key not in PARAMETERS:
            raise NotFound()
        return Response(RuleRow(rules([key], at, on)[key]).data)


def _place_and_day(request: Request) -> tuple[str, date]:
    """The path of the office asked for, inside the acting office's own (AZ-1), and the day."""
    user: User = request.user  # type: ignore[assignment]
    asked = read_query(request, RuleQuery)
    path = user.acting_path
    if "office" in asked:
        offices = Organization.objects.visible_to(user, Right.VIEW_OFFICE).within(path)
        office = offices.filter(pk=asked["office"]).first()
        if office is None:
            raise NotFound()
        path = office.path
    return path, asked.get("on", today())
