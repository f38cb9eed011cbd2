"""Signing in, proof by proof: password or code, second factor, and then the sign-in itself (AC-2 … AC-5).

Between the proofs nobody is signed in: the visitor's session remembers whose account it is about, for ten
minutes. Every failure gives one answer, in the same time, and is counted before anything is compared.
"""

from dataclasses import asdict, dataclass
from time import time
from typing import Any

from django.contrib.auth.hashers import make_password
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import codes, devices, factors, reset_requests, sign_ins, throttle
from accounts.models import CodePurpose, SignIn, User
from accounts.personas import PREFIX
from accounts.rights import valid_posts
from accounts.step_up import FACTOR_AT
from audit.services import record_sign_in
from config.errors import NotFound, Refusal
from config.scope import NATION

AT_THE_DOOR = "at_the_door"
RESET_ASKED = "reset_asked"
STEP_UP = "accounts:step_up"
DOOR_SECONDS = 10 * 60  # from the first proof to the last


class NotSignedIn(Refusal):
    """Unknown, wrong, sealed, inactive and waiting: one sentence, one status (AC-5)."""

    code, status, rule = "sign_in_failed", 403, "AC-5"
    message = _(
        "账号或密码不正确，或该账号目前不能登录。连续多次失败后须等待15分钟至1小时；"
        "如需帮助，请联系本单位系统管理员。"
    )


class DoorClosed(Refusal):
    """The proofs given so far have gone stale, or there are none."""

    code, status, rule = "sign_in_stale", 403, "AC-6"
    message = _("登录没有在十分钟内完成，请重新登录。")


@dataclass(slots=True)
class Door:
    """Whose account the visitor has proved what about. `step` is what is asked next."""

    user_id: int
    since: float
    next: str = ""
    how: str = "password"
    must_choose: bool = False  # a password, after a code
    must_know: bool = False  # the password, after a code for a new factor
    is_proved: bool = False  # a second factor

    def keep(self, request: HttpRequest) -> None:
        request.session[AT_THE_DOOR] = asdict(self)

    def step(self, user: User) -> str:
        """The route of the next proof; empty when all are given."""
        if self.must_choose or self.must_know:
            return "accounts:sign_in_password"
        if not self.is_proved and factors.types_of(user) & factors.PROVING:
            return "accounts:sign_in_factor"
        return "accounts:sign_in_enrol" if factors.must_enrol(user) else ""


def at_the_door(request: HttpRequest) -> tuple[Door, User]:
    """Who stands at the door. Raises DoorClosed."""
    kept = request.session.get(AT_THE_DOOR)
    door = Door(**kept) if kept else None
    user = User.objects.filter(pk=door.user_id).first() if door else None
    if door is None or user is None or not _may_enter(user) or time() - door.since > DOOR_SECONDS:
        request.session.pop(AT_THE_DOOR, None)
        raise DoorClosed()
    return door, user


def prove_password(request: HttpRequest, username: str, password: str, next_page: str) -> tuple[Door, User]:
    """The first proof. Unknown, wrong, sealed, inactive and waiting cost the same. Raises NotSignedIn."""
    user = User.objects.filter(username=username).first()
    meter = throttle.meter(request, "password", _account(user, username))
    is_admitted = meter.admit()
    is_right = _password_fits(user, password)
    if user is None or not (is_admitted and is_right and _may_enter(user)):
        record_sign_in(person=user, code="failed" if is_admitted else "waiting", route="accounts:sign_in")
        devices.note(request, user, username, is_failure=True)
        raise NotSignedIn()
    meter.passed()
    return _open(request, Door(user.pk, time(), next_page)), user


def prove_own_password(request: HttpRequest, user: User, password: str) -> None:
    """The password of somebody who is signed in or stands at the door. Raises NotSignedIn."""
    meter = throttle.meter(request, "password", _account(user))
    is_admitted = meter.admit()
    if not (_password_fits(user, password) and is_admitted):
        record_sign_in(person=user, code="failed" if is_admitted else "waiting", route="accounts:password")
        raise NotSignedIn()
    meter.passed()


def redeem_code(request: HttpRequest, username: str, code: str) -> tuple[Door, User]:
    """The first code that she was handed (AC-4). Raises codes.CodeRefused."""
    user = User.objects.filter(username=username).first()
    meter = throttle.meter(request, "code", _account(user, username))
    is_admitted = meter.admit()
    try:
        if not is_admitted:
            raise codes.CodeRefused()
        holder = codes.redeem(username, code)
    except codes.CodeRefused:
        code_of_trace = "failed" if is_admitted else "waiting"
        record_sign_in(person=user, code=code_of_trace, route="accounts:sign_in_code")
        devices.note(request, user, username, is_failure=True)
        raise
    meter.passed()
    return _after_code(request, holder)


def ask_reset(request: HttpRequest, username: str) -> None:
    """A number on her screen for the office above to confirm, whatever was typed (AC-4, AC-5).

    Raises AskedTooOften.
    """
    user = User.objects.filter(username=username).first()
    if not throttle.meter(request, "reset", _account(user, username)).admit():
        record_sign_in(person=user, code="waiting", route="accounts:sign_in_ask")
        devices.note(request, user, username, is_failure=True)
        raise reset_requests.AskedTooOften()
    if request.user.is_authenticated:
        sign_out(request)  # a reset ends every sign-in of hers, and with it what this browser remembers
    asked = reset_requests.ask(user if user and _may_enter(user) else None)
    request.session.cycle_key()
    request.session[RESET_ASKED] = asdict(asked)


