"""学籍号 over a life: L, then G or J, late numbers, corrections (HANDBOOK A4.3, B1)."""

import pytest
from django.db import IntegrityError, transaction

from audit.services import System
from registry.models import ProblemRecord, Student, StudentNumber
from registry.services.documents import replace_document
from registry.services.numbering import check_and_number, issue_temporary
from registry.services.refusals import NumberTaken, RecordRefused
from tests import make
from tests.transfers.filing import finish, make_material
from transfers.kinds.identity_change import IDENTITY_CHANGE
from transfers.kinds.registration import REGISTRATION
from transfers.models import Case
from transfers.services import decide, file_case, withdraw

pytestmark = pytest.mark.usefixtures("nation")
JOB = System()
FOREIGNER = {
    "id_type": "A",
    "id_number": "P12345678",
    "nationality": "FRA",
    "overseas_status": "51",
    "ethnic_group": "",
    "hukou_type": "",
    "hukou_division": "",
    "birthplace": "",
    "native_place": "",
}


def numbered(**changes: str) -> Student:
    """A registered pupil after the national check."""
    student = make.make_student(**changes)
    issue_temporary(student, actor=JOB)
    check_and_number(student.pk, actor=JOB)
    student.refresh_from_db()
    return student


@pytest.mark.rule("R-NUM-02", "G-18")
def test_first_l_then_g_with_a_citizen_number_and_j_without() -> None:
    student = make.make_student()
    assert issue_temporary(student, actor=JOB)[0] == "L"
    assert len(student.number) == 19
    assert issue_temporary(student, actor=JOB) == student.number  # repeated: the same number
    assert check_and_number(student.pk, actor=JOB)[0] == "G"
    assert numbered(**FOREIGNER).number[0] == "J"
    family_number = make.identity_number(make.first_grader_birth().replace(year=1986), "1")
    assert (
        numbered(id_type="Z", id_number="", member1_id_type="1", member1_id_number=family_number).number[0]
        == "J"
    )


@pytest.mark.rule("R-NUM-01", "RE-2")
def test_a_number_is_unique_for_ever_former_ones_too() -> None:
    student = numbered()
    former = student.numbers.get(is_current=False).number
    other = make.make_student()
    for taken in (student.number, former):
        with pytest.raises(IntegrityError), transaction.atomic():
            StudentNumber.objects.create(org_path=other.org_path, student=other, number=taken)
    with pytest.raises(IntegrityError), transaction.atomic():  # one current number a person
        StudentNumber.objects.create(
            org_path=student.org_path, student=student, number="L44030520190101" + "0001"
        )


def change_identity(student: Student, id_number: str, *, finished: bool = True) -> Case:
    """The whole 关键数据变更 of an identity document, as school, leader, county and worker do it."""
    registrar, leader, reviewer = make.make_registrar(), make.make_leader(), make.make_reviewer()
    proposed = {"id_type": "1", "id_number": id_number}
    case = file_case(
        IDENTITY_CHANGE,
        make.make_office(make.SCHOOL),
        actor=registrar,
        materials=[make_material(registrar)],
        secrets={"proposed_id_type": "1", "proposed_id_number": id_number},
        student=student,
        proposed=proposed,
    )
    if finished:
        for person in (leader, reviewer):
            decide(Case.objects.get(pk=case.pk), "approve", actor=person, ticked=["01"])
        finish(case)
        finish(student)
        student.refresh_from_db()
    return case


@pytest.mark.rule("G-07", "R-NUM-03", "R-UPD-07")
def test_a_j_pupil_who_gets_an_identity_number_becomes_g_and_is_found_by_j() -> None:
    family_number = make.identity_number(make.first_grader_birth().replace(year=1986), "1")
    student = numbered(id_type="Z", id_number="", member1_id_type="1", member1_id_number=family_number)
    former = student.number
    assert former[0] == "J"
    change_identity(student, make.identity_number(student.birth_on, student.sex))
    assert student.number[0] == "G"
    assert StudentNumber.objects.get(number=former).student == student


@pytest.mark.rule("G-08", "R-NUM-04", "R-NUM-05")
def test_a_corrected_identity_number_leaves_g_as_it_is() -> None:
    student = numbered()
    number = student.number
    corrected = make.identity_number(student.birth_on, student.sex)
    change_identity(student, corrected)
    assert student.number == number
    assert number[1:] != corrected
    assert student.documents.order_by("-id")[0].mask[-4:] == corrected[-4:]
    assert check_and_number(student.pk, actor=JOB) == number


@pytest.mark.rule("R-NUM-03", "RE-2")
def test_a_corrected_number_is_given_up_and_a_passport_beside_it_is_not() -> None:
    student = make.make_student(**FOREIGNER)
    for _change in range(2):
        number = make.identity_number(student.birth_on, student.sex)
        replace_document(student, {"id_type": "1", "id_number": number}, actor=JOB, basis="test")
    rows = student.documents.order_by("id").values_list("family", "is_claimed")
    assert list(rows) == [("passport", True), ("citizen", False), ("citizen", True)]


