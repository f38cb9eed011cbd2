"""Signing in: one answer for every failure, in the same time (AC-5)."""

from datetime import timedelta

from django.contrib.auth import login, logout
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from accounts.models import User
from accounts.personas import PREFIX
from accounts.rights import valid_posts
from audit.services import failed_sign_ins, record_sign_in
from config.errors import NotFound
from config.scope import NATION

# AC-5: five failures in a quarter of an hour, then waiting. Attempts made while waiting do not lengthen it:
# a stranger can never lock an account for good.
FAILURES_BEFORE_WAITING = 5
WAITING = timedelta(minutes=15)


def sign_in(request: HttpRequest, username: str, password: str) -> User | None:
    """Sign the person in and record it, or record the failure and answer None.

    Unknown, wrong, sealed, inactive and waiting cost the same work: one hash, one count, one row.
    """
    user = User.objects.filter(username=username).first()
    is_right = _password_fits(user, password)
    failures = failed_sign_ins(
        user.pk if user else 0, within=WAITING, after=user.last_login if user else None
    )
    is_waiting = failures >= FAILURES_BEFORE_WAITING
    if user and is_right and user.is_active and user.sealed_at is None and not is_waiting:
        _enter(request, user, "ok")
        return user
    record_sign_in(person=user, code="waiting" if is_waiting else "failed", route="accounts:sign_in")
    return None


def sign_out(request: HttpRequest) -> None:
    """End the session, if there is one, and record it."""
    user = request.user
    if isinstance(user, User):
        record_sign_in(
            person=user,
            code="out",
            route="accounts:sign_out",
            office_path=user.acting_path or NATION,
            office_name=user.acting_office_name,
        )
    logout(request)


def find_persona(username: str) -> User:
    """The demonstration account of this name. Raises NotFound for any other or sealed account."""
    user = User.objects.filter(username=username, is_active=True, sealed_at=None).first()
    if user is None or not username.startswith(PREFIX):
        raise NotFound()
    return user


def enter_as(request: HttpRequest, persona: User) -> None:
    """Sign in as a persona, without a password; the caller has checked that this is a demonstration."""
    _enter(request, persona, "persona")


def _enter(request: HttpRequest, user: User, code: str) -> None:
    """Record first: without its trace there is no sign-in. Django's `login` gives the session a new key."""
    posts = valid_posts(user)
    office = posts[0].office if posts else None
    record_sign_in(
        person=user,
        code=code,
        route="accounts:sign_in",
        office_path=office.path if office else NATION,
        office_name=office.name if office else "",
    )
    login(request, user)


def _password_fits(user: User | None, password: str) -> bool:
    if user is None or not user.has_usable_password():
        make_password(password)  # as long as a comparison takes: the time must not tell which accounts exist
        return False
    return user.check_password(password)
