"""The real tree of divisions, as offices."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts.models import Organization
from accounts.tree import counts, load_tree


class Command(BaseCommand):
    help = "装载国家、省、市、县四级行政区划为单位；可重复执行，已有的单位不改动。"

    def handle(self, *args: Any, **options: Any) -> None:
        added = load_tree()
        labels = dict(Organization.Kind.choices)
        for kind, count in counts().items():
            self.stdout.write(f"{labels[kind]}：{count:,}（新增 {added[kind]:,}）")
