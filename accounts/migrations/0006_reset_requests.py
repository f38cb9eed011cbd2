"""Resets that the holder's own browser asks for: no code is handed over any more."""

from typing import ClassVar

from django.conf import settings
from django.db import migrations, models
from django.db.models.deletion import PROTECT
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0005_administration")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="ResetRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=9, unique=True, verbose_name="申请编号")),
                ("digest", models.CharField(max_length=64, verbose_name="摘要")),
                ("asked_at", models.DateTimeField(db_default=Now(), verbose_name="申请时间")),
                ("expires_at", models.DateTimeField(verbose_name="失效时间")),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=PROTECT,
                        related_name="reset_requests",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="用户",
                    ),
                ),
            ],
            options={"verbose_name": "本人的重设申请"},
        ),
        migrations.AddField(
            model_name="coderequest",
            name="number",
            field=models.CharField(default="", max_length=9, verbose_name="申请编号"),
            preserve_default=False,
        ),
    ]
