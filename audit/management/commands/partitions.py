from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from audit.partitions import make_partitions


class Command(BaseCommand):
    """Create the log's monthly partitions, 24 months ahead. Run as the owner role; safe to repeat."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        # One month back as well, so that a clock a day behind still finds its partition.
        made = make_partitions(timezone.localdate().replace(day=1) - timedelta(days=1))
        self.stdout.write(f"新建分区 {len(made)} 个。")
