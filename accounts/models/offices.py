"""Offices and schools, and the dated grants on them."""

from datetime import date, timedelta
from typing import Any

from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models import Q
from guardian.models import UserObjectPermissionBase

from accounts.roles import GRANTABLE, RIGHT_LABELS
from config.scope import PathField, ScopedQuerySet


class OrganizationQuerySet(ScopedQuerySet):
    scope_fields = ("path",)


class Organization(models.Model):
    """An office or school. `path` is the line of authority; `division` is the place it lies in, a plain
    code.

    A school run directly by a city hangs under the city although it lies in a county; a municipality's
    districts hang under their province. Offices are never deleted: `valid` ends and successors name them as
    predecessor.
    """

    class Kind(models.TextChoices):
        NATION = "nation", "国家"
        PROVINCE = "province", "省级"
        CITY = "city", "市级"
        COUNTY = "county", "县级"
        TOWNSHIP = "township", "乡镇"
        SCHOOL = "school", "学校"
        AUTHORITY = "authority", "非教育主管机构"

    kind = models.CharField("类型", max_length=10, choices=Kind)
    code = models.CharField("代码", max_length=12)
    name = models.CharField("名称", max_length=100)
    path = PathField("路径", unique=True)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name="上级"
    )
    division = models.CharField("所在行政区划", max_length=12)
    is_authority = models.BooleanField("学籍主管部门", default=False)
    valid = DateRangeField("有效期")
    predecessors: "models.ManyToManyField[Any, Any]" = models.ManyToManyField(
        "self", symmetrical=False, related_name="successors", blank=True, verbose_name="前身"
    )
    contact_name = models.CharField("联系人", max_length=50, blank=True)
    contact_phone = models.CharField("联系电话", max_length=30, blank=True)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        verbose_name = "单位"
        default_permissions = ()
        permissions = [(str(right), str(RIGHT_LABELS[right])) for right in GRANTABLE]
        constraints = [
            models.CheckConstraint(
                name="organization_path_ends_with_code",
                condition=Q(path__endswith=".") & Q(path__gte="CN.") & Q(path__lt="CN.~"),
            )
        ]
        indexes = [models.Index(fields=["division"]), models.Index(fields=["code"])]

    def __str__(self) -> str:
        return self.name


class OfficeGrant(UserObjectPermissionBase):
    """A dated grant to see an office outside the own line (a delegated auditor, a host county).

    django-guardian's direct-key model with the object fixed to an office; never a row per pupil.
    """

    content_object = models.ForeignKey(Organization, models.PROTECT, verbose_name="单位")
    valid = DateRangeField("有效期")
    reason = models.CharField("理由", max_length=200)
    granted_by_name = models.CharField("授权人", max_length=50)

    class Meta:
        verbose_name = "临时授权"

    def __str__(self) -> str:
        return f"{self.permission} @ {self.content_object}"

    @property
    def last_day(self) -> date | None:
        return self.valid.upper - timedelta(days=1) if self.valid.upper else None
