"""People and posts over the API: the same reach, refusals and record as the pages (R-ACC-01)."""

from typing import Any

from django.urls import reverse
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts import listing_people as reading
from accounts import who_gains
from accounts.administration import appointing, reach
from accounts.administration.appointing import Appointment
from accounts.api import Body, Id, Query, claim_key, page, read_body, read_query
from accounts.idempotency import body_digest
from accounts.models import Organization, User
from accounts.openapi import describe, in_path, page_of
from accounts.roles import ROLES, Right
from accounts.step_up import require_step_up
from config.errors import NotFound
from config.paging import after_key, count_up_to

PAGE = 50
_TAG = "人员与岗位"
_ROLES = [(code, role.name) for code, role in ROLES.items()]


class PostRow(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="岗位编号")
    office_id = serializers.IntegerField(help_text="单位编号")
    office = serializers.CharField(source="office.name", help_text="单位")
    role = serializers.CharField(help_text="岗位代码")
    role_name = serializers.CharField(help_text="岗位")
    first = serializers.DateField(source="first_day", help_text="开始日期")
    last = serializers.DateField(source="last_day", allow_null=True, help_text="结束日期；长期为 null")


class PersonRow(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="person.pk", help_text="人员编号")
    username = serializers.CharField(source="person.username", help_text="账号")
    name = serializers.CharField(source="person.name", help_text="姓名")
    is_active = serializers.BooleanField(source="person.is_active", help_text="在用；离任的为 false")
    sealed_at = serializers.DateTimeField(source="person.sealed_at", allow_null=True, help_text="封存时间")
    last_login = serializers.DateTimeField(source="person.last_login", allow_null=True, help_text="最近登录")
    trained_on = serializers.DateField(allow_null=True, help_text="最近一次培训的完成日期")
    posts = PostRow(many=True, help_text="在任的岗位，只列本级和下一级单位的")


class PeopleQuery(Query):
    office = Id(required=False, help_text="单位编号；省略为本级和下一级全部单位")
    q = serializers.CharField(required=False, max_length=50, help_text="姓名的一部分，或完整的账号")
    state = serializers.ChoiceField(
        required=False, choices=[("sealed", "已封存"), ("left", "已离任")], help_text="省略为在用的账号"
    )
    after = Id(required=False, help_text="上一页最后一人的编号，取自 next")


class PostBody(Body):
    office = Id(help_text="单位编号，本级或下一级")
    role = serializers.ChoiceField(choices=_ROLES, help_text="岗位代码")
    first = serializers.DateField(help_text="开始日期，今天或以后")
    last = serializers.DateField(required=False, help_text="结束日期；省略为长期")
    reason = serializers.CharField(max_length=200, help_text="理由，不少于 4 个字")


class GainsQuery(Query):
    office = Id(help_text="单位编号，本级或下一级")
    role = serializers.ChoiceField(choices=_ROLES, help_text="岗位代码")


class GainsDetail(serializers.Serializer[Any]):
    office = serializers.CharField(source="office.name", help_text="单位")
    sees = serializers.ListField(child=serializers.CharField(), help_text="新增的查看权限，及于下级")
    does = serializers.ListField(child=serializers.CharField(), help_text="新增的办理权限，只在本单位")
    keeps = serializers.ListField(child=serializers.CharField(), help_text="原来就有的")
    offices = serializers.IntegerField(help_text="涉及的单位数，含下级")
    pupils = serializers.IntegerField(allow_null=True, help_text="涉及的学生数；看不到学生的为 null")
    is_inert = serializers.BooleanField(help_text="没有有效培训记录，岗位尚不生效")


_POST = {
    "id": 512, "office_id": 3057, "office": "南山区第一小学", "role": "registrar", "role_name": "学籍管理员",
    "first": "2026-09-01", "last": None,
}  # fmt: skip
_PERSON = {
    "id": 2048, "username": "zhang.wei.305", "name": "张某某", "is_active": True, "sealed_at": None,
    "last_login": "2026-09-08T08:15:00+08:00", "trained_on": "2026-08-20", "posts": [_POST],
}  # fmt: skip
_GAINS = {
    "office": "南山区第一小学", "sees": ["查看学籍", "查看班级名单"], "does": ["发起业务"],
    "keeps": ["查看单位"], "offices": 1, "pupils": 1204, "is_inert": False,
}  # fmt: skip
_BY_ID = in_path("id", "人员编号", int)


