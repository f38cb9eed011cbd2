"""Nobody is "at school" without a proof on file; a return ends the absence only (R-DRP-07)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0022_dropout_lists")]

    operations = [
        migrations.AddField(
            model_name="suspecteddropout",
            name="proof",
            field=models.UUIDField(null=True, verbose_name="在校证明"),
        ),
        # A bare word of before is no answer: the school is asked again.
        migrations.RunSQL(
            [
                "SELECT set_config('app.scope', 'CN.', true)",
                "UPDATE registry_suspecteddropout SET answer = ''"
                " WHERE answer = 'at_school' AND closed_on IS NULL",
                "SELECT set_config('app.scope', '', true)",
            ],
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name="suspecteddropout",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("closed_on__isnull", False),
                    models.Q(("answer", "at_school"), _negated=True),
                    ("proof__isnull", False),
                    _connector="OR",
                ),
                name="at_school_with_proof",
            ),
        ),
    ]
