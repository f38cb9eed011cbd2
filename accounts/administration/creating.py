"""A new account with its first post and first code, or that of somebody who left and comes back (AC-9)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts import codes
from accounts.administration import appointing
from accounts.administration.appointing import Appointment
from accounts.administration.staff_identity import canonical, digest_of
from accounts.models import Organization, Post, StaffIdentity, User
from accounts.roles import ROLES
from audit.services import record_each, record_many
from config.errors import Refusal

# Letters, digits, dot, dash: typed at any keyboard, safe in a list that is printed.
USERNAME = re.compile(r"[a-z][a-z0-9.\-]{3,29}", re.ASCII)
_NAME = re.compile(r"[^\x00-\x1f\x7f<>]{2,50}")


class UsernameWrong(Refusal):
    code, status = "username_wrong", 422
    message = _("账号须为 4 至 30 个字符，以小写字母开头，只用小写字母、数字、点和短横线。")


class UsernameTaken(Refusal):
    code, status = "username_taken", 409
    message = _("账号“{username}”已被使用，请另取一个，例如加上学校代码的后几位。")


class NameWrong(Refusal):
    code, status = "name_wrong", 422
    message = _("姓名须为 2 至 50 个字，请按身份证件填写。")


class NumberWrong(Refusal):
    code, status = "number_wrong", 422
    message = _("身份证件号码不正确，请与证件核对后重新填写。")


class SecondAccount(Refusal):
    """Says neither whose nor where: the number may be a guess (AZ-9)."""

    code, status = "second_account", 409
    rule, article = "AC-9", "第二十四条"
    message = _(
        "该证件号码已有账号，一人只能有一个账号。仍在岗的，请在其人员页面增加岗位；由外单位调入的，"
        "请原单位先办理离任，再在此建立。"
    )


@dataclass(frozen=True, slots=True)
class NewPerson:
    """What is typed about a person: her name, the account's name, her identity number, a telephone."""

    name: str
    username: str
    number: str
    phone: str = ""

    def __repr__(self) -> str:
        return "NewPerson"  # the number must not reach a log by accident


def check(new: NewPerson) -> None:
    """What can be said of the words alone. Raises NameWrong, UsernameWrong or NumberWrong."""
    for check_one in WORD_CHECKS:
        check_one(new)


def _check_name(new: NewPerson) -> None:
    if not _NAME.fullmatch(new.name.strip()):
        raise NameWrong()


def _check_username(new: NewPerson) -> None:
    if not USERNAME.fullmatch(new.username):
        raise UsernameWrong()


def _check_number(new: NewPerson) -> None:
    if not canonical(new.number):
        raise NumberWrong()


WORD_CHECKS = (_check_name, _check_username, _check_number)


@transaction.atomic
def create(new: NewPerson, wanted: Appointment, *, actor: User, reason: str) -> tuple[User, Post, str]:
    """The account, its first post, and the first code, which is shown once.

    Who left elsewhere keeps her account and comes back with it. Raises the refusals of `check` and of
    `appointing`, UsernameTaken, and SecondAccount by constraint.
    """
    appointing.check_place(wanted, actor)
    appointing.require_reason(reason)
    check(new)
    returning = _who_left(new)
    person = _revive(returning, new) if returning else add([new])[0]
    record_many(
        "accounts.user.return" if returning else "accounts.user.create", "user",
        [(person.pk, wanted.office.path)], actor=actor, reason=reason.strip(), name=person.name,
    )  # fmt: skip
    post = appointing.appoint(person, wanted, actor=actor, reason=reason)
    code = codes.issue(person, by=actor, at=wanted.office.path)
    return person, post, code


@transaction.atomic
def create_all(
    rows: Sequence[tuple[NewPerson, Appointment]], *, office: Organization, actor: User
) -> list[codes.Slip]:
    """Many at once, all or none, in constant statements: the rows were checked, the constraints decide.

    Raises UsernameTaken or SecondAccount when somebody was quicker.
    """
    people = add([new for new, _wanted in rows])
    posts = Post.objects.bulk_create(
        Post(
            user=person, office=wanted.office, role=wanted.role, valid=wanted.valid,
            appointed_by_name=actor.name,
        )
        for person, (_new, wanted) in zip(people, rows, strict=True)
    )  # fmt: skip
    record_many(
        "accounts.user.create", "user", [(post.user_id, post.office.path) for post in posts], actor=actor
    )
    record_each(
        "accounts.post.appoint", [(post, appointing.in_words(post)) for post in posts], actor=actor
    )  # fmt: skip
    fresh = codes.issue_all(people, by=actor, at=office.path)
    return [slip_of(post, fresh[post.user_id]) for post in posts]


def slip_of(post: Post, code: str) -> codes.Slip:
    """What is printed for the holder."""
    place = f"{post.office.name} · {ROLES[post.role].name}"
    hours = codes.hours_valid(post.office.path)
    return codes.Slip(post.user.name, post.user.username, place, code, hours)


def known_numbers(numbers: Sequence[str]) -> set[str]:
    """Those of these canonical numbers that have an account."""
    by_digest = {digest_of(number): number for number in numbers}
    known = StaffIdentity.objects.filter(digest__in=by_digest).values_list("digest", flat=True)
    return {by_digest[digest] for digest in known}


def add(rows: Sequence[NewPerson]) -> list[User]:
    """The bare accounts of these persons. Raises UsernameTaken, or SecondAccount by constraint."""
    try:
        with transaction.atomic():  # a savepoint: the refusal leaves the caller's work intact
            people = User.objects.bulk_create(
                User(
                    name=new.name.strip(),
                    username=new.username,
                    phone=new.phone,
                    password=make_password(None),
                )
                for new in rows
            )
    except IntegrityError as error:
        taken = User.objects.filter(username__in=[new.username for new in rows]).first()
        raise UsernameTaken(username=taken.username if taken else rows[0].username) from error
    numbers = [canonical(new.number) for new in rows]
    try:
        with transaction.atomic():
            StaffIdentity.objects.bulk_create(
                StaffIdentity(user=person, digest=digest_of(number), last_four=number[-4:])
                for person, number in zip(people, numbers, strict=True)
            )
    except IntegrityError as error:
        raise SecondAccount() from error
    return people


def _who_left(new: NewPerson) -> User | None:
    """Her account if she left her last office and bears the same name: it is the same person."""
    known = StaffIdentity.objects.filter(digest=digest_of(canonical(new.number))).select_related("user")
    left = known.filter(user__is_active=False, user__name=new.name.strip()).first()
    return left.user if left else None


def _revive(person: User, new: NewPerson) -> User:
    """Opened again, with a password and factors to be made anew; the name of the account stays."""
    User.objects.filter(pk=person.pk, is_active=False).update(
        is_active=True, sealed_at=None, password=make_password(None), phone=new.phone
    )  # fmt: skip
    return User.objects.get(pk=person.pk)
