"""The sides of a problem record go along with their pupils; those of before are brought to where they are."""

from django.db import migrations

# What was found again at the new school while the pupil moved says the same twice: the row that somebody has
# worked on stays, else the oldest.
CLOSE_TWICE = """UPDATE registry_problemrecord r SET closed_at = now(),
  judgement = '与同一问题重复登记，保留一条。'
FROM (SELECT id, row_number() OVER (PARTITION BY type, student_id, other_id, side, is_hint
    ORDER BY arbitration_no = '', standing = '' AND other_standing = '', id) AS place
  FROM registry_problemrecord WHERE closed_at IS NULL AND side <> 'attempt') AS same
WHERE same.id = r.id AND same.place > 1"""
FOLLOW = """UPDATE registry_problemrecord r SET org_path = s.org_path,
  other_path = CASE r.side WHEN 'attempt' THEN r.other_path WHEN 'single' THEN s.org_path ELSE t.org_path END
FROM registry_problemrecord p JOIN registry_student s ON s.id = p.student_id
LEFT JOIN registry_student t ON t.id = p.other_id WHERE p.id = r.id"""


class Migration(migrations.Migration):
    dependencies = [("registry", "0026_year_mends")]

    operations = [
        migrations.RunSQL(
            [
                "SELECT set_config('app.scope', 'CN.', true)",
                CLOSE_TWICE,
                FOLLOW,
                "SELECT set_config('app.scope', '', true)",
            ],
            migrations.RunSQL.noop,
        )
    ]
