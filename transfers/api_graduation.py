"""毕业 over the API: lists from making to confirmation, and graduates; the services of the pages."""

from typing import Any
from uuid import UUID

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api import Body, EmptyBody, Id, Query, claim_key, page, read_body, read_query
from accounts.idempotency import body_digest
from accounts.openapi import describe, in_path, page_of
from accounts.roles import Right
from audit.services import record_list, record_read
from registry.codes import choices
from registry.graduation import preparing, queries
from registry.graduation.checking import examine
from registry.graduation.refusals import RowsUnclear
from registry.models import GraduationList, GraduationRecord, Student
from registry.queries.rosters import Page
from transfers.graduation import submit_list
from transfers.views.registration import own_school

_TAG = "毕业"
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_BY_ID = in_path("public_id", "名单编号", OpenApiTypes.UUID)
_GRADUATE = in_path("public_id", "毕业记录编号", OpenApiTypes.UUID)
_MOST = 3000
_OUTCOMES, _DESTINATIONS = choices("completion_type"), choices("graduation_destination")


class GraduationQuery(Query):
    after = Id(required=False, help_text="翻页位置，取自上一页的 next")


class GraduateQuery(GraduationQuery):
    year = serializers.IntegerField(required=False, min_value=2000, max_value=2200, help_text="学年")


class GradeBody(Body):
    grade = serializers.ChoiceField(choices("grade"), help_text="毕业年级代码")


class DigestBody(Body):
    digest = serializers.RegexField("^[0-9a-f]{16}$", help_text="名单摘要；写明核对过的是哪一份")


class GiveBackBody(Body):
    reason = serializers.CharField(min_length=2, max_length=200, help_text="退回原因")


class RowsBody(Body):
    students = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=_MOST, help_text="学生编号"
    )
    outcome = serializers.ChoiceField(
        _OUTCOMES, required=False, help_text="毕业类型；结业、肄业只用于普通高中"
    )
    destination = serializers.ChoiceField(
        [*_DESTINATIONS, (preparing.UNKNOWN, "未知")], required=False, help_text="毕业去向；- 表示未知"
    )
    held = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="暂不毕业的原因；空文本表示取消"
    )


class GraduationRow(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="public_id", help_text="名单编号")
    school_year = serializers.IntegerField(help_text="学年，取起始年份")
    grade = serializers.ChoiceField(choices("grade"), help_text="毕业年级代码")
    state = serializers.ChoiceField(GraduationList.State.choices, help_text="状态")
    total = serializers.IntegerField(help_text="毕业人数")
    graduated_on = serializers.DateField(allow_null=True, help_text="毕业日期；未办理为空")
    case = serializers.CharField(source="case_no", help_text="毕业申请的办件号；义务教育阶段为空")


class Obstacle(serializers.Serializer[Any]):
    """One pupil who is skipped, or whose business or problem stands in the way."""

    name = serializers.CharField(help_text="姓名")
    why = serializers.CharField(help_text="原因")


class GraduationDetail(GraduationRow):
    """A list with what would happen; `examined` comes by the context, none once it is done."""

    digest = serializers.SerializerMethodField(help_text="名单摘要，提交和确认时带上；已毕业为空")
    is_ready = serializers.SerializerMethodField(help_text="是否可以提交")
    skipped = serializers.SerializerMethodField(help_text="跳过的学生")
    business = serializers.SerializerMethodField(help_text="在办业务，不能毕业")
    problems = serializers.SerializerMethodField(help_text="问题学籍，不能毕业")

    def _examined(self, held: GraduationList) -> Any:
        return self.context["examined"]

    def get_digest(self, held: GraduationList) -> str:
        found = self._examined(held)
        return found.digest if found else ""

    def get_is_ready(self, held: GraduationList) -> bool:
        found = self._examined(held)
        return bool(found and found.is_ready)

    @extend_schema_field(Obstacle(many=True))
    def get_skipped(self, held: GraduationList) -> Any:
        found = self._examined(held)
        rows = [{"name": row["name"], "why": row["why"]} for row in found.skipped] if found else []
        return Obstacle(rows, many=True).data

    @extend_schema_field(Obstacle(many=True))
    def get_business(self, held: GraduationList) -> Any:
        found = self._examined(held)
        rows = [
            {"name": row["student__name"], "why": f"{row['kind_name']} {row['case_no']}"}
            for row in (found.business if found else [])
        ]
        return Obstacle(rows, many=True).data

    @extend_schema_field(Obstacle(many=True))
    def get_problems(self, held: GraduationList) -> Any:
        found = self._examined(held)
        rows = [{"name": row["name"], "why": row["type_name"]} for row in found.problems] if found else []
        return Obstacle(rows, many=True).data


