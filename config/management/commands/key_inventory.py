from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config import rotation
from config.keyring import ring_facts


class Command(BaseCommand):
    help = "密钥清单：现有哪些密钥、何时生成与停用，各加密列与加密文件分别在几号密钥下各有多少。"

    def handle(self, *args: Any, **options: Any) -> None:
        ring = ring_facts(settings.KEYRING)
        self.stdout.write(f"主密钥 kek：{ring.get('kek_since', '建库时')}起")
        for number, row in sorted(ring["data"].items()):
            state = "现用" if number == ring["current"] else f"停用于 {row.get('retired_at', '')}"
            since = row.get("made_at", row["year"])
            self.stdout.write(f"数据密钥 {number}：{row['class']} {row['year']} 年，生成于 {since}，{state}")
        if ring.get("is_rotating"):
            self.stdout.write("轮换尚未完成，请再次运行 rotate_keys。")
        for place, counts in rotation.count().counts.items():
            shown = "，".join(f"{number} 号 {count}" for number, count in sorted(counts.items()))
            self.stdout.write(f"  {place}：{shown or '无'}")
