"""Early warnings over the API: the list, one of them, and the two acts."""

from typing import Any

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api import Body, Id, Query, page, read_body, read_query
from accounts.openapi import describe, in_path, page_of
from accounts.roles import Right
from audit import warnings as service
from audit.models_warnings import EarlyWarning
from audit.services import record_list
from audit.warning_queries import STATES, page_of_warnings
from audit.warning_rules import RULES
from config.errors import NotFound
from config.paging import count_up_to

_TAG = "预警"


class WarningRow(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="预警编号")
    rule = serializers.ChoiceField(sorted(RULES), help_text="规则代码")
    title = serializers.CharField(source="about.title", help_text="规则名称")
    level = serializers.ChoiceField(
        EarlyWarning.Level.values, help_text="级别：hint 提示、warning 预警、severe 严重"
    )
    office = serializers.CharField(source="office_name", help_text="涉及的单位")
    facts = serializers.DictField(help_text="情况：次数、代码和编号，不含个人信息")
    count = serializers.IntegerField(help_text="合并的次数")
    opened_at = serializers.DateTimeField(help_text="首次发生")
    last_at = serializers.DateTimeField(help_text="最近发生")
    due_at = serializers.DateTimeField(help_text="处置期限")
    state = serializers.ChoiceField(
        EarlyWarning.State.values, help_text="状态：open 待处置、taken 处置中、closed 已办结"
    )
    taken_by = serializers.CharField(source="taken_by_name", help_text="处置人；未受理的为空")
    finding = serializers.CharField(help_text="核查结论；未办结的为空")
    closed_at = serializers.DateTimeField(allow_null=True, help_text="办结时间；未办结为 null")


class WarningQuery(Query):
    state = serializers.ChoiceField(list(STATES), required=False, help_text="状态；缺省为未办结的")
    rule = serializers.ChoiceField(sorted(RULES), required=False, help_text="规则代码")
    after = Id(required=False, help_text="上一页最后一条预警的编号，取自 next")


class TakeBody(Body):
    """Nothing is sent: taking it up says it all."""


class CloseBody(Body):
    finding = serializers.CharField(max_length=1000, help_text="核查结论，至少 6 个字")


_EXAMPLE = {
    "id": 12,
    "rule": "W3",
    "title": "频繁查看明文",
    "level": "warning",
    "office": "示例县第一小学",
    "facts": {"reveals": 11},
    "count": 1,
    "opened_at": "2026-09-08T09:12:00+08:00",
    "last_at": "2026-09-08T09:12:00+08:00",
    "due_at": "2026-09-08T13:12:00+08:00",
    "state": "open",
    "taken_by": "",
    "finding": "",
    "closed_at": None,
}
_TAKEN = _EXAMPLE | {"state": "taken", "taken_by": "周安全"}


class WarningViewSet(ViewSet):
    """`warnings/`, `warnings/<id>/`, `warnings/<id>/take/` and `warnings/<id>/close/`."""

    required_rights = (Right.HANDLE_WARNINGS,)
    lookup_field = "id"
    lookup_value_regex = "[0-9]{1,18}"

    @describe(
        _TAG,
        "预警列表",
        "本单位及下级的安全预警，新的在前。",
        query=WarningQuery,
        answer=page_of(WarningRow),
        example={"results": [_EXAMPLE], "next": None, "total": 1, "total_is_exact": True},
    )
    def list(self, request: Request) -> Response:
        user: Any = request.user
        asked = read_query(request, WarningQuery)
        rows = _visible(user)
        found, after = page_of_warnings(
            rows,
            user.acting_path,
            asked.get("state", "unclosed"),
            asked.get("rule", ""),
            str(asked.get("after", "")),
        )
        record_list("earlywarning", [row.pk for row in found], actor=user, route="api:warnings")
        return page(request, WarningRow(found, many=True).data, after, count_up_to(rows))

    @describe(_TAG, "一条预警", "一条安全预警。", path=in_path("id", "预警编号", int), answer=WarningRow,
              example=_EXAMPLE)  # fmt: skip
    def retrieve(self, request: Request, id: str) -> Response:
        read_query(request)
        row = _one(request, id)
        record_list("earlywarning", [row.pk], actor=request.user, route="api:warnings")  # type: ignore[arg-type]
        return Response(WarningRow(row).data)

    @describe(
        _TAG,
        "受理预警",
        "受理一条待处置的预警。预警涉及本人的不能受理。",
        path=in_path("id", "预警编号", int),
        body=TakeBody,
        sends={},
        answer=WarningRow,
        example=_TAKEN,
    )
    @action(detail=True, methods=["post"])
    def take(self, request: Request, id: str) -> Response:
        read_query(request)
        read_body(request, TakeBody)
        user: Any = request.user
        row = _one(request, id)
        service.take(row, actor=user)
        row.refresh_from_db()
        return Response(WarningRow(row).data)

    @describe(
        _TAG,
        "办结预警",
        "写明核查结论，办结一条处置中的预警；因该预警停止的操作随即恢复。",
        path=in_path("id", "预警编号", int),
        body=CloseBody,
        sends={"finding": "经核查为新生集中注册，属正常工作"},
        answer=WarningRow,
        example=_TAKEN
        | {
            "state": "closed",
            "finding": "经核查为新生集中注册，属正常工作",
            "closed_at": "2026-09-08T10:00:00+08:00",
        },
    )
    @action(detail=True, methods=["post"])
    def close(self, request: Request, id: str) -> Response:
        read_query(request)
        given = read_body(request, CloseBody)
        user: Any = request.user
        row = _one(request, id)
        service.close(row, actor=user, finding=given["finding"])
        row.refresh_from_db()
        return Response(WarningRow(row).data)


def _visible(user: Any) -> Any:
    return EarlyWarning.objects.visible_to(user, Right.HANDLE_WARNINGS)


def _one(request: Request, pk: str) -> EarlyWarning:
    row: EarlyWarning | None = _visible(request.user).filter(pk=int(pk)).first()
    if row is None:
        raise NotFound()
    return row
