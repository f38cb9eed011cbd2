"""May she, why not, and who can: the one place that answers (ARCHITECTURE 2)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organization, Post, User
from accounts.roles import RIGHT_LABELS, Right, roles_with
from config.clock import today
from config.errors import NotAllowed, Refusal

Seat = tuple[str, str]  # an office's path, and the right that acts there


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a person may act, why not, and who can."""

    is_allowed: bool
    right: str
    who_can: str = ""

    def or_raise(self) -> None:
        if not self.is_allowed:
            raise NotAllowed(right=str(RIGHT_LABELS[Right(self.right)]), who=self.who_can)


def explain(user: User, right: str, *, at: str) -> Answer:
    """May `user` act with `right` at exactly the office at path `at`? Seeing flows down; acting does not."""
    if user.may_act_at(right, at):
        return Answer(True, right)
    return Answer(False, right, who_can(right, at=at))


def acting_at(user_id: int, right: str, *, at: str) -> User:
    """The person a job works for, under her post at the office `at`, by her rights of this moment (AZ-6).

    Raises NotAllowed when she holds `right` there no longer.
    """
    user = User.objects.get(pk=user_id)
    holding = [line for line in user.held if line.path == at and line.role in roles_with(right)]
    if holding:  # her own post rather than one in which she stands for somebody
        post = max(holding, key=lambda line: line.is_own).post_id
        user.acting_post = Post.objects.select_related("office", "stands_for").get(pk=post)
    explain(user, right, at=at).or_raise()
    return user


def who_can(right: str, *, at: str) -> str:
    """A sentence naming the office and the persons who hold `right` there, with telephone."""
    office = Organization.objects.filter(path=at).first()
    if office is None:
        return ""
    people = [f"{name} {phone}".strip() for name, phone in holders([(at, right)])[at, right][:3]]
    if not people:
        return _("应由{office}办理，该单位目前没有任职人员，请联系其上级。").format(office=office.name)
    return _("应由{office}办理({people})。").format(office=office.name, people="、".join(people))


def holders(seats: Iterable[Seat]) -> dict[Seat, list[tuple[str, str]]]:
    """Name and telephone of who can act in each of `seats` today, by name."""
    return _in_seats(seats, "user__name", "user__phone")


def seated(seats: Iterable[Seat]) -> dict[Seat, list[int]]:
    """The persons who can act in each of `seats` today."""
    return {seat: [pk for (pk,) in rows] for seat, rows in _in_seats(seats, "user_id").items()}


def _in_seats(seats: Iterable[Seat], *columns: str) -> dict[Seat, list[Any]]:
    """These columns of the posts that act in each seat, in one query: the sealed and the inactive cannot."""
    found: dict[Seat, list[Any]] = {seat: [] for seat in seats}
    roles = {right: set(roles_with(right)) for _path, right in found}
    posts = Post.objects.filter(
        office__path__in={path for path, _right in found},
        role__in=set().union(*roles.values()),
        valid__contains=today(),
        user__is_active=True,
        user__sealed_at=None,
    )
    for path, role, *row in posts.order_by(*columns).values_list("office__path", "role", *columns):
        for right, able in roles.items():
            if role in able and (path, right) in found:
                found[path, right].append(tuple(row))
    return found


class PostNeeded(Refusal):
    """Signed in, but no post is valid today: nothing can be seen."""

    code, status = "no_post", 403
    message = gettext_lazy("您目前没有有效岗位（未任职、培训记录过期或账号已封存），请联系本单位系统管理员。")


def admit(user: User, rights: Sequence[str]) -> None:
    """Let in who holds any of `rights` at the office she acts for; without any, everybody who is signed in.

    Raises PostNeeded or NotAllowed.
    """
    if rights and not user.acting_path:
        raise PostNeeded()
    if rights and not any(user.holds(right) for right in rights):
        raise NotAllowed(right=str(RIGHT_LABELS[Right(rights[0])]), who="")


View = Callable[..., HttpResponse]


def requires(*rights: str) -> Callable[[View], View]:
    """Declare who may enter a view: holders of any of `rights`; with none, everybody who is signed in.

    Rows are still asked for through `visible_to`; this refuses at the door. A test walks the URLconf and
    fails on a view that says nothing.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            user: Any = request.user
            admit(user, rights)
            return view(request, *args, **kwargs)

        guarded.required_rights = rights  # type: ignore[attr-defined]
        return guarded

    return decorate


def valid_posts(user: User) -> list[Post]:
    """Her posts that give rights today: her own, then those in which she stands for somebody, highest office
    first.
    """
    ids = [line.post_id for line in user.held if line.post_id]
    posts = Post.objects.filter(pk__in=ids).select_related("office", "stands_for")
    # Her own first: nobody finds herself in somebody else's place without having chosen it.
    return list(posts.order_by(F("stands_for").asc(nulls_first=True), F("office__path"), "role"))


def granted_offices(user: User) -> list[Organization]:
    """Offices outside the own line that a dated grant opens to her today; no query when she holds none."""
    paths = {line.path for line in user.held if not line.role}
    return list(Organization.objects.filter(path__in=paths).order_by("path")) if paths else []
