"""Many pupils and cases at once: one is filed and signed as always, the others are its likeness."""

from collections.abc import Sequence
from copy import copy
from datetime import date, timedelta
from typing import TypeVar
from uuid import uuid4

from django.db.models.base import ModelState

from archives.models import Material
from config.clock import today
from config.copying import copy_rows
from config.crypto import next_ids
from config.models import Outbox
from config.scope import NATION, scope, scoped_transaction
from registry.form_values import clean_record
from registry.models import Enrolment, FamilyMember, IdentityDocument, SchoolClass, Student, StudentNumber
from registry.record import new_record
from registry.status import NORMAL
from tests import make
from tests.races.ground import PROVINCE, Office, Person, new_values
from tests.transfers.filing import make_material
from tests.transfers.moving import GRADE, far_period, file_move, sign
from transfers.filing import file_pupil
from transfers.kinds import KINDS
from transfers.kinds.suspension import SUSPENSION
from transfers.models import Case, Evidence, Step
from transfers.outbox import COMPLETE_CASE
from transfers.services import card_of, case_number, lock_pupils

PAPERS = ("01", "08")  # of a transfer for the guardian's job
ALL = 99

Row = TypeVar("Row", Case, Step, Evidence)


def open_season() -> None:
    """In the province of the races, nothing of the calendar speaks against a transfer."""
    with scoped_transaction(NATION):
        make.make_rule("TRANSFER_BAN_MID_TERM", "off", PROVINCE)
        make.make_rule("TRANSFER_BAN_FIRST_TERM", False, PROVINCE)
        for key in ("TRANSFER_FREEZE", "GRADUATING_FREEZE"):
            make.make_rule(key, far_period(), PROVINCE)


def class_of(office: Office, grade: str = GRADE, cap: int | None = None) -> SchoolClass:
    """A new class of the school."""
    with scoped_transaction(NATION):
        return make.make_class(office.path, grade=grade, cap=cap)


def pupils_of(school_class: SchoolClass, count: int) -> list[Student]:
    """`count` pupils with formal numbers, by one COPY for each table."""
    records = []
    for _n in range(count):
        values = clean_record(new_values(), school_class.grade)
        made = new_record(values, school_class, starts_on=date(today().year - 1, 9, 1), status=NORMAL)
        made.student.number = "G" + values["id_number"]
        records.append(made)
    with scoped_transaction(NATION):
        copy_rows(Student, [one.student for one in records])
        copy_rows(IdentityDocument, [one.document for one in records if one.document])
        copy_rows(Enrolment, [one.enrolment for one in records])
        copy_rows(FamilyMember, [member for one in records for member in one.family])
        StudentNumber.objects.bulk_create(
            StudentNumber(org_path=school_class.org_path, student=one.student, number=one.student.number)
            for one in records
        )
        ids = [one.student.pk for one in records]
        return list(Student.objects.filter(pk__in=ids).order_by("pk"))


def papers_of(person: Person) -> list[Material]:
    """What she uploads for her transfers; handed in with each of them."""
    with scoped_transaction(NATION):
        return [make_material(person.user, code) for code in PAPERS]


def transfers(
    students: Sequence[Student], target: SchoolClass, registrar: Person, *, signed: int = 0
) -> list[Case]:
    """A transfer of each pupil into `target` with the first `signed` steps approved (`ALL`: the worker's)."""
    with scoped_transaction(NATION):
        return _signed(file_move(students[0], target, actor=registrar.user), students[1:], signed)


def suspensions(students: Sequence[Student], registrar: Person) -> list[Case]:
    """A suspension of each pupil of the registrar's school: only the worker is missing."""
    days = {"starts_on": today().isoformat(), "until": (today() + timedelta(days=100)).isoformat()}
    given = {"reason": "05", "on_request": "1", "statement": "家长说明", **days}
    school = registrar.user.acting_office
    with scoped_transaction(NATION):
        papers = [make_material(registrar.user, need.types[0]) for need in SUSPENSION.needs({"asked": given})]
        with scope(school.path):
            case = file_pupil(SUSPENSION, school, students[0], given, actor=registrar.user, materials=papers)
        return _signed(case, students[1:], ALL)


def _signed(case: Case, others: Sequence[Student], steps: int) -> list[Case]:
    """The case after so many approvals, and its likenesses."""
    for _step in range(steps):
        if not case.steps.filter(is_current=True).exists():
            break
        case = sign(case)
    case = Case.objects.get(pk=case.pk)
    return [case, *alike(case, others)]


def alike(first: Case, students: Sequence[Student]) -> list[Case]:
    """Cases that stand where `first` does, one about each of `students`; only the log knows nothing of
    them.
    """
    kind, secrets = KINDS[first.kind], first.open_card()
    steps, papers = list(first.steps.order_by("ordinal")), list(first.evidence.all())
    made: list[Case] = []
    for pk, student in zip(next_ids("transfers_case", len(students)), students, strict=True):
        case = _another(first)
        case.pk, case.number, case.student = pk, case_number(kind, pk), student
        case.set_card(secrets | card_of(student))
        lock_pupils(kind, case)
        made.append(case)
    Case.objects.bulk_create(made)
    for model, rows in ((Step, steps), (Evidence, papers)):
        copies = [(_another(row), case) for case in made for row in rows]
        for row, case in copies:
            row.pk, row.case = None, case
        model.objects.bulk_create([row for row, _case in copies])
    if first.state == Case.State.APPROVED:
        Outbox.objects.bulk_create(
            Outbox(kind=COMPLETE_CASE, subject_id=case.pk, path=case.reach, request_id=uuid4())
            for case in made
        )
    return made


def _another(row: Row) -> Row:
    made = copy(row)
    made._state = ModelState()
    return made
