"""What a kind of case is: data that the engine walks. A clerk could read the modules in `kinds/` from top
to bottom.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from accounts.roles import Right
from registry.models import SchoolClass
from registry.record import latest_spell
from registry.status import STATUSES
from transfers.refusals import NotForStatus

if TYPE_CHECKING:
    from accounts.models import Organization, User
    from audit.services import Actor
    from registry.models import Enrolment, ImportBatch, Student
    from transfers.asking import Ask
    from transfers.models import Case


class Party(StrEnum):
    """Who acts, seen from the case: resolved to an office when the case is filed."""

    TAKE_OVER_SCHOOL = "take_over_school"
    TAKE_OVER_TOWNSHIP = "take_over_township"
    TAKE_OVER_AUTHORITY = "take_over_authority"
    TAKE_OVER_COUNTY = "take_over_county"  # the education bureau, where the authority is another office
    TAKE_OVER_CITY = "take_over_city"
    TAKE_OVER_PROVINCE = "take_over_province"
    RELEASE_SCHOOL = "release_school"
    RELEASE_TOWNSHIP = "release_township"
    RELEASE_AUTHORITY = "release_authority"
    RELEASE_CITY = "release_city"
    RELEASE_PROVINCE = "release_province"
    FILING_OFFICE = "filing_office"  # the bureau that files a matter of schools and offices
    SUPERIOR = "superior"  # the next authority above the filing side's authority


class About(StrEnum):
    """What a case of a kind is about, and so where it is filed."""

    OWN_PUPIL = "own_pupil"  # a pupil of the school that files: from her record
    PUPIL_ELSEWHERE = "pupil_elsewhere"  # found by exact number and name (R-TRF-08)
    OTHER = "other"  # a batch, photos, an office: the kind brings its own pages


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a case is about: one pupil, the pupils of a batch, or, with neither, what its payload says."""

    student: "Student | None" = None
    batch: "ImportBatch | None" = None


@dataclass(frozen=True)
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

    @cached_property
    def spell(self) -> "Enrolment | None":
        """The pupil's latest spell that counts: read once for all conditions."""
        return latest_spell(self.student)

    @cached_property
    def school_class(self) -> SchoolClass | None:
        """The class asked for, if it is one of the school that files."""
        classes = SchoolClass.objects.select_related("school__organization").filter(org_path=self.to_path)
        return classes.filter(pk=int(self.asked("class_id") or 0)).first()

    def asked(self, key: str) -> str:
        """The answer to a question that is not personal; empty when it was not asked."""
        return str(self.payload.get("asked", {}).get(key, ""))

    def day_asked(self, key: str) -> date | None:
        text = self.asked(key)
        return date.fromisoformat(text) if text else None


class Advice(str):
    """What a condition has to say where the rule in force only warns: reviewers read it, nothing stops."""

    is_advice = True


@dataclass(frozen=True, slots=True)
class Requirement:
    """A condition with the article it rests on. `check` returns an empty text, or what is wrong and what to
    do; an `Advice` where that stops nothing.

    `exempt` names the office that may make an exception, asked for at filing with a reason and granted by
    that office's own decision (G-19); without it there is none.
    """

    code: str
    label: str
    rule: str
    article: str
    check: Callable[[Facts], str]
    exempt: Party | None = None


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
    what the worker does when the last office has approved (False: one batch done, more to do), `undo` what
    happens when the case is refused or withdrawn.
    """

    code: str
    name: str
    prefix: str  # of the case number
    article: str
    started_by: Party
    route: tuple[Stop, ...]
    open: "Callable[..., Subject]"
    effect: "Callable[[Case, Actor], bool | None]"
    undo: "Callable[[Case, Actor, str], None]"
    reopen: "Callable[[Case, dict[str, Any], User], None] | None" = None
    locks_student: bool = True
    requirements: tuple[Requirement, ...] = ()
    evidence: tuple[EvidenceNeed, ...] = ()
    reasons: tuple[str, ...] = field(
        default=("材料不全或不清晰", "信息与材料不一致", "不符合办理条件", "其他")
    )
    right: str = Right.FILE  # that starts it, at the office of `to_path`; empty where a guardian does
    about: About = About.OTHER
    group: str = ""  # the heading of the menu that it stands under
    summary: str = ""  # what it changes, in one sentence: read before filing
    statuses: tuple[str, ...] = ()  # of the pupil's spell that it applies to
    asks: "tuple[Ask, ...]" = ()
    papers: "Callable[[Mapping[str, Any]], tuple[EvidenceNeed, ...]] | None" = None  # by what was answered
    proposes: "Callable[[Case, Mapping[str, str]], list[Proposed]] | None" = None  # current beside proposed
    prints: tuple[str, ...] = ()  # codes of the printed forms
    # The other office that the case is about, where it is not the pupil's own school that she comes from.
    opposite: "Callable[[Student, Mapping[str, Any]], Organization | None] | None" = None
    # Business of the pupil that may be open elsewhere, since it is what this kind contests.
    contests: tuple[str, ...] = ()
    steps_up: bool = False  # each decision needs a fresh second factor (AC-7), and is taken by itself

    @property
    def is_answered(self) -> bool:
        """Whether a guardian filed it: it is answered, with a reason either way, and no office can return it
        or take it back.
        """
        return not self.right

    def misfit(self, status: str) -> NotForStatus | None:
        """What to say where it does not apply to a pupil of this status."""
        if not self.statuses or status in self.statuses:
            return None
        among = "、".join(STATUSES[code].name for code in self.statuses)
        return NotForStatus(status=STATUSES[status].name, kind=self.name, among=among)

    def needs(self, payload: Mapping[str, Any]) -> tuple[EvidenceNeed, ...]:
        """The papers that a case with this payload must have."""
        return self.evidence + (self.papers(payload) if self.papers else ())


@dataclass(frozen=True, slots=True)
class Proposed:
    """One value before and after, as the case page shows it."""

    label: str
    before: str
    after: str
    is_number: bool = False
