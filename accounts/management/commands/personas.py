"""The demonstration's accounts, as a table."""

import json
import unicodedata
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.personas import PASSWORD, personas, require_demo


class Command(BaseCommand):
    help = "列出演示账号：账号、岗位、单位、能做什么，以及共用的密码。只在演示环境中可用。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="输出 JSON,供 manage.py smoke 使用")

    def handle(self, *args: Any, **options: Any) -> None:
        require_demo()
        found = personas()
        if not found:
            raise CommandError("还没有演示账号，请先运行 manage.py demo。")
        if options["json"]:
            rows = [persona.as_json() for persona in found]
            self.stdout.write(json.dumps({"password": PASSWORD, "personas": rows}, ensure_ascii=False))
            return
        lines = [("账号", "岗位", "单位", "能做什么")]
        for persona in found:
            posts, offices = "、".join(persona.posts), "、".join(dict.fromkeys(persona.offices))
            lines.append((persona.username, posts, offices, persona.may))
        widths = [max(_width(line[column]) for line in lines) for column in range(3)]
        for line in lines:
            cells = [text + " " * (width - _width(text)) for text, width in zip(line, widths, strict=False)]
            self.stdout.write("  ".join([*cells, line[3]]))
        story = "demo.school.registrar 登记，demo.school.leader 审核，demo.county.reviewer 核准"
        self.stdout.write(f"\n新生注册依次由三人办理：{story}。")
        self.stdout.write(f"密码（全部账号相同）：{PASSWORD}")


def _width(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
