"""Files of printed confirmation sheets (R-VER-04)."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import config.scope
import registry.models.person
from config.wall import wall


class Migration(migrations.Migration):
    dependencies = [
        ("archives", "0004_handover"),
        ("config", "0003_mass_runs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SheetPrint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "public_id",
                    models.UUIDField(
                        db_default=registry.models.person.NewPublicId(), editable=False, unique=True
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="申请单位路径")),
                ("office_name", models.CharField(max_length=100, verbose_name="申请单位")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "生成中"),
                            ("ready", "可下载"),
                            ("failed", "未生成"),
                            ("erased", "已删除"),
                        ],
                        default="waiting",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("requested_by_name", models.CharField(max_length=50, verbose_name="申请人姓名")),
                (
                    "requested_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="申请时间"
                    ),
                ),
                ("stored_as", models.CharField(blank=True, max_length=32, verbose_name="存储名")),
                ("size", models.BigIntegerField(default=0, verbose_name="字节数")),
                ("expires_at", models.DateTimeField(null=True, verbose_name="保留至")),
                ("downloads", models.PositiveIntegerField(default=0, verbose_name="下载次数")),
                (
                    "classes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None, verbose_name="班级"
                    ),
                ),
                ("class_names", models.CharField(max_length=200, verbose_name="班级名称")),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="config.job", verbose_name="任务"
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="申请人",
                    ),
                ),
            ],
            options={
                "verbose_name": "确认表文件",
                "indexes": [models.Index(fields=["org_path", "-id"], name="sheet_print_newest")],
                "constraints": [models.UniqueConstraint(fields=("job",), name="sheet_print_once_a_job")],
            },
        ),
        wall("archives_sheetprint"),
    ]
