"""在内导出: a request for a file of one's own region's data, from asking to erasing (SECURITY EX-1, EX-5)."""

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from config.models import Job
from config.scope import PathField, ScopedQuerySet
from registry.models.person import NewPublicId


class Export(models.Model):
    """One request. Its terms (purpose, scope, fields, filter, row cap) never change once it is approved:
    `terms_digest` freezes them.

    `org_path` is the office that asks, `scope_path` the one whose pupils are asked for: it or one below.
    """

    class State(models.TextChoices):
        ASKED = "asked", "待审批"
        HELD = "held", "待领导再次确认"
        APPROVED = "approved", "已批准，生成中"
        READY = "ready", "可领取"
        REFUSED = "refused", "未批准"
        CANCELLED = "cancelled", "已撤回"
        VOID = "void", "已失效"
        ERASED = "erased", "已删除"

    class Format(models.TextChoices):
        XLSX = "xlsx", "Excel 工作簿（.xlsx）"
        CSV = "csv", "CSV（UTF-8）"

    public_id = models.UUIDField(unique=True, db_default=NewPublicId(), editable=False)
    org_path = PathField("申请单位路径")
    office_name = models.CharField("申请单位", max_length=100)
    # Frozen text, not a path that follows its office: a scope that has moved needs a new approval.
    scope_path = models.TextField("数据范围路径")
    scope_name = models.CharField("数据范围", max_length=100)
    purpose = models.CharField("用途", max_length=20)
    purpose_text = models.CharField("用途说明", max_length=200)
    fields: "ArrayField[list[str], list[str]]" = ArrayField(models.CharField(max_length=40))
    clear_fields: "ArrayField[list[str], list[str]]" = ArrayField(
        models.CharField(max_length=40), default=list
    )
    filters = models.JSONField("筛选条件代码", default=dict)  # enumerations and ids, as in the list's address
    filter_words = models.CharField("筛选条件", max_length=300)
    format = models.CharField("格式", max_length=4, choices=Format)
    row_cap = models.PositiveIntegerField("人数")  # counted when asked; a run may not pass it
    state = models.CharField("状态", max_length=10, choices=State, default=State.ASKED)
    requested_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="exports", verbose_name="申请人"
    )
    requested_by_name = models.CharField("申请人", max_length=50)
    requested_at = models.DateTimeField("申请时间", db_default=Now())
    decided_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="审批人"
    )
    decided_by_name = models.CharField("审批人", max_length=50, blank=True)
    decided_office = models.CharField("审批单位", max_length=100, blank=True)
    decided_at = models.DateTimeField("审批时间", null=True)
    reason = models.CharField("理由", max_length=200, blank=True)  # of a refusal, or why it became void
    terms_digest = models.CharField("批准内容摘要", max_length=64, blank=True)
    job = models.ForeignKey(Job, models.PROTECT, null=True, verbose_name="任务")
    rows = models.PositiveIntegerField("行数", default=0)
    attempts = models.PositiveSmallIntegerField("生成次数", default=0)  # after three it is set aside
    stored_as = models.CharField("存储名", max_length=32, blank=True)
    size = models.BigIntegerField("字节数", default=0)
    ready_at = models.DateTimeField("生成时间", null=True)
    expires_at = models.DateTimeField("保留至", null=True)
    downloads = models.PositiveSmallIntegerField("领取次数", default=0)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "导出"
        constraints = [models.UniqueConstraint(fields=["job"], name="export_once_a_job")]
        indexes = [
            models.Index(fields=["org_path", "-id"], name="export_newest"),
            models.Index(fields=["requested_by", "-requested_at"], name="export_of_person"),
        ]

    def __str__(self) -> str:
        return self.approval_number

    @property
    def approval_number(self) -> str:
        """What stands on the file and is said on the telephone."""
        return f"DC-{self.pk:08d}"
