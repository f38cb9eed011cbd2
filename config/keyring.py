"""The ring of keys on the disk: made once, read by every process, renewed while they run (SECURITY KE-3).

Two files in one folder: `kek`, the key-encrypting key, and `ring.json`, the data keys and the index key
wrapped by it. Both change by renaming a finished file over the old one, so that a process that is killed, or
one that reads meanwhile, finds the one state or the other.
"""

import base64
import json
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from config.clock import now, today
from config.disk import sync_folder, write_new
from config.faults import fault

KEK, NEXT_KEK, RING = "kek", "kek.next", "ring.json"
# A request that sealed a value under the former key must have ended before that key may go.
REST = timedelta(hours=24)


class KeysNotReady(Exception):
    """The ring does not allow this step now. The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """The unwrapped keys of this process."""

    data: dict[int, bytes]
    current: int
    index: bytes


def make_keyring(folder: Path, year: int) -> bool:
    """Create key-encrypting key and ring in `folder` unless they are there; True when created."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (folder / RING).exists():
        return False
    kek = secrets.token_bytes(32)
    write_new(folder / KEK, base64.b64encode(kek))
    ring: dict[str, Any] = {"current": 1, "kek_since": now().isoformat(), "data": {}}
    ring["data"]["1"] = _new_entry(kek, 1, year)
    ring["index"] = _wrap(kek, secrets.token_bytes(32), b"index")
    write_new(folder / RING, json.dumps(ring, indent=1).encode())
    return True


def keyring() -> Keyring:
    """The ring at settings.KEYRING as it stands now: a rotated ring is taken up without a restart.

    FileNotFoundError tells that `manage.py make_keys` has not run.
    """
    folder: Path = settings.KEYRING
    state = (folder / RING).stat()
    return _read(folder, state.st_mtime_ns, state.st_ino)


@lru_cache(maxsize=1)
def _read(folder: Path, _changed_at: int, _file: int) -> Keyring:
    ring, kek = _open(folder)
    data = {int(n): _unwrap(kek, row["wrapped"], _label(n)) for n, row in ring["data"].items()}
    return Keyring(data, ring["current"], _unwrap(kek, ring["index"], b"index"))


def ring_facts(folder: Path) -> dict[str, Any]:
    """What the ring says of its keys, nothing of the keys themselves."""
    ring: dict[str, Any] = json.loads((folder / RING).read_text())
    ring["data"] = {
        int(n): {key: value for key, value in row.items() if key != "wrapped"}
        for n, row in ring["data"].items()
    }
    del ring["index"]
    return ring


def begin_rotation(folder: Path) -> tuple[int, bool]:
    """Make a new data key the current one, unless a rotation is still under way: its number, and whether it
    is new.
    """
    ring, kek = _open(folder)
    if ring.get("is_rotating"):
        return ring["current"], False
    number = max(int(n) for n in ring["data"]) + 1
    ring["data"][str(ring["current"])]["retired_at"] = now().isoformat()
    ring["data"][str(number)] = _new_entry(kek, number, today().year)
    ring |= {"current": number, "is_rotating": True}
    _replace(folder, RING, json.dumps(ring, indent=1).encode())
    fault("keys.ring")
    return number, True


def end_rotation(folder: Path) -> None:
    """Note that nothing is left under a former key; the caller has counted."""
    ring, _kek = _open(folder)
    ring["is_rotating"] = False
    _replace(folder, RING, json.dumps(ring, indent=1).encode())


def destroy(folder: Path, number: int) -> None:
    """Remove one data key for ever; the caller has counted that nothing is left under it.

    Raises KeysNotReady for the current key, an unknown one, and one that has not rested long enough.
    """
    ring, _kek = _open(folder)
    row = ring["data"].get(str(number))
    if row is None:
        raise KeysNotReady(f"没有第 {number} 号数据密钥。")
    if number == ring["current"] or ring.get("is_rotating"):
        raise KeysNotReady("现用的密钥，或轮换尚未完成时的旧密钥，不能销毁。请先运行 rotate_keys 至无剩余。")
    rested_at = datetime.fromisoformat(row["retired_at"]) + REST
    if now() < rested_at:
        raise KeysNotReady(
            f"第 {number} 号密钥停用未满 24 小时，可能还有未结束的操作在用，"
            f"请在 {rested_at:%Y-%m-%d %H:%M} 后再试。"
        )
    del ring["data"][str(number)]
    _replace(folder, RING, json.dumps(ring, indent=1).encode())


def rewrap(folder: Path) -> None:
    """Make a new key-encrypting key and wrap every key by it. Cut at any point, the ring opens, and a second
    call begins anew.

    The new key is written beside the old one first; the ring that needs it follows; then it takes the old
    one's place.
    """
    ring, old = _open(folder)
    kek = secrets.token_bytes(32)
    (folder / NEXT_KEK).unlink(missing_ok=True)
    write_new(folder / NEXT_KEK, base64.b64encode(kek))
    for number, row in ring["data"].items():
        label = _label(number)
        row["wrapped"] = _wrap(kek, _unwrap(old, row["wrapped"], label), label)
    ring["index"] = _wrap(kek, _unwrap(old, ring["index"], b"index"), b"index")
    ring["kek_since"] = now().isoformat()
    fault("keys.kek_written")
    _replace(folder, RING, json.dumps(ring, indent=1).encode())
    fault("keys.ring_rewrapped")
    (folder / NEXT_KEK).rename(folder / KEK)
    sync_folder(folder)


def _open(folder: Path) -> tuple[dict[str, Any], bytes]:
    """The ring and the key that opens it. A rewrapping that was cut before its last step is finished here,
    or, where this process may not write, left for the next that may.
    """
    for _try in range(3):  # both files may be renamed between two reads
        ring: dict[str, Any] = json.loads((folder / RING).read_text())
        for name in (KEK, NEXT_KEK):
            with suppress(FileNotFoundError, InvalidTag):
                kek = base64.b64decode((folder / name).read_bytes())
                _unwrap(kek, ring["index"], b"index")
                if name == NEXT_KEK and os.access(folder, os.W_OK):
                    (folder / NEXT_KEK).rename(folder / KEK)
                    sync_folder(folder)
                return ring, kek
    raise KeysNotReady("密钥环与主密钥不符：ring.json 不能由 kek 打开。请从备份恢复成套的两个文件。")


def _new_entry(kek: bytes, number: int, year: int) -> dict[str, Any]:
    wrapped = _wrap(kek, secrets.token_bytes(32), _label(number))
    return {"class": "D4", "year": year, "made_at": now().isoformat(), "wrapped": wrapped}


def _label(number: int | str) -> bytes:
    return f"D4/{number}".encode()


def _wrap(kek: bytes, key: bytes, label: bytes) -> str:
    nonce = secrets.token_bytes(12)
    return base64.b64encode(nonce + AESGCM(kek).encrypt(nonce, key, label)).decode()


def _unwrap(kek: bytes, wrapped: str, label: bytes) -> bytes:
    raw = base64.b64decode(wrapped)
    return AESGCM(kek).decrypt(raw[:12], raw[12:], label)


def _replace(folder: Path, name: str, content: bytes) -> None:
    part = folder / f"{name}.part"
    part.unlink(missing_ok=True)
    write_new(part, content)
    part.rename(folder / name)
    sync_folder(folder)
