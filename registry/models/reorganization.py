"""The life of a school or office: what a change of it would move, as rehearsed and then done, and what the
office was before.
"""

from typing import Any

from django.contrib.postgres.fields import ArrayField, DateRangeField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Organization
from config.scope import PathField, ScopedQuerySet
from registry.models.person import NewPublicId


class ReorganizationQuerySet(ScopedQuerySet):
    scope_fields = ("path",)


class Reorganization(models.Model):
    """One change of a school or office: the plan, what its rehearsal showed, and how far it has come.

    `digest` covers everything the plan moves; the execution computes it again and refuses when it differs.
    Not behind the wall: counts and names of offices, no pupil.
    """

    public_id = models.UUIDField(unique=True, db_default=NewPublicId(), editable=False)
    path = PathField("办理机关路径")
    kind = models.CharField("业务", max_length=30)
    office = models.ForeignKey(
        Organization, models.PROTECT, null=True, related_name="+", verbose_name="单位"
    )  # empty before a new one is there
    plan = models.JSONField("方案")
    digest = models.CharField("演练摘要", max_length=64)
    shown = models.JSONField("演练结果")  # counts, classes, grades, posts: what the page shows
    frozen: "ArrayField[list[str], list[str]]" = ArrayField(
        models.TextField(), verbose_name="办理期间锁定的路径"
    )
    cursor = models.JSONField("进度", default=dict)
    case_no = models.CharField("办件号", max_length=20, blank=True)
    rehearsed_at = models.DateTimeField("演练时间", db_default=Now())
    rehearsed_by: Any = models.ForeignKey(
        "accounts.User", models.PROTECT, related_name="+", verbose_name="演练人"
    )
    started_at = models.DateTimeField("开始时间", null=True)
    done_at = models.DateTimeField("完成时间", null=True)
    dropped_at = models.DateTimeField("终止时间", null=True)  # refused or withdrawn

    objects = ReorganizationQuerySet.as_manager()

    class Meta:
        verbose_name = "单位变更"
        constraints = [
            models.UniqueConstraint(
                fields=["office"],
                name="one_open_reorganization",
                condition=~Q(case_no="") & Q(done_at=None, dropped_at=None),
            ),
            models.UniqueConstraint(
                fields=["case_no"], name="reorganization_once_a_case", condition=~Q(case_no="")
            ),
        ]
        indexes = [
            # Every filing asks for those that run; there are none or a few.
            models.Index(
                fields=["started_at"],
                name="reorganization_running",
                condition=Q(started_at__isnull=False, done_at=None, dropped_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.case_no}"


class OfficeVersion(models.Model):
    """What an office was called and where it stood, up to a day: written when it changes or ends.

    Its codes are void for ever (HANDBOOK B3); the log stays under its path.
    """

    office = models.ForeignKey(Organization, models.PROTECT, related_name="versions", verbose_name="单位")
    path = PathField("当时路径")
    name = models.CharField("当时名称", max_length=100)
    code = models.CharField("当时代码", max_length=12)
    valid = DateRangeField("有效期")
    case_no = models.CharField("办件号", max_length=20)

    class Meta:
        verbose_name = "单位沿革"
        constraints = [
            models.UniqueConstraint(fields=["office", "case_no"], name="office_version_once_a_case")
        ]
        indexes = [models.Index(fields=["code"]), models.Index(fields=["path"])]

    def __str__(self) -> str:
        return f"{self.name} {self.code}"
