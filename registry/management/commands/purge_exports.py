from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from registry.exporting.collecting import purge
from registry.tasks import purge_exports, tops


class Command(BaseCommand):
    help = "删除保留期已过的导出文件；平时由定时任务每小时执行。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="只数出将删除几个，不删除")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            self.stdout.write(f"将删除 {purge(tops(), is_rehearsal=True)} 个导出文件。")
        else:
            self.stdout.write(f"已删除 {purge_exports()} 个导出文件。")
