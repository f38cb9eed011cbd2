"""成长记录: dated entries of the record, and the workbooks they came in (HANDBOOK C1, C6)."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from config.crypto import seal_json, unseal_json
from config.models import Job
from config.scope import PathField, ScopedQuerySet
from registry.models.person import NewPublicId, Student


class EntrySheet(models.Model):
    """An uploaded workbook of entries. Its cells lie sealed in `cells` until they are written or given up."""

    public_id = models.UUIDField(unique=True, db_default=NewPublicId(), editable=False)
    org_path = PathField("路径")
    kind = models.CharField("类别", max_length=20)
    file_name = models.CharField("文件名", max_length=200)
    cells = models.BinaryField("单元格", null=True)
    rows_total = models.PositiveIntegerField("行数")
    job = models.OneToOneField(Job, models.PROTECT, null=True, verbose_name="任务")
    failure = models.JSONField("未写入的原因", default=dict)
    created_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="上传人"
    )
    created_by_name = models.CharField("上传人姓名", max_length=50)
    created_at = models.DateTimeField("上传时间", db_default=Now())
    done_at = models.DateTimeField("写入时间", null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "成长记录导入表"
        indexes = [models.Index(fields=["org_path", "-id"], name="entry_sheet_newest")]

    def __str__(self) -> str:
        return self.file_name

    def open_cells(self) -> list[tuple[int, list[str]]]:
        """Row number and texts of each row. Raises DoesNotOpen; empty when the sheet is over."""
        if self.cells is None:
            return []
        return [(int(n), list(texts)) for n, texts in unseal_json(self.cells, _SHEET, self.pk, "cells")]

    def set_cells(self, rows: list[tuple[int, list[str]]]) -> None:
        self.cells = seal_json(rows, _SHEET, self.pk, "cells")


class RecordEntry(models.Model):
    """One dated entry: an award, a sanction, the marks of a term … It is never changed: a wrong one is
    voided with a reason, a sanction is lifted once.

    `data` holds codes and counts; health and whatever was typed freely lies in `sealed` (D4). `fingerprint`
    says that two entries are the same.
    """

    org_path = PathField("路径")
    student = models.ForeignKey(Student, models.PROTECT, related_name="entries", verbose_name="学生")
    kind = models.CharField("类别", max_length=20)
    happened_on = models.DateField("日期")
    school_year = models.PositiveSmallIntegerField("学年")
    semester = models.CharField("学期", max_length=1)
    data = models.JSONField("内容", default=dict)
    sealed = models.BinaryField("敏感内容", null=True)
    fingerprint = models.UUIDField("比对值")
    sheet = models.ForeignKey(EntrySheet, models.PROTECT, null=True, related_name="+", verbose_name="导入表")
    entered_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="登记人"
    )
    entered_by_name = models.CharField("登记人姓名", max_length=50)
    office_name = models.CharField("登记单位", max_length=100)
    created_at = models.DateTimeField("登记时间", db_default=Now())
    lifted_on = models.DateField("解除日期", null=True)
    lifted_by_name = models.CharField("解除人", max_length=50, blank=True)
    voided_at = models.DateTimeField("作废时间", null=True)
    voided_by_name = models.CharField("作废人", max_length=50, blank=True)
    void_reason = models.CharField("作废原因", max_length=200, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "成长记录"
        constraints = [
            models.UniqueConstraint(
                fields=["student", "kind", "fingerprint"], name="entry_once", condition=Q(voided_at=None)
            )
        ]
        indexes = [models.Index(fields=["student", "kind", "-happened_on"], name="entry_of_pupil")]

    def __str__(self) -> str:
        return self.kind

    def open_values(self) -> dict[str, str]:
        """Every value by column. Raises DoesNotOpen when the sealed part is not this row's."""
        hidden = unseal_json(self.sealed, _ENTRY, self.pk, "sealed") if self.sealed else {}
        return {**self.data, **hidden}

    def set_values(self, shown: dict[str, str], hidden: dict[str, str]) -> None:
        self.data = shown
        self.sealed = seal_json(hidden, _ENTRY, self.pk, "sealed") if hidden else None


_ENTRY, _SHEET = "registry_recordentry", "registry_entrysheet"
