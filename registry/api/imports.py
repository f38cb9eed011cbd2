"""批量导入 over the API: the services of the page, from upload to commit (ARCHITECTURE 6, 9)."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api import (
    Body,
    EmptyBody,
    JSONBody,
    Query,
    StrictSerializer,
    claim_key,
    page,
    read_body,
    read_query,
)
from accounts.idempotency import upload_digest
from accounts.openapi import describe, in_path, page_of
from accounts.roles import Right
from audit.services import record_list
from registry.intake import arriving, correcting, deciding
from registry.intake import preview as looking
from registry.models import COLUMNS, ImportBatch, ImportRow
from registry.queries import imports as queries
from registry.queries.sight import mask

_TAG = "批量导入"
_BY_ID = in_path("public_id", "批次编号", OpenApiTypes.UUID)
_MOST_ROW = 200_000


class AfterQuery(Query):
    after = serializers.IntegerField(
        required=False, min_value=1, max_value=_MOST_ROW, help_text="从这一行号之后开始"
    )


class BatchQuery(Query):
    after = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1, help_text="续页标记")


class ErrorQuery(AfterQuery):
    code = serializers.CharField(required=False, max_length=60, help_text="只看这一种问题")
    rule = serializers.CharField(required=False, max_length=20, help_text="只看违反这一条规则的问题")
    level = serializers.ChoiceField(queries.LEVELS, required=False, help_text="错误或提示")


class UploadBody(StrictSerializer):
    file = serializers.FileField(help_text="按模板填好的 .xlsx，不超过 20 MB")


class CellBody(Body):
    row = serializers.IntegerField(min_value=1, max_value=_MOST_ROW, help_text="行号，与电子表格一致")
    field = serializers.ChoiceField([(key, key) for key in COLUMNS], help_text="列的键")
    value = serializers.CharField(
        allow_blank=True, max_length=500, trim_whitespace=False, help_text="新的内容"
    )


class ReasonBody(Body):
    row = serializers.IntegerField(min_value=1, max_value=_MOST_ROW, help_text="行号")
    reason = serializers.CharField(max_length=200, help_text="确认不是同一人的依据")


class CellsBody(Body):
    cells = serializers.ListField(child=CellBody(), max_length=correcting.MOST_CELLS)
    reasons = serializers.ListField(child=ReasonBody(), max_length=correcting.MOST_CELLS, default=list)


class CommitBody(Body):
    hash = serializers.RegexField("^[0-9a-f]{64}$", help_text="核对（preview）应答中的摘要")
    skips_wrong = serializers.BooleanField(default=False, help_text="跳过有误的行；否则有一行有误就不写入")
    is_attested = serializers.BooleanField(help_text="已逐一核验本批学生的有效身份证件原件")


class ProgressShape(serializers.Serializer[Any]):
    done = serializers.IntegerField(help_text="已处理行数")
    total = serializers.IntegerField(help_text="总行数，未知时为 0")
    is_running = serializers.BooleanField(help_text="是否正在进行")
    seconds_left = serializers.IntegerField(allow_null=True, help_text="估计剩余秒数")


class BatchRow(serializers.Serializer[Any]):
    """One import."""

    id = serializers.UUIDField(source="public_id", help_text="批次编号")
    file_name = serializers.CharField(help_text="文件名")
    state = serializers.ChoiceField(ImportBatch.State.choices, help_text="状态")
    rows = serializers.IntegerField(source="rows_total", help_text="行数")
    wrong = serializers.IntegerField(source="rows_wrong", help_text="有误行数")
    case = serializers.CharField(source="case_no", help_text="提交后的办件号，否则为空")
    failure = serializers.DictField(help_text="无法读取或上次提交未写入的原因，否则为空对象")
    progress = serializers.SerializerMethodField(help_text="进度")
    uploaded_by = serializers.CharField(source="created_by_name", help_text="上传人")
    uploaded_at = serializers.DateTimeField(source="created_at", help_text="上传时间")

    def get_progress(self, batch: ImportBatch) -> ProgressShape:
        return ProgressShape(queries.progress_of(batch.job)).data  # type: ignore[return-value]


class ImportLine(serializers.Serializer[Any]):
    """One row of the workbook, without what it says."""

    row = serializers.IntegerField(source="number", help_text="行号")
    action = serializers.ChoiceField(ImportRow.Action.choices, help_text="将怎样处理")
    class_id = serializers.IntegerField(source="school_class_id", allow_null=True, help_text="编入的班级")
    student = serializers.UUIDField(
        source="student__public_id", allow_null=True, help_text="写入后的学生编号"
    )


class ErrorRow(serializers.Serializer[Any]):
    """One faulty or doubtful cell."""

    row = serializers.IntegerField(help_text="行号")
    field = serializers.CharField(help_text="列的键")  # type: ignore[assignment]
    label = serializers.CharField(help_text="列名")  # type: ignore[assignment]
    value = serializers.CharField(help_text="填写的内容；敏感项已遮蔽")
    code = serializers.CharField(help_text="稳定的代码")
    level = serializers.ChoiceField([("error", "错误"), ("warning", "提示")])
    rule = serializers.CharField(help_text="规则编号")
    article = serializers.CharField(help_text="依据条款，可能为空")
    message = serializers.CharField(help_text="哪里不对")
    remedy = serializers.CharField(help_text="怎样改正")
    other = serializers.DictField(allow_null=True, help_text="可能为同一人的学籍，已按权限遮蔽")


class PreviewShape(serializers.Serializer[Any]):
    hash = serializers.CharField(help_text="提交时须带上的摘要")
    counts = serializers.DictField(help_text="将新建、接续的人数，各班人数，提示统计")


_EXAMPLE = {
    "id": "01990000-5555-7666-8777-888899990000", "file_name": "一年级新生.xlsx", "state": "checked",
    "rows": 420, "wrong": 3, "case": "", "failure": {},
    "progress": {"done": 420, "total": 420, "is_running": False, "seconds_left": None},
    "uploaded_by": "周登记", "uploaded_at": "2026-09-01T09:30:00+08:00",
}  # fmt: skip
_EXAMPLE_ERROR = {
    "row": 12, "field": "id_number", "label": "身份证件号", "value": "440305********002X",
    "code": "id_check_digit", "level": "error", "rule": "R-EST-06",
    "article": "《中小学生学籍管理办法》第九条",
    "message": "身份号码校验码不对。", "remedy": "请对照证件逐位核对。", "other": None,
}  # fmt: skip


class ImportViewSet(ViewSet):
    """`/api/v1/imports/`: upload, progress, rows, errors, cells, preview, commit, cancel."""

    lookup_field = "public_id"
    lookup_value_regex = "[0-9a-f-]{36}"
    required_rights = (Right.FILE,)

    def get_parsers(self) -> list[Any]:
        is_upload = self.request is not None and self.action_map.get(self.request.method.lower()) == "create"  # type: ignore[attr-defined, union-attr]
        return [MultiPartParser()] if is_upload else [JSONBody()]

    @describe(
        _TAG, "导入批次列表", "本校的导入批次，新的在前。", query=BatchQuery, answer=page_of(BatchRow),
        example={"results": [_EXAMPLE], "next": None, "total": 1, "total_is_exact": True},
    )  # fmt: skip
    def list(self, request: Request) -> Response:
        user: Any = request.user
        after = read_query(request, BatchQuery).get("after")
        rows, following = queries.read_batches(user, str(after or ""))
        return page(request, BatchRow(rows, many=True).data, following, queries.batches_of(user).count())

    @describe(
        _TAG, "上传工作簿", "接收按模板填好的工作簿并排队检查。文件先作安全检查，再在受限的进程中读取。",
        body={"multipart/form-data": UploadBody}, answer=BatchRow, example=_EXAMPLE, creates=True,
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        user: Any = request.user
        read_query(request)
        sent = read_body(request, UploadBody)["file"]
        content = sent.read(settings.FILE_UPLOAD_MAX_MEMORY_SIZE)
        held = claim_key(request, "import-list", upload_digest(content, sent.name))
        if held.location:
            batch = queries.open_batch(user, held.location.rstrip("/").rsplit("/", 1)[1])
        else:
            batch = arriving.take_in(sent.name, content, actor=user)
            held.answer(status.HTTP_201_CREATED, reverse("import-detail", args=[str(batch.public_id)]))
        return Response(BatchRow(batch).data, held.status, headers={"Location": held.location})

    @describe(_TAG, "导入批次", "状态、进度、行数。", path=_BY_ID, answer=BatchRow, example=_EXAMPLE)
    def retrieve(self, request: Request, public_id: str) -> Response:
        read_query(request)
        return Response(BatchRow(queries.open_batch(self._user(request), public_id)).data)

    @describe(
        _TAG, "各行", "每一行将怎样处理，写入后对应哪名学生。", path=_BY_ID, query=AfterQuery,
        answer=page_of(ImportLine),
        example={
            "results": [{"row": 3, "action": "create", "class_id": 8801, "student": None}],
            "next": None, "total": 1, "total_is_exact": True,
        },
    )  # fmt: skip
    @action(detail=True, methods=["get"])
    def rows(self, request: Request, public_id: str) -> Response:
        batch = queries.open_batch(self._user(request), public_id)
        after = read_query(request, AfterQuery).get("after", 0)
        found, following = queries.read_rows(batch, after)
        record_list("importrow", [row["id"] for row in found], actor=self._user(request), route="import-rows")
        return page(request, ImportLine(found, many=True).data, following, batch.rows_total)

    @describe(
        _TAG, "全部问题", "所有行的所有问题：行、列、内容、规则、依据、改法。", path=_BY_ID, query=ErrorQuery,
        answer=page_of(ErrorRow),
        example={"results": [_EXAMPLE_ERROR], "next": None, "total": 1, "total_is_exact": True},
    )  # fmt: skip
    @action(detail=True, methods=["get"])
    def errors(self, request: Request, public_id: str) -> Response:
        batch = queries.open_batch(self._user(request), public_id)
        query = read_query(request, ErrorQuery)
        query["after"] = str(query.get("after", ""))
        found = queries.read_faults(batch, **query)
        shown = [row.row.pk for row in found.rows]
        record_list("importrow", shown, actor=self._user(request), route="import-errors")
        rows = [_error(fault) for row in found.rows for fault in row.faults]
        return page(request, ErrorRow(rows, many=True).data, found.after, found.total)

    @describe(
        _TAG, "修改单元格", "改正若干单元格，或写明疑似重复确非同一人的依据；随后全批重新查重。", path=_BY_ID,
        body=CellsBody, sends={"cells": [{"row": 12, "field": "id_number", "value": "440305201910150025"}]},
        answer=BatchRow, example=_EXAMPLE,
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def cells(self, request: Request, public_id: str) -> Response:
        batch = self._subject(request, public_id)
        sent = read_body(request, CellsBody)
        texts: dict[int, dict[str, str]] = {}
        for cell in sent["cells"]:
            texts.setdefault(cell["row"], {})[cell["field"]] = cell["value"]
        reasons = {line["row"]: line["reason"] for line in sent["reasons"]}
        correcting.correct(batch, texts, actor=self._user(request), reasons=reasons)
        return Response(BatchRow(queries.open_batch(self._user(request), public_id)).data)

    @describe(
        _TAG, "核对", "将新建、接续哪些学生，以及提交时须带上的摘要。", path=_BY_ID, body=EmptyBody, sends={},
        answer=PreviewShape,
        example={"hash": "0f" * 32, "counts": {"create": 417, "continue": 0, "wrong": 3}},
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def preview(self, request: Request, public_id: str) -> Response:
        batch = self._subject(request, public_id)
        read_body(request, EmptyBody)
        return Response(PreviewShape(looking.preview(batch, actor=self._user(request))).data)

    @describe(
        _TAG, "提交", "按核对过的内容写入，全部或一个也不；核对之后有变化的，拒绝并说明变了什么。",
        path=_BY_ID, body=CommitBody, sends={"hash": "0f" * 32, "is_attested": True}, answer=BatchRow,
        example=_EXAMPLE,
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def commit(self, request: Request, public_id: str) -> Response:
        batch = self._subject(request, public_id)
        sent = read_body(request, CommitBody)
        deciding.commit(
            batch, sent["hash"], actor=self._user(request), skips_wrong=sent["skips_wrong"],
            is_attested=sent["is_attested"],
        )  # fmt: skip
        return Response(BatchRow(queries.open_batch(self._user(request), public_id)).data)

    @describe(
        _TAG, "取消", "放弃这一批；提交途中取消的，已写入的全部撤回。", path=_BY_ID, body=EmptyBody, sends={},
        answer=BatchRow, example=_EXAMPLE | {"state": "cancelled"},
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, public_id: str) -> Response:
        batch = self._subject(request, public_id)
        read_body(request, EmptyBody)
        arriving.cancel(batch, actor=self._user(request))
        return Response(BatchRow(queries.open_batch(self._user(request), public_id)).data)

    def _user(self, request: Request) -> Any:
        return request.user

    def _subject(self, request: Request, public_id: str) -> ImportBatch:
        """The batch an act is about; a refusal's trace names it."""
        read_query(request)
        batch = queries.open_batch(self._user(request), public_id)
        request._request.subject = batch  # type: ignore[attr-defined]
        return batch


def _error(fault: queries.Fault) -> dict[str, Any]:
    finding = fault.finding
    return {
        "row": finding.number, "field": finding.field, "label": fault.field.label_zh,
        "value": mask(finding.field, fault.typed),
        "code": finding.code, "level": finding.level, "rule": finding.rule, "article": finding.article,
        "message": finding.message, "remedy": finding.remedy, "other": finding.other,
    }  # fmt: skip
