"""Her own notices over the API: the list, and marking one as read."""

from typing import Any

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api import Body, Id, Query, page, read_body, read_query
from accounts.models import Notice
from accounts.notices import KINDS, PAGE, mark_read, own_notices
from accounts.openapi import describe, in_path, page_of
from config.errors import NotFound
from config.paging import count_up_to

_TAG = "通知"


class NoticeRow(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="通知编号")
    kind = serializers.ChoiceField([(kind.code, kind.code) for kind in KINDS.values()], help_text="种类")
    kind_name = serializers.SerializerMethodField(help_text="种类的中文名称")
    text = serializers.CharField(help_text="内容，不含学生姓名")
    number = serializers.CharField(source="about", help_text="办件号；与办件无关的为空")
    target = serializers.CharField(help_text="相关页面在本站的路径")
    created_at = serializers.DateTimeField(help_text="时间")
    read_at = serializers.DateTimeField(allow_null=True, help_text="已读时间；未读为 null")

    def get_kind_name(self, notice: Notice) -> str:
        return str(KINDS[notice.kind].label)


class NoticeQuery(Query):
    unread = serializers.BooleanField(required=False, help_text="为 true 时只看未读的")
    after = Id(required=False, help_text="上一页最后一条通知的编号，取自 next")


class ReadBody(Body):
    """Nothing is sent: marking as read says it all."""


_EXAMPLE = {
    "id": 2048,
    "kind": "step_due",
    "kind_name": "时限提醒",
    "text": "学籍注册（ZC260901000042）“主管部门核准”环节期限过半，请于 2026-09-15 前办结",
    "number": "ZC260901000042",
    "target": "/transfers/cases/ZC260901000042",
    "created_at": "2026-09-08T00:15:00+08:00",
    "read_at": None,
}


class NoticeViewSet(ViewSet):
    """`notices/`, newest first, and `notices/<id>/read/`."""

    required_rights = ()
    lookup_field = "id"
    lookup_value_regex = "[0-9]{1,18}"

    @describe(
        _TAG,
        "通知列表",
        "本人的页面通知，新的在前。他人的通知如同不存在。",
        query=NoticeQuery,
        answer=page_of(NoticeRow),
        example={"results": [_EXAMPLE], "next": None, "total": 1, "total_is_exact": True},
    )
    def list(self, request: Request) -> Response:
        asked = read_query(request, NoticeQuery)
        rows = own_notices(request.user)  # type: ignore[arg-type]
        if asked.get("unread"):
            rows = rows.filter(read_at=None)
        total = count_up_to(rows)
        if "after" in asked:
            rows = rows.filter(pk__lt=self._own(request, asked["after"]).pk)
        found = list(rows.order_by("-pk")[: PAGE + 1])
        after = found[PAGE - 1].pk if len(found) > PAGE else None
        return page(request, NoticeRow(found[:PAGE], many=True).data, after, total)

    @describe(
        _TAG,
        "标为已读",
        "把本人的一条通知标为已读；已读的保持原来的时间。",
        path=in_path("id", "通知编号", int),
        body=ReadBody,
        sends={},
        answer=NoticeRow,
        example=_EXAMPLE | {"read_at": "2026-09-08T09:00:00+08:00"},
    )
    @action(detail=True, methods=["post"])
    def read(self, request: Request, id: str) -> Response:
        read_query(request)
        read_body(request, ReadBody)
        found = self._own(request, id)
        mark_read(Notice.objects.filter(pk=found.pk))
        found.refresh_from_db()
        return Response(NoticeRow(found).data)

    def _own(self, request: Request, pk: Any) -> Notice:
        found = own_notices(request.user).filter(pk=pk).first()  # type: ignore[arg-type]
        if found is None:
            raise NotFound()
        return found
