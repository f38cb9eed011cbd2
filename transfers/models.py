"""Cases: whatever needs somebody's decision (ARCHITECTURE 4)."""

from datetime import date
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from archives.models import Material
from config.crypto import seal_json, unseal_json
from config.scope import BothPathsQuerySet, PathField, common_path
from registry.models import GraduationRow, ImportBatch, ImportRow, Student


def rows_of(batch_id: int | None) -> Any:
    """Rows of a batch whose pupils its case decides on; a returned row has left it."""
    in_case = ImportRow.objects.filter(batch=batch_id, student__isnull=False, returned_case="")
    return in_case.exclude(action=ImportRow.Action.WRONG)


class Case(models.Model):
    """One matter that waits for decisions: about one pupil, about a batch of pupils, or about neither.

    It carries its own copy of the pupil's card: a join to a row that the wall hides would hide the case as
    well. A case without a pupil has no card; `payload` says how many it is about.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "办理中"
        RETURNED = "returned", "退回补正"
        APPROVED = "approved", "已核准,待办结"
        DONE = "done", "已办结"
        REFUSED = "refused", "不予通过"
        WITHDRAWN = "withdrawn", "已撤回"

    number = models.CharField("办件号", max_length=20, unique=True)
    kind = models.CharField("业务", max_length=30)
    student = models.ForeignKey(Student, models.PROTECT, null=True, related_name="cases", verbose_name="学生")
    batch = models.ForeignKey(
        ImportBatch, models.PROTECT, null=True, related_name="cases", verbose_name="导入批次"
    )
    from_path = PathField("来源路径")
    to_path = PathField("去向路径")
    from_name = models.CharField("来源单位", max_length=100)
    to_name = models.CharField("去向单位", max_length=100)
    card = models.BinaryField("学生卡", null=True)  # erased on refusal (RD-8)
    payload = models.JSONField("办件内容", default=dict)  # ids and codes, never D4
    state = models.CharField("状态", max_length=10, choices=State, default=State.WAITING)
    is_open = models.BooleanField("在办", default=True)
    version = models.PositiveIntegerField("版本", default=1)
    rulebook = models.CharField("规则版本", max_length=40)
    # What its duration is compared by: kind, and for a move how far the two offices are apart.
    lane = models.CharField("路线", max_length=60, blank=True)
    filed_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="filed_cases", verbose_name="发起人"
    )  # nobody of an office where a guardian did
    filed_by_name = models.CharField("发起人", max_length=50)
    filed_at = models.DateTimeField("发起时间", db_default=Now())
    ended_at = models.DateTimeField("办结时间", null=True)

    objects = BothPathsQuerySet.as_manager()

    class Meta:
        verbose_name = "办件"
        constraints = [
            models.CheckConstraint(
                name="case_open_by_state",
                condition=Q(is_open=True, state__in=["waiting", "returned", "approved"])
                | Q(is_open=False, state__in=["done", "refused", "withdrawn"]),
            ),
            models.CheckConstraint(
                name="case_one_subject", condition=Q(student__isnull=True) | Q(batch__isnull=True)
            ),
        ]
        indexes = [
            models.Index(fields=["to_path", "-id"]),
            models.Index(fields=["from_path", "-id"]),
            models.Index(fields=["filed_by", "is_open"]),
            models.Index(fields=["student", "-id"], name="case_of_student"),
            models.Index(fields=["lane", "-ended_at"], name="case_lane", condition=Q(state="done")),
        ]

    def __str__(self) -> str:
        return self.number

    def open_card(self) -> dict[str, str]:
        return dict(unseal_json(self.card, "transfers_case", self.number, "card"))

    def set_card(self, values: dict[str, str]) -> None:
        # Bound to the number: it is known before the row is, and as unique as its id.
        self.card = seal_json(values, "transfers_case", self.number, "card")

    @property
    def deferred_until(self) -> date | None:
        """The day until which a deferred registration waits (R-EST-12)."""
        until = self.payload.get("deferred_until", "")
        return date.fromisoformat(until) if until else None

    @property
    def count(self) -> int:
        """How many pupils it is about."""
        return int(self.payload.get("count", 1))

    @property
    def reach(self) -> str:
        """The path that its effect works under: both offices, and where continued pupils come from."""
        return str(self.payload.get("reach", "")) or common_path(self.from_path, self.to_path)

    def pupil_ids(self) -> list[int]:
        """The pupils it decides on, ascending."""
        if self.student_id is not None:
            return [self.student_id]
        if "graduation" in self.payload:
            listed = GraduationRow.objects.filter(graduation=self.payload["graduation"], held="")
            return sorted(listed.values_list("student_id", flat=True))
        rows = rows_of(self.batch_id) if self.batch_id else ImportRow.objects.none()
        return sorted(rows.values_list("student_id", flat=True))


class Step(models.Model):
    """One decision of a case's route, planned and stored at filing. Later policy changes do not touch it."""

    class Decision(models.TextChoices):
        APPROVE = "approve", "同意"
        RETURN = "return", "退回补正"
        REFUSE = "refuse", "不同意"

    case = models.ForeignKey(Case, models.PROTECT, related_name="steps", verbose_name="办件")
    from_path = PathField("来源路径")
    to_path = PathField("去向路径")
    ordinal = models.PositiveSmallIntegerField("顺序")
    office_path = PathField("办理单位路径")
    office_name = models.CharField("办理单位", max_length=100)
    right = models.CharField("权限", max_length=30)
    label = models.CharField("环节", max_length=50)
    days = models.PositiveSmallIntegerField("时限(工作日)")
    is_current = models.BooleanField("待办", default=False)
    arrived_at = models.DateTimeField("到达时间", null=True)
    due_on = models.DateField("截止日", null=True)
    reminded = models.PositiveSmallIntegerField("已提醒", default=0)  # 1 at half time, 2 a day before
    escalated_at = models.DateTimeField("督办时间", null=True)
    urged_at = models.DateTimeField("催办时间", null=True)
    decision = models.CharField("决定", max_length=10, choices=Decision, blank=True, default="")
    decided_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="decisions", verbose_name="办理人"
    )
    decided_by_name = models.CharField("办理人", max_length=50, blank=True)
    decided_at = models.DateTimeField("办理时间", null=True)
    reason = models.CharField("意见", max_length=500, blank=True)

    objects = BothPathsQuerySet.as_manager()

    class Meta:
        verbose_name = "环节"
        constraints = [
            models.UniqueConstraint(fields=["case", "ordinal"], name="step_ordinal_once"),
            models.UniqueConstraint(fields=["case"], name="one_current_step", condition=Q(is_current=True)),
        ]
        indexes = [
            # The queue reads steps by equality on the own office, soonest deadline first.
            models.Index(
                fields=["office_path", "right", "due_on", "id"],
                name="step_queue",
                condition=Q(is_current=True),
            ),
            models.Index(fields=["due_on"], name="step_overdue", condition=Q(is_current=True)),
            # An office's on-time rate reads what it decided, by month.
            models.Index(fields=["office_path", "decided_at"], name="step_decided"),
        ]

    def __str__(self) -> str:
        return f"{self.ordinal} {self.label}"


