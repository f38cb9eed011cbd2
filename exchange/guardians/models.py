"""What lets a guardian in."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from config.scope import PathField, ScopedQuerySet
from registry.codes import label
from registry.models import Student


class GuardianCode(models.Model):
    """查询码: one guardian's way to one pupil's record, as long as the pupil is at the school that gave it.

    Of the code only a digest is kept. Looked up before any scope is known, hence not walled; it holds nothing
    of the child but a number inside.
    """

    digest = models.CharField("查询码摘要", max_length=64, unique=True)
    student = models.ForeignKey(Student, models.PROTECT, related_name="guardian_codes", verbose_name="学生")
    org_path = PathField("路径")
    relation = models.CharField("与学生关系", max_length=2)
    issued_by = models.BigIntegerField("发放人编号")
    issued_by_name = models.CharField("发放人", max_length=50)
    issued_at = models.DateTimeField("发放时间", db_default=Now())
    until = models.DateField("有效期至")
    failures = models.PositiveSmallIntegerField("核对失败次数", default=0)
    last_used_at = models.DateTimeField("最近使用", null=True)
    ended_at = models.DateTimeField("停用时间", null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "监护人查询码"
        constraints = [
            models.CheckConstraint(
                name="guardian_code_path_form",
                condition=Q(org_path__endswith=".") & Q(org_path__gte="CN.") & Q(org_path__lt="CN.~"),
            )
        ]
        indexes = [models.Index(fields=["org_path"], name="guardian_code_path")]

    def __str__(self) -> str:
        return f"{self.issued_at:%Y-%m-%d}"

    @property
    def relation_name(self) -> str:
        return label("guardian_relation_form", self.relation)
