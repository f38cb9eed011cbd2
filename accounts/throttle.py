"""Waiting after failures, for every way in (AC-5).

Failures count under the account and the network they come from. From a network she has signed in from
before, only failures there make her wait: a stranger elsewhere can never lock her out, and attempts made
while waiting do not lengthen it.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from allauth.core.internal.httpkit import get_client_ip
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest, Now
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Attempts
from audit.warning_rules import ADDRESS
from audit.warnings import stopped
from audit.watching import address_stop_key
from config.crypto import blind_index
from config.rules import RuleInForce, rules
from config.scope import NATION

QUIET = timedelta(hours=24)  # after that, failures are forgotten
KNOWN_DAYS = 90  # how long a network stays known
_RULES = ("SIGN_IN_FAILURES", "ADDRESS_FAILURES", "SIGN_IN_WAIT", "SIGN_IN_WAIT_MOST")


@dataclass(slots=True)
class Meter:
    """The failures that bear on one attempt: of `kind` (password, factor, code) on `account`, which is an
    account's key or whatever was typed in its place, from the network of a request.
    """

    kind: str
    account: str
    address: str
    counted: list[UUID] = field(default_factory=list)
    is_slowed: bool = False  # an early warning is open on the address (W7)

    def admit(self) -> bool:
        """Count this attempt as failed, before anything is compared: many at once must not all pass. False,
        and nothing counted, while she has to wait.
        """
        limits = rules(_RULES, at=NATION)
        self.is_slowed = stopped(ADDRESS, address_stop_key(self.address)) is not None
        with transaction.atomic():
            Attempts.objects.bulk_create(
                [Attempts(key=key) for key in sorted((self._here, self._elsewhere, self._place))],
                ignore_conflicts=True,
            )
            rows = {
                row.key: row
                for row in Attempts.objects.select_for_update().filter(key__in=self._keys()).order_by("key")
            }
            self.counted = [self._here] if self._known in rows else [self._elsewhere, self._place]
            if any(_waits(rows[key], self._most(key, limits), limits) for key in self.counted):
                return False
            for key in self.counted:
                row = rows[key]
                row.failures = 1 if _is_forgotten(row, self._most(key, limits), limits) else row.failures + 1
                Attempts.objects.filter(key=key).update(failures=row.failures, at=Now())
        return True

    def passed(self) -> None:
        """The proof was right: this account begins anew, this network is known, the place is not blamed."""
        with transaction.atomic():
            Attempts.objects.filter(key__in=self.counted).exclude(key=self._place).update(failures=0)
            if self._place in self.counted:
                Attempts.objects.filter(key=self._place).update(failures=Greatest(F("failures") - 1, 0))

    def know_network(self) -> None:
        """She has signed in from here: from now on failures elsewhere are not hers."""
        Attempts.objects.update_or_create(key=self._known, defaults={"at": timezone.now()})

    def _key(self, *parts: str) -> UUID:
        return blind_index("attempts", "|".join(parts))

    def _keys(self) -> list[UUID]:
        return [self._known, self._here, self._elsewhere, self._place]

    @property
    def _known(self) -> UUID:
        return self._key("known", self.account, self.address)

    @property
    def _here(self) -> UUID:
        return self._key(self.kind, self.account, self.address)

    @property
    def _elsewhere(self) -> UUID:
        return self._key(self.kind, self.account)

    @property
    def _place(self) -> UUID:
        return self._key("place", self.address)

    def _most(self, key: UUID, limits: dict[str, RuleInForce]) -> int:
        is_lenient = key == self._place and not self.is_slowed
        return limits["ADDRESS_FAILURES" if is_lenient else "SIGN_IN_FAILURES"].number


def meter(request: HttpRequest, kind: str, account: str) -> Meter:
    """What counts for an attempt of this request."""
    return Meter(kind, account, address_of(request))


def address_of(request: HttpRequest) -> str:
    return get_client_ip(request) or ""


def purge() -> int:
    """Forget failures after a quiet day and networks after 90; answers how many rows went."""
    old = Attempts.objects.filter(failures__gt=0, at__lt=Now() - QUIET)
    unused = Attempts.objects.filter(at__lt=Now() - timedelta(days=KNOWN_DAYS))
    return old.delete()[0] + unused.delete()[0]


def _wait(failures: int, most: int, limits: dict[str, RuleInForce]) -> timedelta:
    """15 minutes after the fifth failure in a row, 30 after the sixth, then an hour each time."""
    first, longest = limits["SIGN_IN_WAIT"].number, limits["SIGN_IN_WAIT_MOST"].number
    return timedelta(minutes=min(first * 2 ** min(failures - most, 10), longest))


def _waits(row: Attempts, most: int, limits: dict[str, RuleInForce]) -> bool:
    return row.failures >= most and timezone.now() - row.at < _wait(row.failures, most, limits)


def _is_forgotten(row: Attempts, most: int, limits: dict[str, RuleInForce]) -> bool:
    """Few failures lose their weight after a quarter of an hour; a row of them after a quiet day."""
    quiet = timezone.now() - row.at
    return quiet > (timedelta(minutes=limits["SIGN_IN_WAIT"].number) if row.failures < most else QUIET)
