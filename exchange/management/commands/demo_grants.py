"""Grants to receivers outside for the demonstration country: in force, waiting and expired."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts.personas import require_demo
from exchange.demo import load


class Command(BaseCommand):
    """Propose and approve the demonstration's grants, once."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        require_demo()
        made = load()
        self.stdout.write(f"演示对外提供：{made} 项。" if made else "演示对外提供已存在，未作改动。")
