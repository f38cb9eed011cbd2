"""`bin/run`: services, database, demonstration country, web, worker, beat, in this order.

bin/run                start and stay until Ctrl-C
bin/run --port 8080    on this port (or XUEJI_PORT); else 8000 or the next free one
bin/run --reset        remove what earlier runs left under var/ and start afresh
bin/run --smoke        start apart from everything else, ask every main page, stop, exit with the result
"""

import argparse
import contextlib
import fcntl
import hashlib
import http.client
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from config.embedded import ServiceError, Services, free_port, is_port_free, stop_with_parent, write_private

ROOT = Path(__file__).resolve().parent.parent
HEALTH_SECONDS = 90
STOP_SECONDS = 20  # a job cut after that is offered again: every job may be run twice
KEPT_BY_RESET = ("node", "smoke", "test", "venv.lock")  # beginnings of names


class StepFailed(Exception):
    """A command of the preparation failed. The text says which, and the end of what it printed."""


def say(text: str) -> None:
    print(text, flush=True)


# --- the environment and the commands of one installation; the test suite uses these too


def environment(services: Services, var: Path, role: str, **more: str) -> dict[str, str]:
    """What config.settings reads, for one process with `role`; values that the caller has set are kept."""
    secret = var / "secret-key"
    if not secret.exists():
        write_private(secret, secrets.token_urlsafe(50))
    defaults = {
        "XUEJI_SECRET_KEY": secret.read_text(),
        "XUEJI_KEYRING": str(var / "keys"),
        "XUEJI_VAR": str(var),
        "PYTHONUNBUFFERED": "1",  # logs are read while they grow
    }
    return defaults | dict(os.environ) | services.environment() | more | {"XUEJI_ROLE": role}


def manage(env: dict[str, str], log: Path, *command: str) -> str:
    """Run one management command and answer what it printed, which is also logged. Raises StepFailed."""
    done = subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=env, text=True, encoding="utf-8", check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=stop_with_parent(signal.SIGTERM),
    )  # fmt: skip
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ manage.py {' '.join(command)}\n{done.stdout}\n")
    if done.returncode:
        raise StepFailed(f"manage.py {' '.join(command)} 失败:(failed:)\n{done.stdout[-2000:]}")
    return done.stdout


