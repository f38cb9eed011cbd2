"""Summaries of statistics, what they are folded from, and report files."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import config.scope
import registry.models.person
from config.wall import wall


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("config", "0003_mass_runs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="UnitState",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("unit", config.scope.PathField(db_collation="C", unique=True, verbose_name="统计单元")),
                ("counted_at", models.DateTimeField(null=True, verbose_name="统计时间")),
                ("sealed_counted_at", models.DateTimeField(null=True, verbose_name="加密项目统计时间")),
                ("checked_at", models.DateTimeField(null=True, verbose_name="核对时间")),
                ("drift", models.PositiveIntegerField(default=0, verbose_name="核对差异")),
            ],
            options={
                "verbose_name": "统计单元状态",
            },
        ),
        migrations.CreateModel(
            name="Summary",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="路径")),
                ("cube", models.CharField(max_length=20, verbose_name="统计来源")),
                ("period", models.CharField(blank=True, max_length=4, verbose_name="学年")),
                ("grade", models.CharField(blank=True, max_length=2, verbose_name="年级")),
                ("sex", models.CharField(blank=True, max_length=1, verbose_name="性别")),
                ("ethnic", models.CharField(blank=True, max_length=10, verbose_name="民族")),
                ("hukou", models.CharField(blank=True, max_length=10, verbose_name="户籍")),
                ("code", models.CharField(blank=True, max_length=30, verbose_name="类别")),
                ("measure", models.CharField(max_length=20, verbose_name="指标")),
                ("is_unit", models.BooleanField(verbose_name="统计单元")),
                ("unit", config.scope.PathField(blank=True, db_collation="C", verbose_name="所属统计单元")),
                ("value", models.BigIntegerField(verbose_name="数值")),
            ],
            options={
                "verbose_name": "统计汇总",
                "indexes": [
                    models.Index(
                        condition=models.Q(("is_unit", True)), fields=["unit", "cube"], name="summary_unit"
                    ),
                    models.Index(
                        condition=models.Q(("is_unit", False)),
                        fields=["org_path", "cube", "grade", "period"],
                        name="summary_read",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=(
                            "is_unit",
                            "org_path",
                            "cube",
                            "period",
                            "grade",
                            "sex",
                            "ethnic",
                            "hukou",
                            "code",
                            "measure",
                        ),
                        name="summary_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SummaryDelta",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="路径")),
                ("cube", models.CharField(max_length=20, verbose_name="统计来源")),
                ("period", models.CharField(blank=True, max_length=4, verbose_name="学年")),
                ("grade", models.CharField(blank=True, max_length=2, verbose_name="年级")),
                ("sex", models.CharField(blank=True, max_length=1, verbose_name="性别")),
                ("ethnic", models.CharField(blank=True, max_length=10, verbose_name="民族")),
                ("hukou", models.CharField(blank=True, max_length=10, verbose_name="户籍")),
                ("code", models.CharField(blank=True, max_length=30, verbose_name="类别")),
                ("measure", models.CharField(max_length=20, verbose_name="指标")),
                ("unit", config.scope.PathField(db_collation="C", verbose_name="统计单元")),
                ("delta", models.BigIntegerField(verbose_name="增减")),
            ],
            options={
                "verbose_name": "统计增量",
                "indexes": [models.Index(fields=["unit"], name="summary_delta_unit")],
            },
        ),
        migrations.CreateModel(
            name="ReportFile",
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
                ("report", models.CharField(max_length=20, verbose_name="报表")),
                ("place_path", models.TextField(verbose_name="统计范围路径")),
                ("place_name", models.CharField(max_length=100, verbose_name="统计范围")),
                ("choice", models.JSONField(default=dict, verbose_name="统计口径")),
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
                "verbose_name": "统计报表文件",
                "indexes": [models.Index(fields=["org_path", "-id"], name="report_file_newest")],
                "constraints": [models.UniqueConstraint(fields=("job",), name="report_file_once_a_job")],
            },
        ),
        wall("reports_summary"),
        wall("reports_summarydelta"),
        wall("reports_unitstate", "unit"),
        wall("reports_reportfile"),
    ]
