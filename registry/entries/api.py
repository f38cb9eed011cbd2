"""Dated entries over the API: a pupil's, adding one, voiding one, lifting a sanction: the page's services."""

from typing import Any

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api import Body, Id, Query, claim_key, page, read_body, read_query
from accounts.idempotency import body_digest
from accounts.openapi import describe, in_path, page_of
from accounts.roles import Right
from audit.budgets import spend
from audit.services import record_read
from registry.entries import services
from registry.entries.kinds import KINDS, READS, WRITES
from registry.entries.reading import Line, Said, lines_of, open_entry
from registry.models import RecordEntry
from registry.queries.rosters import number_in
from registry.queries.sight import open_record

_TAG = "成长记录"
_KINDS = [(kind.code, str(kind.name)) for kind in KINDS.values()]
_BY_ID = in_path("id", "记录编号", OpenApiTypes.INT)


class EntryQuery(Query):
    student = serializers.UUIDField(help_text="学生编号")
    after = Id(required=False, help_text="翻页位置，取自上一页的 next")


class EntryBody(Body):
    student = serializers.UUIDField(help_text="学生编号")
    kind = serializers.ChoiceField(_KINDS, help_text="类别")
    when = serializers.CharField(
        max_length=20, help_text="日期；按学期登记的类别填学年学期，如 2026-1，空着为本学期", allow_blank=True
    )
    values = serializers.DictField(
        child=serializers.CharField(max_length=300, allow_blank=True),
        help_text="各项目的值：代码、名称、数或文字",
    )  # fmt: skip


class EntryReasonBody(Body):
    reason = serializers.CharField(max_length=200, help_text="原因，至少 6 个字")


class EntryValue(serializers.Serializer[Said]):
    label = serializers.CharField(help_text="项目")  # type: ignore[assignment]
    words = serializers.CharField(help_text="内容")


class EntryRow(serializers.Serializer[Line]):
    """One entry in words."""

    id = serializers.IntegerField(source="entry.pk", help_text="记录编号")
    kind = serializers.ChoiceField(_KINDS, source="entry.kind", help_text="类别")
    happened_on = serializers.DateField(source="entry.happened_on", help_text="日期")
    school_year = serializers.IntegerField(source="entry.school_year", help_text="学年")
    semester = serializers.CharField(source="entry.semester", help_text="学期代码")
    values = EntryValue(many=True, help_text="内容")
    entered_by = serializers.CharField(source="entry.entered_by_name", help_text="登记人")
    office = serializers.CharField(source="entry.office_name", help_text="登记单位")
    lifted_on = serializers.DateField(source="entry.lifted_on", allow_null=True, help_text="处分解除日期")
    is_void = serializers.BooleanField(help_text="是否已作废")
    void_reason = serializers.CharField(source="entry.void_reason", help_text="作废原因，可能为空")


_EXAMPLE = {
    "id": 71, "kind": "award", "happened_on": "2026-10-12", "school_year": 2026, "semester": "1",
    "values": [{"label": "奖项名称", "words": "航模竞赛"}, {"label": "获奖级别", "words": "县级"}],
    "entered_by": "周登记", "office": "示例市第一小学", "lifted_on": None, "is_void": False,
    "void_reason": "",
}  # fmt: skip
_STUDENT = "01990000-1111-7222-8333-444455556666"


class EntryViewSet(ViewSet):
    """`/api/v1/entries/`: the entries of a pupil, one more, one fewer."""

    lookup_field = "pk"
    lookup_value_regex = "[0-9]{1,18}"
    naming_records = ("create",)

    @property
    def required_rights(self) -> tuple[Right, ...]:
        return READS if getattr(self, "action", "") in ("list", "retrieve") else WRITES

    @describe(
        _TAG, "一名学生的成长记录",
        "只含本人岗位可见的类别，新的在前，每页内按类别排列。每次查看留痕。",
        query=EntryQuery, answer=page_of(EntryRow),
        example={"results": [_EXAMPLE], "next": None, "total": 1, "total_is_exact": True},
    )  # fmt: skip
    def list(self, request: Request) -> Response:
        user: Any = request.user
        student, sight = open_record(user, read_query(request, EntryQuery)["student"])
        spend(user, "records")
        found = lines_of(student, user, sight, after=request.query_params.get("after", ""))
        record_read(student, actor=user, route="api:entry-list", fields=["growth"])
        lines: Any = found.lines
        return page(request, EntryRow(lines, many=True).data, found.after, found.total)

    @describe(
        _TAG, "登记一条", "登记后不能修改，有误的作废后重新登记。", body=EntryBody, answer=EntryRow,
        example=_EXAMPLE, creates=True,
        sends={
            "student": _STUDENT, "kind": "award", "when": "2026-10-12",
            "values": {"title": "航模竞赛", "category": "2", "level": "43"},
        },
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        user: Any = request.user
        read_query(request)
        sent = read_body(request, EntryBody)
        claim = claim_key(request, "entry-list", body_digest(sent))
        if claim.location:
            pk = number_in(claim.location.rstrip("/").rsplit("/", 1)[1])
        else:
            student, _sight = open_record(user, sent["student"])
            request._request.subject = student  # type: ignore[attr-defined]
            typed = {**sent["values"], "when": sent["when"]}
            pk = services.add_entry(student, sent["kind"], typed, actor=user).pk
            claim.answer(status.HTTP_201_CREATED, reverse("entry-detail", args=[pk]))
        entry, line = open_entry(user, pk)
        record_read(entry.student, actor=user, route="api:entry-list", fields=[entry.kind])
        return Response(EntryRow(line).data, claim.status, headers={"Location": claim.location})

    @describe(_TAG, "一条记录", "每次查看留痕。", path=_BY_ID, answer=EntryRow, example=_EXAMPLE)
    def retrieve(self, request: Request, pk: str) -> Response:
        read_query(request)
        entry, line = self._subject(request, pk)
        user: Any = request.user
        record_read(entry.student, actor=user, route="api:entry-detail", fields=[entry.kind])
        return Response(EntryRow(line).data)

    @describe(
        _TAG, "作废", "原记录仍可查阅，并注明原因。", path=_BY_ID, body=EntryReasonBody, answer=EntryRow,
        sends={"reason": "登记到别人名下"}, example=_EXAMPLE | {"is_void": True},
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def void(self, request: Request, pk: str) -> Response:
        return self._end(request, pk, services.void_entry)

    @describe(
        _TAG, "解除处分", "自当天起解除。", path=_BY_ID, body=EntryReasonBody, answer=EntryRow,
        sends={"reason": "已满考察期限"}, example=_EXAMPLE | {"kind": "sanction", "lifted_on": "2027-03-01"},
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def lift(self, request: Request, pk: str) -> Response:
        return self._end(request, pk, services.lift_sanction)

    def _end(self, request: Request, pk: str, act: Any) -> Response:
        user: Any = request.user
        read_query(request)
        entry, _line = self._subject(request, pk)
        act(entry, reason=read_body(request, EntryReasonBody)["reason"], actor=user)
        return Response(EntryRow(open_entry(user, entry.pk)[1]).data)

    def _subject(self, request: Request, pk: str) -> tuple[RecordEntry, Line]:
        entry, line = open_entry(request.user, number_in(pk))  # type: ignore[arg-type]
        request._request.subject = entry.student  # type: ignore[attr-defined]
        return entry, line
