"""对外提供: what an approval lets one receiver read, its clients, and what was delivered (第二十四条)."""

from allauth.idp.oidc.models import Client
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from config.clock import today
from config.crypto import unseal
from config.scope import PathField, ScopedQuerySet
from exchange.guardians.models import GuardianCode
from registry.models.person import NewPublicId

__all__ = ["AnswerKey", "DataGrant", "Delivery", "GrantClient", "GuardianCode"]


_BADGES = {
    "proposed": "waiting", "active": "active", "suspended": "warning", "stopped": "former",
    "refused": "refused",
}  # fmt: skip


class DataGrant(models.Model):
    """One receiver, one purpose, one part of the tree, certain fields, for at most a year.

    `org_path` is the office that proposed it, `subtree` what it reads. The terms and the names of those who
    approved never change: a trigger of the database keeps them. Not walled: a client's request has no scope
    until its grant's own row gives one.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", "审批中"
        ACTIVE = "active", "有效"
        SUSPENDED = "suspended", "已暂停"
        STOPPED = "stopped", "已停止"
        REFUSED = "refused", "未批准"

    class Basis(models.TextChoices):
        LAW = "law", "法律、行政法规的规定"
        DOCUMENT = "document", "县级以上人民政府的批准文件"

    class Service(models.TextChoices):
        ENROLLED = "enrolled", "在籍核验（只答是否）"
        STUDENTS = "students", "学生信息"
        CLASSES = "classes", "班级与人数"

    class Organ(models.TextChoices):
        COUNTY = "county", "县级人民政府"
        CITY = "city", "地市级人民政府"
        PROVINCE = "province", "省级人民政府"
        NATION = "nation", "国务院"

    public_id = models.UUIDField(unique=True, db_default=NewPublicId(), editable=False)
    org_path = PathField("拟定单位路径")
    org_name = models.CharField("拟定单位", max_length=100)
    subtree = PathField("提供范围路径")
    subtree_name = models.CharField("提供范围", max_length=100)
    state = models.CharField("状态", max_length=10, choices=State, default=State.PROPOSED)
    case_no = models.CharField("办件号", max_length=20, blank=True)
    receiver_name = models.CharField("接收方", max_length=100)
    receiver_code = models.CharField("统一社会信用代码", max_length=18)
    purpose = models.CharField("用途", max_length=200)
    basis = models.CharField("依据", max_length=10, choices=Basis)
    law = models.CharField("法律条款", max_length=200, blank=True)
    document_no = models.CharField("批准文号", max_length=60, blank=True)
    document_by = models.CharField("批准机关", max_length=100, blank=True)
    document_level = models.CharField("机关级别", max_length=10, choices=Organ, blank=True)
    document_on = models.DateField("批准日期", null=True)
    services: "ArrayField[list[str], list[str]]" = ArrayField(models.CharField(max_length=10))
    fields: "ArrayField[list[str], list[str]]" = ArrayField(models.CharField(max_length=40), default=list)
    clear: "ArrayField[list[str], list[str]]" = ArrayField(models.CharField(max_length=40), default=list)
    starts_on = models.DateField("开始日期")
    ends_on = models.DateField("结束日期")
    quota = models.PositiveIntegerField("每日额度")
    key = models.BinaryField("去标识密钥")  # sealed; each grant has its own, so that two cannot be joined
    approvals = models.JSONField("批准人", default=list)  # name, office, moment: 谁批准、谁负责
    proposed_by = models.BigIntegerField("拟定人编号")
    proposed_by_name = models.CharField("拟定人", max_length=50)
    proposed_at = models.DateTimeField("拟定时间", db_default=Now())
    ended_at = models.DateTimeField("停止时间", null=True)
    ended_by_name = models.CharField("停止人", max_length=50, blank=True)
    ended_reason = models.CharField("停止理由", max_length=200, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "对外提供"
        constraints = [
            models.UniqueConstraint(
                fields=["org_path", "subtree", "receiver_code", "purpose"],
                name="one_open_proposal",
                condition=Q(state="proposed"),
            )
        ]
        indexes = [models.Index(fields=["org_path", "-id"], name="datagrant_newest")]

    def __str__(self) -> str:
        return f"{self.receiver_name}：{self.purpose}"

    @property
    def is_over(self) -> bool:
        return self.ends_on < today()

    @property
    def is_live(self) -> bool:
        """Whether it lets its clients read today."""
        return self.state == self.State.ACTIVE and self.starts_on <= today() <= self.ends_on

    @property
    def state_shown(self) -> tuple[str, str]:
        """Code of its badge and word of its state; a grant past its day says so."""
        if self.state == self.State.ACTIVE and self.is_over:
            return "former", "已到期"
        return _BADGES[self.state], self.State(self.state).label

    @property
    def service_names(self) -> str:
        return "、".join(self.Service(code).label for code in self.services)

    @property
    def basis_words(self) -> str:
        """What it rests on, in one sentence."""
        if self.basis == self.Basis.LAW:
            return self.law
        organ = self.Organ(self.document_level).label
        return f"{self.document_by}（{organ}）{self.document_on:%Y-%m-%d} {self.document_no}"

    def open_key(self) -> bytes:
        """The key of its pseudonyms. Raises DoesNotOpen."""
        return unseal(self.key, "exchange_datagrant", self.pk, "key")

    def days_left(self) -> int:
        return (self.ends_on - today()).days


class GrantClient(models.Model):
    """One program of the receiver, bound to one grant for good; its secret is django-allauth's to hash."""

    grant = models.ForeignKey(DataGrant, models.PROTECT, related_name="clients", verbose_name="对外提供")
    oauth = models.OneToOneField(Client, models.PROTECT, related_name="bound", verbose_name="OAuth 客户端")
    name = models.CharField("名称", max_length=50)
    addresses: "ArrayField[list[str], list[str]]" = ArrayField(models.CharField(max_length=50))
    made_by = models.BigIntegerField("建立人编号")
    made_by_name = models.CharField("建立人", max_length=50)
    made_at = models.DateTimeField("建立时间", db_default=Now())
    stopped_at = models.DateTimeField("停用时间", null=True)
    stopped_by_name = models.CharField("停用人", max_length=50, blank=True)

    class Meta:
        verbose_name = "客户端"

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """How much one client got on one day; every single answer is in the access log besides."""

    client = models.ForeignKey(GrantClient, models.PROTECT, related_name="deliveries", verbose_name="客户端")
    day = models.DateField("日期")
    service = models.CharField("服务", max_length=10, choices=DataGrant.Service)
    answers = models.PositiveIntegerField("次数", default=0)
    records = models.PositiveIntegerField("条数", default=0)

    class Meta:
        verbose_name = "提供记录"
        constraints = [models.UniqueConstraint(fields=["client", "day", "service"], name="delivery_a_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.records}"


class AnswerKey(models.Model):
    """One year's Ed25519 key that yes/no answers are signed with; the private half lies sealed."""

    kid = models.CharField("编号", max_length=32, unique=True)
    year = models.PositiveSmallIntegerField("年份", unique=True)
    public = models.BinaryField("公钥")
    private = models.BinaryField("私钥")
    made_at = models.DateTimeField("建立时间", db_default=Now())

    class Meta:
        verbose_name = "答复签名密钥"

    def __str__(self) -> str:
        return self.kid
