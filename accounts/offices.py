"""Reading the tree of offices: children, counts, the way down to one office, the persons in it."""

from django.db.models import F, Func, IntegerField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Concat

from accounts.models import Organization, Post, User
from accounts.roles import Right
from config.clock import today
from config.scope import ancestors

PAGE_SIZE = 100


def visible_offices(user: User) -> "QuerySet[Organization]":
    """Offices of today that she may see: her own and those below, and those she was granted."""
    return Organization.objects.visible_to(user, Right.VIEW_OFFICE).filter(valid__contains=today())


def with_counts(offices: "QuerySet[Organization]") -> "QuerySet[Organization]":
    """Annotate `below`, the offices underneath today, and `schools` among them."""
    underneath = (
        Organization.objects.filter(valid__contains=today())
        .filter(path__gt=OuterRef("path"), path__lt=Concat(OuterRef("path"), Value("~")))
        .order_by()
    )
    return offices.annotate(
        below=_count(underneath), schools=_count(underneath.filter(kind=Organization.Kind.SCHOOL))
    )


def named(offices: "QuerySet[Organization]", words: str) -> "QuerySet[Organization]":
    """Offices whose name contains `words`, or whose code is it."""
    return offices.filter(Q(name__icontains=words) | Q(code=words))


def way_down(office: Organization, user: User) -> list[Organization]:
    """The offices above `office` that she may see, from the top down, and `office` itself."""
    return list(visible_offices(user).filter(path__in=ancestors(office.path)).order_by("path"))


def authority_of(office: Organization) -> Organization | None:
    """The competent authority: the nearest office at or above that is one."""
    return (
        Organization.objects.filter(path__in=ancestors(office.path), is_authority=True)
        .order_by("path")
        .last()
    )


def posts_at(office: Organization) -> "QuerySet[Post]":
    """Who holds which post here today."""
    return (
        Post.objects.filter(
            office=office, valid__contains=today(), user__is_active=True, user__sealed_at=None
        )
        .select_related("user", "stands_for")
        .order_by("role", "user__name")
    )


def _count(rows: "QuerySet[Organization]") -> Subquery:
    total = Func(F("pk"), function="COUNT", output_field=IntegerField())
    return Subquery(rows.annotate(total=total).values("total"), output_field=IntegerField())
