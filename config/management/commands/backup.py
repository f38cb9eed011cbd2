import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections
from django.utils import timezone

from config.backups.streams import BackupDamaged
from config.backups.taking import BackupFailed, fetch_log, take_base

_EVERY_SECONDS = 60
_BASE_HOUR = 2


class Command(BaseCommand):
    """Take a full backup, sealed; `--log` fetches the write-ahead log since; `--follow` does both for ever.

    Connects as xueji_backup (DATABASE_BACKUP_URL), writes to XUEJI_BACKUPS, seals with XUEJI_BACKUP_KEY.
    """

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--log", action="store_true")
        parser.add_argument("--follow", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["follow"]:
            self._follow()
        try:
            if options["log"]:
                self.stdout.write(f"已取回 {fetch_log()} 段日志。")
            else:
                self.stdout.write(f"已备份：{take_base()}")
        except (BackupFailed, BackupDamaged) as error:
            raise CommandError(str(error)) from error

    def _follow(self) -> None:
        """A full backup at once and then each night, the log each minute; what fails is tried again."""
        last = None
        while True:
            began = time.monotonic()
            close_old_connections()
            try:
                here = timezone.localtime()
                if last is None or (here.date() > last and here.hour >= _BASE_HOUR):
                    self.stdout.write(f"已备份：{take_base()}")
                    last = here.date()
                fetch_log()
            except (BackupFailed, BackupDamaged, OSError) as error:
                self.stderr.write(str(error))
            time.sleep(max(1.0, _EVERY_SECONDS - (time.monotonic() - began)))
