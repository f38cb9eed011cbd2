"""Signed checkpoints: what the log was at one moment, in a text that anybody can check (AU-4).

The text is a signed note (C2SP): name of the log, number of leaves, root; then our own lines: number, time,
suite, the hash of the checkpoint before, and, when the key changes, the key that signs from the next one on.
"""

import base64
import json
import textwrap
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.canonical import SUITE
from audit.models_sealing import Checkpoint
from audit.sealing import hold, last_pass, seal_all, tree
from config.faults import fault
from config.signing import SigningKey, make_signing_key, signing_keys


class NoSigningKey(RuntimeError):
    """The key that the last checkpoint names is not in the key folder."""


@dataclass(frozen=True, slots=True)
class Head:
    """What is signed."""

    number: int
    origin: str
    size: int
    root: bytes
    at: datetime
    previous: bytes | None
    next_key: str = ""

    def text(self) -> str:
        lines = [
            self.origin,
            str(self.size),
            base64.b64encode(self.root).decode(),
            f"number {self.number}",
            f"time {self.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            f"suite {SUITE}",
            f"previous {self.previous.hex() if self.previous else '-'}",
            *([f"next-key {self.next_key}"] if self.next_key else []),
        ]
        return "\n".join(lines) + "\n"


def newest() -> Checkpoint | None:
    return Checkpoint.objects.order_by("-number").first()


def make_checkpoint(*, next_key: str = "") -> Checkpoint:
    """Seal what is committed, then sign the whole. One at a time; a killed call leaves nothing behind.

    Raises NoSigningKey.
    """
    seal_all()
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        hold(cursor, waits=True)
        before = newest()
        origin = before.origin if before else _origin()
        key = _key_after(before, origin)
        _seen, size = last_pass(cursor)
        cursor.execute("SELECT clock_timestamp()")
        head = Head(
            number=before.number + 1 if before else 0,
            origin=origin,
            size=size,
            root=tree(size).root(),
            at=cursor.fetchone()[0].replace(microsecond=0),
            previous=sha256(before.note.encode()).digest() if before else None,
            next_key=next_key,
        )
        made = Checkpoint.objects.create(
            number=head.number, at=head.at, origin=origin, size=size, root=head.root, previous=head.previous,
            key=key.verifier, next_key=next_key, note=f"{head.text()}\n{key.sign(head.text())}",
        )  # fmt: skip
        fault("before_checkpoint_commits")
    return made


def rotate_key() -> Checkpoint:
    """Announce a new key in a checkpoint that the old one signs; from the next checkpoint on it signs.

    Cut at any point and called again, it goes on where it stopped.
    """
    before = newest() or make_checkpoint()
    if before.next_key:
        return before  # announced already
    keys = signing_keys(before.origin)
    now = next(place for place, key in enumerate(keys) if key.verifier == before.key)
    if now + 1 == len(keys):
        make_signing_key(another=True)
        keys = signing_keys(before.origin)
    return make_checkpoint(next_key=keys[now + 1].verifier)


def _origin() -> str:
    """The log's name, fixed by its first checkpoint."""
    return f"{urlsplit(settings.ORIGIN).hostname}/log"


def _key_after(before: Checkpoint | None, origin: str) -> SigningKey:
    keys = signing_keys(origin)
    wanted = (before.next_key or before.key) if before else keys[0].verifier if keys else ""
    found = [key for key in keys if key.verifier == wanted]
    if not found:
        raise NoSigningKey(wanted)
    return found[0]


def silent_for() -> timedelta:
    """How long ago the newest checkpoint was signed, by the database's clock; nothing before the first."""
    last = newest()
    with connection.cursor() as cursor:
        cursor.execute("SELECT now() - %s", [last.at if last else None])
        return cursor.fetchone()[0] or timedelta()


def as_line(checkpoint: Checkpoint) -> str:
    """One checkpoint as a line of the files that verify_log.py reads."""
    line = {"number": checkpoint.number, "key": checkpoint.key, "note": checkpoint.note}
    return json.dumps(line, ensure_ascii=False) + "\n"


def slip(checkpoint: Checkpoint) -> str:
    """One checkpoint on a sheet of paper: short enough to be compared by eye and kept in a safe."""
    root = base64.b64encode(checkpoint.root).decode()
    return "\n".join(
        [
            _("学籍操作日志检查点"),
            "",
            _("日志名称：{name}").format(name=checkpoint.origin),
            _("编号：{number}").format(number=checkpoint.number),
            _("时间：{at}").format(at=timezone.localtime(checkpoint.at).strftime("%Y-%m-%d %H:%M:%S")),
            _("条数：{size}").format(size=checkpoint.size),
            _("根散列值：{root}").format(root=" ".join(textwrap.wrap(root, 4))),
            _("公钥：{key}").format(key=checkpoint.key),
            "",
            _("签名文本："),
            "",
            checkpoint.note,
        ]
    )


def write_day(day: date, folder: Path | None = None) -> list[Path]:
    """Write the checkpoints of a day (China's) and the sheet of its last one; again gives the same files.

    Answers the files; none for a day without checkpoints.
    """
    folder = folder or settings.VAR / "checkpoints"
    of_day = list(Checkpoint.objects.filter(at__date=day).order_by("number"))
    if not of_day:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    written = {
        folder / f"{day.isoformat()}.jsonl": "".join(as_line(one) for one in of_day),
        folder / f"{day.isoformat()}.txt": slip(of_day[-1]),
    }
    for file, text in written.items():
        unfinished = file.with_suffix(file.suffix + ".part")
        unfinished.write_text(text, encoding="utf-8")
        unfinished.rename(file)
    return list(written)
