"""Files encrypted at rest under random names, outside the web root (SECURITY FI-4, KE-1, KE-2)."""

import os
import re
import secrets
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path

from django.conf import settings

from config.crypto import DoesNotOpen, seal, unseal

_FIELD = "content"


def store(content: bytes, table: str) -> str:
    """Keep `content` sealed for its own name and for `table`, on the disk before this returns; the name."""
    name = secrets.token_hex(16)
    file = _file(name)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
        handle.write(seal(content, table, name, _FIELD))
        handle.flush()
        os.fsync(handle.fileno())
    part.rename(file)
    # A name is only safe once its folder is: a row must never outlive its file after a power cut.
    _sync(file.parent)
    _sync(file.parent.parent)
    return name


def load(name: str, table: str, digest: str) -> bytes:
    """The content stored under `name` for `table`. Raises DoesNotOpen when it is missing, foreign or not as
    recorded.
    """
    try:
        sealed = _file(name).read_bytes()
    except FileNotFoundError:
        raise DoesNotOpen(f"{table}.{_FIELD}: the file is missing") from None
    content = unseal(sealed, table, name, _FIELD)
    if not compare_digest(digest_of(content), digest):
        raise DoesNotOpen(f"{table}.{_FIELD}: the digest differs")
    return content


def erase(name: str) -> None:
    """Remove what is stored under `name`; safe to repeat."""
    _file(name).unlink(missing_ok=True)


def digest_of(content: bytes) -> str:
    """SHA-256 as 64 hex digits."""
    return sha256(content).hexdigest()


def _file(name: str) -> Path:
    # Names are ours; one that is not would be somebody's path.
    if not re.fullmatch("[0-9a-f]{32}", name):
        raise DoesNotOpen("sealed file: not a stored name")
    return Path(settings.MEDIA_ROOT) / name[:2] / name


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
