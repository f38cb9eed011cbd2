from typing import Any

from django.core.management.base import BaseCommand

from audit.checkpoints import rotate_key
from audit.services import System, record_many
from config.scope import NATION, scoped_transaction


class Command(BaseCommand):
    """Announce a new signing key in a checkpoint under the old one; from the next checkpoint on it signs."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        made = rotate_key()
        with scoped_transaction(NATION):
            record_many("audit.log.rotate", "checkpoint", [(made.number, NATION)], actor=System())
        self.stdout.write(f"检查点 {made.number} 已公布新公钥，下一检查点起由它签署：\n{made.next_key}")
