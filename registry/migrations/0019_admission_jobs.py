"""A result list is read and matched by a job."""

import django.db.models.deletion
from django.db import migrations, models

STATES = [("waiting", "正在核对"), ("done", "已导入"), ("failed", "未导入")]


class Migration(migrations.Migration):
    dependencies = [("registry", "0018_problem_cases"), ("config", "0003_mass_runs")]

    operations = [
        # Lists from before were read when they came.
        migrations.AddField(
            model_name="admissionlist",
            name="state",
            field=models.CharField(choices=STATES, default="done", max_length=10, verbose_name="状态"),
        ),
        migrations.AlterField(
            model_name="admissionlist",
            name="state",
            field=models.CharField(choices=STATES, default="waiting", max_length=10, verbose_name="状态"),
        ),
        migrations.AddField(
            model_name="admissionlist",
            name="stored_as",
            field=models.CharField(blank=True, default="", max_length=32, verbose_name="存储名"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="admissionlist",
            name="digest",
            field=models.CharField(blank=True, default="", max_length=64, verbose_name="文件摘要"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="admissionlist",
            name="failure",
            field=models.JSONField(default=dict, verbose_name="未导入的原因"),
        ),
        migrations.AddField(
            model_name="admissionlist",
            name="job",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="config.job",
                verbose_name="任务",
            ),
        ),
        migrations.AlterField(
            model_name="admissionlist",
            name="rows_total",
            field=models.PositiveIntegerField(default=0, verbose_name="人数"),
        ),
    ]
