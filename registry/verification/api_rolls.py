"""Rolls of classes over the API: the queries and the service of the page (R-VER-02, R-VER-04)."""

from typing import Any

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api import Body, Id, Query, page, read_body, read_query
from accounts.openapi import describe, in_path, page_of
from accounts.rights import explain
from accounts.roles import Right
from audit.services import record_list
from registry.models import RollMark, Student
from registry.queries.schools import open_class
from registry.verification import queries_rolls as queries
from registry.verification.queries_rolls import PRESENT, Roll, SheetLine
from registry.verification.rolls import LONGEST_NAME, MOST_UNLISTED, Mark, RollOutdated, confirm_roll

_TAG = "学籍核准"
_BY_ID = in_path("id", "班级编号", int)
_SAYS = [(PRESENT, "在校"), ("away", "不在校"), ("not_ours", "不是本班学生")]
_STATES = [("open", "待确认"), ("done", "已确认"), ("returned", "须再次确认")]


class RollQuery(Query):
    office = Id(required=False, help_text="学校编号；以学校岗位查询时不填")


class RollRow(serializers.Serializer[Any]):
    class_id = serializers.IntegerField(source="school_class.pk", help_text="班级编号")
    class_name = serializers.CharField(source="school_class.name", help_text="班级名称")
    state = serializers.ChoiceField(_STATES, help_text="名册核对状态")
    pupils = serializers.IntegerField(help_text="在校人数")
    away = serializers.IntegerField(
        source="roll.away", default=None, allow_null=True, help_text="不在校人数，未确认为空"
    )
    not_ours = serializers.IntegerField(
        source="roll.not_ours", default=None, allow_null=True, help_text="非本班人数"
    )
    unlisted = serializers.IntegerField(
        source="roll.unlisted", default=None, allow_null=True, help_text="名册外人数"
    )
    sheets_printed = serializers.IntegerField(source="printed", help_text="已打印确认表的人数")
    sheets_filed = serializers.IntegerField(source="filed", help_text="确认表已归档的人数")


class RollPupil(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="学生编号")
    name = serializers.CharField(help_text="姓名")
    says = serializers.ChoiceField(_SAYS, help_text="核对结果；没有标记的为在校")
    why = serializers.ChoiceField(
        RollMark.Why.choices, allow_blank=True, help_text="不在校的原因；只给可以核对的人看，可能为空"
    )
    is_new = serializers.BooleanField(help_text="确认之后编入本班")


class RollDetail(serializers.Serializer[Any]):
    class_id = serializers.IntegerField(help_text="班级编号")
    times = serializers.IntegerField(help_text="已确认几次，0 为尚未确认；确认时原样送回")
    is_confirmed = serializers.BooleanField(help_text="是否已确认且没有新编入的学生")
    may_confirm = serializers.BooleanField(help_text="您现在能否确认")
    pupils = RollPupil(many=True, help_text="本班学生")
    unlisted = serializers.ListField(child=serializers.CharField(), help_text="名册外学生的姓名")


class RollPupilBody(Body):
    id = serializers.UUIDField(help_text="学生编号")
    says = serializers.ChoiceField(_SAYS, help_text="核对结果")
    why = serializers.ChoiceField(
        RollMark.Why.choices, required=False, allow_blank=True, default="", help_text="不在校的原因"
    )


class RollBody(Body):
    times = serializers.IntegerField(min_value=0, max_value=32767, help_text="所见名册的 times")
    pupils = RollPupilBody(many=True, help_text="本班每一名学生")
    unlisted = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_NAME), max_length=MOST_UNLISTED, default=list,
        help_text="在班就读、名册上没有的学生姓名",
    )  # fmt: skip


class ConfirmationSheetRow(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="姓名")
    code = serializers.CharField(source="sheet.code", default="", help_text="确认表编码，未打印为空")
    is_filed = serializers.SerializerMethodField(help_text="签名的确认表是否已归档")
    has_corrections = serializers.BooleanField(
        source="sheet.has_corrections", default=False, help_text="家长是否有更正"
    )
    filed_at = serializers.DateTimeField(
        source="sheet.filed_at", default=None, allow_null=True, help_text="归档时间，可能为空"
    )

    def get_is_filed(self, line: SheetLine) -> bool:
        return line.state == "done"


