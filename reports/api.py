"""Statistics over the API: the tables of the pages, and their files."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api import Body, EmptyBody, Id, Query, claim_key, read_body, read_query
from accounts.idempotency import body_digest
from accounts.openapi import describe, in_path
from accounts.roles import Right
from registry.codes import choices
from registry.views.exports import file_answer
from reports import files
from reports.definitions import REPORTS, SPLITS, Report
from reports.models import ReportFile
from reports.tables import VALUES, Choice, Row, Table, read_choice, read_table

_TAG = "统计报表"
_BY_CODE = in_path("code", "报表代码", enum=list(REPORTS))
_BY_ID = in_path("public_id", "报表文件编号", OpenApiTypes.UUID)
_SPLITS = [*((code, str(name)) for code, name in SPLITS.items()), ("code", "类别")]


class _Choices(serializers.Serializer[Any]):
    office = Id(required=False, help_text="统计范围：所选岗位的机构或其下属的编号；缺省为前者")
    split = serializers.ChoiceField(_SPLITS, required=False, help_text="按什么分行；各报表可用的见报表列表")
    year = serializers.RegexField("^20[0-9]{2}$", required=False, help_text="学年，限本学年和前两个学年")
    grade = serializers.ChoiceField(choices("grade"), required=False, help_text="只计这个年级")
    sex = serializers.ChoiceField([("1", "男"), ("2", "女")], required=False, help_text="只计这个性别")
    ethnic = serializers.ChoiceField(
        VALUES["ethnic"], required=False, help_text="han 汉族，minority 少数民族，none 未填"
    )
    hukou = serializers.ChoiceField(
        VALUES["hukou"], required=False, help_text="inside 本县户籍，outside 县外户籍，none 无户籍信息"
    )


class ReportQuery(_Choices, Query):
    """What a table is of."""


class ReportBody(_Choices, Body):
    """What a file is of."""


class ReportColumn(serializers.Serializer[Any]):
    key = serializers.CharField(help_text="列的键")
    label = serializers.CharField(help_text="列名")  # type: ignore[assignment]
    counts = serializers.CharField(help_text="统计什么")
    source = serializers.CharField(help_text="来源表")  # type: ignore[assignment]
    sensitive = serializers.BooleanField(help_text="学校以上少于规定人数的不公布")


class ReportDefinition(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="报表代码")
    title = serializers.CharField(help_text="名称")
    about = serializers.CharField(help_text="内容")
    day = serializers.CharField(help_text="统计时点")
    article = serializers.CharField(help_text="依据")
    splits = serializers.ListField(child=serializers.CharField(), help_text="可以按什么分行")
    has_years = serializers.BooleanField(help_text="是否按学年")
    columns = ReportColumn(many=True, help_text="各列的定义")


@extend_schema_serializer(many=False)
class ReportList(serializers.Serializer[Any]):
    results = ReportDefinition(many=True)


class ReportRow(serializers.Serializer[Any]):
    key = serializers.CharField(help_text="分行的代码，下级单位为其路径", allow_blank=True)
    label = serializers.CharField(help_text="名称")  # type: ignore[assignment]
    office = serializers.IntegerField(allow_null=True, help_text="下级单位的编号，可继续展开")
    values = serializers.DictField(
        child=serializers.IntegerField(allow_null=True),
        help_text="各列的数；不公布的、不能这样分行的为 null",
    )  # type: ignore[assignment]


class ReportTable(serializers.Serializer[Any]):
    report = ReportDefinition()
    office = serializers.IntegerField(help_text="统计范围的机构编号")
    place = serializers.CharField(help_text="统计范围")
    split = serializers.CharField(help_text="按什么分行")
    year = serializers.CharField(help_text="学年，可能为空", allow_blank=True)
    is_live = serializers.BooleanField(help_text="是否实时；否则为定时汇总")
    as_of = serializers.DateTimeField(allow_null=True, help_text="汇总的数据截至；实时的为 null")
    total = ReportRow(help_text="合计")
    rows = ReportRow(many=True)


class ReportFileRow(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="public_id", help_text="文件编号")
    report = serializers.CharField(help_text="报表代码")
    place = serializers.CharField(source="place_name", help_text="统计范围")
    state = serializers.ChoiceField(ReportFile.State.choices, help_text="状态")
    requested_by = serializers.CharField(source="requested_by_name", help_text="申请人")
    requested_at = serializers.DateTimeField(help_text="申请时间")
    expires_at = serializers.DateTimeField(allow_null=True, help_text="保留至")
    downloads = serializers.IntegerField(help_text="已下载次数")


_COLUMN = {
    "key": "pupils", "label": "在校学生", "counts": "状态为正常在校的学籍", "source": "registry_enrolment",
    "sensitive": False,
}  # fmt: skip
_DEFINITION = {
    "code": "overview", "title": "学校概况", "about": "年级、班级与在校学生的构成", "day": "查询当时",
    "article": "第五条", "splits": ["below", "grade"], "has_years": False, "columns": [_COLUMN],
}  # fmt: skip
_TABLE = {
    "report": _DEFINITION, "office": 3301, "place": "示例市教育局", "split": "below", "year": "",
    "is_live": False, "as_of": "2026-11-22T09:30:00+08:00",
    "total": {"key": "", "label": "示例市教育局", "office": 3301, "values": {"pupils": 41200}},
    "rows": [{"key": "CN.44.03.05.", "label": "示例区教育局", "office": 3302, "values": {"pupils": 41200}}],
}  # fmt: skip
_FILE = {
    "id": "01990000-7777-7666-8777-888899990000", "report": "overview", "place": "示例市教育局",
    "state": "ready", "requested_by": "周督查", "requested_at": "2026-11-22T09:30:00+08:00",
    "expires_at": "2026-11-25T09:30:00+08:00", "downloads": 0,
}  # fmt: skip


class ReportViewSet(ViewSet):
    """`/api/v1/reports/`: the definitions, and one report's table."""

    lookup_field = "code"
    lookup_value_regex = "[a-z]+"
    required_rights = (Right.VIEW_REPORT,)

    @describe(
        _TAG, "报表列表", "各报表的定义：统计什么、按什么分行、来源和依据。", answer=ReportList,
        example={"results": [_DEFINITION]},
    )  # fmt: skip
    @extend_schema(operation_id="reports_definitions")
    def list(self, request: Request) -> Response:
        read_query(request)
        return Response({"results": [_defined(one) for one in REPORTS.values()]})

    @describe(
        _TAG, "报表数据", "一个统计范围的数字，与页面相同。县级及以下实时，以上为定时汇总。", path=_BY_CODE,
        query=ReportQuery, answer=ReportTable, example=_TABLE,
    )  # fmt: skip
    def retrieve(self, request: Request, code: str) -> Response:
        choice = _choice(request, code, read_query(request, ReportQuery))
        return Response(_table(read_table(_user(request), choice)))

    @describe(
        _TAG, "申请报表文件", "由后台生成 Excel 工作簿，含指标说明。", path=_BY_CODE, body=ReportBody,
        sends={"split": "grade"}, answer=ReportFileRow, example=_FILE | {"state": "waiting"}, creates=True,
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def files(self, request: Request, code: str) -> Response:
        read_query(request)
        sent = read_body(request, ReportBody)
        choice = _choice(request, code, sent)
        held = claim_key(request, "report-files", body_digest([code, sent]))
        if held.location:
            made = files.open_file(_user(request), held.location.rstrip("/").rsplit("/", 1)[1])
        else:
            made = files.ask(choice, actor=_user(request))
            address = reverse("report-file-detail", args=[str(made.public_id)])
            held.answer(status.HTTP_201_CREATED, address)
        return Response(ReportFileRow(made).data, held.status, headers={"Location": held.location})


class ReportFileViewSet(ViewSet):
    """`/api/v1/report-files/`: how far a file is, and the file."""

    lookup_field = "public_id"
    lookup_value_regex = "[0-9a-f-]{36}"
    required_rights = (Right.VIEW_REPORT,)

    @describe(
        _TAG, "报表文件的状态", "生成中的请稍后再查。", path=_BY_ID, answer=ReportFileRow, example=_FILE
    )
    def retrieve(self, request: Request, public_id: str) -> Response:
        read_query(request)
        return Response(ReportFileRow(files.open_file(_user(request), public_id)).data)

    @extend_schema(
        summary="下载报表文件", tags=[_TAG], parameters=[_BY_ID], request=EmptyBody,
        description="只能由申请人下载。应答为文件本身。",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def content(self, request: Request, public_id: str) -> HttpResponse:
        read_query(request)
        made = files.open_file(_user(request), public_id)
        request._request.subject = made  # type: ignore[attr-defined]
        read_body(request, EmptyBody)
        return file_answer(files.collect(made, actor=_user(request)))


def _user(request: Request) -> Any:
    return request.user


def _choice(request: Request, code: str, given: dict[str, Any]) -> Choice:
    return read_choice(_user(request), code, {key: str(value) for key, value in given.items()})


def _defined(report: Report) -> dict[str, Any]:
    names = ("key", "label", "counts", "source", "sensitive")
    columns = [{name: _plain(getattr(one, name)) for name in names} for one in report.columns]
    own = {
        name: _plain(getattr(report, name))
        for name in ("code", "title", "about", "day", "article", "has_years")
    }
    return own | {"splits": list(report.splits), "columns": columns}


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool) else str(value)


def _table(table: Table) -> dict[str, Any]:
    choice = table.choice

    def line(row: Row) -> dict[str, Any]:
        values = {one.key: row.values.get(one.key) for one in table.columns}
        return {
            "key": row.key,
            "label": row.label,
            "office": row.office.pk if row.office else None,
            "values": values,
        }

    return {
        "report": _defined(choice.report), "office": choice.office.pk, "place": choice.office.name,
        "split": choice.split, "year": choice.year, "is_live": table.is_live, "as_of": table.as_of,
        "total": line(table.total), "rows": [line(row) for row in table.rows],
    }  # fmt: skip
