from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.backups.drill import run_drill


class Command(BaseCommand):
    """Restore the newest backup into an empty folder, look whether it is whole, write a signed report (RE-7).

    `--at "2026-09-01 03:00:00"` stops at a marked second (China's time); `--name` takes another backup.
    """

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--at")
        parser.add_argument("--name", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        until = None
        if options["at"]:
            try:
                until = datetime.fromisoformat(options["at"])
            except ValueError:
                raise CommandError("--at 应为 2026-09-01 03:00:00 的形式。") from None
            if until.tzinfo is None:
                until = timezone.make_aware(until)
        drill = run_drill(options["name"], until=until)
        if not drill.is_well:
            raise CommandError(
                f"恢复演练没有通过，见 {drill.report}：\n" + "\n".join(drill.facts["problems"])
            )
        self.stdout.write(f"恢复演练通过，用时 {drill.facts['seconds']} 秒，报告 {drill.report}")
