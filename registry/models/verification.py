"""学籍核准: the semester's verification, what it found, who signed, what an inspector drew (HANDBOOK A8)."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Organization
from config.models import Job
from config.scope import PathField, ScopedQuerySet
from registry.models.person import Student
from registry.models.school import SchoolClass


class Campaign(models.Model):
    """One verification of one semester, opened by the nation or a province for everything below.

    A province that opened its own is left out of the nation's.
    """

    path = PathField("组织单位路径")
    school_year = models.PositiveSmallIntegerField("学年")  # the year it begins in
    semester = models.CharField("学期", max_length=1)
    opens_on = models.DateField("开始日期")
    due_on = models.DateField("截止日期")
    job = models.ForeignKey(Job, models.PROTECT, related_name="+", verbose_name="任务")  # the latest run
    opened_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="组织人"
    )
    opened_by_name = models.CharField("组织人姓名", max_length=50)
    office_name = models.CharField("组织单位", max_length=100)
    opened_at = models.DateTimeField("组织时间", db_default=Now())

    class Meta:
        verbose_name = "学籍核准"
        constraints = [
            models.UniqueConstraint(fields=["path", "school_year", "semester"], name="one_campaign_a_term")
        ]

    def __str__(self) -> str:
        return f"{self.school_year}-{self.semester}"


class CampaignUnit(models.Model):
    """The schools right under one office: what one transaction of a run checks. `done_at` is of this run."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="units", verbose_name="学籍核准")
    office = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name="单位")
    done_at = models.DateTimeField("完成时间", null=True)

    class Meta:
        verbose_name = "核准检查单元"
        constraints = [models.UniqueConstraint(fields=["campaign", "office"], name="one_unit_an_office")]

    def __str__(self) -> str:
        return f"{self.office_id}"


class SchoolVerification(models.Model):
    """One school's part of a campaign: live counts, and what they were when the leader signed (R-VER-01)."""

    class State(models.TextChoices):
        OPEN = "open", "核准中"
        SIGNED = "signed", "已核准"

    org_path = PathField("学校路径")
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="schools", verbose_name="学籍核准")
    school = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name="学校")
    state = models.CharField("状态", max_length=10, choices=State, db_default=State.OPEN)
    pupils = models.PositiveIntegerField("学生数", db_default=0)
    findings_total = models.PositiveIntegerField("问题数", db_default=0)
    findings_open = models.PositiveIntegerField("未销号", db_default=0)  # unplanned and planned
    unplanned = models.PositiveIntegerField("未定整改计划", db_default=0)
    overdue = models.PositiveIntegerField("逾期", db_default=0)
    rolls_total = models.PositiveIntegerField("班级数", db_default=0)
    rolls_confirmed = models.PositiveIntegerField("已核对班级", db_default=0)
    checked_at = models.DateTimeField("检查时间", null=True)
    signed_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="签署人"
    )
    signed_by_name = models.CharField("签署人姓名", max_length=50, blank=True, db_default="")
    signed_at = models.DateTimeField("签署时间", null=True)
    counts = models.JSONField("签署时数字", db_default={})

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "学校核准情况"
        constraints = [
            models.UniqueConstraint(fields=["campaign", "school"], name="one_verification_a_school")
        ]
        indexes = [models.Index(fields=["org_path", "campaign"], name="verification_scope")]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.state}"


