"""The four database roles and their rights: embedded, under test, and on a server that somebody else runs."""

from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg import sql

# docker-compose.yml has the same arguments and settings; a test compares.
INITDB = (
    "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--lc-collate=C",
    "--lc-ctype=C.UTF-8", "--data-checksums",
)  # fmt: skip
POSTGRES_SETTINGS = {
    "timezone": "UTC",
    "max_connections": "80",
    "shared_buffers": "256MB",
    "jit": "off",  # our statements take milliseconds; compiling one takes longer
    # A failing statement, or a duplicate key, holds names and numbers of pupils: not for a log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
SERVER_MAJOR = 18
_CHARACTER_TYPES = {"C.UTF-8", "C.utf8"}  # the same one, as two libraries spell it
ROLES = {  # account name: (attributes, variable that carries its address)
    "xueji_owner": ("NOBYPASSRLS NOREPLICATION", "DATABASE_OWNER_URL"),
    "xueji_app": ("NOBYPASSRLS NOREPLICATION", "DATABASE_URL"),
    "xueji_worker": ("NOBYPASSRLS NOREPLICATION", "DATABASE_WORKER_URL"),
    "xueji_backup": ("BYPASSRLS REPLICATION", "DATABASE_BACKUP_URL"),
}


class DatabaseUnfit(Exception):
    """The server, the database or an address is not what the registry needs. The text says what to do."""


def accounts_in(environment: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The database and the password of each role, from the four addresses. Raises DatabaseUnfit."""
    names, passwords = set(), {}
    for role, (_, variable) in ROLES.items():
        address = urlsplit(environment.get(variable, ""))
        if unquote(address.username or "") != role or not address.password:
            raise DatabaseUnfit(
                f"{variable} 未设置或不完整，应为 postgresql://{role}:口令@主机:端口/数据库 的形式。"
            )
        names.add(unquote(address.path.lstrip("/")))
        passwords[role] = unquote(address.password)
    if len(names) > 1 or "" in names:
        raise DatabaseUnfit("四个 DATABASE_…_URL 中的数据库名应当相同且不为空，请检查。")
    return names.pop(), passwords


def prepare_database(
    superuser_url: str, name: str, passwords: Mapping[str, str], *, recreate: bool = False
) -> None:
    """Bring the four roles and the database `name` to the state the registry needs; safe to repeat.

    `passwords` has one for each name in ROLES. `recreate` drops the database first and is only allowed for
    names that end in "_test" (ValueError otherwise). Raises DatabaseUnfit, before anything is changed, when
    the server is another version, the account no superuser, or the database somebody else's.
    """
    if recreate and not name.endswith("_test"):
        raise ValueError(f"{name} is not a test database: it will not be dropped.")
    database = sql.Identifier(name)
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        _refuse_unfit(connection, name, will_be_dropped=recreate)
        for role, (attribute, _) in ROLES.items():
            _prepare_role(connection, role, attribute, passwords[role])
        if recreate:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            # With character type "C" pg_trgm finds no trigram in Chinese text, and no error says so.
            locale = "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'"
            connection.execute(
                sql.SQL(
                    f"CREATE DATABASE {{}} OWNER xueji_owner ENCODING 'UTF8' {locale} TEMPLATE template0"
                ).format(database)
            )
    with psycopg.connect(superuser_url, dbname=name, autocommit=True) as connection:
        for statement in (
            "CREATE EXTENSION IF NOT EXISTS btree_gist",
            "CREATE EXTENSION IF NOT EXISTS pg_trgm",
            "REVOKE ALL ON DATABASE {} FROM PUBLIC",
            # TEMPORARY: bulk intake copies into a temporary table, for COPY cannot enter a walled one.
            "GRANT CONNECT, TEMPORARY ON DATABASE {} TO xueji_owner, xueji_app, xueji_worker",
            "GRANT CONNECT ON DATABASE {} TO xueji_backup",
            "REVOKE ALL ON SCHEMA public FROM PUBLIC",
            "GRANT USAGE ON SCHEMA public TO xueji_app, xueji_worker, xueji_backup",
            "ALTER DEFAULT PRIVILEGES FOR ROLE xueji_owner IN SCHEMA public"
            " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO xueji_app, xueji_worker",
            "ALTER DEFAULT PRIVILEGES FOR ROLE xueji_owner IN SCHEMA public"
            " GRANT USAGE, SELECT ON SEQUENCES TO xueji_app, xueji_worker",
        ):
            connection.execute(sql.SQL(statement).format(database))


def _refuse_unfit(connection: psycopg.Connection, name: str, *, will_be_dropped: bool) -> None:
    major = connection.info.server_version // 10000
    if major != SERVER_MAJOR:
        raise DatabaseUnfit(
            f"数据库服务器是 PostgreSQL {major}，学籍需要 PostgreSQL {SERVER_MAJOR}，请更换服务器。"
        )
    if connection.info.parameter_status("is_superuser") != "on":
        raise DatabaseUnfit(f"账号 {connection.info.user} 不是数据库超级用户，无法建立角色，请换用超级用户。")
    found = connection.execute(
        """SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datctype
           FROM pg_database WHERE datname = %s""",
        [name],
    ).fetchone()
    if found is None or will_be_dropped:
        return
    owner, encoding, character_type = found
    if owner != "xueji_owner":
        raise DatabaseUnfit(f"数据库 {name} 已存在，属主是 {owner}，不是学籍的数据库，请换一个数据库名。")
    if encoding != "UTF8" or character_type not in _CHARACTER_TYPES:
        raise DatabaseUnfit(
            f"数据库 {name} 的编码为 {encoding}、LC_CTYPE 为 {character_type}，应为 UTF8 与 C.UTF-8："
            "否则检索不到汉字姓名。请换一个数据库名，由本命令新建后再恢复数据。"
        )


def _prepare_role(connection: psycopg.Connection, role: str, attribute: str, password: str) -> None:
    # The verifier is computed here, so that the password itself reaches neither the server nor its log.
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    # Every attribute is named: one that somebody once added by hand is taken away again.
    connection.execute(
        sql.SQL(
            "{verb} ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE {attribute} PASSWORD {verifier}"
        ).format(
            verb=sql.SQL("ALTER" if known else "CREATE"),
            role=sql.Identifier(role),
            attribute=sql.SQL(attribute),
            verifier=sql.Literal(verifier),
        )
    )
    if role == "xueji_owner":
        # FORCE binds the owner too: without a scope its migrations would touch no row and report no error.
        connection.execute("ALTER ROLE xueji_owner SET app.scope = 'CN.'")
    if role == "xueji_backup":
        connection.execute("GRANT pg_read_all_data TO xueji_backup")