class Evidence(models.Model):
    """A material handed in with a case, and whether the reviewer has ticked it."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="evidence", verbose_name="办件")
    from_path = PathField("来源路径")
    to_path = PathField("去向路径")
    type = models.CharField("材料类型", max_length=2)
    material = models.ForeignKey(Material, models.PROTECT, verbose_name="材料")

    objects = BothPathsQuerySet.as_manager()

    class Meta:
        verbose_name = "办件材料"
        constraints = [models.UniqueConstraint(fields=["case", "material"], name="evidence_once")]

    def __str__(self) -> str:
        return self.type


class Tracking(models.Model):
    """Where a family's tracking code leads: found by the digest of the code alone, before any scope is set.

    Not behind the wall: it holds a case number and two paths, and the page runs under those (ARCHITECTURE 2).
    """

    digest = models.CharField("代码摘要", max_length=64, unique=True)
    case_no = models.CharField("办件号", max_length=20, unique=True)
    from_path = PathField("来源路径")
    to_path = PathField("去向路径")

    class Meta:
        verbose_name = "查询码"

    def __str__(self) -> str:
        return self.case_no


class LanePace(models.Model):
    """How long cases of one lane took: working days from filing to the end, of the last year."""

    lane = models.CharField("路线", max_length=60, unique=True)
    count = models.PositiveIntegerField("件数")
    half = models.PositiveSmallIntegerField("半数不超过(工作日)")  # P50
    most = models.PositiveSmallIntegerField("九成不超过(工作日)")  # P90
    folded_at = models.DateTimeField("计算时间", db_default=Now())

    class Meta:
        verbose_name = "办理用时"

    def __str__(self) -> str:
        return f"{self.lane} {self.half}/{self.most}"
