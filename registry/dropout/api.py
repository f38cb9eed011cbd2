"""Dropout control over the API: absences with their visits, the three ledgers, the reports upward."""

from typing import Any

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api import LARGEST_ID, Body, JSONBody, Query, claim_key, page, read_body, read_query
from accounts.idempotency import body_digest
from accounts.openapi import describe, in_path, page_of
from accounts.roles import Right
from audit.services import record_list, record_read
from config.errors import NotFound
from registry.dropout import absences as services
from registry.dropout import ledgers, reporting
from registry.dropout.reading import open_absence, read_absences, reportable, visits_of
from registry.models import Absence, DropoutReport, PersuasionVisit
from registry.queries.rosters import PAGE

_TAG = "控辍保学"
_BY_ID = in_path("id", "编号", OpenApiTypes.INT)
Visit = PersuasionVisit


class PageQuery(Query):
    after = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST_ID, default=0, help_text="续页标记"
    )


class AbsenceQuery(PageQuery):
    show = serializers.ChoiceField(["open", "ended"], default="open", help_text="未返校或已结束")


class LedgerQuery(PageQuery):
    ledger = serializers.ChoiceField(list(ledgers.LEDGERS), default=ledgers.SUSPECTED, help_text="哪一本台账")
    show = serializers.ChoiceField(list(ledgers.SHOWS), default="open", help_text="在册、已销号或逾期")


class ReportQuery(PageQuery):
    show = serializers.ChoiceField(list(reporting.SHOWS), default="all", help_text="全部、未签报或逾期")
    kind = serializers.ChoiceField(DropoutReport.Kind.values, required=False, default="", help_text="种类")


class AbsenceBody(Body):
    student = serializers.UUIDField(help_text="学生编号")
    from_on = serializers.DateField(help_text="从哪天起没有到校")
    is_excused = serializers.BooleanField(help_text="家长已请假")
    reason = serializers.ChoiceField(Absence.Reason.choices, help_text="原因")
    note = serializers.CharField(max_length=200, allow_blank=True, default="", help_text="说明")


class VisitBody(Body):
    on = serializers.DateField(help_text="日期")
    way = serializers.ChoiceField(Visit.Way.choices, help_text="方式")
    persons = serializers.CharField(max_length=100, help_text="劝返人员")
    met = serializers.ChoiceField(Visit.Met.choices, help_text="见到")
    result = serializers.ChoiceField(Visit.Result.choices, help_text="结果")
    note = serializers.CharField(max_length=300, allow_blank=True, default="", help_text="情况")


class ComeBackBody(Body):
    on = serializers.DateField(help_text="返校日期")


class SignBody(Body):
    remark = serializers.CharField(max_length=300, allow_blank=True, default="", help_text="说明")


class AbsenceRow(serializers.Serializer[Any]):
    """One absence."""

    id = serializers.IntegerField(help_text="编号")
    name = serializers.CharField(help_text="姓名")
    class_id = serializers.IntegerField(source="school_class_id", help_text="班级")
    from_on = serializers.DateField(help_text="缺勤起始")
    is_excused = serializers.BooleanField(help_text="已请假")
    reason = serializers.ChoiceField(Absence.Reason.choices, help_text="原因")
    is_warned = serializers.BooleanField(help_text="已提醒学校")
    ended_on = serializers.DateField(allow_null=True, help_text="结束日期")


class VisitRow(serializers.Serializer[Any]):
    """One attempt to reach the family."""

    id = serializers.IntegerField(help_text="编号")
    on = serializers.DateField(help_text="日期")
    way = serializers.ChoiceField(Visit.Way.choices, help_text="方式")
    persons = serializers.CharField(help_text="劝返人员")
    met = serializers.ChoiceField(Visit.Met.choices, help_text="见到")
    result = serializers.ChoiceField(Visit.Result.choices, help_text="结果")
    note = serializers.CharField(help_text="情况")


class DropoutLedgerRow(serializers.Serializer[Any]):
    """One child on a ledger."""

    student = serializers.UUIDField(source="public_id", help_text="学生编号")
    name = serializers.CharField(help_text="姓名")
    birth_on = serializers.DateField(help_text="出生日期")
    school = serializers.CharField(help_text="学校")
    grade = serializers.CharField(help_text="年级")
    status = serializers.CharField(help_text="学籍状态")
    opened_on = serializers.DateField(
        source="entry.opened_on", default=None, allow_null=True, help_text="立账日期"
    )
    closed_on = serializers.DateField(
        source="entry.closed_on", default=None, allow_null=True, help_text="销号日期"
    )
    is_late = serializers.BooleanField(default=False, help_text="报告或答复已逾期")


