"""统一招生: the result list of an authority, and its rows at the schools that take the pupils in (A7.3)."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Organization
from config.models import Job
from config.scope import PathField, ScopedQuerySet
from registry.models.person import NewPublicId, Student
from registry.models.school import SchoolClass


class AdmissionList(models.Model):
    """One workbook of results, read and matched by a job, taken whole or not at all; `org_path` is the
    authority's.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "正在核对"
        DONE = "done", "已导入"
        FAILED = "failed", "未导入"

    public_id = models.UUIDField(unique=True, db_default=NewPublicId(), editable=False)
    org_path = PathField("主管部门路径")
    school_year = models.PositiveSmallIntegerField("学年")
    file_name = models.CharField("文件名", max_length=200)
    rows_total = models.PositiveIntegerField("人数", default=0)
    state = models.CharField("状态", max_length=10, choices=State, default=State.WAITING)
    stored_as = models.CharField("存储名", max_length=32, blank=True)  # erased as soon as it is matched
    digest = models.CharField("文件摘要", max_length=64, blank=True)
    failure = models.JSONField("未导入的原因", default=dict)  # sentences by row, never what a cell says
    job = models.ForeignKey(Job, models.PROTECT, null=True, related_name="+", verbose_name="任务")
    created_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="导入人"
    )
    created_by_name = models.CharField("导入人姓名", max_length=50)
    created_at = models.DateTimeField("导入时间", db_default=Now())

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "录取名单"
        indexes = [models.Index(fields=["org_path", "-id"], name="admission_list_newest")]

    def __str__(self) -> str:
        return self.file_name


class Admission(models.Model):
    """One graduate on the list of the school that is to take her in; `org_path` is that school's.

    What the school must know stands in the row: before the authority's decision the record lies elsewhere.
    `sits_here` is the school's word that she attends, where two schools were given her (重复招生).
    """

    class State(models.TextChoices):
        WAITING = "waiting", "待报送"
        FILED = "filed", "办理中"
        ENROLLED = "enrolled", "已入籍"
        DROPPED = "dropped", "已删除"

    org_path = PathField("录取学校路径")
    results = models.ForeignKey(
        AdmissionList, models.PROTECT, related_name="admissions", verbose_name="录取名单"
    )
    student = models.ForeignKey(Student, models.PROTECT, related_name="admissions", verbose_name="学生")
    school: Any = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name="录取学校")
    name = models.CharField("姓名", max_length=100)
    sex = models.CharField("性别", max_length=1)
    former_school = models.CharField("毕业学校", max_length=100)
    grade = models.CharField("升入年级", max_length=2)
    school_class = models.ForeignKey(
        SchoolClass, models.PROTECT, null=True, related_name="admissions", verbose_name="编入班级"
    )
    state = models.CharField("状态", max_length=10, choices=State, default=State.WAITING)
    sits_here = models.CharField("在校就读说明", max_length=200, blank=True)
    dropped_why = models.CharField("删除原因", max_length=200, blank=True)
    case_no = models.CharField("办件号", max_length=20, blank=True)
    created_at = models.DateTimeField("导入时间", db_default=Now())

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "录取学生"
        constraints = [
            models.UniqueConstraint(
                fields=["student", "school"], name="admitted_once_by_a_school",
                condition=Q(state__in=["waiting", "filed"]),
            )
        ]  # fmt: skip
        indexes = [models.Index(fields=["org_path", "state", "id"], name="admission_of_school")]

    def __str__(self) -> str:
        return self.name