_ROW = {
    "class_id": 8801, "class_name": "一(1)班", "state": "done", "pupils": 38, "away": 1, "not_ours": 0,
    "unlisted": 0, "sheets_printed": 38, "sheets_filed": 35,
}  # fmt: skip
_MARK = {"id": "01990000-1111-7222-8333-444455556666", "says": "away", "why": "sick"}
_DETAIL = {
    "class_id": 8801, "times": 1, "is_confirmed": True, "may_confirm": True,
    "pupils": [_MARK | {"name": "陈知夏", "is_new": False}], "unlisted": [],
}  # fmt: skip
_SHEET = {
    "name": "陈知夏", "code": "8K4M2Q7R9XTC2H6W", "is_filed": True, "has_corrections": False,
    "filed_at": "2026-11-20T10:15:00+08:00",
}  # fmt: skip


class RollViewSet(ViewSet):
    """GET rolls/?office=, rolls/<class>/, rolls/<class>/sheets/; POST rolls/<class>/confirm/."""

    required_rights = (Right.CONFIRM_ROLL, Right.VIEW_STUDENT)
    lookup_field = "id"
    lookup_value_regex = "[0-9]{1,18}"
    naming_records = ("confirm",)

    @describe(
        _TAG, "班级名册核对情况", "一所学校各班名册是否已由班主任确认，确认表交回多少。", query=RollQuery,
        answer=page_of(RollRow),
        example={"results": [_ROW], "next": None, "total": 1, "total_is_exact": True},
    )  # fmt: skip
    def list(self, request: Request) -> Response:
        user: Any = request.user
        path = queries.path_of_school(user, read_query(request, RollQuery).get("office"))
        lines = queries.read_rolls(user, path).lines
        return page(request, RollRow(lines, many=True).data, None, len(lines))

    @describe(_TAG, "一个班的名册", "本班学生与核对结果。", path=_BY_ID, answer=RollDetail, example=_DETAIL)
    def retrieve(self, request: Request, id: str) -> Response:
        user: Any = request.user
        read_query(request)
        return Response(_detail(queries.open_roll(user, int(id), "roll-detail")))

    @describe(
        _TAG, "确认名册", "由班主任或学籍管理员确认：每一名学生在校、不在校（须有原因）或不是本班学生。"
        "学校签署前可以重新确认。", path=_BY_ID, body=RollBody, answer=RollDetail, example=_DETAIL,
        sends={"times": 0, "pupils": [_MARK], "unlisted": []},
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, id: str) -> Response:
        user: Any = request.user
        read_query(request)
        found = queries.open_roll(user, int(id), "roll-confirm")
        request._request.subject = found.school_class  # type: ignore[attr-defined]
        if not found.may_confirm:
            explain(user, Right.CONFIRM_ROLL, at=found.school_class.org_path).or_raise()
        sent = read_body(request, RollBody)
        known = {public_id: pk for pk, public_id in _public_ids(found).items()}
        if any(one["id"] not in known for one in sent["pupils"]):
            raise RollOutdated()
        listed = [known[one["id"]] for one in sent["pupils"]]
        marks = [
            Mark(known[one["id"]], one["says"], one["why"] if one["says"] == RollMark.Kind.AWAY else "")
            for one in sent["pupils"]
            if one["says"] != PRESENT
        ]
        confirm_roll(found.school_class, listed, marks, sent["unlisted"], version=sent["times"], actor=user)
        return Response(_detail(queries.open_roll(user, int(id), "roll-confirm")))

    @describe(
        _TAG, "一个班的确认表", "每名学生的学籍基础信息确认表是否已打印、签名交回并归档。", path=_BY_ID,
        answer=page_of(ConfirmationSheetRow),
        example={"results": [_SHEET], "next": None, "total": 1, "total_is_exact": True},
    )  # fmt: skip
    @action(detail=True, methods=["get"])
    def sheets(self, request: Request, id: str) -> Response:
        user: Any = request.user
        read_query(request)
        lines = queries.read_sheets(open_class(user, int(id)))
        record_list("student", [line.student for line in lines], actor=user, route="roll-sheets")
        return page(request, ConfirmationSheetRow(lines, many=True).data, None, len(lines))


def _public_ids(roll: Roll) -> dict[int, Any]:
    pupils = Student.objects.filter(pk__in=[line.student for line in roll.lines])
    return dict(pupils.values_list("pk", "public_id"))


def _detail(roll: Roll) -> Any:
    ids = _public_ids(roll)
    pupils = [
        {"id": ids[line.student], "name": line.name, "says": line.says, "is_new": line.is_new,
         "why": line.why if roll.may_confirm else ""}
        for line in roll.lines
    ]  # fmt: skip
    return RollDetail(
        {
            "class_id": roll.school_class.pk, "times": roll.version, "is_confirmed": roll.is_confirmed,
            "may_confirm": roll.may_confirm and roll.is_open, "pupils": pupils, "unlisted": roll.unlisted,
        }
    ).data  # fmt: skip
