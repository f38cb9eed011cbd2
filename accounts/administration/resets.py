"""Who may hand out first codes and confirm resets, and when it takes two (AC-4)."""

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts import codes, reset_requests
from accounts.administration.appointing import AccountClosed, require_reason
from accounts.administration.reach import (
    administered,
    home_of,
    is_from_above,
    office_above,
    people,
    require_other,
)
from accounts.models import CodePurpose, CodeRequest, Organization, SignIn, User
from accounts.rights import explain
from accounts.roles import Right
from accounts.sign_ins import end_all, is_high
from audit.services import record_many
from config.errors import NotAllowed, NotFound, Refusal


class ResetFromAbove(Refusal):
    code, status = "reset_from_above", 403
    rule, article = "AC-4", "第二十四条"
    message = _("重设由上一级单位核验本人后办理。请本人携带证件联系{above}。")


class SecondPersonNeeded(Refusal):
    code, status = "second_person_needed", 409
    rule, article = "AC-4", "第二十四条"
    message = _("国家级、省级人员和各级管理员的重设须由两人办理：请提出申请，由另一人复核后生效。")


class AskedAlready(Refusal):
    code, status = "asked_already", 409
    message = _("{name}已有一项待复核的重设申请，请先办结。")


class SamePerson(Refusal):
    code, status = "same_person", 403
    rule = "AZ-7"
    message = _("申请和复核须由不同的人办理，也不能复核本人的重设。请由另一位同事复核。")


class DecidedAlready(Refusal):
    code, status = "decided_already", 409
    message = _("该申请已由他人办理，请刷新后再看。")


class SignedInAlready(Refusal):
    code, status = "signed_in_already", 409
    rule = "AC-4"
    message = _("{name}已经登录过，首次登录验证码不再发放。忘记密码或丢失验证方式的，请由上一级单位重设。")


def needs_two(person: User) -> bool:
    """Of the nation, of provinces, of administrators: by two persons."""
    return is_high(person)


@transaction.atomic
def first_code(person: User, *, actor: User) -> str:
    """Another first code for who has not signed in yet, by whoever may create accounts there."""
    home = _home(person, actor)
    if not administered(actor).filter(pk=home.pk).exists():
        raise NotFound()
    if person.last_login is not None:
        raise SignedInAlready(name=person.name)
    return codes.issue(person, by=actor, at=home.path)


@transaction.atomic
def reset(person: User, *, purpose: str, number: str, seen_how: str, actor: User) -> None:
    """The browser that shows `number` to the holder, who was seen, may choose a new password or enrol a new
    second factor: by the office above. Nothing that opens the account is shown here.

    Raises NotAllowed, NotFound, OwnAccount, AccountClosed, ResetFromAbove, ReasonMissing, SecondPersonNeeded
    and NumberNotWaiting.
    """
    home = _check(person, actor, seen_how)
    if needs_two(person):
        raise SecondPersonNeeded()
    _confirm(person, number, purpose, home, actor, seen_how)


@transaction.atomic
def ask(person: User, *, purpose: str, number: str, seen_how: str, actor: User) -> CodeRequest:
    """The first of the two has seen the holder. Raises as `reset` does, and AskedAlready by constraint."""
    home = _check(person, actor, seen_how)
    number = reset_requests.find(person, number).number
    try:
        with transaction.atomic():
            asked = CodeRequest.objects.create(
                user=person, purpose=purpose, number=number, office=_own(actor),
                seen_how=seen_how.strip(), asked_by=actor,
            )  # fmt: skip
    except IntegrityError as error:
        raise AskedAlready(name=person.name) from error
    record_many(
        "accounts.code.ask", "user", [(person.pk, home.path)], actor=actor, reason=seen_how.strip(),
        name=person.name, purpose=CodePurpose(purpose).label,
    )  # fmt: skip
    return asked


@transaction.atomic
def decide(asked: CodeRequest, *, confirms: bool, actor: User) -> None:
    """The second person's word. The UPDATE names the state it expects.

    She administers accounts or guards the rules at the office that asked. Raises NotAllowed, SamePerson,
    AccountClosed, DecidedAlready and, when the holder's browser waits no longer, NumberNotWaiting.
    """
    if not may_confirm(actor, asked.office):
        explain(actor, Right.MANAGE_ACCOUNTS, at=asked.office.path).or_raise()
    if actor.pk in (asked.asked_by_id, asked.user_id):
        raise SamePerson()
    person = asked.user
    if confirms and (not person.is_active or person.sealed_at):
        raise AccountClosed(name=person.name)
    decided = CodeRequest.objects.filter(pk=asked.pk, decided_by=None).update(
        decided_by=actor, decided_at=Now(), is_confirmed=confirms
    )
    if not decided:
        raise DecidedAlready()
    home = home_of(person) or asked.office
    record_many(
        "accounts.code.confirm" if confirms else "accounts.code.refuse", "user", [(person.pk, home.path)],
        actor=actor, name=person.name, purpose=asked.get_purpose_display(),
    )  # fmt: skip
    if confirms:
        _confirm(person, asked.number, asked.purpose, home, actor, asked.seen_how)


def may_confirm(actor: User, office: Organization) -> bool:
    """Whether she can be the second: another administrator of accounts, or the guardian of the rules."""
    rights = (Right.MANAGE_ACCOUNTS, Right.HANDLE_WARNINGS)
    return any(actor.may_act_at(right, office.path) for right in rights)


def waiting(actor: User) -> "QuerySet[CodeRequest]":
    """Resets at her office that wait for a second word."""
    office = actor.own_office
    if office is None or not may_confirm(actor, office):
        return CodeRequest.objects.none()
    open_ones = CodeRequest.objects.filter(office=office, decided_by=None)
    return open_ones.select_related("user", "office", "asked_by").order_by("pk")


def _check(person: User, actor: User, seen_how: str) -> Organization:
    home = _home(person, actor)
    require_reason(seen_how)
    if not is_from_above(actor, home):
        raise ResetFromAbove(above=office_above(home).name)
    return home


def _home(person: User, actor: User) -> Organization:
    explain(actor, Right.MANAGE_ACCOUNTS, at=actor.acting_path).or_raise()
    home = home_of(person)
    if home is None or not people(actor).filter(pk=person.pk).exists():
        raise NotFound()
    require_other(actor, person)
    if not person.is_active or person.sealed_at:
        raise AccountClosed(name=person.name)
    return home


def _own(actor: User) -> Organization:
    if actor.own_office is None:
        raise NotAllowed(right="", who="")
    return actor.own_office


def _confirm(person: User, number: str, purpose: str, home: Organization, actor: User, seen_how: str) -> None:
    reset_requests.confirm(person, number, purpose=purpose, by=actor)
    # Whoever has the lost phone or the password is out at once; the other proof still stands.
    end_all(person, reason=SignIn.End.RESET)
    record_many(
        "accounts.code.reset", "user", [(person.pk, home.path)], actor=actor, reason=seen_how.strip(),
        name=person.name, purpose=CodePurpose(purpose).label,
    )  # fmt: skip
