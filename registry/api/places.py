"""Schools and classes, with how many pupils they have; no pupil's name."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api import Id, Query, page, read_query
from accounts.openapi import describe, in_path, page_of
from accounts.roles import Right
from config.clock import today
from registry.codes import choices, division_full_name, label
from registry.models import School, SchoolClass
from registry.queries import schools as places
from registry.queries.sight import pupils_of


class ClassRow(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="班级编号")
    name = serializers.CharField(help_text="班级名称")
    number = serializers.CharField(help_text="班号：入学年份加序号")
    grade = serializers.ChoiceField(choices("grade"), help_text="年级代码")
    type = serializers.ChoiceField(choices("class_type"), help_text="班级类型代码")
    head_teacher = serializers.CharField(help_text="班主任，可能为空")
    pupils = serializers.IntegerField(source="count", help_text="在校人数，含待核准")
    school_id = serializers.IntegerField(help_text="学校编号")
    school_name = serializers.CharField(help_text="学校名称")


class ClassQuery(Query):
    office = Id(required=False, help_text="只看该机构及其下属；须在所选岗位的管理范围内")
    grade = serializers.ChoiceField(choices("grade"), required=False, help_text="年级代码")
    after = Id(required=False, help_text="翻页位置，取自上一页的 next")


class ClassDetail(serializers.Serializer[SchoolClass]):
    """A class and how full it is; `room` comes by the context."""

    id = serializers.IntegerField(help_text="班级编号")
    name = serializers.CharField(help_text="班级名称")
    number = serializers.CharField(help_text="班号：入学年份加序号")
    grade = serializers.ChoiceField(choices("grade"), help_text="年级代码")
    grade_name = serializers.SerializerMethodField(help_text="年级")
    type = serializers.ChoiceField(choices("class_type"), help_text="班级类型代码")
    type_name = serializers.SerializerMethodField(help_text="班级类型")
    head_teacher = serializers.CharField(source="head_teacher.name", default="", help_text="班主任，可能为空")
    campus = serializers.CharField(source="campus.name", default="", help_text="校区，可能为空")
    is_open = serializers.BooleanField(help_text="是否在用")
    school_id = serializers.IntegerField(help_text="学校编号")
    school_name = serializers.CharField(source="school.organization.name", help_text="学校名称")
    pupils = serializers.SerializerMethodField(help_text="在校人数，含待核准")
    pending = serializers.SerializerMethodField(help_text="其中待核准人数")
    cap = serializers.SerializerMethodField(help_text="施行的班额上限")
    cap_sentence = serializers.SerializerMethodField(help_text="班额上限由谁、依据什么设定")

    def get_grade_name(self, school_class: SchoolClass) -> str:
        return label("grade", school_class.grade)

    def get_type_name(self, school_class: SchoolClass) -> str:
        return label("class_type", school_class.type)

    def get_pupils(self, _class: SchoolClass) -> int:
        return int(self.context["room"].count)

    def get_pending(self, _class: SchoolClass) -> int:
        return int(self.context["room"].pending)

    def get_cap(self, _class: SchoolClass) -> int:
        return int(self.context["room"].cap)

    def get_cap_sentence(self, _class: SchoolClass) -> str:
        return str(self.context["room"].why)


class SchoolRow(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="organization_id", help_text="学校编号")
    code = serializers.CharField(help_text="学校标识码")
    name = serializers.CharField(source="organization__name", help_text="学校名称")
    division = serializers.CharField(source="organization__division", help_text="所在行政区划代码")
    running_type = serializers.ChoiceField(choices("school_running_type"), help_text="办学类型代码")
    stages = serializers.ListField(
        child=serializers.ChoiceField(choices("school_stage")), help_text="学段代码"
    )
    schooling = serializers.ChoiceField([("6-3", "六三制"), ("5-4", "五四制")], help_text="学制")


class SchoolQuery(Query):
    after = Id(required=False, help_text="翻页位置，取自上一页的 next")


class GradeCount(serializers.Serializer[Any]):
    grade = serializers.ChoiceField(choices("grade"), help_text="年级代码")
    grade_name = serializers.CharField(help_text="年级")
    pupils = serializers.IntegerField(source="total", help_text="在校人数，含待核准")
    girls = serializers.IntegerField(help_text="其中女生")
    boys = serializers.IntegerField(help_text="其中男生")
    pending = serializers.IntegerField(help_text="其中待核准")


class SchoolDetail(serializers.Serializer[School]):
    """A school; authority and counts come by the context."""

    id = serializers.IntegerField(source="pk", help_text="学校编号")
    code = serializers.CharField(help_text="学校标识码")
    name = serializers.CharField(source="organization.name", help_text="学校名称")
    division = serializers.CharField(source="organization.division", help_text="所在行政区划代码")
    division_name = serializers.SerializerMethodField(help_text="所在行政区划")
    running_type = serializers.ChoiceField(choices("school_running_type"), help_text="办学类型代码")
    running_type_name = serializers.SerializerMethodField(help_text="办学类型")
    ownership = serializers.ChoiceField(choices("school_ownership"), help_text="办别代码")
    stages = serializers.ListField(
        child=serializers.ChoiceField(choices("school_stage")), help_text="学段代码"
    )
    schooling = serializers.ChoiceField([("6-3", "六三制"), ("5-4", "五四制")], help_text="学制")
    authority = serializers.SerializerMethodField(help_text="学籍主管部门，可能为空")
    grades = serializers.SerializerMethodField(help_text="各年级人数；无权查看班级名单的为空")

    def get_division_name(self, school: School) -> str:
        return division_full_name(school.organization.division)

    def get_running_type_name(self, school: School) -> str:
        return label("school_running_type", school.running_type)

    def get_authority(self, _school: School) -> str:
        office = self.context["authority"]
        return office.name if office else ""

    @extend_schema_field(GradeCount(many=True))
    def get_grades(self, _school: School) -> Any:
        return GradeCount(self.context["grades"], many=True).data


_EXAMPLE_CLASS = {
    "id": 8801,
    "name": "一(1)班",
    "number": "2026001",
    "grade": "11",
    "type": "10",
    "head_teacher": "周老师",
    "pupils": 38,
    "school_id": 3201,
    "school_name": "示例市第一小学",
}
_EXAMPLE_SCHOOL = {
    "id": 3201,
    "code": "2144000001",
    "name": "示例市第一小学",
    "division": "440305",
    "running_type": "211",
    "stages": ["2"],
    "schooling": "6-3",
}
_ID = "[0-9]{1,18}"


class ClassViewSet(ViewSet):
    """GET classes/?office=&grade=&after= and classes/<id>/."""

    required_rights = (Right.VIEW_CLASS, Right.VIEW_OWN_CLASS)
    lookup_field = "id"
    lookup_value_regex = _ID

    @describe(
        "班级",
        "班级列表",
        "管理范围内在用的班级及其人数，按单位、年级、班号排列。",
        query=ClassQuery,
        answer=page_of(ClassRow),
        example={"results": [_EXAMPLE_CLASS], "next": None, "total": 1, "total_is_exact": True},
    )
    def list(self, request: Request) -> Response:
        user: Any = request.user
        read_query(request, ClassQuery)
        found = places.read_classes(user, request.query_params)
        return page(request, ClassRow(found.rows, many=True).data, found.after, found.total)

    @describe(
        "班级",
        "一个班级",
        "班级的基本信息、在校人数与班额上限。名单请用学生名单的 class 参数。",
        path=in_path("id", "班级编号", int),
        answer=ClassDetail,
        example=_EXAMPLE_CLASS
        | {
            "grade_name": "小学一年级",
            "type_name": "普通小学班",
            "campus": "",
            "is_open": True,
            "pending": 2,
            "cap": 45,
            "cap_sentence": "国家班额标准：小学起始年级编班时的班额。本值45人，为全国默认值。",
        },
    )
    def retrieve(self, request: Request, id: str) -> Response:
        user: Any = request.user
        read_query(request)
        found = places.open_class(user, int(id))
        room = places.room_in(found, list(pupils_of(found, user).values("status")), today())
        return Response(ClassDetail(found, context={"room": room}).data)


class SchoolViewSet(ViewSet):
    """GET schools/?after= and schools/<id>/."""

    required_rights = (Right.VIEW_OFFICE,)
    lookup_field = "id"
    lookup_value_regex = _ID

    @describe(
        "学校",
        "学校列表",
        "管理范围内的学校，按机构路径排列。",
        query=SchoolQuery,
        answer=page_of(SchoolRow),
        example={"results": [_EXAMPLE_SCHOOL], "next": None, "total": 1, "total_is_exact": True},
    )
    def list(self, request: Request) -> Response:
        user: Any = request.user
        read_query(request, SchoolQuery)
        rows, after, total = places.read_schools(user, request.query_params.get("after", ""))
        return page(request, SchoolRow(rows, many=True).data, after, total)

    @describe(
        "学校",
        "一所学校",
        "学校的基本信息、学籍主管部门与各年级人数。",
        path=in_path("id", "学校编号", int),
        answer=SchoolDetail,
        example=_EXAMPLE_SCHOOL
        | {
            "division_name": "示例省示例市示例区",
            "running_type_name": "小学",
            "ownership": "21",
            "authority": "示例区教育局",
            "grades": [
                {
                    "grade": "11",
                    "grade_name": "小学一年级",
                    "pupils": 152,
                    "girls": 74,
                    "boys": 78,
                    "pending": 3,
                }
            ],
        },
    )
    def retrieve(self, request: Request, id: str) -> Response:
        user: Any = request.user
        read_query(request)
        found = places.open_school(user, int(id))
        about = {
            "authority": places.authority_above(found.organization.path),
            "grades": places.grade_counts(user, found),
        }
        return Response(SchoolDetail(found, context=about).data)
