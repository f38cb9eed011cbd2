"""How far an administrator's word reaches, and which people stand there (R-ACC-01, R-ACC-05)."""

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, Post, User
from accounts.rights import explain
from accounts.roles import Right
from config.clock import today
from config.errors import NotFound, Refusal
from config.scope import NATION, ancestors

Kind = Organization.Kind


class BeyondReach(Refusal):
    code, status = "beyond_reach", 403
    rule, article = "R-ACC-01", "第二十三条"
    message = _(
        "账号由各级分级管理：本单位只管理本级和下一级单位的账号，{office}不在其中。请联系该单位的上一级办理。"
    )


class OwnAccount(Refusal):
    code, status, rule = "own_account", 403, "AZ-7"
    message = _("不能为自己办理账号和岗位事项。请由本单位另一位系统管理员或上级单位办理。")


def is_administrator(user: User) -> bool:
    """Whether she administers accounts for the office she acts for."""
    return user.may_act_at(Right.MANAGE_ACCOUNTS, user.acting_path)


def administered(user: User) -> "QuerySet[Organization]":
    """The offices whose accounts she administers: her own and the next level below. Townships are no level
    of their own: their schools answer to the county.
    """
    own = user.own_office
    if own is None or not is_administrator(user):
        return Organization.objects.none()
    below = Q(parent=own) | Q(kind=Kind.SCHOOL, parent__kind=Kind.TOWNSHIP, parent__parent=own)
    seen = Organization.objects.visible_to(user, Right.MANAGE_ACCOUNTS)
    return seen.filter(Q(pk=own.pk) | below, valid__contains=today())


def require_reach(actor: User, office: Organization) -> None:
    """Raises NotAllowed without the right, NotFound for a hidden office, BeyondReach for one further down."""
    explain(actor, Right.MANAGE_ACCOUNTS, at=actor.acting_path).or_raise()
    if not office.path.startswith(actor.acting_path):
        raise NotFound()
    if not administered(actor).filter(pk=office.pk).exists():
        raise BeyondReach(office=office.name)


def require_other(actor: User, person: User) -> None:
    """Nobody administers herself. Raises OwnAccount."""
    if actor.pk == person.pk:
        raise OwnAccount()


def people(user: User, office: Organization | None = None) -> "QuerySet[User]":
    """Persons with a post at an office she administers, now, later or formerly; at `office` alone if given.
    Who stands in for somebody there belongs to her own office.
    """
    offices = administered(user).filter(pk=office.pk) if office else administered(user)
    there = Post.objects.filter(office__in=offices, stands_for=None)
    return User.objects.filter(pk__in=there.values("user"))


def posts_of(person: User) -> "QuerySet[Post]":
    """Her own posts that are not over, highest office first."""
    own = Post.objects.filter(user=person, stands_for=None).exclude(valid__isempty=True)
    coming = own.filter(Q(valid__endswith__gt=today()) | Q(valid__upper_inf=True))
    return coming.select_related("office").order_by("office__path", "role")


def home_of(person: User) -> Organization | None:
    """The office she belongs to: the highest of those she has a post at, or the last one."""
    post = posts_of(person).first()
    former = Post.objects.filter(user=person, stands_for=None).select_related("office")
    post = post or former.order_by("valid", "pk").last()
    return post.office if post else None


def office_above(office: Organization) -> Organization:
    """The office that watches over this one's administrators; the nation watches over itself."""
    above = Organization.objects.filter(path__in=ancestors(office.path)[:-1], valid__contains=today())
    return above.exclude(kind=Kind.TOWNSHIP).order_by("path").last() or office


def is_from_above(actor: User, office: Organization) -> bool:
    """Whether she acts for the office above `office`; the nation has none above."""
    return actor.acting_path == (office.path if office.path == NATION else office_above(office).path)
