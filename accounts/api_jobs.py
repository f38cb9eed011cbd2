"""Long work over the API: how far it is. Starting and cancelling belong to the resource it works on."""

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api import Id, Query, page, read_query
from accounts.models import User
from accounts.openapi import describe, in_path, page_of
from accounts.roles import Right
from config.errors import NotFound
from config.models import Job
from config.paging import count_up_to

PAGE = 50


class JobRow(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="任务编号")
    kind = serializers.CharField(help_text="种类")
    state = serializers.ChoiceField(Job.State.choices, help_text="状态")
    state_name = serializers.CharField(source="get_state_display", help_text="状态的中文名称")
    total = serializers.IntegerField(help_text="总行数；尚未数清时为 0")
    done = serializers.IntegerField(help_text="已处理行数")
    errors = serializers.IntegerField(help_text="有误行数")  # type: ignore[assignment]
    started_by = serializers.CharField(source="started_by_name", help_text="发起人")
    started_at = serializers.DateTimeField(help_text="发起时间")
    ended_at = serializers.DateTimeField(allow_null=True, help_text="结束时间")


class JobQuery(Query):
    state = serializers.ChoiceField(Job.State.choices, required=False, help_text="只看这种状态的")
    kind = serializers.RegexField("^[a-z][a-z_.]{0,39}$", required=False, help_text="只看这一种类的")
    after = Id(required=False, help_text="上一页最后一个任务的编号，取自 next")


_EXAMPLE = {
    "id": 1024,
    "kind": "issue_numbers",
    "state": "running",
    "state_name": "进行中",
    "total": 5000,
    "done": 1500,
    "errors": 0,
    "started_by": "张某某",
    "started_at": "2026-09-01T09:30:00+08:00",
    "ended_at": None,
}


def jobs_seen_by(user: User) -> "QuerySet[Job]":
    """Jobs of the office of her post, if she sees its work, and those she started; never another office's."""
    seen = Q(started_by=user.pk)
    own = user.own_office
    if own is not None and any(own.path.startswith(path) for path in user.scope_paths(Right.VIEW_CASE)):
        seen |= Q(path=own.path)
    return Job.objects.filter(seen)


class JobViewSet(ViewSet):
    """`jobs/`, newest first, and `jobs/<id>/`."""

    required_rights = (Right.VIEW_CASE,)
    lookup_field = "id"
    lookup_value_regex = "[0-9]{1,18}"

    @describe(
        "任务",
        "任务列表",
        "本单位的和自己发起的后台任务，新的在前。其他单位的任务如同不存在。",
        query=JobQuery,
        answer=page_of(JobRow),
        example={"results": [_EXAMPLE], "next": None, "total": 1, "total_is_exact": True},
    )
    def list(self, request: Request) -> Response:
        user: Any = request.user
        asked = read_query(request, JobQuery)
        seen = jobs_seen_by(user)
        rows = seen.filter(**{key: asked[key] for key in ("state", "kind") if key in asked})
        total = count_up_to(rows)
        if "after" in asked:
            if not seen.filter(pk=asked["after"]).exists():
                raise NotFound()
            rows = rows.filter(pk__lt=asked["after"])
        found = list(rows.order_by("-pk")[: PAGE + 1])
        after = found[PAGE - 1].pk if len(found) > PAGE else None
        return page(request, JobRow(found[:PAGE], many=True).data, after, total)

    @describe(
        "任务",
        "一个任务",
        "进度与结果。建议每两秒查询一次，直到 ended_at 不为 null。",
        path=in_path("id", "任务编号", int),
        answer=JobRow,
        example=_EXAMPLE,
    )
    def retrieve(self, request: Request, id: str) -> Response:
        user: Any = request.user
        read_query(request)
        job = jobs_seen_by(user).filter(pk=id).first()
        if job is None:
            raise NotFound()
        return Response(JobRow(job).data)
