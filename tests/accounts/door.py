"""Accounts with password and phone, and going through the door with them."""

import base64
import hashlib
import hmac
import struct
import time
from typing import Any

from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.factor_adapter import secrets_of
from accounts.models import User
from audit.models import AccessEntry
from tests import make

PASSWORD = "correct-Horse-battery-9"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code_at(secret: str, step: int = 0) -> str:
    """What a phone shows `step` half minutes from now (RFC 6238), worked out here a second time."""
    counter = struct.pack(">Q", int(time.time()) // 30 + step)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def make_account(
    role: str = "registrar", path: str = make.SCHOOL, *, has_phone: bool = True, **fields: Any
) -> User:
    """A person who chose her password today and, unless told otherwise, has enrolled her phone."""
    user = make.make_user(role, path, **fields)
    user.set_password(PASSWORD)
    user.password_chosen_at = timezone.now()
    user.save()
    if has_phone:
        with secrets_of(user):
            TOTP.activate(user, SECRET)
    return user


def give_password(client: Client, username: str, password: str = PASSWORD, **more: Any) -> Any:
    return client.post(reverse("accounts:sign_in"), {"username": username, "password": password}, **more)


def give_code(client: Client, code: str) -> Any:
    return client.post(reverse("accounts:sign_in_factor"), {"code": code})


def ask_reset(client: Client, username: str) -> str:
    """Ask for a reset in this browser; answers the number that its screen shows."""
    asked = client.post(reverse("accounts:sign_in_ask"), {"username": username})
    assert (asked.status_code, asked["Location"]) == (302, reverse("accounts:sign_in_wait"))
    return str(client.get(asked["Location"]).context["number"])


def enter(client: Client, user: User, step: int = 0) -> Any:
    """Password, then the phone's code; each code serves once, so a second entry needs another step."""
    give_password(client, user.username)
    return give_code(client, code_at(SECRET, step))


def codes(user: User | None) -> list[str]:
    entries = AccessEntry.objects.filter(outcome="sign_in", actor_id=user.pk if user else None)
    return list(entries.order_by("id").values_list("code", flat=True))


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session
