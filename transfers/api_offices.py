"""学校与机构 over the API: rehearse a change, look at what it showed, file exactly that."""

from typing import Any
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api import Body, claim_key, read_body, read_query
from accounts.idempotency import body_digest
from accounts.openapi import describe, in_path
from accounts.roles import Right
from archives.services import find_uploads
from registry.models import Reorganization
from registry.reorganizing.plan import LABELS, NAMES
from registry.reorganizing.rehearse import rehearse
from transfers.kinds.offices import follow
from transfers.office_form import FORMS, read_form
from transfers.offices import file_change, own_rehearsal
from transfers.views.registration import own_school

_TAG = "学校与机构"
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_BY_ID = in_path("public_id", "演练编号", pattern=f"^{_UUID}$")


# ── Taken and given ───────────────────────────────────────────────────────────────────────────────────────
@extend_schema_field(
    {
        "type": "object",
        "properties": {
            key: {"type": "string", "maxLength": 200, "description": words} for key, words in LABELS.items()
        },
        "additionalProperties": False,
    }
)
class Values(serializers.DictField):
    """The form's values by key; offices by code or full name, stages as codes with commas between."""

    child = serializers.CharField(allow_blank=True, max_length=200)

    def to_internal_value(self, data: Any) -> Any:
        given = super().to_internal_value(data)
        if unknown := sorted(set(given) - LABELS.keys()):
            raise serializers.ValidationError({key: ["不认识的字段。"] for key in unknown})
        return given


class ChangeBody(Body):
    """A change to be rehearsed; nothing is filed and nothing changes."""

    kind = serializers.ChoiceField(list(NAMES.items()), help_text="业务")
    values = Values(help_text="方案各项，与页面表单相同")  # type: ignore[assignment]


class ChangeFilingBody(Body):
    """What was seen is what is filed."""

    digest = serializers.CharField(max_length=64, help_text="所确认的演练摘要")
    materials = serializers.ListField(
        child=serializers.UUIDField(), max_length=20, help_text="批复文件（材料类型 27）的编号"
    )


class MovedTable(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="数据")
    moved = serializers.IntegerField(allow_null=True, help_text="随之调整的条数；随所属记录的为 null")
    before = serializers.IntegerField(help_text="办理前两处合计")
    after = serializers.IntegerField(help_text="办理后两处合计")


class MovedClass(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="原名称")
    number_before = serializers.CharField(help_text="原班号")
    number_after = serializers.CharField(help_text="新班号")
    name_after = serializers.CharField(help_text="新名称")


class OfficeChange(serializers.Serializer[Any]):
    """A rehearsed change, and the case it became."""

    id = serializers.UUIDField(source="public_id", help_text="演练编号")
    kind = serializers.ChoiceField(list(NAMES.items()), help_text="业务")
    digest = serializers.CharField(help_text="演练摘要；提交时写明，事实有变的不予受理")
    office = serializers.CharField(source="plan.office_name", help_text="单位")
    path_before = serializers.CharField(source="plan.old_path", help_text="原路径；新设的为空")
    path_after = serializers.CharField(source="plan.new_path", help_text="新路径；不移动的为空")
    pupils = serializers.SerializerMethodField(help_text="涉及的在籍学生数")
    tables = serializers.SerializerMethodField(help_text="逐表比对")
    classes = serializers.SerializerMethodField(help_text="班级去向")
    case = serializers.CharField(source="case_no", help_text="办件号；尚未提交的为空")
    rehearsed_at = serializers.DateTimeField(help_text="演练时间")
    done_at = serializers.DateTimeField(allow_null=True, help_text="执行完毕的时间")

    def get_pupils(self, row: Reorganization) -> int:
        return int(row.shown.get("pupils", 0))

    @extend_schema_field(MovedTable(many=True))
    def get_tables(self, row: Reorganization) -> list[dict[str, Any]]:
        names = ("name", "moved", "before", "after")
        return [dict(zip(names, line, strict=True)) for line in row.shown.get("tables", [])]

    @extend_schema_field(MovedClass(many=True))
    def get_classes(self, row: Reorganization) -> list[dict[str, Any]]:
        names = ("number_before", "number_after", "name", "name_after")
        return [dict(zip(names, line[1:], strict=True)) for line in row.shown.get("classes", [])]


