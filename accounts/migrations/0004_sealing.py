"""Sealing of idle accounts."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import config.scope


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_signing_in")]

    operations = [
        migrations.CreateModel(
            name="Sealing",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("path", config.scope.PathField(db_collation="C", verbose_name="单位路径")),
                ("idle_since", models.DateTimeField(verbose_name="最后使用时间")),
                (
                    "sealed_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="封存时间"
                    ),
                ),
                ("unsealed_at", models.DateTimeField(null=True, verbose_name="解封时间")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="解封理由")),
                (
                    "office",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                        verbose_name="单位",
                    ),
                ),
                (
                    "unsealed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="解封人",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sealings",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="用户",
                    ),
                ),
            ],
            options={
                "verbose_name": "账号封存",
                "indexes": [
                    models.Index(
                        condition=models.Q(("unsealed_at", None)), fields=["path", "-id"], name="sealing_list"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("unsealed_at", None)), fields=("user",), name="sealing_one_open"
                    )
                ],
            },
        ),
    ]
