"""Leaving: one act ends posts and sign-ins, closes the account and hands over what is open (R-ACC-08)."""

from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts import handover
from accounts.administration.appointing import close, hold, require_from_above, require_reason
from accounts.administration.granting import end_all_of
from accounts.administration.reach import (
    administered,
    home_of,
    posts_of,
    require_other,
    require_reach,
)
from accounts.models import CodeRequest, OneUseCode, Organization, Post, SignIn, User
from accounts.notices import notify
from accounts.rights import explain
from accounts.roles import Right, roles_with
from accounts.sign_ins import end_all
from audit.services import record_many
from config.clock import now, today
from config.errors import NotFound, Refusal


class LeftAlready(Refusal):
    code, status = "left_already", 409
    message = _("{name}已办理离任，请刷新后再看。")


class PostElsewhere(Refusal):
    code, status = "post_elsewhere", 409
    rule = "R-ACC-01"
    message = _("{name}在本单位管理范围之外还有岗位，不能由本单位办理离任。请先由那边的管理单位结束其岗位。")


class SuccessorNeeded(Refusal):
    code, status = "successor_needed", 422
    rule, article = "R-ACC-08", "第二十二条"
    message = _("{name}名下还有 {count} 项未办结的事项，请指定同单位、同岗位的接手人后再办理离任。")


class SuccessorUnfit(Refusal):
    code, status = "successor_unfit", 409
    rule, article = "R-ACC-08", "第二十二条"
    message = _("接手人须与{name}同单位、同岗位，且账号可用、培训有效。请先任命接手人，再办理离任。")


def possible_successors(person: User) -> "QuerySet[User]":
    """Persons who can take over all that is open in her name: in each matter they hold the very post, at
    the same office, by which it became hers.
    """
    found = User.objects.filter(is_active=True, sealed_at=None).exclude(pk=person.pk)
    for kind, _count in handover.open_things(person):
        found = found.filter(pk__in=_holders(person, kind).values("user"))
    return found.order_by("name", "pk")


def _holders(person: User, kind: handover.Kind) -> "QuerySet[Post]":
    roles = {role for right in kind.rights for role in roles_with(right)}
    here = Post.objects.filter(valid__contains=today(), stands_for=None)
    seats = [(post.office_id, post.role) for post in posts_of(person) if post.role in roles]
    if not seats:  # the post by which she came to it is over; its office still answers for it
        home = home_of(person)
        return here.filter(office=home, role__in=roles)
    same = Q(pk=None)
    for office, role in seats:
        same |= Q(office=office, role=role)
    return here.filter(same)


@transaction.atomic
def leave(person: User, *, actor: User, reason: str, successor: User | None = None) -> int:
    """Close the account of who leaves and hand over what is open in her name; answers how many matters.

    Raises NotAllowed, BeyondReach, AppointedFromAbove, OwnAccount, ReasonMissing, LeftAlready,
    PostElsewhere, SuccessorNeeded or SuccessorUnfit.
    """
    require_reason(reason)
    home = _check(person, actor)
    person = hold(person, home)
    if not person.is_active:
        raise LeftAlready(name=person.name)
    count = sum(count for _kind, count in handover.open_things(person))
    if count and successor is None:
        raise SuccessorNeeded(name=person.name, count=str(count))
    if count and successor and not _fits(person, successor):
        raise SuccessorUnfit(name=person.name)
    if count and successor:
        handover.give_all(person, successor)
        assert not handover.open_things(person), "nothing stays in the name of who left"
        words = _("{name}离任，其名下 {count} 项未办结的事项由您接手。").format(name=person.name, count=count)
        notify([successor.pk], "handed_over", words, reverse("home"))
    _close_account(person, actor)
    record_many(
        "accounts.user.leave", "user", [(person.pk, home.path)], actor=actor, reason=reason.strip(),
        name=person.name, count=count, successor=successor.name if count and successor else str(_("无")),
    )  # fmt: skip
    return count


def _check(person: User, actor: User) -> Organization:
    """Her office, if `actor` may close her account."""
    require_other(actor, person)
    explain(actor, Right.MANAGE_ACCOUNTS, at=actor.acting_path).or_raise()
    home = home_of(person)
    if home is None:
        raise NotFound()
    require_reach(actor, home)
    within = set(administered(actor).values_list("pk", flat=True))
    for post in posts_of(person):
        if post.office_id not in within:
            raise PostElsewhere(name=person.name)
        require_from_above(actor, post.office, post.role)
    return home


def _fits(person: User, successor: User) -> bool:
    """Whether she may take over: in the same post, and able to work today (an untrained post is inert)."""
    if not possible_successors(person).filter(pk=successor.pk).exists():
        return False
    held = {line.role for line in User.objects.get(pk=successor.pk).held}
    rights = [kind.rights for kind, _count in handover.open_things(person)]
    return all(held & {role for right in some for role in roles_with(right)} for some in rights)


def _close_account(person: User, actor: User) -> None:
    # What she holds, what she stands in for, and who stands in for her: all of it ends with her.
    for post in Post.objects.filter(Q(user=person) | Q(stands_for=person)):
        close(post)
    end_all_of(person)
    CodeRequest.objects.filter(Q(user=person) | Q(asked_by=person), decided_by=None).delete()
    OneUseCode.objects.filter(user=person, used_at=None, expires_at__gt=now()).update(expires_at=Now())
    Authenticator.objects.filter(user_id=person.pk).delete()
    User.objects.filter(pk=person.pk).update(is_active=False, password=make_password(None))
    end_all(person, reason=SignIn.End.DISMISSED)
