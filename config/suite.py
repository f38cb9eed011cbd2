"""`bin/test [arguments of pytest]`: services, an empty database, pytest, stop; exits with pytest's status.

The suite runs as the application does: XUEJI_ROLE=web, XUEJI_TEST=1 and DATABASE_URL, the application role on
xueji_test, which is migrated and has its partitions; pytest-django must neither create nor drop a database.
Also set: DATABASE_WORKER_URL, DATABASE_OWNER_URL, DATABASE_BACKUP_URL, REDIS_URL, XUEJI_VAR, XUEJI_KEYRING,
XUEJI_SECRET_KEY. A DATABASE_URL or REDIS_URL of the caller is never used: it might be a real one.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from config.embedded import ServiceError, Services, stop_with_parent
from config.runner import ROOT, StepFailed, environment, prepare, say, stopped_by_signals

# Two runs in one checkout need two folders: XUEJI_VAR=../mine bin/test
VAR = Path(os.environ.get("XUEJI_VAR", ROOT / "var")).resolve()


def main() -> int:
    logs = VAR / "test-log"
    services = Services(
        VAR / "test-services", database="xueji_test", recreate=True, durable=False, log_folder=logs, given={}
    )
    more = {
        "XUEJI_TEST": "1",
        "XUEJI_DEMO": "1",
        "XUEJI_DEBUG": "0",
        "XUEJI_VAR": str(VAR / "test"),
        "XUEJI_KEYRING": str(VAR / "test-keys"),
        "XUEJI_ORIGIN": "http://127.0.0.1:8000",
    }
    (VAR / "test").mkdir(parents=True, exist_ok=True)
    with stopped_by_signals():
        try:
            services.start()
            owner, log = environment(services, VAR / "test", "owner", **more), logs / "prepare.log"
            prepare(owner, log)
            pytest = subprocess.Popen(
                [sys.executable, "-m", "pytest", *sys.argv[1:]],
                cwd=ROOT,
                env=environment(services, VAR / "test", "web", **more),
                preexec_fn=stop_with_parent(signal.SIGTERM),
            )
            while pytest.poll() is None:
                services.revive()  # tests of crashes kill PostgreSQL
                time.sleep(0.2)
            return pytest.returncode
        except (ServiceError, StepFailed) as error:
            say(str(error))
            return 1
        except KeyboardInterrupt:
            return 130
        finally:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            services.stop()


if __name__ == "__main__":
    sys.exit(main())
