"""Two people, one case or one pupil, one moment: whoever comes second is told what happened (G-02, G-06,
RE-2).
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from accounts.models import Organization
from audit.models import Event
from config.clock import today
from config.models import Outbox
from config.scope import NATION, scoped_transaction
from registry.models import Enrolment, OpenBusiness, SchoolClass, Student
from registry.status import IN_SCHOOL, MOVED, NORMAL
from tests import make
from tests.races.ground import (
    AWAY,
    AWAY_COUNTY,
    CITY,
    COUNTY,
    PROVINCE,
    SCHOOL,
    Office,
    Person,
    make_person,
    open_office,
)
from tests.races.moves import ALL, PAPERS, class_of, open_season, papers_of, pupils_of, transfers
from tests.races.processes import Child, Nursery
from tests.races.story import TALLY
from tests.races.test_merger import approved_merger, two_offices
from tests.races.test_races import Answers, Overlap, acts_of, posted
from tests.transfers.moving import answers as answered
from tests.transfers.moving import sign_all
from transfers import filing
from transfers.kinds.transfer import TRANSFER
from transfers.models import Case, Step
from transfers.outbox import COMPLETE_CASE

ORIGIN_COUNTY = "CN.65.02.02."
ORIGIN = f"{ORIGIN_COUNTY}2165000003."
FEW, SOME, MANY = 8, 14, 20
DOORS = ("act", "api", "act", "page")  # to one service

Pair = tuple[Child, Child]


@pytest.fixture(autouse=True)
def season(web: Nursery) -> None:
    open_season()


@pytest.fixture
def race() -> Iterator[Overlap]:
    overlap = Overlap()
    yield overlap
    assert overlap.rounds > 0, "the processes never met"


@pytest.fixture
def two(web: Nursery) -> Pair:
    return web.child(), web.child()


@pytest.fixture
def hands(worker: Nursery) -> Pair:
    return worker.child(), worker.child()


def outcomes(answers: Answers) -> list[str]:
    """`ok` or what the refusal is called, in order; every loser gets 409."""
    assert {answer["status"] for answer in answers} <= {200, 201, 302, 409}, answers
    return ["ok" if answer["status"] < 400 else answer.get("code", "page") for answer in answers]


def told(answer: dict[str, Any], *words: str) -> None:
    """The loser's sentence says all of it."""
    said = answer.get("detail") or answer["page"]
    assert all(word in said for word in words), (words, said[:2000])


def loser(answers: Answers) -> dict[str, Any]:
    (found,) = (answer for answer in answers if answer["status"] == 409)
    return found


def colleague(person: str, path: str) -> Person:
    with scoped_transaction(NATION):
        return make_person(person, path)


def deciding(person: Person, case: Case, decision: str = "approve", *, door: str = "act") -> dict[str, Any]:
    """The decision through the bare service, the API or the page."""
    body: dict[str, Any] = {"decision": decision, "ticked": PAPERS}
    if decision == "refuse":
        body["text" if door == "page" else "reason"] = "材料与本人不符"
    if door == "act":
        return posted(person, "decide", case=case.pk, **body)
    route = {"page": "transfers:decide", "api": "case-decide"}[door]
    path = reverse(route, args=[case.number])
    return {"order": "post", "session": person.session, "path": path, "body": body, "form": door == "page"}


def filing_by_api(office: Office, student: Student, values: dict[str, Any], key: str) -> dict[str, Any]:
    body = {"kind": "transfer", "pupil": {"name": student.name, "number": student.number}} | values
    return {
        "order": "post", "session": office.registrar.session, "path": reverse("case-list"), "body": body,
        "key": key,
    }  # fmt: skip


def asked(target: SchoolClass, papers: list[Any]) -> dict[str, Any]:
    return {"values": answered(target), "materials": [str(paper.public_id) for paper in papers]}


def name_of(path: str) -> str:
    return Organization.objects.get(path=path).name


