"""(f) The log: how fast it is sealed and verified, and what sealing costs those who write meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection

from audit.checkpoints import make_checkpoint
from audit.exporting import export_log
from audit.sealing import seal_all
from config.scope import NATION, scoped_transaction

ENTRIES, PACK = 1_000_000, 5_000
CLIENTS, SECONDS, ROUNDS = 8, 6.0, 3
_OFFICE = "CN.44.03.05.3144001234."
_INSERT = (
    "INSERT INTO {table} ("  # noqa: S608  (our own table names)
    "request_id, actor_id, actor_name, office_path, office_name, org_path, subject_type,"
    " subject_id, outcome, route, purpose, code, subject_ids, fields)"
    f" SELECT gen_random_uuid(), 1000 + n %% 97, '王明', '{_OFFICE}', '深圳市南山区第一小学', '{_OFFICE}',"
    " 'student', n, 'read', 'registry:student', '核对', '', '{{}}', '{{basic}}'"
    " FROM generate_series(%s::bigint, %s::bigint) AS n"
)


def run() -> dict[str, float]:
    """Everything, as the worker; answers the figures."""
    seal_all()
    _write(ENTRIES)
    sealed = _timed(seal_all)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "log"
        size = make_checkpoint().size
        exported = _timed(lambda: export_log(target)[0])
        started = time.monotonic()
        program = settings.BASE_DIR / "verify_log.py"
        subprocess.run(
            [sys.executable, "-I", str(program), "verify", str(target)], check=True, stdout=sys.stderr
        )
        verified = time.monotonic() - started
    plain = [_writers(is_sealing=False) for _round in range(ROUNDS)]
    beside = [_writers(is_sealing=True) for _round in range(ROUNDS)]
    return {
        "sealed_per_second": sealed["per_second"],
        "sealed_per_core_second": sealed["per_core_second"],
        "exported_per_second": exported["per_second"],
        "verified_per_second": size / verified,
        "plain": max(plain),
        "beside": max(beside),
    }


def _write(count: int) -> None:
    for first in range(0, count, PACK):
        with scoped_transaction(NATION), connection.cursor() as cursor:
            cursor.execute(_INSERT.format(table="audit_accessentry"), [first, first + PACK - 1])


def _timed(work: Any) -> dict[str, float]:
    """How many a second by the clock, and by processor time of this process and of its server process."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        server = cursor.fetchone()[0]
    spent, started = _processor(server), time.monotonic()
    count = work()
    seconds, processor = time.monotonic() - started, _processor(server) - spent
    return {"per_second": count / seconds, "per_core_second": count / processor}


def _processor(server: int) -> float:
    words = Path(f"/proc/{server}/stat").read_text().rsplit(")", 1)[1].split()
    return time.process_time() + (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _writers(*, is_sealing: bool) -> float:
    """Entries a second that clients write one by one: with the sealer's index and the sealer at work, or into
    a table of the same columns without either.
    """
    table = "audit_accessentry" if is_sealing else "plain_accessentry"
    stop, counts = threading.Event(), [0] * CLIENTS
    clients = [threading.Thread(target=_client, args=(n, table, stop, counts)) for n in range(CLIENTS)]
    for client in clients:
        client.start()
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        time.sleep(1)
        if is_sealing:
            seal_all()
    stop.set()
    for client in clients:
        client.join()
    return sum(counts) / SECONDS


def _client(number: int, table: str, stop: threading.Event, counts: list[int]) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as own:
        while not stop.is_set():
            own.execute("SELECT set_config('app.scope', 'CN.', true)")
            own.execute(_INSERT.format(table=table), [counts[number], counts[number]])
            own.commit()
            counts[number] += 1


def make_plain_table() -> None:
    """As the owner: the access log as it is without the sealer's index."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS plain_accessentry (LIKE audit_accessentry INCLUDING DEFAULTS"
            " INCLUDING IDENTITY INCLUDING CONSTRAINTS)"
        )
        cursor.execute(
            "SELECT pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indrelid = 'audit_accessentry'::regclass"
            " AND pg_get_indexdef(indexrelid) NOT LIKE '%(xid)'"
        )
        for (definition,) in cursor.fetchall():
            plain = definition.replace("accessentry", "plainentry", 1)
            cursor.execute(plain.replace("ON ONLY public.audit_accessentry", "ON plain_accessentry"))
        cursor.execute("ALTER TABLE plain_accessentry ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        cursor.execute(
            "CREATE POLICY scope_wall ON plain_accessentry USING (org_path >= "
            "(SELECT nullif(current_setting('app.scope', true), '')) AND org_path < "
            "(SELECT nullif(current_setting('app.scope', true), '') || '~'))"
        )
        cursor.execute("GRANT SELECT, INSERT ON plain_accessentry TO xueji_app, xueji_worker")
