"""What a kind of case is: data that the engine walks. A clerk could read the modules in `kinds/` from top
to bottom.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from accounts.roles import Right

if TYPE_CHECKING:
    from accounts.models import User
    from audit.services import Actor
    from registry.models import ImportBatch, Student
    from transfers.models import Case


class Party(StrEnum):
    """Who acts, seen from the case: resolved to an office when the case is filed."""

    TAKE_OVER_SCHOOL = "take_over_school"
    TAKE_OVER_TOWNSHIP = "take_over_township"
    TAKE_OVER_AUTHORITY = "take_over_authority"
    TAKE_OVER_COUNTY = "take_over_county"  # the education bureau, where the authority is another office
    RELEASE_SCHOOL = "release_school"
    RELEASE_AUTHORITY = "release_authority"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a case is about: one pupil, the pupils of a batch, or, with neither, what its payload says."""

    student: "Student | None" = None
    batch: "ImportBatch | None" = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What conditions look at: whom it is about, where from, where to, and the case once there is one."""

    subject: Subject
    from_path: str
    to_path: str
    payload: dict[str, Any]
    case: "Case | None" = None
    evidence_types: frozenset[str] = frozenset()

    @property
    def student(self) -> "Student":
        """The pupil, for a kind that is about one."""
        assert self.subject.student is not None
        return self.subject.student

    @property
    def batch(self) -> "ImportBatch":
        """The batch, for a kind that is about one."""
        assert self.subject.batch is not None
        return self.subject.batch


class Advice(str):
    """What a condition has to say where the rule in force only warns: reviewers read it, nothing stops."""

    is_advice = True


@dataclass(frozen=True, slots=True)
class Requirement:
    """A condition with the article it rests on. `check` returns an empty text, or what is wrong and what to
    do; an `Advice` where that stops nothing.
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
    """One decision of the route. `days` is the parameter that gives its clock; `only_if` looks at the
    payload and leaves the stop out.
    """

    party: Party
    right: Right
    label: str
    days: str
    only_if: Callable[[Mapping[str, Any]], bool] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One procedure. `open` prepares what the case is about at filing, `reopen` after a return, `effect` is
    what the worker does when the last office has approved, `undo` what happens when the case is refused or
    withdrawn.
    """

    code: str
    name: str
    prefix: str  # of the case number
    article: str
    started_by: Party
    route: tuple[Stop, ...]
    open: "Callable[..., Subject]"
    effect: "Callable[[Case, Actor], None]"
    undo: "Callable[[Case, Actor, str], None]"
    reopen: "Callable[[Case, dict[str, Any], User], None] | None" = None
    locks_student: bool = True
    requirements: tuple[Requirement, ...] = ()
    evidence: tuple[EvidenceNeed, ...] = ()
    reasons: tuple[str, ...] = field(
        default=("材料不全或不清晰", "信息与材料不一致", "不符合入学条件", "其他")
    )