def _detail(held: GraduationList, user: Any) -> Any:
    is_done = held.state == GraduationList.State.DONE
    return GraduationDetail(held, context={"examined": None if is_done else examine(held, user)}).data


class GraduateRow(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="public_id", help_text="毕业记录编号")
    name = serializers.CharField(help_text="姓名")
    sex = serializers.ChoiceField(choices("sex"), help_text="性别代码")
    school = serializers.CharField(source="school_name", help_text="毕业学校")
    school_year = serializers.IntegerField(help_text="学年")
    grade = serializers.ChoiceField(choices("grade"), help_text="毕业年级代码")
    class_name = serializers.CharField(help_text="班级")
    outcome = serializers.ChoiceField(_OUTCOMES, help_text="毕业类型代码")
    number = serializers.CharField(help_text="证书编号")
    graduated_on = serializers.DateField(help_text="毕业日期")
    destination = serializers.CharField(help_text="毕业去向代码，未知为空")
    next_school = serializers.CharField(help_text="升入学校，未知为空")
    voided_on = serializers.DateField(allow_null=True, help_text="回退日期；有效的为空")


_EXAMPLE_ROW = {
    "id": "01990000-7777-7111-8222-333344445555", "school_year": 2026, "grade": "16", "state": "draft",
    "total": 212, "graduated_on": None, "case": "",
}  # fmt: skip
_EXAMPLE = _EXAMPLE_ROW | {
    "digest": "5b1f0c6f1e0f4a3f", "is_ready": False,
    "skipped": [{"name": "林小鹿", "why": "状态为“休学”，只有正常在校的学生可以毕业"}],
    "business": [{"name": "林小河", "why": "转学 ZX270701000042"}], "problems": [],
}  # fmt: skip
_EXAMPLE_GRADUATE = {
    "id": "01990000-8888-7111-8222-333344445555", "name": "林小鹿", "sex": "2", "school": "示例市第一小学",
    "school_year": 2026, "grade": "16", "class_name": "六(1)班", "outcome": "1",
    "number": "21440000012027000016", "graduated_on": "2027-07-20", "destination": "16", "next_school": "",
    "voided_on": None,
}  # fmt: skip


def _asked(request: Request, known: type[Query]) -> dict[str, str]:
    return {key: str(value) for key, value in read_query(request, known).items()}


def _page(request: Request, found: Page, shape: type[serializers.Serializer[Any]]) -> Response:
    return page(request, shape(found.rows, many=True).data, found.after, found.total)


