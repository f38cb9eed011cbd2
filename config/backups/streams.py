"""Sealed streams: compressed, then AES-256-GCM in pieces, each bound to its place and the last to being the
last (RE-6). The key is a file that no backup holds.
"""

import base64
import hmac
import os
import secrets
import zlib
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from config.disk import make_whole

_MAGIC = b"XUEJI-BACKUP-1\n"
_SALT = 32
_PIECE = 1024 * 1024
_LEVEL = 1  # of compression: the disk is slower than this, more would be slower than the disk


class BackupDamaged(Exception):
    """A file of a backup is missing, changed, cut off, or sealed with another key: nothing of it is used."""


def backup_key(*, make: bool = False) -> bytes:
    """The key in settings.BACKUP_KEY; with `make` it is created when there is none. Raises BackupDamaged."""
    file: Path = settings.BACKUP_KEY
    if make and not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):  # of two at once, both go on with the first one's
            make_whole(file, base64.b64encode(secrets.token_bytes(32)))
    try:
        return base64.b64decode(file.read_bytes())
    except FileNotFoundError:
        raise BackupDamaged("没有备份密钥：请把保管的备份密钥放回 XUEJI_BACKUP_KEY 所指的文件。") from None


def seal_stream(source: IO[bytes], target: Path, key: bytes, label: str) -> tuple[int, str]:
    """Seal what `source` gives into the new file `target`, on the disk before this returns; size and SHA-256
    of the file. `label` says what it is: under another one it does not open.
    """
    salt, digest, size = secrets.token_bytes(_SALT), sha256(), 0
    cipher, part = AESGCM(_file_key(key, salt)), target.with_name(f"{target.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle:

        def put(content: bytes) -> None:
            nonlocal size
            handle.write(content)
            digest.update(content)
            size += len(content)

        put(_MAGIC + salt)
        pieces = _compressed(source)
        piece, number = next(pieces), 0
        while True:
            following = next(pieces, None)
            head = _head(number, following is None, len(piece) + 16)
            put(head[4:] + cipher.encrypt(_nonce(number), piece, label.encode() + head))
            if following is None:
                break
            piece, number = following, number + 1
        handle.flush()
        os.fsync(handle.fileno())
    part.replace(target)
    return size, digest.hexdigest()


def open_stream(file: Path, key: bytes, label: str) -> Iterator[bytes]:
    """What was sealed into `file` under `label`, piece by piece. Raises BackupDamaged."""
    try:
        handle = file.open("rb")
    except FileNotFoundError:
        raise BackupDamaged(f"备份缺少文件 {file.name}。") from None
    inflate = zlib.decompressobj()
    with handle:
        start = handle.read(len(_MAGIC) + _SALT)
        if not start.startswith(_MAGIC):
            raise BackupDamaged(f"{file.name} 不是备份文件。")
        cipher, number, is_last = AESGCM(_file_key(key, start[len(_MAGIC) :])), 0, False
        while not is_last:
            word = int.from_bytes(handle.read(4), "big")
            length, is_last = word & 0x7FFFFFFF, bool(word >> 31)
            piece = handle.read(length)
            try:
                clear = cipher.decrypt(_nonce(number), piece, label.encode() + _head(number, is_last, length))
            except InvalidTag:
                raise BackupDamaged(f"备份文件 {file.name} 已损坏，或不是用这把密钥加密的。") from None
            yield inflate.decompress(clear)
            number += 1
        if handle.read(1):
            raise BackupDamaged(f"备份文件 {file.name} 之后多出内容。")
    yield inflate.flush()


class Reader:
    """Pieces as a file that tarfile reads from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._held = pieces, b""

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._held) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._held += piece
        cut = len(self._held) if size < 0 else size
        given, self._held = self._held[:cut], self._held[cut:]
        return given


def mac(content: bytes, key: bytes) -> str:
    """What stands beside a manifest, so that nobody without the key makes another one."""
    return hmac.new(key, b"manifest\n" + content, sha256).hexdigest()


def _compressed(source: IO[bytes]) -> Iterator[bytes]:
    deflate = zlib.compressobj(_LEVEL)
    held = b""
    while content := source.read(_PIECE):
        held += deflate.compress(content)
        if len(held) >= _PIECE:
            yield held
            held = b""
    yield held + deflate.flush()


def _file_key(key: bytes, salt: bytes) -> bytes:
    return hmac.new(key, b"file\n" + salt, sha256).digest()


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")  # each file has a key of its own


def _head(number: int, is_last: bool, length: int) -> bytes:
    return number.to_bytes(4, "big") + (length | is_last << 31).to_bytes(4, "big")
