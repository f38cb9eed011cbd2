"""Who received a pupil counts her for good: changes and snapshots say where and as whom (G-21)."""

from datetime import date

from django.db import migrations, models

import config.scope
from config.wall import wall_sql

_EARLY = date(2000, 1, 1)  # until the rows are filled below


class Migration(migrations.Migration):
    dependencies = [("registry", "0022_dropout_lists")]

    operations = [
        migrations.AddField(
            model_name="statuschange",
            name="counted_path",
            field=config.scope.PathField(db_collation="C", default="CN.", verbose_name="计入学校路径"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="enrolmentsnapshot",
            name="began_on",
            field=models.DateField(default=_EARLY, verbose_name="学籍开始日期"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="enrolmentsnapshot",
            name="entry_month",
            field=models.CharField(default="", max_length=7, verbose_name="入学年月"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="enrolmentsnapshot",
            name="sex",
            field=models.CharField(blank=True, default="", max_length=1, verbose_name="性别"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="enrolmentsnapshot",
            name="ethnic_group",
            field=models.CharField(blank=True, default="", max_length=2, verbose_name="民族"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="enrolmentsnapshot",
            name="hukou_division",
            field=models.CharField(blank=True, default="", max_length=12, verbose_name="户口所在地"),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name="statuschange",
            index=models.Index(fields=["counted_path", "effective_on"], name="change_counted"),
        ),
        migrations.RunSQL(
            [
                "DROP POLICY scope_wall ON registry_statuschange",
                *wall_sql("registry_statuschange", "from_path", "to_path", "counted_path")[2:],
            ],
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            [
                "SELECT set_config('app.scope', 'CN.', true)",
                # A change within one school counts where it happened; of a move, the school that received
                # her, or where a school that has ended since has left its rows.
                "UPDATE registry_statuschange c SET counted_path = CASE"
                " WHEN c.to_school_id IS NULL OR c.to_school_id = c.from_school_id THEN c.from_path"
                " ELSE coalesce((SELECT o.path FROM accounts_organization o WHERE o.id = c.to_school_id"
                "   AND upper_inf(o.valid)), c.to_path) END",
                "UPDATE registry_enrolmentsnapshot n SET began_on = lower(e.valid),"
                " entry_month = e.entry_month, sex = s.sex, ethnic_group = s.ethnic_group,"
                " hukou_division = s.hukou_division FROM registry_enrolment e, registry_student s"
                " WHERE e.id = n.enrolment_id AND s.id = n.student_id",
                "SELECT set_config('app.scope', '', true)",
            ],
            migrations.RunSQL.noop,
        ),
    ]