class GraduationViewSet(ViewSet):
    """`/api/v1/graduations/`: make a list, set its rows, submit, confirm, return."""

    required_rights = (Right.VIEW_STUDENT,)
    lookup_field = "public_id"
    lookup_value_regex = _UUID

    @describe(
        _TAG, "毕业名单列表", "管理范围内的毕业名单，新的在前。", query=GraduationQuery,
        answer=page_of(GraduationRow),
        example={"results": [_EXAMPLE_ROW], "next": None, "total": 1, "total_is_exact": True},
    )  # fmt: skip
    def list(self, request: Request) -> Response:
        asked = _asked(request, GraduationQuery)
        return _page(request, queries.read_lists(self._user(request), **asked), GraduationRow)

    @describe(
        _TAG, "编制毕业名单", "列入本校一个毕业年级全部正常在校的学生。", body=GradeBody,
        sends={"grade": "16"}, answer=GraduationDetail, example=_EXAMPLE, creates=True,
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        user = self._user(request)
        read_query(request)
        grade = read_body(request, GradeBody)["grade"]
        held = claim_key(request, "graduation-list", body_digest(request.data))
        if held.location:
            made = queries.open_list(user, UUID(held.location.rstrip("/").rsplit("/", 1)[1]))
        else:
            made = preparing.open_list(own_school(user), grade, actor=user)
            held.answer(status.HTTP_201_CREATED, reverse("graduation-detail", args=[made.public_id]))
        return Response(_detail(made, user), held.status, headers={"Location": held.location})

    @describe(
        _TAG, "毕业名单", "人数、摘要、跳过的学生，以及不能毕业的原因。", path=_BY_ID,
        answer=GraduationDetail, example=_EXAMPLE,
    )  # fmt: skip
    def retrieve(self, request: Request, public_id: str) -> Response:
        read_query(request)
        return self._answer(self._subject(request, public_id))

    @describe(
        _TAG, "修改名单", "为若干学生设定毕业类型、去向或暂不毕业的原因。", path=_BY_ID, body=RowsBody,
        sends={"students": ["01990000-1111-7222-8333-444455556666"], "destination": "16"},
        answer=GraduationDetail, example=_EXAMPLE,
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def rows(self, request: Request, public_id: str) -> Response:
        held, given = self._subject(request, public_id), read_body(request, RowsBody)
        wanted = set(given.pop("students"))
        students = list(held.rows.filter(student__public_id__in=wanted).values_list("student_id", flat=True))
        if len(students) != len(wanted):
            raise RowsUnclear()
        preparing.set_rows(held, students, given, actor=self._user(request))
        return self._answer(held)

    @describe(
        _TAG, "刷新名单", "按现有正常在校的学生增减名单，已设定的内容保留。", path=_BY_ID, body=EmptyBody,
        sends={}, answer=GraduationDetail, example=_EXAMPLE,
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def refresh(self, request: Request, public_id: str) -> Response:
        held = self._subject(request, public_id)
        read_body(request, EmptyBody)
        preparing.refresh(held, actor=self._user(request))
        return self._answer(held)

    @describe(
        _TAG, "提交名单", "义务教育阶段交学校领导确认；普通高中作为毕业申请送主管部门核准。", path=_BY_ID,
        body=DigestBody, sends={"digest": "5b1f0c6f1e0f4a3f"}, answer=GraduationDetail,
        example=_EXAMPLE | {"state": "handed_in"},
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, public_id: str) -> Response:
        held = self._subject(request, public_id)
        submit_list(held, read_body(request, DigestBody)["digest"], actor=self._user(request))
        return self._answer(held)

    @describe(
        _TAG, "确认毕业", "学校领导确认义务教育阶段的名单，即时生效；不能确认自己编制或提交的名单。",
        path=_BY_ID, body=DigestBody, sends={"digest": "5b1f0c6f1e0f4a3f"}, answer=GraduationDetail,
        example=_EXAMPLE | {"state": "done", "graduated_on": "2027-07-20"},
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, public_id: str) -> Response:
        held = self._subject(request, public_id)
        preparing.confirm(held, read_body(request, DigestBody)["digest"], actor=self._user(request))
        return self._answer(held)

    @describe(
        _TAG, "退回名单", "学校领导退回名单，由学籍管理员修改后再提交。", path=_BY_ID, body=GiveBackBody,
        sends={"reason": "请核对毕业去向"}, answer=GraduationDetail, example=_EXAMPLE,
    )  # fmt: skip
    @action(detail=True, methods=["post"], url_path="return", url_name="return")
    def give_back(self, request: Request, public_id: str) -> Response:
        held = self._subject(request, public_id)
        preparing.give_back(held, read_body(request, GiveBackBody)["reason"], actor=self._user(request))
        return self._answer(held)

    def _user(self, request: Request) -> Any:
        return request.user

    def _subject(self, request: Request, public_id: str) -> GraduationList:
        read_query(request)
        held = queries.open_list(self._user(request), UUID(public_id))
        request._request.subject = held  # type: ignore[attr-defined]
        return held

    def _answer(self, held: GraduationList) -> Response:
        held.refresh_from_db()
        return Response(_detail(held, self.request.user))


class GraduateViewSet(ViewSet):
    """`/api/v1/graduates/`: who graduated, and whether a certificate still holds."""

    required_rights = (Right.VIEW_STUDENT,)
    lookup_field = "public_id"
    lookup_value_regex = _UUID

    @describe(
        _TAG, "毕业生", "管理范围内的毕业生，新的在前；每次查看留痕。", query=GraduateQuery,
        answer=page_of(GraduateRow),
        example={"results": [_EXAMPLE_GRADUATE], "next": None, "total": 1, "total_is_exact": True},
    )  # fmt: skip
    def list(self, request: Request) -> Response:
        user: Any = request.user
        found = queries.read_graduates(user, **_asked(request, GraduateQuery))
        students = [row["student_id"] for row in found.rows]
        record_list("student", students, actor=user, route="api:graduates-list")
        return _page(request, found, GraduateRow)

    @describe(
        _TAG, "毕业记录", "一条毕业记录：证书编号、是否有效、毕业去向。每次查看留痕。", path=_GRADUATE,
        answer=GraduateRow, example=_EXAMPLE_GRADUATE,
    )  # fmt: skip
    def retrieve(self, request: Request, public_id: str) -> Response:
        user: Any = request.user
        read_query(request)
        found: GraduationRecord = queries.open_graduate(user, UUID(public_id))
        pupil = Student(pk=found.student_id, org_path=found.org_path)
        record_read(pupil, actor=user, route="api:graduates-detail")
        return Response(GraduateRow(found).data)
