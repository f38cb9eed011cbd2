"""What a change says of its pupil, the county that hosts a directly run school, lists pushed down."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import config.scope
from config.wall import wall, wall_sql


class Migration(migrations.Migration):
    dependencies = [
        ("config", "0003_mass_runs"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("registry", "0019_admission_jobs"),
        ("registry", "0021_verification"),
    ]

    operations = [
        migrations.AddField(
            model_name="statuschange",
            name="sex",
            field=models.CharField(blank=True, db_default="", max_length=1, verbose_name="性别"),
        ),
        migrations.AddField(
            model_name="statuschange",
            name="ethnic_group",
            field=models.CharField(blank=True, db_default="", max_length=2, verbose_name="民族"),
        ),
        migrations.AddField(
            model_name="statuschange",
            name="hukou_division",
            field=models.CharField(blank=True, db_default="", max_length=12, verbose_name="户口所在地"),
        ),
        migrations.CreateModel(
            name="DropoutList",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("org_path", config.scope.PathField(db_collation="C", verbose_name="路径")),
                ("file_name", models.CharField(max_length=200, verbose_name="文件名")),
                ("cells", models.BinaryField(null=True, verbose_name="单元格")),
                ("rows_total", models.PositiveIntegerField(verbose_name="行数")),
                ("skips_faulty", models.BooleanField(default=False, verbose_name="跳过有误的行")),
                ("counts", models.JSONField(default=dict, verbose_name="结果")),
                ("failure", models.JSONField(default=dict, verbose_name="未下发的原因")),
                ("created_by_name", models.CharField(max_length=50, verbose_name="上传人姓名")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="上传时间"
                    ),
                ),
                ("done_at", models.DateTimeField(null=True, verbose_name="下发时间")),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="上传人",
                    ),
                ),
                (
                    "job",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="config.job",
                        verbose_name="任务",
                    ),
                ),
            ],
            options={
                "verbose_name": "下发的疑似辍学名单",
                "indexes": [models.Index(fields=["org_path", "-id"], name="dropout_list_newest")],
            },
        ),
        migrations.AddField(
            model_name="suspecteddropout",
            name="host_path",
            field=config.scope.PathField(db_collation="C", null=True, verbose_name="所在县路径"),
        ),
        migrations.AddField(
            model_name="suspecteddropout",
            name="pushed",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="suspicions",
                to="registry.dropoutlist",
                verbose_name="下发名单",
            ),
        ),
        migrations.AddIndex(
            model_name="suspecteddropout",
            index=models.Index(fields=["host_path", "-id"], name="suspicion_hosted"),
        ),
        wall("registry_dropoutlist"),
        # The successor of the policy looks at both paths.
        migrations.RunSQL(
            [
                "REVOKE DELETE, TRUNCATE ON registry_dropoutlist FROM xueji_app, xueji_worker",
                "DROP POLICY scope_wall ON registry_suspecteddropout",
                *wall_sql("registry_suspecteddropout", "org_path", "host_path")[1:],
            ],
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            [
                "SELECT set_config('app.scope', 'CN.', true)",
                "UPDATE registry_statuschange c SET sex = s.sex, ethnic_group = s.ethnic_group,"
                " hukou_division = s.hukou_division FROM registry_student s"
                " WHERE s.id = c.student_id AND c.sex = ''",
                "SELECT set_config('app.scope', '', true)",
            ],
            migrations.RunSQL.noop,
        ),
    ]