# ── Filing ────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("G-02", "R-TRF-06", "RE-2")
def test_two_schools_file_a_transfer_for_one_pupil(two: Pair, race: Overlap) -> None:
    origin, schools = open_office(ORIGIN), [open_office(SCHOOL), open_office(AWAY)]
    given = [asked(class_of(one), papers_of(one.registrar)) for one in schools]
    places = [name_of(COUNTY), name_of(AWAY_COUNTY)]
    for once, student in enumerate(pupils_of(class_of(origin), MANY)):
        answers = race.at_once(*(
            (child, filing_by_api(school, student, values, f"one-pupil-{once}"))
            for child, school, values in zip(two, schools, given, strict=True)
        ))  # fmt: skip
        assert "ok" in outcomes(answers)
        first = 0 if answers[0]["status"] == 201 else 1
        assert loser(answers)["code"] in ("open_business", "check_2002")
        told(loser(answers), "在办业务", places[first])
        with scoped_transaction(NATION):
            case = Case.objects.get(student=student)
            assert (case.to_path, case.number) == (schools[first].path, answers[first]["number"])
            assert OpenBusiness.objects.get(student=student).case_no == case.number
            assert acts_of(case.pk) == {"file": 1}


@pytest.mark.rule("AP-4", "RE-2", "RE-3")
def test_one_filing_is_sent_twice_by_page_and_by_api(two: Pair, race: Overlap) -> None:
    origin, school = open_office(ORIGIN), open_office(SCHOOL)
    values = asked(class_of(school), papers_of(school.registrar))
    for once, student in enumerate(pupils_of(class_of(origin), FEW)):
        sending = (page_filing if once % 2 else filing_by_api)(school, student, values, f"sent-twice-{once}")
        answers = race.at_once(*((child, sending) for child in two))
        won = {answer.get("number") or answer["to"] for answer in answers if answer["status"] < 400}
        with scoped_transaction(NATION):
            case = Case.objects.get(student=student)
            assert acts_of(case.pk) == {"file": 1}
        assert len(won) == 1
        assert case.number in won.pop()
        if outcomes(answers) != ["ok", "ok"]:
            told(loser(answers), "正在处理")


def page_filing(school: Office, student: Student, values: dict[str, Any], key: str) -> dict[str, Any]:
    """The last button of the form, after the look-up."""
    actor = school.registrar.user
    with scoped_transaction(school.path):
        found = filing.find_elsewhere(TRANSFER, actor, name=student.name, number=student.number, route="test")
    return {
        "order": "post", "session": school.registrar.session, "form": True,
        "path": reverse("transfers:file_elsewhere", args=["transfer"]),
        "body": {"action": "file", "key": key, "token": found.token, "document": values["materials"]}
        | values["values"],
    }  # fmt: skip


@pytest.mark.rule("G-06", "R-UPD-04", "RE-2")
def test_a_name_change_and_a_transfer_of_one_pupil_are_filed_at_once(two: Pair, race: Overlap) -> None:
    origin, school = open_office(ORIGIN), open_office(SCHOOL)
    values = asked(class_of(school), papers_of(school.registrar))
    for once, student in enumerate(pupils_of(class_of(origin), SOME)):
        given = {"student": student.pk, "new_name": f"{student.name}新", "material": origin.material().pk}
        renaming = posted(origin.registrar, "propose_name", **given)
        answers = race.at_once(
            (two[0], renaming), (two[1], filing_by_api(school, student, values, f"renamed-{once}"))
        )
        assert "ok" in outcomes(answers)
        is_renaming = answers[0]["status"] == 200
        words = ("在办业务", name_of(ORIGIN_COUNTY)) if is_renaming else ("在办业务", "转学", name_of(COUNTY))
        told(loser(answers), *words)
        with scoped_transaction(NATION):
            case = Case.objects.get(student=student)
            assert case.kind == ("identity_change" if is_renaming else "transfer")
            assert Student.objects.get(pk=student.pk).name == student.name
        again = two[0].ask(**renaming)  # later, while the case is open
        assert again is not None
        assert (again["status"], again["code"]) == (409, "open_business")


