"""The yearly promotion."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import config.scope
import registry.models.person
from config.wall import wall


class Migration(migrations.Migration):
    dependencies = [("registry", "0012_roll_call")]
    operations = [
        migrations.CreateModel(
            name="PromotionRun",
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
                ("year", models.PositiveSmallIntegerField(verbose_name="年份")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("rehearsing", "演练中"),
                            ("rehearsed", "待确认"),
                            ("running", "执行中"),
                            ("done", "已完成"),
                            ("dropped", "已作废"),
                        ],
                        default="rehearsing",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("digest", models.CharField(blank=True, max_length=64, verbose_name="演练摘要")),
                ("counts", models.JSONField(default=dict, verbose_name="人数")),
                ("asked_by", models.BigIntegerField(verbose_name="演练人编号")),
                ("asked_by_name", models.CharField(max_length=100, verbose_name="演练人")),
                (
                    "asked_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="演练时间"
                    ),
                ),
                ("rehearsed_at", models.DateTimeField(null=True, verbose_name="演练完成时间")),
                ("first_id", models.BigIntegerField(null=True, verbose_name="第一确认人编号")),
                ("first_name", models.CharField(blank=True, max_length=100, verbose_name="第一确认人")),
                ("first_at", models.DateTimeField(null=True, verbose_name="第一次确认时间")),
                ("second_id", models.BigIntegerField(null=True, verbose_name="第二确认人编号")),
                ("second_name", models.CharField(blank=True, max_length=100, verbose_name="第二确认人")),
                ("second_at", models.DateTimeField(null=True, verbose_name="第二次确认时间")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="结束时间")),
            ],
            options={
                "verbose_name": "统一升级",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("second_id", None),
                            models.Q(
                                ("first_id__isnull", False),
                                models.Q(("second_id", models.F("first_id")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="promotion_two_persons",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["rehearsing", "rehearsed", "running"])),
                        fields=("year",),
                        name="one_open_promotion",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PromotionPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("path", config.scope.PathField(db_collation="C", verbose_name="单位路径")),
                ("name", models.CharField(max_length=100, verbose_name="单位")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "待演练"),
                            ("rehearsed", "已演练"),
                            ("done", "已升级"),
                            ("held", "已暂停"),
                        ],
                        default="waiting",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=30, verbose_name="暂停原因")),
                ("digest", models.CharField(blank=True, max_length=64, verbose_name="演练摘要")),
                ("counts", models.JSONField(default=dict, verbose_name="人数")),
                ("done_at", models.DateTimeField(null=True, verbose_name="完成时间")),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="registry.promotionrun",
                        verbose_name="统一升级",
                    ),
                ),
            ],
            options={
                "verbose_name": "升级单元",
            },
        ),
        migrations.CreateModel(
            name="PromotionSchool",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="路径")),
                ("year", models.PositiveSmallIntegerField(verbose_name="年份")),
                ("digest", models.CharField(max_length=64, verbose_name="演练摘要")),
                ("counts", models.JSONField(default=dict, verbose_name="人数")),
                ("spells", models.JSONField(default=dict, verbose_name="已升级的学籍")),
                ("classes", models.JSONField(default=list, verbose_name="班级")),
                ("unplaced", models.JSONField(default=list, verbose_name="待编班")),
                ("done_at", models.DateTimeField(null=True, verbose_name="升级时间")),
                ("undone_at", models.DateTimeField(null=True, verbose_name="撤销时间")),
                ("undone_by_name", models.CharField(blank=True, max_length=100, verbose_name="撤销人")),
                ("undone_reason", models.CharField(blank=True, max_length=200, verbose_name="撤销理由")),
                (
                    "part",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="schools",
                        to="registry.promotionpart",
                        verbose_name="升级单元",
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
            ],
            options={
                "verbose_name": "学校升级结果",
            },
        ),
        migrations.AddIndex(
            model_name="promotionpart",
            index=models.Index(fields=["path", "-id"], name="promotion_part_newest"),
        ),
        migrations.AddIndex(
            model_name="promotionpart",
            index=models.Index(fields=["run", "state"], name="promotion_part_state"),
        ),
        migrations.AddConstraint(
            model_name="promotionpart",
            constraint=models.UniqueConstraint(fields=("run", "path"), name="promotion_part_once"),
        ),
        migrations.AddIndex(
            model_name="promotionschool",
            index=models.Index(fields=["org_path", "-id"], name="promotion_school_newest"),
        ),
        migrations.AddConstraint(
            model_name="promotionschool",
            constraint=models.UniqueConstraint(fields=("part", "school"), name="promotion_school_once"),
        ),
        migrations.AddConstraint(
            model_name="promotionschool",
            constraint=models.UniqueConstraint(
                condition=models.Q(("done_at__isnull", False), ("undone_at", None)),
                fields=("school", "year"),
                name="one_promotion_a_year",
            ),
        ),
        wall("registry_promotionschool"),
    ]
