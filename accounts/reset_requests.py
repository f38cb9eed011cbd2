"""Resets without anything to hand over (AC-4): the holder's browser asks, shows a short number, and waits.

The office above sees her, types the number that she reads out, and that browser alone goes on: what opens
the account is a secret of its session, which nobody is ever shown. The number opens nothing anywhere.
"""

from dataclasses import dataclass
from datetime import timedelta
from secrets import token_hex

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts import codes
from accounts.models import OneUseCode, ResetRequest, User
from config.clock import now
from config.errors import Refusal
from config.scope import NATION

WAITING, CONFIRMED, OVER = "waiting", "confirmed", "over"


class AskedTooOften(Refusal):
    code, status, rule = "asked_too_often", 403, "AC-5"
    message = _("申请编号的次数太多，请15分钟至1小时后再试。")


class NumberNotWaiting(Refusal):
    """Unknown, somebody else's, confirmed and expired numbers give one answer."""

    code, status = "number_not_waiting", 422
    rule, article = "AC-4", "第二十四条"
    message = _(
        "{name}没有以这个编号等待确认的申请，未作任何改动。请看着本人的屏幕核对编号；"
        "编号已失效的，请本人在登录页重新申请。"
    )


class NotConfirmed(Refusal):
    code, status, rule = "reset_not_confirmed", 409, "AC-4"
    message = _("管理员还没有确认这个编号。请待其核验您本人并确认后再继续。")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the session of the asking browser keeps; of it only the number is shown."""

    user_id: int  # 0 for an account that there is not
    number: str
    secret: str

    @property
    def digest(self) -> str:
        return codes.digest_of(self.user_id, self.secret)


def ask(user: User | None) -> Asked:
    """A fresh number. Who has no account that may be entered gets one that nobody can confirm (AC-5)."""
    asked = Asked(user.pk if user else 0, codes.fresh(groups=2), token_hex(32))
    expires_at = now() + timedelta(hours=codes.hours_valid(NATION))
    ResetRequest.objects.create(user=user, number=asked.number, digest=asked.digest, expires_at=expires_at)
    return asked


def state_of(asked: Asked) -> str:
    """What the waiting page shows."""
    if ResetRequest.objects.filter(number=asked.number, expires_at__gt=now()).exists():
        return WAITING
    is_open = codes.open_ones([asked.user_id]).filter(digest=asked.digest).exists()
    return CONFIRMED if is_open else OVER


def take(asked: Asked) -> User:
    """The holder, in the browser that asked, once. Raises NotConfirmed."""
    try:
        return codes.use(User.objects.filter(pk=asked.user_id).first(), asked.secret)
    except codes.CodeRefused:
        raise NotConfirmed() from None


def find(user: User, typed: str) -> ResetRequest:
    """Her waiting request of this number, locked. Raises NumberNotWaiting."""
    letters = codes.fold(typed)
    number = f"{letters[: codes.GROUP]}-{letters[codes.GROUP :]}"
    found = ResetRequest.objects.select_for_update().filter(number=number, user=user, expires_at__gt=now())
    row = found.first()
    if row is None:
        raise NumberNotWaiting(name=user.name)
    return row


@transaction.atomic
def confirm(user: User, number: str, *, purpose: str, by: User) -> None:
    """The browser that shows `number` may go on; whatever was open before is void. The caller has decided
    that `by` may, and records it. Raises NumberNotWaiting.
    """
    row = find(user, number)
    codes.void([user])
    OneUseCode.objects.create(
        user=user, purpose=purpose, digest=row.digest, issued_by_name=by.name, expires_at=row.expires_at
    )
    row.delete()


def purge() -> int:
    """Forget numbers whose time is over; answers how many."""
    return ResetRequest.objects.filter(expires_at__lte=Now()).delete()[0]
