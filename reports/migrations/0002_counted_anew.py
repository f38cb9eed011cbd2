"""Changes say more of their pupils: every unit is counted in full once, before the night compares."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("reports", "0001_summaries"), ("registry", "0025_counted_path")]

    operations = [
        migrations.RunSQL(
            [
                "SELECT set_config('app.scope', 'CN.', true)",
                "UPDATE reports_unitstate SET counted_at = NULL",
                "SELECT set_config('app.scope', '', true)",
            ],
            migrations.RunSQL.noop,
        )
    ]
