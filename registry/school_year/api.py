"""Promotions over the API: the runs, what a rehearsal found, one person's word, and undoing one school."""

from typing import Any

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api import Body, EmptyBody, Id, Query, claim_key, page, read_body, read_query
from accounts.idempotency import body_digest
from accounts.openapi import describe, in_path, page_of
from accounts.roles import Right
from accounts.step_up import require_step_up
from registry.models import PromotionRun
from registry.school_year import queries, runs, undoing

_TAG = "统一升级"
_BY_ID = in_path("public_id", "升级编号", OpenApiTypes.UUID)
_COUNTS = (
    "人数：before 升级前，promoted 升级，repeated 留级，graduating 毕业年级，graduated 已毕业，"
    "left 已离校，newcomer 新学年新生，came 转入前已升级，beyond 年级超出学制，00/02/04/05/06 各学籍状态；"
    "early 将提前毕业，blocked 有在办业务"
)


class PromotionRow(serializers.Serializer[Any]):
    """One run of the yearly promotion."""

    id = serializers.UUIDField(source="public_id", help_text="升级编号")
    year = serializers.IntegerField(help_text="在哪一年八月")
    state = serializers.ChoiceField(PromotionRun.State.choices, help_text="状态")
    digest = serializers.CharField(help_text="演练摘要；演练完成前为空")
    counts = serializers.DictField(child=serializers.IntegerField(), help_text=_COUNTS)
    asked_at = serializers.DateTimeField(help_text="演练时间")
    first_by = serializers.CharField(source="first_name", help_text="第一确认人，可能为空")
    second_by = serializers.CharField(source="second_name", help_text="第二确认人，可能为空")
    ended_at = serializers.DateTimeField(allow_null=True, help_text="结束时间")


class PromotionSchoolRow(serializers.Serializer[Any]):
    """What a run does, or did, at one school."""

    school = serializers.IntegerField(source="school_id", help_text="学校编号")
    name = serializers.CharField(source="school.name", help_text="学校")
    counts = serializers.DictField(child=serializers.IntegerField(), help_text=_COUNTS)
    done_at = serializers.DateTimeField(allow_null=True, help_text="升级时间；未执行为 null")
    undone_at = serializers.DateTimeField(allow_null=True, help_text="撤销时间；未撤销为 null")


class SchoolQuery(Query):
    after = Id(required=False, help_text="续页标记")


class ConfirmBody(Body):
    digest = serializers.CharField(min_length=64, max_length=64, help_text="所核对的演练摘要")


class UndoBody(Body):
    school = Id(help_text="学校编号")
    reason = serializers.CharField(max_length=200, help_text="撤销理由，6 至 200 个字")


_EXAMPLE = {
    "id": "01990000-7777-7666-8777-888899990001", "year": 2027, "state": "rehearsed", "digest": "5e" * 32,
    "counts": {"before": 1200, "promoted": 980, "repeated": 2, "graduating": 210, "02": 8, "units": 12},
    "asked_at": "2027-08-10T20:00:00+08:00", "first_by": "李明", "second_by": "", "ended_at": None,
}  # fmt: skip
_SCHOOL = {
    "school": 3021, "name": "示例小学", "counts": {"before": 420, "promoted": 350, "graduating": 68, "02": 2},
    "done_at": "2027-08-11T00:00:05+08:00", "undone_at": None,
}  # fmt: skip


class PromotionViewSet(ViewSet):
    """`/api/v1/promotions/`: rehearse, look, confirm, undo."""

    lookup_field = "public_id"
    lookup_value_regex = "[0-9a-f-]{36}"

    @property
    def required_rights(self) -> tuple[Right, ...]:
        return {
            "create": (Right.PROMOTE,),
            "confirm": (Right.PROMOTE, Right.CONFIRM_RUN),
            "undo": (Right.DECIDE,),
            "results": (Right.VIEW_STUDENT,),
        }.get(getattr(self, "action", ""), (Right.VIEW_STUDENT, Right.CONFIRM_RUN))

    @describe(
        _TAG, "升级列表", "各年的统一升级和演练，新的在前。", query=Query, answer=page_of(PromotionRow),
        example={"results": [_EXAMPLE], "next": None, "total": 1, "total_is_exact": True},
    )  # fmt: skip
    def list(self, request: Request) -> Response:
        read_query(request)
        rows = queries.runs_seen()
        return page(request, PromotionRow(rows, many=True).data, None, len(rows))

    @describe(
        _TAG, "开始演练", "对尚未升级的学校演练，演练不改变任何学籍；未经两人确认的上一次演练作废。",
        body=EmptyBody, sends={}, answer=PromotionRow,
        example=_EXAMPLE | {"state": "rehearsing", "digest": "", "counts": {}}, creates=True,
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        read_query(request)
        sent = read_body(request, EmptyBody)
        held = claim_key(request, "promotion-list", body_digest(sent))
        if held.location:
            run = queries.open_run(held.location.rstrip("/").rsplit("/", 1)[1])
        else:
            require_step_up(request._request)
            run = runs.rehearse(actor=self._user(request))
            held.answer(status.HTTP_201_CREATED, reverse("promotion-detail", args=[str(run.public_id)]))
        return Response(PromotionRow(run).data, held.status, headers={"Location": held.location})

    @describe(_TAG, "一次升级", "状态、摘要和全国人数。", path=_BY_ID, answer=PromotionRow, example=_EXAMPLE)
    def retrieve(self, request: Request, public_id: str) -> Response:
        read_query(request)
        return Response(PromotionRow(queries.open_run(public_id)).data)

    @describe(
        _TAG, "各校结果", "管理范围内各校的人数。", path=_BY_ID, query=SchoolQuery,
        answer=page_of(PromotionSchoolRow),
        example={"results": [_SCHOOL], "next": None, "total": 1, "total_is_exact": True},
    )  # fmt: skip
    @action(detail=True)
    def results(self, request: Request, public_id: str) -> Response:
        user, run = self._user(request), queries.open_run(public_id)
        after = read_query(request, SchoolQuery).get("after")
        rows, following = queries.schools_of(run, user, after=str(after or ""))
        total = queries.count_schools(run, user)
        return page(request, PromotionSchoolRow(rows, many=True).data, following, total)

    @describe(
        _TAG, "确认", "确认所核对的演练摘要，须在五分钟内再次验证身份；须由两人先后确认。", path=_BY_ID,
        body=ConfirmBody, sends={"digest": "5e" * 32}, answer=PromotionRow, example=_EXAMPLE,
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, public_id: str) -> Response:
        read_query(request)
        run = queries.open_run(public_id)
        sent = read_body(request, ConfirmBody)
        require_step_up(request._request)
        done = runs.confirm(run, digest=sent["digest"], actor=self._user(request))
        return Response(PromotionRow(done).data)

    @describe(
        _TAG, "撤销一所学校的升级", "由学校的主管部门在规定天数内撤销，须在五分钟内再次验证身份。",
        path=_BY_ID, body=UndoBody, sends={"school": 3021, "reason": "学制填错，更正后重新升级"},
        answer=PromotionSchoolRow, example=_SCHOOL | {"undone_at": "2027-08-12T09:00:00+08:00"},
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, public_id: str) -> Response:
        read_query(request)
        run = queries.open_run(public_id)
        sent = read_body(request, UndoBody)
        row = queries.open_school(run, self._user(request), sent["school"])
        require_step_up(request._request)
        done = undoing.undo(row, actor=self._user(request), reason=sent["reason"])
        return Response(PromotionSchoolRow(done).data)

    def _user(self, request: Request) -> Any:
        return request.user