class DropoutReportRow(serializers.Serializer[Any]):
    """One report of one office."""

    id = serializers.IntegerField(help_text="编号")
    kind = serializers.ChoiceField(DropoutReport.Kind.choices, help_text="种类")
    office = serializers.CharField(source="office.name", help_text="单位")
    starts_on = serializers.DateField(help_text="起")
    ends_on = serializers.DateField(help_text="止")
    due_on = serializers.DateField(help_text="报送期限")
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="数据")
    signed_by = serializers.CharField(source="signed_by_name", help_text="签报人，未签报为空")
    signed_at = serializers.DateTimeField(allow_null=True, help_text="签报时间")


_ABSENCE = {
    "id": 7, "name": "李小小", "class_id": 8801, "from_on": "2026-11-02", "is_excused": False,
    "reason": "unknown", "is_warned": True, "ended_on": None,
}  # fmt: skip
_VISIT = {
    "id": 3, "on": "2026-11-09", "way": "home", "persons": "周老师、陈校长", "met": "guardian",
    "result": "promised", "note": "家长答应周一送返",
}  # fmt: skip
_CHILD = {
    "student": "01990000-5555-7666-8777-888899990000", "name": "李小小", "birth_on": "2015-03-02",
    "school": "南山实验学校", "grade": "小学五年级", "status": "正常在校", "opened_on": "2026-11-30",
    "closed_on": None, "is_late": False,
}  # fmt: skip
_REPORT = {
    "id": 12, "kind": "month", "office": "南山实验学校", "starts_on": "2026-10-01", "ends_on": "2026-10-31",
    "due_on": "2026-11-10", "counts": dict.fromkeys(reporting.LABELS, 0), "signed_by": "", "signed_at": None,
}  # fmt: skip


def _paged(example: Any) -> dict[str, Any]:
    return {"results": [example], "next": None, "total": 1, "total_is_exact": True}