def prepare(env: dict[str, str], log: Path) -> None:
    """Database, keys, third-party assets, catalogue and collected files, as far as they are missing or old.

    `env` is the owner's. Raises StepFailed.
    """
    log.unlink(missing_ok=True)
    commands = ["migrate --noinput", "partitions", "make_keys", "vendor_assets"]
    sources = sorted((ROOT / "locale").rglob("*.po"))
    if any(not _is_newer(po.with_suffix(".mo"), po) for po in sources):
        commands.append("compile_catalogue")
    manage(env, log, "several", *commands)
    static, collected, stamp = ROOT / "static", ROOT / "static_built", ROOT / "var" / "collected.sha256"
    files = [path for path in sorted(static.rglob("*")) if path.is_file()]
    state = repr([(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files])
    digest = hashlib.sha256(state.encode() + (ROOT / "requirements.txt").read_bytes()).hexdigest()
    is_collected = (
        (collected / "staticfiles.json").exists() and stamp.exists() and stamp.read_text() == digest
    )
    if not is_collected and "XUEJI_TEST" not in env:  # under test files are served from where they lie
        manage(env, log, "collectstatic", "--noinput", "--clear")
        stamp.write_text(digest)


def _is_newer(made: Path, source: Path) -> bool:
    return made.exists() and made.stat().st_mtime >= source.stat().st_mtime


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[None]:
    """SIGTERM and a closed terminal end the block like Ctrl-C, so that `finally` stops what was started."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, interrupt)
    yield


# --- processes that must stay alive


class Child:
    """A process that is started again, after a growing pause, when it dies."""

    def __init__(self, name: str, command: list[str], env: dict[str, str], log: Path) -> None:
        self.name, self.command, self.env, self.log = name, command, env, log
        self.process: subprocess.Popen[bytes] | None = None
        self.pause_seconds = 1.0
        self.started_at = self.start_again_at = 0.0
        self.deaths = 0

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.command], cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True, preexec_fn=stop_with_parent(signal.SIGTERM),
            )  # fmt: skip
        self.started_at = time.monotonic()

    def watch(self) -> None:
        """Start it again if it has died; to be called again and again."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.start_again_at:
                self.start()
        elif (status := self.process.poll()) is not None:
            self.deaths += 1
            self._kill_group()  # its own children may still hold the port
            self.pause_seconds = 1.0 if now - self.started_at > 60 else min(self.pause_seconds * 2, 30)
            say(
                f"{self.name} 意外退出({status}),{self.pause_seconds:.0f} 秒后重启,见 {self.log}。"
                f"({self.name} died, restarting.)"
            )
            self.process, self.start_again_at = None, now + self.pause_seconds

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._kill_group()
            self.process.wait()
        self._kill_group()
        self.process = None

    def _kill_group(self) -> None:
        assert self.process  # noqa: S101
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


class Installation:
    """Everything that `bin/run` starts, with its data under `var`."""

    def __init__(self, var: Path, port: int) -> None:
        self.var, self.port = var, port
        self.logs = var / "log"
        self.url = f"http://127.0.0.1:{port}"
        self.services = Services(var / "services", log_folder=self.logs)
        self.children: list[Child] = []
        # Somebody else's database gets the demonstration country only if its owner asks for it.
        is_demo = "DATABASE_URL" not in os.environ or os.environ.get("XUEJI_DEMO") == "1"
        self.more = {"XUEJI_ORIGIN": self.url, "XUEJI_DEMO": "1" if is_demo else "0"}

    def env(self, role: str) -> dict[str, str]:
        return environment(self.services, self.var, role, **self.more)

    def start(self) -> None:
        """Start in order; returns when pages are answered. Raises ServiceError or StepFailed."""
        self.logs.mkdir(parents=True, exist_ok=True)
        say("启动 PostgreSQL 与 Valkey…(Starting the services.)")
        self.services.start()
        owner, log = self.env("owner"), self.logs / "prepare.log"
        say("准备数据库与界面文件…(Preparing the database and static files.)")
        prepare(owner, log)
        if self.more["XUEJI_DEMO"] == "1":
            say("装载演示数据,首次约一分钟…(Loading the demonstration country.)")
            manage(owner, log, "demo")
            manage(owner, log, "demo_cases")
            manage(owner, log, "demo_grants")
            for province in ("CN.44.", "CN.51."):
                manage(owner, log, "count_statistics", "--at", province)
        say("启动网页、任务与定时进程…(Starting web, worker and beat.)")
        workers = str(min(2, os.cpu_count() or 1))
        beat = ["celery", "-A", "config", "beat", "--loglevel", "INFO", "--pidfile="]
        beat += ["--schedule", str(self.var / "beat-schedule")]
        worker = ["celery", "-A", "config", "worker", "--loglevel", "INFO", "--concurrency", "2"]
        # Without --blocking-threads and --backpressure granian would open up to 512 threads.
        web = ["granian", "--interface", "wsgi", "config.wsgi:application", "--host", "127.0.0.1"]
        web += ["--port", str(self.port), "--workers", workers, "--blocking-threads", "4", "--no-ws"]
        web += ["--backpressure", "64", "--respawn-failed-workers", "--workers-kill-timeout", "10"]
        for name, command in (("web", web), ("worker", worker), ("beat", beat)):
            self.children.append(Child(name, command, self.env(name), self.logs / f"{name}.log"))
        for child in self.children:
            child.start()
        self._wait_for_health()

    def watch(self) -> None:
        """Start again what has died. Waits half a second, so that it can be called in a loop."""
        try:
            for name in self.services.revive():
                say(f"{name} 意外退出,已重启。({name} died and was started again.)")
        except ServiceError as error:
            say(str(error))
            time.sleep(5)
        for child in self.children:
            child.watch()
        time.sleep(0.5)

    def stop(self) -> None:
        if self.children:
            say("正在停止…(Stopping.)")
        for child in self.children:
            child.stop()
        self.services.stop()

    def _wait_for_health(self) -> None:
        deadline, answer = time.monotonic() + HEALTH_SECONDS, "没有应答 (no answer)"
        while time.monotonic() < deadline:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            try:
                connection.request("GET", "/healthz")
                response = connection.getresponse()
                answer = response.read().decode("utf-8", "replace")[:500]
                if response.status == 200:
                    return
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()
            self.watch()
        log = (self.logs / "web.log").read_text(errors="replace")[-2000:]
        raise StepFailed(f"/healthz: {answer}\n{log}")


# --- the command


def choose_port(asked: str | None) -> int:
    """The port that was asked for, else 8000 or the next free one. Raises ServiceError if it is taken."""
    if asked:
        if not is_port_free(int(asked)):
            raise ServiceError(f"端口 {asked} 已被占用。(Port {asked} is in use.)")
        return int(asked)
    return next((port for port in range(8000, 8100) if is_port_free(port)), 0) or free_port()


def reset(var: Path) -> None:
    """Stop the run that uses `var` and remove its data; only a folder that an earlier run made is touched."""
    if not (var / "services").is_dir():
        return
    with (var / "services" / "lock").open("a+") as lock:
        deadline = time.monotonic() + 2 * STOP_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:  # held, so the process named in it lives and is a runner
                lock.seek(0)
                if time.monotonic() > deadline:
                    raise ServiceError(
                        "正在运行的实例没有停止。(The running instance did not stop.)"
                    ) from None
                os.kill(int(lock.read()), signal.SIGTERM)
                time.sleep(2)
        for path in var.iterdir():
            if path.name.startswith(KEPT_BY_RESET):
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="bin/run", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--port", default=os.environ.get("XUEJI_PORT"))
    parser.add_argument("--reset", action="store_true")
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    var = Path(os.environ.get("XUEJI_VAR", ROOT / "var")).resolve()
    if options.smoke:
        # Its own data, empty at first: it proves the first start and leaves a running instance alone.
        var = var / "smoke"
        reset(var)
    elif options.reset:
        reset(var)
    try:
        port = free_port() if options.smoke else choose_port(options.port)
    except ServiceError as error:
        say(str(error))
        return 1
    installation = Installation(var, port)
    status = 1
    with stopped_by_signals():
        try:
            installation.start()
            status = smoke(installation) if options.smoke else stay(installation)
        except (ServiceError, StepFailed) as error:
            say(str(error))
        except KeyboardInterrupt:
            status = 130 if options.smoke else 0
        finally:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave servers behind
            installation.stop()
    return status


def stay(installation: Installation) -> int:
    if installation.more["XUEJI_DEMO"] == "1":
        say(manage(installation.env("owner"), installation.logs / "prepare.log", "personas").rstrip())
    say(f"\n学籍已启动:{installation.url} (Ctrl-C 停止)\n日志:{installation.logs}")
    while True:
        installation.watch()


def smoke(installation: Installation) -> int:
    command = [sys.executable, "manage.py", "smoke", "--play", "--base-url", installation.url]
    process = subprocess.Popen(
        command, cwd=ROOT, env=installation.env("web"), preexec_fn=stop_with_parent(signal.SIGTERM)
    )
    while process.poll() is None:
        installation.watch()
    installation.watch()
    died = [child.name for child in installation.children if child.deaths]
    say(json.dumps({"smoke": "failed" if process.returncode or died else "passed", "died": died}))
    return process.returncode or int(bool(died))


if __name__ == "__main__":
    sys.exit(main())
