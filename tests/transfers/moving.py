"""Moves in tests, the way pages and worker do them: look up, file, decide step by step, complete."""

from datetime import timedelta
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange

from accounts.models import User
from archives.models import Handover
from config.clock import today
from config.scope import scope
from registry.models import Attendance, EnrolmentSnapshot, SchoolClass, Student
from registry.services.changing import Change, take_snapshot
from tests import make
from tests.transfers.filing import finish, make_material
from transfers import across, filing
from transfers.kind import Kind
from transfers.kinds.transfer import TRANSFER
from transfers.models import Case
from transfers.services import decide

GRADE = "13"  # neither first nor last of its stage


def open_season() -> None:
    """No window, freeze or ban of the calendar speaks on the day of the test."""
    make.make_rule("TRANSFER_BAN_MID_TERM", "off", make.NATION)
    make.make_rule("ENROLMENT_WINDOWS", ["0101..1231"], make.NATION)
    for key in ("TRANSFER_FREEZE", "GRADUATING_FREEZE"):
        make.make_rule(key, far_period(), make.NATION)


def far_period() -> str:
    """A period of the year in which today does not lie."""
    first = today() + timedelta(days=100)
    return f"{first:%m%d}..{first + timedelta(days=10):%m%d}"


def period_now() -> str:
    return f"{today() - timedelta(days=1):%m%d}..{today() + timedelta(days=1):%m%d}"


def pupil_at(path: str, *, grade: str = GRADE, number: str = "", **values: str) -> Student:
    """A pupil of the school at `path`, with a formal number unless one is given."""
    number = number or "G" + make.identity_number(make.first_grader_birth())
    return make.make_student(make.make_class(path, grade=grade, name="三(1)班"), number=number, **values)


def answers(target: SchoolClass, **changed: str) -> dict[str, str]:
    """A transfer for the guardian's job (02), without a fault; `changed` overwrites, empty ones go."""
    given = {
        "class_id": str(target.pk), "move_on": today().isoformat(), "reason": "02", "same_register": "1",
        "is_voluntary": "1", "under_sanction": "0", "recorded_later": "0",
    }  # fmt: skip
    return {key: text for key, text in (given | changed).items() if text}


def file_move(
    student: Student,
    target: SchoolClass,
    *,
    kind: Kind = TRANSFER,
    actor: User | None = None,
    papers: tuple[str, ...] = ("01", "08"),
    exempt: tuple[str, ...] = (),
    number: str = "",
    given: dict[str, str] | None = None,
    **changed: str,
) -> Case:
    """Look the pupil up and file, under the scope of the school that takes over."""
    registrar = actor or make.make_registrar(target.org_path)
    with scope(registrar.acting_path):
        found = filing.find_elsewhere(
            kind, registrar, name=student.name, number=number or student.number, route="test"
        )
        pupil, _school = across.found(found.token, registrar)
        return filing.file_pupil(
            kind,
            registrar.acting_office,
            pupil,
            answers(target, **changed) if given is None else given,
            actor=registrar,
            materials=[make_material(registrar, code) for code in papers],
            exempt=exempt,
            exempt_reason="随军家属，部队已出具证明" if exempt else "",
        )


def sign(case: Case, **how: Any) -> Case:
    """The waiting step, approved by somebody of its office under her own scope."""
    case = Case.objects.get(pk=case.pk)
    step = case.steps.get(is_current=True)
    person = make.make_user("leader" if step.right == "review_case" else "reviewer", step.office_path)
    types = set(case.evidence.values_list("type", flat=True))
    with scope(step.office_path):
        decide(case, "approve", actor=person, ticked=sorted(types), **how)
    return Case.objects.get(pk=case.pk)


def sign_all(case: Case, **how: Any) -> Case:
    """Every step in order, then the worker."""
    while case.steps.filter(is_current=True).exists():
        case = sign(case, **how)
    finish(case)
    return Case.objects.get(pk=case.pk)


def make_moves(student: Student) -> tuple[EnrolmentSnapshot, Attendance, Handover]:
    """What moves leave behind at a school: a pupil who left it, a guest there, a file that came."""
    spell = student.enrolments.get()
    change = Change("transfer", "转学", "ZX0", "22", today(), today())
    snapshot = take_snapshot(student, spell, change, to_name="别处学校")
    neighbour = make.make_office(make.NEIGHBOUR)
    guest = Attendance.objects.create(
        org_path=student.org_path, home_path=make.NEIGHBOUR, student=student, host=spell.school,
        home=neighbour, school_class=spell.school_class, name=student.name, sex=student.sex,
        grade=spell.grade, valid=DateRange(today() - timedelta(days=9), today() + timedelta(days=9)),
        case_no="JD0",
    )  # fmt: skip
    handover = Handover.objects.create(
        from_path=make.NEIGHBOUR, to_path=student.org_path, student=student, case_no="ZX0",
        from_name=neighbour.name, to_name=spell.school.name, name=student.name, materials=0, digest="0" * 64,
        handed_on=today(), due_on=today() + timedelta(days=30),
    )  # fmt: skip
    return snapshot, guest, handover
