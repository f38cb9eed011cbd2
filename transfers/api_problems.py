"""问题学籍 over the API: the list, one with both sides, arbitration, reopening, the progress by office. Its
dispositions are kinds of cases: `POST cases/` with `problem_proof` or `problem_deletion`.
"""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api import Body, Id, Query, page, read_body, read_query
from accounts.models import Organization, User
from accounts.openapi import describe, in_path, page_of
from accounts.roles import Right
from audit.services import record_list, record_read
from config.errors import NotFound
from registry.codes import choices
from registry.models import ProblemRecord
from registry.queries.problems import SHOWS, Problem, read_problems
from registry.queries.sight import students_seen_by
from registry.services.problems import reopen
from transfers.kinds.problem_arbitration import VERDICTS
from transfers.problem_file import ProblemFile, SideFile, open_problem_file
from transfers.problem_progress import Progress, read_progress
from transfers.problems import arbitrate, judge_hint
from transfers.views.problems import visible_problem

_TAG = "问题学籍"
_BY_ID = in_path("id", "问题学籍编号", int)
_COUNTS = ("found", "school", "authority", "arbitration", "closed", "overdue")


class ProblemRow(serializers.Serializer[Any]):
    """One problem record on a list."""

    id = serializers.IntegerField(source="row.pk", help_text="编号")
    type = serializers.ChoiceField(choices("problem_record_type"), source="row.type", help_text="类型代码")
    detail = serializers.CharField(source="row.detail", help_text="说明")
    state = serializers.ChoiceField(
        [("problem", "待处理"), ("hint", "核对线索"), ("closed", "已销号")], help_text="状态"
    )
    disposition = serializers.ChoiceField(
        ProblemRecord.Disposition.choices, source="row.disposition", help_text="处置；未销号的为空"
    )
    in_arbitration = serializers.SerializerMethodField(help_text="是否等待国家级裁定")
    places = serializers.SerializerMethodField(help_text="双方所在；管理范围外的只到县")
    found_at = serializers.DateTimeField(source="row.found_at", help_text="发现时间")
    due_on = serializers.DateField(source="row.due_on", allow_null=True, help_text="学校办理截止日")
    closed_at = serializers.DateTimeField(source="row.closed_at", allow_null=True, help_text="销号时间")

    def get_in_arbitration(self, problem: Problem) -> bool:
        row = problem.row
        return bool(row.arbitration_no) and not row.verdict and row.closed_at is None

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_places(self, problem: Problem) -> list[str]:
        return [side.place for side in problem.sides]


class ProblemOffer(serializers.Serializer[Any]):
    kind = serializers.CharField(source="kind.code", help_text="业务代码，用于 POST cases/")
    why_not = serializers.CharField(help_text="现在不能办的原因；可办的为空")


class ProblemSide(serializers.Serializer[Any]):
    student = serializers.UUIDField(
        source="party.public_id", allow_null=True, help_text="学生；看不到的为 null"
    )
    place = serializers.CharField(source="party.place", help_text="学校，或所在县")
    standing = serializers.ChoiceField(ProblemRecord.Standing.choices, help_text="本方处置结果")
    progress = serializers.CharField(source="words", help_text="等待谁办理")
    cases = serializers.SerializerMethodField(help_text="看得到的办件号，新的在前")
    offers = ProblemOffer(many=True, help_text="本校可办的处置")

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_cases(self, side: SideFile) -> list[str]:
        return [one["number"] for one in side.cases]


class ProblemDetail(ProblemRow):
    """One problem record with both sides."""

    sides = ProblemSide(many=True, help_text="双方")
    differs = serializers.SerializerMethodField(help_text="双方不同的项目")
    verdict = serializers.ChoiceField(
        ProblemRecord.Verdict.choices, source="row.verdict", help_text="国家级裁定；没有的为空"
    )
    judged_by = serializers.CharField(source="row.judged_by", help_text="认定单位")
    judgement = serializers.CharField(source="row.judgement", help_text="认定意见")
    may_arbitrate = serializers.BooleanField(help_text="您是否可以裁定")
    may_judge = serializers.BooleanField(help_text="您的学校是否可以核对此线索")
    may_reopen = serializers.BooleanField(help_text="您是否可以重新打开")

    def to_representation(self, instance: ProblemFile) -> dict[str, Any]:
        return super().to_representation(_Flat(instance))

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_differs(self, flat: Any) -> list[str]:
        return [str(line.label) for line in flat.file.lines if line.differs]

    def get_places(self, flat: Any) -> list[str]:
        return [side.party.place for side in flat.file.sides]


