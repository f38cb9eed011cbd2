"""In which promotion the former school stood when a pupil moved away (G-09)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0024_dropout_proof"), ("registry", "0025_counted_path")]

    operations = [
        migrations.AddField(
            model_name="statuschange",
            name="promoted_in",
            field=models.PositiveSmallIntegerField(null=True, verbose_name="原学校已升级年份"),
        ),
    ]
