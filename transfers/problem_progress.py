"""How far the problem records of an office and of each office below it have come (HANDBOOK A9). Constant
queries; a record between two offices counts with both of them, and once in the office above.
"""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case as When
from django.db.models import CharField, Count, Exists, F, Func, OuterRef, Q, Value
from django.db.models import When as If
from django.db.models.functions import Concat, Substr

from accounts.models import Organization, User
from accounts.roles import Right
from config.clock import today
from config.errors import NotFound
from config.scope import ancestors
from registry.models import ProblemRecord
from transfers.kinds.problem_deletion import PROBLEM_DELETION
from transfers.kinds.problem_proof import PROBLEM_PROOF
from transfers.models import Step

SCHOOL, AUTHORITY, ARBITRATION, CLOSED = "school", "authority", "arbitration", "closed"


@dataclass(slots=True)
class Counts:
    """Problem records by where they wait; `overdue` wait for a school whose day has passed."""

    school: int = 0
    authority: int = 0
    arbitration: int = 0
    closed: int = 0
    overdue: int = 0

    @property
    def found(self) -> int:
        return self.school + self.authority + self.arbitration + self.closed

    @property
    def share(self) -> int | None:
        """Closed of found, in percent rounded down."""
        return self.closed * 100 // self.found if self.found else None

    def add(self, stage: str, count: int, is_late: bool) -> None:
        setattr(self, stage, getattr(self, stage) + count)
        if is_late and stage == SCHOOL:
            self.overdue += count


@dataclass(slots=True)
class Progress:
    office: Organization
    above: Organization | None
    own: Counts
    below: list[tuple[Organization, Counts]] = field(default_factory=list)


def read_progress(user: User, at: str = "") -> Progress:
    """The figures at the office with the path `at` (empty: her own), and of those directly below it. Raises
    NotFound for an office outside her scope.
    """
    path = at or user.acting_path
    scopes = user.scope_paths(Right.VIEW_STUDENT)
    office = Organization.objects.filter(path=path).first()
    if office is None or not any(path.startswith(one) for one in scopes):
        raise NotFound()
    own = Counts()
    below: dict[str, Counts] = {}
    for row in _figures(user, path):
        own.add(row["stage"], row["count"], row["is_late"])
        for child in {row["first"], row["second"]} - {""}:
            below.setdefault(child, Counts()).add(row["stage"], row["count"], row["is_late"])
    children = Organization.objects.filter(path__in=below).order_by("path")
    parent = ancestors(path)[-2] if len(ancestors(path)) > 1 else ""
    above = Organization.objects.filter(path=parent).first() if path != user.acting_path else None
    return Progress(office, above, own, [(one, below[one.path]) for one in children])


def _figures(user: User, path: str) -> Any:
    deciding = Step.objects.filter(
        case__kind__in=(PROBLEM_PROOF.code, PROBLEM_DELETION.code), is_current=True, right=Right.DECIDE
    )
    # Each side by the index of a pupil's cases; an OR inside would read them all.
    at_authority = Exists(deciding.filter(case__student=OuterRef("student"))) | Exists(
        deciding.filter(case__student=OuterRef("other"))
    )
    stage = When(
        If(closed_at__isnull=False, then=Value(CLOSED)),
        If(Q(verdict="") & ~Q(arbitration_no=""), then=Value(ARBITRATION)),
        If(at_authority, then=Value(AUTHORITY)),
        default=Value(SCHOOL),
        output_field=CharField(),
    )
    rows = ProblemRecord.objects.visible_to(user, Right.VIEW_STUDENT).within(path).filter(is_hint=False)
    return (
        rows.annotate(
            first=_child("org_path", path),
            second=_child("other_path", path),
            stage=stage,
            is_late=Q(closed_at=None, due_on__lt=today()),
        )
        .values("first", "second", "stage", "is_late")
        .annotate(count=Count("pk"))
        .order_by()
    )


def _child(column: str, path: str) -> Any:
    """The path of the office directly below `path` that holds the row's side, or an empty text."""
    part = Func(
        Substr(F(column), len(path) + 1),
        Value("."),
        Value(1),
        function="split_part",
        output_field=CharField(),
    )
    is_below = Q(**{f"{column}__within": path}) & ~Q(**{column: path})
    return When(
        If(is_below, then=Concat(Value(path), part, Value("."), output_field=CharField())),
        default=Value(""),
        output_field=CharField(),
    )
