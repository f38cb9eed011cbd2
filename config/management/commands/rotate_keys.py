from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import keyring, rotation
from config.keyring import KeysNotReady


class Command(BaseCommand):
    help = (
        "轮换数据密钥：生成新密钥并启用，把全部加密列与加密文件分批改用新密钥；可随时中断，再次运行即继续。"
        "以表的属主（XUEJI_ROLE=owner）运行，须能写密钥目录与材料目录。"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=500, help="每个事务的行数")
        parser.add_argument(
            "--kek", action="store_true", help="只更换主密钥（kek）：全部密钥重新包封，数据不动"
        )
        parser.add_argument("--destroy", type=int, metavar="N", help="销毁已无剩余的第 N 号旧密钥，不能恢复")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["kek"]:
                keyring.rewrap(settings.KEYRING)
                self.stdout.write(
                    "主密钥已更换，全部密钥已重新包封。请由两名保管人重新备份 kek 与 ring.json。"
                )
                return
            if settings.ROLE != "owner":
                raise CommandError("请以 XUEJI_ROLE=owner 运行：历史表只有属主可以改写。")
            if options["destroy"] is not None:
                rotation.destroy(options["destroy"])
                self.stdout.write(f"第 {options['destroy']} 号数据密钥已销毁。")
                return
            self._rotate(options["batch"])
        except KeysNotReady as error:
            raise CommandError(str(error)) from error

    def _rotate(self, batch: int) -> None:
        left = rotation.rotate(batch, self.stdout.write)
        for place in left.broken:
            self.stderr.write(f"不能打开：{place}")
        current = keyring.keyring().current
        rest = left.but(current)
        if rest:
            raise CommandError(
                f"还有 {rest} 项在旧密钥下，其中 {len(left.broken)} 项不能打开（KE-2），须先查明原因。"
            )
        self.stdout.write("旧密钥下已无剩余。停用满 24 小时后，可用 --destroy N 销毁旧密钥。")
