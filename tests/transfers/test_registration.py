"""学籍注册 through the services that page and API call: every success beside its refusal."""

from typing import Any

import pytest
from django.db.models import Q

from accounts.models import User
from archives.models import Material
from audit.models import AccessEntry, Event
from config.errors import NotAllowed, Refusal
from config.models import Outbox
from registry.models import Enrolment, IdentityDocument, OpenBusiness, ProblemRecord, SchoolClass, Student
from registry.services.refusals import (
    ClassFull,
    ClassUnknown,
    EvidenceMissing,
    NumberTaken,
    RecordRefused,
    SearchFirst,
)
from registry.status import NORMAL, PENDING, REFUSED
from tests import make
from tests.transfers.filing import decide_all, file_pupil, finish, make_material
from transfers.kinds.registration import REGISTRATION
from transfers.models import Case
from transfers.refusals import (
    CaseClosed,
    EvidenceNotTicked,
    NotYourTurn,
    ReasonNeeded,
    SecondSignature,
    StepAlreadyTaken,
)
from transfers.services import decide, refile, withdraw

pytestmark = pytest.mark.usefixtures("nation")


@pytest.fixture
def office() -> dict[str, Any]:
    return {
        "class": make.make_class(),
        "registrar": make.make_registrar(),
        "leader": make.make_leader(),
        "reviewer": make.make_reviewer(),
    }


def problem_types(student: Student) -> set[str]:
    """Types of the open problem records, hints aside, in which this pupil is a side."""
    sides = Q(student=student) | Q(other=student)
    return set(ProblemRecord.objects.filter(sides, is_hint=False).values_list("type", flat=True))


@pytest.mark.rule("R-EST-04", "R-EST-03", "R-NUM-01", "R-NUM-02")
def test_three_persons_bring_a_pupil_from_filing_to_her_formal_number(office: dict[str, Any]) -> None:
    case = file_pupil(office)
    student = Student.objects.get(pk=case.student_id)
    assert student.enrolments.get().status == PENDING
    assert (student.number, OpenBusiness.objects.get(student=student).case_no) == ("", case.number)

    decide(case, "approve", actor=office["leader"], ticked=["01"])
    assert student.enrolments.get().status == PENDING
    decide(Case.objects.get(pk=case.pk), "approve", actor=office["reviewer"], ticked=["01"])
    case.refresh_from_db()
    assert (case.state, student.enrolments.get().status) == (
        Case.State.APPROVED,
        PENDING,
    )  # until a worker comes

    finish(case)
    case.refresh_from_db()
    student.refresh_from_db()
    assert (case.state, case.is_open) == (Case.State.DONE, False)
    assert student.enrolments.get().status == NORMAL
    assert student.number[0] == "L"
    assert not OpenBusiness.objects.filter(student=student).exists()

    finish(student)
    student.refresh_from_db()
    assert student.number[0] == "G"
    assert list(student.numbers.order_by("id").values_list("number", "is_current"))[-1] == (
        student.number,
        True,
    )
    acts = list(
        Event.objects.filter(subject_type="case", subject_id=case.pk)
        .order_by("id")
        .values_list("action", flat=True)
    )
    assert acts == [
        "transfers.case.file",
        "transfers.case.approve",
        "transfers.case.approve",
        "transfers.case.complete",
    ]


@pytest.mark.rule("R-EST-04")
def test_who_may_file_and_decide_and_who_may_not(office: dict[str, Any]) -> None:
    for outsider in (office["leader"], office["reviewer"], make.make_registrar(make.NEIGHBOUR)):
        with pytest.raises(NotAllowed):
            file_pupil(office, actor=outsider)
    case = file_pupil(office)
    with pytest.raises(NotYourTurn):
        decide(case, "approve", actor=office["reviewer"], ticked=["01"])
    # A county sees its school's case, but seeing flows down and acting does not.
    for stranger in (
        make.make_reviewer(make.CITY),
        make.make_leader(make.SISTER),
        make.make_user("auditor", make.CITY),
    ):
        with pytest.raises(NotAllowed):
            decide(case, "approve", actor=stranger, ticked=["01"])
    decide(case, "approve", actor=office["leader"], ticked=["01"])
    with pytest.raises(StepAlreadyTaken, match=office["leader"].name):
        decide(case, "approve", actor=office["leader"], ticked=["01"])


@pytest.mark.rule("G-03", "R-ACC-02", "AZ-7")
def test_nobody_signs_twice_not_even_with_two_roles(office: dict[str, Any]) -> None:
    both: User = office["registrar"]
    make.add_post(both, "leader", make.SCHOOL)
    make.add_post(both, "reviewer", make.COUNTY)
    both.__dict__.pop("held", None)  # a new request would read her posts anew
    case = file_pupil(office, actor=both)
    with pytest.raises(SecondSignature):
        decide(case, "approve", actor=both, ticked=["01"])
    leader: User = office["leader"]
    make.add_post(leader, "reviewer", make.COUNTY)
    decide(case, "approve", actor=leader, ticked=["01"])
    leader.__dict__.pop("held", None)
    with pytest.raises(SecondSignature):
        decide(case, "approve", actor=leader, ticked=["01"])
    decide(case, "approve", actor=office["reviewer"], ticked=["01"])
    case.refresh_from_db()
    assert case.state == Case.State.APPROVED


