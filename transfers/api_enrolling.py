"""统一招生 over the API: the authority's result lists, and a school's admissions from placing to handing in
and claiming; the services of the pages. Who enrols by itself files a case of `enrolment`, see `cases/`.
"""

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
    Id,
    JSONBody,
    Query,
    StrictSerializer,
    claim_key,
    page,
    read_body,
    read_query,
)
from accounts.idempotency import Claim, body_digest, upload_digest
from accounts.openapi import describe, in_path, page_of
from accounts.roles import Right
from archives.services import find_uploads
from audit.services import record_list, record_read
from registry.enrolling import admissions, lists
from registry.models import Admission, AdmissionList
from registry.queries.imports import progress_of
from transfers import across, filing
from transfers.enrolling import place_admissions, submit_admissions
from transfers.kinds.enrolment_claim import ENROLMENT_CLAIM
from transfers.models import Case
from transfers.queries import open_case
from transfers.views.registration import own_school

_TAG = "招生入学"
PAGE = 100
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_LIST = in_path("public_id", "名单编号", OpenApiTypes.UUID)
_BY_ID = in_path("id", "录取编号", OpenApiTypes.INT)


class AdmissionQuery(Query):
    after = Id(required=False, help_text="翻页位置，取自上一页的 next")


class ResultsBody(StrictSerializer):
    file = serializers.FileField(help_text="按模板填好的 .xlsx：学籍号、姓名、毕业学校和录取学校标识码")


class PlaceLine(Body):
    id = Id(help_text="录取编号")
    class_id = Id(allow_null=True, help_text="编入的班级；null 表示撤去")


class PlacesBody(Body):
    places = PlaceLine(many=True, help_text="一次最多 1000 人")

    def validate_places(self, value: Any) -> Any:
        if not 0 < len(value) <= 1000:
            raise serializers.ValidationError("一次 1 至 1000 人。")
        return value


class DropBody(Body):
    reason = serializers.CharField(max_length=200, help_text="情况说明，至少 6 个字")


class ClaimBody(Body):
    other = Id(help_text="另一方学校，取自 doubles")
    statement = serializers.CharField(max_length=500, help_text="就读情况；另一方也能看到")
    materials = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=20,
        help_text="已上传材料的编号，须有在校就读证明（20）",
    )  # fmt: skip


class AdmissionListRow(serializers.Serializer[Any]):
    """One result list and what became of it."""

    id = serializers.UUIDField(source="public_id", help_text="名单编号")
    file_name = serializers.CharField(help_text="文件名")
    school_year = serializers.IntegerField(help_text="学年，取起始年份")
    state = serializers.ChoiceField(AdmissionList.State.choices, help_text="状态")
    rows = serializers.IntegerField(source="rows_total", help_text="已导入人数；有一处错误就一人也不导入")
    done = serializers.SerializerMethodField(help_text="已处理行数")
    total = serializers.SerializerMethodField(help_text="总行数，尚未读完为 0")
    failure = serializers.DictField(help_text="未导入的原因；findings 为逐行的问题。没有则为空对象")
    uploaded_by = serializers.CharField(source="created_by_name", help_text="上传人")
    uploaded_at = serializers.DateTimeField(source="created_at", help_text="上传时间")

    def get_done(self, made: AdmissionList) -> int:
        return progress_of(made.job).done

    def get_total(self, made: AdmissionList) -> int:
        return progress_of(made.job).total


class OtherSide(serializers.Serializer[admissions.Side]):
    school = serializers.IntegerField(help_text="学校编号")
    name = serializers.CharField(help_text="学校")
    said = serializers.CharField(help_text="该校说明，可能为空")


class AdmissionRow(serializers.Serializer[Any]):
    """One graduate whom a list gave to the school; `doubles` comes by the context."""

    id = serializers.IntegerField(help_text="录取编号")
    name = serializers.CharField(help_text="姓名")
    sex = serializers.CharField(help_text="性别代码")
    former_school = serializers.CharField(help_text="毕业学校")
    grade = serializers.CharField(help_text="升入年级代码")
    class_id = serializers.IntegerField(source="school_class_id", allow_null=True, help_text="编入班级")
    state = serializers.ChoiceField(Admission.State.choices, help_text="状态")
    case = serializers.CharField(source="case_no", help_text="报送的办件号，未报送为空")
    why = serializers.CharField(source="dropped_why", help_text="删除或退回的原因，可能为空")
    doubles = serializers.SerializerMethodField(help_text="也录取该生的学校（重复招生）")

    def get_doubles(self, row: Admission) -> Any:
        return OtherSide(self.context["doubles"].get(row.student_id, []), many=True).data


