"""Envelope encryption and blind indexes (SECURITY KE-1 … KE-6).

A sealed value is `suite(1) key id(2) nonce(12) ciphertext tag(16)`; associated data are table, row id and
field, so that a value copied elsewhere does not open. The keys are kept by config.keyring.
"""

import hmac
import json
import secrets
import uuid
from functools import lru_cache
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connection

from config.keyring import keyring

AES_256_GCM = 1
_HEAD = 15  # suite, key id, nonce
_to_json = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode


class DoesNotOpen(RuntimeError):
    """A sealed value does not belong to the row it stands in, or its key is gone: an alarm (W15), never an
    empty string. Its text says where the value stands, never what it says.
    """


# A key is prepared once, not for each of a pupil's four sealed values and three indexes.
@lru_cache(maxsize=16)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


@lru_cache(maxsize=1)
def _hmac(key: bytes) -> hmac.HMAC:
    return hmac.new(key, digestmod=sha256)


def _bound(table: str, row: int | str, field: str) -> bytes:
    return f"{table}\x1f{row}\x1f{field}".encode()


def seal(value: bytes, table: str, row: int | str, field: str) -> bytes:
    """Encrypt `value` for one field of one row."""
    ring = keyring()
    head = bytes([AES_256_GCM]) + ring.current.to_bytes(2, "big")
    nonce = secrets.token_bytes(12)
    cipher = _cipher(ring.data[ring.current])
    return head + nonce + cipher.encrypt(nonce, value, head + _bound(table, row, field))


def unseal(sealed: bytes | memoryview, table: str, row: int | str, field: str) -> bytes:
    """Decrypt what `seal` made for the same field of the same row. Raises DoesNotOpen."""
    raw = bytes(sealed)
    if len(raw) < _HEAD + 16 or raw[0] != AES_256_GCM:
        raise DoesNotOpen(f"{table} {row} {field}: unknown suite")
    key = keyring().data.get(int.from_bytes(raw[1:3], "big"))
    if key is None:
        raise DoesNotOpen(f"{table} {row} {field}: key destroyed or missing")
    try:
        return _cipher(key).decrypt(raw[3:_HEAD], raw[_HEAD:], raw[:3] + _bound(table, row, field))
    except InvalidTag:
        raise DoesNotOpen(f"{table} {row} {field}: does not belong to this row") from None


def seal_json(value: Any, table: str, row: int | str, field: str) -> bytes:
    return seal(_to_json(value).encode(), table, row, field)


def unseal_json(sealed: bytes | memoryview | None, table: str, row: int | str, field: str) -> Any:
    """The JSON value sealed for this field, or an empty dict when there is none."""
    return json.loads(unseal(sealed, table, row, field)) if sealed else {}


def _keyed(label: str, *parts: str) -> bytes:
    code = _hmac(keyring().index).copy()
    code.update("\x1f".join((label, *parts)).encode())
    return code.digest()


def blind_index(family: str, canonical: str) -> uuid.UUID:
    """The first 128 bits of HMAC-SHA-256 over (family, canonical form): equality without the value (KE-4)."""
    return uuid.UUID(bytes=_keyed("id", family, canonical)[:16])


def half_indexes(family: str, canonical: str) -> tuple[int, int]:
    """Keyed hashes of the characters at even and at odd places, as signed 64-bit numbers.

    Two numbers that differ in one character share one of the two. Interleaved, because a leading half
    (region and birth year) would be shared by a whole county.
    """
    even = _keyed("even", family, canonical[0::2])[:8]
    odd = _keyed("odd", family, canonical[1::2])[:8]
    return int.from_bytes(even, "big", signed=True), int.from_bytes(odd, "big", signed=True)


def key_of(sealed: bytes | memoryview) -> int:
    """The number of the data key under which a value was sealed."""
    return int.from_bytes(bytes(sealed[1:3]), "big")


def keyed_digest(label: str, *parts: str) -> str:
    """64 hex digits that nobody without the key can make: what was approved, or the order of a list."""
    return _keyed(label, *parts).hex()


def salted_digest(value: str) -> str:
    """A digest for the log: the value can be erased without breaking it (AU-1)."""
    salt = secrets.token_hex(8)
    return f"{salt}:{sha256((salt + value).encode()).hexdigest()}"


def next_ids(table: str, count: int = 1) -> list[int]:
    """`count` fresh row ids of `table`, so that a value can be sealed for its row before the row is
    written.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count]
        )
        return [row[0] for row in cursor.fetchall()]
