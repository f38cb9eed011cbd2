import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0003_intake"), ("transfers", "0002_wall")]
    operations = [
        migrations.AddField(
            model_name="case",
            name="batch",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="cases",
                to="registry.importbatch",
                verbose_name="导入批次",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(("student__isnull", True), ("batch__isnull", True), _connector="OR"),
                name="case_one_subject",
            ),
        ),
    ]
