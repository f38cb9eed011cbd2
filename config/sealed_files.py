"""Files encrypted at rest under random names, outside the web root (SECURITY FI-4, KE-1, KE-2).

What fits into memory is sealed as one value. A large file is a row of sealed pieces, each bound to its place
and the last one to being the last, so that none can be left out, swapped or cut off; its first byte says so.
"""

import os
import re
import secrets
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from time import time
from typing import IO

from django.conf import settings

from config.crypto import DoesNotOpen, key_of, seal, unseal
from config.disk import sync_folder
from config.faults import fault

_FIELD = "content"
_PIECES = b"\x10"  # the first byte of a file in pieces; a sealed value begins with its suite
PIECE = 1024 * 1024
_LENGTH = 4


def store(content: bytes, table: str) -> str:
    """Keep `content` sealed for its own name and for `table`, on the disk before this returns; the name."""
    name = secrets.token_hex(16)
    _put(name, iter([seal(content, table, name, _FIELD)]))
    return name


def load(name: str, table: str, digest: str) -> bytes:
    """The content stored under `name` for `table`. Raises DoesNotOpen when it is missing, foreign or not as
    recorded.
    """
    with _opened(name, table) as file:
        content = unseal(file.read(), table, name, _FIELD)
    if not compare_digest(digest_of(content), digest):
        raise DoesNotOpen(f"{table}.{_FIELD}: the digest differs")
    return content


class Writer:
    """A large file on its way to the disk: what is written is sealed piece by piece, never kept in clear.

    It takes its place when `finish` is called; a writer left before leaves nothing.
    """

    def __init__(self, table: str) -> None:
        self.name, self.table, self.size = secrets.token_hex(16), table, 0
        self._waiting, self._number = bytearray(), 0
        self._handle = _begin(self.name)
        self._handle.write(_PIECES)

    def write(self, content: bytes) -> int:
        self._waiting += content
        self.size += len(content)
        while len(self._waiting) > PIECE:  # the last piece must be known as such: one is always kept back
            self._seal(bytes(self._waiting[:PIECE]), is_last=False)
            del self._waiting[:PIECE]
        return len(content)

    def flush(self) -> None:
        """For archives, which flush what they write; nothing is on the disk before `finish`."""

    def finish(self) -> None:
        self._seal(bytes(self._waiting), is_last=True)
        _end(self._handle, self.name)

    def abandon(self) -> None:
        self._handle.close()
        _file(self.name).with_suffix(".part").unlink(missing_ok=True)

    def _seal(self, content: bytes, *, is_last: bool) -> None:
        self._handle.write(_framed(seal(content, self.table, self.name, _place(self._number, is_last))))
        self._number += 1


def read(name: str, table: str) -> Iterator[bytes]:
    """The pieces of a large file in order. Raises DoesNotOpen, also at the end of one that was cut."""
    for number, is_last, piece in _pieces(name, table):
        yield unseal(piece, table, name, _place(number, is_last))


def reseal(name: str, table: str, key: int) -> bool:
    """Seal the file anew under the current key unless its key is `key` already; whether it was done.

    The new file takes the old one's place by its name: readers hold the one or the other.
    """
    if keys_of(name, table) == {key}:
        return False
    with _opened(name, table) as file:
        is_in_pieces = file.read(1) == _PIECES
    if is_in_pieces:
        _put(name, _resealed(name, table))
    else:
        sealed = _file(name).read_bytes()
        _put(name, iter([seal(unseal(sealed, table, name, _FIELD), table, name, _FIELD)]))
    return True


def keys_of(name: str, table: str) -> set[int]:
    """The numbers of the data keys under which the file lies."""
    with _opened(name, table) as file:
        head = file.read(3)
    if head[:1] == _PIECES:
        return {key_of(piece) for _number, _is_last, piece in _pieces(name, table)}
    return {key_of(head)}


def exists(name: str) -> bool:
    return _file(name).exists()


def erase(name: str) -> None:
    """Remove what is stored under `name`; safe to repeat."""
    _file(name).unlink(missing_ok=True)


def clear_parts(older_than: timedelta) -> int:
    """Remove what processes that were killed left half written; how many files."""
    latest = time() - older_than.total_seconds()
    left = [part for part in Path(settings.MEDIA_ROOT).glob("??/*.part") if part.stat().st_mtime < latest]
    for part in left:
        part.unlink(missing_ok=True)
    return len(left)


def digest_of(content: bytes) -> str:
    """SHA-256 as 64 hex digits."""
    return sha256(content).hexdigest()


def _place(number: int, is_last: bool) -> str:
    return f"{_FIELD}/{number}/{'last' if is_last else 'more'}"


def _framed(piece: bytes) -> bytes:
    return len(piece).to_bytes(_LENGTH, "big") + piece


def _pieces(name: str, table: str) -> Iterator[tuple[int, bool, bytes]]:
    with _opened(name, table) as file:
        size = os.fstat(file.fileno()).st_size
        if file.read(1) != _PIECES:
            raise DoesNotOpen(f"{table}.{_FIELD}: not a file in pieces")
        number = 0
        while length := int.from_bytes(file.read(_LENGTH), "big"):
            piece = file.read(min(length, 2 * PIECE))
            yield number, file.tell() == size, piece
            number += 1
    if not number:
        raise DoesNotOpen(f"{table}.{_FIELD}: an empty file")


def _resealed(name: str, table: str) -> Iterator[bytes]:
    yield _PIECES
    for number, is_last, piece in _pieces(name, table):
        place = _place(number, is_last)
        yield _framed(seal(unseal(piece, table, name, place), table, name, place))


def _put(name: str, parts: Iterator[bytes]) -> None:
    handle = _begin(name)
    try:
        for part in parts:
            handle.write(part)
    except BaseException:
        handle.close()
        raise
    _end(handle, name)


def _begin(name: str) -> IO[bytes]:
    file = _file(name)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.unlink(missing_ok=True)  # of a process that was killed here
    return os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _end(handle: IO[bytes], name: str) -> None:
    """Bring a written file to the disk and to its place."""
    with handle:
        handle.flush()
        os.fsync(handle.fileno())
    file = _file(name)
    fault("files.written")
    file.with_suffix(".part").rename(file)
    # A row must never outlive its file after a power cut.
    sync_folder(file.parent)
    sync_folder(file.parent.parent)


def _opened(name: str, table: str) -> IO[bytes]:
    try:
        return _file(name).open("rb")
    except FileNotFoundError:
        raise DoesNotOpen(f"{table}.{_FIELD}: the file is missing") from None


def _file(name: str) -> Path:
    # Names are ours; one that is not would be somebody's path.
    if not re.fullmatch("[0-9a-f]{32}", name):
        raise DoesNotOpen("sealed file: not a stored name")
    return Path(settings.MEDIA_ROOT) / name[:2] / name
