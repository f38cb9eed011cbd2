"""The verification over the API: the queries and services of the pages (R-VER-01, R-VER-05, R-VER-07)."""

from typing import Any

from django.urls import reverse
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api import Body, EmptyBody, Id, Query, claim_key, page, read_body, read_query
from accounts.idempotency import body_digest
from accounts.openapi import describe, in_path, page_of
from accounts.roles import Right
from audit.services import record_list
from config.models import Job
from registry.models import Finding, SchoolVerification
from registry.verification import acts, campaigns, queries
from registry.verification.kinds import CHECKS, KINDS, OFFENCES
from registry.verification.signing import sign

_TAG = "学籍核准"
_CHOICES = [(kind.code, str(kind.label)) for kind in KINDS.values()]


class CampaignRow(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk", help_text="核准编号")
    school_year = serializers.IntegerField(help_text="学年，以开始的年份表示")
    semester = serializers.CharField(help_text="学期代码")
    office = serializers.CharField(source="office_name", help_text="组织单位")
    opens_on = serializers.DateField(help_text="开始日期")
    due_on = serializers.DateField(help_text="截止日期")
    job_state = serializers.ChoiceField(Job.State.choices, source="job.state", help_text="最近一次检查的状态")
    units_done = serializers.IntegerField(source="job.done", help_text="已检查的单位数")
    units_total = serializers.IntegerField(source="job.total", help_text="单位总数")


class OpenBody(Body):
    due_on = serializers.DateField(help_text="截止日期")


class ProgressQuery(Query):
    office = Id(required=False, help_text="单位编号，不填为本单位")


class CampaignProgressRow(serializers.Serializer[Any]):
    office_id = serializers.IntegerField(source="office.pk", help_text="单位编号")
    office_name = serializers.CharField(source="office.name", help_text="单位名称")
    school = serializers.IntegerField(allow_null=True, help_text="学校核准编号，下级单位为空")
    schools = serializers.IntegerField(help_text="学校数")
    signed = serializers.IntegerField(help_text="已签署的学校数")
    pupils = serializers.IntegerField(help_text="学生数")
    findings_total = serializers.IntegerField(help_text="发现问题数")
    findings_open = serializers.IntegerField(help_text="未销号问题数")
    unplanned = serializers.IntegerField(help_text="没有整改计划的问题数")
    overdue = serializers.IntegerField(help_text="逾期问题数")
    rolls_confirmed = serializers.IntegerField(help_text="已核对名册的班级数")
    rolls_total = serializers.IntegerField(help_text="班级数")


class FindingQuery(Query):
    campaign = Id(help_text="核准编号")
    office = Id(required=False, help_text="单位编号，不填为本单位")
    show = serializers.ChoiceField(
        ["open", "planned", "closed", "overdue", "ordered"], required=False, help_text="状态"
    )
    kind = serializers.ChoiceField(_CHOICES, required=False, help_text="问题类型")
    check = serializers.ChoiceField(list(CHECKS.items()), required=False, help_text="核准内容")
    after = Id(required=False, help_text="翻页位置，取自上一页的 next")


class FindingRow(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="row.pk", help_text="问题编号")
    kind = serializers.ChoiceField(_CHOICES, source="row.kind", help_text="问题类型")
    kind_name = serializers.CharField(source="kind.label", help_text="问题类型名称")
    said = serializers.CharField(help_text="具体情况，可能为空")
    school_name = serializers.CharField(help_text="学校")
    class_name = serializers.CharField(help_text="班级，可能为空")
    student = serializers.UUIDField(source="pupil.public_id", default=None, help_text="学生编号，可能为空")
    student_name = serializers.CharField(source="pupil.name", default="", help_text="姓名，可能为空")
    state = serializers.ChoiceField(Finding.State.choices, source="row.state", help_text="状态")
    due_on = serializers.DateField(source="row.due_on", help_text="期限")
    plan = serializers.CharField(source="row.plan", help_text="整改计划，可能为空")
    how = serializers.CharField(source="row.how", help_text="处理情况，可能为空")
    offence = serializers.IntegerField(
        source="row.offence", allow_null=True, help_text="第二十六条的违规情形，未责令整改为空"
    )
    order = serializers.CharField(source="row.order_text", help_text="整改要求，可能为空")
    answer = serializers.CharField(source="row.answer", help_text="整改报告，可能为空")


class SchoolVerificationRow(serializers.Serializer[SchoolVerification]):
    id = serializers.IntegerField(source="pk", help_text="学校核准编号")
    school_id = serializers.IntegerField(help_text="学校编号")
    school_name = serializers.CharField(source="school.name", help_text="学校名称")
    state = serializers.ChoiceField(SchoolVerification.State.choices, help_text="状态")
    pupils = serializers.IntegerField(help_text="学生数")
    findings_total = serializers.IntegerField(help_text="发现问题数")
    findings_open = serializers.IntegerField(help_text="未销号问题数")
    unplanned = serializers.IntegerField(help_text="没有整改计划的问题数")
    signed_by = serializers.CharField(source="signed_by_name", help_text="签署人，可能为空")
    signed_at = serializers.DateTimeField(allow_null=True, help_text="签署时间，可能为空")


_IDS = serializers.ListField(child=Id(), max_length=acts.MOST, help_text="问题编号")


class PlanBody(Body):
    findings = _IDS
    plan = serializers.CharField(help_text="整改计划", max_length=300)
    due_on = serializers.DateField(help_text="计划完成日期")


class CloseFindingBody(Body):
    findings = _IDS
    how = serializers.CharField(help_text="做了什么", max_length=300)


class OrderBody(Body):
    offence = serializers.IntegerField(min_value=1, max_value=len(OFFENCES), help_text="违规情形")
    order = serializers.CharField(help_text="整改要求", max_length=300)
    due_on = serializers.DateField(help_text="整改期限")


class AnswerBody(Body):
    answer = serializers.CharField(help_text="整改报告", max_length=300)


class CloseOrderBody(Body):
    how = serializers.CharField(help_text="核对情况", max_length=300)


_CAMPAIGN = {
    "id": 12, "school_year": 2026, "semester": "1", "office": "示例省教育厅", "opens_on": "2026-11-02",
    "due_on": "2026-12-31", "job_state": "done", "units_done": 120, "units_total": 120,
}  # fmt: skip
_LINE = {
    "office_id": 31, "office_name": "示例区教育局", "school": None, "schools": 40, "signed": 31,
    "pupils": 68210, "findings_total": 913, "findings_open": 120, "unplanned": 15, "overdue": 2,
    "rolls_confirmed": 1520, "rolls_total": 1600,
}  # fmt: skip
_FINDING = {
    "id": 7001, "kind": "suspension", "kind_name": "休学期满未办理", "said": "2026-10-31 期满",
    "school_name": "示例市第一小学", "class_name": "", "student": "01990000-1111-7222-8333-444455556666",
    "student_name": "陈知夏", "state": "planned", "due_on": "2026-12-01", "plan": "联系监护人办理复学",
    "how": "", "offence": None, "order": "", "answer": "",
}  # fmt: skip
_SCHOOL = {
    "id": 501, "school_id": 3201, "school_name": "示例市第一小学", "state": "open", "pupils": 1520,
    "findings_total": 12, "findings_open": 3, "unplanned": 0, "signed_by": "", "signed_at": None,
}  # fmt: skip
_ONE_PAGE = {"next": None, "total": 1, "total_is_exact": True}


class _ViewSet(ViewSet):
    lookup_field = "id"
    lookup_value_regex = "[0-9]{1,18}"

    def _user(self, request: Request) -> Any:
        return request.user

    def _note(self, request: Request, subject: Any) -> None:
        request._request.subject = subject  # type: ignore[attr-defined]


class CampaignViewSet(_ViewSet):
    """campaigns/, campaigns/<id>/progress/, campaigns/<id>/again/."""

    @property
    def required_rights(self) -> tuple[Right, ...]:
        acting = getattr(self, "action", "") in ("create", "again")
        return (Right.OPEN_CAMPAIGN,) if acting else (Right.VIEW_STUDENT,)

    @describe(
        _TAG, "核准列表", "与本单位有关的学期学籍核准，新的在前。", answer=page_of(CampaignRow),
        example={"results": [_CAMPAIGN]} | _ONE_PAGE,
    )  # fmt: skip
    def list(self, request: Request) -> Response:
        read_query(request)
        rows = campaigns.campaigns_over(self._user(request).acting_path)
        return page(request, CampaignRow(rows, many=True).data, None, len(rows))

    @describe(
        _TAG, "组织核准", "由国家或者省级单位组织本学期核准，随即逐县检查。每学期一次。", body=OpenBody,
        answer=CampaignRow, example=_CAMPAIGN, creates=True, sends={"due_on": "2026-12-31"},
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        user = self._user(request)
        read_query(request)
        sent = read_body(request, OpenBody)
        held = claim_key(request, "campaign-list", body_digest(sent))
        if held.location:
            pk = int(held.location.rstrip("/").rsplit("/", 1)[1])
            campaign = campaigns.campaign_for(user.acting_path, pk)
        else:
            campaign = campaigns.open_campaign(actor=user, due_on=sent["due_on"])
            held.answer(status.HTTP_201_CREATED, reverse("campaign-detail", args=[campaign.pk]))
        return Response(CampaignRow(campaign).data, held.status, headers={"Location": held.location})

    @describe(
        _TAG, "一次核准", "期限与检查进度。", path=in_path("id", "核准编号", int), answer=CampaignRow,
        example=_CAMPAIGN,
    )  # fmt: skip
    def retrieve(self, request: Request, id: str) -> Response:
        read_query(request)
        return Response(CampaignRow(self._campaign(request, id)).data)

    @describe(
        _TAG, "核准进度", "一个单位的直接下级各一行：学校数、签署数与问题数。",
        path=in_path("id", "核准编号", int), query=ProgressQuery, answer=page_of(CampaignProgressRow),
        example={"results": [_LINE]} | _ONE_PAGE,
    )  # fmt: skip
    @action(detail=True, methods=["get"])
    def progress(self, request: Request, id: str) -> Response:
        user = self._user(request)
        wanted = read_query(request, ProgressQuery).get("office")
        campaign = self._campaign(request, id)
        lines = queries.progress(campaign, queries.office_in(user, str(wanted or "")), user).lines
        return page(request, CampaignProgressRow(lines, many=True).data, None, len(lines))

    @describe(
        _TAG, "重新检查", "再检查全部学校一遍；检查进行中的不能重复。", path=in_path("id", "核准编号", int),
        body=EmptyBody, sends={}, answer=CampaignRow, example=_CAMPAIGN | {"job_state": "waiting"},
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def again(self, request: Request, id: str) -> Response:
        read_query(request)
        campaign = self._campaign(request, id)
        self._note(request, campaign)
        read_body(request, EmptyBody)
        campaigns.check_again(campaign, actor=self._user(request))
        return Response(CampaignRow(self._campaign(request, id)).data)

    def _campaign(self, request: Request, pk: str) -> Any:
        return campaigns.campaign_for(self._user(request).acting_path, int(pk))


class VerificationViewSet(_ViewSet):
    """verifications/<id>/ of one school, with plan, close, check and sign."""

    @property
    def required_rights(self) -> tuple[Right, ...]:
        name = getattr(self, "action", "")
        if name == "sign":
            return (Right.REVIEW,)
        return (Right.VIEW_STUDENT,) if name == "retrieve" else (Right.EDIT_STUDENT,)

    @describe(
        _TAG, "一所学校的核准", "数字与签署。", path=in_path("id", "学校核准编号", int),
        answer=SchoolVerificationRow, example=_SCHOOL,
    )  # fmt: skip
    def retrieve(self, request: Request, id: str) -> Response:
        read_query(request)
        return Response(SchoolVerificationRow(self._school(request, id)).data)

    @describe(
        _TAG, "定出整改计划", "学校学籍管理员为若干问题定出计划和完成日期。",
        path=in_path("id", "学校核准编号", int), body=PlanBody, answer=SchoolVerificationRow, example=_SCHOOL,
        sends={"findings": [7001], "plan": "联系监护人办理复学", "due_on": "2026-12-01"},
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def plan(self, request: Request, id: str) -> Response:
        school, sent = self._school(request, id), read_body(request, PlanBody)
        acts.plan(
            school.campaign, school.org_path, sent["findings"], actor=self._user(request), text=sent["plan"],
            due_on=sent["due_on"],
        )  # fmt: skip
        return self._answer(request, id)

    @describe(
        _TAG, "问题销号", "学校学籍管理员写明做了什么；责令整改的由责令单位销号。",
        path=in_path("id", "学校核准编号", int), body=CloseFindingBody, answer=SchoolVerificationRow,
        example=_SCHOOL,
        sends={"findings": [7001], "how": "已办理复学，学生已编班"},
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def close(self, request: Request, id: str) -> Response:
        school, sent = self._school(request, id), read_body(request, CloseFindingBody)
        acts.close(
            school.campaign, school.org_path, sent["findings"], actor=self._user(request), how=sent["how"]
        )
        return self._answer(request, id)

    @describe(
        _TAG, "重新检查本校", "整改好的问题随即销号。", path=in_path("id", "学校核准编号", int),
        body=EmptyBody, sends={}, answer=SchoolVerificationRow, example=_SCHOOL,
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def check(self, request: Request, id: str) -> Response:
        school = self._school(request, id)
        read_body(request, EmptyBody)
        campaigns.check_own(school.campaign, school.school, actor=self._user(request))
        return self._answer(request, id)

    @describe(
        _TAG, "签署本校核准", "学校主管领导签署；有问题没有计划、有名册没有核对的不能签署。",
        path=in_path("id", "学校核准编号", int), body=EmptyBody, sends={}, answer=SchoolVerificationRow,
        example=_SCHOOL | {"state": "signed"},
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def sign(self, request: Request, id: str) -> Response:
        school = self._school(request, id)
        read_body(request, EmptyBody)
        sign(school, actor=self._user(request))
        return self._answer(request, id)

    def _school(self, request: Request, pk: str) -> SchoolVerification:
        read_query(request)
        found = queries.open_school(self._user(request), int(pk))
        self._note(request, found)
        return found

    def _answer(self, request: Request, pk: str) -> Response:
        return Response(SchoolVerificationRow(queries.open_school(self._user(request), int(pk))).data)


class FindingViewSet(_ViewSet):
    """findings/, findings/<id>/, with order, answer and close-order."""

    @property
    def required_rights(self) -> tuple[Right, ...]:
        name = getattr(self, "action", "")
        if name == "answer":
            return (Right.EDIT_STUDENT,)
        return (Right.INSPECT,) if name in ("order", "close_order") else (Right.VIEW_STUDENT,)

    @describe(
        _TAG, "核准问题", "一次核准在一个单位下发现的问题，新的在前。", query=FindingQuery,
        answer=page_of(FindingRow), example={"results": [_FINDING]} | _ONE_PAGE,
    )  # fmt: skip
    def list(self, request: Request) -> Response:
        user, query = self._user(request), read_query(request, FindingQuery)
        campaign = campaigns.campaign_for(user.acting_path, query["campaign"])
        assert campaign is not None  # noqa: S101  # campaign_for raises for one that is not hers
        office = queries.office_in(user, str(query.get("office", "")))
        found = queries.read_findings(campaign, office.path, user, request.query_params)
        pupils = [line["row"].student_id for line in found.rows if line["pupil"]]
        record_list("student", pupils, actor=user, route="finding-list")
        return page(request, FindingRow(found.rows, many=True).data, found.after, found.total)

    @describe(
        _TAG, "一条核准问题", "情况、计划、责令与报告。", path=in_path("id", "问题编号", int),
        answer=FindingRow, example=_FINDING,
    )  # fmt: skip
    def retrieve(self, request: Request, id: str) -> Response:
        return self._answer(request, self._finding(request, id))

    @describe(
        _TAG, "责令整改", "上级单位指明第二十六条的违规情形、要求和期限。",
        path=in_path("id", "问题编号", int), body=OrderBody, answer=FindingRow,
        example=_FINDING | {"offence": 3},
        sends={"offence": 3, "order": "补办复学手续并归档", "due_on": "2026-12-15"},
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def order(self, request: Request, id: str) -> Response:
        found, sent = self._finding(request, id), read_body(request, OrderBody)
        acts.order(
            found, actor=self._user(request), offence=sent["offence"], text=sent["order"],
            due_on=sent["due_on"],
        )  # fmt: skip
        return self._answer(request, self._finding(request, id))

    @describe(
        _TAG, "提交整改报告", "学校报告如何整改。", path=in_path("id", "问题编号", int), body=AnswerBody,
        answer=FindingRow, example=_FINDING | {"offence": 3}, sends={"answer": "已补办复学手续，材料已归档"},
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def answer(self, request: Request, id: str) -> Response:
        found, sent = self._finding(request, id), read_body(request, AnswerBody)
        acts.answer(found, actor=self._user(request), text=sent["answer"])
        return self._answer(request, self._finding(request, id))

    @describe(
        _TAG, "整改销号", "责令单位核对后销号。", path=in_path("id", "问题编号", int), body=CloseOrderBody,
        answer=FindingRow, example=_FINDING | {"state": "closed"}, sends={"how": "实地核对，已整改到位"},
    )  # fmt: skip
    @action(detail=True, methods=["post"], url_path="close-order")
    def close_order(self, request: Request, id: str) -> Response:
        found, sent = self._finding(request, id), read_body(request, CloseOrderBody)
        acts.close_order(found, actor=self._user(request), how=sent["how"])
        return self._answer(request, self._finding(request, id))

    def _finding(self, request: Request, pk: str) -> Finding:
        read_query(request)
        found = queries.open_finding(self._user(request), int(pk))
        self._note(request, found)
        return found

    def _answer(self, request: Request, found: Finding) -> Response:
        user = self._user(request)
        (line,) = queries.in_words([found], user)
        if line["pupil"]:
            record_list("student", [found.student_id or 0], actor=user, route="finding-detail")
        return Response(FindingRow(line).data)
