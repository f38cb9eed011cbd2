"""Every protected table behind the wall, history tables too, and history append-only by grant."""

from django.db import migrations

from config.wall import wall

ONE_PATH = (
    "registry_student",
    "registry_studentevent",
    "registry_identitydocument",
    "registry_identitydocumentevent",
    "registry_studentnumber",
    "registry_familymember",
    "registry_familymemberevent",
    "registry_enrolment",
    "registry_enrolmentevent",
    "registry_schoolclass",
)
HISTORY = ", ".join(table for table in ONE_PATH if table.endswith("event"))


class Migration(migrations.Migration):
    dependencies = [("registry", "0001_initial")]
    operations = [
        *[wall(table) for table in ONE_PATH],
        wall("registry_openbusiness", "from_path", "to_path"),
        wall("registry_problemrecord", "org_path", "other_path"),
        migrations.RunSQL(
            f"REVOKE UPDATE, DELETE, TRUNCATE ON {HISTORY} FROM xueji_app, xueji_worker",
            migrations.RunSQL.noop,
        ),
    ]
