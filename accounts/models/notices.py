"""Notices, and where each kind of them reaches a person."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models.people import User


class Notice(models.Model):
    """Something she should know of, with the page it leads to. Neither pupils nor D4 values stand in it.

    `in_page` and `by_email` are her choices of the moment in which it was written.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="notices", verbose_name="用户")
    kind = models.CharField("种类", max_length=20)
    text = models.CharField("内容", max_length=300)
    about = models.CharField("办件号", max_length=20, blank=True)  # an e-mail says kind, this and the link
    target = models.CharField("去向", max_length=200)  # a path on this site
    once_key = models.CharField("去重键", max_length=60, blank=True)
    in_page = models.BooleanField("页面提醒", default=True)
    by_email = models.BooleanField("邮件提醒", default=False)
    created_at = models.DateTimeField("时间", db_default=Now())
    read_at = models.DateTimeField("已读时间", null=True)
    emailed_at = models.DateTimeField("发送时间", null=True)

    class Meta:
        verbose_name = "通知"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "once_key"], name="notice_once", condition=~Q(once_key="")
            )
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="notice_list", condition=Q(in_page=True)),
            models.Index(
                fields=["user"], name="notice_unread", condition=Q(in_page=True, read_at__isnull=True)
            ),
            models.Index(
                fields=["id"], name="notice_unsent", condition=Q(by_email=True, emailed_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.text


class NoticeChoice(models.Model):
    """Where one kind of notice reaches one person; without a row the kind's own default holds."""

    user = models.ForeignKey(User, models.CASCADE, related_name="notice_choices", verbose_name="用户")
    kind = models.CharField("种类", max_length=20)
    in_page = models.BooleanField("页面提醒")
    by_email = models.BooleanField("邮件提醒")

    class Meta:
        verbose_name = "通知设置"
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="notice_choice_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.in_page} {self.by_email}"
