"""在内导出 over the API: the services of the page (EX-1, EX-5)."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
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
from config.paging import count_up_to
from registry.codes import choices
from registry.exporting import approving, asking, collecting, finding
from registry.exporting.columns import COLUMNS
from registry.exporting.terms import PURPOSES, read_terms
from registry.models import Export
from registry.queries import rosters
from registry.queries.imports import progress_of
from registry.status import STATUSES
from registry.views.exports import file_answer

_TAG = "导出"
_BY_ID = in_path("public_id", "导出编号", OpenApiTypes.UUID)
_KEYS = [(key, column.label) for key, column in COLUMNS.items()]
_STATUS = [*((code, one.name) for code, one in STATUSES.items()), ("all", "全部")]


class ExportQuery(Query):
    after = Id(required=False, help_text="续页标记")


class FiltersBody(Body):
    """The filters of the list of pupils."""

    office = Id(required=False, help_text="只要该机构及其下属")
    grade = serializers.ChoiceField(choices("grade"), required=False, help_text="年级代码")
    sex = serializers.ChoiceField(
        [pair for pair in choices("sex") if pair[0] in ("1", "2")], required=False, help_text="性别代码"
    )
    status = serializers.ChoiceField(_STATUS, required=False, help_text="学籍状态代码；缺省为在校")
    kind = serializers.ChoiceField(list(rosters.NUMBER_KINDS.items()), required=False, help_text="学籍号种类")

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "class": Id(required=False, help_text="班级编号")}


class AskBody(Body):
    purpose = serializers.ChoiceField(
        [(code, str(words)) for code, words in PURPOSES.items()], help_text="用途"
    )
    purpose_text = serializers.CharField(max_length=200, help_text="具体用于什么、给谁用，6 至 200 个字")
    fields = serializers.ListField(  # type: ignore[assignment]
        child=serializers.ChoiceField(_KEYS), max_length=len(_KEYS), help_text="项目的键；姓名必有"
    )
    clear_fields = serializers.ListField(
        child=serializers.ChoiceField(_KEYS), max_length=len(_KEYS), default=list,
        help_text="以明文导出的项目，须有查看证件明文的权限",
    )  # fmt: skip
    filters = FiltersBody(required=False, help_text="筛选条件，与学生名单相同")
    format = serializers.ChoiceField(Export.Format.choices, help_text="文件格式")


class RefuseBody(Body):
    reason = serializers.CharField(max_length=200, help_text="不批准的理由")


class ExportProgress(serializers.Serializer[Any]):
    done = serializers.IntegerField(help_text="已写入行数")
    total = serializers.IntegerField(help_text="总行数")
    is_running = serializers.BooleanField(help_text="是否正在进行")


class ExportRow(serializers.Serializer[Any]):
    """One export and its terms."""

    id = serializers.UUIDField(source="public_id", help_text="导出编号")
    number = serializers.CharField(source="approval_number", help_text="单号")
    state = serializers.ChoiceField(Export.State.choices, help_text="状态")
    office = serializers.CharField(source="office_name", help_text="申请单位")
    scope = serializers.CharField(source="scope_name", help_text="数据范围")
    filters = serializers.CharField(source="filter_words", help_text="筛选条件")
    purpose = serializers.CharField(help_text="用途代码")
    purpose_text = serializers.CharField(help_text="用途说明")
    fields = serializers.ListField(child=serializers.CharField(), help_text="项目的键")  # type: ignore[assignment]
    clear_fields = serializers.ListField(child=serializers.CharField(), help_text="明文项目的键")
    format = serializers.CharField(help_text="文件格式")
    rows = serializers.IntegerField(source="row_cap", help_text="人数；运行时不得超过")
    requested_by = serializers.CharField(source="requested_by_name", help_text="申请人")
    requested_at = serializers.DateTimeField(help_text="申请时间")
    decided_by = serializers.CharField(source="decided_by_name", help_text="审批人，可能为空")
    reason = serializers.CharField(help_text="不批准或失效的理由，可能为空")
    progress = serializers.SerializerMethodField(help_text="进度")
    downloads = serializers.IntegerField(help_text="已领取次数")
    expires_at = serializers.DateTimeField(allow_null=True, help_text="文件保留至")

    def get_progress(self, export: Export) -> ExportProgress:
        return ExportProgress(progress_of(export.job)).data  # type: ignore[return-value]


_EXAMPLE = {
    "id": "01990000-7777-7666-8777-888899990000", "number": "DC-00000042", "state": "ready",
    "office": "示例市第一小学", "scope": "示例市第一小学", "filters": "年级：一年级", "purpose": "roster",
    "purpose_text": "编制开学花名册", "fields": ["name", "sex", "class_name"], "clear_fields": [],
    "format": "xlsx", "rows": 420, "requested_by": "周登记", "requested_at": "2026-09-01T09:30:00+08:00",
    "decided_by": "郑校长", "reason": "", "progress": {"done": 420, "total": 420, "is_running": False},
    "downloads": 0, "expires_at": "2026-09-04T09:31:00+08:00",
}  # fmt: skip


class ExportViewSet(ViewSet):
    """`/api/v1/exports/`: ask, approve, refuse, cancel, collect."""

    lookup_field = "public_id"
    lookup_value_regex = "[0-9a-f-]{36}"
    naming_records = ("create",)

    @property
    def required_rights(self) -> tuple[Right, ...]:
        action = getattr(self, "action", "")
        if action in ("approve", "refuse"):
            return (Right.APPROVE_EXPORT,)
        if action in ("create", "cancel", "file"):
            return (Right.EXPORT,)
        return (Right.EXPORT, Right.APPROVE_EXPORT)

    @describe(
        _TAG, "导出列表", "自己申请的，以及由本单位审批的导出，新的在前。", query=ExportQuery,
        answer=page_of(ExportRow),
        example={"results": [_EXAMPLE], "next": None, "total": 1, "total_is_exact": True},
    )  # fmt: skip
    def list(self, request: Request) -> Response:
        user = self._user(request)
        after = read_query(request, ExportQuery).get("after")
        rows, following = finding.read_exports(user, str(after or ""))
        total = count_up_to(finding.exports_seen_by(user))
        return page(request, ExportRow(rows, many=True).data, following, total)

    @describe(
        _TAG, "申请导出",
        "按范围、条件、项目申请导出；由本单位或上级的另一人审批后生成文件。一人一日最多三次。",
        body=AskBody, answer=ExportRow, example=_EXAMPLE | {"state": "asked"}, creates=True,
        sends={
            "purpose": "roster", "purpose_text": "编制开学花名册", "fields": ["sex", "class_name"],
            "filters": {"grade": "11"}, "format": "xlsx",
        },
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        user = self._user(request)
        read_query(request)
        sent = read_body(request, AskBody)
        held = claim_key(request, "export-list", body_digest(sent))
        if held.location:
            export = finding.open_export(user, held.location.rstrip("/").rsplit("/", 1)[1])
        else:
            filters = {key: str(value) for key, value in sent.pop("filters", {}).items()}
            export = asking.ask(read_terms(sent | filters, user), actor=user)
            held.answer(status.HTTP_201_CREATED, reverse("export-detail", args=[str(export.public_id)]))
        return Response(ExportRow(export).data, held.status, headers={"Location": held.location})

    @describe(_TAG, "一次导出", "内容、状态与进度。", path=_BY_ID, answer=ExportRow, example=_EXAMPLE)
    def retrieve(self, request: Request, public_id: str) -> Response:
        read_query(request)
        return Response(ExportRow(finding.open_export(self._user(request), public_id)).data)

    @describe(
        _TAG, "批准", "须在五分钟内再次验证身份；被预警暂缓的（held），再次批准即为确认。", path=_BY_ID,
        body=EmptyBody, sends={}, answer=ExportRow, example=_EXAMPLE | {"state": "approved"},
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, public_id: str) -> Response:
        export = self._subject(request, public_id)
        read_body(request, EmptyBody)
        require_step_up(request._request)
        act = approving.confirm if export.state == Export.State.HELD else approving.approve
        act(export, actor=self._user(request))
        return Response(ExportRow(finding.open_export(self._user(request), public_id)).data)

    @describe(
        _TAG, "不批准", "须写明理由。", path=_BY_ID, body=RefuseBody,
        sends={"reason": "项目过多，请只留花名册所需"},
        answer=ExportRow, example=_EXAMPLE | {"state": "refused"},
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, public_id: str) -> Response:
        export = self._subject(request, public_id)
        approving.refuse(export, actor=self._user(request), reason=read_body(request, RefuseBody)["reason"])
        return Response(ExportRow(finding.open_export(self._user(request), public_id)).data)

    @describe(
        _TAG, "撤回", "撤回申请，或停止生成、删除文件。", path=_BY_ID, body=EmptyBody, sends={},
        answer=ExportRow, example=_EXAMPLE | {"state": "cancelled"},
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, public_id: str) -> Response:
        export = self._subject(request, public_id)
        read_body(request, EmptyBody)
        asking.cancel(export, actor=self._user(request))
        return Response(ExportRow(finding.open_export(self._user(request), public_id)).data)

    @extend_schema(
        summary="领取文件", tags=[_TAG], parameters=[_BY_ID], request=EmptyBody,
        description="只能由申请人领取，须在五分钟内再次验证身份；最多三次，三日内有效。应答为文件本身。",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def file(self, request: Request, public_id: str) -> HttpResponse:
        export = self._subject(request, public_id)
        read_body(request, EmptyBody)
        require_step_up(request._request)
        return file_answer(collecting.collect(export, actor=self._user(request)))

    def _user(self, request: Request) -> Any:
        return request.user

    def _subject(self, request: Request, public_id: str) -> Export:
        """The export an act is about; a refusal's trace names it."""
        read_query(request)
        export = finding.open_export(self._user(request), public_id)
        request._request.subject = export  # type: ignore[attr-defined]
        return export
