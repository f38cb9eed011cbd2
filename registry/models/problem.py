from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from config.scope import PathField, ScopedQuerySet
from registry.models.person import Student


class ProblemQuerySet(ScopedQuerySet):
    scope_fields = ("org_path", "other_path")


class ProblemRecord(models.Model):
    """问题学籍: a record that failed a duplicate or identity check, with its two sides (HANDBOOK A9).

    The first side is `student` at `org_path`. The other side is `other`, or, when a registration was
    refused before a record existed, only the school at `other_path` that asked. Detection and its blocks
    are here; handling comes later.
    """

    class Side(models.TextChoices):
        RECORD = "record", "两条学籍"
        ATTEMPT = "attempt", "一条学籍与一次登记"
        SINGLE = "single", "单条学籍"

    org_path = PathField("路径")
    other_path = PathField("另一方路径")
    type = models.CharField("问题类型", max_length=1)
    side = models.CharField("双方", max_length=10, choices=Side)
    student = models.ForeignKey(Student, models.PROTECT, related_name="problems", verbose_name="学生")
    other = models.ForeignKey(
        Student, models.PROTECT, related_name="problems_as_other", null=True, verbose_name="另一学生"
    )
    is_hint = models.BooleanField("仅为线索", default=False)  # a hint blocks nothing; a person looks
    found_by = models.CharField("发现途径", max_length=50)
    detail = models.CharField("说明", max_length=300)
    found_at = models.DateTimeField("发现时间", db_default=Now())
    closed_at = models.DateTimeField("销号时间", null=True)

    objects = ProblemQuerySet.as_manager()

    class Meta:
        verbose_name = "问题学籍"
        constraints = [
            models.UniqueConstraint(
                F("type"), F("student"), F("other"), F("other_path"), F("is_hint"),
                name="one_open_problem_a_pair", condition=Q(closed_at=None), nulls_distinct=False,
            )
        ]  # fmt: skip
        indexes = [models.Index(fields=["org_path", "id"]), models.Index(fields=["other_path", "id"])]

    def __str__(self) -> str:
        return f"{self.type} {self.found_at}"
