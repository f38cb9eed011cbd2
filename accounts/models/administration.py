"""What administering accounts leaves behind: who is who, one-use codes, resets by two, uploaded lists."""

from uuid import uuid4

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models.offices import Organization
from accounts.models.people import NAME_LENGTH, User


class StaffIdentity(models.Model):
    """The natural person behind an account (AC-9): a keyed digest of her identity number, unique over the
    nation. The number itself is kept nowhere.
    """

    user = models.OneToOneField(
        User, models.PROTECT, primary_key=True, related_name="identity", verbose_name="用户"
    )
    digest = models.UUIDField("证件号摘要", unique=True)
    last_four = models.CharField("证件号末四位", max_length=4)

    class Meta:
        verbose_name = "人员身份"

    def __str__(self) -> str:
        return f"…{self.last_four}"


class CodePurpose(models.TextChoices):
    """What a one-use code opens: the first sign-in, a new password, a new second factor."""

    FIRST = "first", "首次登录"
    PASSWORD = "password", "重设密码"
    FACTOR = "factor", "重设第二验证"


class OneUseCode(models.Model):
    """What opens an account once (AC-4): a first code that was handed to its holder, or the secret of the
    browser whose reset was confirmed. What is kept cannot be used as either.
    """

    user = models.ForeignKey(User, models.PROTECT, related_name="codes", verbose_name="用户")
    purpose = models.CharField("用途", max_length=10, choices=CodePurpose)
    digest = models.CharField("摘要", max_length=64)
    issued_at = models.DateTimeField("发放时间", db_default=Now())
    issued_by_name = models.CharField("发放人", max_length=NAME_LENGTH)
    expires_at = models.DateTimeField("失效时间")
    used_at = models.DateTimeField("使用时间", null=True)

    class Meta:
        verbose_name = "一次性验证码"
        indexes = [
            models.Index(fields=["user", "-id"], name="one_use_code_open", condition=Q(used_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.user}"


class ResetRequest(models.Model):
    """A browser that waits for the confirmation of a reset, until it has it or its time is over (AC-4). Its
    number is read out and opens nothing; `digest` is of a secret of its session.
    """

    user = models.ForeignKey(
        User, models.PROTECT, null=True, related_name="reset_requests", verbose_name="用户"
    )
    number = models.CharField("申请编号", max_length=9, unique=True)
    digest = models.CharField("摘要", max_length=64)
    asked_at = models.DateTimeField("申请时间", db_default=Now())
    expires_at = models.DateTimeField("失效时间")

    class Meta:
        verbose_name = "本人的重设申请"

    def __str__(self) -> str:
        return self.number


class CodeRequest(models.Model):
    """A reset that needs a second person's word: of the nation, of provinces, of administrators (AC-4)."""

    user = models.ForeignKey(User, models.PROTECT, related_name="code_requests", verbose_name="用户")
    purpose = models.CharField("用途", max_length=10, choices=CodePurpose)
    office = models.ForeignKey(Organization, models.PROTECT, verbose_name="申请单位")
    number = models.CharField("申请编号", max_length=9)
    seen_how = models.CharField("核验本人的方式", max_length=200)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name="申请人")
    asked_at = models.DateTimeField("申请时间", db_default=Now())
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name="复核人")
    decided_at = models.DateTimeField("复核时间", null=True)
    is_confirmed = models.BooleanField("是否同意", null=True)

    class Meta:
        verbose_name = "双人重设申请"
        constraints = [
            models.UniqueConstraint(
                fields=["user"], name="code_request_one_open", condition=Q(decided_by__isnull=True)
            ),
            models.CheckConstraint(
                name="code_request_by_two",
                condition=Q(decided_by__isnull=True)
                | (~Q(decided_by=F("asked_by")) & ~Q(decided_by=F("user"))),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.user}"


class AccountList(models.Model):
    """A workbook of accounts to create, checked and waiting for the word of whoever uploaded it. Its rows
    hold identity numbers: they are sealed, and erased when the accounts are made or the list is dropped.
    """

    public_id = models.UUIDField("编号", unique=True, default=uuid4, editable=False)
    office = models.ForeignKey(Organization, models.PROTECT, verbose_name="单位")
    created_by = models.ForeignKey(User, models.PROTECT, verbose_name="上传人")
    file_name = models.CharField("文件名", max_length=200)
    rows = models.BinaryField("各行", null=True)
    count = models.PositiveIntegerField("行数")
    created_at = models.DateTimeField("上传时间", db_default=Now())
    done_at = models.DateTimeField("建立时间", null=True)

    class Meta:
        verbose_name = "账号名单"

    def __str__(self) -> str:
        return self.file_name
