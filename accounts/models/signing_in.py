"""Live sign-ins, former passwords, failed attempts: what keeps the door (AC-1, AC-5, AC-6)."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User


class SignIn(models.Model):
    """One sign-in of one person. While it lives, `session_key` is that of a row of the session store."""

    class End(models.TextChoices):
        OUT = "out", _("本人退出")
        ELSEWHERE = "elsewhere", _("在别处重新登录")
        IDLE = "idle", _("长时间没有操作")
        EXPIRED = "expired", _("登录满规定时间")
        REVOKED = "revoked", _("本人结束")
        PASSWORD = "password", _("修改了密码")  # noqa: S105  (a word, not a secret)
        FACTOR = "factor", _("停用了验证方式")
        RESET = "reset", _("重置了账号")
        SEALED = "sealed", _("账号已封存")
        DISMISSED = "dismissed", _("岗位已变动")

    user = models.ForeignKey(User, models.PROTECT, related_name="sign_ins", verbose_name="用户")
    session_key = models.CharField("会话", max_length=40, unique=True)
    how = models.CharField("方式", max_length=20)
    network = models.CharField("网络", max_length=40)
    device = models.CharField("设备", max_length=60)
    started_at = models.DateTimeField("登录时间", db_default=Now())
    expires_at = models.DateTimeField("最迟结束时间")
    ended_at = models.DateTimeField("结束时间", null=True)
    end = models.CharField("结束原因", max_length=10, choices=End, blank=True)
    ended_from = models.CharField("从何处结束", max_length=40, blank=True)

    HOW: ClassVar = {
        "password": _("密码，登记了验证方式"), "code": _("首次登录或重置"), "totp": _("密码和动态口令"),
        "webauthn": _("密码和通行密钥"), "recovery_codes": _("密码和备用码"), "passkey": _("通行密钥"),
        "persona": _("演示"),
    }  # fmt: skip

    class Meta:
        verbose_name = "登录"
        constraints = [
            # AC-6: of two who sign in to one account at once, the database lets one live.
            models.UniqueConstraint(fields=["user"], condition=Q(ended_at=None), name="sign_in_one_live")
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.started_at}"

    @property
    def how_in_words(self) -> str:
        return str(self.HOW.get(self.how, self.how))

    @property
    def end_in_words(self) -> str:
        """Why it ended; one whose time is over may not have been closed yet."""
        return str(self.End(self.end or self.End.EXPIRED).label)

    @property
    def at_end(self) -> datetime:
        return self.ended_at or self.expires_at


class FormerPassword(models.Model):
    """The hash of a password that she chose, so that the last five are not chosen again (AC-1)."""

    user = models.ForeignKey(User, models.PROTECT, related_name="former_passwords", verbose_name="用户")
    password = models.CharField("密码散列", max_length=128)
    chosen_at = models.DateTimeField("启用时间", db_default=Now())

    class Meta:
        verbose_name = "用过的密码"

    def __str__(self) -> str:
        return str(self.chosen_at)


class Attempts(models.Model):
    """Failures in a row under one key: an account and a network, or a network (AC-5).

    The key is a keyed digest: neither what was typed nor an address is kept. A row of an account and a
    network also says that she has signed in from there.
    """

    key = models.UUIDField("键", primary_key=True)
    failures = models.PositiveIntegerField("连续失败次数", default=0)
    at = models.DateTimeField("最近一次", db_default=Now())

    class Meta:
        verbose_name = "登录尝试"

    def __str__(self) -> str:
        return f"{self.failures}"
