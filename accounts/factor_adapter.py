"""How django-allauth keeps and names second factors here (AC-3, KE-2)."""

from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from allauth.account.utils import user_pk_to_url_str
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.translation import gettext as _

from accounts.models import User
from config.crypto import seal, unseal

ISSUER = "学籍"
_owner: ContextVar[int] = ContextVar("owner of the secret")


@contextmanager
def secrets_of(user: User) -> Iterator[None]:
    """The library hands `encrypt` no row: inside this block its secrets belong to `user`, and a secret that
    was copied to somebody else's row does not open.
    """
    token = _owner.set(user.pk)
    try:
        yield
    finally:
        _owner.reset(token)


class FactorAdapter(DefaultMFAAdapter):
    """Secrets encrypted at rest; names as a person reads them in her phone."""

    def encrypt(self, text: str) -> str:
        return b64encode(seal(text.encode(), "mfa_authenticator", _owner.get(), "data")).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(b64decode(encrypted_text), "mfa_authenticator", _owner.get(), "data").decode()

    def get_totp_issuer(self) -> str:
        return ISSUER

    def get_totp_label(self, user: AbstractBaseUser) -> str:
        return user.get_username()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": context.request.get_host().partition(":")[0], "name": _("全国中小学生学籍管理")}

    def get_public_key_credential_user_entity(self, user: AbstractBaseUser) -> dict[str, bytes | str]:
        assert isinstance(user, User)  # noqa: S101
        handle = user_pk_to_url_str(user).encode()  # as the library reads it back
        return {"id": handle, "display_name": user.name, "name": user.username}