class _Flat:
    """A file beside its problem, as the fields of both are listed in one."""

    def __init__(self, file: ProblemFile) -> None:
        self.file, self.row, self.state = file, file.problem.row, file.problem.state
        self.sides, self.may_arbitrate, self.may_reopen = file.sides, file.may_arbitrate, file.may_reopen
        self.may_judge = file.may_judge


class ProblemQuery(Query):
    show = serializers.ChoiceField(list(SHOWS.items()), required=False, help_text="缺省为待处理")
    after = Id(required=False, help_text="上一页最后一条的编号，取自 next")


class VerdictBody(Body):
    verdict = serializers.ChoiceField(VERDICTS, help_text="裁定")
    reason = serializers.CharField(max_length=400, help_text="理由，不少于 4 个字")


class HintBody(Body):
    is_same = serializers.BooleanField(help_text="是否同一人；是的，列为问题学籍")
    reason = serializers.CharField(max_length=400, help_text="理由，不少于 4 个字")


class ReopenBody(Body):
    reason = serializers.CharField(max_length=400, help_text="理由，不少于 4 个字")


class ProblemProgressQuery(Query):
    office = Id(required=False, help_text="机构编号，须在管理范围内；缺省为所选岗位的机构")


class ProblemProgressRow(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="机构编号")
    name = serializers.CharField(help_text="机构名称")
    found = serializers.IntegerField(help_text="发现")
    school = serializers.IntegerField(help_text="待学校办理")
    authority = serializers.IntegerField(help_text="待主管部门核办")
    arbitration = serializers.IntegerField(help_text="待国家级裁定")
    closed = serializers.IntegerField(help_text="已销号")
    overdue = serializers.IntegerField(help_text="待学校办理中超期的")


class ProblemProgressAnswer(serializers.Serializer[Any]):
    own = ProblemProgressRow(help_text="该机构")
    below = ProblemProgressRow(many=True, help_text="直接下级；跨单位的在双方各计一次")


_ROW = {
    "id": 512,
    "type": "3",
    "detail": "姓名、性别、出生日期相同",
    "state": "problem",
    "disposition": "",
    "in_arbitration": False,
    "places": ["示例市第一小学", "福田区"],
    "found_at": "2026-10-12T02:10:00+08:00",
    "due_on": "2026-10-26",
    "closed_at": None,
}
_SIDE = {
    "student": "01990000-1111-7222-8333-444455556666",
    "place": "示例市第一小学",
    "standing": "",
    "progress": "等待学校提出佐证、变更或删除",
    "cases": [],
    "offers": [{"kind": "problem_proof", "why_not": ""}],
}
_ONE = _ROW | {
    "sides": [_SIDE, _SIDE | {"student": None, "place": "福田区", "offers": []}],
    "differs": [],
    "verdict": "",
    "judged_by": "",
    "judgement": "",
    "may_arbitrate": False,
    "may_judge": False,
    "may_reopen": False,
}
_FIGURES = {
    "id": 3301, "name": "示例区教育局", "found": 9, "school": 3, "authority": 2, "arbitration": 1,
    "closed": 3, "overdue": 1,
}  # fmt: skip


