"""What must be true in the end, said without the registry's code, and what the tables say."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps

from audit.models import Event
from config.models import Outbox
from config.scope import NATION, scoped_transaction
from registry.models import Enrolment, OpenBusiness, Student, StudentNumber
from transfers.models import Case, Step

APPROVED, REFUSED, WITHDRAWN = "approved", "refused", "withdrawn"


@dataclass(slots=True)
class Pupil:
    """One child to be registered, what the offices will say, and what they were told so far."""

    values: dict[str, str]
    fate: str
    case: int = 0
    student: int = 0
    acknowledged: list[str] = field(default_factory=list)  # acts whose success somebody has seen


def expected(pupil: Pupil) -> dict[str, Any]:
    """The end of one registration, whatever was killed on the way."""
    acts = {
        APPROVED: {"case.approve": 2, "case.complete": 1, "student.register": 1, "number.issue": 2},
        REFUSED: {"case.approve": 1, "case.refuse": 1, "student.take_back": 1},
        WITHDRAWN: {"case.approve": 1, "case.withdraw": 1, "student.take_back": 1},
    }[pupil.fate]
    is_done = pupil.fate == APPROVED
    formal = "G" + pupil.values["id_number"]
    return {
        "cases": 1,
        "state": "done" if is_done else pupil.fate,
        "is_open": False,
        "waiting": 0,
        "spells": [("01", False)] if is_done else [("98", True)],
        "statuses": ["00", "01"] if is_done else ["00", "98"],
        "open_business": 0,
        "numbers": [("L", False), ("G", True)] if is_done else [],
        "number": formal if is_done else "",
        "current": [formal] if is_done else [],
        "owed": {("complete_case", True): 1, ("number_student", True): 1} if is_done else {},
        "acts": {"case.file": 1, "student.create": 1, "material.attach": 1} | acts,
    }


def observed(pupil: Pupil) -> dict[str, Any]:
    """The same, as the database has it."""
    with scoped_transaction(NATION):
        student = Student.objects.get(name=pupil.values["name"])  # a second person would raise
        case = Case.objects.get(pk=pupil.case)
        numbers = list(StudentNumber.objects.filter(student=student).order_by("id"))
        spells = Enrolment.objects.filter(student=student)
        history = history_of(spells.get().pk)
        owed = Outbox.objects.filter(kind="complete_case", subject_id=case.pk) | Outbox.objects.filter(
            kind="number_student", subject_id=student.pk
        )
        return {
            "cases": Case.objects.filter(student=student).count(),
            "state": case.state,
            "is_open": case.is_open,
            "waiting": Step.objects.filter(case=case, is_current=True).count(),
            "spells": list(spells.values_list("status", "is_void")),
            "statuses": history,
            "open_business": OpenBusiness.objects.filter(student=student).count(),
            "numbers": [(row.number[0], row.is_current) for row in numbers],
            "number": student.number,
            "current": [row.number for row in numbers if row.is_current],
            "owed": dict(Counter((row.kind, row.done_at is not None) for row in owed)),
            "acts": acts(case.pk, student.pk),
        }


def acts(case: int, student: int) -> dict[str, int]:
    """The log about one case and its pupil: each act and how often."""
    about = Event.objects.filter(subject_type="case", subject_id=case) | Event.objects.filter(
        subject_type="student", subject_id=student
    )
    return dict(Counter(event.action.partition(".")[2] for event in about))


def history_of(enrolment: int) -> list[str]:
    """The statuses a spell went through, from the history table, which no service writes."""
    rows = apps.get_model("registry", "EnrolmentEvent").objects.filter(pgh_obj_id=enrolment)
    return list(rows.order_by("pgh_id").values_list("status", flat=True))
