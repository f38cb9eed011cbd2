"""Data grants, their clients and what was delivered; the terms of a grant never change."""

from typing import ClassVar

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import config.scope
import registry.models.person

# Who approves is responsible: the database itself keeps what was approved and by whom. Paths follow offices
# that move; state and end are the only acts on a grant.
_KEPT = (
    "receiver_name", "receiver_code", "purpose", "basis", "law", "document_no", "document_by",
    "document_level", "document_on", "services", "fields", "clear", "starts_on", "ends_on", "quota",
    "proposed_by", "proposed_by_name", "proposed_at",
)  # fmt: skip
_OLD = ", ".join(f"OLD.{name}" for name in _KEPT)
_NEW = ", ".join(f"NEW.{name}" for name in _KEPT)
KEEP = f"""
CREATE FUNCTION exchange_keep_grant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a data grant is never deleted';
  END IF;
  IF ROW({_OLD}) IS DISTINCT FROM ROW({_NEW})
     OR (OLD.approvals <> '[]'::jsonb AND OLD.approvals IS DISTINCT FROM NEW.approvals) THEN
    RAISE EXCEPTION 'the terms and approvers of a data grant never change';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER keep_grant BEFORE UPDATE OR DELETE ON exchange_datagrant
  FOR EACH ROW EXECUTE FUNCTION exchange_keep_grant();
REVOKE DELETE, TRUNCATE ON exchange_datagrant, exchange_grantclient, exchange_delivery
  FROM xueji_app, xueji_worker;
REVOKE DELETE, TRUNCATE ON exchange_answerkey FROM xueji_app, xueji_worker;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies: ClassVar = [
        ("allauth_idp_oidc", "0003_client_allow_uri_wildcards"),
        ("transfers", "0005_disputes"),
    ]
    operations: ClassVar = [
        migrations.CreateModel(
            name="AnswerKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kid", models.CharField(max_length=32, unique=True, verbose_name="编号")),
                ("year", models.PositiveSmallIntegerField(unique=True, verbose_name="年份")),
                ("public", models.BinaryField(verbose_name="公钥")),
                ("private", models.BinaryField(verbose_name="私钥")),
                (
                    "made_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="建立时间"
                    ),
                ),
            ],
            options={
                "verbose_name": "答复签名密钥",
            },
        ),
        migrations.CreateModel(
            name="DataGrant",
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
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="拟定单位路径")),
                ("org_name", models.CharField(max_length=100, verbose_name="拟定单位")),
                ("subtree", config.scope.PathField(db_collation="C", verbose_name="提供范围路径")),
                ("subtree_name", models.CharField(max_length=100, verbose_name="提供范围")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "审批中"),
                            ("active", "有效"),
                            ("suspended", "已暂停"),
                            ("stopped", "已停止"),
                            ("refused", "未批准"),
                        ],
                        default="proposed",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("case_no", models.CharField(blank=True, max_length=20, verbose_name="办件号")),
                ("receiver_name", models.CharField(max_length=100, verbose_name="接收方")),
                ("receiver_code", models.CharField(max_length=18, verbose_name="统一社会信用代码")),
                ("purpose", models.CharField(max_length=200, verbose_name="用途")),
                (
                    "basis",
                    models.CharField(
                        choices=[("law", "法律、行政法规的规定"), ("document", "县级以上人民政府的批准文件")],
                        max_length=10,
                        verbose_name="依据",
                    ),
                ),
                ("law", models.CharField(blank=True, max_length=200, verbose_name="法律条款")),
                ("document_no", models.CharField(blank=True, max_length=60, verbose_name="批准文号")),
                ("document_by", models.CharField(blank=True, max_length=100, verbose_name="批准机关")),
                (
                    "document_level",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("county", "县级人民政府"),
                            ("city", "地市级人民政府"),
                            ("province", "省级人民政府"),
                            ("nation", "国务院"),
                        ],
                        max_length=10,
                        verbose_name="机关级别",
                    ),
                ),
                ("document_on", models.DateField(null=True, verbose_name="批准日期")),
                (
                    "services",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=10), size=None
                    ),
                ),
                (
                    "fields",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), default=list, size=None
                    ),
                ),
                (
                    "clear",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), default=list, size=None
                    ),
                ),
                ("starts_on", models.DateField(verbose_name="开始日期")),
                ("ends_on", models.DateField(verbose_name="结束日期")),
                ("quota", models.PositiveIntegerField(verbose_name="每日额度")),
                ("key", models.BinaryField(verbose_name="去标识密钥")),
                ("approvals", models.JSONField(default=list, verbose_name="批准人")),
                ("proposed_by", models.BigIntegerField(verbose_name="拟定人编号")),
                ("proposed_by_name", models.CharField(max_length=50, verbose_name="拟定人")),
                (
                    "proposed_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="拟定时间"
                    ),
                ),
                ("ended_at", models.DateTimeField(null=True, verbose_name="停止时间")),
                ("ended_by_name", models.CharField(blank=True, max_length=50, verbose_name="停止人")),
                ("ended_reason", models.CharField(blank=True, max_length=200, verbose_name="停止理由")),
            ],
            options={
                "verbose_name": "对外提供",
                "indexes": [models.Index(fields=["org_path", "-id"], name="datagrant_newest")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "proposed")),
                        fields=("org_path", "subtree", "receiver_code", "purpose"),
                        name="one_open_proposal",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="GrantClient",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=50, verbose_name="名称")),
                (
                    "addresses",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=50), size=None
                    ),
                ),
                ("made_by", models.BigIntegerField(verbose_name="建立人编号")),
                ("made_by_name", models.CharField(max_length=50, verbose_name="建立人")),
                (
                    "made_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="建立时间"
                    ),
                ),
                ("stopped_at", models.DateTimeField(null=True, verbose_name="停用时间")),
                ("stopped_by_name", models.CharField(blank=True, max_length=50, verbose_name="停用人")),
                (
                    "grant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="clients",
                        to="exchange.datagrant",
                        verbose_name="对外提供",
                    ),
                ),
                (
                    "oauth",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bound",
                        to="allauth_idp_oidc.client",
                        verbose_name="OAuth 客户端",
                    ),
                ),
            ],
            options={
                "verbose_name": "客户端",
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField(verbose_name="日期")),
                (
                    "service",
                    models.CharField(
                        choices=[
                            ("enrolled", "在籍核验（只答是否）"),
                            ("students", "学生信息"),
                            ("classes", "班级与人数"),
                        ],
                        max_length=10,
                        verbose_name="服务",
                    ),
                ),
                ("answers", models.PositiveIntegerField(default=0, verbose_name="次数")),
                ("records", models.PositiveIntegerField(default=0, verbose_name="条数")),
                (
                    "client",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="exchange.grantclient",
                        verbose_name="客户端",
                    ),
                ),
            ],
            options={
                "verbose_name": "提供记录",
                "constraints": [
                    models.UniqueConstraint(fields=("client", "day", "service"), name="delivery_a_day")
                ],
            },
        ),
        migrations.RunSQL(KEEP, migrations.RunSQL.noop),
    ]
