"""What opens an account once: a printed code for the first sign-in, the secret of a browser whose reset was
confirmed (AC-4, R-ACC-05; accounts.reset_requests).

Whoever issues a first code sees it once, to hand it over, and never a password: it opens nothing but an
account that has neither password nor factor yet. A reset of one proof leaves the other standing.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts.models import CodePurpose, OneUseCode, User
from audit.services import record_many
from config.clock import now
from config.errors import Refusal
from config.rules import rule

# No 0/O, 1/I/L: it is read from paper or out loud. Sixteen of thirty letters are more than 78 bits.
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_GROUPS, GROUP = 4, 4


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


def issue(user: User, *, by: User, at: str = "") -> str:
    """A fresh first code for `user`; every earlier one is void. Recorded at the office of path `at`, without
    one at the office `by` acts for.

    The caller has decided that `by` may (accounts.administration.resets, creating); a sealed or disabled
    account gets none.
    """
    return issue_all([user], by=by, at=at or by.acting_path)[user.pk]


@transaction.atomic
def issue_all(users: list[User], *, by: User, at: str) -> dict[int, str]:
    """The same for many at one office, in constant statements; codes by the id of the user."""
    codes = {user.pk: fresh(_GROUPS) for user in users}
    expires_at = now() + timedelta(hours=hours_valid(at))
    void(users)
    OneUseCode.objects.bulk_create(
        OneUseCode(
            user=user, purpose=CodePurpose.FIRST, digest=digest_of(user.pk, codes[user.pk]),
            issued_by_name=by.name, expires_at=expires_at,
        )
        for user in users
    )  # fmt: skip
    record_many(
        "accounts.code.issue", "user", [(user.pk, at) for user in users], actor=by,
        purpose=CodePurpose.FIRST.label,
    )  # fmt: skip
    return codes


def open_ones(users: Iterable[User | int]) -> "QuerySet[OneUseCode]":
    """What may still be used of these people, or ids of people."""
    return OneUseCode.objects.filter(user__in=users, used_at=None, expires_at__gt=now())


def void(users: Iterable[User]) -> None:
    """Whatever was open of these people opens nothing any more."""
    open_ones(users).update(expires_at=Now())


def redeem(username: str, code: str) -> User:
    """The holder of the account by the code that she was handed. Raises CodeRefused, whatever was wrong; the
    caller counts failures (AC-5).
    """
    return use(User.objects.filter(username=username).first(), code)


@transaction.atomic
def use(user: User | None, code: str) -> User:
    """`user`, whose `code_purpose` says what the code opens; it is used up. Raises CodeRefused.

    The caller asks for the proof that the code does not replace.
    """
    may_enter = user is not None and user.is_active and user.sealed_at is None
    typed = digest_of(user.pk if user else 0, code)
    some = open_ones([user]) if user and may_enter else ()
    found = next((one for one in some if compare_digest(one.digest, typed)), None)
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


def fresh(groups: int) -> str:
    """Random letters in groups of four."""
    letters = [secrets.choice(_LETTERS) for _n in range(groups * GROUP)]
    return "-".join("".join(letters[start : start + GROUP]) for start in range(0, len(letters), GROUP))


def fold(typed: str) -> str:
    """What was meant, however it was typed."""
    return "".join(letter for letter in typed.upper() if letter.isalnum())


def digest_of(user_id: int, code: str) -> str:
    """What is kept of a code or secret of this account."""
    return salted_hmac("accounts.codes", f"{user_id}:{fold(code)}", algorithm="sha256").hexdigest()
