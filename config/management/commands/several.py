"""Several commands in one process: loading Django anew for each takes longer than most of them do."""

import shlex
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    """Run each argument as a command line of its own, in order, until one fails."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("lines", nargs="+", metavar='"command --option"')

    def handle(self, *args: Any, **options: Any) -> None:
        for line in options["lines"]:
            self.stdout.write(f"$ {line}")
            call_command(*shlex.split(line), stdout=self.stdout)