class Finding(models.Model):
    """核准问题: one thing that a campaign found about a pupil or a class, as a task of the school (R-VER-05).

    `facts` hold codes and counts, never D4. A run that no longer finds it closes it and sets `gone_at`; one
    that a person closed stays closed. With an `offence` (第二十六条) only the office that ordered closes it.
    """

    class State(models.TextChoices):
        OPEN = "open", "待处理"
        PLANNED = "planned", "整改中"
        CLOSED = "closed", "已销号"

    org_path = PathField("学校路径")
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="findings", verbose_name="学籍核准")
    kind = models.CharField("问题类型", max_length=20)
    student = models.ForeignKey(
        Student, models.PROTECT, related_name="findings", null=True, verbose_name="学生"
    )
    school_class = models.ForeignKey(
        SchoolClass, models.PROTECT, related_name="findings", null=True, verbose_name="班级"
    )
    facts = models.JSONField("情况", db_default={})
    state = models.CharField("状态", max_length=10, choices=State, db_default=State.OPEN)
    found_at = models.DateTimeField("发现时间", db_default=Now())
    due_on = models.DateField("办理期限")
    escalated_on = models.DateField("督办日期", null=True)
    plan = models.CharField("整改计划", max_length=300, blank=True, db_default="")
    planned_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="计划人"
    )
    planned_by_name = models.CharField("计划人姓名", max_length=50, blank=True, db_default="")
    closed_at = models.DateTimeField("销号时间", null=True)
    closed_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="销号人"
    )
    closed_by_name = models.CharField("销号人姓名", max_length=50, blank=True, db_default="")
    how = models.CharField("处理情况", max_length=300, blank=True, db_default="")
    gone_at = models.DateTimeField("复查未再发现", null=True)
    offence = models.PositiveSmallIntegerField("违规情形", null=True)  # 1-9 of article 26
    order_text = models.CharField("整改要求", max_length=300, blank=True, db_default="")
    order_due_on = models.DateField("整改期限", null=True)
    order_office = models.ForeignKey(
        Organization, models.PROTECT, null=True, related_name="+", verbose_name="责令单位"
    )
    ordered_by_name = models.CharField("责令人", max_length=50, blank=True, db_default="")
    ordered_at = models.DateTimeField("责令时间", null=True)
    answer = models.CharField("整改报告", max_length=300, blank=True, db_default="")
    answered_by_name = models.CharField("报告人", max_length=50, blank=True, db_default="")
    answered_at = models.DateTimeField("报告时间", null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "核准问题"
        constraints = [
            # Led by the path: another school's row, hidden by the wall, must not stand in the way.
            models.UniqueConstraint(
                fields=["org_path", "campaign", "kind", "student"],
                name="one_finding_a_pupil",
                condition=Q(student__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["org_path", "campaign", "kind", "school_class"],
                name="one_finding_a_class",
                condition=Q(student__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["org_path", "campaign", "state", "id"], name="finding_list"),
            models.Index(
                fields=["due_on"], name="finding_due", condition=~Q(state="closed") & Q(escalated_on=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"


class Sample(models.Model):
    """抽查: pupils drawn by an office in the order that a recorded seed gives; anybody can recompute it."""

    org_path = PathField("抽查单位路径")
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="samples", verbose_name="学籍核准")
    office_name = models.CharField("抽查单位", max_length=100)
    seed = models.CharField("随机种子", max_length=64)
    percent = models.PositiveSmallIntegerField("抽查比例")
    schools = models.PositiveIntegerField("抽查学校数")
    pupils = models.PositiveIntegerField("其中学生数")
    drawn_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="抽取人"
    )
    drawn_by_name = models.CharField("抽取人姓名", max_length=50)
    drawn_at = models.DateTimeField("抽取时间", db_default=Now())

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "核准抽查"
        indexes = [models.Index(fields=["org_path", "campaign"], name="sample_scope")]

    def __str__(self) -> str:
        return self.seed


class SampleRow(models.Model):
    """One pupil of a sample and what the inspector saw."""

    class Result(models.TextChoices):
        OPEN = "", "待核查"
        AGREES = "agrees", "相符"
        DISAGREES = "disagrees", "不符"

    org_path = PathField("学校路径")
    sample = models.ForeignKey(Sample, models.PROTECT, related_name="rows", verbose_name="核准抽查")
    student = models.ForeignKey(Student, models.PROTECT, related_name="+", verbose_name="学生")
    ordinal = models.PositiveIntegerField("序号")
    result = models.CharField("核查结果", max_length=10, choices=Result, blank=True, db_default="")
    note = models.CharField("说明", max_length=300, blank=True, db_default="")
    inspected_by_name = models.CharField("核查人", max_length=50, blank=True, db_default="")
    inspected_at = models.DateTimeField("核查时间", null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "抽查学生"
        constraints = [models.UniqueConstraint(fields=["sample", "student"], name="sampled_once")]
        indexes = [models.Index(fields=["org_path"], name="sample_row_path")]

    def __str__(self) -> str:
        return f"{self.ordinal}"
