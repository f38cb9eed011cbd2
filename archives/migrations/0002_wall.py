from django.db import migrations

from config.wall import wall


class Migration(migrations.Migration):
    dependencies = [("archives", "0001_initial")]
    operations = [wall("archives_material")]
