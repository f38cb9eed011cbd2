"""Live sign-ins: one for each account, idle and absolute ends, and why one ended (AC-6).

The session store is what lets a request in; a row of ours beside it tells who, from where, until when, and
after its end why. Ending one deletes its session, in the caller's transaction: the next request of that
browser is nobody's, and costs no query to find out.
"""

import ipaddress
from collections.abc import Iterable
from datetime import timedelta
from time import time
from typing import Any

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.sessions.models import Session
from django.core import signing
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Post, SignIn, User
from accounts.rights import valid_posts
from accounts.step_up import FACTOR_AT
from accounts.throttle import address_of
from audit.services import record
from config.clock import today
from config.rules import rules
from config.scope import scoped_transaction

ADMINISTRATORS = (
    *("system_administrator", "network_administrator"),
    *("security_administrator", "audit_administrator"),
)
FROM_THE_TOP = ("nation", "province")
# In the session: the sign-in's id, how long it may be idle and when it was last seen (seconds since 1970),
# and the day on which her password ends.
SIGN_IN, IDLE, SEEN_AT = "sign_in", "idle_seconds", "seen_at"
PASSWORD_ENDS, PASSWORD_WARNS = "password_ends", "password_warns"  # noqa: S105  (days)
HOW = "how"
SEEN_EVERY = 60  # seconds: a busy page does not write its session with each request
_RULES = ("SIGN_IN_HOURS", "SIGN_IN_IDLE", "SIGN_IN_IDLE_HIGH", "PASSWORD_DAYS", "PASSWORD_WARN_DAYS")
_SALT = "accounts.sign_ins.ended"
KEPT = timedelta(hours=12)  # RD-8: an ended sign-in; the log keeps its trace


def begin(request: HttpRequest, user: User, *, how: str) -> SignIn:
    """Sign her in with a new session key; what lived before ends, and is told why. `how` names the proofs."""
    limits = rules(_RULES, at=user.path)
    now, network = timezone.now(), network_of(request)
    ends = now + timedelta(hours=limits["SIGN_IN_HOURS"].number)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # of two at once, the later one lives
        _end(SignIn.objects.filter(user=user), SignIn.End.ELSEWHERE, network)
        login(request, user)
        idle = limits["SIGN_IN_IDLE_HIGH" if is_high(user) else "SIGN_IN_IDLE"].number * 60
        session: dict[str, Any] = {HOW: how, IDLE: idle, SEEN_AT: time(), FACTOR_AT: time()}
        if how not in ("persona", "passkey"):  # whoever brought no password need not change one
            days = limits["PASSWORD_DAYS"].number
            chosen = user.password_chosen_at
            last = timezone.localdate(chosen) + timedelta(days=days) if chosen else today()
            warns = last - timedelta(days=limits["PASSWORD_WARN_DAYS"].number)
            session |= {PASSWORD_ENDS: last.isoformat(), PASSWORD_WARNS: warns.isoformat()}
        request.session.update(session)
        request.session.set_expiry(ends)
        request.session.save()
        made = SignIn.objects.create(
            user=user, session_key=request.session.session_key or "", how=how, network=network,
            device=device_of(request), expires_at=ends,
        )  # fmt: skip
        request.session[SIGN_IN] = made.pk
    return made


def rotate(request: HttpRequest) -> None:
    """A new session key for the same sign-in: at each step-up."""
    old = request.session.session_key
    with transaction.atomic():
        request.session.cycle_key()
        SignIn.objects.filter(session_key=old, ended_at=None).update(session_key=request.session.session_key)


def end_all(user: User, *, reason: str) -> None:
    """End every live sign-in of `user` in the caller's transaction; `reason` is one of SignIn.End."""
    end_many([user.pk], reason=reason)


def end_many(user_ids: Iterable[int], *, reason: str) -> int:
    """The same for many, set-wise; answers how many lived."""
    return _end(SignIn.objects.filter(user__in=list(user_ids)), reason)


def end_own(request: HttpRequest, reason: str) -> None:
    """End the sign-in of this request."""
    with transaction.atomic():
        _end(SignIn.objects.filter(session_key=request.session.session_key), reason)
        logout(request)


