"""Import the State Council's holiday notices: which days rest and which weekends are worked."""

import csv
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from config.models import WorkingDay
from config.workdays import ALWAYS_FREE

COLUMNS = ["day", "is_working", "name", "document"]
SHIPPED = Path(__file__).resolve().parents[2] / "data" / "working_days_2024_2026.csv"
SHOWN_FAULTS = 20


class Command(BaseCommand):
    help = "导入国务院办公厅节假日安排(CSV:day,is_working,name,document)，逐年整体替换，可重复执行。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, default=SHIPPED, help="CSV 文件，缺省为自带文件")
        parser.add_argument("--year", type=int, action="append", default=[], help="只导入这一年，可多次给出")
        parser.add_argument("--dry-run", action="store_true", help="只检查和计数，不写入")

    def handle(self, *args: Any, **options: Any) -> None:
        days = read(options["file"])
        if missing := set(options["year"]) - {day.day.year for day in days}:
            raise CommandError(f"文件中没有 {_listed(missing)} 年的数据。")
        if options["year"]:
            days = [day for day in days if day.day.year in options["year"]]
        counts = replace_years(days, dry_run=options["dry_run"])
        years = _listed({day.day.year for day in days})
        summary = f"新增 {counts['added']} 天，更新 {counts['changed']} 天，删除 {counts['removed']} 天"
        self.stdout.write(f"{years} 年：{summary}" + ("（试运行，未写入）" if options["dry_run"] else ""))


def read(file: Path) -> list[WorkingDay]:
    """The file's days. Raises CommandError naming every faulty line, or a year that is not there in full."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            if reader.fieldnames != COLUMNS:
                raise CommandError(f"表头应为 {','.join(COLUMNS)}。")
            lines = [(reader.line_num, row) for row in reader]
    except FileNotFoundError as error:
        raise CommandError(f"找不到文件 {file.name}。") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"无法读取文件 {file.name},请确认它是 UTF-8 编码的 CSV 文件。") from error
    days: dict[date, WorkingDay] = {}
    faults = []
    for number, row in lines:
        try:
            day = _parse(row)
        except ValueError as error:
            faults.append(f"第 {number} 行：{error}")
            continue
        if day.day in days:
            faults.append(f"第 {number} 行：{day.day} 重复")
        days[day.day] = day
    faults = faults or _incomplete_years(days)
    if faults or not days:
        more = f"\n……共 {len(faults)} 处" if len(faults) > SHOWN_FAULTS else ""
        raise CommandError("\n".join(faults[:SHOWN_FAULTS]) + more if faults else "文件中没有数据。")
    return list(days.values())


@transaction.atomic
def replace_years(days: list[WorkingDay], *, dry_run: bool = False) -> Counter[str]:
    """Make the calendar of each year in `days` say exactly what they say; a second run changes nothing."""
    wanted = {day.day: day for day in days}
    stored = {row.day: row for row in WorkingDay.objects.filter(day__year__in={day.year for day in wanted})}
    added = [row for day, row in wanted.items() if day not in stored]
    changed = [row for day, row in wanted.items() if day in stored and _facts(row) != _facts(stored[day])]
    # A day entered by hand before the notice came must not survive beside it.
    removed = stored.keys() - wanted.keys()
    if not dry_run:
        WorkingDay.objects.filter(day__in=removed).delete()
        WorkingDay.objects.bulk_update(changed, ["is_working", "name", "document", "is_provisional"])
        WorkingDay.objects.bulk_create(added)
    return Counter(added=len(added), changed=len(changed), removed=len(removed))


def _parse(row: dict[str, Any]) -> WorkingDay:
    """One line as a day. Raises ValueError with a Chinese reason."""
    if None in row or None in row.values():
        raise ValueError(f"应有 {len(COLUMNS)} 列")
    try:
        day = date.fromisoformat(row["day"])
    except ValueError:
        raise ValueError(f"日期“{row['day']}”应写作 2026-01-31 的形式") from None
    if row["is_working"] not in {"0", "1"}:
        raise ValueError("is_working 应为 0（休息）或 1（上班）")
    is_working = row["is_working"] == "1"
    if is_working and day.weekday() < 5:
        raise ValueError(f"{day} 不是周末，无需标为调休上班")
    name, document = row["name"].strip(), row["document"].strip()
    for label, text, size in (("名称", name, 40), ("通知文号", document, 200)):
        if not 0 < len(text) <= size:
            raise ValueError(f"{label}不能为空，且不超过 {size} 字")
    return WorkingDay(day=day, is_working=is_working, name=name, document=document)


def _incomplete_years(days: dict[date, WorkingDay]) -> list[str]:
    """Years that cannot be a whole notice: New Year's Day or National Day does not rest in them."""
    faults = []
    for year in sorted({day.year for day in days}):
        for month, number in ALWAYS_FREE:
            free = days.get(date(year, month, number))
            if free is None or free.is_working:
                faults.append(f"{year} 年不完整：缺少 {month} 月 {number} 日的放假安排")
    return faults


def _facts(day: WorkingDay) -> tuple[bool, str, str, bool]:
    return (day.is_working, day.name, day.document, day.is_provisional)


def _listed(years: set[int]) -> str:
    return "、".join(str(year) for year in sorted(years))
