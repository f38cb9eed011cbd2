"""Sealings of idle accounts: when, since when unused, and who unsealed them (第二十四条)."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models.offices import Organization
from accounts.models.people import User
from config.scope import PathField, ScopedQuerySet


class SealingQuerySet(ScopedQuerySet):
    scope_fields = ("path",)


class Sealing(models.Model):
    """One sealing of one account. `path` is the office of its highest post at that time: the office above
    that one unseals.
    """

    user = models.ForeignKey(User, models.PROTECT, related_name="sealings", verbose_name="用户")
    office = models.ForeignKey(Organization, models.PROTECT, null=True, related_name="+", verbose_name="单位")
    path = PathField("单位路径")
    idle_since = models.DateTimeField("最后使用时间")
    sealed_at = models.DateTimeField("封存时间", db_default=Now())
    unsealed_at = models.DateTimeField("解封时间", null=True)
    unsealed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name="解封人")
    reason = models.CharField("解封理由", max_length=200, blank=True)

    objects = SealingQuerySet.as_manager()

    class Meta:
        verbose_name = "账号封存"
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=Q(unsealed_at=None), name="sealing_one_open")
        ]
        indexes = [models.Index(fields=["path", "-id"], name="sealing_list", condition=Q(unsealed_at=None))]

    def __str__(self) -> str:
        return f"{self.user} {self.sealed_at}"

    @property
    def idle_days(self) -> int:
        """Whole days without a sign-in at the moment of sealing."""
        idle: datetime = self.idle_since
        return (self.sealed_at - idle).days
