"""Two processes, one moment, one winner. The loser is told why, and nothing is half done (G-01, RE-2)."""

import time
from collections import Counter
from typing import Any

import pytest
from django.urls import reverse

from audit.models import AccessEntry, Event
from audit.services import System
from config.clock import today
from config.models import Outbox
from config.scope import NATION, ancestors, scope, scoped_transaction
from registry.models import (
    Enrolment,
    IdentityDocument,
    OpenBusiness,
    ProblemRecord,
    SchoolClass,
    Student,
    StudentNumber,
)
from registry.record import school_year_start
from registry.services.allowances import set_plan
from registry.services.duplicates import Suspicion, note_problem
from registry.services.intake_rules import entrants
from registry.services.numbering import issue_temporary
from registry.status import PENDING, REFUSED
from tests import make
from tests.races.ground import AWAY, Office, Person, make_person, make_pupil, new_values, open_office
from tests.races.processes import Child, Nursery
from tests.races.story import TALLY
from transfers.completion import perform_owed
from transfers.filing import file_pupil as file_for
from transfers.forms import ASKED_KEYS
from transfers.kinds.problem_deletion import PROBLEM_DELETION
from transfers.models import Case
from transfers.outbox import COMPLETE_CASE, SETTLE_PROBLEM, owe
from transfers.services import decide

ROUNDS = 6
SOON_SECONDS = 0.03

Answers = list[dict[str, Any]]


class Overlap:
    """How many rounds really ran at the same time: without one, a race would prove nothing."""

    def __init__(self) -> None:
        self.rounds = 0

    def at_once(self, *orders: tuple[Child, dict[str, Any]]) -> Answers:
        """Give every child its order for the same moment; returns the answers in order."""
        start_at = time.time() + SOON_SECONDS
        for child, order in orders:
            child.tell(start_at=start_at, **order)
        answers = [child.hear() for child, _order in orders]
        found = [answer for answer in answers if answer is not None]
        assert len(found) == len(orders), "a process died"
        met = max(answer["began"] for answer in found) < min(answer["ended"] for answer in found)
        self.rounds += met
        TALLY.rounds, TALLY.met = TALLY.rounds + 1, TALLY.met + met
        assert not any("error" in answer for answer in found), found
        return found


@pytest.fixture
def race() -> Any:
    overlap = Overlap()
    yield overlap
    assert overlap.rounds > 0, "the processes never met"


@pytest.fixture
def two(web: Nursery) -> tuple[Child, Child]:
    return web.child(), web.child()


@pytest.fixture
def two_workers(worker: Nursery) -> tuple[Child, Child]:
    return worker.child(), worker.child()


def posted(person: Person, name: str, **body: Any) -> dict[str, Any]:
    return {"order": "post", "session": person.session, "path": f"/api/races/{name}", "body": body}


def do(child: Child, person: Person, name: str, **body: Any) -> dict[str, Any]:
    """One act, alone, that must succeed."""
    answer = child.ask(**posted(person, name, **body))
    assert answer is not None
    assert answer["status"] == 200, answer
    return answer


def outcomes(answers: Answers) -> list[Any]:
    """`ok` or the code of the refusal, sorted."""
    return sorted("ok" if answer["status"] == 200 else answer["code"] for answer in answers)


def acts_of(case: int) -> Counter[str]:
    found = Event.objects.filter(subject_type="case", subject_id=case).values_list("action", flat=True)
    return Counter(action.removeprefix("transfers.case.") for action in found)


@pytest.mark.rule("G-01", "R-EST-01", "R-EST-05", "RE-2", "RE-5", "AZ-9")
def test_two_schools_register_one_number_at_the_same_instant(two: tuple[Child, Child], race: Overlap) -> None:
    offices = open_office(), open_office(AWAY)
    for _round in range(20):
        values = [new_values() for _ in offices]
        # One number, two families: name and address differ, the number cannot.
        values[1] |= {key: values[0][key] for key in ("id_number", "birth_on")}
        answers = race.at_once(*(
            (child, posted(office.registrar, "file", **office.filing(mine)))
            for child, office, mine in zip(two, offices, values, strict=True)
        ))  # fmt: skip
        assert outcomes(answers) == ["number_taken", "ok"]
        first = 0 if answers[0]["status"] == 200 else 1
        winner, loser = offices[first], offices[1 - first]
        student, names = answers[first]["student"], [mine["name"] for mine in values]
        with scoped_transaction(NATION):
            assert list(Student.objects.filter(name__in=names).values_list("pk", flat=True)) == [student]
            assert Enrolment.objects.get(student=student, is_void=False).status == PENDING
            assert IdentityDocument.objects.filter(student=student, is_claimed=True).count() == 1
            assert Case.objects.filter(student=student).count() == 1
            problem = ProblemRecord.objects.get(student=student)
            assert (problem.type, problem.side) == ("2", ProblemRecord.Side.ATTEMPT)
            assert (problem.org_path, problem.other_path) == (winner.path, loser.path)
            assert Event.objects.filter(action="registry.problem.found", subject_id=problem.pk).count() == 1
            refused = AccessEntry.objects.filter(
                actor_id=loser.registrar.user.pk, outcome=AccessEntry.Outcome.REFUSED, code="number_taken"
            ).latest("id")
            assert str(refused.request_id)[:8].upper() == answers[1 - first]["reference"]


