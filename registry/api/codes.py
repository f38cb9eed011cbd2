"""Code lists: which there are, and the values of one on a day. Public standards, open to everybody inside."""

from typing import Any

from django.db.models import Count
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api import Query, page, read_query
from accounts.openapi import describe, in_path, page_of
from config.clock import today
from config.errors import NotFound
from config.paging import count_up_to
from registry.fields import FIELDS
from registry.models import CodeValue

PAGE = 100
_USED_BY: dict[str, list[str]] = {}
for _field in FIELDS:
    if _field.code_list:
        _USED_BY.setdefault(_field.code_list, []).append(_field.label_zh)


class CodeListRow(serializers.Serializer[Any]):
    list = serializers.CharField(help_text="代码表")
    values = serializers.IntegerField(source="count", help_text="该日有效的代码数")
    used_by = serializers.SerializerMethodField(help_text="使用该代码表的学籍字段")

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_used_by(self, row: dict[str, Any]) -> Any:
        return _USED_BY.get(row["list"], [])


class CodeRow(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="代码")
    name = serializers.CharField(source="name_zh", help_text="名称")
    name_en = serializers.CharField(help_text="英文名称，可能为空")
    source = serializers.CharField(help_text="来源：标准号或本系统")  # type: ignore[assignment]
    since = serializers.DateField(source="valid.lower", allow_null=True, help_text="自该日有效")
    until = serializers.DateField(source="valid.upper", allow_null=True, help_text="至该日之前有效")


class DayQuery(Query):
    on = serializers.DateField(required=False, help_text="有效日；缺省为今天")


class CodeQuery(DayQuery):
    after = serializers.RegexField(
        "^[0-9A-Za-z]{1,12}$", required=False, help_text="翻页位置，取自上一页的 next"
    )


class CodeListViewSet(ViewSet):
    """GET codes/?on= and codes/<list>/?on=&after=."""

    required_rights = ()
    lookup_field = "name"
    lookup_value_regex = "[a-z][a-z0-9_]{1,39}"

    @describe(
        "代码表",
        "全部代码表",
        "有哪些代码表，每张有多少个有效代码。代码表由国家标准规定，为数有限，一页给全。",
        query=DayQuery,
        answer=page_of(CodeListRow),
        example={
            "results": [{"list": "ethnic_group", "values": 59, "used_by": ["民族"]}],
            "next": None,
            "total": 1,
            "total_is_exact": True,
        },
    )
    def list(self, request: Request) -> Response:
        on = read_query(request, DayQuery).get("on", today())
        found = CodeValue.objects.filter(valid__contains=on).values("list").annotate(count=Count("pk"))
        rows = list(found.order_by("list"))
        return page(request, CodeListRow(rows, many=True).data, None, len(rows))

    @describe(
        "代码表",
        "一张代码表",
        "某日有效的代码，按代码排列。学籍保存代码，代码表换版后旧代码仍按旧名称显示。",
        path=in_path("name", "代码表，如 ethnic_group", pattern=f"^{lookup_value_regex}$"),
        query=CodeQuery,
        answer=page_of(CodeRow),
        example={
            "results": [
                {
                    "code": "01",
                    "name": "汉族",
                    "name_en": "Han [HA]",
                    "source": "GB/T 3304-1991",
                    "since": "2012-03-15",
                    "until": None,
                }
            ],
            "next": "https://xueji.example/api/v1/codes/ethnic_group/?after=01",
            "total": 59,
            "total_is_exact": True,
        },
    )
    def retrieve(self, request: Request, name: str) -> Response:
        asked = read_query(request, CodeQuery)
        values = CodeValue.objects.filter(list=name)
        if not values.exists():
            raise NotFound()
        values = values.filter(valid__contains=asked.get("on", today()))
        total = count_up_to(values)
        found = list(values.filter(code__gt=asked.get("after", "")).order_by("code")[: PAGE + 1])
        after = found[PAGE - 1].code if len(found) > PAGE else None
        return page(request, CodeRow(found[:PAGE], many=True).data, after, total)
