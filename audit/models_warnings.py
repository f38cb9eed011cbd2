"""Early warnings (第二十三条), what they stop at once, attempts to sign in, and budgets stretched once."""

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from config.scope import PathField, ScopedQuerySet

if TYPE_CHECKING:
    from audit.warning_rules import WarningRule


class EarlyWarning(models.Model):
    """One suspicion of one rule about one office: open, taken, closed with a finding.

    Repetitions of the same suspicion are folded into the open row. Persons are kept by id and name: they
    outlive their accounts. `facts` are codes, counts and ids, never D4.
    """

    class Level(models.TextChoices):
        HINT = "hint", "提示"
        WARNING = "warning", "预警"
        SEVERE = "severe", "严重"

    class State(models.TextChoices):
        OPEN = "open", "待处置"
        TAKEN = "taken", "处置中"
        CLOSED = "closed", "已办结"

    rule = models.CharField("规则", max_length=10)
    org_path = PathField("所属路径")
    office_name = models.CharField("单位", max_length=100, blank=True)
    key = models.CharField("对象", max_length=100)
    level = models.CharField("级别", max_length=10, choices=Level)
    subjects: "ArrayField[list[int], list[int]]" = ArrayField(models.BigIntegerField(), default=list)
    facts = models.JSONField("情况", default=dict)
    count = models.PositiveIntegerField("次数", default=1)
    opened_at = models.DateTimeField("首次", db_default=Now())
    last_at = models.DateTimeField("最近", db_default=Now())
    due_at = models.DateTimeField("处置期限")
    # The path of the highest office told so far: kept as a word, it does not move with the office.
    told_path = models.CharField("已通知到", max_length=200, default="", blank=True)
    state = models.CharField("状态", max_length=10, choices=State, default=State.OPEN)
    taken_by_id = models.BigIntegerField("处置人编号", null=True)
    taken_by_name = models.CharField("处置人", max_length=50, blank=True)
    taken_at = models.DateTimeField("受理时间", null=True)
    finding = models.CharField("处置结论", max_length=1000, blank=True)
    closed_by_name = models.CharField("办结人", max_length=50, blank=True)
    closed_at = models.DateTimeField("办结时间", null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "预警"
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "org_path", "key"], name="warning_open_once", condition=~Q(state="closed")
            )
        ]
        indexes = [
            models.Index(fields=["org_path", "state", "-id"], name="warning_list"),
            models.Index(fields=["due_at"], name="warning_due", condition=~Q(state="closed")),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.key}"

    @property
    def about(self) -> "WarningRule":
        """The row of the table of rules that it rests on."""
        from audit.warning_rules import RULES

        return RULES[self.rule]


class Stop(models.Model):
    """What a warning stopped at once: one kind of act for one key, until the warning is closed or time is up.

    Not walled: an id or a keyed digest, asked for by whoever is about to act, wherever she stands.
    """

    warning_id = models.BigIntegerField("预警编号")
    kind = models.CharField("停止的行为", max_length=20)
    key = models.CharField("对象", max_length=100)
    since = models.DateTimeField("自", db_default=Now())
    until = models.DateTimeField("至", null=True)
    ended_at = models.DateTimeField("解除时间", null=True)

    class Meta:
        verbose_name = "预警停办"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key", "warning_id"], name="stop_once", condition=Q(ended_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class SignInAttempt(models.Model):
    """One attempt to sign in as the evaluator needs it, erased after a month.

    Address and device stand here as keyed digests only. `account` is the account's id, or for a name that
    nobody has a negative mark of sixteen bits: enough to count names by, too little to tell what was typed.
    """

    at = models.DateTimeField("时间", db_default=Now())
    account = models.BigIntegerField("账号")
    office_path = models.CharField("单位路径", max_length=200)
    address = models.UUIDField("地址摘要")
    device = models.UUIDField("设备摘要", null=True)
    roles: "ArrayField[list[str], list[str]]" = ArrayField(models.CharField(max_length=30), default=list)
    is_failure = models.BooleanField("失败")

    class Meta:
        verbose_name = "登录尝试"
        indexes = [models.Index(fields=["at"], name="attempt_at")]

    def __str__(self) -> str:
        return f"{self.at} {self.account}"


class BudgetStretch(models.Model):
    """She proved her second factor at the end of a budget: once, it was stretched (RD-6)."""

    actor_id = models.BigIntegerField("操作人编号")
    budget = models.CharField("限额", max_length=20)
    at = models.DateTimeField("时间", db_default=Now())

    class Meta:
        verbose_name = "限额延展"
        indexes = [models.Index(fields=["actor_id", "budget", "-at"], name="stretch_of")]

    def __str__(self) -> str:
        return f"{self.actor_id} {self.budget}"


class Watch(models.Model):
    """How far the evaluator has read the log for one rule: a hint that saves work, never the truth."""

    rule = models.CharField("规则", max_length=10, unique=True)
    seen_to = models.DateTimeField("已读至")

    class Meta:
        verbose_name = "预警进度"

    def __str__(self) -> str:
        return f"{self.rule} {self.seen_to}"
