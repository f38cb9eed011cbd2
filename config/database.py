"""The four database roles and their rights: embedded, under test, and on a server that somebody else runs."""

from collections.abc import Mapping

import psycopg
from psycopg import sql

ROLES = {  # account name: (attributes, variable that carries its address)
    "xueji_owner": ("NOBYPASSRLS", "DATABASE_OWNER_URL"),
    "xueji_app": ("NOBYPASSRLS", "DATABASE_URL"),
    "xueji_worker": ("NOBYPASSRLS", "DATABASE_WORKER_URL"),
    "xueji_backup": ("BYPASSRLS", "DATABASE_BACKUP_URL"),
}


def prepare_database(
    superuser_url: str, name: str, passwords: Mapping[str, str], *, recreate: bool = False
) -> None:
    """Bring the four roles and the database `name` to the state the registry needs; safe to repeat.

    `passwords` has one for each name in ROLES. `recreate` drops the database first and is only allowed for
    names that end in "_test" (ValueError otherwise).
    """
    if recreate and not name.endswith("_test"):
        raise ValueError(f"{name} is not a test database: it will not be dropped.")
    database = sql.Identifier(name)
    with psycopg.connect(superuser_url, autocommit=True) as connection:
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


def _prepare_role(connection: psycopg.Connection, role: str, attribute: str, password: str) -> None:
    # The verifier is computed here, so that the password itself reaches neither the server nor its log.
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    # Every attribute is named: one that somebody once added by hand is taken away again.
    connection.execute(
        sql.SQL(
            "{verb} ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION"
            " {attribute} PASSWORD {verifier}"
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
