"""Sealed accounts over the API: the list, one, and unsealing by the office above."""

from typing import Any

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts import sealing as service
from accounts.api import LARGEST_ID, Body, Id, Query, page, read_body, read_query
from accounts.models import Sealing
from accounts.openapi import describe, in_path, page_of
from accounts.roles import Right
from accounts.step_up import require_step_up
from config.errors import NotFound
from config.paging import count_up_to

_TAG = "账号封存"
PAGE = 50


class SealingRow(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="封存编号")
    username = serializers.CharField(source="user.username", help_text="账号")
    name = serializers.CharField(source="user.name", help_text="姓名")
    office = serializers.SerializerMethodField(help_text="单位名称；没有岗位的为空")
    idle_since = serializers.DateTimeField(help_text="最后使用时间")
    idle_days = serializers.IntegerField(help_text="封存时已有多少天未登录")
    sealed_at = serializers.DateTimeField(help_text="封存时间")
    unsealed_at = serializers.DateTimeField(allow_null=True, help_text="解封时间；未解封为 null")
    reason = serializers.CharField(help_text="解封理由；未解封为空")

    def get_office(self, sealing: Sealing) -> str:
        return sealing.office.name if sealing.office else ""


class SealingQuery(Query):
    after = Id(required=False, help_text="上一页最后一条的编号，取自 next")


class UnsealBody(Body):
    reason = serializers.CharField(min_length=1, max_length=200, help_text="解封理由，不少于 6 个字")


_EXAMPLE = {
    "id": 512,
    "username": "nanshan.registrar",
    "name": "张某某",
    "office": "示例小学",
    "idle_since": "2026-02-20T08:30:00+08:00",
    "idle_days": 180,
    "sealed_at": "2026-08-20T01:30:00+08:00",
    "unsealed_at": None,
    "reason": "",
}


class SealingViewSet(ViewSet):
    """`sealings/`, newest first, `sealings/<id>/` and `sealings/<id>/unseal/`."""

    required_rights = (Right.MANAGE_ACCOUNTS,)
    lookup_field = "id"
    lookup_value_regex = "[0-9]{1,18}"

    @describe(
        _TAG,
        "封存账号列表",
        "管理范围内因半年以上未使用而封存的账号，新的在前。",
        query=SealingQuery,
        answer=page_of(SealingRow),
        example={"results": [_EXAMPLE], "next": None, "total": 1, "total_is_exact": True},
    )
    def list(self, request: Request) -> Response:
        asked = read_query(request, SealingQuery)
        user: Any = request.user
        rows = service.sealed_under(user)
        total = count_up_to(rows)
        rows = rows.filter(pk__lt=asked.get("after", LARGEST_ID))
        found = list(rows.order_by("-pk")[: PAGE + 1])
        after = found[PAGE - 1].pk if len(found) > PAGE else None
        return page(request, SealingRow(found[:PAGE], many=True).data, after, total)

    @describe(
        _TAG,
        "一个封存账号",
        "封存的时间和原因。",
        path=in_path("id", "封存编号", int),
        answer=SealingRow,
        example=_EXAMPLE,
    )
    def retrieve(self, request: Request, id: str) -> Response:
        read_query(request)
        return Response(SealingRow(self._found(request, id)).data)

    @describe(
        _TAG,
        "解封账号",
        "由上一级单位的系统管理员解封，须在五分钟内验证过身份，并写明理由。",
        path=in_path("id", "封存编号", int),
        body=UnsealBody,
        sends={"reason": "产假期满返岗"},
        answer=SealingRow,
        example=_EXAMPLE | {"unsealed_at": "2026-09-01T09:00:00+08:00", "reason": "产假期满返岗"},
    )
    @action(detail=True, methods=["post"])
    def unseal(self, request: Request, id: str) -> Response:
        read_query(request)
        sent = read_body(request, UnsealBody)
        found = self._found(request, id)
        require_step_up(request._request)
        user: Any = request.user
        service.unseal(found, actor=user, reason=sent["reason"])
        found.refresh_from_db()
        return Response(SealingRow(found).data)

    def _found(self, request: Request, pk: str) -> Sealing:
        user: Any = request.user
        found = service.sealed_under(user).filter(pk=pk).first()
        if found is None:
            raise NotFound()
        return found
