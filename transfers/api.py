"""Cases over the API: the services and queries of the pages, acts instead of updates (ARCHITECTURE 9)."""

from typing import Any

from django.urls import reverse
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api import claim_key, page, read_body, read_query
from accounts.idempotency import body_digest
from accounts.models import User
from accounts.openapi import describe, in_path, page_of
from accounts.roles import Right
from accounts.step_up import require_step_up
from archives.services import find_uploads
from audit.services import record_list, record_read
from config.errors import BadRequest, NotFound
from registry.models import Student
from transfers import across, filing, services
from transfers.api_kinds import PreviewDetail
from transfers.api_shapes import (
    NUMBER,
    CaseDetail,
    CaseQuery,
    CaseRow,
    DecisionBody,
    FilingBody,
    ReturnBody,
    WithdrawalBody,
)
from transfers.asking import Asking, take_answers
from transfers.casefile import open_file
from transfers.intake import return_rows
from transfers.key_data import propose
from transfers.kind import About, Kind
from transfers.kinds import KINDS
from transfers.kinds.allowances import ALLOWANCE_CHANGE
from transfers.kinds.identity_change import IDENTITY_CHANGE
from transfers.models import Case
from transfers.queries import SIGNING, STARTERS, open_case, read_cases, read_filters
from transfers.views.registration import own_school

_RIGHTS = {
    "create": STARTERS,
    "preview": STARTERS,
    "withdraw": STARTERS,
    "decide": SIGNING,
    "return_rows": (Right.REVIEW, Right.DECIDE, Right.FILE),
}
_TAG = "办件"
_BY_NUMBER = in_path("number", "办件号", pattern=f"^{NUMBER}$")

_EXAMPLE_ROW = {
    "number": "ZC260901000042",
    "kind": "registration",
    "state": "waiting",
    "pupil": "林小鹿",
    "to": "示例市第一小学",
    "waits_at": "示例区教育局",
    "due_on": "2026-09-15",
    "filed_by": "周登记",
    "filed_at": "2026-09-01T09:30:00+08:00",
    "ended_at": None,
    "from": "示例市第一小学",
}
_EXAMPLE_PLACE = {"path": "CN.44.03.05.2144000001.", "name": "示例市第一小学"}
_EXAMPLE = {
    "number": "ZC260901000042",
    "kind": "registration",
    "state": "waiting",
    "sentence": "等待示例区教育局办理“主管部门核准”。",
    "to": _EXAMPLE_PLACE,
    "pupil": {"name": "林小鹿", "sex": "女性", "birth_on": "2019-10-15", "id_mask": "440305********0025"},
    "student": "01990000-1111-7222-8333-444455556666",
    "filed_by": "周登记",
    "filed_at": "2026-09-01T09:30:00+08:00",
    "ended_at": None,
    "rulebook": "2025.2+17",
    "batch": None,
    "answers": [{"question": "认定等级", "answer": "特别困难"}],
    "proposed": [{"label": "学籍状态", "before": "在读", "after": "休学"}],
    "steps": [
        {
            "ordinal": 1,
            "label": "学校领导审核",
            "office": "示例市第一小学",
            "is_current": False,
            "due_on": "2026-09-15",
            "decision": "approve",
            "decided_by": "郑校长",
            "decided_at": "2026-09-01T15:00:00+08:00",
            "reason": "",
        }
    ],
    "checks": [
        {
            "code": "seat",
            "label": "班额未超",
            "rule": "C5",
            "article": "国家班额标准",
            "is_met": True,
            "detail": "",
        }
    ],
    "exceptions": [],
    "materials": [
        {"id": "01990000-2222-7333-8444-555566667777", "type": "01", "label": "居民户口簿"},
    ],
    "may": {"decide": False, "withdraw": True, "why_not": "应由示例区教育局办理(吴核准 0755-26000000)。"},
    "from": _EXAMPLE_PLACE,
}
_EXAMPLE_FILING = {
    "kind": "registration",
    "class_id": 8801,
    "values": {"name": "林小鹿", "sex": "女", "birth_on": "2019-10-15", "id_type": "居民身份证"},
    "materials": ["01990000-2222-7333-8444-555566667777"],
}
_EXAMPLE_PREVIEW = {
    "is_ready": True,
    "answers": [{"question": "认定等级", "answer": "特别困难"}],
    "proposed": [],
    "checks": [
        {
            "code": "status",
            "label": "在籍学生",
            "rule": "D17",
            "article": "家庭经济困难学生认定办法",
            "is_met": True,
            "detail": "",
            "may_exempt": False,
        }
    ],
    "missing": [],
    "route": [{"label": "学校领导审核", "office": "示例市第一小学", "days": 10}],
}