@pytest.mark.rule("AP-4", "RE-2", "RE-3")
def test_one_form_is_sent_twice_at_once(two: tuple[Child, Child], race: Overlap) -> None:
    """The real page, a double click: one case, and the second answer leads to it or says to wait."""
    office, page = open_office(), reverse("transfers:register_form")
    for once in range(ROUNDS):
        values = new_values()
        form = {key: text for key, text in values.items() if key in ASKED_KEYS} | {
            "action": "file",
            "key": f"double-click-{once}",
            "class_id": str(office.school_class.pk),
            "document": str(office.material().public_id),
        }
        sending: dict[str, Any] = {
            "order": "post", "session": office.registrar.session, "path": page, "body": form, "form": True,
        }  # fmt: skip
        answers = race.at_once(*((child, sending) for child in two))
        with scoped_transaction(NATION):
            case = Case.objects.get(student__name=values["name"])
            assert acts_of(case.pk) == {"file": 1}
            assert not ProblemRecord.objects.filter(student=case.student_id).exists()
        case_page = reverse("transfers:case", args=[case.number])
        assert {answer["to"] for answer in answers} in ({case_page}, {case_page, ""})
        assert {answer["status"] for answer in answers} in ({302}, {302, 409})
        again = two[0].ask(**sending)
        assert again is not None
        assert (again["status"], again["to"]) == (302, case_page)


@pytest.mark.rule("R-UPD-04", "RE-2")
def test_two_registrars_save_the_same_pupil(two: tuple[Child, Child], race: Overlap) -> None:
    office = open_office()
    with scoped_transaction(NATION):
        colleague = make_person("registrar", office.path)
    student = make_pupil(office)
    for version in range(1, ROUNDS + 1):
        talents = [f"围棋{version}", f"长笛{version}"]
        answers = race.at_once(*(
            (child, posted(person, "update", student=student.pk, version=version, values={"talent": talent}))
            for child, person, talent in zip(two, (office.registrar, colleague), talents, strict=True)
        ))  # fmt: skip
        assert outcomes(answers) == ["changed_meanwhile", "ok"]
        won = talents[0 if answers[0]["status"] == 200 else 1]
        with scoped_transaction(NATION):
            now = Student.objects.get(pk=student.pk)
            assert (now.talent, now.version) == (won, version + 1)
            changes = Event.objects.filter(action="registry.student.update", subject_id=student.pk)
            assert changes.count() == version


@pytest.mark.rule("C5", "RE-2")
def test_the_last_seat_is_taken_once(two: tuple[Child, Child], race: Overlap) -> None:
    office = open_office()
    for seats in range(1, ROUNDS + 1):
        with scoped_transaction(NATION):
            SchoolClass.objects.filter(pk=office.school_class.pk).update(cap=seats)
        answers = race.at_once(
            *((child, posted(office.registrar, "file", **office.filing())) for child in two)
        )
        assert outcomes(answers) == ["class_full", "ok"]
        with scoped_transaction(NATION):
            assert Enrolment.objects.filter(school_class=office.school_class).in_school().count() == seats


@pytest.mark.rule("INTAKE_PLAN", "RE-2")
def test_the_last_place_of_the_plan_is_taken_once_though_the_classes_differ(
    two: tuple[Child, Child], race: Overlap
) -> None:
    office, other = open_office(), open_office()
    with scoped_transaction(NATION):
        make.make_rule("INTAKE_PLAN", "block", office.path)
        reviewer = make.make_reviewer(ancestors(office.path)[-2])
        school = office.school_class.school
        year = school_year_start(today()).year
        taken = entrants(office.path, year, "2")
    for places in range(taken + 1, taken + 1 + ROUNDS):
        with scoped_transaction(NATION):
            set_plan(school, year, "2", places, document="竞争测试", actor=reviewer)
        answers = race.at_once(
            (two[0], posted(office.registrar, "file", **office.filing())),
            (two[1], posted(office.registrar, "file", **other.filing())),
        )
        assert outcomes(answers) == ["ok", "plan_exceeded"]
        with scoped_transaction(NATION):
            assert entrants(office.path, year, "2") == places
    with scoped_transaction(NATION):
        make.make_rule("INTAKE_PLAN", "off", office.path)


