"""What was judged about a problem record: how each side stands, the verdict, and on which data."""

from django.db import migrations, models

_STANDING = [
    ("", "待办理"),
    ("proven", "已佐证：信息无误，不是同一人"),
    ("kept", "已佐证：是同一人，学籍留在本方"),
    ("deleted", "已删除"),
]
_VERDICT = [
    ("", "未仲裁"),
    ("different", "裁定为两名不同学生"),
    ("first", "裁定为同一学生，保留一方学籍"),
    ("second", "裁定为同一学生，保留另一方学籍"),
]
_DISPOSITION = [
    ("", "未处置"),
    ("proven", "佐证"),
    ("changed", "变更"),
    ("deleted", "删除"),
    ("moved", "已转入登记学校"),
]


def _text(
    name: str, title: str, most: int, choices: list[tuple[str, str]] | None = None
) -> migrations.AddField:
    more = {"choices": choices} if choices else {}
    field = models.CharField(title, max_length=most, blank=True, default="", db_default="", **more)
    return migrations.AddField("problemrecord", name, field)


class Migration(migrations.Migration):
    dependencies = [("registry", "0017_enrolment")]
    operations = [
        migrations.AddField("problemrecord", "due_on", models.DateField("学校办理截止日", null=True)),
        _text("standing", "一方", 10, _STANDING),
        _text("other_standing", "另一方", 10, _STANDING),
        _text("changed_no", "待复查的变更", 20),
        _text("arbitration_no", "仲裁办件号", 20),
        _text("verdict", "仲裁", 10, _VERDICT),
        _text("disposition", "处置", 10, _DISPOSITION),
        _text("case_no", "处置办件号", 20),
        _text("judged_by", "认定单位", 100),
        _text("judgement", "认定意见", 500),
        _text("judged_digest", "认定时的信息摘要", 64),
    ]
