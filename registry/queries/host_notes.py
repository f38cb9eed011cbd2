"""The term list of a host county: who came to and who left the directly run schools in it (R-TRF-20)."""

from dataclasses import dataclass
from typing import Any

from accounts.models import User
from accounts.roles import Right
from config.clock import today
from config.errors import NotFound
from registry.models import HostNote
from registry.queries.rosters import number_in, one_of
from registry.services.intake_rules import present_term

SEMESTERS = ("1", "2")  # list semester: autumn and spring
MOST_NOTES = 2000  # a county's list of one term is printed whole; far above any


@dataclass(frozen=True, slots=True)
class TermList:
    """One term's notes, and the school years that have any."""

    school_year: int
    semester: str
    years: list[int]
    arrived: list[HostNote]
    left: list[HostNote]


def read_notes(user: User, year: str, semester: str) -> TermList:
    """The notes of a term, the present one unless another is asked for. Constant queries."""
    term = present_term(user.acting_path, today())
    chosen = number_in(year) if year else term.school_year
    if not 2000 <= chosen <= 2200:
        raise NotFound()
    half = one_of(semester, SEMESTERS) or term.semester
    seen = HostNote.objects.visible_to(user, Right.VIEW_STUDENT).within(user.acting_path)
    rows: list[Any] = list(
        seen.filter(school_year=chosen, semester=half)
        .select_related("school")
        .order_by("school__path", "on", "id")[:MOST_NOTES]
    )
    years = sorted({*seen.order_by().values_list("school_year", flat=True).distinct(), chosen}, reverse=True)
    arrived = [note for note in rows if note.direction == HostNote.Direction.ARRIVED]
    return TermList(chosen, half, years, arrived, [note for note in rows if note not in arrived])
