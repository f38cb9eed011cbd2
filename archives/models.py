"""The pupil's file: materials, encrypted at rest under random names (SECURITY FI-1, FI-4)."""

from django.db import models
from django.db.models.functions import Now

from config.scope import PathField, ScopedQuerySet
from registry.models import Student
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
