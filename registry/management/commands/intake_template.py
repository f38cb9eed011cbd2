from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.intake.document import describe
from registry.intake.template import write_template

PAGE = Path(settings.BASE_DIR) / "docs" / "intake-template.md"


class Command(BaseCommand):
    """Write the import template (.xlsx), and with --document the page that describes it."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", nargs="?", type=Path, help="模板的存放位置，如 template.xlsx")
        parser.add_argument("--document", action="store_true", help=f"同时更新说明文档 {PAGE.name}")

    def handle(self, *args: Any, **options: Any) -> None:
        target: Path | None = options["target"]
        if target is None and not options["document"]:
            raise CommandError("请写明模板的存放位置，或使用 --document。")
        if target is not None:
            target.write_bytes(write_template())
            self.stdout.write(f"模板：{target}")
        if options["document"]:
            PAGE.write_text(describe(), encoding="utf-8")
            self.stdout.write(f"说明文档：{PAGE.relative_to(settings.BASE_DIR)}")
