"""What the API says about cases, and what it takes: fields one by one (AZ-5), each described."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api import Body, Id, Query
from transfers.batchfile import BatchFile
from transfers.casefile import CaseFile
from transfers.forms import ASKED, ASKED_KEYS
from transfers.intake import MOST_RETURNED
from transfers.kind import About, Advice, Kind
from transfers.kinds import KINDS
from transfers.kinds.allowances import ALLOWANCE_CHANGE
from transfers.kinds.identity_change import IDENTITY_CHANGE
from transfers.kinds.registration import REGISTRATION
from transfers.models import Case, Step

CASE_KINDS = [(kind.code, str(kind.name)) for kind in KINDS.values()]
# What can be filed by its answers; photos, batches and matters of offices have ways of their own.
ASKING = [kind for kind in KINDS.values() if kind.about != About.OTHER]
_FILED = [(kind.code, str(kind.name)) for kind in (REGISTRATION, IDENTITY_CHANGE, ALLOWANCE_CHANGE, *ASKING)]
_ANSWERS = {ask.key: str(ask.label) for kind in (ALLOWANCE_CHANGE, *ASKING) for ask in kind.asks}
NUMBER = "[A-Z]{2}[0-9]{6,18}"


# ── Taken ────────────────────────────────────────
@extend_schema_field(
    {
        "type": "object",
        "properties": {
            key: {"type": "string", "maxLength": 1000, "description": words}
            for key, words in ({field.key: field.label_zh for field in ASKED} | _ANSWERS).items()
        },
        "additionalProperties": False,
    }
)
class Values(serializers.DictField):
    """The form's values by key, as typed: of a registration codes or labels, else the answers."""

    child = serializers.CharField(allow_blank=True, max_length=1000)

    def to_internal_value(self, data: Any) -> Any:
        given = super().to_internal_value(data)
        if unknown := sorted(set(given) - ASKED_KEYS - _ANSWERS.keys()):
            raise serializers.ValidationError({key: ["不认识的字段。"] for key in unknown})
        return given


class Sought(Body):
    """A pupil elsewhere, named exactly (R-TRF-08); each look-up is counted and recorded."""

    name = serializers.CharField(max_length=100, help_text="姓名，与学籍登记完全一致")
    number = serializers.CharField(
        max_length=40, help_text="完整的学籍号；还没有 G 号的，填 L 号或身份证件号"
    )


