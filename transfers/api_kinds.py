"""What can be filed over the API and what it asks: enough to build a form; and what filing would do."""

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api import Query, read_query
from accounts.models import Organization
from accounts.openapi import describe
from accounts.roles import Right
from audit.services import record_read
from config.errors import NotFound
from registry.models import Student
from transfers.api_shapes import ASKING, AnswerRow, ProposedRow, subject_key
from transfers.asking import Ask, Asking
from transfers.filing import Check, Preview
from transfers.kind import About, Kind
from transfers.views.registration import own_school

WIDGETS = ("text", "textarea", "date", "choice", "number")


class KindQuery(Query):
    student = serializers.UUIDField(
        required=False, help_text="本校学生的编号；给出后，本校学生各业务的选项随该生列出"
    )


class OptionRow(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="填写的代码")
    name = serializers.CharField(help_text="名称")

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {"code": str(instance[0]), "name": str(instance[1])}


class AskRow(serializers.Serializer[Any]):
    """One question of a procedure."""

    key = serializers.CharField(help_text="values 中的键")
    label = serializers.CharField(help_text="问题")  # type: ignore[assignment]
    widget = serializers.ChoiceField(WIDGETS, help_text="填法：文字、多行文字、日期、选项、整数")
    required = serializers.BooleanField(source="is_required", help_text="适用时是否必填")  # type: ignore[assignment]
    is_conditional = serializers.SerializerMethodField(help_text="是否只在某些回答之下提问")
    most = serializers.IntegerField(help_text="最多字数，用于文字")
    hint = serializers.CharField(help_text="说明，可能为空")
    options = serializers.SerializerMethodField(help_text="选项；随学生而定的，给出学生后才列出")

    @extend_schema_field(OptionRow(many=True))
    def get_options(self, ask: Ask) -> Any:
        asking: Asking | None = self.context["asking"]
        if ask.options is None or asking is None:
            return []
        return OptionRow(ask.options(asking), many=True).data

    def get_is_conditional(self, ask: Ask) -> bool:
        return ask.only_if is not None


class NeedRow(serializers.Serializer[Any]):
    label = serializers.CharField(help_text="材料")  # type: ignore[assignment]
    types = serializers.ListField(child=serializers.CharField(), help_text="材料类型代码，任一即可")
    rule = serializers.CharField(help_text="规则编号")


class KindRow(serializers.Serializer[Any]):
    """One procedure that can be filed by its answers."""

    code = serializers.CharField(help_text="业务代码")
    name = serializers.CharField(help_text="业务")
    group = serializers.CharField(help_text="分组")
    summary = serializers.CharField(help_text="办成后改变什么")
    article = serializers.CharField(help_text="依据条款")
    subject = serializers.SerializerMethodField(
        help_text="填 student（本校学生）还是 pupil（不在本校的学生）"
    )
    asks = serializers.SerializerMethodField(help_text="提问，按顺序")
    papers = serializers.SerializerMethodField(help_text="尚未回答时所需的材料；随回答增减，以试算为准")

    @extend_schema_field(AskRow(many=True))
    def get_asks(self, kind: Kind) -> Any:
        """A pupil elsewhere is found only when it is filed: her choices are those of the office."""
        office: Organization = self.context["office"]
        student: Student | None = self.context["student"]
        knows = kind.about == About.PUPIL_ELSEWHERE or student is not None
        own = student if kind.about == About.OWN_PUPIL else None
        return AskRow(kind.asks, many=True, context={"asking": Asking(office, own) if knows else None}).data

    @extend_schema_field({"type": "string", "enum": ["student", "pupil"]})
    def get_subject(self, kind: Kind) -> str:
        return subject_key(kind)

    @extend_schema_field(NeedRow(many=True))
    def get_papers(self, kind: Kind) -> Any:
        return NeedRow(kind.needs({"asked": {}}), many=True).data


@extend_schema_serializer(many=False)
class KindPage(serializers.Serializer[Any]):
    results = KindRow(many=True)


class PreviewCheck(serializers.Serializer[Check]):
    code = serializers.CharField(source="requirement.code", help_text="代码")
    label = serializers.CharField(source="requirement.label", help_text="条件")  # type: ignore[assignment]
    rule = serializers.CharField(source="requirement.rule", help_text="规则编号")
    article = serializers.CharField(source="requirement.article", help_text="依据条款")
    is_met = serializers.SerializerMethodField(help_text="是否满足")
    detail = serializers.CharField(source="why", help_text="不满足的原因和办法，或仅作提示的疑点；满足为空")
    may_exempt = serializers.BooleanField(help_text="能否申请例外")

    def get_is_met(self, check: Check) -> bool:
        return not check.stops


class PreviewStep(serializers.Serializer[Any]):
    label = serializers.CharField(source="stop.label", help_text="环节")  # type: ignore[assignment]
    office = serializers.CharField(
        source="office_name", help_text="办理单位；不在本单位范围内的学校只写所在县区"
    )
    days = serializers.IntegerField(help_text="到达后的工作日")


class PreviewDetail(serializers.Serializer[Preview]):
    """What filing would do."""

    is_ready = serializers.BooleanField(help_text="材料齐全，条件满足或可申请例外")
    answers = AnswerRow(source="said", many=True)
    proposed = ProposedRow(source="changes", many=True)
    checks = PreviewCheck(many=True)
    missing = serializers.ListField(child=serializers.CharField(), help_text="缺少的材料")
    route = PreviewStep(many=True)


_EXAMPLE = {
    "code": "aid",
    "name": "家庭经济困难认定",
    "group": "信息变更",
    "summary": "学校提出，主管部门核准后自动生效，到期自动失效。",
    "article": "家庭经济困难学生认定办法",
    "subject": "student",
    "asks": [
        {
            "key": "level",
            "label": "认定等级",
            "widget": "choice",
            "required": True,
            "is_conditional": False,
            "most": 200,
            "hint": "",
            "options": [{"code": "1", "name": "特别困难"}],
        }
    ],
    "papers": [{"label": "困难认定申请表或佐证材料", "types": ["31", "99"], "rule": "D17"}],
}


class KindViewSet(ViewSet):
    """`/api/v1/kinds/`: the procedures that are filed by their answers."""

    required_rights = (Right.FILE, Right.DECIDE)

    @describe(
        "办件",
        "业务和提问",
        "您所在单位能按提问发起的业务：提问、选项、材料和依据，可据此生成表单。",
        query=KindQuery,
        answer=KindPage,
        example={"results": [_EXAMPLE]},
    )
    def list(self, request: Request) -> Response:
        user: Any = request.user
        public_id = read_query(request, KindQuery).get("student")
        student: Student | None = None
        if public_id is not None:
            student = Student.objects.visible_to(user, Right.VIEW_STUDENT).filter(public_id=public_id).first()
            if student is None:
                raise NotFound()
            record_read(student, actor=user, route="kind-list")
        kinds = [kind for kind in ASKING if user.may_act_at(kind.right, user.acting_path)]
        rows = KindRow(kinds, many=True, context={"office": own_school(user), "student": student})
        return Response({"results": rows.data})
