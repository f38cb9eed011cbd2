"""新生批量导入: an uploaded workbook, its rows, and what was found wrong with them (ARCHITECTURE 6)."""

from typing import Any, NamedTuple

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Organization
from config.crypto import seal_json, unseal_json
from config.models import Job
from config.scope import PathField, ScopedQuerySet
from registry.fields import TEMPLATE
from registry.models.person import NewPublicId, Student
from registry.models.school import SchoolClass

COLUMNS = tuple(field.key for field in TEMPLATE)


class Cells(NamedTuple):
    """A row of the workbook: values as they would be stored, by column, and what was typed where that
    differs.
    """

    stored: dict[str, str]
    differing: dict[str, str]

    @property
    def typed(self) -> dict[str, str]:
        return self.stored | self.differing


class ImportBatch(models.Model):
    """One workbook that a school hands in, from upload to the case it becomes."""

    class State(models.TextChoices):
        WAITING = "waiting", "等待检查"
        CHECKING = "checking", "检查中"
        CHECKED = "checked", "已检查"
        COMMITTING = "committing", "提交中"
        COMMITTED = "committed", "已提交"
        FAILED = "failed", "无法读取"
        CANCELLED = "cancelled", "已取消"

    public_id = models.UUIDField(unique=True, db_default=NewPublicId(), editable=False)
    org_path = PathField("路径")
    school = models.ForeignKey(Organization, models.PROTECT, related_name="imports", verbose_name="学校")
    file_name = models.CharField("文件名", max_length=200)  # words from outside, never a path (FI-4)
    size = models.PositiveIntegerField("字节数")
    digest = models.CharField("文件摘要", max_length=64)
    stored_as = models.CharField(
        "存储名", max_length=32, blank=True
    )  # erased after commit or seven days (RD-8)
    state = models.CharField("状态", max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField("读取次数", default=0)  # after two it is set aside (FI-3)
    version = models.PositiveIntegerField("版本", default=1)  # grows with every corrected cell and choice
    failure = models.JSONField("读取失败", default=dict)  # the refusal in words: code, detail, rule, place
    job = models.ForeignKey(Job, models.PROTECT, null=True, verbose_name="任务")
    rows_total = models.PositiveIntegerField("行数", default=0)
    rows_wrong = models.PositiveIntegerField("有误行数", default=0)
    preview = models.JSONField("预览", default=dict)  # counts and digests of what the commit will touch
    skips_wrong = models.BooleanField("跳过有误行", default=False)
    case_no = models.CharField("办件号", max_length=20, blank=True)  # written by the app that files the case
    created_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="imports", verbose_name="上传人"
    )
    created_by_name = models.CharField("上传人", max_length=50)
    created_at = models.DateTimeField("上传时间", db_default=Now())
    ended_at = models.DateTimeField("结束时间", null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "批量导入"
        constraints = [
            # The same file twice would be the same pupils twice.
            models.UniqueConstraint(
                fields=["org_path", "digest"],
                name="import_file_once",
                condition=~Q(state__in=["failed", "cancelled"]),
            )
        ]
        indexes = [models.Index(fields=["org_path", "-id"], name="import_newest")]

    def __str__(self) -> str:
        return self.file_name

    @property
    def rows_good(self) -> int:
        return self.rows_total - self.rows_wrong


class ImportRow(models.Model):
    """One row of the workbook. What it says is sealed as one value; the columns beside it let the database
    compare rows with each other and with the country without opening them.
    """

    class Action(models.TextChoices):
        CREATE = "create", "新建"
        CONTINUE = "continue", "接续"
        WRONG = "wrong", "有误"

    org_path = PathField("路径")
    batch = models.ForeignKey(ImportBatch, models.CASCADE, related_name="rows", verbose_name="批次")
    number = models.PositiveIntegerField("行号")  # as the spreadsheet counts
    cells = models.BinaryField("内容", null=True)  # D4: sealed, erased with the file (RD-8)
    action = models.CharField("处理", max_length=8, choices=Action)
    school_class = models.ForeignKey(SchoolClass, models.PROTECT, null=True, verbose_name="班级")
    grade = models.CharField("年级", max_length=2, blank=True)  # of the class, or of a pupil who has none yet
    # What rows are compared by, as the student carries it too; erased with the cells.
    blind = models.UUIDField("盲索引", null=True)
    birth_on = models.DateField("出生日期", null=True)
    name_fold = models.CharField("姓名(比对)", max_length=500, blank=True)
    name_py = models.CharField("拼音键", max_length=500, blank=True, db_collation="C")
    sex = models.CharField("性别", max_length=1, blank=True)
    continues = models.BooleanField("填了接续", default=False)
    entry_month = models.CharField("入学年月", max_length=7, blank=True)
    # The person a former leaver is continued as, before the commit; the pupil, after it.
    student = models.ForeignKey(
        Student, models.PROTECT, null=True, related_name="import_rows", verbose_name="学生"
    )
    # What the registrar decided about likely duplicates: why this is another child.
    distinct_reason = models.CharField("非同一人依据", max_length=200, blank=True)
    returned_case = models.CharField("退回办件号", max_length=20, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "导入行"
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="import_row_once")]
        indexes = [
            models.Index(fields=["batch", "blind"], name="import_row_blind"),
            models.Index(fields=["student"], name="import_row_student"),
        ]

    def __str__(self) -> str:
        return f"{self.number}"

    def open_cells(self) -> "Cells":
        """What the row says, as typed and as it would be stored. Raises DoesNotOpen."""
        stored, typed = unseal_json(self.cells, *self._bound())
        return Cells(dict(zip(COLUMNS, stored, strict=True)), typed)

    def set_cells(self, stored: dict[str, str], typed: dict[str, str]) -> None:
        """Seal the row: `stored` by column, and the cells of `typed` that read differently."""
        differing = {key: text for key, text in typed.items() if text != stored.get(key, "")}
        self.cells = seal_json([[stored.get(key, "") for key in COLUMNS], differing], *self._bound())

    def _bound(self) -> tuple[str, str, str]:
        # Bound to batch and row number: they are known before the row is, and as unique as its id.
        return "registry_importrow", f"{self.batch_id}.{self.number}", "cells"


class ImportFinding(models.Model):
    """One fault of one cell. Sentences hold no number, phone or address (registry.findings)."""

    org_path = PathField("路径")
    batch = models.ForeignKey(ImportBatch, models.CASCADE, related_name="findings", verbose_name="批次")
    row = models.ForeignKey(ImportRow, models.CASCADE, related_name="findings", verbose_name="行")
    number = models.PositiveIntegerField("行号")
    field = models.CharField("字段", max_length=40)
    code = models.CharField("代码", max_length=60)
    level = models.CharField("级别", max_length=8)
    rule = models.CharField("规则", max_length=20)
    article = models.CharField("条款", max_length=100, blank=True)
    message = models.CharField("问题", max_length=400)
    remedy = models.CharField("改正办法", max_length=400, blank=True)
    # The record it may be the same child as, masked as the asker may see it: name, school, status, id.
    other = models.JSONField("另一学籍", null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "导入问题"
        indexes = [
            models.Index(fields=["batch", "number", "id"], name="import_finding_rows"),
            models.Index(fields=["batch", "code", "number"], name="import_finding_codes"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.code}"