_EXAMPLE = {
    "id": "01990000-3333-7444-8555-666677778888",
    "kind": "office_merge",
    "digest": "5b1f0c6f1e0f4a3f9d7c2b8a6e5d4c3b2a1908f7e6d5c4b3a29180706f5e4d3c",
    "office": "示例市第二小学",
    "path_before": "CN.44.03.05.2144000002.",
    "path_after": "CN.44.03.05.2144000001.",
    "pupils": 412,
    "tables": [{"name": "学生", "moved": 430, "before": 1210, "after": 1210}],
    "classes": [
        {"name": "一(1)班", "number_before": "2026001", "number_after": "2026004", "name_after": "一(1)班"}
    ],
    "case": "",
    "rehearsed_at": "2026-07-02T10:00:00+08:00",
    "done_at": None,
}
_SENT = {
    "kind": "office_merge",
    "values": {
        "office": "2144000002",
        "target": "2144000001",
        "document_no": "示教〔2026〕12号",
        "document_by": "示例市教育局",
        "document_on": "2026-07-01",
    },
}


class OfficeChangeViewSet(ViewSet):
    """`office-changes/`: rehearse, one, file."""

    required_rights = (Right.MANAGE_OFFICES,)
    lookup_field = "public_id"
    lookup_value_regex = _UUID

    @describe(
        _TAG,
        "演练",
        "试办一项机构业务：全部真做一遍后还原，返回逐表比对和摘要。不改动任何数据。",
        body=ChangeBody,
        sends=_SENT,
        answer=OfficeChange,
        example=_EXAMPLE,
        creates=True,
    )
    def create(self, request: Request) -> Response:
        user: Any = request.user
        read_query(request)
        held = claim_key(request, "office-change-list", body_digest(request.data))
        if held.location:
            first = own_rehearsal(user, UUID(held.location.rstrip("/").rsplit("/", 1)[1]))
            return Response(OfficeChange(first).data, held.status, headers={"Location": held.location})
        given, at = read_body(request, ChangeBody), own_school(user)
        asked = {question.key for question in FORMS[given["kind"]]}
        if unknown := sorted(set(given["values"]) - asked):
            raise serializers.ValidationError({key: ["本业务没有这一项。"] for key in unknown})
        office, values = read_form(given["kind"], at, given["values"])
        row = rehearse(given["kind"], at, office, values, actor=user, after=follow)
        location = reverse("office-change-detail", args=[row.public_id])
        held.answer(status.HTTP_201_CREATED, location)
        return Response(OfficeChange(row).data, status.HTTP_201_CREATED, headers={"Location": location})

    @describe(
        _TAG,
        "演练结果",
        "本单位演练的一项机构业务，及其办件号和执行情况。",
        path=_BY_ID,
        answer=OfficeChange,
        example=_EXAMPLE,
    )
    def retrieve(self, request: Request, public_id: str) -> Response:
        read_query(request)
        return Response(OfficeChange(own_rehearsal(request.user, UUID(public_id))).data)  # type: ignore[arg-type]

    @describe(
        _TAG,
        "按演练提交",
        "以所确认的摘要提交，送主管领导审核，再由上级核准；核准后按所示分批执行。",
        path=_BY_ID,
        body=ChangeFilingBody,
        sends={"digest": _EXAMPLE["digest"], "materials": ["01990000-2222-7333-8444-555566667777"]},
        answer=OfficeChange,
        example=_EXAMPLE | {"case": "JG260702000042"},
    )
    @action(detail=True, methods=["post"])
    def file(self, request: Request, public_id: str) -> Response:
        user: Any = request.user
        read_query(request)
        row, given = own_rehearsal(user, UUID(public_id)), read_body(request, ChangeFilingBody)
        materials = find_uploads(given["materials"], actor=user)
        file_change(row, given["digest"], actor=user, materials=materials)
        row.refresh_from_db()
        return Response(OfficeChange(row).data)