def filed(child: Child, office: Office, *, signed: bool = False) -> dict[str, Any]:
    answer = do(child, office.registrar, "file", **office.filing())
    if signed:
        do(child, office.leader, "decide", case=answer["case"], decision="approve")
    return answer


@pytest.mark.rule("RE-2", "R-TRF-04")
def test_two_reviewers_decide_one_step_at_once(two: tuple[Child, Child], race: Overlap) -> None:
    office = open_office()
    with scoped_transaction(NATION):
        colleague = make_person("reviewer", office.reviewer.user.acting_path)
    for _round in range(ROUNDS):
        case = filed(two[0], office, signed=True)["case"]
        refusal = {"decision": "refuse", "reason": "材料与本人不符"}
        answers = race.at_once(
            (two[0], posted(office.reviewer, "decide", case=case, decision="approve")),
            (two[1], posted(colleague, "decide", case=case, **refusal)),
        )
        assert outcomes(answers) == ["ok", "step_already_taken"]
        is_approved = answers[0]["status"] == 200
        with scoped_transaction(NATION):
            state = Case.objects.get(pk=case).state
            owed = Outbox.objects.filter(kind="complete_case", subject_id=case).count()
            assert (state, owed) == (("approved", 1) if is_approved else ("refused", 0))
            last = {"approve": 2} if is_approved else {"approve": 1, "refuse": 1}
            assert acts_of(case) == {"file": 1} | last


@pytest.mark.rule("R-TRF-05", "RE-2")
def test_the_reviewer_approves_while_the_school_withdraws(two: tuple[Child, Child], race: Overlap) -> None:
    office = open_office()
    for _round in range(ROUNDS):
        filing = filed(two[0], office, signed=True)
        case, student = filing["case"], filing["student"]
        answers = race.at_once(
            (two[0], posted(office.reviewer, "decide", case=case, decision="approve")),
            (two[1], posted(office.registrar, "withdraw", case=case, reason="家长改报他校")),
        )
        assert sorted(answer["status"] for answer in answers) == [200, 409], answers
        is_approved = answers[0]["status"] == 200
        with scoped_transaction(NATION):
            found, spell = Case.objects.get(pk=case), Enrolment.objects.get(student=student)
            owed = Outbox.objects.filter(kind="complete_case", subject_id=case).count()
            locks = OpenBusiness.objects.filter(student=student).count()
            if is_approved:
                assert (found.state, spell.status, spell.is_void) == ("approved", PENDING, False)
                assert (owed, locks, found.card is None) == (1, 1, False)
                assert acts_of(case) == {"file": 1, "approve": 2}
            else:
                assert (found.state, spell.status, spell.is_void) == ("withdrawn", REFUSED, True)
                assert (owed, locks, found.card) == (0, 0, None)
                assert acts_of(case) == {"file": 1, "approve": 1, "withdraw": 1}


@pytest.mark.rule("RE-1", "RE-2", "RE-5")
def test_two_workers_perform_one_effect(
    two: tuple[Child, Child], two_workers: tuple[Child, Child], race: Overlap
) -> None:
    office = open_office()
    for _round in range(ROUNDS):
        filing = filed(two[0], office, signed=True)
        case, student = filing["case"], filing["student"]
        do(two[0], office.reviewer, "decide", case=case, decision="approve")
        for kind, subject in (("complete_case", case), ("number_student", student)):
            owed = Outbox.objects.get(kind=kind, subject_id=subject, done_at=None).pk
            answers = race.at_once(*((child, {"order": "perform", "pk": owed}) for child in two_workers))
            assert sorted(answer["done"] for answer in answers) == [False, True]
            again = two_workers[0].ask("perform", pk=owed)
            assert again is not None
            assert again["done"] is False
        with scoped_transaction(NATION):
            assert acts_of(case) == {"file": 1, "approve": 2, "complete": 1}
            issued = Event.objects.filter(action="registry.number.issue", subject_id=student)
            assert sorted(event.detail["kind"] for event in issued) == ["G", "L"]
            assert not Outbox.objects.filter(subject_id__in=(case, student), done_at=None).exists()


@pytest.mark.rule("R-NUM-01", "R-NUM-02", "R-NUM-06", "RE-2")
def test_one_pupil_is_numbered_by_two_workers(two_workers: tuple[Child, Child], race: Overlap) -> None:
    office = open_office()
    for _round in range(ROUNDS):
        student = make_pupil(office)
        with scoped_transaction(NATION):
            issue_temporary(student, actor=System())
        answers = race.at_once(
            *((child, {"order": "number", "student": student.pk}) for child in two_workers)
        )
        with scoped_transaction(NATION):
            numbers = StudentNumber.objects.filter(student=student).order_by("id")
            current = [row.number for row in numbers if row.is_current]
            assert [row.number[0] for row in numbers] == ["L", "G"]
            assert [answer["number"] for answer in answers] == current * 2
            assert Student.objects.get(pk=student.pk).number == current[0]


