"""Reading people for their administrators: a page of a list, and all that stands on one person's page."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Max, Prefetch, Q, QuerySet

from accounts.administration import reach, resets, training
from accounts.models import CodeRequest, OfficeGrant, OneUseCode, Organization, Post, TrainingRecord, User
from accounts.roles import ROLES
from config.clock import today

SHOWN_CODES, SHOWN_TRAININGS = 5, 10


def listed(user: User, office: Organization | None, words: str, state: str) -> "QuerySet[User]":
    """People of the offices she administers, by name; those who left are asked for by themselves."""
    rows = reach.people(user, office)
    if words:
        rows = rows.filter(Q(name__icontains=words) | Q(username=words.lower()))
    if state == "left":
        rows = rows.filter(is_active=False)
    elif state == "sealed":
        rows = rows.filter(is_active=True, sealed_at__isnull=False)
    else:
        rows = rows.filter(is_active=True)
    return with_posts(rows, user).order_by("name", "pk")


def with_posts(rows: "QuerySet[User]", user: User) -> "QuerySet[User]":
    """The same persons with the posts that are hers to see, and the day of the last training."""
    seen = Post.objects.filter(office__in=reach.administered(user)).exclude(valid__isempty=True)
    posts = Prefetch("posts", seen.select_related("office", "stands_for").order_by("office__path", "role"))
    return rows.annotate(trained_on=Max("trainings__completed_on")).prefetch_related(posts)


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the list."""

    person: User
    posts: list[Post]
    needs_training: bool
    trained_on: date | None
    training: str


def lines(people: "list[User]", path: str) -> list[Line]:
    """The rows as the page shows them."""
    found, warned = [], training.warn_days(path)
    for person in people:
        posts = [post for post in person.posts.all() if not is_over(post)]
        needs = any(ROLES[post.role].needs_training for post in posts)
        trained: date | None = person.trained_on  # type: ignore[attr-defined]
        found.append(Line(person, posts, needs, trained, training.state_of(trained, warned) if needs else ""))
    return found


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that an administrator sees of one person."""

    home: Organization | None
    posts: list[Post]
    former: list[Post]
    elsewhere: int  # posts that are not hers to see
    trainings: list[TrainingRecord]
    grants: list[OfficeGrant]
    codes: list[OneUseCode]
    request: CodeRequest | None
    needs_two: bool


def dossier_of(person: User, user: User) -> Dossier:
    """Constant queries, whatever the number of posts."""
    all_posts = (
        Post.objects.filter(user=person).exclude(valid__isempty=True).select_related("office", "stands_for")
    )
    within = set(reach.administered(user).filter(posts__user=person).values_list("pk", flat=True))
    posts = list(all_posts.order_by("office__path", "-valid"))
    seen = [post for post in posts if post.office_id in within]
    grants = OfficeGrant.objects.filter(user=person, valid__endswith__gt=today())
    return Dossier(
        home=reach.home_of(person),
        posts=[post for post in seen if not is_over(post)],
        former=[post for post in seen if is_over(post)],
        elsewhere=sum(post.office_id not in within and not is_over(post) for post in posts),
        trainings=list(person.trainings.order_by("-completed_on")[:SHOWN_TRAININGS]),
        grants=list(grants.select_related("content_object", "permission").order_by("valid")),
        codes=list(person.codes.order_by("-pk")[:SHOWN_CODES]),
        request=person.code_requests.filter(decided_by=None).select_related("asked_by").first(),
        needs_two=resets.needs_two(person),
    )


def is_over(post: Post) -> bool:
    """Whether the post has ended; one that begins later has not."""
    return post.valid.upper is not None and post.valid.upper <= today()
