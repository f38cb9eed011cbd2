"""在内导出: requests for files of one's own region's data."""

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
        ("config", "0002_job_cancelled"),
        ("registry", "0008_moved"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Export",
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
                ("scope_path", models.TextField(verbose_name="数据范围路径")),
                ("scope_name", models.CharField(max_length=100, verbose_name="数据范围")),
                ("purpose", models.CharField(max_length=20, verbose_name="用途")),
                ("purpose_text", models.CharField(max_length=200, verbose_name="用途说明")),
                (
                    "fields",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), size=None
                    ),
                ),
                (
                    "clear_fields",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), default=list, size=None
                    ),
                ),
                ("filters", models.JSONField(default=dict, verbose_name="筛选条件代码")),
                ("filter_words", models.CharField(max_length=300, verbose_name="筛选条件")),
                (
                    "format",
                    models.CharField(
                        choices=[("xlsx", "Excel 工作簿（.xlsx）"), ("csv", "CSV（UTF-8）")],
                        max_length=4,
                        verbose_name="格式",
                    ),
                ),
                ("row_cap", models.PositiveIntegerField(verbose_name="人数")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "待审批"),
                            ("held", "待领导再次确认"),
                            ("approved", "已批准，生成中"),
                            ("ready", "可领取"),
                            ("refused", "未批准"),
                            ("cancelled", "已撤回"),
                            ("void", "已失效"),
                            ("erased", "已删除"),
                        ],
                        default="asked",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("requested_by_name", models.CharField(max_length=50, verbose_name="申请人")),
                (
                    "requested_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="申请时间"
                    ),
                ),
                ("decided_by_name", models.CharField(blank=True, max_length=50, verbose_name="审批人")),
                ("decided_office", models.CharField(blank=True, max_length=100, verbose_name="审批单位")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="审批时间")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="理由")),
                ("terms_digest", models.CharField(blank=True, max_length=64, verbose_name="批准内容摘要")),
                ("rows", models.PositiveIntegerField(default=0, verbose_name="行数")),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="生成次数")),
                ("stored_as", models.CharField(blank=True, max_length=32, verbose_name="存储名")),
                ("size", models.BigIntegerField(default=0, verbose_name="字节数")),
                ("ready_at", models.DateTimeField(null=True, verbose_name="生成时间")),
                ("expires_at", models.DateTimeField(null=True, verbose_name="保留至")),
                ("downloads", models.PositiveSmallIntegerField(default=0, verbose_name="领取次数")),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="审批人",
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="config.job",
                        verbose_name="任务",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exports",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="申请人",
                    ),
                ),
            ],
            options={
                "verbose_name": "导出",
                "indexes": [
                    models.Index(fields=["org_path", "-id"], name="export_newest"),
                    models.Index(fields=["requested_by", "-requested_at"], name="export_of_person"),
                ],
                "constraints": [models.UniqueConstraint(fields=("job",), name="export_once_a_job")],
            },
        ),
        wall("registry_export"),
    ]
