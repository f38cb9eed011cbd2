"""The folder of backups: base backups with their manifests, segments of the log, stored files by content."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Any

from django.conf import settings

from config.backups.streams import BackupDamaged, backup_key, mac, open_stream

BASE, RING, FILES = "base.tar.sealed", "ring.sealed", "files.list.sealed"
_NAME = re.compile(r"base-\d{8}T\d{6}Z")


@dataclass(frozen=True, slots=True)
class Base:
    """One base backup, as its manifest tells it."""

    name: str
    folder: Path
    manifest: dict[str, Any]

    @property
    def taken_at(self) -> datetime:
        return datetime.fromisoformat(self.manifest["taken_at"])

    @property
    def first_segment(self) -> str:
        """The first segment of the log that its recovery needs, without the timeline."""
        segment: str = self.manifest["first_segment"]
        return segment


def root() -> Path:
    folder: Path = settings.BACKUPS
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def names() -> list[str]:
    """Base backups, oldest first."""
    return sorted(path.name for path in root().iterdir() if _NAME.fullmatch(path.name))


def load(name: str) -> Base:
    """A base backup whose manifest is ours and whose files are as it says. Raises BackupDamaged."""
    folder = root() / name
    try:
        content, seal = (folder / "manifest.json").read_bytes(), (folder / "manifest.mac").read_text()
    except FileNotFoundError:
        raise BackupDamaged(f"备份 {name} 没有清单。") from None
    if not compare_digest(mac(content, backup_key()), seal):
        raise BackupDamaged(f"备份 {name} 的清单已被改动，或不是用这把密钥签的。")
    manifest = json.loads(content)
    for file, facts in manifest["files"].items():
        if not (folder / file).exists() or digest_of(folder / file) != facts["sha256"]:
            raise BackupDamaged(f"备份 {name} 的文件 {file} 缺失或与清单不符。")
    return Base(name, folder, manifest)


def write_manifest(folder: Path, manifest: dict[str, Any], key: bytes) -> str:
    """Put the manifest and its seal into `folder`; its SHA-256."""
    content = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True).encode()
    (folder / "manifest.json").write_bytes(content)
    (folder / "manifest.mac").write_text(mac(content, key))
    return sha256(content).hexdigest()


def digest_of(file: Path) -> str:
    with file.open("rb") as handle:
        return _digest(handle)


def _digest(handle: Any) -> str:
    found = sha256()
    while content := handle.read(1 << 20):
        found.update(content)
    return found.hexdigest()


def stored(digest: str) -> Path:
    """Where a stored file of this content lies: they are sealed already, with keys that no backup holds."""
    return root() / "files" / digest[:2] / digest


def segments() -> dict[str, Path]:
    """Sealed segments of the log by name; one that is not full yet only where the full one is missing."""
    found: dict[str, Path] = {}
    for path in sorted((root() / "wal").glob("*.sealed")):  # "X.partial" comes before the full X
        found[path.name.removesuffix(".sealed").removesuffix(".partial")] = path
    return found


def prune(keep_days: int, now: datetime) -> int:
    """Remove base backups older than `keep_days` but never the newest one, and what only they needed."""
    gone, kept = 0, []
    for name in names():
        base = load(name)
        if name != names()[-1] and base.taken_at < now - timedelta(days=keep_days):
            shutil.rmtree(base.folder)
            gone += 1
        else:
            kept.append(base)
    if gone and kept:
        first = min(base.first_segment for base in kept)
        for segment, path in segments().items():
            if len(segment) == 24 and segment[8:] < first:
                path.unlink()
        needed = {digest for base in kept for _name, digest in listed(base)}
        for path in (root() / "files").rglob("*"):
            if path.is_file() and path.name not in needed:
                path.unlink()
    return gone


def listed(base: Base) -> Iterator[tuple[str, str]]:
    """Name and content of each stored file that belongs to a base backup. Raises BackupDamaged."""
    for facts, digest in listed_facts(base):
        yield facts.partition(" ")[0], digest


def listed_facts(base: Base) -> Iterator[tuple[str, str]]:
    """Name, size and time of change of each of them in one word, and its content."""
    text = b"".join(open_stream(base.folder / FILES, backup_key(), f"{base.name}/{FILES}")).decode()
    for line in text.splitlines():
        facts, _space, digest = line.rpartition(" ")
        yield facts, digest
