"""Enrolment into the next stage."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import config.scope
import registry.models.person
from config.wall import wall


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0016_entries"),
        ("accounts", "0006_reset_requests"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AdmissionList",
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
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="主管部门路径")),
                ("school_year", models.PositiveSmallIntegerField(verbose_name="学年")),
                ("file_name", models.CharField(max_length=200, verbose_name="文件名")),
                ("rows_total", models.PositiveIntegerField(verbose_name="人数")),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="导入人",
                    ),
                ),
                ("created_by_name", models.CharField(max_length=50, verbose_name="导入人姓名")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="导入时间"
                    ),
                ),
            ],
            options={
                "verbose_name": "录取名单",
                "indexes": [models.Index(fields=["org_path", "-id"], name="admission_list_newest")],
            },
        ),
        migrations.CreateModel(
            name="Admission",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="录取学校路径")),
                (
                    "results",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="admissions",
                        to="registry.admissionlist",
                        verbose_name="录取名单",
                    ),
                ),
                (
                    "student",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="admissions",
                        to="registry.student",
                        verbose_name="学生",
                    ),
                ),
                (
                    "school",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                        verbose_name="录取学校",
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="姓名")),
                ("sex", models.CharField(max_length=1, verbose_name="性别")),
                ("former_school", models.CharField(max_length=100, verbose_name="毕业学校")),
                ("grade", models.CharField(max_length=2, verbose_name="升入年级")),
                (
                    "school_class",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="admissions",
                        to="registry.schoolclass",
                        verbose_name="编入班级",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "待报送"),
                            ("filed", "办理中"),
                            ("enrolled", "已入籍"),
                            ("dropped", "已删除"),
                        ],
                        default="waiting",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("sits_here", models.CharField(blank=True, max_length=200, verbose_name="在校就读说明")),
                ("dropped_why", models.CharField(blank=True, max_length=200, verbose_name="删除原因")),
                ("case_no", models.CharField(blank=True, max_length=20, verbose_name="办件号")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="导入时间"
                    ),
                ),
            ],
            options={
                "verbose_name": "录取学生",
                "indexes": [models.Index(fields=["org_path", "state", "id"], name="admission_of_school")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["waiting", "filed"])),
                        fields=("student", "school"),
                        name="admitted_once_by_a_school",
                    )
                ],
            },
        ),
        wall("registry_admissionlist"),
        wall("registry_admission"),
        migrations.RunSQL(
            "REVOKE DELETE, TRUNCATE ON registry_admissionlist, registry_admission "
            "FROM xueji_app, xueji_worker",
            migrations.RunSQL.noop,
        ),
    ]
