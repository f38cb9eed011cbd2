"""Whether backups and drills happen: what the health page says and what an early warning is made of (RE-6,
RE-7). Not run means failed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Max, Min

from config.models import FenceLift, UpkeepRun
from config.rules import rule

_SLACK = timedelta(hours=2)  # yesterday's backup began earlier than today's will end
_LOG_MINUTES = 5  # the log is fetched each minute; one that stands still so long has a reason

Kind = UpkeepRun.Kind


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that did not happen or went wrong: its code, and a sentence."""

    code: str
    text: str


def problems() -> list[Problem]:
    """What is overdue or failed last time; nothing while the installation is younger than the term."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    began = FenceLift.objects.aggregate(began=Min("lifted_at"))["began"] or now
    well = dict(UpkeepRun.objects.filter(is_well=True).values_list("kind").annotate(Max("ended_at")))
    found = []
    drill_days, backup_days = rule("DRILL_AGE_DAYS").number, rule("BACKUP_AGE_DAYS").number
    if well.get(Kind.BACKUP, began) < now - timedelta(days=backup_days) - _SLACK:
        found.append(Problem("backup", f"超过 {backup_days} 天没有完整备份，请运行 manage.py backup"))
    if Kind.WAL in well and well[Kind.WAL] < now - timedelta(minutes=_LOG_MINUTES):
        found.append(
            Problem("wal", f"归档日志超过 {_LOG_MINUTES} 分钟没有取回，请检查 manage.py backup --log")
        )
    newest = UpkeepRun.objects.filter(kind=Kind.DRILL).order_by("-ended_at").first()
    if newest is not None and not newest.is_well:
        found.append(Problem("drill_failed", "最近一次恢复演练没有通过，请查看演练报告"))
    elif well.get(Kind.DRILL, began) < now - timedelta(days=drill_days):
        found.append(Problem("drill", f"超过 {drill_days} 天没有恢复演练，请运行 manage.py restore_drill"))
    return found
