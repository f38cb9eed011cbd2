from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from config.keyring import make_keyring
from config.signing import make_signing_key


class Command(BaseCommand):
    """Create the key-encrypting key and the ring of data keys, once."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        made = make_keyring(settings.KEYRING, timezone.localdate().year)
        make_signing_key()
        self.stdout.write("已生成密钥。" if made else "密钥已存在。")
