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
    refused before a record existed, only the school at `other_path` that asked.

    Each side has a standing, brought by the case of its school; the verdict is that of the national
    arbitration. What was judged stays with a digest of the identity data that it was judged on, so that the
    same pair does not come back unless they change.
    """

    class Side(models.TextChoices):
        RECORD = "record", "两条学籍"
        ATTEMPT = "attempt", "一条学籍与一次登记"
        SINGLE = "single", "单条学籍"

    class Standing(models.TextChoices):
        OPEN = "", "待办理"
        PROVEN = "proven", "已佐证：信息无误，不是同一人"
        KEPT = "kept", "已佐证：是同一人，学籍留在本方"
        DELETED = "deleted", "已删除"

    class Verdict(models.TextChoices):
        NONE = "", "未仲裁"
        DIFFERENT = "different", "裁定为两名不同学生"
        FIRST = "first", "裁定为同一学生，保留一方学籍"
        SECOND = "second", "裁定为同一学生，保留另一方学籍"

    class Disposition(models.TextChoices):
        NONE = "", "未处置"
        PROVEN = "proven", "佐证"
        CHANGED = "changed", "变更"
        DELETED = "deleted", "删除"
        MOVED = "moved", "已转入登记学校"

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
    due_on = models.DateField("学校办理截止日", null=True)
    standing = models.CharField(
        "一方", max_length=10, choices=Standing, blank=True, default="", db_default=""
    )
    other_standing = models.CharField(
        "另一方", max_length=10, choices=Standing, blank=True, default="", db_default=""
    )
    changed_no = models.CharField("待复查的变更", max_length=20, blank=True, default="", db_default="")
    arbitration_no = models.CharField("仲裁办件号", max_length=20, blank=True, default="", db_default="")
    verdict = models.CharField("仲裁", max_length=10, choices=Verdict, blank=True, default="", db_default="")
    disposition = models.CharField(
        "处置", max_length=10, choices=Disposition, blank=True, default="", db_default=""
    )
    case_no = models.CharField("处置办件号", max_length=20, blank=True, default="", db_default="")
    judged_by = models.CharField("认定单位", max_length=100, blank=True, default="", db_default="")
    judgement = models.CharField("认定意见", max_length=500, blank=True, default="", db_default="")
    judged_digest = models.CharField("认定时的信息摘要", max_length=64, blank=True, default="", db_default="")
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
