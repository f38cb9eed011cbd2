"""Who can see what stands at a path, and by which post or grant: the answer of the rights themselves."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef, Q

from accounts.models import OfficeGrant, Post, trainings_valid
from accounts.roles import GRANTABLE, RIGHT_LABELS, ROLES, Right
from config.clock import today
from config.scope import ancestors

# By each of these something of a pupil is read; the last one only of the classes one heads.
_READING = (
    Right.VIEW_STUDENT,
    Right.VIEW_CLASS,
    Right.VIEW_OWN_CLASS,
    Right.VIEW_IDENTITY,
    Right.VIEW_HEALTH,
    Right.VIEW_CASE,
)


@dataclass(frozen=True, slots=True)
class Onlooker:
    """One person who can see, by one post or one grant: where it stands, what it shows, until when."""

    name: str
    office: str
    path: str
    role: str  # empty for a dated grant
    rights: tuple[str, ...]
    until: date | None
    reason: str = ""
    granted_by: str = ""


def who_can_see(path: str, heads: Iterable[int] = ()) -> list[Onlooker]:
    """Everybody who can see a pupil at `path` today, highest office first: holders of posts at the offices
    above, holders of dated grants, and of the head teachers only `heads` (ids). Two queries, whatever the
    number of persons; who is sealed, disabled or untrained sees nothing and is not listed.
    """
    return sorted(
        [*_by_post(path, set(heads)), *_by_grant(path)], key=lambda one: (one.path, one.role == "", one.role)
    )


def _by_post(path: str, heads: set[int]) -> list[Onlooker]:
    day = today()
    roles = [code for code, role in ROLES.items() if role.rights & set(_READING)]
    free = [code for code in roles if not ROLES[code].needs_training]
    trained = Exists(trainings_valid(day).filter(user=OuterRef("user")))
    posts = Post.objects.filter(
        Q(role__in=free) | Q(trained),
        office__path__in=ancestors(path), office__valid__contains=day, role__in=roles, valid__contains=day,
        user__is_active=True, user__sealed_at=None,
    ).select_related("user", "office", "stands_for")  # fmt: skip
    return [
        Onlooker(post.user.name, post.office.name, post.office.path, post.role_name, words, post.last_day)
        for post in posts.order_by("office__path", "role", "user__name")
        if (words := _words(post, heads))
    ]


def _words(post: Post, heads: set[int]) -> tuple[str, ...]:
    rights = ROLES[post.role].rights
    shown = [right for right in _READING if right in rights]
    is_head = post.user_id in heads or post.stands_for_id in heads
    return tuple(str(RIGHT_LABELS[right]) for right in shown if right != Right.VIEW_OWN_CLASS or is_head)


def _by_grant(path: str) -> list[Onlooker]:
    reading = [right for right in GRANTABLE if right in _READING]
    grants = OfficeGrant.objects.filter(
        content_object__path__in=ancestors(path), permission__codename__in=reading,
        valid__contains=today(), user__is_active=True, user__sealed_at=None,
    ).select_related("user", "content_object", "permission")  # fmt: skip
    return [
        Onlooker(
            grant.user.name, grant.content_object.name, grant.content_object.path, "",
            (str(RIGHT_LABELS[Right(grant.permission.codename)]),), grant.last_day, grant.reason,
            grant.granted_by_name,
        )
        for grant in grants.order_by("content_object__path", "user__name", "pk")
    ]  # fmt: skip
