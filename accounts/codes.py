"""One-use codes: the first sign-in, a forgotten password, a lost second factor (AC-4, R-ACC-05).

Whoever issues a code sees it once, to hand it over, and never a password: a reset of one proof leaves the
other standing, so the code alone opens nothing but an account that has neither yet.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest

from django.db import transaction
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts.models import CodePurpose, OneUseCode, User
from audit.services import record_many
from config.clock import now
from config.errors import Refusal
from config.rules import rule

# No 0/O, 1/I/L: it is read from paper. Sixteen of thirty letters are more than 78 bits.
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_GROUPS, _GROUP = 4, 4


class CodeRefused(Refusal):
    """Unknown account, wrong, used and expired code give one answer (AC-5)."""

    code, status, rule = "code_refused", 403, "AC-4"
    message = _("账号或验证码不正确，或验证码已使用、已过期。请核对后重试；仍不成功，请向发放单位重新领取。")


@dataclass(frozen=True, slots=True)
class Slip:
    """What is printed for the holder, once: the code stands nowhere else."""

    name: str
    username: str
    office: str
    code: str
    hours: int
    purpose: str


def issue(user: User, *, by: User, purpose: str, at: str = "", reason: str = "") -> str:
    """A fresh code for `user`; every earlier one is void. Recorded at the office of path `at`, without one
    at the office `by` acts for.

    The caller has decided that `by` may (accounts.administration.resets, creating); a sealed or disabled
    account gets none.
    """
    return issue_all([user], by=by, purpose=purpose, at=at or by.acting_path, reason=reason)[user.pk]


@transaction.atomic
def issue_all(users: list[User], *, by: User, purpose: str, at: str, reason: str = "") -> dict[int, str]:
    """The same for many at one office, in constant statements; codes by the id of the user."""
    codes = {user.pk: _fresh() for user in users}
    expires_at = now() + timedelta(hours=hours_valid(at))
    OneUseCode.objects.filter(user__in=users, used_at=None, expires_at__gt=now()).update(expires_at=Now())
    OneUseCode.objects.bulk_create(
        OneUseCode(
            user=user, purpose=purpose, digest=_digest(user.pk, codes[user.pk]),
            issued_by_name=by.name, expires_at=expires_at,
        )
        for user in users
    )  # fmt: skip
    record_many(
        "accounts.code.issue", "user", [(user.pk, at) for user in users], actor=by, reason=reason,
        purpose=CodePurpose(purpose).label,
    )  # fmt: skip
    return codes


@transaction.atomic
def redeem(username: str, code: str) -> User:
    """The holder of the account, whose `code_purpose` says what the code opens; it is used up.

    Raises CodeRefused, whatever was wrong. The caller counts failures (AC-5) and asks for the proof that
    the code does not replace.
    """
    user = User.objects.filter(username=username, is_active=True, sealed_at=None).first()
    typed = _digest(user.pk if user else 0, code)
    open_ones = OneUseCode.objects.filter(user=user, used_at=None, expires_at__gt=now()) if user else ()
    found = next((one for one in open_ones if compare_digest(one.digest, typed)), None)
    if user is None or found is None:
        raise CodeRefused()
    # Two browsers may send it at once: one wins.
    if not OneUseCode.objects.filter(pk=found.pk, used_at=None).update(used_at=Now()):
        raise CodeRefused()
    user.code_purpose = found.purpose
    return user


def hours_valid(path: str) -> int:
    """How long a code lives that an office issues."""
    return rule("ONE_USE_CODE_HOURS", at=path).number


def _fresh() -> str:
    letters = [secrets.choice(_LETTERS) for _n in range(_GROUPS * _GROUP)]
    return "-".join("".join(letters[start : start + _GROUP]) for start in range(0, len(letters), _GROUP))


def _digest(user_id: int, code: str) -> str:
    folded = "".join(letter for letter in code.upper() if letter.isalnum())
    return salted_hmac("accounts.codes", f"{user_id}:{folded}", algorithm="sha256").hexdigest()
