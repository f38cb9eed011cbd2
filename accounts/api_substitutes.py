"""代办 over the API: who stands in for whom at the own office, naming a colleague, and ending it."""

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts import substitutes as service
from accounts.api import Body, EmptyBody, Id, claim_key, read_body, read_query
from accounts.idempotency import body_digest
from accounts.models import Post, User
from accounts.openapi import describe, in_path
from accounts.roles import ROLES, Right
from config.errors import NotFound

_TAG = "代办"
_ROLES = [(code, role.name) for code, role in ROLES.items()]


class SubstituteRow(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk", help_text="代办编号")
    role = serializers.ChoiceField(_ROLES, help_text="代办的岗位")
    substitute = serializers.CharField(source="user.name", help_text="代办人")
    instead_of = serializers.CharField(source="stands_for.name", help_text="代谁办理")
    first = serializers.DateField(source="first_day", allow_null=True, help_text="开始日期；已结束的为 null")
    last = serializers.DateField(source="last_day", allow_null=True, help_text="结束日期；已结束的为 null")
    reason = serializers.CharField(help_text="事由")


class FillablePost(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk", help_text="岗位编号")
    role = serializers.ChoiceField(_ROLES, help_text="岗位")
    holder = serializers.CharField(source="user.name", help_text="任职人")


class Colleague(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk", help_text="人员编号")
    name = serializers.CharField(help_text="姓名")


@extend_schema_serializer(many=False)
class SubstituteList(serializers.Serializer[Any]):
    results = SubstituteRow(many=True, help_text="今天起的代办安排")
    posts = FillablePost(many=True, help_text="您可以安排代办的岗位")
    colleagues = Colleague(many=True, help_text="可以代办的同事")


class SubstituteBody(Body):
    post = Id(help_text="岗位编号，取自 posts")
    colleague = Id(help_text="人员编号，取自 colleagues")
    first = serializers.DateField(help_text="开始日期，今天或以后")
    last = serializers.DateField(help_text="结束日期，含当天")
    reason = serializers.CharField(max_length=200, help_text="事由，不少于 4 个字")


_EXAMPLE = {
    "id": 730,
    "role": "leader",
    "substitute": "周登记",
    "instead_of": "郑校长",
    "first": "2026-10-12",
    "last": "2026-10-16",
    "reason": "外出培训",
}
_BY_ID = in_path("id", "代办编号", int)


class SubstituteViewSet(ViewSet):
    """`substitutes/`, `substitutes/<id>/` and `substitutes/<id>/end/`."""

    required_rights = (Right.VIEW_OFFICE,)
    lookup_field = "id"
    lookup_value_regex = "[0-9]{1,18}"
    naming_records = ("create",)

    @describe(
        _TAG,
        "代办安排",
        "所选岗位单位的代办安排，以及您可以安排的岗位和同事。系统管理员看到全部，他人看到与本人有关的。",
        answer=SubstituteList,
        example={
            "results": [_EXAMPLE],
            "posts": [{"id": 512, "role": "leader", "holder": "郑校长"}],
            "colleagues": [{"id": 2048, "name": "周登记"}],
        },
    )
    def list(self, request: Request) -> Response:
        read_query(request)
        user = _user(request)
        able = service.colleagues(user).filter(is_active=True, sealed_at=None)
        found = {
            "results": service.arranged(user),
            "posts": service.posts_to_fill(user),
            "colleagues": able,
        }
        return Response(SubstituteList(found).data)

    @describe(_TAG, "一项代办", "今天起的一项代办安排。", path=_BY_ID, answer=SubstituteRow, example=_EXAMPLE)
    def retrieve(self, request: Request, id: str) -> Response:
        read_query(request)
        return Response(SubstituteRow(_found(request, id)).data)

    @describe(
        _TAG,
        "安排代办",
        "由单位的系统管理员，或由任职人本人，安排一位同事在一段时间内代办；日志中两人的姓名都写明。",
        body=SubstituteBody,
        sends={
            "post": 512, "colleague": 2048, "first": "2026-10-12", "last": "2026-10-16", "reason": "外出培训",
        },
        answer=SubstituteRow,
        example=_EXAMPLE,
        creates=True,
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        user = _user(request)
        read_query(request)
        held = claim_key(request, "substitute-list", body_digest(request.data))
        if held.location:
            first = _found(request, held.location.rstrip("/").rsplit("/", 1)[1])
            return Response(SubstituteRow(first).data, held.status, headers={"Location": held.location})
        given = read_body(request, SubstituteBody)
        post = service.posts_to_fill(user).filter(pk=given.pop("post")).first()
        colleague = service.colleagues(user).filter(pk=given.pop("colleague")).first()
        if post is None or colleague is None:
            raise NotFound()
        made = service.name_substitute(post, colleague, actor=user, **given)
        location = reverse("substitute-detail", args=[made.pk])
        held.answer(status.HTTP_201_CREATED, location)
        return Response(SubstituteRow(made).data, status.HTTP_201_CREATED, headers={"Location": location})

    @describe(
        _TAG,
        "结束代办",
        "由安排的人或代办的两人之一立即结束。",
        path=_BY_ID,
        body=EmptyBody,
        sends={},
        answer=SubstituteRow,
        example=_EXAMPLE | {"last": "2026-10-13"},
    )
    @action(detail=True, methods=["post"])
    def end(self, request: Request, id: str) -> Response:
        read_query(request)
        read_body(request, EmptyBody)
        found = _found(request, id)
        service.end_substitute(found, actor=_user(request))
        found.refresh_from_db(fields=["valid"])
        return Response(SubstituteRow(found).data)


def _user(request: Request) -> User:
    user: Any = request.user
    return user


def _found(request: Request, pk: str) -> Post:
    """Raises NotFound for what is not arranged, or none of her business."""
    post = service.arranged(_user(request)).filter(pk=pk).first()
    if post is None:
        raise NotFound()
    return post
