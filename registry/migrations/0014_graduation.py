"""Graduation: lists, graduates, certificates and their prints."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import config.scope
import registry.models.person
from config.wall import wall


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("registry", "0013_school_year"),
    ]

    operations = [
        migrations.CreateModel(
            name="GraduationList",
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
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="学校路径")),
                (
                    "school",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="graduation_lists",
                        to="accounts.organization",
                        verbose_name="学校",
                    ),
                ),
                ("school_year", models.PositiveSmallIntegerField(verbose_name="学年")),
                ("grade", models.CharField(max_length=2, verbose_name="毕业年级")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "编制中"),
                            ("handed_in", "待学校领导确认"),
                            ("applied", "待主管部门核准"),
                            ("done", "已毕业"),
                        ],
                        default="draft",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                (
                    "prepared_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="编制人",
                    ),
                ),
                ("prepared_by_name", models.CharField(max_length=50, verbose_name="编制人姓名")),
                (
                    "handed_in_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="提交人",
                    ),
                ),
                ("handed_in_at", models.DateTimeField(null=True, verbose_name="提交时间")),
                ("confirmed_by_name", models.CharField(blank=True, max_length=50, verbose_name="确认人")),
                ("returned_reason", models.CharField(blank=True, max_length=300, verbose_name="退回原因")),
                ("case_no", models.CharField(blank=True, max_length=20, verbose_name="办件号")),
                ("total", models.PositiveIntegerField(default=0, verbose_name="毕业人数")),
                ("graduated_on", models.DateField(null=True, verbose_name="毕业日期")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="建立时间"
                    ),
                ),
            ],
            options={
                "verbose_name": "毕业名单",
                "indexes": [
                    models.Index(fields=["org_path", "-school_year", "-id"], name="graduation_list_scope")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "done"), _negated=True),
                        fields=("school", "school_year", "grade"),
                        name="one_open_graduation_list",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="GraduationRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "graduation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rows",
                        to="registry.graduationlist",
                        verbose_name="毕业名单",
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="学校路径")),
                (
                    "student",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.student",
                        verbose_name="学生",
                    ),
                ),
                (
                    "enrolment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.enrolment",
                        verbose_name="学籍",
                    ),
                ),
                ("outcome", models.CharField(default="1", max_length=1, verbose_name="毕业类型")),
                ("destination", models.CharField(blank=True, max_length=2, verbose_name="毕业去向")),
                ("held", models.CharField(blank=True, max_length=200, verbose_name="暂不毕业的原因")),
            ],
            options={
                "verbose_name": "毕业名单学生",
                "constraints": [
                    models.UniqueConstraint(fields=("graduation", "student"), name="graduation_row_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="CertificatePrint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="学校路径")),
                (
                    "graduation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="prints",
                        to="registry.graduationlist",
                        verbose_name="毕业名单",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("certificate", "毕业证书"), ("roll", "毕业名册"), ("proof", "毕业证明书")],
                        max_length=12,
                        verbose_name="种类",
                    ),
                ),
                ("words", models.CharField(max_length=60, verbose_name="范围")),
                ("count", models.PositiveSmallIntegerField(verbose_name="份数")),
                (
                    "printed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="打印人",
                    ),
                ),
                ("printed_by_name", models.CharField(max_length=50, verbose_name="打印人姓名")),
                (
                    "printed_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="打印时间"
                    ),
                ),
            ],
            options={
                "verbose_name": "证书打印批次",
                "indexes": [models.Index(fields=["org_path", "-id"], name="certificate_print_newest")],
            },
        ),
        migrations.CreateModel(
            name="GraduationRecord",
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
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="毕业学校路径")),
                (
                    "graduation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="records",
                        to="registry.graduationlist",
                        verbose_name="毕业名单",
                    ),
                ),
                (
                    "student",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="graduations",
                        to="registry.student",
                        verbose_name="学生",
                    ),
                ),
                (
                    "enrolment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.enrolment",
                        verbose_name="学籍",
                    ),
                ),
                ("school_name", models.CharField(max_length=100, verbose_name="毕业学校")),
                ("school_year", models.PositiveSmallIntegerField(verbose_name="学年")),
                ("grade", models.CharField(max_length=2, verbose_name="毕业年级")),
                ("class_number", models.CharField(max_length=7, verbose_name="班号")),
                ("class_name", models.CharField(blank=True, max_length=50, verbose_name="班级")),
                ("name", models.CharField(max_length=100, verbose_name="姓名")),
                ("sex", models.CharField(max_length=1, verbose_name="性别")),
                ("outcome", models.CharField(max_length=1, verbose_name="毕业类型")),
                (
                    "number",
                    models.CharField(db_collation="C", max_length=20, unique=True, verbose_name="证书编号"),
                ),
                ("graduated_on", models.DateField(verbose_name="毕业日期")),
                ("destination", models.CharField(blank=True, max_length=2, verbose_name="毕业去向")),
                ("next_school", models.CharField(blank=True, max_length=100, verbose_name="升入学校")),
                ("next_case_no", models.CharField(blank=True, max_length=20, verbose_name="升学办件号")),
                ("fields", models.BinaryField(verbose_name="毕业时基础数据")),
                (
                    "printed",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="records",
                        to="registry.certificateprint",
                        verbose_name="打印批次",
                    ),
                ),
                ("voided_on", models.DateField(null=True, verbose_name="回退日期")),
                ("voided_by_case", models.CharField(blank=True, max_length=20, verbose_name="回退办件号")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="登记时间"
                    ),
                ),
            ],
            options={
                "verbose_name": "毕业记录",
                "indexes": [
                    models.Index(fields=["org_path", "-school_year", "id"], name="graduate_scope"),
                    models.Index(fields=["org_path", "name"], name="graduate_name"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("voided_on", None)),
                        fields=("enrolment",),
                        name="one_graduation_a_spell",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CertificateProof",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "record",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proofs",
                        to="registry.graduationrecord",
                        verbose_name="毕业记录",
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="毕业学校路径")),
                (
                    "number",
                    models.CharField(db_collation="C", max_length=24, unique=True, verbose_name="证明书编号"),
                ),
                ("case_no", models.CharField(max_length=20, unique=True, verbose_name="办件号")),
                ("issued_on", models.DateField(verbose_name="出具日期")),
                ("ground", models.CharField(max_length=10, verbose_name="补办原因")),
                (
                    "printed",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.certificateprint",
                        verbose_name="打印批次",
                    ),
                ),
            ],
            options={
                "verbose_name": "毕业证明书",
            },
        ),
        wall("registry_graduationlist"),
        wall("registry_graduationrow"),
        wall("registry_certificateprint"),
        wall("registry_graduationrecord"),
        wall("registry_certificateproof"),
        migrations.RunSQL(
            "REVOKE DELETE, TRUNCATE ON registry_graduationlist, registry_certificateprint,"
            " registry_graduationrecord, registry_certificateproof FROM xueji_app, xueji_worker",
            migrations.RunSQL.noop,
        ),
    ]
