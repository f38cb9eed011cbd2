"""Delegated administration of accounts: who is who, one-use codes, resets by two, lists of accounts."""

import uuid
from typing import ClassVar

import django.contrib.postgres.constraints
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q, Value
from django.db.models.deletion import PROTECT
from django.db.models.functions import Now

_ID = ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))
_PURPOSES = [("first", "首次登录"), ("password", "重设密码"), ("factor", "重设第二验证")]
_THREE = ("system_administrator", "security_administrator", "audit_administrator")


def _person(label: str, name: str = "+", **more: object) -> models.ForeignKey:
    return models.ForeignKey(
        on_delete=PROTECT, related_name=name, to=settings.AUTH_USER_MODEL, verbose_name=label, **more
    )


def _office(label: str) -> models.ForeignKey:
    return models.ForeignKey(on_delete=PROTECT, to="accounts.organization", verbose_name=label)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0004_sealing")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="StaffIdentity",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=PROTECT,
                        primary_key=True,
                        related_name="identity",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="用户",
                    ),
                ),
                ("digest", models.UUIDField(unique=True, verbose_name="证件号摘要")),
                ("last_four", models.CharField(max_length=4, verbose_name="证件号末四位")),
            ],
            options={"verbose_name": "人员身份"},
        ),
        migrations.CreateModel(
            name="OneUseCode",
            fields=[
                _ID,
                ("purpose", models.CharField(choices=_PURPOSES, max_length=10, verbose_name="用途")),
                ("digest", models.CharField(max_length=64, verbose_name="摘要")),
                ("issued_at", models.DateTimeField(db_default=Now(), verbose_name="发放时间")),
                ("issued_by_name", models.CharField(max_length=50, verbose_name="发放人")),
                ("expires_at", models.DateTimeField(verbose_name="失效时间")),
                ("used_at", models.DateTimeField(null=True, verbose_name="使用时间")),
                ("user", _person("用户", "codes")),
            ],
            options={
                "verbose_name": "一次性验证码",
                "indexes": [
                    models.Index(
                        condition=Q(used_at__isnull=True), fields=["user", "-id"], name="one_use_code_open"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CodeRequest",
            fields=[
                _ID,
                ("purpose", models.CharField(choices=_PURPOSES, max_length=10, verbose_name="用途")),
                ("seen_how", models.CharField(max_length=200, verbose_name="核验本人的方式")),
                ("asked_at", models.DateTimeField(db_default=Now(), verbose_name="申请时间")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="复核时间")),
                ("is_confirmed", models.BooleanField(null=True, verbose_name="是否同意")),
                ("user", _person("用户", "code_requests")),
                ("office", _office("申请单位")),
                ("asked_by", _person("申请人")),
                ("decided_by", _person("复核人", null=True)),
            ],
            options={
                "verbose_name": "双人重设申请",
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(decided_by__isnull=True), fields=["user"], name="code_request_one_open"
                    ),
                    models.CheckConstraint(
                        condition=Q(decided_by__isnull=True)
                        | (~Q(decided_by=F("asked_by")) & ~Q(decided_by=F("user"))),
                        name="code_request_by_two",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AccountList",
            fields=[
                _ID,
                (
                    "public_id",
                    models.UUIDField(default=uuid.uuid4, editable=False, unique=True, verbose_name="编号"),
                ),
                ("file_name", models.CharField(max_length=200, verbose_name="文件名")),
                ("rows", models.BinaryField(null=True, verbose_name="各行")),
                ("count", models.PositiveIntegerField(verbose_name="行数")),
                ("created_at", models.DateTimeField(db_default=Now(), verbose_name="上传时间")),
                ("done_at", models.DateTimeField(null=True, verbose_name="建立时间")),
                ("office", _office("单位")),
                (
                    "created_by",
                    models.ForeignKey(on_delete=PROTECT, to=settings.AUTH_USER_MODEL, verbose_name="上传人"),
                ),
            ],
            options={"verbose_name": "账号名单"},
        ),
        migrations.AddField(
            model_name="trainingrecord",
            name="entered_by_name",
            field=models.CharField(blank=True, max_length=50, verbose_name="登记人"),
        ),
        migrations.AddConstraint(
            model_name="trainingrecord",
            constraint=models.UniqueConstraint(fields=("user", "completed_on"), name="training_once_a_day"),
        ),
        migrations.AddConstraint(
            model_name="post",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[
                    ("user", "="),
                    (
                        models.Case(models.When(role__in=_THREE, then=F("role")), default=Value("other")),
                        "<>",
                    ),
                    ("valid", "&&"),
                ],
                name="post_one_administration",
            ),
        ),
    ]
