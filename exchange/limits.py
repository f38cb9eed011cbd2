"""How fast and how much a client may ask: counters in Valkey; without them nothing is provided (AP-6)."""

from datetime import datetime, time, timedelta
from functools import cache

from django.conf import settings
from django.utils import timezone
from redis import Redis, RedisError

from config.clock import now
from exchange.models import GrantClient
from exchange.refusals import LimitsUnavailable, QuotaSpent, TooFast

_MINUTE, _DAY = 60, 2 * 86400


@cache
def _store() -> Redis:
    return Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=2)


def _here() -> datetime:
    return timezone.localtime(now())  # days end at midnight in China


def _add(key: str, count: int, seconds: int) -> int:
    try:
        with _store().pipeline() as pipe:
            pipe.incrby(key, count)
            pipe.expire(key, seconds)
            return int(pipe.execute()[0])
    except RedisError as error:
        raise LimitsUnavailable() from error


def _spend_minute(key: str, most: int) -> None:
    moment = _here()
    if _add(f"xueji:rate:{key}:{moment:%Y%m%d%H%M}", 1, 2 * _MINUTE) > most:
        raise TooFast(seconds=_MINUTE - moment.second)


def spend_attempt(address: str, most: int) -> None:
    """One request for a token from an address. Raises TooFast, LimitsUnavailable."""
    _spend_minute(f"token:{address}", most)


def spend_call(client: GrantClient, most: int) -> None:
    """One request of a client. Raises TooFast, LimitsUnavailable."""
    _spend_minute(f"client:{client.oauth_id}", most)


def reserve(client: GrantClient, wanted: int) -> int:
    """Take up to `wanted` records of today's quota of the grant, before anything is read.

    Two requests at once share what is left. Raises QuotaSpent, LimitsUnavailable.
    """
    quota = client.grant.quota
    after = _add(_quota_key(client), wanted, _DAY)
    granted = min(wanted, quota - (after - wanted))
    if granted < wanted:
        give_back(client, wanted - max(granted, 0))
    if granted <= 0:
        moment = _here()
        midnight = datetime.combine(moment.date() + timedelta(days=1), time(), tzinfo=moment.tzinfo)
        raise QuotaSpent(quota=quota, seconds=int((midnight - moment).total_seconds()) + 1)
    return granted


def give_back(client: GrantClient, count: int) -> None:
    """Return what was reserved and not delivered."""
    if count:
        _add(_quota_key(client), -count, _DAY)


def _quota_key(client: GrantClient) -> str:
    return f"xueji:quota:{client.grant.public_id}:{_here():%Y%m%d}"
