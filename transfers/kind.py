"""What a kind of case is: data that the engine walks. A clerk could read the modules in `kinds/` from top
to bottom.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from accounts.roles import Right

if TYPE_CHECKING:
    from accounts.models import User
    from audit.services import Actor
    from registry.models import Student
    from transfers.models import Case


class Party(StrEnum):
    """Who acts, seen from the case: resolved to an office when the case is filed."""

    TAKE_OVER_SCHOOL = "take_over_school"
    TAKE_OVER_TOWNSHIP = "take_over_township"
    TAKE_OVER_AUTHORITY = "take_over_authority"
    RELEASE_SCHOOL = "release_school"
    RELEASE_AUTHORITY = "release_authority"


@dataclass(frozen=True, slots=True)
class Facts:
    """What conditions look at: the pupil, where from, where to, and the case once there is one."""

    student: "Student"
    from_path: str
    to_path: str
    payload: dict[str, Any]
    case: "Case | None" = None
    evidence_types: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Requirement:
    """A condition with the article it rests on. `check` returns an empty text, or what is wrong and what to
    do.
    """

    code: str
    label: str
    rule: str
    article: str
    check: Callable[[Facts], str]


@dataclass(frozen=True, slots=True)
class EvidenceNeed:
    """A paper that must be there: any of `types` (list evidence_type) satisfies it."""

    label: str
    types: tuple[str, ...]
    rule: str


@dataclass(frozen=True, slots=True)
class Stop:
    """One decision of the route. `days` is the parameter that gives its clock; `only_if` leaves the stop
    out.
    """

    party: Party
    right: Right
    label: str
    days: str
    only_if: Callable[[str, str], bool] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One procedure. `open` prepares the pupil's rows at filing, `reopen` after a return, `effect` is what
    the worker does when the last office has approved, `undo` what happens when the case is refused or
    withdrawn.
    """

    code: str
    name: str
    prefix: str  # of the case number
    article: str
    started_by: Party
    route: tuple[Stop, ...]
    open: "Callable[..., Student]"
    effect: "Callable[[Case, Actor], None]"
    undo: "Callable[[Case, Actor, str], None]"
    reopen: "Callable[[Case, dict[str, Any], User], None] | None" = None
    locks_student: bool = True
    requirements: tuple[Requirement, ...] = ()
    evidence: tuple[EvidenceNeed, ...] = ()
    reasons: tuple[str, ...] = field(
        default=("材料不全或不清晰", "信息与材料不一致", "不符合入学条件", "其他")
    )