class AbsenceViewSet(ViewSet):
    """`/api/v1/absences/`: who stays away, who tried to reach the family, who is back."""

    lookup_field = "id"
    lookup_value_regex = "[0-9]{1,18}"
    required_rights = (Right.REPORT_ABSENCE, Right.VIEW_STUDENT)
    parser_classes = (JSONBody,)

    @describe(
        _TAG, "缺勤名单", "权限范围内的缺勤，新的在前。", query=AbsenceQuery, answer=page_of(AbsenceRow),
        example=_paged(_ABSENCE),
    )  # fmt: skip
    def list(self, request: Request) -> Response:
        user, query = _user(request), read_query(request, AbsenceQuery)
        found = read_absences(user, query["show"], query["after"])
        record_list("student", [row.student_id for row in found.rows], actor=user, route="absence-list")
        return page(request, AbsenceRow(found.rows, many=True).data, found.after, found.total)

    @describe(
        _TAG, "登记缺勤", "班主任登记本班、学籍管理员登记本校学生的缺勤；送教上门的学生不作缺勤。",
        body=AbsenceBody, answer=AbsenceRow, example=_ABSENCE, creates=True,
        sends={"student": _CHILD["student"], "from_on": "2026-11-02", "is_excused": False,
               "reason": "unknown"},
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        user = _user(request)
        read_query(request)
        sent = read_body(request, AbsenceBody)
        held = claim_key(request, "absence-list", body_digest(sorted(map(str, sent.items()))))
        if held.location:
            made = open_absence(user, _last(held.location))
        else:
            spell = reportable(user).filter(student__public_id=sent.pop("student")).first()
            if spell is None:
                raise services.NotOnTheRoll()  # hidden and missing alike
            made = services.report(spell, actor=user, **sent)
            held.answer(status.HTTP_201_CREATED, reverse("absence-detail", args=[made.pk]))
        return Response(AbsenceRow(made).data, held.status, headers={"Location": held.location})

    @describe(_TAG, "一条缺勤", "起止、原因、是否已提醒。", path=_BY_ID, answer=AbsenceRow, example=_ABSENCE)
    def retrieve(self, request: Request, id: str) -> Response:
        read_query(request)
        found = open_absence(_user(request), int(id))
        record_read(found.student, actor=_user(request), route="absence-detail", purpose=_TAG)
        return Response(AbsenceRow(found).data)

    @describe(
        _TAG, "联系与劝返", "该生的全部联系与劝返记录，新的在前。", path=_BY_ID, answer=page_of(VisitRow),
        example=_paged(_VISIT),
    )  # fmt: skip
    @action(detail=True, methods=["get"])
    def visits(self, request: Request, id: str) -> Response:
        read_query(request)
        found = open_absence(_user(request), int(id))
        rows = visits_of(found.student_id)
        record_read(found.student, actor=_user(request), route="absence-visits", purpose=_TAG)
        return page(request, VisitRow(rows, many=True).data, None, len(rows))

    @describe(
        _TAG, "登记联系或劝返", "谁、何时、以何种方式、见到何人、结果如何；登记后不能修改。", path=_BY_ID,
        body=VisitBody, sends={key: _VISIT[key] for key in _VISIT if key != "id"}, answer=VisitRow,
        example=_VISIT, creates=True,
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def visit(self, request: Request, id: str) -> Response:
        found, user = self._subject(request, id), _user(request)
        sent = read_body(request, VisitBody)
        held = claim_key(request, "absence-visit", body_digest([id, *sorted(map(str, sent.items()))]))
        if held.location:
            made = next(row for row in visits_of(found.student_id) if row.pk == _last(held.location, "#"))
        else:
            made = services.visit(found.student, services.Attempt(**sent), actor=user)
            address = f"{reverse('absence-visits', args=[found.pk])}#{made.pk}"
            held.answer(status.HTTP_201_CREATED, address)
        return Response(VisitRow(made).data, held.status, headers={"Location": held.location})

    @describe(
        _TAG, "登记返校", "缺勤结束；疑似辍学凭学校答复所附证明，由主管部门核实后销号。", path=_BY_ID,
        body=ComeBackBody,
        sends={"on": "2026-11-16"}, answer=AbsenceRow, example=_ABSENCE | {"ended_on": "2026-11-16"},
    )  # fmt: skip
    @action(detail=True, methods=["post"], url_path="return")
    def come_back(self, request: Request, id: str) -> Response:
        found = self._subject(request, id)
        services.come_back(found, actor=_user(request), on=read_body(request, ComeBackBody)["on"])
        return Response(AbsenceRow(open_absence(_user(request), found.pk)).data)

    def _subject(self, request: Request, id: str) -> Absence:
        """The absence an act is about; a refusal's trace names it."""
        read_query(request)
        found = open_absence(_user(request), int(id))
        request._request.subject = found  # type: ignore[attr-defined]
        return found


class DropoutLedgerViewSet(ViewSet):
    """`/api/v1/dropout-ledgers/`: children of compulsory age, suspected dropouts, dropouts."""

    required_rights = (Right.VIEW_STUDENT,)

    @describe(
        _TAG, "三本台账", "适龄、疑似辍学、辍学台账；适龄台账由县及县以下查看。", query=LedgerQuery,
        answer=page_of(DropoutLedgerRow), example=_paged(_CHILD),
    )  # fmt: skip
    def list(self, request: Request) -> Response:
        user, query = _user(request), read_query(request, LedgerQuery)
        asked = ledgers.Asked(query["ledger"], query["show"], user.acting_office, query["after"])
        found = ledgers.read_ledger(user, asked)
        shown = [row["student_id"] for row in found.rows]
        record_list("student", shown, actor=user, route="dropout-ledger-list", purpose=_TAG)
        return page(request, DropoutLedgerRow(found.rows, many=True).data, found.after, found.total or 0)


class DropoutReportViewSet(ViewSet):
    """`/api/v1/dropout-reports/`: what each office reports upward; sign."""

    lookup_field = "id"
    lookup_value_regex = "[0-9]{1,18}"
    required_rights = (Right.VIEW_REPORT,)
    parser_classes = (JSONBody,)

    @describe(
        _TAG, "控辍保学报告", "本单位和下级单位的报告，新的在前。", query=ReportQuery,
        answer=page_of(DropoutReportRow), example=_paged(_REPORT),
    )  # fmt: skip
    def list(self, request: Request) -> Response:
        user, query = _user(request), read_query(request, ReportQuery)
        rows, following, total = reporting.read_reports(user, user.acting_office, **query, size=PAGE)
        return page(request, DropoutReportRow(rows, many=True).data, following, total)

    @describe(
        _TAG, "签报", "学校主管领导签月报，县、市、省审核员签本级报告；数据在期末固定，不能修改。",
        path=_BY_ID, body=SignBody, sends={"remark": ""}, answer=DropoutReportRow,
        example=_REPORT | {"signed_by": "陈校长", "signed_at": "2026-11-05T09:30:00+08:00"},
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def sign(self, request: Request, id: str) -> Response:
        user = _user(request)
        read_query(request)
        report = reporting.seen_by(user).filter(pk=int(id)).first()
        if report is None:
            raise NotFound()
        request._request.subject = report  # type: ignore[attr-defined]
        reporting.sign(report, actor=user, remark=read_body(request, SignBody)["remark"])
        signed = reporting.seen_by(user).select_related("office").get(pk=report.pk)
        return Response(DropoutReportRow(signed).data)


def _user(request: Request) -> Any:
    return request.user


def _last(location: str, sign: str = "/") -> int:
    return int(location.rstrip("/").rsplit(sign, 1)[1])
