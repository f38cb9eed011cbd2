"""What waits too long, over the API: late steps of the offices below with their urging, and the files that
schools pass on with their receipt.
"""

from typing import Any

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api import Body, EmptyBody, Id, Query, page, read_body, read_query
from accounts.models import User
from accounts.openapi import describe, in_path, page_of
from accounts.roles import Right
from archives.handover import receive as receive_file
from archives.models import Handover
from audit.services import record_list
from transfers import clock
from transfers.api_shapes import CASE_KINDS
from transfers.models import Step
from transfers.views.handovers import SHOWS, read_handovers, visible_handover


# ── 超期督办 ──────────────────────────────────────────────────────────────────────────────────────────────
class OverdueRow(serializers.Serializer[Any]):
    """A late step of an office below."""

    id = serializers.IntegerField(help_text="环节编号")
    number = serializers.CharField(help_text="办件号")
    kind = serializers.ChoiceField(CASE_KINDS, help_text="业务")
    step = serializers.CharField(source="label", help_text="环节")
    office = serializers.CharField(source="office_name", help_text="现在由谁办理")
    due_on = serializers.DateField(help_text="截止日")
    escalated_at = serializers.DateTimeField(allow_null=True, help_text="报上级的时间")
    urged_at = serializers.DateTimeField(allow_null=True, help_text="最近一次催办的时间")


class OverdueQuery(Query):
    after = Id(required=False, help_text="上一页最后一个环节的编号，取自 next")


_LATE = {
    "id": 90210,
    "number": "ZC260901000042",
    "kind": "registration",
    "step": "学校领导审核",
    "office": "示例市第一小学",
    "due_on": "2026-09-15",
    "escalated_at": "2026-09-16T00:15:00+08:00",
    "urged_at": None,
}


class OverdueViewSet(ViewSet):
    """`overdue/` and `overdue/<id>/urge/`."""

    lookup_field = "id"
    lookup_value_regex = "[0-9]{1,18}"

    @property
    def required_rights(self) -> tuple[str, ...]:
        return (Right.DECIDE,) if self.action == "urge" else (Right.VIEW_CASE,)

    @describe(
        "超期督办",
        "下级单位超期的环节",
        "所选岗位单位以下各单位超期未办的环节，超期最久的在前。每次查看留痕。",
        query=OverdueQuery,
        answer=page_of(OverdueRow),
        example={"results": [_LATE], "next": None, "total": 1, "total_is_exact": True},
    )
    def list(self, request: Request) -> Response:
        asked, user = read_query(request, OverdueQuery), _user(request)
        found = clock.read_overdue(user, str(asked.get("after", "")))
        record_list("case", [row["case_id"] for row in found.rows], actor=user, route="overdue-list")
        return page(request, OverdueRow(found.rows, many=True).data, found.after, found.total)

    @describe(
        "超期督办",
        "催办",
        "催办下级单位的一个超期环节，每个环节每个工作日一次；催办不代替办理。",
        path=in_path("id", "环节编号", int),
        body=EmptyBody,
        sends={},
        answer=OverdueRow,
        example=_LATE | {"urged_at": "2026-09-17T09:00:00+08:00"},
    )
    @action(detail=True, methods=["post"])
    def urge(self, request: Request, id: str) -> Response:
        read_query(request)
        read_body(request, EmptyBody)
        step = clock.visible_step(_user(request), int(id))
        request._request.subject = step.case  # type: ignore[attr-defined]
        clock.urge(step, actor=_user(request))
        urged = Step.objects.select_related("case").get(pk=step.pk)
        names = ("id", "label", "office_name", "due_on", "escalated_at", "urged_at")
        row = {name: getattr(urged, name) for name in names}
        return Response(OverdueRow(row | {"number": urged.case.number, "kind": urged.case.kind}).data)


# ── 档案移交 ──────────────────────────────────────────────────────────────────────────────────────────────
class HandoverRow(serializers.Serializer[Any]):
    """A pupil's file on its way to her new school."""

    id = serializers.IntegerField(source="pk", help_text="移交编号")
    number = serializers.CharField(source="case_no", help_text="办件号")
    pupil = serializers.CharField(source="name", help_text="姓名")
    sender = serializers.CharField(source="from_name", help_text="移交单位")
    receiver = serializers.CharField(source="to_name", help_text="接收单位")
    materials = serializers.IntegerField(help_text="材料份数")
    digest = serializers.CharField(help_text="清单摘要")
    handed_on = serializers.DateField(help_text="移交日期")
    due_on = serializers.DateField(help_text="接收期限")
    received_at = serializers.DateTimeField(allow_null=True, help_text="接收时间；未接收为 null")
    received_by = serializers.CharField(source="received_by_name", help_text="接收人")
    remark = serializers.CharField(help_text="接收说明")


class HandoverQuery(Query):
    show = serializers.ChoiceField(list(SHOWS.items()), required=False, help_text="缺省为待接收")
    after = Id(required=False, help_text="上一页最后一条的编号，取自 next")


class ReceiptBody(Body):
    remark = serializers.CharField(
        default="", allow_blank=True, max_length=200, help_text="接收说明；缺少的材料写在这里"
    )


_FILE = {
    "id": 4410,
    "number": "ZX260915000007",
    "pupil": "林小鹿",
    "sender": "示例市第二小学",
    "receiver": "示例市第一小学",
    "materials": 6,
    "digest": "5b1f0c6f1e0f4a3f9d7c2b8a6e5d4c3b2a1908f7e6d5c4b3a29180706f5e4d3c",
    "handed_on": "2026-09-20",
    "due_on": "2026-10-20",
    "received_at": None,
    "received_by": "",
    "remark": "",
}


class HandoverViewSet(ViewSet):
    """`handovers/` and `handovers/<id>/receive/`."""

    lookup_field = "id"
    lookup_value_regex = "[0-9]{1,18}"

    @property
    def required_rights(self) -> tuple[str, ...]:
        return (Right.FILE,) if self.action == "receive" else (Right.VIEW_CASE,)

    @describe(
        "档案移交",
        "移交的档案",
        "移交给本单位各校或由其移交的学籍档案，新的在前。每次查看留痕。",
        query=HandoverQuery,
        answer=page_of(HandoverRow),
        example={"results": [_FILE], "next": None, "total": 1, "total_is_exact": True},
    )
    def list(self, request: Request) -> Response:
        asked, user = read_query(request, HandoverQuery), _user(request)
        found, after, total = read_handovers(user, asked.get("show", "open"), str(asked.get("after", "")))
        record_list("student", [one.student_id for one in found], actor=user, route="handover-list")
        return page(request, HandoverRow(found, many=True).data, after, total)

    @describe(
        "档案移交",
        "确认接收",
        "由接收学校确认收到；缺少的材料写在说明里。",
        path=in_path("id", "移交编号", int),
        body=ReceiptBody,
        sends={"remark": "材料齐全"},
        answer=HandoverRow,
        example=_FILE
        | {"received_at": "2026-09-22T09:00:00+08:00", "received_by": "周登记", "remark": "材料齐全"},
    )
    @action(detail=True, methods=["post"])
    def receive(self, request: Request, id: str) -> Response:
        read_query(request)
        found = visible_handover(_user(request), int(id))
        request._request.subject = found  # type: ignore[attr-defined]
        receive_file(found, actor=_user(request), **read_body(request, ReceiptBody))
        return Response(HandoverRow(Handover.objects.get(pk=found.pk)).data)


def _user(request: Request) -> User:
    user: Any = request.user
    return user
