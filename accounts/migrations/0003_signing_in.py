"""Second factors, password history, live sign-ins."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    # allauth asks for the e-mail address of accounts when its own tables are made.
    run_before = [("account", "0001_initial")]
    dependencies = [
        ("accounts", "0002_notices"),
    ]

    operations = [
        migrations.CreateModel(
            name="Attempts",
            fields=[
                ("key", models.UUIDField(primary_key=True, serialize=False, verbose_name="键")),
                ("failures", models.PositiveIntegerField(default=0, verbose_name="连续失败次数")),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="最近一次"
                    ),
                ),
            ],
            options={
                "verbose_name": "登录尝试",
            },
        ),
        migrations.AddField(
            model_name="user",
            name="password_chosen_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="密码启用时间"),
        ),
        migrations.CreateModel(
            name="FormerPassword",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="密码散列")),
                (
                    "chosen_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="启用时间"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="former_passwords",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="用户",
                    ),
                ),
            ],
            options={
                "verbose_name": "用过的密码",
            },
        ),
        migrations.CreateModel(
            name="SignIn",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("session_key", models.CharField(max_length=40, unique=True, verbose_name="会话")),
                ("how", models.CharField(max_length=20, verbose_name="方式")),
                ("network", models.CharField(max_length=40, verbose_name="网络")),
                ("device", models.CharField(max_length=60, verbose_name="设备")),
                (
                    "started_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="登录时间"
                    ),
                ),
                ("expires_at", models.DateTimeField(verbose_name="最迟结束时间")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="结束时间")),
                (
                    "end",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("out", "本人退出"),
                            ("elsewhere", "在别处重新登录"),
                            ("idle", "长时间没有操作"),
                            ("expired", "登录满规定时间"),
                            ("revoked", "本人结束"),
                            ("password", "修改了密码"),
                            ("factor", "停用了验证方式"),
                            ("reset", "重置了账号"),
                            ("sealed", "账号已封存"),
                            ("dismissed", "岗位已变动"),
                        ],
                        max_length=10,
                        verbose_name="结束原因",
                    ),
                ),
                ("ended_from", models.CharField(blank=True, max_length=40, verbose_name="从何处结束")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sign_ins",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="用户",
                    ),
                ),
            ],
            options={
                "verbose_name": "登录",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)), fields=("user",), name="sign_in_one_live"
                    )
                ],
            },
        ),
    ]
