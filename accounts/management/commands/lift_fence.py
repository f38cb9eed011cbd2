from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from audit.services import System, record_many
from config import fence
from config.models import FenceLift
from config.scope import NATION

NAME_AT_LEAST, REASON_AT_LEAST = 2, 6


class Command(BaseCommand):
    """As the owner, let a restored copy work again, in the name of whoever checked it (RE-8)."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--by", required=True)
        parser.add_argument("--reason", required=True)

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        by, reason = options["by"].strip(), options["reason"].strip()
        if settings.ROLE != "owner":
            raise CommandError("解除隔离须以属主运行：XUEJI_ROLE=owner。")
        if len(by) < NAME_AT_LEAST or len(reason) < REASON_AT_LEAST:
            raise CommandError("请用 --by 写明解除人姓名，用 --reason 写明理由（不少于 6 个字）。")
        if not fence.lift(by=by, reason=reason):
            raise CommandError("该数据库没有被隔离，无须解除。")
        lifted = FenceLift.objects.latest("pk")
        record_many(
            "config.fence.lift", "fencelift", [(lifted.pk, NATION)], actor=System(name=by), reason=reason,
            basis="RE-8",
        )  # fmt: skip
        self.stdout.write(f"已由{by}解除隔离，即可办理业务。")
