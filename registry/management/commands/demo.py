"""The demonstration country: real tree, invented schools, pupils and accounts."""

import json
from time import monotonic, time_ns
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, transaction

from accounts.personas import require_demo
from accounts.tree import counts, load_tree
from config.clock import today
from config.scope import NATION, scope
from registry.demo import load
from registry.demo.dropout import stay_away
from registry.demo.entries import enter_some
from registry.demo.graduates import graduate_some
from registry.demo.personas import load_personas
from registry.demo.problems import plant
from registry.demo.pupils import SEED, generate, newcomer
from registry.demo.rolls import confirm_rolls
from registry.demo.verification import verify
from registry.demo.warnings import raise_warnings
from registry.record import school_year_start
from registry.services.code_lists import load_codes

# Two starts at once must not both load; the second waits and then finds everything there.
_LOCK = 0x78756A69


class Command(BaseCommand):
    help = (
        "装载演示国家：全国行政区划、代码表、工作日历，"
        "以及虚构的学校、约一万二千名学生和演示账号。可重复执行。"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--newcomer", action="store_true", help="只输出一名尚未登记的虚构新生的登记表(JSON)，不写入"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        require_demo()
        if options["newcomer"]:
            self.stdout.write(json.dumps(newcomer(today(), seed=time_ns()), ensure_ascii=False))
            return
        self._started = monotonic()
        load_tree()
        self._say("单位：" + "、".join(f"{count:,}" for count in counts().values()) + "（国家、省、市、县）")
        call_command("import_calendar", stdout=self.stdout)
        with transaction.atomic(), scope(NATION):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            self._say(f"代码表：新增 {load_codes()} 项")
            if load.is_loaded():
                self._say("演示国家已存在，未作改动。")
                return
            self._load()
        self._analyze()
        self._say("完成。运行 manage.py personas 查看演示账号。")

    def _load(self) -> None:
        """Everything in one transaction: a run that is cut leaves nothing, and the next one starts afresh."""
        day = today()
        year = school_year_start(day).year
        load.load_offices(SEED)
        load.load_terms_and_rules(year, day)
        users = load_personas(day, SEED)
        self._say(f"学校与账号：{len(load.SCHOOLS)} 所学校，{len(users)} 个账号")
        population = generate(day)
        problems = plant(population, SEED)
        classes = load.load_classes(population.classes, users)
        records = load.load_pupils(population, classes)
        load.load_problems(problems, population, records)
        raise_warnings(users)
        found = verify(users)
        confirm_rolls(users)
        stay_away(users)
        graduate_some(users)
        enter_some(users)
        self._say(f"班级 {len(classes)} 个，学生 {len(records):,} 名，问题学籍 {len(problems)} 条")
        self._say(f"学籍核准：广东省已检查，发现问题 {found} 条")

    def _analyze(self) -> None:
        """Fresh statistics: otherwise the first pages would be planned for empty tables."""
        with connection.cursor() as cursor:
            for table in (
                "student",
                "enrolment",
                "identitydocument",
                "studentnumber",
                "familymember",
                "schoolclass",
            ):
                cursor.execute(f"ANALYZE registry_{table}")
            cursor.execute("ANALYZE accounts_organization")

    def _say(self, text: str) -> None:
        self.stdout.write(f"[{monotonic() - self._started:5.1f} 秒] {text}")
