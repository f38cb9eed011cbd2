"""Disputes of guardians: a case that nobody of an office has filed."""

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("transfers", "0004_moves")]
    operations: ClassVar = [
        migrations.AlterField(
            model_name="case",
            name="filed_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="filed_cases",
                to=settings.AUTH_USER_MODEL,
                verbose_name="发起人",
            ),
        ),
    ]
