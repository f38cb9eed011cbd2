"""The Ed25519 keys that sign the log's checkpoints: one file each in the key folder, never in the database.

Public keys and signatures are written as in a signed note (C2SP), so that others' tools read them too.
"""

import base64
import os
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from config.disk import make_whole

_ED25519 = b"\x01"


class SigningKey:
    """One key under the name of the log that it signs."""

    def __init__(self, seed: bytes, name: str) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.name = name
        self.public = self._private.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
        self._id = sha256(name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    @property
    def key_id(self) -> str:
        return self._id.hex()

    @property
    def verifier(self) -> str:
        """`name+id+key`: all that somebody needs who wants to check signatures."""
        return f"{self.name}+{self.key_id}+{base64.b64encode(_ED25519 + self.public).decode()}"

    def sign(self, text: str) -> str:
        """The signature line that goes below `text`."""
        signature = self._private.sign(text.encode())
        return f"— {self.name} {base64.b64encode(self._id + signature).decode()}\n"


def make_signing_key(folder: Path | None = None, *, another: bool = False) -> bool:
    """Create the first key, or one more; True when created. A killed call leaves no half key behind."""
    folder = folder or settings.KEYRING
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    known = _files(folder)
    if known and not another:
        return False
    target = folder / f"log-{len(known) + 1:03}.key"
    make_whole(target, base64.b64encode(os.urandom(32)))
    return True


def signing_keys(name: str, folder: Path | None = None) -> list[SigningKey]:
    """Every key of the folder, oldest first."""
    return [
        SigningKey(base64.b64decode(file.read_bytes()), name) for file in _files(folder or settings.KEYRING)
    ]


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("log-*.key"))
