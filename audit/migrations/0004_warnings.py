"""Early warnings, what they stop, attempts to sign in, and budgets that were stretched once."""

import django.contrib.postgres.fields
import django.db.models.functions.datetime
from django.db import migrations, models

import config.scope
from config.wall import wall

# What one person did within an hour and a day, under each of her posts: the only thing that is counted
# across the wall, and only as numbers. A record counts once however often it is opened. It runs with the
# rights of whoever asks and gives the scope back; an error undoes the setting with its transaction.
SPENT = """
CREATE FUNCTION audit_spent(actor bigint, wanted text) RETURNS TABLE (hour bigint, day bigint)
LANGUAGE plpgsql AS $$
DECLARE
    before text := coalesce(current_setting('app.scope', true), '');
BEGIN
    PERFORM set_config('app.scope', 'CN.', true);
    SELECT
        CASE WHEN wanted = 'read'
            THEN count(DISTINCT subject_id) FILTER (WHERE at > now() - interval '1 hour')
            ELSE count(*) FILTER (WHERE at > now() - interval '1 hour') END,
        CASE WHEN wanted = 'read' THEN count(DISTINCT subject_id) ELSE count(*) END
    INTO hour, day
    FROM audit_accessentry
    WHERE actor_id = actor AND outcome = wanted AND subject_type = 'student'
      AND at > now() - interval '1 day';
    PERFORM set_config('app.scope', before, true);
    RETURN NEXT;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_sealing")]
    operations = [
        migrations.CreateModel(
            name="Watch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("rule", models.CharField(max_length=10, unique=True, verbose_name="规则")),
                ("seen_to", models.DateTimeField(verbose_name="已读至")),
            ],
            options={
                "verbose_name": "预警进度",
            },
        ),
        migrations.CreateModel(
            name="BudgetStretch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("actor_id", models.BigIntegerField(verbose_name="操作人编号")),
                ("budget", models.CharField(max_length=20, verbose_name="限额")),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="时间"
                    ),
                ),
            ],
            options={
                "verbose_name": "限额延展",
                "indexes": [models.Index(fields=["actor_id", "budget", "-at"], name="stretch_of")],
            },
        ),
        migrations.CreateModel(
            name="EarlyWarning",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("rule", models.CharField(max_length=10, verbose_name="规则")),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="所属路径")),
                ("office_name", models.CharField(blank=True, max_length=100, verbose_name="单位")),
                ("key", models.CharField(max_length=100, verbose_name="对象")),
                (
                    "level",
                    models.CharField(
                        choices=[("hint", "提示"), ("warning", "预警"), ("severe", "严重")],
                        max_length=10,
                        verbose_name="级别",
                    ),
                ),
                (
                    "subjects",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                ("facts", models.JSONField(default=dict, verbose_name="情况")),
                ("count", models.PositiveIntegerField(default=1, verbose_name="次数")),
                (
                    "opened_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="首次"
                    ),
                ),
                (
                    "last_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="最近"
                    ),
                ),
                ("due_at", models.DateTimeField(verbose_name="处置期限")),
                (
                    "told_path",
                    models.CharField(blank=True, default="", max_length=200, verbose_name="已通知到"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "待处置"), ("taken", "处置中"), ("closed", "已办结")],
                        default="open",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("taken_by_id", models.BigIntegerField(null=True, verbose_name="处置人编号")),
                ("taken_by_name", models.CharField(blank=True, max_length=50, verbose_name="处置人")),
                ("taken_at", models.DateTimeField(null=True, verbose_name="受理时间")),
                ("finding", models.CharField(blank=True, max_length=1000, verbose_name="处置结论")),
                ("closed_by_name", models.CharField(blank=True, max_length=50, verbose_name="办结人")),
                ("closed_at", models.DateTimeField(null=True, verbose_name="办结时间")),
            ],
            options={
                "verbose_name": "预警",
                "indexes": [
                    models.Index(fields=["org_path", "state", "-id"], name="warning_list"),
                    models.Index(
                        condition=models.Q(("state", "closed"), _negated=True),
                        fields=["due_at"],
                        name="warning_due",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "closed"), _negated=True),
                        fields=("rule", "org_path", "key"),
                        name="warning_open_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SignInAttempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="时间"
                    ),
                ),
                ("account", models.BigIntegerField(verbose_name="账号")),
                ("office_path", models.CharField(max_length=200, verbose_name="单位路径")),
                ("address", models.UUIDField(verbose_name="地址摘要")),
                ("device", models.UUIDField(null=True, verbose_name="设备摘要")),
                (
                    "roles",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=30), default=list, size=None
                    ),
                ),
                ("is_failure", models.BooleanField(verbose_name="失败")),
            ],
            options={
                "verbose_name": "登录尝试",
                "indexes": [models.Index(fields=["at"], name="attempt_at")],
            },
        ),
        migrations.CreateModel(
            name="Stop",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("warning_id", models.BigIntegerField(verbose_name="预警编号")),
                ("kind", models.CharField(max_length=20, verbose_name="停止的行为")),
                ("key", models.CharField(max_length=100, verbose_name="对象")),
                (
                    "since",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="自"
                    ),
                ),
                ("until", models.DateTimeField(null=True, verbose_name="至")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="解除时间")),
            ],
            options={
                "verbose_name": "预警停办",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("kind", "key", "warning_id"),
                        name="stop_once",
                    )
                ],
            },
        ),
        wall("audit_earlywarning"),
        migrations.RunSQL(
            [
                "REVOKE DELETE, TRUNCATE ON audit_earlywarning, audit_stop FROM xueji_app, xueji_worker",
                SPENT,
                # What the evaluator reads every two minutes: the newest rows, and few kinds of reads.
                "CREATE INDEX ON audit_event USING brin (at)",
                "CREATE INDEX ON audit_accessentry (outcome, at) WHERE outcome IN ('reveal', 'look_up')",
            ],
            ["DROP FUNCTION audit_spent(bigint, text)"],
        ),
    ]
