"""Protected pupils, and reveals by two persons."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import config.scope
from config.wall import wall


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0009_exports"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="Protection",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="所属路径")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "待确认"),
                            ("in_force", "保护中"),
                            ("declined", "未予确认"),
                            ("ended", "已解除"),
                        ],
                        default="proposed",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("reason", models.CharField(max_length=300, verbose_name="理由")),
                ("until", models.DateField(verbose_name="保护至")),
                ("proposed_by_name", models.CharField(max_length=50, verbose_name="提出人姓名")),
                (
                    "proposed_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="提出时间"
                    ),
                ),
                ("decided_by_name", models.CharField(blank=True, max_length=50, verbose_name="确认人")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="确认时间")),
                ("ended_by_name", models.CharField(blank=True, max_length=50, verbose_name="解除人")),
                ("ended_reason", models.CharField(blank=True, max_length=300, verbose_name="解除理由")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="解除时间")),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="提出人",
                    ),
                ),
                (
                    "student",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="protections",
                        to="registry.student",
                        verbose_name="学生",
                    ),
                ),
            ],
            options={
                "verbose_name": "保护对象",
                "indexes": [models.Index(fields=["org_path", "state"], name="protection_scope")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["proposed", "in_force"])),
                        fields=("student",),
                        name="protection_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RevealRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="所属路径")),
                ("student_id", models.BigIntegerField(verbose_name="学生编号")),
                ("field", models.CharField(max_length=50, verbose_name="项目")),
                ("reason", models.CharField(max_length=200, verbose_name="事由")),
                ("asked_by_name", models.CharField(max_length=50, verbose_name="申请人姓名")),
                (
                    "asked_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="申请时间"
                    ),
                ),
                ("approved_by_name", models.CharField(blank=True, max_length=50, verbose_name="同意人")),
                ("approved_at", models.DateTimeField(null=True, verbose_name="同意时间")),
                ("used_at", models.DateTimeField(null=True, verbose_name="使用时间")),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="申请人",
                    ),
                ),
            ],
            options={
                "verbose_name": "保护对象明文查看申请",
                "indexes": [models.Index(fields=["org_path", "-asked_at"], name="reveal_request_list")],
            },
        ),
        wall("registry_protection"),
        wall("registry_revealrequest"),
        migrations.RunSQL(
            "REVOKE DELETE, TRUNCATE ON registry_protection, registry_revealrequest "
            "FROM xueji_app, xueji_worker",
            migrations.RunSQL.noop,
        ),
    ]