class FilingBody(Body):
    """A new case: a registration with its class, a pupil of the own school, or one found elsewhere."""

    kind = serializers.ChoiceField(_FILED, help_text="业务")
    student = serializers.UUIDField(default=None, allow_null=True, help_text="本校学生的编号")
    pupil = Sought(default=None, allow_null=True, help_text="不在本校的学生：转学、借读等业务填写")
    class_id = Id(default=None, allow_null=True, help_text="编入的班级，仅学籍注册填写")
    values = Values(  # type: ignore[assignment]
        help_text="学籍注册：登记表各项，填代码或名称；其他业务：对各项提问的回答，见 /api/v1/kinds/"
    )
    materials = serializers.ListField(
        child=serializers.UUIDField(), max_length=20, default=list, help_text="已上传材料的编号"
    )
    is_disputed = serializers.BooleanField(default=False, help_text="证件号码存疑，凭佐证登记")
    distinct_reason = serializers.CharField(
        default="", allow_blank=True, max_length=200, help_text="查到同名同日生的学籍时，确认不是同一人的依据"
    )
    deferred_until = serializers.DateField(
        default=None, allow_null=True, help_text="监护人申请延期注册的，届时办理的日期"
    )
    exempt = serializers.ListField(
        child=serializers.CharField(max_length=40), max_length=20, default=list,
        help_text="申请例外的条件代码",
    )  # fmt: skip
    exempt_reason = serializers.CharField(
        default="", allow_blank=True, max_length=300, help_text="申请例外的理由，勿写证件号码"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Each sort of kind names whom it is about in its own way, and in no other."""
        wanted = subject_key(KINDS[attrs["kind"]])
        wrong = {
            key: [_NEEDED if key == wanted else _NOT_HERE]
            for key in SUBJECTS.values()
            if (attrs.get(key) is not None) != (key == wanted)
        }
        if wrong:
            raise serializers.ValidationError(wrong)
        return attrs


SUBJECTS = {About.OTHER: "class_id", About.OWN_PUPIL: "student", About.PUPIL_ELSEWHERE: "pupil"}
# Kinds with a form of their own: about an own pupil, or about the school itself.
_OWN_WAY = {IDENTITY_CHANGE.code: "student", ALLOWANCE_CHANGE.code: ""}


def subject_key(kind: Kind) -> str:
    """The field that names whom a filing of `kind` is about; empty when it is about the school."""
    return _OWN_WAY.get(kind.code, SUBJECTS[kind.about])


_NEEDED, _NOT_HERE = "该业务必须填写此项。", "该业务不填写此项。"


class DecisionBody(Body):
    decision = serializers.ChoiceField(Step.Decision.choices, help_text="决定")
    reason = serializers.CharField(
        default="", allow_blank=True, max_length=400, help_text="意见；退回和不同意必填，不少于 4 个字"
    )
    ticked = serializers.ListField(
        child=serializers.CharField(max_length=2), max_length=30, default=list, help_text="已核对的材料类型"
    )
    granted = serializers.ListField(
        child=serializers.CharField(max_length=40), max_length=20, default=list,
        help_text="准予例外的条件代码；须同时写明意见",
    )  # fmt: skip


class WithdrawalBody(Body):
    reason = serializers.CharField(
        default="", allow_blank=True, max_length=400, help_text="撤回理由，不少于 4 个字"
    )


class ReturnBody(Body):
    rows = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=999_999), min_length=1,
        max_length=MOST_RETURNED, help_text="要退回的学生在导入文件中的行号",
    )  # fmt: skip
    reason = serializers.CharField(
        default="", allow_blank=True, max_length=400, help_text="退回理由，不少于 4 个字"
    )


class CaseQuery(Query):
    kind = serializers.ChoiceField(CASE_KINDS, required=False, help_text="业务")
    state = serializers.ChoiceField(Case.State.choices, required=False, help_text="状态")
    after = serializers.RegexField(f"^{NUMBER}$", required=False, help_text="翻页位置，取自上一页的 next")


# ── Said ────────────────────────────────────────
class CaseRow(serializers.Serializer[Any]):
    number = serializers.CharField(help_text="办件号")
    kind = serializers.ChoiceField(CASE_KINDS, help_text="业务")
    state = serializers.ChoiceField(Case.State.choices, help_text="状态")
    pupil = serializers.CharField(help_text="学生姓名；不予通过后不再保存，为空")
    to = serializers.CharField(source="to_name", help_text="去向单位")
    waits_at = serializers.CharField(source="at", allow_null=True, help_text="等待办理的单位")
    due_on = serializers.DateField(allow_null=True, help_text="当前环节的截止日")
    filed_by = serializers.CharField(source="filed_by_name", help_text="发起人")
    filed_at = serializers.DateTimeField(help_text="发起时间")
    ended_at = serializers.DateTimeField(allow_null=True, help_text="办结时间")

    def get_fields(self) -> dict[str, Any]:
        # `from` is a word of Python's own.
        origin = serializers.CharField(source="from_name", help_text="来源单位")
        return {**super().get_fields(), "from": origin}


class Place(serializers.Serializer[Any]):
    path = serializers.CharField(help_text="机构路径")
    name = serializers.CharField(help_text="机构名称")


class Card(serializers.Serializer[Any]):
    """The pupil as the case carries her; empty once erased."""

    name = serializers.CharField(default="", help_text="姓名")
    sex = serializers.CharField(default="", help_text="性别")
    birth_on = serializers.CharField(default="", help_text="出生日期")
    id_mask = serializers.CharField(default="", help_text="证件号码，已遮盖")


class StepRow(serializers.Serializer[Any]):
    ordinal = serializers.IntegerField(source="step.ordinal", help_text="顺序")
    label = serializers.CharField(source="step.label", help_text="环节")  # type: ignore[assignment]
    office = serializers.CharField(source="step.office_name", help_text="办理单位")
    is_current = serializers.BooleanField(source="step.is_current", help_text="是否正在等待这一环节")
    due_on = serializers.DateField(source="step.due_on", allow_null=True, help_text="截止日")
    decision = serializers.ChoiceField(
        Step.Decision.choices, source="step.decision", allow_blank=True, help_text="决定；未决定为空"
    )
    decided_by = serializers.CharField(source="step.decided_by_name", help_text="办理人，可能为空")
    decided_at = serializers.DateTimeField(source="step.decided_at", allow_null=True, help_text="办理时间")
    reason = serializers.CharField(source="step.reason", help_text="意见，可能为空")


class CheckRow(serializers.Serializer[Any]):
    """One condition and whether it is met; the pair comes from `CaseFile.checks`."""

    code = serializers.CharField(help_text="代码")
    label = serializers.CharField(help_text="条件")  # type: ignore[assignment]
    rule = serializers.CharField(help_text="规则编号")
    article = serializers.CharField(help_text="依据条款")
    is_met = serializers.BooleanField(help_text="是否满足")
    detail = serializers.CharField(help_text="不满足的原因和办法，或仅作提示的疑点；满足为空")

    def to_representation(self, instance: Any) -> dict[str, Any]:
        requirement, why = instance
        own = {name: str(getattr(requirement, name)) for name in ("code", "label", "rule", "article")}
        return own | {"is_met": not why or isinstance(why, Advice), "detail": str(why)}


class MaterialRow(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="material.public_id", help_text="材料编号")
    type = serializers.CharField(help_text="材料类型代码；照片为空")
    label = serializers.CharField(help_text="材料类型")  # type: ignore[assignment]


class ClassCount(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="班级")
    grade = serializers.CharField(help_text="年级")
    boys = serializers.IntegerField(help_text="本批男生")
    girls = serializers.IntegerField(help_text="本批女生")
    taken = serializers.IntegerField(source="seats.taken", help_text="班内共有")
    cap = serializers.IntegerField(source="seats.cap", help_text="上限")


class DoubtCount(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="项目")
    message = serializers.CharField(help_text="提示")
    rule = serializers.CharField(help_text="规则编号")
    rows = serializers.IntegerField(help_text="行数")


class BatchDetail(serializers.Serializer[BatchFile]):
    """The pupils of a batch in figures."""

    id = serializers.UUIDField(source="batch.public_id", help_text="导入批次编号")
    count = serializers.IntegerField(help_text="待注册人数，不含已单独退回的")
    returned = serializers.IntegerField(help_text="已单独退回的人数")
    is_attested = serializers.BooleanField(help_text="学校是否确认已核验证件原件")
    classes = ClassCount(many=True)
    ages = serializers.SerializerMethodField(help_text="本学年 9 月 1 日的周岁 → 人数")
    groups = serializers.SerializerMethodField(help_text="各类学生的人数")
    doubts = DoubtCount(many=True)

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "integer"}})
    def get_ages(self, file: BatchFile) -> dict[str, int]:
        return {str(age): count for age, count in file.ages}

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "integer"}})
    def get_groups(self, file: BatchFile) -> dict[str, int]:
        return {key: count for key, _words, count in file.groups}


class May(serializers.Serializer[CaseFile]):
    """What she may do now, or why not and who can."""

    decide = serializers.SerializerMethodField(help_text="现在能否作出决定")
    withdraw = serializers.BooleanField(source="may_withdraw", help_text="现在能否撤回")
    why_not = serializers.CharField(help_text="不能决定的原因和由谁办理，可能为空")

    def get_decide(self, file: CaseFile) -> bool:
        return file.turn is not None


class AnswerRow(serializers.Serializer[Any]):
    """One question of the procedure with its answer; the pair comes from `CaseFile.answers`."""

    question = serializers.CharField(help_text="问题")
    answer = serializers.CharField(help_text="回答")

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {"question": str(instance[0]), "answer": str(instance[1])}


class ProposedRow(serializers.Serializer[Any]):
    label = serializers.CharField(help_text="项目")  # type: ignore[assignment]
    before = serializers.CharField(help_text="现登记")
    after = serializers.CharField(help_text="拟变更为；证件号码已遮盖")


class CaseDetail(serializers.Serializer[CaseFile]):
    """One case in words, as its page shows it."""

    number = serializers.CharField(source="case.number", help_text="办件号")
    kind = serializers.ChoiceField(CASE_KINDS, source="case.kind", help_text="业务")
    state = serializers.ChoiceField(Case.State.choices, source="case.state", help_text="状态")
    sentence = serializers.CharField(help_text="状态的一句话说明")
    to = serializers.SerializerMethodField(help_text="去向单位")
    pupil = Card(source="card")
    student = serializers.UUIDField(
        source="student.public_id", allow_null=True, default=None, help_text="学生编号；看不到学籍的为 null"
    )
    filed_by = serializers.CharField(source="case.filed_by_name", help_text="发起人")
    filed_at = serializers.DateTimeField(source="case.filed_at", help_text="发起时间")
    ended_at = serializers.DateTimeField(source="case.ended_at", allow_null=True, help_text="办结时间")
    rulebook = serializers.CharField(source="case.rulebook", help_text="发起时的规则版本")
    batch = BatchDetail(allow_null=True, help_text="批量学籍注册的统计；单个学生的办件为 null")
    answers = AnswerRow(many=True, help_text="填写内容；信息清除后为空")
    proposed = ProposedRow(source="changes", many=True, help_text="变更前后对照")
    steps = StepRow(source="stages", many=True)
    checks = CheckRow(many=True, help_text="办理条件")
    exceptions = serializers.SerializerMethodField(help_text="等您决定是否准予例外的条件代码")
    materials = MaterialRow(source="papers", many=True)
    may = May(source="*")

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "from": serializers.SerializerMethodField(method_name="get_origin")}

    def get_exceptions(self, file: CaseFile) -> list[str]:
        return [requirement.code for requirement, _why in file.exceptions]

    @extend_schema_field(Place)
    def get_origin(self, file: CaseFile) -> dict[str, str]:
        return {"path": file.case.from_path, "name": file.case.from_name}

    @extend_schema_field(Place)
    def get_to(self, file: CaseFile) -> dict[str, str]:
        return {"path": file.case.to_path, "name": file.case.to_name}
