from typing import Any

from django.core.management.base import BaseCommand

from registry.services.code_lists import load_codes


class Command(BaseCommand):
    """Load the code lists of registry/data/codes, once; safe to repeat."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"代码表：新增 {load_codes()} 项。")
