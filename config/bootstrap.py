"""Makes `.venv` from a lock file and continues in it. Runs under the system's Python: standard library only.

    python -P config/bootstrap.py [--dev] MODULE [ARGUMENT ...]

`--dev` also installs what tests need. That lock contains the runtime lock, so either serves `bin/run`.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.json"  # written last: an interrupted installation is done again
LOCKS = {"runtime": ROOT / "requirements.txt", "dev": ROOT / "requirements-dev.txt"}


def main() -> None:
    arguments = sys.argv[1:]
    kind = "dev" if arguments[0] == "--dev" else "runtime"
    if kind == "dev":
        del arguments[0]
    wanted = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in LOCKS.items()}
    wanted["python"] = "{}.{}".format(*sys.version_info)
    (ROOT / "var").mkdir(exist_ok=True)
    with (ROOT / "var" / "venv.lock").open("w") as lock:  # `bin/run` and `bin/test` may be called at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _has(kind, wanted):
            _install(kind, wanted)
    python = str(VENV / "bin" / "python")
    os.chdir(ROOT)
    os.execv(python, [python, "-m", *arguments])  # noqa: S606


def _installed() -> dict[str, str]:
    with contextlib.suppress(OSError, ValueError):
        found: dict[str, str] = json.loads(STAMP.read_text())
        return found
    return {}


def _has(kind: str, wanted: dict[str, str]) -> bool:
    found = _installed()
    return (
        all(found.get(name) == wanted[name] for name in ("python", "runtime", kind))
        and (VENV / "bin" / "python").exists()
    )


def _install(kind: str, wanted: dict[str, str]) -> None:
    print("安装依赖,首次约一分钟…(Installing libraries, about a minute.)", flush=True)
    # Only a current, smaller installation is added to; otherwise packages of an older lock would stay.
    keep = _has("runtime", wanted)
    STAMP.unlink(missing_ok=True)
    if not keep:
        try:
            venv.create(VENV, clear=True, with_pip=True)
        except subprocess.CalledProcessError:
            sys.exit("无法创建虚拟环境,请安装 python3-venv。(Please install python3-venv.)")
    done = subprocess.run(
        [str(VENV / "bin" / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check",
         "--no-input", "--require-hashes", "-r", str(LOCKS[kind])],
        check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit("依赖安装失败,见上。(Installation failed: see above.)")
    have = {"python": wanted["python"], "runtime": wanted["runtime"]}
    if kind == "dev":
        have["dev"] = wanted["dev"]
    STAMP.write_text(json.dumps(have))


if __name__ == "__main__":
    main()