class PersonViewSet(ViewSet):
    """`people/`, by name, `people/<id>/`, `people/<id>/gains/` and `people/<id>/posts/`."""

    required_rights = (Right.MANAGE_ACCOUNTS,)
    lookup_field = "id"
    lookup_value_regex = "[0-9]{1,18}"

    @describe(
        _TAG,
        "人员列表",
        "本级和下一级单位的人员，按姓名排列。看不到的单位如同不存在。",
        query=PeopleQuery,
        answer=page_of(PersonRow),
        example={"results": [_PERSON], "next": None, "total": 1, "total_is_exact": True},
    )
    def list(self, request: Request) -> Response:
        user: Any = request.user
        asked = read_query(request, PeopleQuery)
        office = _office(user, asked["office"]) if "office" in asked else None
        rows = reading.listed(user, office, asked.get("q", "").strip(), asked.get("state", ""))
        total = count_up_to(rows)
        if "after" in asked:
            last = _person(user, asked["after"])
            rows = after_key(rows, ("name", "pk"), (last.name, last.pk))
        found = list(rows[: PAGE + 1])
        after = found[PAGE - 1].pk if len(found) > PAGE else None
        shown = reading.lines(found[:PAGE], user.acting_path)
        return page(request, PersonRow(shown, many=True).data, after, total)

    @describe(_TAG, "一个人", "账号情况和在任的岗位。", path=_BY_ID, answer=PersonRow, example=_PERSON)
    def retrieve(self, request: Request, id: str) -> Response:
        read_query(request)
        return Response(self._row(request, id))

    @describe(
        _TAG,
        "任命之前：谁得到什么",
        "任命这个岗位会给此人增加哪些权限，涉及多少单位和学生。不改变任何内容。",
        query=GainsQuery,
        path=_BY_ID,
        answer=GainsDetail,
        example=_GAINS,
    )
    @action(detail=True, methods=["get"])
    def gains(self, request: Request, id: str) -> Response:
        user: Any = request.user
        asked = read_query(request, GainsQuery)
        person, office = _person(user, id), _office(user, asked["office"])
        role = ROLES[asked["role"]]
        return Response(GainsDetail(who_gains.gained(person, office, role.rights, role.code)).data)

    @describe(
        _TAG,
        "任命岗位",
        "任命此人一个岗位。须在五分钟内验证过身份；不能兼任的岗位、应由上级任命的岗位说明依据后拒绝。",
        path=_BY_ID,
        body=PostBody,
        sends={"office": 3057, "role": "registrar", "first": "2026-09-01", "reason": "学期初分工"},
        answer=PersonRow,
        example=_PERSON,
        creates=True,
    )
    @action(detail=True, methods=["post"])
    def posts(self, request: Request, id: str) -> Response:
        user: Any = request.user
        read_query(request)
        person = _person(user, id)
        location = reverse("person-detail", args=[person.pk])
        held = claim_key(request, "person-posts", body_digest([id, request.data]))
        if held.location:
            return Response(self._row(request, id), held.status, headers={"Location": held.location})
        sent = read_body(request, PostBody)
        office = _office(user, sent["office"])
        require_step_up(request._request)
        wanted = Appointment(office, sent["role"], sent["first"], sent.get("last"))
        appointing.appoint(person, wanted, actor=user, reason=sent["reason"])
        held.answer(status.HTTP_201_CREATED, location)
        return Response(self._row(request, id), status.HTTP_201_CREATED, headers={"Location": location})

    def _row(self, request: Request, pk: Any) -> Any:
        user: Any = request.user
        found = reading.with_posts(reach.people(user).filter(pk=pk), user).first()
        if found is None:
            raise NotFound()
        return PersonRow(reading.lines([found], user.acting_path)[0]).data


def _person(user: User, pk: Any) -> User:
    found = reach.people(user).filter(pk=pk).first()
    if found is None:
        raise NotFound()
    return found


def _office(user: User, pk: int) -> Organization:
    found = reach.administered(user).filter(pk=pk).first()
    if found is None:
        raise NotFound()
    return found
