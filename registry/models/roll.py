"""The roll of a class in one verification, and the confirmation sheets that families sign (HANDBOOK A8)."""

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from config.scope import PathField, ScopedQuerySet
from registry.models.person import Student
from registry.models.school import SchoolClass


class ClassRoll(models.Model):
    """A class as its head teacher found it: everybody in `students` is present unless a mark says otherwise.

    Who came into the class later is not in `students`, and the class is to be confirmed once more.
    """

    org_path = PathField("路径")
    campaign: Any = models.ForeignKey(
        "registry.Campaign", models.PROTECT, related_name="rolls", verbose_name="核准"
    )
    school_class = models.ForeignKey(SchoolClass, models.PROTECT, related_name="rolls", verbose_name="班级")
    students: "ArrayField[list[int], list[int]]" = ArrayField(
        models.BigIntegerField(), verbose_name="名册上的学生"
    )
    present = models.PositiveSmallIntegerField("在校人数")
    away = models.PositiveSmallIntegerField("不在校人数")
    not_ours = models.PositiveSmallIntegerField("非本班人数")
    unlisted = models.PositiveSmallIntegerField("名册外人数")
    version = models.PositiveSmallIntegerField("确认次数", default=1)
    confirmed_at = models.DateTimeField("确认时间", db_default=Now())
    confirmed_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="确认人"
    )
    confirmed_by_name = models.CharField("确认人姓名", max_length=50)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "班级核对"
        constraints = [
            models.UniqueConstraint(fields=["campaign", "school_class"], name="roll_once_a_campaign")
        ]
        indexes = [models.Index(fields=["org_path", "campaign"], name="roll_scope")]

    def __str__(self) -> str:
        return str(self.school_class_id)


class RollMark(models.Model):
    """One pupil who is not simply present; without `student`, one who sits in the class but is not on the
    list (R-VER-06).
    """

    class Kind(models.TextChoices):
        AWAY = "away", "不在校"
        NOT_OURS = "not_ours", "不是本班学生"
        UNLISTED = "unlisted", "在班就读、名册上没有"

    class Why(models.TextChoices):
        SICK = "sick", "病假"
        LEAVE = "leave", "事假"
        SUSPENDING = "suspending", "正在办理休学"
        GUEST = "guest", "借读在外"
        PRACTICE = "practice", "校外实习或集训"
        UNKNOWN = "unknown", "未到校，原因不明"

    class Way(models.TextChoices):
        """What becomes of one who is not on the list."""

        TRANSFER = "transfer", "转入学籍"
        BACK = "back", "回学籍所在学校"
        CREATE = "create", "新建学籍"

    org_path = PathField("路径")
    roll = models.ForeignKey(ClassRoll, models.CASCADE, related_name="marks", verbose_name="班级核对")
    student = models.ForeignKey(
        Student, models.PROTECT, null=True, related_name="roll_marks", verbose_name="学生"
    )
    kind = models.CharField("情况", max_length=10, choices=Kind)
    why = models.CharField("原因", max_length=10, choices=Why, blank=True)
    name = models.CharField("姓名", max_length=50, blank=True)  # of one who is not on the list
    way = models.CharField("去向", max_length=10, choices=Way, blank=True, db_default="")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "核对情况"
        constraints = [
            models.UniqueConstraint(fields=["roll", "student"], name="one_mark_a_pupil"),
            models.CheckConstraint(
                name="unlisted_by_name", condition=Q(student=None, kind="unlisted") | Q(student__isnull=False)
            ),
            models.CheckConstraint(name="away_with_reason", condition=~Q(kind="away", why="")),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class ConfirmationSheet(models.Model):
    """学籍基础信息确认表 of one pupil: printed with an opaque `code`, filed when the family has signed it.

    `material` names the scan; the app that keeps the files writes it.
    """

    org_path = PathField("路径")
    campaign: Any = models.ForeignKey(
        "registry.Campaign", models.PROTECT, related_name="sheets", verbose_name="核准"
    )
    school_class = models.ForeignKey(SchoolClass, models.PROTECT, related_name="sheets", verbose_name="班级")
    student = models.ForeignKey(Student, models.PROTECT, related_name="sheets", verbose_name="学生")
    code = models.CharField("编码", max_length=16, unique=True, db_collation="C")
    printed_at = models.DateTimeField("打印时间", db_default=Now())
    printed_by_name = models.CharField("打印人", max_length=50)
    material = models.UUIDField("材料编号", null=True)
    has_corrections = models.BooleanField("家长有更正", default=False)
    filed_at = models.DateTimeField("归档时间", null=True)
    filed_by_name = models.CharField("归档人", max_length=50, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "确认表"
        indexes = [models.Index(fields=["org_path", "campaign", "school_class"], name="sheet_scope")]

    def __str__(self) -> str:
        return self.code
