"""The log over the API: acts, and reads with refusals; asking for it leaves its own trace (AU-6)."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api import Id, Query, page, read_query
from accounts.openapi import describe, page_of
from accounts.roles import Right
from audit import queries
from audit.forms import AccessFilter, EventFilter
from audit.models import AccessEntry
from audit.sentences import sentence
from audit.services import record_list
from config.paging import count_up_to

_TAG = "日志"


class _Row(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk", help_text="日志编号")
    at = serializers.DateTimeField(help_text="时间")
    actor = serializers.CharField(source="actor_name", help_text="操作人")
    office = serializers.CharField(source="office_name", help_text="操作单位")
    subject_type = serializers.CharField(help_text="对象类型")
    subject_id = serializers.IntegerField(allow_null=True, help_text="对象编号；列表为 null")
    request_id = serializers.UUIDField(help_text="请求号")


class ActRow(_Row):
    action = serializers.CharField(help_text="行为代码")
    sentence = serializers.SerializerMethodField(help_text="经过")
    reason = serializers.CharField(help_text="理由，可能为空")
    basis = serializers.CharField(help_text="依据，可能为空")

    def get_sentence(self, event: Any) -> str:
        return sentence(event)


class AccessRow(_Row):
    outcome = serializers.ChoiceField(AccessEntry.Outcome.choices, help_text="方式")
    route = serializers.CharField(help_text="入口")
    purpose = serializers.CharField(help_text="用途，可能为空")
    code = serializers.CharField(help_text="代码，可能为空")


class _LogQuery(Query):
    actor = serializers.CharField(required=False, max_length=50, help_text="操作人姓名")
    office = serializers.CharField(required=False, max_length=100, help_text="操作单位全称")
    subject = serializers.RegexField(
        r"^[a-z]{1,30}:[0-9]{1,18}$", required=False, help_text="对象，如 student:42"
    )
    first = serializers.DateField(required=False, help_text="自此日起")
    last = serializers.DateField(required=False, help_text="至此日止")
    after = Id(required=False, help_text="翻页位置，取自上一页的 next")


class ActQuery(_LogQuery):
    action = serializers.CharField(required=False, max_length=50, help_text="行为代码或其前两段")


class AccessQuery(_LogQuery):
    outcome = serializers.ChoiceField(AccessEntry.Outcome.choices, required=False, help_text="方式")


_EXAMPLE = {
    "id": 7001,
    "at": "2026-09-08T09:12:00+08:00",
    "actor": "王登记",
    "office": "示例县第一小学",
    "subject_type": "student",
    "subject_id": 42,
    "request_id": "0b0f3a3e-6f7a-4f7e-9c0a-6a1c2e5d7f10",
}
_ACT = _EXAMPLE | {
    "action": "registry.student.update",
    "sentence": "示例县第一小学的王登记修改了学生信息",
    "reason": "",
    "basis": "",
}
_ACCESS = _EXAMPLE | {"outcome": "read", "route": "registry:student", "purpose": "", "code": ""}


def _answer(request: Request, form: Any, rows_of: Any, row: Any, kind: str) -> Response:
    """One page; the filter is the pages' own. Raises ValidationError."""
    user: Any = request.user
    if not form.is_valid():
        raise serializers.ValidationError(form.errors)
    rows = rows_of(user, form.cleaned_data)
    found, after = queries.page_of(rows, user, form.cleaned_data.get("after"))
    record_list(kind, [one.pk for one in found], actor=user, route=f"api:{kind}")
    return page(request, row(found, many=True).data, after, count_up_to(rows))


class ActViewSet(ViewSet):
    """`log/acts/`."""

    required_rights = (Right.VIEW_LOG,)

    @describe(_TAG, "行为日志", "本单位及下级的行为日志，新的在前；查阅本身留痕。", query=ActQuery,
              answer=page_of(ActRow),
              example={"results": [_ACT], "next": None, "total": 1, "total_is_exact": True})  # fmt: skip
    def list(self, request: Request) -> Response:
        return _answer(
            request, EventFilter(read_query(request, ActQuery)), queries.events_of, ActRow, "event"
        )


class AccessViewSet(ViewSet):
    """`log/access/`."""

    required_rights = (Right.VIEW_LOG,)

    @describe(_TAG, "访问日志", "本单位及下级的查看、查重、登录与拒绝，新的在前；查阅本身留痕。",
              query=AccessQuery, answer=page_of(AccessRow),
              example={"results": [_ACCESS], "next": None, "total": 1, "total_is_exact": True})  # fmt: skip
    def list(self, request: Request) -> Response:
        form = AccessFilter(read_query(request, AccessQuery))
        return _answer(request, form, queries.access_of, AccessRow, "accessentry")
