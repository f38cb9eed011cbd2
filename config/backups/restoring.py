"""A server from a backup, in an empty folder, for as long as somebody looks at it (RE-7)."""

import os
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from config.backups import store
from config.backups.streams import BackupDamaged, Reader, backup_key, open_stream
from config.backups.taking import BackupFailed, address, program
from config.embedded import User, free_port, stop_with_parent

_TURN = 1 << 20
_READY_SECONDS = 3600  # hours of log take their time; the first answer ends the wait
_ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class Restored:
    """A running copy: its address for the backup role, its folder, its keys' folder."""

    base: store.Base
    url: str
    data: Path
    keys: Path


@contextmanager
def restored(base: store.Base, folder: Path, until: datetime | None = None) -> Iterator[Restored]:
    """Restore `base` and the log after it into the empty `folder`, up to the moment `until` or as far as the
    log reaches, and run a server on it while the block lasts. The copy is fenced by itself (RE-8).

    Raises BackupDamaged, or BackupFailed when the folder is not empty or the server does not come up.
    """
    if folder.exists() and any(folder.iterdir()):
        raise BackupFailed(f"{folder} 不是空文件夹，不会覆盖。请另选一个。")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    data, wal, keys = folder / "postgres", folder / "wal", folder / "keys"
    for one in (data, wal, keys):
        one.mkdir(mode=0o700)
    key = backup_key()
    tar = Reader(open_stream(base.folder / store.BASE, key, f"{base.name}/{store.BASE}"))
    with tarfile.open(fileobj=tar, mode="r|", bufsize=_TURN) as archive:  # type: ignore[call-overload]
        archive.extractall(data, filter="data")
    _write(keys / "ring.json", open_stream(base.folder / store.RING, key, f"{base.name}/{store.RING}"))
    for segment, path in store.segments().items():
        if segment[8:] >= base.first_segment or not segment[8:].isalnum():
            _write(wal / segment, open_stream(path, key, f"wal/{segment}"))
    user = User.able_to_use(folder, program("postgres"))
    user.own(folder)
    _verify(data, user)
    url, process = _start(data, wal, until, user, folder / "postgres.log")
    try:
        yield Restored(base, url, data, keys)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(120)


def check_pages(copy: Restored) -> None:
    """Every page's checksum, once the server is stopped. Raises BackupDamaged."""
    _run(
        [program("pg_checksums"), "--check", "-D", str(copy.data)],
        User.able_to_use(copy.data, program("postgres")),
    )


def _write(file: Path, pieces: Iterator[bytes]) -> None:
    with file.open("wb") as target:
        for piece in pieces:
            target.write(piece)


def _verify(data: Path, user: User) -> None:
    """Every file against the server's own manifest; the log is proved by being replayed."""
    _run([program("pg_verifybackup"), "--no-parse-wal", "--quiet", str(data)], user)


def _run(words: list[str], user: User) -> None:
    done = subprocess.run([*user.prefix, *words], env=_ENVIRONMENT, cwd="/", capture_output=True, check=False)
    if done.returncode:
        raise BackupDamaged(f"{Path(words[0]).name}: {done.stderr.decode(errors='replace').strip()[-600:]}")


def _start(
    data: Path, wal: Path, until: datetime | None, user: User, log: Path
) -> tuple[str, subprocess.Popen[bytes]]:
    port = free_port()
    (data / "recovery.signal").touch()
    (data / "hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
    user.own(data)
    settings = {
        "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "hba_file": str(data / "hba.conf"),
        "restore_command": f'cp "{wal}/%f" "%p"', "recovery_target_action": "promote",
        "hot_standby": "off", "archive_mode": "off", "max_wal_senders": "0", "timezone": "UTC",
        "log_min_error_statement": "panic", "log_error_verbosity": "terse",
        "fsync": "off",  # nobody keeps this copy
    }  # fmt: skip
    if until is not None:
        settings["recovery_target_time"] = until.isoformat()
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with log.open("ab") as said:
        process = subprocess.Popen(
            [*user.prefix, program("postgres"), "-D", str(data), "-p", str(port), *options],
            env=_ENVIRONMENT, cwd="/", stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            preexec_fn=stop_with_parent(signal.SIGINT),
        )  # fmt: skip
    given = urlsplit(address())
    url = f"postgresql://{given.netloc.rpartition('@')[0]}@127.0.0.1:{port}{given.path}"
    deadline = time.monotonic() + _READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(url, connect_timeout=3).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return url, process
    if process.poll() is None:
        process.kill()
    raise BackupFailed(f"恢复的数据库没有启动：{log.read_text(errors='replace')[-600:]}")
