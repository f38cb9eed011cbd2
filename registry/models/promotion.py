"""The yearly promotion: a run, its units (a county's schools each), and what it did at each school."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import Organization
from config.scope import NATION, PathField, ScopedQuerySet
from registry.models.person import NewPublicId


class PromotionRun(models.Model):
    """One national promotion: rehearsed, confirmed by two persons by its hash, done unit by unit.

    Not behind the wall: counts of the whole country, no pupil. Persons are kept by number and name.
    """

    class State(models.TextChoices):
        REHEARSING = "rehearsing", "演练中"
        REHEARSED = "rehearsed", "待确认"
        RUNNING = "running", "执行中"
        DONE = "done", "已完成"
        DROPPED = "dropped", "已作废"

    OPEN = (State.REHEARSING, State.REHEARSED, State.RUNNING)
    path = NATION  # of whoever acts on it, for the log

    public_id = models.UUIDField(unique=True, db_default=NewPublicId(), editable=False)
    year = models.PositiveSmallIntegerField("年份")  # in whose August it happens
    state = models.CharField("状态", max_length=10, choices=State, default=State.REHEARSING)
    digest = models.CharField("演练摘要", max_length=64, blank=True)
    counts = models.JSONField("人数", default=dict)
    asked_by = models.BigIntegerField("演练人编号")
    asked_by_name = models.CharField("演练人", max_length=100)
    asked_at = models.DateTimeField("演练时间", db_default=Now())
    rehearsed_at = models.DateTimeField("演练完成时间", null=True)
    first_id = models.BigIntegerField("第一确认人编号", null=True)
    first_name = models.CharField("第一确认人", max_length=100, blank=True)
    first_at = models.DateTimeField("第一次确认时间", null=True)
    second_id = models.BigIntegerField("第二确认人编号", null=True)
    second_name = models.CharField("第二确认人", max_length=100, blank=True)
    second_at = models.DateTimeField("第二次确认时间", null=True)
    ended_at = models.DateTimeField("结束时间", null=True)

    class Meta:
        verbose_name = "统一升级"
        constraints = [
            models.CheckConstraint(
                name="promotion_two_persons",
                condition=Q(second_id=None) | (Q(first_id__isnull=False) & ~Q(second_id=F("first_id"))),
            ),
            models.UniqueConstraint(
                fields=["year"],
                name="one_open_promotion",
                condition=Q(state__in=["rehearsing", "rehearsed", "running"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.year} {self.state}"


class PartQuerySet(ScopedQuerySet):
    scope_fields = ("path",)


class PromotionPart(models.Model):
    """The schools right under one county (or one city, province, authority with schools of its own).

    Claimed, promoted and marked in one transaction: of two workers, or after a cut, each unit is done once.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "待演练"
        REHEARSED = "rehearsed", "已演练"
        DONE = "done", "已升级"
        HELD = "held", "已暂停"

    run = models.ForeignKey(PromotionRun, models.CASCADE, related_name="parts", verbose_name="统一升级")
    path = PathField("单位路径")
    name = models.CharField("单位", max_length=100)
    state = models.CharField("状态", max_length=10, choices=State, default=State.WAITING)
    reason = models.CharField("暂停原因", max_length=30, blank=True)  # the refusal's code
    digest = models.CharField("演练摘要", max_length=64, blank=True)
    counts = models.JSONField("人数", default=dict)
    done_at = models.DateTimeField("完成时间", null=True)

    objects = PartQuerySet.as_manager()

    class Meta:
        verbose_name = "升级单元"
        constraints = [models.UniqueConstraint(fields=["run", "path"], name="promotion_part_once")]
        indexes = [
            models.Index(fields=["path", "-id"], name="promotion_part_newest"),
            models.Index(fields=["run", "state"], name="promotion_part_state"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.state}"


class PromotionSchool(models.Model):
    """What one run would do, and then did, at one school: counts, and whatever an undoing needs."""

    org_path = PathField("路径")
    part = models.ForeignKey(PromotionPart, models.CASCADE, related_name="schools", verbose_name="升级单元")
    school: Any = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name="学校")
    year = models.PositiveSmallIntegerField("年份")
    digest = models.CharField("演练摘要", max_length=64)
    counts = models.JSONField("人数", default=dict)
    spells = models.JSONField("已升级的学籍", default=dict)  # by the grade before
    classes = models.JSONField("班级", default=list)  # id, grade and name before, name after
    unplaced = models.JSONField("待编班", default=list)  # spell, class before, grade and status
    done_at = models.DateTimeField("升级时间", null=True)
    undone_at = models.DateTimeField("撤销时间", null=True)
    undone_by_name = models.CharField("撤销人", max_length=100, blank=True)
    undone_reason = models.CharField("撤销理由", max_length=200, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "学校升级结果"
        constraints = [
            models.UniqueConstraint(fields=["part", "school"], name="promotion_school_once"),
            # No double promotion, whatever else fails (R-GRD-10, G-09).
            models.UniqueConstraint(
                fields=["school", "year"],
                name="one_promotion_a_year",
                condition=Q(done_at__isnull=False, undone_at=None),
            ),
        ]
        indexes = [models.Index(fields=["org_path", "-id"], name="promotion_school_newest")]

    def __str__(self) -> str:
        return f"{self.year} {self.org_path}"
