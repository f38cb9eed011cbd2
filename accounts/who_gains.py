"""Before it is saved: who gains what, over which offices and how many pupils, and what she loses."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

from accounts.models import Organization, Post, User, trainings_valid
from accounts.roles import RIGHT_LABELS, ROLES, Right
from config.clock import today

# How many pupils stand under a path, up to 10,000 and one: registry, which knows, puts its count here.
PUPIL_COUNTS: list[Callable[[str], int]] = []
# These flow down to every office underneath; whatever else a role gives is done at the office alone.
_SEEING = (
    Right.VIEW_STUDENT,
    Right.VIEW_CLASS,
    Right.VIEW_IDENTITY,
    Right.VIEW_HEALTH,
    Right.VIEW_CASE,
    Right.VIEW_LOG,
    Right.VIEW_OFFICE,
)
_OF_PUPILS = frozenset((Right.VIEW_STUDENT, Right.VIEW_CLASS, Right.VIEW_IDENTITY, Right.VIEW_HEALTH))


@dataclass(frozen=True, slots=True)
class Gains:
    """Rights in words that are new to her, those she has already, and how far they reach."""

    office: Organization
    sees: list[str] = field(default_factory=list)
    does: list[str] = field(default_factory=list)
    keeps: list[str] = field(default_factory=list)
    offices: int = 1  # the office itself and every one underneath
    pupils: int | None = None  # None: no pupils are seen by it
    own_classes: bool = False
    is_inert: bool = False  # 先培训后上岗: nothing of it until a training is recorded


def gained(person: User | None, office: Organization, rights: Iterable[str], role: str = "") -> Gains:
    """What `rights` at `office` would add to what `person` holds today (nobody yet: all of it)."""
    wanted = [right for right in Right if right in set(rights)]
    had = _held(person, office.path)
    new = [right for right in wanted if right not in had]
    needs_training = bool(role) and ROLES[role].needs_training
    return Gains(
        office=office,
        sees=_words(right for right in new if right in _SEEING),
        does=_words(right for right in new if right not in _SEEING and right != Right.VIEW_OWN_CLASS),
        keeps=_words(right for right in wanted if right in had),
        offices=_offices_under(office.path),
        pupils=_pupils_under(office.path) if _OF_PUPILS & set(wanted) else None,
        own_classes=Right.VIEW_OWN_CLASS in wanted,
        is_inert=needs_training and not _is_trained(person, today()),
    )


def lost(post: Post) -> Gains:
    """What the holder of `post` can no longer do at its office once it ends; `keeps` stays by other posts."""
    others = Post.objects.filter(user=post.user, valid__contains=today()).exclude(pk=post.pk)
    left = set[str]()
    for other in others.select_related("office"):
        reach = post.office.path.startswith(other.office.path)
        seen = ROLES[other.role].rights & set(_SEEING) if reach else frozenset()
        left |= ROLES[other.role].rights if other.office_id == post.office_id else seen
    rights = [right for right in Right if right in ROLES[post.role].rights]
    gone = [right for right in rights if right not in left]
    return Gains(
        office=post.office,
        sees=_words(right for right in gone if right in _SEEING),
        does=_words(right for right in gone if right not in _SEEING and right != Right.VIEW_OWN_CLASS),
        keeps=_words(right for right in rights if right in left),
        offices=_offices_under(post.office.path),
        pupils=_pupils_under(post.office.path) if _OF_PUPILS & set(gone) else None,
        own_classes=Right.VIEW_OWN_CLASS in gone,
    )


def _held(person: User | None, path: str) -> set[str]:
    """The rights she holds over `path` today: acted with only at the office itself, seen with from above."""
    found = set[str]()
    for line in person.held if person else ():
        rights = ROLES[line.role].rights if line.role else {line.right}
        if line.path == path:
            found |= set(rights)
        elif path.startswith(line.path):
            found |= set(rights) & set(_SEEING)
    return found


def _words(rights: Iterable[Right]) -> list[str]:
    return [str(RIGHT_LABELS[right]) for right in rights]


def _offices_under(path: str) -> int:
    return Organization.objects.filter(path__within=path, valid__contains=today()).count()


def _pupils_under(path: str) -> int:
    return sum(count(path) for count in PUPIL_COUNTS)


def _is_trained(person: User | None, day: date) -> bool:
    return person is not None and trainings_valid(day).filter(user=person).exists()
