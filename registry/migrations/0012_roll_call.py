"""Rolls of a class and signed confirmation sheets."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import config.scope
from config.wall import wall


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0011_verification"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="ClassRoll",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="路径")),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rolls",
                        to="registry.campaign",
                        verbose_name="核准",
                    ),
                ),
                (
                    "school_class",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rolls",
                        to="registry.schoolclass",
                        verbose_name="班级",
                    ),
                ),
                (
                    "students",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None, verbose_name="名册上的学生"
                    ),
                ),
                ("present", models.PositiveSmallIntegerField(verbose_name="在校人数")),
                ("away", models.PositiveSmallIntegerField(verbose_name="不在校人数")),
                ("not_ours", models.PositiveSmallIntegerField(verbose_name="非本班人数")),
                ("unlisted", models.PositiveSmallIntegerField(verbose_name="名册外人数")),
                ("version", models.PositiveSmallIntegerField(default=1, verbose_name="确认次数")),
                (
                    "confirmed_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="确认时间"
                    ),
                ),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="确认人",
                    ),
                ),
                ("confirmed_by_name", models.CharField(max_length=50, verbose_name="确认人姓名")),
            ],
            options={
                "verbose_name": "班级核对",
                "indexes": [models.Index(fields=["org_path", "campaign"], name="roll_scope")],
                "constraints": [
                    models.UniqueConstraint(fields=("campaign", "school_class"), name="roll_once_a_campaign")
                ],
            },
        ),
        migrations.CreateModel(
            name="RollMark",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="路径")),
                (
                    "roll",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="marks",
                        to="registry.classroll",
                        verbose_name="班级核对",
                    ),
                ),
                (
                    "student",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="roll_marks",
                        to="registry.student",
                        verbose_name="学生",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("away", "不在校"),
                            ("not_ours", "不是本班学生"),
                            ("unlisted", "在班就读、名册上没有"),
                        ],
                        max_length=10,
                        verbose_name="情况",
                    ),
                ),
                (
                    "why",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("sick", "病假"),
                            ("leave", "事假"),
                            ("suspending", "正在办理休学"),
                            ("guest", "借读在外"),
                            ("practice", "校外实习或集训"),
                            ("unknown", "未到校，原因不明"),
                        ],
                        max_length=10,
                        verbose_name="原因",
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=50, verbose_name="姓名")),
            ],
            options={
                "verbose_name": "核对情况",
                "constraints": [
                    models.UniqueConstraint(fields=("roll", "student"), name="one_mark_a_pupil"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "unlisted"), ("student", None)),
                            ("student__isnull", False),
                            _connector="OR",
                        ),
                        name="unlisted_by_name",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind", "away"), ("why", ""), _negated=True),
                        name="away_with_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConfirmationSheet",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="路径")),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sheets",
                        to="registry.campaign",
                        verbose_name="核准",
                    ),
                ),
                (
                    "school_class",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sheets",
                        to="registry.schoolclass",
                        verbose_name="班级",
                    ),
                ),
                (
                    "student",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sheets",
                        to="registry.student",
                        verbose_name="学生",
                    ),
                ),
                ("code", models.CharField(db_collation="C", max_length=16, unique=True, verbose_name="编码")),
                (
                    "printed_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="打印时间"
                    ),
                ),
                ("printed_by_name", models.CharField(max_length=50, verbose_name="打印人")),
                ("material", models.UUIDField(null=True, verbose_name="材料编号")),
                ("has_corrections", models.BooleanField(default=False, verbose_name="家长有更正")),
                ("filed_at", models.DateTimeField(null=True, verbose_name="归档时间")),
                ("filed_by_name", models.CharField(blank=True, max_length=50, verbose_name="归档人")),
            ],
            options={
                "verbose_name": "确认表",
                "indexes": [
                    models.Index(fields=["org_path", "campaign", "school_class"], name="sheet_scope")
                ],
            },
        ),
        wall("registry_classroll"),
        wall("registry_rollmark"),
        wall("registry_confirmationsheet"),
    ]
