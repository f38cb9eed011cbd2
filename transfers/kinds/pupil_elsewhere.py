"""What the procedures about a pupil of another school share: how they open, and open again after a return."""

from collections.abc import Callable, Mapping
from typing import Any

from accounts.models import Organization, User
from config.clock import today
from registry.models import Student
from registry.record import latest_spell
from registry.services.intake_rules import stage_of
from transfers.kind import Subject
from transfers.kinds import answers
from transfers.models import Case

Way = Callable[[Organization, Organization, str], Mapping[str, Any]]


def pupil_found(way: Way | None = None) -> Callable[..., Subject]:
    """The opening of a kind about a pupil who was found elsewhere: what the route, its duration and the
    conditions go by is kept with the case, and what `way` says of both schools and the grade. Nothing of the
    pupil changes yet. Raises ClassUnknown.
    """

    def open_pupil(
        school: Organization, *, payload: dict[str, Any], student: Student, **_given: Any
    ) -> Subject:
        spell = latest_spell(student)
        assert spell is not None, "the look-up has found one"
        payload |= {
            "filed_on": today().isoformat(),
            "grade": spell.grade,
            "stage": stage_of(spell.grade),
            "schooling": spell.school.school.schooling,
            "from_class": spell.school_class.name if spell.school_class else "",
            **_place_words(school, payload),
            **(way(spell.school, school, spell.grade) if way else {}),
        }
        return Subject(student)

    return open_pupil


def reopen(case: Case, given: dict[str, Any], actor: User) -> None:
    """After a return: answers anew, and the class that they name."""
    answers.reopen(case, given, actor)
    case.payload |= _place_words(Organization.objects.get(path=case.to_path), case.payload)


def _place_words(school: Organization, payload: Mapping[str, Any]) -> dict[str, str]:
    """The class in words: who sees the case from its other side does not see the class."""
    school_class = answers.class_asked(school.path, payload["asked"]["class_id"])
    return {"to_class": school_class.name, "to_grade": school_class.grade}