@pytest.mark.rule("R-EST-03", "R-TRF-16")
def test_a_missing_or_unticked_paper_stops_filing_and_approval(office: dict[str, Any]) -> None:
    with pytest.raises(EvidenceMissing):
        file_pupil(office, materials=[])
    case = file_pupil(office)
    with pytest.raises(EvidenceNotTicked):
        decide(case, "approve", actor=office["leader"], ticked=[])
    with pytest.raises(EvidenceNotTicked):  # a tick for a paper that was never handed in
        decide(case, "approve", actor=office["leader"], ticked=["02"])
    decide(case, "approve", actor=office["leader"], ticked=["01"])


@pytest.mark.rule("R-TRF-04")
def test_refusing_needs_a_reason_and_frees_the_child(office: dict[str, Any]) -> None:
    values = make.valid_values()
    case = file_pupil(office, values=values)
    with pytest.raises(ReasonNeeded):
        decide(case, "refuse", actor=office["leader"], reason="不")
    decide(case, "refuse", actor=office["leader"], reason="材料与本人不符")
    case.refresh_from_db()
    spell = Enrolment.objects.get(student_id=case.student_id)
    assert (case.state, case.card, spell.status, spell.is_void) == (Case.State.REFUSED, None, REFUSED, True)
    with pytest.raises(CaseClosed):
        withdraw(case, actor=office["registrar"], reason="不再需要")
    again = file_pupil(office, values=values)  # the number claims nothing any more
    assert again.student_id != case.student_id


@pytest.mark.rule("R-TRF-05")
def test_the_starter_withdraws_before_the_last_decision_and_not_after(office: dict[str, Any]) -> None:
    case = file_pupil(office)
    withdraw(case, actor=office["registrar"], reason="家长改报他校")
    assert Case.objects.get(pk=case.pk).state == Case.State.WITHDRAWN
    second = file_pupil(office)
    decide_all(second, office)
    second.refresh_from_db()
    with pytest.raises(CaseClosed):
        withdraw(second, actor=office["registrar"], reason="家长改报他校")


def test_a_returned_case_is_corrected_and_signed_anew(office: dict[str, Any]) -> None:
    values = make.valid_values()
    case = file_pupil(office, values=values)
    decide(case, "approve", actor=office["leader"], ticked=["01"])
    decide(case, "return", actor=office["reviewer"], reason="住址写得不完整")
    case.refresh_from_db()
    assert case.state == Case.State.RETURNED
    student = Student.objects.get(pk=case.student_id)
    refile(
        case,
        actor=office["registrar"],
        payload={
            "values": values | {"home_address": "深圳市南山区学府路9号3栋1202"},
            "version": student.version,
            "class_id": office["class"].pk,
        },
    )
    student.refresh_from_db()
    assert student.open_private()["home_address"].endswith("1202")
    step = case.steps.get(is_current=True)
    assert (step.label, step.decision) == ("学校领导审核", "")
    decide(case, "approve", actor=office["leader"], ticked=["01"])
    decide(Case.objects.get(pk=case.pk), "approve", actor=office["reviewer"], ticked=["01"])
    case.refresh_from_db()
    assert case.state == Case.State.APPROVED


@pytest.mark.rule("R-EST-05", "AZ-9")
def test_a_taken_number_gets_one_fixed_sentence_wherever_its_holder_is(office: dict[str, Any]) -> None:
    values = make.valid_values()
    make.make_student(make.make_class(make.FAR), id_number=values["id_number"])
    make.make_student(office["class"], id_number=(mine := make.valid_values())["id_number"])
    sentences = set()
    for wanted in (values, mine):
        with pytest.raises(NumberTaken) as refusal:
            file_pupil(office, values=wanted | {"name": "王另名"})
        sentences.add(refusal.value.detail)
    assert sentences == {"该证件号码已有学籍,请按转学或问题学籍办理。"}


@pytest.mark.rule("R-EST-05", "AZ-9")
def test_the_refused_attempt_leaves_a_duplicate_finding_with_its_two_sides(office: dict[str, Any]) -> None:
    values = make.valid_values()
    holder = make.make_student(make.make_class(make.FAR), id_number=values["id_number"])
    with pytest.raises(NumberTaken) as refusal:
        file_pupil(office, values=values)
    assert refusal.value.afterwards is not None
    for _again in range(2):  # a second attempt adds no second finding
        refusal.value.afterwards()
    problem = ProblemRecord.objects.get(student=holder)
    assert (problem.type, problem.side) == ("2", ProblemRecord.Side.ATTEMPT)
    assert (problem.org_path, problem.other_path) == (make.FAR, make.SCHOOL)
    assert AccessEntry.objects.filter(outcome="look_up", actor_id=office["registrar"].pk).count() == 2


