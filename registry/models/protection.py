"""Protected pupils (保护对象), and reveals that wait for a second person (AZ-10)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from config.scope import PathField, ScopedQuerySet
from registry.models.person import Student


class Protection(models.Model):
    """A pupil whose school, address and handler are hidden: asked for by the school's leader, in force when
    the authority's leader has confirmed it, until a day. That there is a row is itself D4.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", "待确认"
        IN_FORCE = "in_force", "保护中"
        DECLINED = "declined", "未予确认"
        ENDED = "ended", "已解除"

    org_path = PathField("所属路径")
    student = models.ForeignKey(Student, models.PROTECT, related_name="protections", verbose_name="学生")
    state = models.CharField("状态", max_length=10, choices=State, default=State.PROPOSED)
    reason = models.CharField("理由", max_length=300)
    until = models.DateField("保护至")
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="提出人"
    )
    proposed_by_name = models.CharField("提出人姓名", max_length=50)
    proposed_at = models.DateTimeField("提出时间", db_default=Now())
    decided_by_name = models.CharField("确认人", max_length=50, blank=True)
    decided_at = models.DateTimeField("确认时间", null=True)
    ended_by_name = models.CharField("解除人", max_length=50, blank=True)
    ended_reason = models.CharField("解除理由", max_length=300, blank=True)
    ended_at = models.DateTimeField("解除时间", null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "保护对象"
        constraints = [
            models.UniqueConstraint(
                fields=["student"], name="protection_once", condition=Q(state__in=["proposed", "in_force"])
            )
        ]
        indexes = [models.Index(fields=["org_path", "state"], name="protection_scope")]

    def __str__(self) -> str:
        return self.get_state_display()


class RevealRequest(models.Model):
    """Somebody asks to see one field of a protected pupil in clear; a second person of her office answers
    within the hour, and the value is shown once.
    """

    org_path = PathField("所属路径")  # of the office where both sit
    student_id = models.BigIntegerField("学生编号")
    field = models.CharField("项目", max_length=50)
    reason = models.CharField("事由", max_length=200)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="申请人"
    )
    asked_by_name = models.CharField("申请人姓名", max_length=50)
    asked_at = models.DateTimeField("申请时间", db_default=Now())
    approved_by_name = models.CharField("同意人", max_length=50, blank=True)
    approved_at = models.DateTimeField("同意时间", null=True)
    used_at = models.DateTimeField("使用时间", null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "保护对象明文查看申请"
        indexes = [models.Index(fields=["org_path", "-asked_at"], name="reveal_request_list")]

    def __str__(self) -> str:
        return self.field