class CaseViewSet(ViewSet):
    """`/api/v1/cases/`: list (`kind`, `state`; `after` = last number), one, file, decide, withdraw."""

    lookup_field = "number"
    lookup_value_regex = NUMBER
    naming_records = ("create", "preview")  # by `student`

    @property
    def required_rights(self) -> tuple[str, ...]:
        return _RIGHTS.get(self.action or "", (Right.VIEW_CASE,))

    @describe(
        _TAG,
        "办件列表",
        "管理范围内的办件，新的在前。每次查看留痕。",
        query=CaseQuery,
        answer=page_of(CaseRow),
        example={"results": [_EXAMPLE_ROW], "next": None, "total": 1, "total_is_exact": True},
    )
    def list(self, request: Request) -> Response:
        user: Any = request.user
        read_query(request, CaseQuery)
        query = request.query_params
        found = read_cases(user, read_filters(query), query.get("after", ""))
        record_list("case", [row["id"] for row in found.rows], actor=user, route="case-list")
        return page(request, CaseRow(found.rows, many=True).data, found.after, found.total)

    @describe(
        _TAG,
        "办件详情",
        "一个办件：环节、条件、材料，以及您现在能做什么、不能做时由谁办理。每次查看留痕。",
        path=_BY_NUMBER,
        answer=CaseDetail,
        example=_EXAMPLE,
    )
    def retrieve(self, request: Request, number: str) -> Response:
        user: Any = request.user
        read_query(request)
        return Response(self.read(user, open_case(user, number)))

    @describe(
        _TAG,
        "发起业务",
        "与页面同一业务：学籍注册填 class_id，本校学生的业务填 student，转学、借读等填 pupil。"
        "校验、查重、材料与条件不符时逐项说明，不留下任何内容。",
        body=FilingBody,
        sends=_EXAMPLE_FILING,
        answer=CaseDetail,
        example=_EXAMPLE,
        creates=True,
    )
    def create(self, request: Request) -> Response:
        user: Any = request.user
        read_query(request)
        held = claim_key(request, "case-list", body_digest(request.data))
        if held.location:
            first = open_case(user, held.location.rstrip("/").rsplit("/", 1)[1])
            return Response(self.read(user, first), held.status, headers={"Location": held.location})
        case = file_given(user, read_body(request, FilingBody))
        location = reverse("case-detail", args=[case.number])
        held.answer(status.HTTP_201_CREATED, location)
        case.refresh_from_db()
        return Response(self.read(user, case), status.HTTP_201_CREATED, headers={"Location": location})

    @describe(
        _TAG,
        "试算",
        "发起之前看会怎样：条件是否满足、还缺什么材料、由谁办理、改变什么。不留下办件；查找外校学生计入次数。",
        body=FilingBody,
        sends={
            "kind": "aid",
            "student": "01990000-1111-7222-8333-444455556666",
            "values": {"level": "1"},
        },
        answer=PreviewDetail,
        example=_EXAMPLE_PREVIEW,
    )
    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        user: Any = request.user
        read_query(request)
        given = read_body(request, FilingBody)
        kind = KINDS[given["kind"]]
        if kind.about == About.OTHER:
            raise BadRequest(why="kind")
        student, found = subject_of(user, kind, given)
        made = filing.preview(
            kind,
            own_school(user),
            student,
            given["values"],
            actor=user,
            materials=find_uploads(given["materials"], actor=user),
            found=found,
        )
        return Response(PreviewDetail(made).data)

    @describe(
        _TAG,
        "作出决定",
        "同意、退回补正或不同意当前环节，与页面的按钮同一业务。两人同时办理时，后到的得到 409。",
        path=_BY_NUMBER,
        body=DecisionBody,
        sends={"decision": "approve", "ticked": ["01"]},
        answer=CaseDetail,
        example=_EXAMPLE,
    )
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, number: str) -> Response:
        user: Any = request.user
        case = self.subject(request, user, number)
        if KINDS[case.kind].steps_up:
            require_step_up(request._request)
        services.decide(case, actor=user, **read_body(request, DecisionBody))
        return Response(self.read(user, open_case(user, number)))

    @describe(
        _TAG,
        "撤回",
        "发起单位撤回尚未办结的办件，须写明理由。",
        path=_BY_NUMBER,
        body=WithdrawalBody,
        sends={"reason": "家长改变主意，暂不入学。"},
        answer=CaseDetail,
        example=_EXAMPLE | {"state": "withdrawn", "sentence": "发起单位已撤回。"},
    )
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, number: str) -> Response:
        user: Any = request.user
        case = self.subject(request, user, number)
        services.withdraw(case, actor=user, **read_body(request, WithdrawalBody))
        return Response(self.read(user, open_case(user, number)))

    @describe(
        _TAG,
        "退回单个学生",
        "从批量学籍注册中退回部分学生，其余继续办理；退回的学生各成一件，由学校补正后单独重新提交。",
        path=_BY_NUMBER,
        body=ReturnBody,
        sends={"rows": [12, 15], "reason": "姓名与户口簿不一致"},
        answer=CaseDetail,
        example=_EXAMPLE,
    )
    @action(detail=True, methods=["post"], url_path="return-rows")
    def return_rows(self, request: Request, number: str) -> Response:
        user: Any = request.user
        case = self.subject(request, user, number)
        sent = read_body(request, ReturnBody)
        return_rows(case, sent["rows"], actor=user, reason=sent["reason"])
        return Response(self.read(user, open_case(user, number)))

    def subject(self, request: Request, user: User, number: str) -> Case:
        """The case an act is about; a refusal's trace names it."""
        read_query(request)
        case = open_case(user, number)
        request._request.subject = case  # type: ignore[attr-defined]
        return case

    def read(self, user: User, case: Case) -> Any:
        """One case in words, with its trace (RD-3)."""
        record_read(case, actor=user, route="case-detail", purpose=KINDS[case.kind].name)
        return CaseDetail(open_file(case, user)).data