@pytest.mark.rule("R-EST-08", "R-EST-05")
def test_a_disputed_number_never_keeps_a_child_out_but_blocks_the_formal_number(
    office: dict[str, Any],
) -> None:
    values = make.valid_values()
    make.make_student(make.make_class(make.FAR), id_number=values["id_number"])
    case = file_pupil(
        office, values=values, payload={"is_disputed": True, "distinct_reason": "户口本上就是此号"}
    )
    decide_all(case, office)
    finish(case)
    student = Student.objects.get(pk=case.student_id)
    finish(student)
    student.refresh_from_db()
    assert student.number[0] == "L"  # waits, with the same legal effect as G
    assert problem_types(student) == {"1", "2"}


@pytest.mark.rule("R-EST-06", "FI-7", "R-EST-08")
def test_a_wrong_check_digit_is_refused_with_the_offer_to_register_it_as_disputed(
    office: dict[str, Any],
) -> None:
    values = make.valid_values()
    last = "0" if values["id_number"][-1] != "0" else "1"
    values["id_number"] = values["id_number"][:-1] + last
    with pytest.raises(RecordRefused) as refusal:
        file_pupil(office, values=values)
    finding = next(f for f in refusal.value.findings if f.field == "id_number")
    assert finding.disputable
    assert not Student.objects.filter(name=values["name"]).exists()
    case = file_pupil(office, values=values, payload={"is_disputed": True, "distinct_reason": "按户口本登记"})
    assert IdentityDocument.objects.get(student_id=case.student_id).is_disputed


@pytest.mark.rule("R-EST-08")
def test_a_child_without_a_number_is_looked_for_first(office: dict[str, Any]) -> None:
    nameless = {
        "id_type": "Z",
        "id_number": "",
        "member1_id_type": "1",
        "member1_id_number": "440524198001010014",
    }
    values = make.valid_values(**nameless)
    values["member1_id_number"] = make.identity_number(make.first_grader_birth().replace(year=1985), "1")
    make.make_student(
        make.make_class(make.FAR), name=values["name"], birth_on=values["birth_on"], sex=values["sex"]
    )
    with pytest.raises(SearchFirst):
        file_pupil(office, values=values)
    case = file_pupil(
        office,
        values=values,
        payload={"distinct_reason": "同名不同人,家长户口本为证"},
        materials=[make_material(office["registrar"], "20")],
    )
    decide_all(case, office)
    finish(case)
    student = Student.objects.get(pk=case.student_id)
    finish(student)
    student.refresh_from_db()
    assert student.number[0] == "L"
    assert problem_types(student) == {"3"}


@pytest.mark.rule("R-EST-11")
def test_a_class_of_another_school_looks_like_none(office: dict[str, Any]) -> None:
    for school_class in (make.make_class(make.SISTER), make.make_class(make.FAR)):
        with pytest.raises(ClassUnknown):
            file_pupil(office, school_class=school_class)


@pytest.mark.rule("C5")
def test_the_class_takes_its_last_pupil_and_no_more(office: dict[str, Any]) -> None:
    school_class: SchoolClass = office["class"]
    SchoolClass.objects.filter(pk=school_class.pk).update(cap=2)
    file_pupil(office)
    file_pupil(office)
    with pytest.raises(ClassFull, match="2"):
        file_pupil(office)


@pytest.mark.rule("R-EST-07")
def test_an_under_age_child_is_refused_with_the_date_and_who_set_it(office: dict[str, Any]) -> None:
    birth = make.first_grader_birth()
    late = birth.replace(year=birth.year + 1)
    with pytest.raises(RecordRefused) as refusal:
        file_pupil(office, values=make.valid_values(birth_on=late.isoformat()))
    assert {"R-EST-07"} <= {f.rule for f in refusal.value.findings}
    file_pupil(office, values=make.valid_values(birth_on=birth.isoformat()))


def test_a_refused_filing_writes_nothing_at_all(office: dict[str, Any]) -> None:
    before = {model: model.objects.count() for model in (Student, Case, Event, IdentityDocument, Outbox)}
    material = make_material(office["registrar"])
    events = Event.objects.count()
    for values in (make.valid_values(id_number="110101900101001"), make.valid_values(sex="7")):
        with pytest.raises(Refusal):
            file_pupil(office, values=values, materials=[material])
    assert Event.objects.count() == events
    assert {m: m.objects.count() for m in before if m is not Event} == {
        m: n for m, n in before.items() if m is not Event
    }
    assert Material.objects.get(pk=material.pk).student_id is None
    assert REGISTRATION.article