def reset_asked(request: HttpRequest) -> reset_requests.Asked | None:
    """What this browser has asked for last."""
    kept = request.session.get(RESET_ASKED)
    return reset_requests.Asked(**kept) if kept else None


def continue_reset(request: HttpRequest, asked: reset_requests.Asked) -> tuple[Door, User]:
    """Go on in the browser that asked, once it was confirmed. Raises NotConfirmed."""
    holder = reset_requests.take(asked)
    del request.session[RESET_ASKED]
    return _after_code(request, holder)


def _after_code(request: HttpRequest, holder: User) -> tuple[Door, User]:
    """Whoever gave a code or was confirmed chooses the proof that it replaces; the other is asked for."""
    must_know = holder.code_purpose == CodePurpose.FACTOR and holder.has_usable_password()
    if holder.code_purpose == CodePurpose.FACTOR and not must_know:
        factors.remove_all(holder)  # the lost passkey was all she had: she begins as on the first day
    door = Door(holder.pk, time(), how="code", must_choose=not must_know, must_know=must_know)
    return _open(request, door), holder


def prove_factor(request: HttpRequest, user: User, code: str, credential: Any, *, route: str) -> str:
    """A second factor: `code` from her phone or list, or what her passkey answered. Answers its type.

    Raises CodeWrong or PasskeyWrong. A passkey cannot be guessed and makes nobody wait.
    """
    try:
        if credential:
            factors.prove_passkey(user, credential)
            return str(factors.Type.WEBAUTHN)
        meter = throttle.meter(request, "factor", _account(user))
        if not meter.admit():
            raise factors.CodeWrong()
        proved = factors.prove_code(user, code, with_recovery=route != STEP_UP)
        meter.passed()
        return proved
    except (factors.CodeWrong, factors.PasskeyWrong):
        record_sign_in(person=user, code="failed", route=route)
        devices.note(request, user, is_failure=True)
        raise


def prove_passkey_alone(request: HttpRequest, credential: Any) -> User:
    """Sign in with nothing but a passkey. Raises NotSignedIn."""
    user = factors.holder_of(credential)
    try:
        if user is None or not _may_enter(user):
            raise factors.PasskeyWrong()
        factors.prove_passkey(user, credential)
    except factors.PasskeyWrong:
        record_sign_in(person=user, code="failed", route="accounts:sign_in_passkey")
        raise NotSignedIn() from None
    enter(request, user, how="passkey")
    return user


def step_up(request: HttpRequest, user: User, code: str, credential: Any) -> None:
    """Prove a second factor once more; a new session key (AC-7). Raises CodeWrong or PasskeyWrong."""
    prove_factor(request, user, code, credential, route=STEP_UP)
    _stepped_up(request, user)


def step_up_as_persona(request: HttpRequest, user: User) -> None:
    """A persona of the demonstration has no factor: that she was chosen counts. Raises NotFound."""
    if request.session.get(sign_ins.HOW) != "persona":
        raise NotFound()
    _stepped_up(request, user)


def _stepped_up(request: HttpRequest, user: User) -> None:
    record_sign_in(
        person=user, code="step_up", route=STEP_UP,
        office_path=user.acting_path or NATION, office_name=user.acting_office_name,
    )  # fmt: skip
    sign_ins.rotate(request)
    request.session[FACTOR_AT] = time()


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
    sign_ins.end_own(request, SignIn.End.OUT)


def find_persona(username: str) -> User:
    """The demonstration account of this name. Raises NotFound for any other or sealed account."""
    user = User.objects.filter(username=username, is_active=True, sealed_at=None).first()
    if user is None or not username.startswith(PREFIX):
        raise NotFound()
    return user


def enter_as(request: HttpRequest, persona: User) -> None:
    """Sign in as a persona, without a proof; the caller has checked that this is a demonstration."""
    enter(request, persona, how="persona")


def enter(request: HttpRequest, user: User, *, how: str) -> None:
    """All proofs are given. Record first: without its trace there is no sign-in."""
    if request.user.is_authenticated:
        sign_out(request)  # somebody else, at the same browser
    posts = valid_posts(user)
    office = posts[0].office if posts else None
    record_sign_in(
        person=user,
        code="persona" if how == "persona" else "ok",
        route="accounts:sign_in",
        office_path=office.path if office else NATION,
        office_name=office.name if office else "",
    )
    if how != "persona":  # a demonstration is played by one person on one device
        devices.note(request, user, is_failure=False)
    request.session.pop(AT_THE_DOOR, None)
    sign_ins.begin(request, user, how=how)
    throttle.meter(request, "password", _account(user)).know_network()


def _open(request: HttpRequest, door: Door) -> Door:
    request.session.cycle_key()
    door.keep(request)
    return door


def _may_enter(user: User) -> bool:
    return user.is_active and user.sealed_at is None


def _account(user: User | None, typed: str = "") -> str:
    return f"user {user.pk}" if user else f"typed {typed}"


def _password_fits(user: User | None, password: str) -> bool:
    if user is None or not user.has_usable_password():
        make_password(password)  # as long as a comparison takes: the time must not tell which accounts exist
        return False
    return user.check_password(password)
