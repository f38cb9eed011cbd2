"""One spell of one person at one school, and the lock that open business puts on a person."""

import pghistory
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Organization
from config.scope import BothPathsQuerySet, PathField, ScopedQuerySet
from registry.models.person import Student
from registry.models.school import SchoolClass
from registry.status import IN_SCHOOL, OPEN, STATUSES


class EnrolmentQuerySet(ScopedQuerySet):
    def in_school(self) -> "EnrolmentQuerySet":
        return self.filter(status__in=IN_SCHOOL, is_void=False)


@pghistory.track()
class Enrolment(models.Model):
    """A spell at one school. The database keeps one open status per person and no overlap in time (R-EST-01).

    `name`, `name_py`, `name_ini` and `sex` are copies, so that lists and searches read one index.
    """

    org_path = PathField("路径")
    student = models.ForeignKey(Student, models.PROTECT, related_name="enrolments", verbose_name="学生")
    school = models.ForeignKey(Organization, models.PROTECT, related_name="enrolments", verbose_name="学校")
    school_class = models.ForeignKey(
        SchoolClass, models.PROTECT, related_name="enrolments", null=True, verbose_name="班级"
    )
    grade = models.CharField("年级", max_length=2)
    class_number = models.CharField("班号", max_length=7)
    status = models.CharField("学籍状态", max_length=2, choices=[(s.code, s.name) for s in STATUSES.values()])
    is_void = models.BooleanField("作废", default=False)
    valid = DateRangeField("学籍期间")
    entry_month = models.CharField("入学年月", max_length=7)
    admission_mode = models.CharField("入学方式", max_length=2)
    attendance_mode = models.CharField("就读方式", max_length=1)
    number_in_class = models.CharField("班内学号", max_length=10, blank=True)
    student_source = models.CharField("学生来源", max_length=1, blank=True)
    commute_km = models.CharField("上下学距离", max_length=8, blank=True)
    commute_mode = models.CharField("上下学方式", max_length=1, blank=True)
    needs_school_bus = models.CharField("需要校车", max_length=1, blank=True)
    government_bought_place = models.CharField("政府购买学位", max_length=1, blank=True)
    name = models.CharField("姓名", max_length=100)
    name_py = models.CharField("拼音键", max_length=200, db_collation="C")
    name_ini = models.CharField("首字母", max_length=50, db_collation="C")
    sex = models.CharField("性别", max_length=1)
    created_at = models.DateTimeField("建立时间", db_default=Now())

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        verbose_name = "学籍"
        constraints = [
            models.UniqueConstraint(
                fields=["student"], name="one_active_status", condition=Q(status__in=OPEN, is_void=False)
            ),
            # WITHOUT OVERLAPS cannot be partial: a voided spell would block the true one.
            ExclusionConstraint(
                name="no_overlap_in_time",
                expressions=[("student", RangeOperators.EQUAL), ("valid", RangeOperators.OVERLAPS)],
                condition=Q(is_void=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["org_path", "grade", "class_number", "name_py", "id"],
                name="enrolment_list",
                condition=Q(status__in=IN_SCHOOL, is_void=False),
            ),
            models.Index(fields=["org_path", "name_py"], name="enrolment_pinyin"),
            models.Index(fields=["org_path", "name_ini"], name="enrolment_initials"),
            models.Index(fields=["org_path", "name"], name="enrolment_name"),
            # A search over a province or the nation is led by the name: few of many rows are wanted.
            models.Index(fields=["name", "org_path"], name="enrolment_name_wide"),
            models.Index(fields=["name_py", "org_path"], name="enrolment_pinyin_wide"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.status_name}"

    @property
    def status_name(self) -> str:
        return STATUSES[self.status].name


class OpenBusiness(models.Model):
    """在办业务: one locking case per person. transfers writes it, registry reads it (R-TRF-06)."""

    from_path = PathField("来源路径")
    to_path = PathField("去向路径")
    student = models.OneToOneField(Student, models.PROTECT, related_name="open_business", verbose_name="学生")
    case_no = models.CharField("办件号", max_length=20)
    kind = models.CharField("业务", max_length=30)
    kind_name = models.CharField("业务名称", max_length=30)

    objects = BothPathsQuerySet.as_manager()

    class Meta:
        verbose_name = "在办业务"

    def __str__(self) -> str:
        return f"{self.kind_name} {self.case_no}"