def file_given(user: User, given: dict[str, Any]) -> Case:
    """File what the body says, each sort of kind in its own way."""
    kind, office = KINDS[given["kind"]], own_school(user)
    materials = find_uploads(given["materials"], actor=user)
    if kind.code == ALLOWANCE_CHANGE.code:
        answers = take_answers(kind, given["values"], Asking(office))
        return services.file_case(kind, office, actor=user, materials=materials, answers=answers)
    if kind.code == IDENTITY_CHANGE.code:
        student, _found = subject_of(user, kind, given)
        return propose(student, office, given["values"], actor=user, materials=materials)
    if kind.about == About.OTHER:
        deferred = given["deferred_until"].isoformat() if given["deferred_until"] else ""
        payload = {key: given[key] for key in ("class_id", "is_disputed", "distinct_reason")}
        return services.file_case(
            kind,
            office,
            actor=user,
            materials=materials,
            payload=payload | {"deferred_until": deferred},
            values=given["values"],
            class_id=given["class_id"],
        )
    student, _found = subject_of(user, kind, given)
    return filing.file_pupil(
        kind,
        office,
        student,
        given["values"],
        actor=user,
        materials=materials,
        exempt=given["exempt"],
        exempt_reason=given["exempt_reason"],
    )


def subject_of(user: User, kind: Kind, given: dict[str, Any]) -> tuple[Student, across.Found | None]:
    """The pupil a filing is about; one elsewhere with the card that the look-up gives."""
    if kind.about == About.PUPIL_ELSEWHERE:
        card = filing.find_elsewhere(kind, user, **given["pupil"], route="case-list")
        return across.found(card.token, user)[0], card
    seen = Student.objects.visible_to(user, Right.VIEW_STUDENT)
    student: Student | None = seen.filter(public_id=given["student"]).first()
    if student is None:
        raise NotFound()
    return student, None
