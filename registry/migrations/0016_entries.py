"""Dated entries of the record."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import config.scope
import registry.models.person
from config.wall import wall


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0015_dropout"),
        ("config", "0003_mass_runs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="EntrySheet",
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
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="路径")),
                ("kind", models.CharField(max_length=20, verbose_name="类别")),
                ("file_name", models.CharField(max_length=200, verbose_name="文件名")),
                ("cells", models.BinaryField(null=True, verbose_name="单元格")),
                ("rows_total", models.PositiveIntegerField(verbose_name="行数")),
                (
                    "job",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="config.job",
                        verbose_name="任务",
                    ),
                ),
                ("failure", models.JSONField(default=dict, verbose_name="未写入的原因")),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="上传人",
                    ),
                ),
                ("created_by_name", models.CharField(max_length=50, verbose_name="上传人姓名")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="上传时间"
                    ),
                ),
                ("done_at", models.DateTimeField(null=True, verbose_name="写入时间")),
            ],
            options={
                "verbose_name": "成长记录导入表",
                "indexes": [models.Index(fields=["org_path", "-id"], name="entry_sheet_newest")],
            },
        ),
        migrations.CreateModel(
            name="RecordEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="路径")),
                (
                    "student",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="registry.student",
                        verbose_name="学生",
                    ),
                ),
                ("kind", models.CharField(max_length=20, verbose_name="类别")),
                ("happened_on", models.DateField(verbose_name="日期")),
                ("school_year", models.PositiveSmallIntegerField(verbose_name="学年")),
                ("semester", models.CharField(max_length=1, verbose_name="学期")),
                ("data", models.JSONField(default=dict, verbose_name="内容")),
                ("sealed", models.BinaryField(null=True, verbose_name="敏感内容")),
                ("fingerprint", models.UUIDField(verbose_name="比对值")),
                (
                    "sheet",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.entrysheet",
                        verbose_name="导入表",
                    ),
                ),
                (
                    "entered_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="登记人",
                    ),
                ),
                ("entered_by_name", models.CharField(max_length=50, verbose_name="登记人姓名")),
                ("office_name", models.CharField(max_length=100, verbose_name="登记单位")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="登记时间"
                    ),
                ),
                ("lifted_on", models.DateField(null=True, verbose_name="解除日期")),
                ("lifted_by_name", models.CharField(blank=True, max_length=50, verbose_name="解除人")),
                ("voided_at", models.DateTimeField(null=True, verbose_name="作废时间")),
                ("voided_by_name", models.CharField(blank=True, max_length=50, verbose_name="作废人")),
                ("void_reason", models.CharField(blank=True, max_length=200, verbose_name="作废原因")),
            ],
            options={
                "verbose_name": "成长记录",
                "indexes": [models.Index(fields=["student", "kind", "-happened_on"], name="entry_of_pupil")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("voided_at", None)),
                        fields=("student", "kind", "fingerprint"),
                        name="entry_once",
                    )
                ],
            },
        ),
        wall("registry_entrysheet"),
        wall("registry_recordentry"),
        # Append-only: what was entered stays as it was; it may follow its pupil, be lifted or be voided.
        migrations.RunSQL(
            [
                "REVOKE DELETE, TRUNCATE ON registry_entrysheet FROM xueji_app, xueji_worker",
                "REVOKE UPDATE, DELETE, TRUNCATE ON registry_recordentry FROM xueji_app, xueji_worker",
                "GRANT UPDATE (org_path, lifted_on, lifted_by_name, voided_at, voided_by_name, void_reason) "
                "ON registry_recordentry TO xueji_app, xueji_worker",
            ],
            migrations.RunSQL.noop,
        ),
    ]
