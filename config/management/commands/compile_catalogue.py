from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.catalogue import compile_catalogue, update


class Command(BaseCommand):
    """Compile the English catalogue; with --update, first collect what code and templates mark."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--update", action="store_true", help="先从代码和模板收集字符串")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["update"]:
            total, missing = update()
            self.stdout.write(f"共 {total} 条,未翻译 {missing} 条。")
        compile_catalogue()
        self.stdout.write("英文目录已编译。")