@pytest.mark.rule("R-UPD-06", "R-EST-05")
def test_a_proposed_number_that_somebody_holds_is_refused_before_filing() -> None:
    holder = make.make_student(make.make_class(make.FAR))
    student = numbered()
    number = make.identity_number(holder.birth_on, holder.sex)
    replace_document(holder, {"id_type": "1", "id_number": number}, actor=JOB, basis="test")
    with pytest.raises(NumberTaken):
        change_identity(student, number)
    with pytest.raises(RecordRefused):  # and one that contradicts birth date or sex
        change_identity(student, make.identity_number(student.birth_on.replace(year=2001)))


@pytest.mark.rule("R-UPD-06")
def test_a_number_taken_after_the_last_decision_rejects_the_request_by_itself() -> None:
    student, rival = numbered(), make.make_student(make.make_class(make.FAR))
    wanted = make.identity_number(student.birth_on, student.sex)
    case = change_identity(student, wanted, finished=False)
    for person in (make.make_leader(), make.make_reviewer()):
        decide(Case.objects.get(pk=case.pk), "approve", actor=person, ticked=["01"])
    replace_document(rival, {"id_type": "1", "id_number": wanted}, actor=JOB, basis="test")
    finish(case)
    case.refresh_from_db()
    assert (case.state, case.card) == (Case.State.REFUSED, None)
    assert student.documents.count() == 1


@pytest.mark.rule("R-TRF-06", "R-UPD-06")
def test_while_a_change_is_open_no_second_business_begins() -> None:
    from registry.services.editing import update_normal
    from registry.services.refusals import BusinessOpen
    from transfers.refusals import CaseLocked

    student = numbered()
    case = change_identity(student, make.identity_number(student.birth_on, student.sex), finished=False)
    with pytest.raises(CaseLocked):
        change_identity(student, make.identity_number(student.birth_on, student.sex), finished=False)
    editor = make.make_registrar()
    with pytest.raises(BusinessOpen):
        update_normal(student, {"talent": "围棋"}, version=student.version, actor=editor)
    withdraw(case, actor=make.make_registrar(), reason="填写有误")
    assert update_normal(student, {"talent": "围棋"}, version=student.version, actor=editor) == ["talent"]


@pytest.mark.rule("R-NUM-06")
def test_the_nightly_run_promises_a_check_for_every_l_and_may_run_twice() -> None:
    from config.models import Outbox
    from transfers.tasks import issue_numbers

    waiting = [make.make_student() for _ in range(3)]
    for student in waiting:
        issue_temporary(student, actor=JOB)
    done = numbered()
    assert issue_numbers() == issue_numbers() >= 3
    owed = set(
        Outbox.objects.filter(kind="number_student", done_at=None).values_list("subject_id", flat=True)
    )
    assert {s.pk for s in waiting} <= owed
    assert done.pk not in owed


@pytest.mark.rule("R-PRB-05", "R-EST-05")
def test_an_open_problem_keeps_l_and_a_hint_does_not() -> None:
    first = make.make_student()
    twin = make.make_student(birth_on=first.birth_on.isoformat(), name=first.name, sex=first.sex)
    issue_temporary(twin, actor=JOB)
    check_and_number(twin.pk, actor=JOB)
    twin.refresh_from_db()
    assert twin.number[0] == "G"  # both have good numbers: a namesake is a hint
    hint = ProblemRecord.objects.get(student=first, other=twin)
    assert (hint.type, hint.is_hint) == ("3", True)
    disputed = make.make_student(is_disputed="1")
    issue_temporary(disputed, actor=JOB)
    assert check_and_number(disputed.pk, actor=JOB)[0] == "L"
    assert ProblemRecord.objects.get(student=disputed).type == "1"


@pytest.mark.rule("R-EST-05", "KE-4")
def test_numbers_one_digit_apart_are_a_hint_found_without_reading_the_country() -> None:
    first = make.make_student()
    number = make.identity_number(first.birth_on, first.sex)
    replace_document(first, {"id_type": "1", "id_number": number}, actor=JOB, basis="test")
    # Disputed: a one-digit slip has a wrong check digit.
    slip = number[:15] + str((int(number[15]) + 1) % 10) + number[16:]
    second = make.make_student(
        id_number=slip, is_disputed="1", birth_on=first.birth_on.isoformat(), sex=first.sex
    )
    issue_temporary(second, actor=JOB)
    check_and_number(second.pk, actor=JOB)
    assert ProblemRecord.objects.filter(student=first, other=second, type="1", is_hint=True).count() == 1


def test_registration_and_change_are_data() -> None:
    assert [stop.label for stop in REGISTRATION.route][-2:] == ["主管部门核准", "县级教育行政部门核准补录"]
    assert IDENTITY_CHANGE.route[-1].label == "主管部门核办"
