"""Tables that know nothing of the domain: rule values, the calendar, jobs, the outbox, idempotency keys."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from config.scope import PathField


class RuleValue(models.Model):
    """A local value of one parameter, for one office and everything under it, for a time."""

    path = PathField("机构路径")
    key = models.CharField("参数", max_length=40)
    value = models.JSONField("值")
    valid = DateRangeField("有效期")
    document = models.CharField("依据文件", max_length=200)
    set_by_name = models.CharField("设定机构", max_length=100)
    created_at = models.DateTimeField("设定时间", db_default=Now())
    created_by_name = models.CharField("设定人", max_length=100)

    class Meta:
        verbose_name = "参数值"
        constraints = [
            ExclusionConstraint(
                name="rule_value_once_at_a_time",
                expressions=[
                    ("path", RangeOperators.EQUAL),
                    ("key", RangeOperators.EQUAL),
                    ("valid", RangeOperators.OVERLAPS),
                ],
            )
        ]
        indexes = [models.Index(fields=["key", "path"])]

    def __str__(self) -> str:
        return f"{self.key} @ {self.path}"


class WorkingDay(models.Model):
    """A day on which the State Council's notice departs from the weekday: a holiday or a make-up working
    day.
    """

    day = models.DateField("日期", primary_key=True)
    is_working = models.BooleanField("是否工作日")
    name = models.CharField("名称", max_length=40)
    document = models.CharField("通知文号", max_length=200)
    is_provisional = models.BooleanField("暂定", default=False)

    class Meta:
        verbose_name = "工作日历"

    def __str__(self) -> str:
        return f"{self.day} {self.name}"


class Job(models.Model):
    """Progress of one long work, as page and API show it. Counts are rows."""

    class State(models.TextChoices):
        WAITING = "waiting", "等待"
        RUNNING = "running", "进行中"
        DONE = "done", "完成"
        FAILED = "failed", "失败"
        CANCELLED = "cancelled", "已取消"

    kind = models.CharField("种类", max_length=40)
    path = PathField("机构路径")
    state = models.CharField("状态", max_length=10, choices=State, default=State.WAITING)
    total = models.PositiveIntegerField("总数", default=0)
    done = models.PositiveIntegerField("已完成", default=0)
    errors = models.PositiveIntegerField("错误", default=0)
    started_by = models.BigIntegerField("发起人编号", null=True)
    started_by_name = models.CharField("发起人", max_length=100)
    started_at = models.DateTimeField("开始时间", db_default=Now())
    ended_at = models.DateTimeField("结束时间", null=True)

    class Meta:
        verbose_name = "任务"

    def __str__(self) -> str:
        return f"{self.kind} {self.done}/{self.total}"


class Outbox(models.Model):
    """Work that a committed transaction promised. A worker claims it by row lock; its effect is keyed by
    this row.

    Holds ids and paths only. `done_at` empty means still owed: twice, late or never delivered gives the
    same result.
    """

    kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    path = PathField("作业范围")
    request_id = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = "待办效果"
        constraints = [
            # One owed effect of a kind; a done one may be owed again (a corrected number is checked again).
            models.UniqueConstraint(
                fields=["kind", "subject_id"], condition=Q(done_at=None), name="outbox_once"
            )
        ]
        indexes = [models.Index(fields=["id"], condition=Q(done_at=None), name="outbox_owed")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id}"


class IdempotencyKey(models.Model):
    """The first answer to a creating request, so that a second press or a retry gets it again (AP-4)."""

    user_id = models.BigIntegerField()
    route = models.CharField(max_length=100)
    key = models.CharField(max_length=64)
    body_digest = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    location = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "幂等键"
        constraints = [
            models.UniqueConstraint(F("user_id"), F("route"), F("key"), name="idempotency_once"),
        ]

    def __str__(self) -> str:
        return self.key


class MassRun(models.Model):
    """A run over many rows that two different persons confirm before it may go on (RE-4).

    Held by the breaker, or confirmed beforehand for its day and at most `touched` rows. Of each kind one held
    run is open at a time; a jump of the clock is a row of kind "clock" and counts seconds.
    """

    kind = models.CharField("种类", max_length=30)
    path = PathField("机构路径")
    day = models.DateField("日期")
    touched = models.PositiveBigIntegerField("涉及数量")
    of = models.PositiveBigIntegerField("总数", default=0)
    is_planned = models.BooleanField("预先确认", default=False)
    asked_at = models.DateTimeField("提出时间", db_default=Now())
    first_id = models.BigIntegerField("第一确认人编号", null=True)
    first_name = models.CharField("第一确认人", max_length=100, blank=True)
    first_at = models.DateTimeField("第一次确认时间", null=True)
    second_id = models.BigIntegerField("第二确认人编号", null=True)
    second_name = models.CharField("第二确认人", max_length=100, blank=True)
    second_at = models.DateTimeField("第二次确认时间", null=True)
    used_at = models.DateTimeField("执行时间", null=True)
    warned_at = models.DateTimeField("预警时间", null=True)

    class Meta:
        verbose_name = "批量操作"
        constraints = [
            models.CheckConstraint(
                name="mass_run_two_persons",
                condition=Q(second_id=None) | (Q(first_id__isnull=False) & ~Q(second_id=F("first_id"))),
            ),
            models.UniqueConstraint(
                fields=["kind", "path"],
                condition=Q(second_id=None, is_planned=False),
                name="mass_run_one_held",
            ),
            models.UniqueConstraint(
                fields=["kind", "path", "day"], condition=Q(is_planned=True), name="mass_run_one_plan"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.day} {self.touched}"


class Beat(models.Model):
    """The last beat of one machine since its start: the database's time, and the seconds since that start."""

    boot = models.CharField("机器启动标识", primary_key=True, max_length=64)
    at = models.DateTimeField("数据库时间")
    ticks = models.FloatField("启动后秒数")

    class Meta:
        verbose_name = "心跳"

    def __str__(self) -> str:
        return f"{self.at}"


class UpkeepRun(models.Model):
    """A backup, a fetch of the write-ahead log, or a restore drill that ended, well or not (RE-6, RE-7)."""

    class Kind(models.TextChoices):
        BACKUP = "backup", "备份"
        WAL = "wal", "归档日志"
        DRILL = "drill", "恢复演练"

    kind = models.CharField("种类", max_length=10, choices=Kind)
    name = models.CharField("名称", max_length=60)
    is_well = models.BooleanField("成功")
    digest = models.CharField("报告摘要", max_length=64, blank=True)
    ended_at = models.DateTimeField("结束时间", db_default=Now())

    class Meta:
        verbose_name = "备份与演练"
        indexes = [models.Index(fields=["kind", "-ended_at"], name="upkeep_newest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class FenceLift(models.Model):
    """The cluster and its timeline on which this database may work; a restored copy has another (RE-8)."""

    cluster = models.BigIntegerField("集群标识")
    timeline = models.CharField("时间线", max_length=8)
    lifted_by_name = models.CharField("解除人", max_length=100)
    reason = models.CharField("理由", max_length=200)
    lifted_at = models.DateTimeField("解除时间", db_default=Now())

    class Meta:
        verbose_name = "隔离解除"
        constraints = [models.UniqueConstraint(fields=["cluster", "timeline"], name="fence_lifted_once")]

    def __str__(self) -> str:
        return f"{self.cluster}/{self.timeline}"
