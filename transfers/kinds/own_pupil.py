"""What the procedures about a pupil of the filing school share: how they open, and who decides."""

from collections.abc import Callable
from typing import Any

from accounts.models import Organization
from accounts.roles import Right
from config.clock import today
from config.errors import NotFound
from registry.models import Enrolment, Student
from registry.record import latest_spell
from registry.services.refusals import frozen
from transfers.kind import Party, Stop, Subject

Note = Callable[[Organization, Student, dict[str, Any]], None]

# School leader, then the competent authority (R-CHG-08); a township where the county asks for it.
SCHOOL_AND_AUTHORITY = (
    Stop(Party.TAKE_OVER_SCHOOL, Right.REVIEW, "学校领导审核", "CHANGE_STEP_DAYS"),
    Stop(Party.TAKE_OVER_TOWNSHIP, Right.DECIDE, "乡镇审核", "CHANGE_STEP_DAYS"),
    Stop(Party.TAKE_OVER_AUTHORITY, Right.DECIDE, "主管部门核办", "CHANGE_STEP_DAYS"),
)
SCHOOL_ALONE = SCHOOL_AND_AUTHORITY[:1]


def own_spell(student: Student, path: str, *statuses: str) -> Enrolment:
    """The pupil's spell at the school `path`. Raises NotFound for a pupil of another school, RecordFrozen
    for a status other than `statuses`.
    """
    spell = latest_spell(student, at=path)
    if spell is None:
        raise NotFound()
    if spell.status not in statuses:
        raise frozen(spell.status)
    return spell


def pupil_of(*statuses: str, note: Note | None = None) -> Callable[..., Subject]:
    """The opening of a kind about an own pupil in one of `statuses`: what was is kept with the case, and what
    `note` adds. Raises what `own_spell` raises.
    """

    def open_pupil(
        school: Organization, *, payload: dict[str, Any], student: Student, **_given: Any
    ) -> Subject:
        spell = own_spell(student, school.path, *statuses)
        payload |= {
            "filed_on": today().isoformat(),
            "grade": spell.grade,
            "from_status": spell.status,
            "from_class": spell.school_class.name if spell.school_class else "",
        }
        if note is not None:
            note(school, student, payload)
        return Subject(student)

    return open_pupil
