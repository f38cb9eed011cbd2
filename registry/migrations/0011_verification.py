"""Semester verification: campaigns, findings, sign-off, samples."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import config.scope
from config.wall import wall


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_reset_requests"),
        ("config", "0003_mass_runs"),
        ("registry", "0010_protection"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Campaign",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("path", config.scope.PathField(db_collation="C", verbose_name="组织单位路径")),
                ("school_year", models.PositiveSmallIntegerField(verbose_name="学年")),
                ("semester", models.CharField(max_length=1, verbose_name="学期")),
                ("opens_on", models.DateField(verbose_name="开始日期")),
                ("due_on", models.DateField(verbose_name="截止日期")),
                ("opened_by_name", models.CharField(max_length=50, verbose_name="组织人姓名")),
                ("office_name", models.CharField(max_length=100, verbose_name="组织单位")),
                (
                    "opened_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="组织时间"
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="config.job",
                        verbose_name="任务",
                    ),
                ),
                (
                    "opened_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="组织人",
                    ),
                ),
            ],
            options={
                "verbose_name": "学籍核准",
            },
        ),
        migrations.CreateModel(
            name="CampaignUnit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("done_at", models.DateTimeField(null=True, verbose_name="完成时间")),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="units",
                        to="registry.campaign",
                        verbose_name="学籍核准",
                    ),
                ),
                (
                    "office",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                        verbose_name="单位",
                    ),
                ),
            ],
            options={
                "verbose_name": "核准检查单元",
            },
        ),
        migrations.CreateModel(
            name="Finding",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="学校路径")),
                ("kind", models.CharField(max_length=20, verbose_name="问题类型")),
                ("facts", models.JSONField(db_default={}, verbose_name="情况")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "待处理"), ("planned", "整改中"), ("closed", "已销号")],
                        db_default="open",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                (
                    "found_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="发现时间"
                    ),
                ),
                ("due_on", models.DateField(verbose_name="办理期限")),
                ("escalated_on", models.DateField(null=True, verbose_name="督办日期")),
                (
                    "plan",
                    models.CharField(blank=True, db_default="", max_length=300, verbose_name="整改计划"),
                ),
                (
                    "planned_by_name",
                    models.CharField(blank=True, db_default="", max_length=50, verbose_name="计划人姓名"),
                ),
                ("closed_at", models.DateTimeField(null=True, verbose_name="销号时间")),
                (
                    "closed_by_name",
                    models.CharField(blank=True, db_default="", max_length=50, verbose_name="销号人姓名"),
                ),
                ("how", models.CharField(blank=True, db_default="", max_length=300, verbose_name="处理情况")),
                ("gone_at", models.DateTimeField(null=True, verbose_name="复查未再发现")),
                ("offence", models.PositiveSmallIntegerField(null=True, verbose_name="违规情形")),
                (
                    "order_text",
                    models.CharField(blank=True, db_default="", max_length=300, verbose_name="整改要求"),
                ),
                ("order_due_on", models.DateField(null=True, verbose_name="整改期限")),
                (
                    "ordered_by_name",
                    models.CharField(blank=True, db_default="", max_length=50, verbose_name="责令人"),
                ),
                ("ordered_at", models.DateTimeField(null=True, verbose_name="责令时间")),
                (
                    "answer",
                    models.CharField(blank=True, db_default="", max_length=300, verbose_name="整改报告"),
                ),
                (
                    "answered_by_name",
                    models.CharField(blank=True, db_default="", max_length=50, verbose_name="报告人"),
                ),
                ("answered_at", models.DateTimeField(null=True, verbose_name="报告时间")),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="findings",
                        to="registry.campaign",
                        verbose_name="学籍核准",
                    ),
                ),
                (
                    "closed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="销号人",
                    ),
                ),
                (
                    "order_office",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                        verbose_name="责令单位",
                    ),
                ),
                (
                    "planned_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="计划人",
                    ),
                ),
                (
                    "school_class",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="findings",
                        to="registry.schoolclass",
                        verbose_name="班级",
                    ),
                ),
                (
                    "student",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="findings",
                        to="registry.student",
                        verbose_name="学生",
                    ),
                ),
            ],
            options={
                "verbose_name": "核准问题",
            },
        ),
        migrations.CreateModel(
            name="Sample",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="抽查单位路径")),
                ("office_name", models.CharField(max_length=100, verbose_name="抽查单位")),
                ("seed", models.CharField(max_length=64, verbose_name="随机种子")),
                ("percent", models.PositiveSmallIntegerField(verbose_name="抽查比例")),
                ("schools", models.PositiveIntegerField(verbose_name="抽查学校数")),
                ("pupils", models.PositiveIntegerField(verbose_name="其中学生数")),
                ("drawn_by_name", models.CharField(max_length=50, verbose_name="抽取人姓名")),
                (
                    "drawn_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="抽取时间"
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="samples",
                        to="registry.campaign",
                        verbose_name="学籍核准",
                    ),
                ),
                (
                    "drawn_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="抽取人",
                    ),
                ),
            ],
            options={
                "verbose_name": "核准抽查",
            },
        ),
        migrations.CreateModel(
            name="SampleRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="学校路径")),
                ("ordinal", models.PositiveIntegerField(verbose_name="序号")),
                (
                    "result",
                    models.CharField(
                        blank=True,
                        choices=[("", "待核查"), ("agrees", "相符"), ("disagrees", "不符")],
                        db_default="",
                        max_length=10,
                        verbose_name="核查结果",
                    ),
                ),
                ("note", models.CharField(blank=True, db_default="", max_length=300, verbose_name="说明")),
                (
                    "inspected_by_name",
                    models.CharField(blank=True, db_default="", max_length=50, verbose_name="核查人"),
                ),
                ("inspected_at", models.DateTimeField(null=True, verbose_name="核查时间")),
                (
                    "sample",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rows",
                        to="registry.sample",
                        verbose_name="核准抽查",
                    ),
                ),
                (
                    "student",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.student",
                        verbose_name="学生",
                    ),
                ),
            ],
            options={
                "verbose_name": "抽查学生",
            },
        ),
        migrations.CreateModel(
            name="SchoolVerification",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="学校路径")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "核准中"), ("signed", "已核准")],
                        db_default="open",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("pupils", models.PositiveIntegerField(db_default=0, verbose_name="学生数")),
                ("findings_total", models.PositiveIntegerField(db_default=0, verbose_name="问题数")),
                ("findings_open", models.PositiveIntegerField(db_default=0, verbose_name="未销号")),
                ("unplanned", models.PositiveIntegerField(db_default=0, verbose_name="未定整改计划")),
                ("overdue", models.PositiveIntegerField(db_default=0, verbose_name="逾期")),
                ("rolls_total", models.PositiveIntegerField(db_default=0, verbose_name="班级数")),
                ("rolls_confirmed", models.PositiveIntegerField(db_default=0, verbose_name="已核对班级")),
                ("checked_at", models.DateTimeField(null=True, verbose_name="检查时间")),
                (
                    "signed_by_name",
                    models.CharField(blank=True, db_default="", max_length=50, verbose_name="签署人姓名"),
                ),
                ("signed_at", models.DateTimeField(null=True, verbose_name="签署时间")),
                ("counts", models.JSONField(db_default={}, verbose_name="签署时数字")),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="schools",
                        to="registry.campaign",
                        verbose_name="学籍核准",
                    ),
                ),
                (
                    "school",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                        verbose_name="学校",
                    ),
                ),
                (
                    "signed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="签署人",
                    ),
                ),
            ],
            options={
                "verbose_name": "学校核准情况",
            },
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.UniqueConstraint(
                fields=("path", "school_year", "semester"), name="one_campaign_a_term"
            ),
        ),
        migrations.AddConstraint(
            model_name="campaignunit",
            constraint=models.UniqueConstraint(fields=("campaign", "office"), name="one_unit_an_office"),
        ),
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(fields=["org_path", "campaign", "state", "id"], name="finding_list"),
        ),
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(
                condition=models.Q(models.Q(("state", "closed"), _negated=True), ("escalated_on", None)),
                fields=["due_on"],
                name="finding_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="finding",
            constraint=models.UniqueConstraint(
                condition=models.Q(("student__isnull", False)),
                fields=("org_path", "campaign", "kind", "student"),
                name="one_finding_a_pupil",
            ),
        ),
        migrations.AddConstraint(
            model_name="finding",
            constraint=models.UniqueConstraint(
                condition=models.Q(("student__isnull", True)),
                fields=("org_path", "campaign", "kind", "school_class"),
                name="one_finding_a_class",
            ),
        ),
        migrations.AddIndex(
            model_name="sample",
            index=models.Index(fields=["org_path", "campaign"], name="sample_scope"),
        ),
        migrations.AddIndex(
            model_name="samplerow",
            index=models.Index(fields=["org_path"], name="sample_row_path"),
        ),
        migrations.AddConstraint(
            model_name="samplerow",
            constraint=models.UniqueConstraint(fields=("sample", "student"), name="sampled_once"),
        ),
        migrations.AddIndex(
            model_name="schoolverification",
            index=models.Index(fields=["org_path", "campaign"], name="verification_scope"),
        ),
        migrations.AddConstraint(
            model_name="schoolverification",
            constraint=models.UniqueConstraint(
                fields=("campaign", "school"), name="one_verification_a_school"
            ),
        ),
        wall("registry_schoolverification"),
        wall("registry_finding"),
        wall("registry_sample"),
        wall("registry_samplerow"),
        migrations.RunSQL(
            "REVOKE DELETE, TRUNCATE ON registry_sample, registry_samplerow FROM xueji_app, xueji_worker",
            migrations.RunSQL.noop,
        ),
    ]
