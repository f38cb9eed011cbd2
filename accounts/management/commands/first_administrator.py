from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import codes
from accounts.administration import creating, separation
from accounts.administration.creating import NewPerson
from accounts.models import Organization, Post
from audit.services import System, record_many
from config.clock import today
from config.errors import Refusal
from config.scope import NATION, scope


class Command(BaseCommand):
    """The nation's first system administrator, who has nobody above to appoint her. Works once: as long as
    the nation has one, accounts are made on the pages alone.
    """

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", required=True)
        parser.add_argument("--username", required=True)

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        nation = Organization.objects.select_for_update().filter(path=NATION).first()
        if nation is None:
            raise CommandError("还没有装载单位，请先运行 load_tree。")
        if separation.with_administrator([nation]):
            raise CommandError("国家级已有系统管理员，请在页面上建立账号。")
        # Asked for, not given as an argument: a command line is seen by everybody on the machine.
        number = getpass("身份证件号码：")
        new = NewPerson(options["name"], options["username"], number)
        actor: Any = System(name="安装程序")
        try:
            with scope(NATION):
                creating.check(new)
                person = creating.add([new])[0]
                post = Post.objects.create(
                    user=person, office=nation, role=separation.SYSTEM,
                    valid=separation.term(today(), None), appointed_by_name=actor.name,
                )  # fmt: skip
                record_many("accounts.user.create", "user", [(person.pk, NATION)], actor=actor, name=new.name)
                code = codes.issue(person, by=actor, at=NATION)
        except Refusal as refused:
            raise CommandError(refused.detail) from None
        self.stdout.write(f"已为{new.name}建立账号 {new.username}（{post}）。")
        self.stdout.write(f"首次登录验证码（{codes.hours_valid(NATION)} 小时内使用一次）：{code}")
