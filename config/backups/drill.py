"""The restore drill (RE-7): newest backup, empty folder, a server, and a signed report on what came back."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.utils import timezone
from psycopg import sql

from config.backups import store
from config.backups.restoring import Restored, check_pages, restored
from config.backups.streams import BackupDamaged
from config.backups.taking import BackupFailed
from config.keyring import KEK
from config.models import UpkeepRun
from config.signing import make_signing_key, signing_keys

SIGNER = "xueji-restore-drill"
FILES_LOOKED_AT = 50
_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname
"""
_CONSTRAINTS = """
SELECT c.conname, c.contype::text, c.convalidated, t.relname, f.relname,
    pg_get_expr(c.conbin, c.conrelid),
    ARRAY(SELECT attname FROM unnest(c.conkey) WITH ORDINALITY k (no, place)
          JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.no ORDER BY k.place),
    ARRAY(SELECT attname FROM unnest(c.confkey) WITH ORDINALITY k (no, place)
          JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.no ORDER BY k.place)
FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid LEFT JOIN pg_class f ON f.oid = c.confrelid
WHERE c.connamespace = 'public'::regnamespace AND c.contype IN ('f', 'c') AND c.conparentid = 0
  AND NOT t.relispartition
ORDER BY t.relname, c.conname
"""


@dataclass(frozen=True, slots=True)
class Drill:
    """How a drill ended, and where its report lies."""

    is_well: bool
    report: Path
    facts: dict[str, Any]


def run_drill(name: str = "", *, until: datetime | None = None) -> Drill:
    """Restore a backup (the newest, unless named), look whether it is whole, and write a signed report.

    Whatever goes wrong is a failed drill with a report, never an exception: not run means failed.
    """
    name = name or next(iter(reversed(store.names())), "")
    began, folder = timezone.now(), settings.VAR / "drills" / f"{timezone.now():%Y%m%dT%H%M%S%f}"
    facts: dict[str, Any] = {"backup": name, "began_at": began.isoformat(), "problems": []}
    if until is not None:
        facts["until"] = until.isoformat()
    try:
        if not name:
            raise BackupDamaged("没有任何备份。")
        with restored(store.load(name), folder, until) as copy:
            _look(copy, facts)
        check_pages(copy)
    except (BackupDamaged, BackupFailed, psycopg.Error, OSError) as error:
        facts["problems"].append(str(error)[:600])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    facts |= {"seconds": round((timezone.now() - began).total_seconds(), 1), "passed": not facts["problems"]}
    return _conclude(facts, folder.with_suffix(".json"))


def _look(copy: Restored, facts: dict[str, Any]) -> None:
    with psycopg.connect(copy.url, autocommit=True) as connection:
        facts["rows"] = _counts(connection)
        facts["constraints"], broken = _check_constraints(connection)
        facts["problems"] += broken
    facts["files"] = _check_files(copy.base)
    shutil.copy(settings.KEYRING / KEK, copy.keys / KEK)  # the drill's host has it from a custodian
    facts |= _ask_application(copy)
    facts["problems"] += facts.pop("application_problems")


def _counts(connection: psycopg.Connection[Any]) -> dict[str, int]:
    tables = [row[0] for row in connection.execute(_TABLES)]
    counts = {}
    for table in tables:
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
        counts[table] = connection.execute(query).fetchall()[0][0]
    return counts


def _check_constraints(connection: psycopg.Connection[Any]) -> tuple[int, list[str]]:
    """How many were looked at, and which do not hold or were never validated."""
    broken, rows = [], connection.execute(_CONSTRAINTS).fetchall()
    for name, kind, is_valid, table, other, expression, columns, others in rows:
        if kind == "c":
            query = sql.SQL("SELECT count(*) FROM {} WHERE NOT ({})").format(
                sql.Identifier(table),
                sql.SQL(expression),  # the database's own words
            )
        else:
            pairs = [
                sql.SQL("child.{} = parent.{}").format(sql.Identifier(one), sql.Identifier(two))
                for one, two in zip(columns, others, strict=True)
            ]
            given = [sql.SQL("child.{} IS NOT NULL").format(sql.Identifier(one)) for one in columns]
            query = sql.SQL(
                "SELECT count(*) FROM {} child WHERE {} AND NOT EXISTS (SELECT FROM {} parent WHERE {})"
            ).format(
                sql.Identifier(table), sql.SQL(" AND ").join(given), sql.Identifier(other),
                sql.SQL(" AND ").join(pairs),
            )  # fmt: skip
        if not is_valid or connection.execute(query).fetchall()[0][0]:
            broken.append(f"约束 {table}.{name} 不成立")
    return len(rows), broken


def _check_files(base: store.Base) -> int:
    """How many stored files there are; each one lies there, and of some the content is compared."""
    count = 0
    for name, digest in store.listed(base):
        path = store.stored(digest)
        if not path.exists() or (count < FILES_LOOKED_AT and store.digest_of(path) != digest):
            raise BackupDamaged(f"备份中的材料 {name} 缺失或已改变。")
        count += 1
    return count


def _ask_application(copy: Restored) -> dict[str, Any]:
    """What the application itself finds in the copy, with the restored keys: sealed values, log, fence."""
    env = dict(os.environ) | {
        "XUEJI_ROLE": "web",
        "DATABASE_URL": copy.url,
        "XUEJI_KEYRING": str(copy.keys),
        "XUEJI_TEST": "",
        "XUEJI_FAULT": "",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "check_restored"], cwd=settings.BASE_DIR, env=env, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise BackupFailed(f"check_restored: {done.stderr.strip()[-600:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _conclude(facts: dict[str, Any], report: Path) -> Drill:
    make_signing_key()
    key = signing_keys(SIGNER)[-1]
    text = json.dumps(facts | {"signer": key.verifier}, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(text)
    report.with_suffix(".sig").write_text(key.sign(text))
    UpkeepRun.objects.create(
        kind=UpkeepRun.Kind.DRILL, name=facts["backup"], is_well=facts["passed"],
        digest=sha256(text.encode()).hexdigest(),
    )  # fmt: skip
    return Drill(facts["passed"], report, facts)
