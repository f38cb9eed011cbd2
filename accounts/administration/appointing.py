"""Appointing to a post for a time, and ending a post (R-ACC-01, R-ACC-05, AC-11)."""

from dataclasses import dataclass
from datetime import date

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.administration import separation
from accounts.administration.reach import office_above, require_other, require_reach
from accounts.models import Organization, Post, User
from accounts.notices import notify
from accounts.roles import ROLES, THREE_ADMINISTRATIONS
from audit.services import record
from config.clock import today
from config.errors import Refusal
from config.scope import NATION

REASON_AT_LEAST = 4  # characters


class RoleNotHere(Refusal):
    code, status = "role_not_here", 422
    message = _("{office}不设“{role}”岗位。请另选岗位或单位。")


class AppointedFromAbove(Refusal):
    code, status = "appointed_from_above", 403
    rule, article = "R-ACC-05", "第二十四条"
    message = _("{role}由上一级单位任命和更换，本单位不能自行办理。请联系{above}。")


class TermWrong(Refusal):
    code, status = "term_wrong", 422
    message = _("任期须从今天或以后开始，结束不早于开始。请调整日期。")


class AlreadyInPost(Refusal):
    code, status = "already_in_post", 409
    message = _("{name}在这段时间内已任{office}{role}。请调整日期，或先结束原任期。")


class AccountClosed(Refusal):
    code, status = "account_closed", 409
    rule, article = "R-ACC-04", "第二十四条"
    message = _("{name}的账号已封存或停用，不能任职。已封存的请先由上级单位解封；已离任的请重新建立账号。")


class ReasonMissing(Refusal):
    code, status = "reason_missing", 422
    message = _("请写明理由（不少于 4 个字），例如“岗位调整”。")


class PostOver(Refusal):
    code, status = "post_over", 409
    message = _("该岗位已经结束，请刷新后再看。")


@dataclass(frozen=True, slots=True)
class Appointment:
    """What is about to be appointed: shown before it is saved, checked again when it is."""

    office: Organization
    role: str
    first: date
    last: date | None = None

    @property
    def valid(self) -> DateRange:
        return separation.term(self.first, self.last)


def check_place(wanted: Appointment, actor: User) -> None:
    """May `actor` fill this post with anybody? Raises NotAllowed, BeyondReach, or as `check_words` does."""
    require_reach(actor, wanted.office)
    check_words(wanted, actor)


def check_words(wanted: Appointment, actor: User) -> None:
    """The same for an office that is known to be in her reach. Raises RoleNotHere, TermWrong or
    AppointedFromAbove.
    """
    role = ROLES[wanted.role]
    if wanted.office.kind not in role.kinds:
        raise RoleNotHere(office=wanted.office.name, role=role.name)
    if wanted.first < today() or (wanted.last and wanted.last < wanted.first):
        raise TermWrong()
    require_from_above(actor, wanted.office, role.code)


def require_from_above(actor: User, office: Organization, role: str) -> None:
    """Whoever watches over an office is not chosen by it: the nation alone has nobody above. The office is
    in her reach. Raises AppointedFromAbove.
    """
    if role in THREE_ADMINISTRATIONS and office.path == actor.acting_path != NATION:
        raise AppointedFromAbove(role=ROLES[role].name, above=office_above(office).name)


def check_person(person: User, wanted: Appointment, actor: User) -> None:
    """May this person take it? Raises OwnAccount, AccountClosed or a refusal of `separation`."""
    require_other(actor, person)
    if not person.is_active or person.sealed_at:
        raise AccountClosed(name=person.name)
    separation.check(person, wanted.office, wanted.role, wanted.valid)


@transaction.atomic
def appoint(person: User, wanted: Appointment, *, actor: User, reason: str) -> Post:
    """Give `person` the post. Two who appoint at once are decided by the rows of person and office, which
    are held to the end of the transaction.

    Raises the refusals of `check_place` and `check_person`, ReasonMissing, and AlreadyInPost by constraint.
    """
    check_place(wanted, actor)
    require_reason(reason)
    person = hold(person, wanted.office)
    check_person(person, wanted, actor)
    try:
        with transaction.atomic():  # a savepoint: the refusal leaves the caller's work intact
            post = Post.objects.create(
                user=person, office=wanted.office, role=wanted.role, valid=wanted.valid,
                appointed_by_name=actor.name,
            )  # fmt: skip
    except IntegrityError as error:
        role = ROLES[wanted.role].name
        raise AlreadyInPost(name=person.name, office=wanted.office.name, role=role) from error
    record("accounts.post.appoint", post, actor=actor, reason=reason.strip(), **in_words(post))
    words = _("您自{day}起任{office}{role}。").format(day=f"{wanted.first:%Y-%m-%d}", **_place(post))
    notify([person.pk], "post_changed", words, reverse("accounts:help"))
    return post


@transaction.atomic
def end_post(post: Post, *, actor: User, reason: str) -> None:
    """End it today. Raises NotAllowed, BeyondReach, AppointedFromAbove, OwnAccount, ReasonMissing or
    PostOver.
    """
    require_reach(actor, post.office)
    require_other(actor, post.user)
    require_from_above(actor, post.office, post.role)
    require_reason(reason)
    hold(post.user, post.office)
    if not close(post):
        raise PostOver()
    record("accounts.post.end", post, actor=actor, reason=reason.strip(), **in_words(post))
    words = _("您在{office}的{role}岗位已结束。").format(**_place(post))
    notify([post.user_id], "post_changed", words, reverse("accounts:help"))


def close(post: Post) -> bool:
    """Leave of the post what has passed of it; False when it was over already."""
    if post.valid.isempty:
        return False
    day = today()
    # Of one day or not yet begun nothing is left: no range without a day could be said otherwise.
    left = DateRange(post.valid.lower, day) if post.valid.lower < day else DateRange(empty=True)
    as_it_was = Post.objects.filter(pk=post.pk, valid=post.valid)
    return bool(as_it_was.filter(Q(valid__endswith__gt=day) | Q(valid__upper_inf=True)).update(valid=left))


def hold(person: User, office: Organization) -> User:
    """Hold both rows until the end: of two appointments of one person, or to one office, the second waits
    and sees the first. Office before person, always.
    """
    Organization.objects.select_for_update(no_key=True).get(pk=office.pk)
    return User.objects.select_for_update(no_key=True).get(pk=person.pk)


def require_reason(reason: str) -> None:
    """Raises ReasonMissing."""
    if len(reason.strip()) < REASON_AT_LEAST:
        raise ReasonMissing()


def in_words(post: Post) -> dict[str, str]:
    """A post as its sentence in the log names it."""
    last = post.last_day
    return {
        "name": post.user.name,
        "at": post.office.name,
        "role": ROLES[post.role].name,
        "first": post.first_day.isoformat(),
        "last": last.isoformat() if last else str(_("长期")),
    }


def _place(post: Post) -> dict[str, str]:
    return {"office": post.office.name, "role": ROLES[post.role].name}