class PlacedAnswer(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="所编人数")
    case = serializers.CharField(help_text="编班即注册的地区，全部编班后自动报送的办件号；否则为空")


class FiledAnswer(serializers.Serializer[Case]):
    number = serializers.CharField(help_text="办件号，详见 cases/")
    count = serializers.IntegerField(help_text="人数")


_LISTED = {
    "id": "01990000-5555-7666-8777-888899990000", "file_name": "初中录取名单.xlsx", "school_year": 2026,
    "state": "done", "rows": 420, "done": 420, "total": 420, "failure": {}, "uploaded_by": "吴核准",
    "uploaded_at": "2026-08-20T09:30:00+08:00",
}  # fmt: skip
_ADMITTED = {
    "id": 512, "name": "林小鹿", "sex": "2", "former_school": "示例市第一小学", "grade": "21",
    "class_id": None, "state": "waiting", "case": "", "why": "",
    "doubles": [{"school": 3301, "name": "示例实验学校", "said": "已提交在校就读证明，等待主管部门裁定"}],
}  # fmt: skip


def _paged(example: Any) -> dict[str, Any]:
    return {"results": [example], "next": None, "total": 1, "total_is_exact": True}


class AdmissionListViewSet(ViewSet):
    """`/api/v1/admission-lists/`: upload, how far it is, every fault of every row."""

    lookup_field = "public_id"
    lookup_value_regex = _UUID
    required_rights = (Right.DECIDE,)

    def get_parsers(self) -> list[Any]:
        return [MultiPartParser()]

    @describe(
        _TAG, "录取名单", "本单位上传的统一招生录取名单，新的在前。", query=AdmissionQuery,
        answer=page_of(AdmissionListRow), example=_paged(_LISTED),
    )  # fmt: skip
    def list(self, request: Request) -> Response:
        user: Any = request.user
        after = read_query(request, AdmissionQuery).get("after")
        seen = lists.lists_of(user)
        rows = list((seen.filter(pk__lt=after) if after else seen)[: PAGE + 1])
        following = rows[PAGE - 1].pk if len(rows) > PAGE else None
        return page(request, AdmissionListRow(rows[:PAGE], many=True).data, following, seen.count())

    @describe(
        _TAG, "上传录取名单", "排队核对小升初底表、学校和应升年级；有一处错误就全部不导入，问题逐行列出。",
        body={"multipart/form-data": ResultsBody}, answer=AdmissionListRow, creates=True,
        example=_LISTED | {"state": "waiting", "rows": 0, "done": 0, "total": 0},
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        user: Any = request.user
        read_query(request)
        sent = read_body(request, ResultsBody)["file"]
        content = sent.read(settings.FILE_UPLOAD_MAX_MEMORY_SIZE)
        held = claim_key(request, "admissionlist-list", upload_digest(content, sent.name))
        if held.location:
            made = lists.open_list(user, held.location.rstrip("/").rsplit("/", 1)[1])
        else:
            made = lists.take_in(sent.name, content, actor=user)
            held.answer(status.HTTP_201_CREATED, reverse("admissionlist-detail", args=[str(made.public_id)]))
        return Response(AdmissionListRow(made).data, held.status, headers={"Location": held.location})

    @describe(
        _TAG,
        "一份录取名单",
        "状态、进度、核对出的问题。",
        path=_LIST,
        answer=AdmissionListRow,
        example=_LISTED,
    )
    def retrieve(self, request: Request, public_id: str) -> Response:
        user: Any = request.user
        read_query(request)
        return Response(AdmissionListRow(lists.open_list(user, public_id)).data)


class AdmissionViewSet(ViewSet):
    """`/api/v1/admissions/`: whom lists gave to the school; place, hand in, drop, claim."""

    lookup_field = "id"
    lookup_value_regex = "[0-9]{1,18}"
    required_rights = (Right.FILE,)
    naming_records = ("place",)
    parser_classes = (JSONBody,)

    @describe(
        _TAG, "录取学生", "统一招生录取到本校的毕业生，与另一所学校重复录取的写明对方。",
        query=AdmissionQuery, answer=page_of(AdmissionRow), example=_paged(_ADMITTED),
    )  # fmt: skip
    def list(self, request: Request) -> Response:
        user: Any = request.user
        after = read_query(request, AdmissionQuery).get("after", 0)
        seen = admissions.admissions_of(user)
        rows = list(seen.filter(pk__gt=after).order_by("pk")[: PAGE + 1])
        following, shown = (rows[PAGE - 1].pk if len(rows) > PAGE else None), rows[:PAGE]
        students = [row.student_id for row in shown]
        record_list("student", students, actor=user, route="admission-list")
        doubles = admissions.other_schools(students, user.acting_path)
        data = AdmissionRow(shown, many=True, context={"doubles": doubles}).data
        return page(request, data, following, seen.count())

    @describe(
        _TAG, "编班", "为录取学生选定班级；主管部门核准前不编入。编班即注册的地区，全部编班后自动报送。",
        body=PlacesBody, sends={"places": [{"id": 512, "class_id": 8801}]}, answer=PlacedAnswer,
        example={"count": 1, "case": ""}, creates=True,
    )  # fmt: skip
    @action(detail=False, methods=["post"])
    def place(self, request: Request) -> Response:
        user: Any = request.user
        read_query(request)
        sent = read_body(request, PlacesBody)["places"]
        wanted = {line["id"]: line["class_id"] or 0 for line in sent}
        held = claim_key(request, "admission-place", body_digest(sorted(wanted.items())))
        if not held.location:
            _changed, case = place_admissions(wanted, actor=user)
            address = reverse("case-detail", args=[case.number]) if case else reverse("admission-list")
            held.answer(status.HTTP_201_CREATED, address)
        number = "" if held.location == reverse("admission-list") else _number_in(held.location)
        answer = PlacedAnswer({"count": len(wanted), "case": number})
        return Response(answer.data, held.status, headers={"Location": held.location})

    @describe(
        _TAG, "报送", "已选班级、没有重复招生的学生成为一件统一招生入籍。", body=EmptyBody, sends={},
        answer=FiledAnswer, example={"number": "TZ260901000042", "count": 420}, creates=True,
    )  # fmt: skip
    @action(detail=False, methods=["post"])
    def submit(self, request: Request) -> Response:
        user: Any = request.user
        read_query(request)
        read_body(request, EmptyBody)
        held = claim_key(request, "admission-submit", body_digest({}))
        return _filed(user, held, None if held.location else submit_admissions(actor=user))

    @describe(
        _TAG, "删除", "该生不在本校就读，从本校名单删除。", path=_BY_ID, body=DropBody, answer=AdmissionRow,
        sends={"reason": "该生未到本校报到"}, example=_ADMITTED | {"state": "dropped", "doubles": []},
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def drop(self, request: Request, id: str) -> Response:
        user: Any = request.user
        row = _subject(request, id)
        admissions.drop(row, reason=read_body(request, DropBody)["reason"], actor=user)
        row.refresh_from_db()
        record_read(row, actor=user, route="admission-drop", purpose=_TAG)
        return Response(AdmissionRow(row, context={"doubles": {}}).data)

    @describe(
        _TAG, "重复招生核实", "该生在本校就读的，凭在校就读证明由主管部门裁定；核准后另一方的录取即告终止。",
        path=_BY_ID, body=ClaimBody, answer=FiledAnswer, creates=True,
        sends={
            "other": 3301, "statement": "9 月 1 日起每日在七(1)班上课",
            "materials": ["01990000-2222-7333-8444-555566667777"],
        },
        example={"number": "CZ260901000043", "count": 1},
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def claim(self, request: Request, id: str) -> Response:
        user: Any = request.user
        row, sent = _subject(request, id), read_body(request, ClaimBody)
        held = claim_key(request, "admission-claim", body_digest([id, sorted(map(str, sent.items()))]))
        case = None
        if not held.location:
            token = across.listed(row, user, route="admission-claim")
            student, _school = across.found(token, user)
            given = {"other": str(sent["other"]), "statement": sent["statement"]}
            papers = find_uploads(sent["materials"], actor=user)
            office = own_school(user)
            case = filing.file_pupil(ENROLMENT_CLAIM, office, student, given, actor=user, materials=papers)
        return _filed(user, held, case)


def _subject(request: Request, pk: str) -> Admission:
    """The row an act is about; a refusal's trace names it."""
    user: Any = request.user
    read_query(request)
    row = admissions.open_admission(user, int(pk))
    request._request.subject = row  # type: ignore[attr-defined]
    return row


def _number_in(location: str) -> str:
    return location.rstrip("/").rsplit("/", 1)[1]


def _filed(user: Any, held: Claim, case: Case | None) -> Response:
    """The case that was filed, now or by the first sending of the same key."""
    if case is None:
        case = open_case(user, _number_in(held.location))
    else:
        held.answer(status.HTTP_201_CREATED, reverse("case-detail", args=[case.number]))
    return Response(FiledAnswer(case).data, held.status, headers={"Location": held.location})
