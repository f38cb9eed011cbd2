"""Second factors: a code from her phone, a passkey, recovery codes (AC-3).

What they are made of is django-allauth's (TOTP after RFC 6238, WebAuthn, its table of authenticators); when
they are asked for, and what follows, is ours.
"""

from typing import Any

import segno
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.webauthn.internal import auth as webauthn
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.factor_adapter import FactorAdapter, secrets_of
from accounts.models import User
from accounts.roles import Right, roles_with
from accounts.sign_ins import end_all, is_high, note, posts_today
from config.errors import Refusal

Type = Authenticator.Type
PROVING = {str(Type.TOTP), str(Type.WEBAUTHN)}
NAME_LENGTH = 30  # of a passkey, as she calls it
_SECRET = "totp_secret"  # noqa: S105  (in the session, encrypted, until the first code is right)


class CodeWrong(Refusal):
    code, status, rule = "factor_wrong", 403, "AC-3"
    message = gettext_lazy(
        "验证码不正确或已用过。每个动态口令只能用一次，请等下一个出现后再输入，并检查手机时间；"
        "连续多次失败后须等待15分钟至1小时。"
    )


class PasskeyWrong(Refusal):
    code, status, rule = "passkey_wrong", 403, "AC-3"
    message = gettext_lazy("通行密钥没有通过验证。请重试，并按提示用指纹、面容或设备密码确认。")


class FactorNeeded(Refusal):
    """The last proof may not go: the account would be open to whoever knows the password."""

    code, status, rule = "factor_needed", 409, "AC-3"
    message = gettext_lazy("这是您必需的验证方式，不能停用。请先登记另一个，再停用它。")


# ── What she has, and what she needs ──────────────────────────────
def types_of(user: User) -> set[str]:
    """The types of factor she has."""
    return set(Authenticator.objects.filter(user_id=user.pk).values_list("type", flat=True))


def needs_passkey(user: User) -> bool:
    """Whether a code from a phone does not do: nation, province, administrators, approvers of exports."""
    approvers = roles_with(Right.APPROVE_EXPORT)
    return is_high(user) or any(role in approvers for role, _kind in posts_today(user))


def must_enrol(user: User) -> bool:
    """Whether she lacks a factor that she must have."""
    held = types_of(user)
    return Type.WEBAUTHN not in held if needs_passkey(user) else not held & PROVING


def factors_of(user: User) -> list[Authenticator]:
    """Her factors, codes first, oldest first."""
    return list(Authenticator.objects.filter(user_id=user.pk).order_by("type", "pk"))


def recovery_codes_left(user: User) -> int:
    own = Authenticator.objects.filter(user_id=user.pk, type=Type.RECOVERY_CODES).first()
    with secrets_of(user):
        return len(RecoveryCodes(own).get_unused_codes()) if own else 0


# ── A code from the phone ──────────────────────────────
def offered_secret(request: HttpRequest, user: User) -> str:
    """The secret she is about to enrol: the same until she has confirmed it."""
    with secrets_of(user):
        if sealed := request.session.get(_SECRET):
            return FactorAdapter().decrypt(sealed)
        secret = totp.generate_totp_secret()
        request.session[_SECRET] = FactorAdapter().encrypt(secret)
        return secret


def picture_of(user: User, secret: str) -> str:
    """The QR code that a phone reads, as a data: address."""
    address = FactorAdapter().build_totp_url(user, secret)
    return segno.make(address, error="m").svg_data_uri(scale=5, border=2, light="#fff")


def enrol_totp(request: HttpRequest, user: User, code: str) -> list[str]:
    """Keep the offered secret if `code` is right; answers fresh recovery codes. Raises CodeWrong."""
    secret = offered_secret(request, user)
    step = _step_of(secret, code, after=0)
    if not step:
        raise CodeWrong()
    with transaction.atomic(), secrets_of(user):
        User.objects.select_for_update().get(pk=user.pk)
        Authenticator.objects.filter(user_id=user.pk, type=Type.TOTP).delete()
        kept = totp.TOTP.activate(user, secret).instance
        Authenticator.objects.filter(pk=kept.pk).update(data=kept.data | {"last_step": step})
        codes = _fresh_codes(user)
        note("accounts.user.factor_add", user, kind=label(Type.TOTP))
    del request.session[_SECRET]
    return codes


def _step_of(secret: str, code: str, *, after: int) -> int:
    """The time step that `code` belongs to, one before or behind now, newer than `after`; 0 if none."""
    typed = "".join(code.split())
    for step in totp.yield_hotp_counters_from_time():
        expected = totp.format_hotp_value(totp.hotp_value(secret, step))
        if step > after and compare_user_code(actual=typed, expected=expected):
            return int(step)
    return 0


