"""The guardians' door."""

from typing import ClassVar

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import config.scope


class Migration(migrations.Migration):
    dependencies: ClassVar = [("exchange", "0001_grants"), ("registry", "0010_protection")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="GuardianCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.CharField(max_length=64, unique=True, verbose_name="查询码摘要")),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="路径")),
                ("relation", models.CharField(max_length=2, verbose_name="与学生关系")),
                ("issued_by", models.BigIntegerField(verbose_name="发放人编号")),
                ("issued_by_name", models.CharField(max_length=50, verbose_name="发放人")),
                (
                    "issued_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="发放时间"
                    ),
                ),
                ("until", models.DateField(verbose_name="有效期至")),
                ("failures", models.PositiveSmallIntegerField(default=0, verbose_name="核对失败次数")),
                ("last_used_at", models.DateTimeField(null=True, verbose_name="最近使用")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="停用时间")),
                (
                    "student",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="guardian_codes",
                        to="registry.student",
                        verbose_name="学生",
                    ),
                ),
            ],
            options={"verbose_name": "监护人查询码"},
        ),
        migrations.AddIndex("guardiancode", models.Index(fields=["org_path"], name="guardian_code_path")),
        migrations.AddConstraint(
            "guardiancode",
            models.CheckConstraint(
                name="guardian_code_path_form",
                condition=models.Q(org_path__endswith=".")
                & models.Q(org_path__gte="CN.")
                & models.Q(org_path__lt="CN.~"),
            ),
        ),
    ]
