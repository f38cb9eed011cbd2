"""What happened: acts, reads and refusals. Rows are only ever added; partitions are monthly."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Func
from django.db.models.functions import Now

from audit import models_sealing as models_sealing
from audit import models_warnings as models_warnings  # early warnings stand in a module of their own
from config.scope import PathField, ScopedQuerySet


class TransactionId(models.Field):  # type: ignore[type-arg]
    """PostgreSQL's xid8: the sealer later takes rows of committed transactions by it."""

    def db_type(self, connection: object) -> str:
        return "xid8"


class CurrentTransaction(Func):
    function, template = "pg_current_xact_id", "%(function)s()"


class EventQuerySet(ScopedQuerySet):
    scope_fields = ("org_path", "other_path")


class Trace(models.Model):
    """Columns that acts and reads share. Person and office are copied as text: they outlive their rows."""

    at = models.DateTimeField("时间", db_default=Now())
    xid = TransactionId(db_default=CurrentTransaction())
    request_id = models.UUIDField("请求号")
    actor_id = models.BigIntegerField("操作人编号", null=True)
    actor_name = models.CharField("操作人", max_length=50)
    office_path = PathField("操作单位路径")
    office_name = models.CharField("操作单位", max_length=100)
    org_path = PathField("所属路径")
    subject_type = models.CharField("对象类型", max_length=30)
    subject_id = models.BigIntegerField("对象编号", null=True)

    class Meta:
        abstract = True


class Event(Trace):
    """An act: who did what to whom, why, on which basis, which fields; values only as a salted digest
    (AU-1).
    """

    other_path = PathField("另一方路径")  # equals org_path when one office is concerned
    action = models.CharField("行为", max_length=50)
    reason = models.CharField("理由", max_length=500, blank=True)
    basis = models.CharField("依据", max_length=100, blank=True)
    fields: "ArrayField[list[str], list[str]]" = ArrayField(models.CharField(max_length=50), default=list)
    digest = models.CharField("摘要", max_length=100, blank=True)
    detail = models.JSONField("说明", default=dict)

    objects = EventQuerySet.as_manager()

    class Meta:
        managed = False  # partitioned: its table is made in SQL
        db_table = "audit_event"
        verbose_name = "行为日志"

    def __str__(self) -> str:
        return self.action


class AccessEntry(Trace):
    """A read or a refusal: who looked at which records, for what, or was refused where and why."""

    class Outcome(models.TextChoices):
        READ = "read", "查看"
        LIST = "list", "列表"
        REVEAL = "reveal", "查看明文"
        LOOK_UP = "look_up", "跨范围查重"
        REFUSED = "refused", "拒绝"
        SIGN_IN = "sign_in", "登录"

    outcome = models.CharField("结果", max_length=10, choices=Outcome)
    route = models.CharField("入口", max_length=100)
    purpose = models.CharField("用途", max_length=200, blank=True)
    code = models.CharField("代码", max_length=50, blank=True)
    subject_ids: "ArrayField[list[int], list[int]]" = ArrayField(models.BigIntegerField(), default=list)
    fields: "ArrayField[list[str], list[str]]" = ArrayField(models.CharField(max_length=50), default=list)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "audit_accessentry"
        verbose_name = "访问日志"

    def __str__(self) -> str:
        return self.outcome