# ── Deciding ──────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("RE-2", "R-TRF-04")
def test_two_leaders_decide_one_step(two: Pair, race: Overlap) -> None:
    origin, school = open_office(ORIGIN), open_office(SCHOOL)
    leaders = [school.leader, colleague("leader", school.path)]
    cases = transfers(pupils_of(class_of(origin), 2 * MANY), class_of(school, cap=99), school.registrar)
    for once, case in enumerate(cases):
        second = "refuse" if once % 2 else "approve"
        answers = race.at_once(
            (two[0], deciding(leaders[0], case, door=DOORS[once // 2 % 4])),
            (two[1], deciding(leaders[1], case, second, door=DOORS[once // 2 % 4 - 1])),
        )
        assert sorted(one == "ok" for one in outcomes(answers)) == [False, True]
        first = 0 if answers[0]["status"] < 400 else 1
        told(loser(answers), leaders[first].user.name)
        assert loser(answers).get("code", "step_already_taken") == "step_already_taken"
        is_refused = first and second == "refuse"
        with scoped_transaction(NATION):
            case.refresh_from_db()
            taken = case.steps.get(ordinal=1)
            assert (taken.decided_by, taken.decision) == (leaders[first].user, second if first else "approve")
            assert case.state == ("refused" if is_refused else "waiting")
            assert case.steps.filter(is_current=True).count() == (not is_refused)
            assert OpenBusiness.objects.filter(student=case.student_id).count() == (not is_refused)
            assert acts_of(case.pk).total() == 1 + (case == cases[0])


@pytest.mark.rule("RE-2", "RE-3")
def test_one_leader_presses_twice(two: Pair, race: Overlap) -> None:
    origin, school = open_office(ORIGIN), open_office(SCHOOL)
    cases = transfers(pupils_of(class_of(origin), 2 * FEW), class_of(school), school.registrar)
    for once, case in enumerate(cases[1:]):
        pressing = deciding(school.leader, case, door=("page", "api")[once % 2])
        answers = race.at_once(*((child, pressing) for child in two))
        assert sorted(one == "ok" for one in outcomes(answers)) == [False, True]
        told(loser(answers), school.leader.user.name, "办理")
        with scoped_transaction(NATION):
            assert acts_of(case.pk) == {"approve": 1}
            assert case.steps.get(is_current=True).ordinal == 2


@pytest.mark.rule("R-TRF-05", "RE-2")
def test_the_authority_decides_while_the_school_withdraws(two: Pair, race: Overlap) -> None:
    origin, school = open_office(ORIGIN), open_office(SCHOOL)
    pupils, target = pupils_of(class_of(origin), MANY + 1), class_of(school, cap=99)
    for case in transfers(pupils, target, school.registrar, signed=1)[1:]:
        withdrawing = posted(school.registrar, "withdraw", case=case.pk, reason="家长改变主意")
        answers = race.at_once((two[0], deciding(school.reviewer, case)), (two[1], withdrawing))
        with scoped_transaction(NATION):
            case.refresh_from_db()
            said = outcomes(answers)
            if said[0] == "ok" and said[1] == "ok":  # one after the other: hers was not the last step
                assert acts_of(case.pk) == {"approve": 1, "withdraw": 1}
            elif said[0] == "ok":
                told(answers[1], school.reviewer.user.name)
                assert acts_of(case.pk) == {"approve": 1}
            else:
                told(answers[0], "已撤回")
                assert acts_of(case.pk) == {"withdraw": 1}
            is_open = said[1] != "ok"
            assert (case.state, case.is_open) == ("waiting" if is_open else "withdrawn", is_open)
            assert case.steps.filter(is_current=True).count() == is_open
            assert OpenBusiness.objects.filter(student=case.student_id).count() == is_open


@pytest.mark.rule("R-TRF-03", "RE-2")
def test_a_late_step_is_decided_while_it_is_escalated(two: Pair, hands: Pair, race: Overlap) -> None:
    origin, school = open_office(ORIGIN), open_office(SCHOOL)
    made = transfers(pupils_of(class_of(origin), SOME + 1), class_of(school, cap=99), school.registrar)
    for case in made[1:]:
        with scoped_transaction(NATION):
            Step.objects.filter(case=case, is_current=True).update(due_on=today() - timedelta(days=9))
        answers = race.at_once((two[0], deciding(school.leader, case)), (hands[0], {"order": "remind"}))
        assert outcomes(answers[:1]) == ["ok"]
        with scoped_transaction(NATION):
            step = Step.objects.get(case=case, ordinal=1)
            escalated = Event.objects.filter(action="transfers.step.escalate", detail__number=case.number)
            assert escalated.count() == (step.escalated_at is not None)
            assert (step.decision, step.is_current) == ("approve", False)
            assert case.steps.get(is_current=True).ordinal == 2


# ── While a school is merged ──────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def bureaus(web: Nursery) -> dict[str, Person]:
    posts = {"reviewer": COUNTY, "leader": COUNTY, "city": CITY, "province": PROVINCE}
    return {
        name: colleague("bureau_leader" if name == "leader" else "reviewer", path)
        for name, path in posts.items()
    }


def begun(merger: Case, hand: Child) -> dict[str, Any]:
    """The merger's first batch is done: the schools are locked. Returns the order to do the rest."""
    owed = Outbox.objects.get(kind=COMPLETE_CASE, subject_id=merger.pk)
    assert hand.ask("perform", pk=owed.pk)
    return {"order": "move", "case": merger.pk, "batch": 3}


@pytest.mark.rule("G-05", "R-TRF-17", "RE-2", "RE-5")
def test_a_school_is_merged_while_pupils_move_in_and_out(
    bureaus: dict[str, Person], two: Pair, hands: Pair
) -> None:
    """What was approved is completed under the successor; who decides meanwhile is told to wait."""
    far, said = open_office(ORIGIN), Counter[str]()
    here, there = two_offices()
    own, other = class_of(here), class_of(far)
    stay, leave, come = pupils_of(own, 4), pupils_of(own, 6), pupils_of(other, 6)
    ready = transfers(leave[:3], other, far.registrar, signed=ALL)
    ready += transfers(come[:3], own, here.registrar, signed=ALL)
    waiting = transfers(leave[3:], other, far.registrar, signed=1)
    waiting += transfers(come[3:], own, here.registrar, signed=2)
    deciding_now = [
        deciding(far.reviewer if case.to_path == far.path else far.leader, case) for case in waiting
    ]
    merger = approved_merger(here, there, bureaus)
    hands[0].tell(**begun(merger, hands[0]))
    hands[1].tell("work", cases=[case.pk for case in ready], students=[])
    for order in deciding_now * 2:
        said.update([answer_of(two[0], order)])
    assert all("performed" in (hand.hear() or {}) for hand in hands)
    for order in deciding_now:
        assert answer_of(two[0], order) in ("ok", "step_already_taken")
    with scoped_transaction(NATION):
        for case in (waiting[0], waiting[-1]):
            sign_all(case)
        finished = {merger, *ready, waiting[0], waiting[-1]}
        for case in (merger, *ready, *waiting):
            case.refresh_from_db()
            assert case.state == ("done" if case in finished else "waiting")
        now = {there.path: [*stay, *leave[4:], *come[:3], come[-1]], far.path: [*leave[:4], *come[3:-1]]}
        for path, students in now.items():
            ids = [student.pk for student in students]
            spells = Enrolment.objects.filter(student__in=ids, status=NORMAL, is_void=False, org_path=path)
            assert spells.count() == len(ids)
            assert Student.objects.filter(pk__in=ids, org_path=path).count() == len(ids)
        for rows in (Student.objects, Enrolment.objects, Case.objects, OpenBusiness.objects):
            assert not rows.within(here.path).exists()
    assert set(said) <= {"ok", "office_moving", "step_already_taken"}
    assert said["office_moving"] > 0


def answer_of(clerk: Child, order: dict[str, Any]) -> str:
    """`ok` or the code of the refusal."""
    answer = clerk.ask(**order)
    assert answer is not None
    return outcomes([answer])[0]


@pytest.mark.rule("G-05", "B3", "RE-2")
def test_a_transfer_between_two_schools_is_filed_while_their_merger_begins(
    bureaus: dict[str, Person], two: Pair, hands: Pair, race: Overlap
) -> None:
    """Whichever comes first: a transfer that could not end any more is refused, or stops the merger."""
    for once in range(3):
        here, there = two_offices()
        (student,) = pupils_of(class_of(here), 1)
        values = asked(class_of(there), papers_of(there.registrar))
        merger = approved_merger(here, there, bureaus)
        owed = Outbox.objects.get(kind=COMPLETE_CASE, subject_id=merger.pk).pk
        filing_it = filing_by_api(there, student, values, f"between-{once}")
        if once:
            beginning = {"order": "perform", "pk": owed}
            answer = race.at_once((two[0], filing_it), (hands[0], beginning))[0]
        else:
            answer = two[0].ask(**filing_it) or {}
        hands[0].ask("work", cases=[merger.pk], students=[])
        filed = outcomes([answer])[0] if once else "ok"
        with scoped_transaction(NATION):
            merger.refresh_from_db()
            assert Case.objects.filter(student=student).count() == (filed == "ok")
            if filed == "ok":
                assert merger.state == "refused"
                (event,) = Event.objects.filter(action="transfers.case.refuse", subject_id=merger.pk)
                assert "两校之间有 1 个在办转学" in event.reason
            else:
                assert (filed, merger.state) == ("office_moving", "done")
                told(answer, "单位合并")


# ── Completion ────────────────────────────────────────────────────────────────────────────────────────────
def performing(case: Case) -> dict[str, Any]:
    return {"order": "work", "cases": [case.pk], "students": []}


def refused_by_itself(case: Case, *words: str) -> None:
    """Completion rejected it with the reason; the pupil is where she was, and free."""
    case.refresh_from_db()
    assert (case.state, case.card) == ("refused", None)
    (event,) = Event.objects.filter(action="transfers.case.refuse", subject_id=case.pk)
    assert all(word in event.reason for word in words), event.reason
    spell = Enrolment.objects.get(student=case.student_id)
    assert (spell.status, spell.org_path, spell.valid.upper) == (NORMAL, case.from_path, None)
    assert not OpenBusiness.objects.filter(student=case.student_id).exists()
    assert not Outbox.objects.filter(kind=COMPLETE_CASE, subject_id=case.pk, done_at=None).exists()


@pytest.mark.rule("G-19", "R-TRF-10", "R-UPD-06", "RE-2")
def test_two_transfers_complete_into_the_last_seat(hands: Pair, race: Overlap) -> None:
    origin, school = open_office(ORIGIN), open_office(SCHOOL)
    target = class_of(school, cap=99)
    made = transfers(pupils_of(class_of(origin), 2 * SOME), target, school.registrar, signed=ALL)
    for seats, pair in enumerate(zip(made[::2], made[1::2], strict=True), start=1):
        with scoped_transaction(NATION):
            SchoolClass.objects.filter(pk=target.pk).update(cap=seats)
        race.at_once(*((hand, performing(case)) for hand, case in zip(hands, pair, strict=True)))
        with scoped_transaction(NATION):
            assert target.enrolments.filter(status__in=IN_SCHOOL, is_void=False).count() == seats
            won, lost = sorted(pair, key=lambda case: Case.objects.get(pk=case.pk).state)
            assert Case.objects.get(pk=won.pk).state == "done"
            refused_by_itself(lost, target.name, "上限")


@pytest.mark.rule("G-19", "R-TRF-10", "C5", "RE-2")
def test_a_registration_and_a_transfer_want_the_last_seat(two: Pair, hands: Pair, race: Overlap) -> None:
    origin, school = open_office(ORIGIN), open_office(SCHOOL)
    entry = school.school_class
    made = transfers(pupils_of(origin.school_class, SOME), entry, school.registrar, signed=ALL)
    for seats, case in enumerate(made, start=1):
        with scoped_transaction(NATION):
            SchoolClass.objects.filter(pk=entry.pk).update(cap=seats)
        answers = race.at_once(
            (two[0], posted(school.registrar, "file", **school.filing())), (hands[0], performing(case))
        )
        (registration,) = outcomes(answers[:1])
        with scoped_transaction(NATION):
            assert entry.enrolments.filter(status__in=IN_SCHOOL, is_void=False).count() == seats
            if registration == "ok":
                refused_by_itself(case, entry.name, "上限")
            else:
                assert registration == "class_full"
                told(answers[0], entry.name)
                assert Case.objects.get(pk=case.pk).state == "done"


@pytest.mark.rule("RE-2", "R-TRF-17")
def test_transfers_that_cross_do_not_wait_for_each_other(hands: Pair, race: Overlap) -> None:
    """Twenty seeds of A → B and B → A at once, quotas and classes locked on both sides."""
    offices = open_office(ORIGIN), open_office(SCHOOL)
    classes = [class_of(office, cap=99) for office in offices]
    with scoped_transaction(NATION):
        make.make_rule("QUOTA_ENABLED", True, PROVINCE)
        make.make_rule("QUOTA", 90_000, PROVINCE)
    there, back = (
        transfers(pupils_of(classes[one], MANY), classes[1 - one], offices[1 - one].registrar, signed=ALL)
        for one in (0, 1)
    )
    before = deadlocks()
    for seed in range(MANY):
        turns = Random(seed).sample([there[seed], back[seed]], 2)
        answers = race.at_once(*((hand, performing(case)) for hand, case in zip(hands, turns, strict=True)))
        assert [answer["performed"] for answer in answers] == [1, 1]
    TALLY.deadlocks += deadlocks() - before
    assert TALLY.deadlocks == 0
    with scoped_transaction(NATION):
        make.make_rule("QUOTA_ENABLED", False, PROVINCE)
        for cases, target in ((there, classes[1]), (back, classes[0])):
            ids = [case.student_id for case in cases]
            spells = Enrolment.objects.filter(student__in=ids, is_void=False)
            assert Counter(spells.values_list("status", flat=True)) == {MOVED: len(ids), NORMAL: len(ids)}
            assert set(spells.filter(status=NORMAL).values_list("school_class", flat=True)) == {target.pk}


def deadlocks() -> int:
    """How many the server has resolved in this database by killing one side."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
