"""Count every unit now, encrypted values included, and fold: after a load, or to put statistics right."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.scope import NATION
from reports import folding


class Command(BaseCommand):
    help = "重新统计全部单位（或 --at 指定路径以下），并汇总。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--at", default=NATION, help="机构路径，如 CN.44.")

    def handle(self, **options: Any) -> None:
        found = folding.counted_units(options["at"])
        for done, unit in enumerate(found, 1):
            folding.count_unit(unit, with_sealed=True, fully=True)
            self.stdout.write(f"  {done}/{len(found)} {unit.path}", ending="\r")
        folded = folding.fold()
        self.stdout.write(f"\n已统计 {len(found)} 个单元，汇总 {folded} 项增减。")
