"""Pupils: the list as the page lists them, a record by section, masked; revealing is for pages only."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api import Id, Query, page, read_query
from accounts.openapi import describe, in_path, page_of
from accounts.roles import Right
from audit.budgets import spend
from audit.services import record_list, record_read
from config.errors import NotFound
from registry.codes import choices
from registry.queries import rosters
from registry.queries.dossier import Dossier, open_dossier
from registry.queries.sight import open_record
from registry.status import STATUSES

_STATUS = [(code, status.name) for code, status in STATUSES.items()]


class StudentRow(serializers.Serializer[Any]):
    """One pupil on a list: nothing that a page's list does not show."""

    id = serializers.UUIDField(source="public_id", help_text="学生编号，用于取学籍详情")
    name = serializers.CharField(help_text="姓名")
    sex = serializers.ChoiceField(choices("sex"), help_text="性别代码")
    grade = serializers.ChoiceField(choices("grade"), help_text="年级代码")
    status = serializers.ChoiceField(_STATUS, help_text="学籍状态代码")
    status_name = serializers.CharField(help_text="学籍状态")
    number = serializers.CharField(help_text="学籍号；G 号只显示末四位；未签发为空")
    document_last4 = serializers.CharField(source="document", help_text="证件号码末四位，可能为空")
    entry_month = serializers.CharField(help_text="入学年月")
    school_id = serializers.IntegerField(help_text="学校编号")
    school_name = serializers.CharField(help_text="学校名称")
    class_id = serializers.IntegerField(source="school_class_id", allow_null=True, help_text="班级编号")
    class_name = serializers.CharField(help_text="班级名称，可能为空")


class StudentQuery(Query):
    office = Id(required=False, help_text="只看该机构及其下属；须在所选岗位的管理范围内")
    grade = serializers.ChoiceField(choices("grade"), required=False, help_text="年级代码")
    sex = serializers.ChoiceField(
        [pair for pair in choices("sex") if pair[0] in ("1", "2")], required=False, help_text="性别代码"
    )
    status = serializers.ChoiceField(
        [*_STATUS, ("all", "全部")], required=False, help_text="学籍状态代码；缺省为在校"
    )
    kind = serializers.ChoiceField(list(rosters.NUMBER_KINDS.items()), required=False, help_text="学籍号种类")
    after = Id(required=False, help_text="翻页位置，取自上一页的 next")

    def get_fields(self) -> dict[str, Any]:
        # `class` is a word of Python's own.
        return {**super().get_fields(), "class": Id(required=False, help_text="班级编号")}


class Named(serializers.Serializer[Any]):
    """A thing by its number and name."""

    id = serializers.IntegerField(source="pk", help_text="编号")
    name = serializers.CharField(help_text="名称")


class RecordField(serializers.Serializer[Any]):
    key = serializers.CharField(help_text="字段代码")
    label = serializers.CharField(help_text="字段名称")  # type: ignore[assignment]
    value = serializers.CharField(source="shown", help_text="值；敏感信息已遮盖")
    masked = serializers.BooleanField(source="is_masked", help_text="是否已遮盖")
    change = serializers.ChoiceField(
        [("edit", "可直接修改"), ("case", "须提交关键数据变更"), ("system", "由系统维护")],
        help_text="怎样变更",
    )


class RecordSection(serializers.Serializer[Any]):
    key = serializers.CharField(help_text="分区代码")
    title = serializers.CharField(help_text="分区名称")
    fields = RecordField(source="lines", many=True)  # type: ignore[assignment]


class StudentRecord(serializers.Serializer[Dossier]):
    """A record by section, masked as on the page."""

    id = serializers.UUIDField(source="student.public_id", help_text="学生编号")
    version = serializers.IntegerField(source="student.version", help_text="数据版本，每次修改加一")
    name = serializers.CharField(source="student.name", help_text="姓名")
    number = serializers.CharField(source="masked_number", help_text="学籍号，已遮盖；未签发为空")
    status = serializers.ChoiceField(_STATUS, help_text="学籍状态代码")
    status_name = serializers.CharField(help_text="学籍状态")
    school = Named(source="record.enrolment.school")
    sections = serializers.SerializerMethodField(help_text="学籍信息，按表格分区；无权查看的分区与字段不出现")

    def get_fields(self) -> dict[str, Any]:
        return {
            **super().get_fields(),
            "class": Named(source="record.enrolment.school_class", allow_null=True),
        }

    @extend_schema_field(RecordSection(many=True))
    def get_sections(self, dossier: Dossier) -> Any:
        return RecordSection([*dossier.blocks(), *dossier.family_blocks()], many=True).data


_EXAMPLE_ROW = {
    "id": "01990000-1111-7222-8333-444455556666",
    "name": "林小鹿",
    "sex": "2",
    "grade": "11",
    "status": "01",
    "status_name": "正常在校",
    "number": "G…0025",
    "document_last4": "0025",
    "entry_month": "2026-09",
    "school_id": 3201,
    "school_name": "示例市第一小学",
    "class_id": 8801,
    "class_name": "一(1)班",
}
_EXAMPLE_RECORD = {
    "id": "01990000-1111-7222-8333-444455556666",
    "version": 3,
    "name": "林小鹿",
    "number": "G440305********0025",
    "status": "01",
    "status_name": "正常在校",
    "school": {"id": 3201, "name": "示例市第一小学"},
    "sections": [
        {
            "key": "contact",
            "title": "联系信息",
            "fields": [
                {
                    "key": "phone",
                    "label": "联系电话",
                    "value": "138******00",
                    "masked": True,
                    "change": "edit",
                }
            ],
        }
    ],
    "class": {"id": 8801, "name": "一(1)班"},
}


class StudentViewSet(ViewSet):
    """GET students/?office=&grade=&class=&sex=&status=&kind=&after= and students/<public_id>/."""

    required_rights = (Right.VIEW_STUDENT, Right.VIEW_OWN_CLASS)
    lookup_field = "public_id"

    @describe(
        "学生",
        "学生名单",
        "管理范围内的学生，按单位、年级、班级、姓名拼音排列，缺省只含在校学生。每次查看留痕。",
        query=StudentQuery,
        answer=page_of(StudentRow),
        example={"results": [_EXAMPLE_ROW], "next": None, "total": 1, "total_is_exact": True},
    )
    def list(self, request: Request) -> Response:
        user: Any = request.user
        read_query(request, StudentQuery)
        query = request.query_params
        found = rosters.read_page(user, rosters.read_filters(query, user), query.get("after", ""))
        record_list(
            "student", [row["student_id"] for row in found.rows], actor=user, route="api:students-list"
        )
        return page(request, StudentRow(found.rows, many=True).data, found.after, found.total)

    @describe(
        "学生",
        "学籍详情",
        "一名学生的学籍，按表格分区，敏感信息已遮盖；查看明文须在页面上说明理由。每次查看留痕。",
        path=in_path("public_id", "学生编号", OpenApiTypes.UUID),
        answer=StudentRecord,
        example=_EXAMPLE_RECORD,
    )
    def retrieve(self, request: Request, public_id: str) -> Response:
        user: Any = request.user
        read_query(request)
        try:
            wanted = UUID(public_id)
        except ValueError:
            raise NotFound() from None
        student, sight = open_record(user, wanted)
        spend(user, "records")
        dossier = open_dossier(student, sight)
        record_read(student, actor=user, route="api:students-detail", fields=["basic", "family"])
        return Response(StudentRecord(dossier).data)
