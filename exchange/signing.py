"""Signed answers: a yes or no of one day as a JWT (EdDSA), and the keys to check it with (R-EXT-05)."""

import base64
import json
import secrets
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.db import transaction

from config.clock import today
from config.crypto import seal, unseal
from exchange.models import AnswerKey

VALID_SECONDS = 24 * 3600
_KEPT_YEARS = 2  # an answer of 31 December is checked on 1 January


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _key() -> tuple[str, Ed25519PrivateKey]:
    """This year's key; the first answer of a year makes it, and of two at once one."""
    year = today().year
    row = AnswerKey.objects.filter(year=year).first()
    if row is None:
        fresh, kid = Ed25519PrivateKey.generate(), secrets.token_hex(8)
        public = fresh.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        with transaction.atomic():
            AnswerKey.objects.bulk_create(
                [AnswerKey(kid=kid, year=year, public=public,
                           private=seal(fresh.private_bytes_raw(), "exchange_answerkey", kid, "private"))],
                ignore_conflicts=True,
            )  # fmt: skip
        row = AnswerKey.objects.get(year=year)
    private = unseal(row.private, "exchange_answerkey", row.kid, "private")
    return row.kid, Ed25519PrivateKey.from_private_bytes(private)


def signed(claims: dict[str, Any]) -> tuple[str, int]:
    """A compact JWT over `claims`, valid for a day, and the second at which it ends."""
    kid, key = _key()
    issued = int(time.time())
    times = {"iat": issued, "exp": issued + VALID_SECONDS, "jti": secrets.token_urlsafe(16)}
    head = {"alg": "EdDSA", "typ": "JWT", "kid": kid}
    body = {"iss": settings.ORIGIN, **claims, **times}
    parts = [_text(json.dumps(part, separators=(",", ":")).encode()) for part in (head, body)]
    return ".".join([*parts, _text(key.sign(".".join(parts).encode()))]), issued + VALID_SECONDS


def public_keys() -> list[dict[str, str]]:
    """The public keys of this and the last year (RFC 8037)."""
    rows = AnswerKey.objects.filter(year__gt=today().year - _KEPT_YEARS).order_by("-year")
    return [
        {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": row.kid,
         "x": _text(bytes(row.public))}
        for row in rows
    ]  # fmt: skip
