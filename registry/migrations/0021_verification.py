"""What is planned for each pupil who sits in a class without being on its list (R-VER-06)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0019_admission_jobs")]

    operations = [
        migrations.AddField(
            model_name="rollmark",
            name="way",
            field=models.CharField(
                blank=True,
                choices=[("transfer", "转入学籍"), ("back", "回学籍所在学校"), ("create", "新建学籍")],
                db_default="",
                max_length=10,
                verbose_name="去向",
            ),
        ),
    ]
