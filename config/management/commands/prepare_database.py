"""The roles and the database on a server that somebody else runs, as bin/run makes them on its own."""

import os
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError

from config.database import ROLES, DatabaseUnfit, accounts_in, prepare_database

ADMIN = "DATABASE_ADMIN_URL"  # read here and nowhere else: no process that serves people has it


class Command(BaseCommand):
    help = (
        f"以 {ADMIN} 的超级用户建立四个角色（口令取自四个 DATABASE_…_URL）、数据库、扩展与授权；可重复执行，"
        "口令改变后再执行一次即生效。"
    )
    requires_system_checks = []  # there may be no database yet

    def handle(self, *args: Any, **options: Any) -> None:
        if not os.environ.get(ADMIN):
            raise CommandError(f"{ADMIN} 未设置，应为超级用户的 postgresql://账号:口令@主机:端口/postgres。")
        try:
            name, passwords = accounts_in(os.environ)
            prepare_database(os.environ[ADMIN], name, passwords)
        except DatabaseUnfit as error:
            raise CommandError(str(error)) from error
        except psycopg.OperationalError as error:
            # The driver's words name the host and the account, never the password.
            raise CommandError(f"无法以 {ADMIN} 连接数据库服务器，请检查地址与口令。\n{error}") from error
        self.stdout.write(f"数据库 {name} 与角色 {'、'.join(ROLES)} 已就绪。")
