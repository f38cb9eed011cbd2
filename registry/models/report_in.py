"""报到: who came at the beginning of a term (R-UPD-01)."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from config.scope import PathField, ScopedQuerySet
from registry.models.person import Student
from registry.models.school import SchoolClass


class ReportIn(models.Model):
    """Whether a pupil reported in for one term. A late arrival changes the row; the log keeps both."""

    org_path = PathField("路径")
    student = models.ForeignKey(Student, models.PROTECT, related_name="reports", verbose_name="学生")
    school_class = models.ForeignKey(SchoolClass, models.PROTECT, related_name="+", verbose_name="班级")
    school_year = models.PositiveSmallIntegerField("学年")
    semester = models.CharField("学期", max_length=1)
    is_present = models.BooleanField("已到")
    noted_on = models.DateField("登记日期")  # of one who came: the day the archive was last refreshed
    noted_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="登记人"
    )
    noted_by_name = models.CharField("登记人", max_length=50)
    created_at = models.DateTimeField("建立时间", db_default=Now())

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "报到"
        constraints = [
            # By school: who moves in during the term reports in again.
            models.UniqueConstraint(
                fields=["org_path", "student", "school_year", "semester"], name="one_report_a_term"
            )
        ]
        indexes = [models.Index(fields=["org_path", "school_year", "semester", "is_present"])]

    def __str__(self) -> str:
        return f"{self.school_year}-{self.semester}"
