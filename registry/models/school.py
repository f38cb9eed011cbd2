"""Schools, campuses, classes and terms."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models import Organization
from config.scope import PathField, ScopedQuerySet


class School(models.Model):
    """What a school is beyond its place in the tree: code, running type, stages, length of schooling
    (HANDBOOK B3, C2).
    """

    organization = models.OneToOneField(Organization, models.PROTECT, primary_key=True, related_name="school")
    code = models.CharField("学校标识码", max_length=10, unique=True)
    running_type = models.CharField("办学类型", max_length=3)
    ownership = models.CharField("办别", max_length=2)
    stages: "ArrayField[list[str], list[str]]" = ArrayField(
        models.CharField(max_length=1), verbose_name="学段"
    )
    # Years per stage, "6-3" or "5-4": wrong length of schooling graduates pupils early (R-GRD-09).
    schooling = models.CharField("学制", max_length=3, choices=[("6-3", "六三制"), ("5-4", "五四制")])
    address = models.CharField("地址", max_length=200, blank=True)
    principal = models.CharField("校长", max_length=50, blank=True)
    phone = models.CharField("电话", max_length=30, blank=True)
    postcode = models.CharField("邮编", max_length=6, blank=True)
    is_township_run = models.BooleanField("乡镇管理", default=False)

    class Meta:
        verbose_name = "学校"

    def __str__(self) -> str:
        return self.code


class Campus(models.Model):
    school = models.ForeignKey(School, models.PROTECT, related_name="campuses", verbose_name="学校")
    name = models.CharField("校区名称", max_length=100)
    division = models.CharField("行政区划", max_length=12)
    address = models.CharField("地址", max_length=200, blank=True)
    phone = models.CharField("电话", max_length=30, blank=True)

    class Meta:
        verbose_name = "校区"

    def __str__(self) -> str:
        return self.name


class SchoolClass(models.Model):
    """A class of one school. `number` is entry year plus sequence; `cap` tightens the rule in force, never
    loosens it.
    """

    org_path = PathField("路径")
    school = models.ForeignKey(School, models.PROTECT, related_name="classes", verbose_name="学校")
    campus = models.ForeignKey(Campus, models.PROTECT, null=True, blank=True, verbose_name="校区")
    number = models.CharField("班号", max_length=7)
    name = models.CharField("班级名称", max_length=50)
    grade = models.CharField("年级", max_length=2)
    type = models.CharField("班级类型", max_length=2)
    head_teacher: Any = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, related_name="classes", verbose_name="班主任"
    )
    cap = models.PositiveSmallIntegerField("班额上限", null=True, blank=True)
    is_open = models.BooleanField("在用", default=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "班级"
        constraints = [
            models.UniqueConstraint(fields=["school", "number"], name="class_number_once_a_school")
        ]
        indexes = [models.Index(fields=["org_path", "grade", "number"])]

    def __str__(self) -> str:
        return self.name


class Term(models.Model):
    """A semester as an office sets it; the nearest ancestor's row holds."""

    path = PathField("路径")
    school_year = models.PositiveSmallIntegerField("学年")  # the year it begins in
    semester = models.CharField("学期", max_length=1)
    starts_on = models.DateField("开学日")
    ends_on = models.DateField("结束日")

    class Meta:
        verbose_name = "学期"
        constraints = [models.UniqueConstraint(fields=["path", "school_year", "semester"], name="term_once")]

    def __str__(self) -> str:
        return f"{self.school_year} {self.semester}"