def _end(which: "QuerySet[SignIn]", reason: str, network: str = "") -> int:
    live = which.filter(ended_at=None)
    keys = list(live.select_for_update().values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    return live.filter(session_key__in=keys).update(
        ended_at=Now(), end=SignIn.End(reason), ended_from=network
    )


def purge() -> int:
    """Close the sign-ins whose time is over and forget those that ended; answers how many rows went."""
    over = SignIn.objects.filter(ended_at=None, expires_at__lt=Now())
    over.update(ended_at=Now(), end=SignIn.End.EXPIRED)
    Session.objects.filter(expire_date__lt=Now()).delete()
    return SignIn.objects.filter(ended_at__lt=Now() - KEPT).delete()[0]


# ── What the middleware asks ──────────────────────────────
def is_idle(request: HttpRequest) -> bool:
    """Whether nothing has been asked for too long; else remembers that something was, once a minute."""
    seen = request.session.get(SEEN_AT)
    if seen is None:
        return False
    if time() - seen > request.session[IDLE]:
        return True
    if time() - seen > SEEN_EVERY:
        request.session[SEEN_AT] = time()
    return False


def password_is_over(request: HttpRequest) -> bool:
    """Whether only the change page may open (AC-2)."""
    ends: str = request.session.get(PASSWORD_ENDS, "")
    return ends != "" and ends <= today().isoformat()


def password_days_left(request: HttpRequest) -> int | None:
    """Days until her password ends, from the day on which the warning begins."""
    warns, day = request.session.get(PASSWORD_WARNS), today()
    if not warns or warns > day.isoformat():
        return None
    return (day.fromisoformat(request.session[PASSWORD_ENDS]) - day).days


def why_ended(request: HttpRequest) -> str:
    """A sealed word that tells the sign-in page why the sign-in of this browser's cookie ended; empty if it
    had none.
    """
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    found = SignIn.objects.filter(session_key=key).first() if key else None
    return signing.dumps(found.pk, salt=_SALT) if found else ""


def ended(word: str) -> SignIn | None:
    """The sign-in that a word of `why_ended` tells of. One without an end has outlived its hours."""
    try:
        pk = signing.loads(word, salt=_SALT, max_age=KEPT)
    except signing.BadSignature:
        return None
    return SignIn.objects.filter(pk=pk).first()


# ── In words ──────────────────────────────
def is_high(user: User) -> bool:
    """Whether she works for the nation or a province, or administers: shorter idle time, passkey."""
    return any(kind in FROM_THE_TOP or role in ADMINISTRATORS for role, kind in posts_today(user))


def posts_today(user: User) -> list[tuple[str, str]]:
    """Role and kind of office of her posts of today, whether or not they give rights yet."""
    posts = Post.objects.filter(user=user, valid__contains=today())
    return list(posts.values_list("role", "office__kind"))


def network_of(request: HttpRequest) -> str:
    """The class of the address and its first half: enough to know one's own, too little to follow her."""
    try:
        address = ipaddress.ip_address(address_of(request))
    except ValueError:
        return "unknown"
    kind = "local" if address.is_loopback else "private" if address.is_private else "public"
    if address.version == 4:
        return f"{kind} {'.'.join(str(address).split('.')[:2])}.*.*"
    return f"{kind} {':'.join(address.exploded.split(':')[:3])}:*"


def in_words(network: str) -> str:
    """What `network_of` kept, for a person."""
    kind, _space, half = network.partition(" ")
    names = {"local": _("本机"), "private": _("内部网络"), "public": _("互联网")}
    return f"{names.get(kind, _('未知网络'))} {half}".strip()


_BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    *(("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad")),
    *(("Mac OS X", "macOS"), ("Linux", "Linux")),
)


def device_of(request: HttpRequest) -> str:
    """Browser and system, roughly."""
    agent = request.headers.get("User-Agent", "")
    found = [next((name for mark, name in names if mark in agent), "") for names in (_BROWSERS, _SYSTEMS)]
    return " · ".join(part for part in found if part) or _("其他程序")


def note(action: str, user: User, **detail: Any) -> None:
    """Record an act of `user` about her own account, at her own office."""
    if user.acting_post is None:  # at the door no post is chosen yet
        user.acting_post = next(iter(valid_posts(user)), None)
    with scoped_transaction(user.path):
        record(action, user, actor=user, **detail)
