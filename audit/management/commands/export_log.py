from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.exporting import export_log
from audit.models_sealing import Checkpoint
from audit.services import System, record_many
from config.scope import NATION, scoped_transaction


class Command(BaseCommand):
    """Write the log up to a checkpoint as files that verify_log.py checks; having done so is logged."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--until", type=int, help="检查点编号；缺省为最新")
        parser.add_argument("--about", help="只写出涉及某一对象的条目内容，如 student:42；其余只写散列值")

    def handle(self, *args: Any, **options: Any) -> None:
        about, folder = None, options["folder"]
        if options["about"]:
            kind, _colon, pk = options["about"].partition(":")
            if not kind or not pk.isdigit():
                raise CommandError("对象应写作 student:42。")
            about = kind, int(pk)
        if folder.exists() and any(folder.iterdir()):
            raise CommandError(f"{folder} 不是空文件夹。")
        try:
            leaves, checkpoints = export_log(folder, until=options["until"], about=about)
        except Checkpoint.DoesNotExist:
            raise CommandError("没有这个检查点，请先运行 manage.py checkpoint。") from None
        with scoped_transaction(NATION):
            record_many(
                "audit.log.export", "checkpoint", [(checkpoints - 1, NATION)], actor=System(), size=leaves
            )
        self.stdout.write(f"已写出 {leaves} 条、{checkpoints} 个检查点到 {folder}。")