class ProblemViewSet(ViewSet):
    """`problems/`, `problems/<id>/`, `arbitrate/`, `hint/`, `reopen/`, and `problems/progress/`."""

    lookup_field = "id"
    lookup_value_regex = "[0-9]{1,18}"

    @property
    def required_rights(self) -> tuple[str, ...]:
        acts: dict[str, tuple[str, ...]] = {
            "arbitrate": (Right.ARBITRATE,),
            "hint": (Right.FILE,),
            "reopen": (Right.DECIDE, Right.ARBITRATE),
        }
        return acts.get(self.action or "", (Right.VIEW_STUDENT,))

    @describe(
        _TAG,
        "问题学籍列表",
        "管理范围内的问题学籍，新的在前。每次查看留痕。",
        query=ProblemQuery,
        answer=page_of(ProblemRow),
        example={"results": [_ROW], "next": None, "total": 1, "total_is_exact": True},
    )
    def list(self, request: Request) -> Response:
        asked = read_query(request, ProblemQuery)
        user: Any = request.user
        found = read_problems(user, asked.get("show", "open"), str(asked.get("after", "")))
        shown = {side.student_id for problem in found.rows for side in problem.sides if side.student_id}
        record_list("student", sorted(shown), actor=user, route="problem-list")
        return page(request, ProblemRow(found.rows, many=True).data, found.after, found.total)

    @describe(_TAG, "一条问题学籍", "双方情况、进度和可办的处置。每次查看留痕。", path=_BY_ID,
              answer=ProblemDetail, example=_ONE)  # fmt: skip
    def retrieve(self, request: Request, id: str) -> Response:
        read_query(request)
        return self.answer(request, id)

    @describe(
        _TAG,
        "国家级裁定",
        "双方均已佐证的，裁定为两名学生，或同一学生并保留哪一方的学籍；另一方随后删除或变更。",
        path=_BY_ID,
        body=VerdictBody,
        sends={"verdict": "different", "reason": "经公安机关核实为两人"},
        answer=ProblemDetail,
        example=_ONE,
    )
    @action(detail=True, methods=["post"])
    def arbitrate(self, request: Request, id: str) -> Response:
        found, sent = self.subject(request, id), read_body(request, VerdictBody)
        arbitrate(found, sent["verdict"], sent["reason"], actor=_user(request))
        return self.answer(request, id)

    @describe(
        _TAG,
        "核对线索",
        "学校认定线索中的两人是否同一人：双方学校都认定不是的，销号，双方信息不变不再列出；是的，列为问题学籍。",
        path=_BY_ID,
        body=HintBody,
        sends={"is_same": False, "reason": "父母、户籍均不同"},
        answer=ProblemDetail,
        example=_ONE | {"state": "hint"},
    )
    @action(detail=True, methods=["post"])
    def hint(self, request: Request, id: str) -> Response:
        found, sent = self.subject(request, id), read_body(request, HintBody)
        judge_hint(found, sent["is_same"], sent["reason"], actor=_user(request))
        return self.answer(request, id)

    @describe(
        _TAG,
        "重新打开",
        "已佐证销号的，由主管部门写明理由重新打开；经仲裁的由国家级重新打开。双方须重新办理。",
        path=_BY_ID,
        body=ReopenBody,
        sends={"reason": "佐证材料不实"},
        answer=ProblemDetail,
        example=_ONE,
    )
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, id: str) -> Response:
        found, sent = self.subject(request, id), read_body(request, ReopenBody)
        reopen(found, sent["reason"], actor=_user(request))
        return self.answer(request, id)

    @describe(
        _TAG,
        "办理进度",
        "一个机构及其直接下级的问题学籍各在哪一步。",
        query=ProblemProgressQuery,
        answer=ProblemProgressAnswer,
        example={"own": _FIGURES, "below": [_FIGURES | {"id": 8801, "name": "示例市第一小学"}]},
    )
    @action(detail=False, methods=["get"])
    def progress(self, request: Request) -> Response:
        asked = read_query(request, ProblemProgressQuery)
        path = ""
        if office := asked.get("office"):
            path = Organization.objects.filter(pk=office).values_list("path", flat=True).first() or ""
            if not path:
                raise NotFound()
        return Response(_progress(read_progress(_user(request), path)))

    def subject(self, request: Request, pk: str) -> ProblemRecord:
        """The record an act is about; a refusal's trace names it."""
        read_query(request)
        found = visible_problem(_user(request), int(pk))
        request._request.subject = found  # type: ignore[attr-defined]
        return found

    def answer(self, request: Request, pk: str) -> Response:
        user = _user(request)
        file = open_problem_file(user, int(pk))
        ids = [side.party.student_id for side in file.sides if side.party.student_id]
        for student in students_seen_by(user).filter(pk__in=ids):
            record_read(student, actor=user, route="problem-detail", purpose=_TAG)
        return Response(ProblemDetail(file).data)


def _user(request: Request) -> User:
    user: Any = request.user
    return user


def _progress(found: Progress) -> Any:
    def row(office: Organization, counts: Any) -> dict[str, Any]:
        return {"id": office.pk, "name": office.name, **{name: getattr(counts, name) for name in _COUNTS}}

    below = [row(office, counts) for office, counts in found.below]
    return ProblemProgressAnswer({"own": row(found.office, found.own), "below": below}).data
