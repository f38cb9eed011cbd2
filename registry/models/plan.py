"""What an authority allows a school: intake plan, total quota, and seats above the class limit."""

from typing import Any

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models.functions import Now

from config.scope import PathField, ScopedQuerySet
from registry.models.school import School, SchoolClass


class _Allowance(models.Model):
    """A number that the competent authority gave by a document: who, for which office, when."""

    org_path = PathField("路径")  # of the school
    document = models.CharField("依据文件", max_length=100)
    set_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="设定人"
    )
    set_by_name = models.CharField("设定人", max_length=50)
    office_name = models.CharField("设定单位", max_length=100)
    set_at = models.DateTimeField("设定时间", db_default=Now())

    objects = ScopedQuerySet.as_manager()

    class Meta:
        abstract = True


class IntakePlan(_Allowance):
    """招生计划数: how many a school may register in the entry grade of a stage in one school year (A7.3).

    One row, changed in place: it is also the lock that two registrations of the last place queue for.
    """

    school = models.ForeignKey(School, models.PROTECT, related_name="plans", verbose_name="学校")
    school_year = models.PositiveSmallIntegerField("学年")  # the year it begins in
    stage = models.CharField("学段", max_length=1)  # list school_stage
    planned = models.PositiveIntegerField("招生计划数")

    class Meta:
        verbose_name = "招生计划"
        constraints = [
            models.UniqueConstraint(fields=["school", "school_year", "stage"], name="one_plan_a_stage_a_year")
        ]

    def __str__(self) -> str:
        return f"{self.school_year} {self.planned}"


class StatusQuota(_Allowance):
    """学籍总量: how many open statuses a school may hold in one stage (D7). One row, changed in place."""

    school = models.ForeignKey(School, models.PROTECT, related_name="quotas", verbose_name="学校")
    stage = models.CharField("学段", max_length=1)
    most = models.PositiveIntegerField("学籍总量")

    class Meta:
        verbose_name = "学籍总量"
        constraints = [models.UniqueConstraint(fields=["school", "stage"], name="one_quota_a_stage")]

    def __str__(self) -> str:
        return f"{self.stage} {self.most}"


class SeatPermission(_Allowance):
    """允许超班额: seats above the limit in force, for one class and a time, with the reason (G-19)."""

    school_class = models.ForeignKey(
        SchoolClass, models.PROTECT, related_name="seat_permissions", verbose_name="班级"
    )
    seats = models.PositiveSmallIntegerField("增加人数")
    reason = models.CharField("理由", max_length=200)
    valid = DateRangeField("有效期")

    class Meta:
        verbose_name = "超班额许可"
        constraints = [
            ExclusionConstraint(
                name="one_seat_permission_at_a_time",
                expressions=[("school_class", RangeOperators.EQUAL), ("valid", RangeOperators.OVERLAPS)],
            )
        ]

    def __str__(self) -> str:
        return f"+{self.seats}"
