from django.db import migrations

from config.wall import wall


class Migration(migrations.Migration):
    dependencies = [("transfers", "0001_initial")]
    operations = [
        wall("transfers_case", "from_path", "to_path"),
        wall("transfers_step", "from_path", "to_path"),
        wall("transfers_evidence", "from_path", "to_path"),
    ]
