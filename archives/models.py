"""The pupil's file: materials, encrypted at rest under random names (SECURITY FI-1, FI-4), and the photos of
a class on their way into it.
"""

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from config.models import Job
from config.scope import BothPathsQuerySet, PathField, ScopedQuerySet
from registry.exporting.made import MadeFile
from registry.models import SchoolClass, Student
from registry.models.person import NewPublicId


class Material(models.Model):
    """One file: a photo or a copy of a document. `student` is empty from upload until the record exists."""

    class Kind(models.TextChoices):
        PHOTO = "photo", "照片"
        DOCUMENT = "document", "材料"

    public_id = models.UUIDField(unique=True, db_default=NewPublicId(), editable=False)
    org_path = PathField("路径")
    student = models.ForeignKey(
        Student, models.PROTECT, null=True, related_name="materials", verbose_name="学生"
    )
    kind = models.CharField("种类", max_length=10, choices=Kind)
    evidence_type = models.CharField("材料类型", max_length=2, blank=True)
    content_type = models.CharField("格式", max_length=30)
    size = models.PositiveIntegerField("字节数")
    digest = models.CharField("SHA-256", max_length=64)
    stored_as = models.CharField("存储名", max_length=40, unique=True)
    created_at = models.DateTimeField("上传时间", db_default=Now())
    created_by = models.BigIntegerField("上传人编号")
    created_by_name = models.CharField("上传人", max_length=50)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "材料"
        indexes = [models.Index(fields=["student", "kind"])]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.public_id}"


class PhotoBatch(models.Model):
    """One ZIP with the photos of one class, from upload to the case it becomes (HANDBOOK C4)."""

    class State(models.TextChoices):
        WAITING = "waiting", "等待检查"
        CHECKING = "checking", "检查中"
        CHECKED = "checked", "已检查"
        SUBMITTED = "submitted", "已提交"
        DONE = "done", "已归档"
        FAILED = "failed", "无法读取"
        CANCELLED = "cancelled", "已取消"

    LIVE = (State.WAITING, State.CHECKING, State.CHECKED, State.SUBMITTED)

    public_id = models.UUIDField(unique=True, db_default=NewPublicId(), editable=False)
    org_path = PathField("路径")
    school_class = models.ForeignKey(
        SchoolClass, models.PROTECT, related_name="photo_batches", verbose_name="班级"
    )
    file_name = models.CharField("文件名", max_length=100)  # words from outside, never a path (FI-4)
    size = models.PositiveIntegerField("字节数")
    digest = models.CharField("文件摘要", max_length=64)
    stored_as = models.CharField("存储名", max_length=32, blank=True)  # erased once every file is looked at
    state = models.CharField("状态", max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField("检查次数", default=0)  # after two it is set aside (FI-3)
    failure = models.JSONField("无法读取", default=dict)  # the refusal in words
    job = models.ForeignKey(Job, models.PROTECT, null=True, verbose_name="任务")
    files_total = models.PositiveIntegerField("文件数", default=0)
    files_good = models.PositiveIntegerField("可用照片", default=0)
    case_no = models.CharField("办件号", max_length=20, blank=True)  # written by the app that files the case
    created_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="photo_batches", verbose_name="上传人"
    )
    created_by_name = models.CharField("上传人", max_length=50)
    created_at = models.DateTimeField("上传时间", db_default=Now())
    ended_at = models.DateTimeField("结束时间", null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "照片采集"
        constraints = [
            # Two batches of one class would decide on the same pupils.
            models.UniqueConstraint(
                fields=["school_class"],
                name="photo_batch_once_a_class",
                condition=Q(state__in=["waiting", "checking", "checked", "submitted"]),
            )
        ]
        indexes = [models.Index(fields=["org_path", "-id"], name="photo_batch_newest")]

    def __str__(self) -> str:
        return self.file_name

    @property
    def files_wrong(self) -> int:
        return self.files_total - self.files_good


class PhotoFile(models.Model):
    """One file of the ZIP: whose photo it is and where it lies written anew, or why it is not taken."""

    public_id = models.UUIDField(unique=True, db_default=NewPublicId(), editable=False)
    org_path = PathField("路径")
    batch = models.ForeignKey(PhotoBatch, models.CASCADE, related_name="files", verbose_name="批次")
    ordinal = models.PositiveSmallIntegerField("序号")
    name = models.CharField("文件名", max_length=100)  # an identity number in it is masked
    student = models.ForeignKey(
        Student, models.PROTECT, null=True, related_name="photo_files", verbose_name="学生"
    )
    failure = models.JSONField("原因", default=dict)  # the refusal in words; empty for a photo that is taken
    # Sealed as a material is: on approval the file becomes one without being written again.
    stored_as = models.CharField("存储名", max_length=32, blank=True)
    size = models.PositiveIntegerField("字节数", default=0)
    digest = models.CharField("SHA-256", max_length=64, blank=True)
    material = models.ForeignKey(
        Material, models.SET_NULL, null=True, related_name="photo_files", verbose_name="材料"
    )

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "采集照片"
        constraints = [models.UniqueConstraint(fields=["batch", "ordinal"], name="photo_file_once")]

    def __str__(self) -> str:
        return f"{self.ordinal}"


class SheetPrint(MadeFile):
    """确认表 of whole classes: one PDF a class, several in a ZIP (R-VER-04)."""

    classes: "ArrayField[list[int], list[int]]" = ArrayField(models.BigIntegerField(), verbose_name="班级")
    class_names = models.CharField("班级名称", max_length=200)

    class Meta:
        verbose_name = "确认表文件"
        constraints = [models.UniqueConstraint(fields=["job"], name="sheet_print_once_a_job")]
        indexes = [models.Index(fields=["org_path", "-id"], name="sheet_print_newest")]

    def __str__(self) -> str:
        return self.class_names


class Handover(models.Model):
    """移交: custody of a pupil's materials passes to the school that took the pupil over (R-TRF-17).

    Opened when the status moves; the new school confirms receipt within the term of ARCHIVE_FOLLOW_DAYS.
    """

    from_path = PathField("移交单位路径")
    to_path = PathField("接收单位路径")
    student = models.ForeignKey(Student, models.PROTECT, related_name="handovers", verbose_name="学生")
    case_no = models.CharField("办件号", max_length=20)
    from_name = models.CharField("移交单位", max_length=100)
    to_name = models.CharField("接收单位", max_length=100)
    name = models.CharField("姓名", max_length=100)  # the former school no longer sees the pupil's row
    materials = models.PositiveIntegerField("材料份数")
    digest = models.CharField("清单摘要", max_length=64)  # over the materials' digests, in order
    handed_on = models.DateField("移交日期")
    due_on = models.DateField("接收期限")
    received_at = models.DateTimeField("接收时间", null=True)
    received_by_name = models.CharField("接收人", max_length=50, blank=True)
    remark = models.CharField("接收说明", max_length=200, blank=True)

    objects = BothPathsQuerySet.as_manager()

    class Meta:
        verbose_name = "档案移交"
        constraints = [models.UniqueConstraint(fields=["case_no", "student"], name="handover_once_a_case")]
        indexes = [
            models.Index(
                fields=["to_path", "due_on"], name="handover_open", condition=Q(received_at__isnull=True)
            ),
            models.Index(fields=["from_path", "-id"], name="handover_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.case_no}"