def prove_code(user: User, code: str, *, with_recovery: bool) -> str:
    """The type of factor that `code` proves, used up by it. Raises CodeWrong."""
    with transaction.atomic(), secrets_of(user):
        # The row lock makes each code good for one of two who send it at once.
        held = Authenticator.objects.select_for_update().filter(user_id=user.pk).order_by("pk")
        rows = {row.type: row for row in held}
        if row := rows.get(Type.TOTP):
            secret = FactorAdapter().decrypt(row.data["secret"])
            if step := _step_of(secret, code, after=row.data.get("last_step", 0)):
                row.data["last_step"] = step
                row.save(update_fields=["data"])
                row.record_usage()
                return str(Type.TOTP)
        typed = "".join(letter for letter in code if letter.isdigit())
        if (
            with_recovery
            and (row := rows.get(Type.RECOVERY_CODES))
            and RecoveryCodes(row).validate_code(typed)
        ):
            note("accounts.user.recovery_code", user)
            return str(Type.RECOVERY_CODES)
    raise CodeWrong()


# ── Recovery codes ──────────────────────────────
def renew_recovery_codes(user: User) -> list[str]:
    """Ten codes in the place of the old ones."""
    with transaction.atomic():
        codes = _fresh_codes(user, again=True)
        note("accounts.user.recovery_codes", user)
    return codes


def _fresh_codes(user: User, *, again: bool = False) -> list[str]:
    """Recovery codes, shown once; none when she has some already and did not ask for new ones."""
    own = Authenticator.objects.filter(user_id=user.pk, type=Type.RECOVERY_CODES)
    if own.exists() and not again:
        return []
    own.delete()
    with secrets_of(user):
        return RecoveryCodes.activate(user).generate_codes()


# ── Passkeys ──────────────────────────────
def options_to_add(user: User) -> dict[str, Any]:
    """What the browser needs to make a passkey that signs in alone and verifies its user."""
    return webauthn.begin_registration(user, passwordless=True)


def enrol_passkey(user: User, credential: Any, name: str) -> list[str]:
    """Keep the passkey that the browser made; answers fresh recovery codes. Raises PasskeyWrong."""
    try:
        webauthn.parse_registration_response(credential)
        made = webauthn.complete_registration(credential)
    except (ValidationError, ValueError, TypeError, KeyError, AttributeError):
        raise PasskeyWrong() from None
    if not made.is_user_verified():
        raise PasskeyWrong()
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        count = Authenticator.objects.filter(user_id=user.pk, type=Type.WEBAUTHN).count()
        webauthn.WebAuthn.add(user, name or _("通行密钥{n}").format(n=count + 1), credential)
        codes = _fresh_codes(user)
        note("accounts.user.factor_add", user, kind=label(Type.WEBAUTHN))
    return codes


def options_to_prove(user: User | None) -> dict[str, Any]:
    """What the browser needs to prove a passkey: one of `user`, or of whoever presents it."""
    return webauthn.begin_authentication(user)


def holder_of(credential: Any) -> User | None:
    """Whose passkey it claims to be; nothing is proved by that."""
    try:
        webauthn.parse_authentication_response(credential)
        found = webauthn.extract_user_from_response(credential)
    except (ValidationError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return found if isinstance(found, User) else None


def prove_passkey(user: User, credential: Any) -> None:
    """Raises PasskeyWrong unless the browser proved one of her passkeys, with its user verified."""
    try:
        webauthn.parse_authentication_response(credential)
        webauthn.complete_authentication(user, credential).record_usage()
    except (ValidationError, ValueError, TypeError, KeyError, AttributeError):
        raise PasskeyWrong() from None


# ── Taking one away ──────────────────────────────
def remove(user: User, factor: Authenticator) -> None:
    """Take one factor away: all her sign-ins end and her recovery codes are void (AC-4).

    Raises FactorNeeded when none that she must have would be left.
    """
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        others = Authenticator.objects.filter(user_id=user.pk).exclude(pk=factor.pk)
        wanted = {str(Type.WEBAUTHN)} if needs_passkey(user) else PROVING
        if not others.filter(type__in=wanted).exists():
            raise FactorNeeded()
        name = label(factor.type)
        _void(user, factor.pk)
        note("accounts.user.factor_remove", user, kind=name)
        end_all(user, reason="factor")


@transaction.atomic
def remove_all(user: User) -> None:
    """Take every factor away: the office above has seen her and re-issues (AC-4)."""
    Authenticator.objects.filter(user_id=user.pk).delete()
    note("accounts.user.factor_remove", user, kind=_("全部验证方式"))
    end_all(user, reason="factor")


def _void(user: User, pk: int) -> None:
    """The factor, and her recovery codes with it."""
    Authenticator.objects.filter(user_id=user.pk, pk=pk).delete()
    Authenticator.objects.filter(user_id=user.pk, type=Type.RECOVERY_CODES).delete()


def label(kind: str) -> str:
    """The Chinese name of a type of factor."""
    return {
        Type.TOTP.value: _("动态口令"),
        Type.WEBAUTHN.value: _("通行密钥"),
        Type.RECOVERY_CODES.value: _("备用码"),
    }[str(kind)]
