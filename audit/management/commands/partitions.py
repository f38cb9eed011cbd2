from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from audit.partitions import make_partitions, months_from


class Command(BaseCommand):
    """Create the log's monthly partitions, 24 months ahead. Run as the owner role; safe to repeat."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        # One month back as well, so that a clock a day behind still finds its partition.
        last_month = months_from(timezone.localdate().replace(day=1), 0)[0]
        previous = last_month.replace(
            year=last_month.year - (last_month.month == 1), month=(last_month.month - 2) % 12 + 1
        )
        made = make_partitions(previous)
        self.stdout.write(f"新建分区 {len(made)} 个。")