@pytest.mark.rule("R-NUM-01", "R-NUM-03", "RE-2")
def test_pupils_without_an_identity_number_get_different_numbers(
    two_workers: tuple[Child, Child], race: Overlap
) -> None:
    """J numbers of one place and birth date count up: both workers try the same next one."""
    office = open_office()
    guardian = {"member1_id_type": "1", "member1_id_number": "110101198001010010"}
    for _round in range(ROUNDS):
        born = new_values()["birth_on"]
        pair = [make_pupil(office, id_type="Z", id_number="", birth_on=born, **guardian) for _ in two_workers]
        with scoped_transaction(NATION):
            for student in pair:
                issue_temporary(student, actor=System())
        answers = race.at_once(*(
            (child, {"order": "number", "student": student.pk})
            for child, student in zip(two_workers, pair, strict=True)
        ))  # fmt: skip
        numbers = {answer["number"] for answer in answers}
        assert len(numbers) == 2
        assert {number[0] for number in numbers} == {"J"}


@pytest.mark.rule("R-EST-05", "RE-2")
def test_two_records_of_one_child_are_checked_at_once(
    two_workers: tuple[Child, Child], race: Overlap
) -> None:
    """Each check writes the same pair of sides: one finding, and neither worker fails."""
    office = open_office()
    for _round in range(ROUNDS):
        same = new_values(id_type="Z", id_number="")
        pair = [make_pupil(office, **same) for _ in two_workers]
        with scoped_transaction(NATION):
            for student in pair:
                issue_temporary(student, actor=System())
                owe("number_student", student.pk, NATION)
        owed = [Outbox.objects.get(subject_id=student.pk, kind="number_student").pk for student in pair]
        answers = race.at_once(*(
            (child, {"order": "perform", "pk": pk}) for child, pk in zip(two_workers, owed, strict=True)
        ))  # fmt: skip
        assert [answer["done"] for answer in answers] == [True, True]
        with scoped_transaction(NATION):
            assert ProblemRecord.objects.filter(student__in=pair, is_hint=False).count() == 1
            numbers = StudentNumber.objects.filter(student__in=pair, is_current=True)
            assert [row.number[0] for row in numbers] == ["L", "L"]


@pytest.mark.rule("R-PRB-02", "RE-2")
def test_both_schools_delete_their_record_of_one_child_at_once(
    two_workers: tuple[Child, Child], race: Overlap
) -> None:
    """By one problem record of the pair or by one each: the child keeps exactly one record."""
    offices = open_office(), open_office(AWAY)
    for turn in range(3):
        same = new_values(id_type="Z", id_number="")
        pair = [make_pupil(office, **same) for office in offices]
        with scoped_transaction(NATION):
            found = [
                note_problem(
                    pair[0], Suspicion(code, pair[1], False, "测试"), actor=System(), found_by="全国查重"
                )
                for code in ("2", "3")
            ]
            about = (found[0], found[turn % 2])
            cases = [
                approved_deletion(office, student, problem)
                for office, student, problem in zip(offices, pair, about, strict=True)
            ]
        owed = [Outbox.objects.get(subject_id=case.pk, kind=COMPLETE_CASE).pk for case in cases]
        race.at_once(*(
            (child, {"order": "perform", "pk": pk}) for child, pk in zip(two_workers, owed, strict=True)
        ))  # fmt: skip
        for pk in Outbox.objects.filter(kind=SETTLE_PROBLEM, done_at=None).values_list("pk", flat=True):
            perform_owed(pk)
        with scoped_transaction(NATION):
            states = Case.objects.filter(pk__in=[case.pk for case in cases]).values_list("state", flat=True)
            assert sorted(states) == ["done", "refused"]
            assert Enrolment.objects.filter(student__in=pair, is_void=False).count() == 1
            assert not ProblemRecord.objects.filter(student=pair[0], closed_at=None).exists()


def approved_deletion(office: Office, student: Student, problem: ProblemRecord | None) -> Case:
    """The deletion of the office's record, to which everybody has agreed: only the worker is missing."""
    assert problem
    told = {"problem": str(problem.pk), "attends": "there", "verified": "已与监护人核对"}
    user = office.registrar.user
    with scope(office.path):
        case = file_for(PROBLEM_DELETION, user.acting_office, student, told, actor=user, materials=[])
    for person in (office.leader.user, office.reviewer.user):
        with scope(person.acting_path):
            decide(Case.objects.get(pk=case.pk), "approve", actor=person)
    return case
