"""`bin/test [arguments of pytest]`: services, an empty database, pytest, stop; exits with pytest's status.

Without arguments the whole suite runs in two lanes beside each other, each with servers and a database of its
own: tests leave rows that two runs in one database would trip over. Both lanes' reports become one.

The suite runs as the application does: XUEJI_ROLE=web, XUEJI_TEST=1 and DATABASE_URL, the application role on
xueji_test, which is migrated and has its partitions; pytest-django must neither create nor drop a database.
Also set: DATABASE_WORKER_URL, DATABASE_OWNER_URL, DATABASE_BACKUP_URL, REDIS_URL, XUEJI_VAR, XUEJI_KEYRING,
XUEJI_SECRET_KEY. A DATABASE_URL or REDIS_URL of the caller is never used: it might be a real one.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from config.embedded import ServiceError, Services, stop_with_parent
from config.runner import ROOT, StepFailed, environment, prepare, say, stopped_by_signals

# Two runs in one checkout need two folders: XUEJI_VAR=../mine bin/test
VAR = Path(os.environ.get("XUEJI_VAR", ROOT / "var")).resolve()
REPORT = ROOT / "var" / "test-report.json"
# The first lane, those that commit last; the second takes everything else. About equal on two cores.
APART = ("tests/registry", "tests/browser", "tests/races", "tests/reports", "tests/flows")


class Lane:
    """One pytest with its own servers. With a `name` its words go to a file and are shown at the end."""

    def __init__(self, words: Sequence[str], name: str = "") -> None:
        self.words, self.name = words, name
        self.var, self.logs = VAR / f"test{name}", VAR / f"test-log{name}"
        self.report = VAR / f"test-report{name}.json" if name else REPORT
        self.services = Services(
            VAR / f"test-services{name}",
            database="xueji_test",
            recreate=True,
            durable=False,
            log_folder=self.logs,
            given={},
        )
        self.output: IO[bytes] | None = None

    def start(self) -> None:
        """Servers, an empty migrated database, pytest. Raises ServiceError, StepFailed."""
        more = {
            "XUEJI_TEST": "1",
            "XUEJI_DEMO": "1",
            "XUEJI_DEBUG": "0",
            "XUEJI_VAR": str(self.var),
            "XUEJI_KEYRING": str(VAR / f"test-keys{self.name}"),
            "XUEJI_ORIGIN": "http://127.0.0.1:8000",
            "XUEJI_TEST_REPORT": str(self.report),
        }
        self.var.mkdir(parents=True, exist_ok=True)
        self.services.start()
        prepare(environment(self.services, self.var, "owner", **more), self.logs / "prepare.log")
        self.output = (self.logs / "pytest.log").open("w+b") if self.name else None
        self.pytest = subprocess.Popen(
            [sys.executable, "-m", "pytest", *self.words],
            cwd=ROOT,
            env=environment(self.services, self.var, "web", **more),
            stdout=self.output,
            stderr=subprocess.STDOUT if self.output else None,
            preexec_fn=stop_with_parent(signal.SIGTERM),
        )

    def is_running(self) -> bool:
        """Whether pytest runs; its servers come back when a test of crashes has killed them."""
        if self.pytest.poll() is None:
            self.services.revive()
            return True
        return False

    def end(self) -> int:
        """What pytest said, and its status."""
        if self.output is not None:
            self.output.seek(0)
            say(f"── {self.name.strip('-')} ──\n{self.output.read().decode(errors='replace').rstrip()}")
            self.output.close()
        return self.pytest.returncode


def lanes(words: Sequence[str]) -> list[Lane]:
    """One lane for chosen tests, two for the whole suite."""
    if words:
        return [Lane(words)]
    return [Lane(APART, "-apart"), Lane(["tests", *(f"--ignore={path}" for path in APART)], "-rest")]


def join(reports: Sequence[Path]) -> None:
    """Both lanes' reports as the one that the README names."""
    found: list[dict[str, Any]] = [json.loads(path.read_text()) for path in reports if path.exists()]
    rules: dict[str, list[str]] = {}
    for report in found:
        for rule, nodes in report["rules"].items():
            rules[rule] = sorted({*rules.get(rule, []), *nodes})
    joined: dict[str, Any] = {
        key: sum(report[key] for report in found) for key in ("passed", "failed", "skipped")
    }
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(
        json.dumps(joined | {"rules": dict(sorted(rules.items()))}, ensure_ascii=False, indent=1)
    )
    say(f"{joined['passed']} 项通过，{joined['failed']} 项失败，{joined['skipped']} 项跳过。")


def main() -> int:
    running = lanes(sys.argv[1:])
    with stopped_by_signals(), ExitStack() as stack:
        try:
            for lane in running:
                stack.callback(lane.services.stop)
                lane.report.unlink(missing_ok=True)
                lane.start()
            while any([lane.is_running() for lane in running]):  # every lane, so that each one's servers live
                time.sleep(0.2)
            worst = max(lane.end() for lane in running)
            if len(running) > 1:
                join([lane.report for lane in running])
            return worst
        except (ServiceError, StepFailed) as error:
            say(str(error))
            return 1
        except KeyboardInterrupt:
            return 130
        finally:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
