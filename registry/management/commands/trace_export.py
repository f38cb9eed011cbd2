import csv
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.scope import NATION, scoped_transaction
from registry.exporting.order import agreement
from registry.models import Enrolment, Export

_MOST = 1000  # exports that are compared


class Command(BaseCommand):
    help = (
        "追查外泄的名单出自哪一次导出：给出一份 CSV（首行含“姓名”列，可只是一部分），"
        "按行序与各次导出比较；相符程度为 100% 的即是来源。行序由密钥决定，与文件上的标识无关。"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--office", default=NATION, help="只比较这一机构路径下的导出")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with options["file"].open(encoding="utf-8-sig", newline="") as source:
                names = [row["姓名"].strip() for row in csv.DictReader(source)]
        except (OSError, KeyError, UnicodeDecodeError) as error:
            raise CommandError("不能读取该文件，或首行没有“姓名”列。") from error
        with scoped_transaction(NATION):
            found = self._compare(names, options["office"])
        for share, export in sorted(found, key=lambda one: -one[0])[:5]:
            self.stdout.write(
                f"{share:.0%} {export.approval_number} {export.office_name} {export.requested_by_name} "
                f"{export.requested_at:%Y-%m-%d}"
            )
        if not found:
            self.stdout.write("没有可以比较的导出。")

    def _compare(self, names: list[str], office: str) -> list[tuple[float, Export]]:
        exports = Export.objects.within(office).exclude(rows=0).order_by("-pk")[:_MOST]
        found = []
        for export in exports:
            spells = Enrolment.objects.within(export.scope_path).filter(name__in=names)
            by_name: dict[str, Any] = {}
            for name, *place in spells.values_list("name", "pk", "org_path", "grade", "class_number"):
                by_name[name] = None if name in by_name else tuple(place)  # namesakes tell nothing
            places = [by_name[name] for name in names if by_name.get(name)]
            if len(places) > 1:
                found.append((agreement(export, places), export))
        return found
