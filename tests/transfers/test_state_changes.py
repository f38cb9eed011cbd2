"""Changes of state from filing to their effect, and every condition's refusal beside its success."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Notice
from audit.models import AccessEntry
from config.clock import today
from config.workdays import add_workdays
from registry.models import Attendance, DropoutEntry, SchoolClass, StatusChange, Student, Term
from registry.record import school_year_start
from registry.services.changing import Change, change_status
from registry.services.intake_rules import seats_left
from registry.services.refusals import EvidenceMissing, RecordFrozen, RecordRefused
from registry.services.seasons import study_year
from registry.status import (
    ABROAD,
    DEAD,
    DROPPED_OUT,
    EXPELLED,
    LEFT,
    MISSING,
    NORMAL,
    STATUSES,
    SUSPENDED,
    WITHDRAWN,
)
from tests import make
from tests.transfers.filing import finish, make_material
from tests.transfers.world import World
from transfers.filing import file_pupil, offers
from transfers.kind import Proposed
from transfers.kinds import KINDS
from transfers.kinds.states import STATE_KINDS
from transfers.models import Case
from transfers.refusals import CaseLocked, EvidenceNotTicked, ExceptionOpen, RequirementFailed
from transfers.services import decide, refile
from transfers.tasks import watch_suspensions

pytestmark = pytest.mark.usefixtures("nation")
ONE_DAY = timedelta(days=1)
Days = Callable[[], str]


def days(count: int) -> Days:
    """The day so many days from today, when it is asked for."""
    return lambda: (today() + timedelta(days=count)).isoformat()


@pytest.fixture
def world() -> World:
    return World()


# ── One good case of each kind ────────────────────────────────────────────────────────────────────────────
def a_pupil(grade: str, status: str = NORMAL) -> Callable[[World], Student]:
    return lambda world: world.pupil(grade, status)


def on_leave(grade: str, until: int, reason: str = "05") -> Callable[[World], Student]:
    return lambda world: world.suspended(grade, today() + timedelta(days=until), reason=reason)


def a_dropout(world: World) -> Student:
    student = world.pupil("22", DROPPED_OUT)
    DropoutEntry.objects.create(
        org_path=make.SCHOOL, student=student, case_no="LS1", reason="01", opened_on=today(),
        last_seen_on=today(),
    )  # fmt: skip
    return student


def before_year_end(world: World) -> Student:
    world.term("2", -30, 200)
    world.term("1", -100, -31)
    return world.pupil("31")


def at_year_begin(world: World) -> Student:
    make.make_rule("SKIP_ALLOWED", True, make.PROVINCE)
    world.term("1", -3, 100)
    return world.pupil("22")


def with_disability(world: World) -> Student:
    return world.pupil("13", disability="1")


@dataclass(frozen=True)
class Good:
    """A case that goes through: whom it is about, what is said, and what becomes of her."""

    pupil: Callable[[World], Student]
    status: str
    category: str
    grade: str
    given: dict[str, Any] = field(default_factory=dict)
    papers: tuple[str, ...] = ()
    reason: str = ""


GOOD = {
    "suspension": Good(a_pupil("13"), SUSPENDED, "11", "13", {"until": days(300)}, reason="01"),
    "extension": Good(on_leave("13", 60), SUSPENDED, "11", "13", {"until": days(300)}, reason="01"),
    "resumption": Good(on_leave("13", 10), NORMAL, "12", "12", {"to_grade": "12"}),
    "repeat": Good(before_year_end, NORMAL, "02", "31"),
    "skip": Good(at_year_begin, NORMAL, "04", "23", {"to_grade": "23"}),
    "lower_grade": Good(with_disability, NORMAL, "03", "12", {"to_grade": "12"}),
    "abroad": Good(a_pupil("13"), ABROAD, "19", "13", {"country": "JPN"}, reason="28"),
    "abroad_return": Good(
        a_pupil("13", ABROAD), NORMAL, "08", "14", {"to_grade": "14", "country": "JPN"}
    ),
    "withdrawal": Good(a_pupil("32"), WITHDRAWN, "31", "32", reason="10"),
    "automatic_withdrawal": Good(a_pupil("32"), WITHDRAWN, "31", "32", reason="21"),
    "expulsion": Good(a_pupil("32"), EXPELLED, "42", "32", reason="23"),
    "death": Good(a_pupil("13"), DEAD, "51", "13", reason="40"),
    "missing": Good(a_pupil("13"), MISSING, "19", "13"),
    "other_leaving": Good(a_pupil("13"), LEFT, "99", "13"),
    "dropout": Good(a_pupil("22"), DROPPED_OUT, "19", "22", {"happened_on": days(-40)}, reason="01"),
    "return_to_school": Good(a_dropout, NORMAL, "12", "21", {"to_grade": "21"}),
}  # fmt: skip


def test_every_change_of_state_has_its_row() -> None:
    assert set(GOOD) == {kind.code for kind in STATE_KINDS}


@pytest.mark.rule("R-CHG-08", "R-CHG-11", "R-DRP-03", "R-DRP-07")
@pytest.mark.parametrize("code", GOOD)
def test_three_steps_bring_the_change(world: World, code: str) -> None:
    good, kind = GOOD[code], KINDS[code]
    student = good.pupil(world)
    spell = student.enrolments.get()
    was, ends = spell.status, today() + 90 * ONE_DAY
    stay = Attendance.objects.create(
        org_path=make.NEIGHBOUR, home_path=make.SCHOOL, student=student, name=student.name, sex="2",
        host=make.make_office(make.NEIGHBOUR), home=world.school, case_no="JD1", grade=spell.grade,
        school_class=make.make_class(make.NEIGHBOUR), valid=DateRange(today() - 30 * ONE_DAY, ends),
    )  # fmt: skip
    case = world.file(code, student, *good.papers, **good.given)
    assert student.enrolments.get().status == was, "nothing changes before the last decision"
    with pytest.raises(CaseLocked):
        world.file("death", student)
    assert [step.office_path for step in case.steps.order_by("ordinal")] == [make.SCHOOL, make.COUNTY]
    proposed = {one.label: (one.before, one.after) for one in _proposed(case)}
    if good.status != was:
        assert proposed["学籍状态"] == (STATUSES[was].name, STATUSES[good.status].name)
    if "to_grade" in good.given:
        assert proposed["班级"][1].endswith(f"{good.grade}班")
    world.decide(case)
    assert case.state == Case.State.DONE, case.state

    spell.refresh_from_db()
    assert (spell.status, spell.grade, spell.school_class) == (
        good.status, good.grade, world.school_class(good.grade)
    )  # fmt: skip
    assert (spell.valid.upper is None) is STATUSES[good.status].is_open
    change = StatusChange.objects.get(case_no=case.number)
    assert (change.kind, change.category, change.reason) == (kind.code, good.category, good.reason)
    assert (change.from_status, change.to_status, change.to_grade) == (was, good.status, good.grade)
    # Whoever is not in school at home is no guest elsewhere; only a return or an end strikes off the ledger.
    stay.refresh_from_db()
    assert stay.valid.upper == (ends if STATUSES[good.status].in_school else today())
    ledger = list(DropoutEntry.objects.filter(student=student).values_list("closed_by_case", flat=True))
    assert ledger == {"dropout": [""], "return_to_school": [case.number]}.get(code, [])


def _proposed(case: Case) -> list[Proposed]:
    propose = KINDS[case.kind].proposes
    assert propose is not None
    return propose(case, case.open_card())


# ── Every condition refuses ───────────────────────────────────────────────────────────────────────────────
Spoil = Callable[[World, Student], Any]


def in_grade(grade: str) -> Spoil:
    """Put her into another grade beforehand."""

    def spoil(world: World, student: Student) -> None:
        one = world.school_class(grade)
        student.enrolments.update(grade=grade, school_class=one, class_number=one.number)

    return spoil


def frozen(grade: str) -> Spoil:
    def spoil(world: World, student: Student) -> None:
        in_grade(grade)(world, student)
        make.make_rule("GRADUATING_FREEZE", f"{today():%m%d}..{today():%m%d}", make.NATION)

    return spoil


def full(grade: str) -> Spoil:
    """The class has as many as it may have."""

    def spoil(world: World, student: Student) -> None:
        one = make.make_class(grade=grade, cap=1)
        make.make_student(one)
        world.classes[grade] = one

    return spoil


def last_term(world: World, student: Student) -> None:
    in_grade("16")(world, student)
    world.term("2", -5, 100, school_year_start(today()).year)


def rule_is(key: str, value: object) -> Spoil:
    return lambda world, student: make.make_rule(key, value, make.PROVINCE)


def repeated_twice(world: World, student: Student) -> None:
    for number in ("LJ1", "LJ2"):
        StatusChange.objects.create(
            from_path=make.SCHOOL, to_path=make.SCHOOL, counted_path=make.SCHOOL, student=student,
            case_no=number, kind="repeat", category="02", from_school=world.school,
            to_school=world.school, from_status=NORMAL, to_status=NORMAL, from_grade="31",
            to_grade="31", happened_on=today() - 400 * ONE_DAY, effective_on=today() - 400 * ONE_DAY,
        )  # fmt: skip


def year_ends_soon(world: World, student: Student) -> None:
    world.term("2", -100, 5)


def year_began_long_ago(world: World, student: Student) -> None:
    world.term("1", -60, 50)


def no_change(world: World, student: Student) -> None:
    pass


# kind, condition, what is said otherwise, what is otherwise
REFUSED: list[tuple[str, str, dict[str, Any], Spoil]] = [
    ("suspension", "request", {"on_request": "0"}, no_change),
    ("suspension", "months", {"until": days(380)}, no_change),
    ("suspension", "begins", {"starts_on": days(-1000), "until": days(1)}, no_change),
    ("suspension", "illness", {"rest_days": "30"}, no_change),
    ("suspension", "graduating", {}, last_term),
    ("suspension", "graduating_freeze", {}, frozen("16")),
    ("extension", "request", {"on_request": "0"}, no_change),
    ("extension", "months", {"until": days(440)}, no_change),
    ("extension", "months", {"until": days(50)}, no_change),
    ("extension", "months_max", {"until": days(300)}, rule_is("SUSPENSION_MONTHS_MAX", 12)),
    ("resumption", "grade", {"to_grade": "14"}, no_change),
    ("resumption", "since", {"happened_on": days(-400)}, no_change),
    ("resumption", "graduating_freeze", {}, frozen("16")),
    ("resumption", "seat", {"to_grade": "12"}, full("12")),
    ("repeat", "request", {"on_request": "0"}, no_change),
    ("repeat", "in_time", {}, year_ends_soon),
    ("repeat", "in_time", {"happened_on": days(-800)}, no_change),
    ("repeat", "allowed", {}, in_grade("14")),
    ("repeat", "allowed", {}, in_grade("33")),
    ("repeat", "grade", {"to_grade": "32"}, no_change),
    ("repeat", "times", {}, repeated_twice),
    ("repeat", "share", {}, in_grade("32")),
    ("repeat", "graduating_freeze", {}, frozen("33")),
    ("repeat", "seat", {}, full("31")),
    ("skip", "request", {"on_request": "0"}, no_change),
    ("skip", "allowed", {}, rule_is("SKIP_ALLOWED", False)),
    ("skip", "allowed", {}, year_began_long_ago),
    ("skip", "graduating", {}, in_grade("23")),
    ("skip", "grade", {"to_grade": "21"}, no_change),
    ("skip", "graduating_freeze", {}, frozen("23")),
    ("skip", "seat", {"to_grade": "23"}, full("23")),
    ("lower_grade", "request", {"on_request": "0"}, no_change),
    ("lower_grade", "special", {}, lambda world, student: _well(student)),
    ("lower_grade", "grade", {"to_grade": "14"}, no_change),
    ("lower_grade", "graduating_freeze", {}, frozen("16")),
    ("lower_grade", "seat", {"to_grade": "12"}, full("12")),
    ("abroad", "country", {"country": "CHN"}, no_change),
    ("abroad", "day", {"happened_on": days(-9000)}, no_change),
    ("abroad", "graduating_freeze", {}, frozen("16")),
    ("abroad_return", "country", {"country": "CHN"}, no_change),
    ("abroad_return", "graduating_freeze", {}, frozen("16")),
    ("abroad_return", "seat", {"to_grade": "14"}, full("14")),
    ("withdrawal", "senior", {}, in_grade("22")),
    ("withdrawal", "request", {"on_request": "0"}, no_change),
    ("withdrawal", "day", {"happened_on": days(-9000)}, no_change),
    ("withdrawal", "graduating_freeze", {}, frozen("33")),
    ("automatic_withdrawal", "senior", {}, in_grade("22")),
    ("automatic_withdrawal", "fact", {"days": "14"}, no_change),
    ("automatic_withdrawal", "fact", {"fact": "in_term", "days": "44"}, no_change),
    ("automatic_withdrawal", "fact", {"fact": "overage", "repeats": "3"}, no_change),
    ("automatic_withdrawal", "fact", {"fact": "expired"}, no_change),
    ("automatic_withdrawal", "graduating_freeze", {}, frozen("33")),
    ("expulsion", "senior", {}, in_grade("22")),
    ("expulsion", "notice", {"notice_served_on": days(-3)}, no_change),
    ("expulsion", "graduating_freeze", {}, frozen("33")),
    ("death", "day", {"happened_on": days(-9000)}, no_change),
    ("missing", "day", {"happened_on": days(-9000)}, no_change),
    ("other_leaving", "taught", {"is_taught": "0"}, no_change),
    ("other_leaving", "day", {"happened_on": days(-9000)}, no_change),
    ("other_leaving", "graduating_freeze", {}, frozen("16")),
    ("dropout", "compulsory", {}, in_grade("32")),
    ("dropout", "day", {"happened_on": days(-9000)}, no_change),
    ("dropout", "absent", {"happened_on": days(-27)}, no_change),
    ("dropout", "contacts", {"contacts": "0"}, no_change),
    ("return_to_school", "seat", {"to_grade": "21"}, full("21")),
]


def _well(student: Student) -> None:
    student.set_private(student.open_private() | {"disability": "0", "inclusive_education": ""})
    student.save()


@pytest.mark.rule("R-CHG-01", "R-CHG-02", "R-CHG-05", "R-CHG-11", "R-TRF-10", "R-DRP-01", "第十二条")
@pytest.mark.parametrize("code", GOOD)
def test_each_condition_refuses_and_is_met(world: World, code: str) -> None:
    good, known = GOOD[code], world.classes
    student = good.pupil(world)
    met = world.checks(code, student, **good.given)
    assert [check.why for check in met.values() if check.stops] == []
    for condition, said, spoil in [row[1:] for row in REFUSED if row[0] == code]:
        world.classes = dict(known)
        with transaction.atomic():
            her = Student.objects.get(pk=student.pk)
            spoil(world, her)
            given = good.given | said
            check = world.checks(code, her, **given)[condition]
            assert (check.stops, check.why[-1:]) == (True, "。"), condition
            with pytest.raises(RequirementFailed):
                world.file(code, her, **given)
            transaction.set_rollback(True)  # of this savepoint: the next condition finds her as she was
    assert not Case.objects.filter(student=student).exists()


def test_no_condition_is_without_its_refusal() -> None:
    """But a late extension or death, which goes on, and a class of another stage, which is not offered."""
    has = {(kind.code, one.code) for kind in STATE_KINDS for one in kind.requirements}
    refused = {row[:2] for row in REFUSED}
    assert refused <= has
    assert {one for _code, one in has - refused} == {"stage", "in_time"}


# ── What a table does not say ─────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("G-11", "R-CHG-01")
def test_nobody_is_expelled_or_withdrawn_in_the_compulsory_years(world: World) -> None:
    eighth = world.pupil("22")
    for code in ("expulsion", "withdrawal", "automatic_withdrawal"):
        with pytest.raises(RequirementFailed, match="义务教育阶段不得开除") as refused:
            world.file(code, eighth)
        assert (refused.value.rule, "义务教育法" in refused.value.article) == ("R-CHG-01", True)
    offered = {
        offer.kind.code: offer.why_not for _group, row in offers(world.registrar, eighth) for offer in row
    }
    assert "义务教育阶段不得开除" in offered["expulsion"]
    assert offered["suspension"] == ""


@pytest.mark.rule("R-CHG-01", "R-CHG-03")
def test_only_long_treatment_of_an_infection_lets_the_school_ask(world: World) -> None:
    student = world.pupil("13")
    said = {"reason": "02", "on_request": "0", "until": days(300)}
    asks = world.checks("suspension", student, **said)["request"]
    assert (asks.stops, "由学校提出" in asks.why) == (False, True)
    assert world.checks("suspension", student, **(said | {"until": days(100)}))["request"].stops
    assert world.checks("suspension", student, **(said | {"reason": "01"}))["request"].stops
    case = world.file("suspension", student, **said)  # without the guardian's request among the papers
    assert set(case.evidence.values_list("type", flat=True)) == {"15"}


@pytest.mark.rule("R-CHG-02")
@pytest.mark.parametrize(
    ("reason", "paper"), [("01", "15"), ("03", "15"), ("04", "17"), ("05", "20"), ("99", "20")]
)
def test_the_reason_of_a_suspension_names_its_paper(world: World, reason: str, paper: str) -> None:
    student = world.pupil("13")
    answers = world.answers("suspension", student, {"reason": reason, "until": days(100)})
    with pytest.raises(EvidenceMissing):
        file_pupil(
            KINDS["suspension"], world.school, student, answers, actor=world.registrar,
            materials=[make_material(world.registrar, "31")],
        )  # fmt: skip
    case = world.file("suspension", student, reason=reason, until=days(100))
    assert set(case.evidence.values_list("type", flat=True)) == {"31", paper}
    with pytest.raises(EvidenceNotTicked):
        decide(case, "approve", actor=world.leader, ticked=["31"])


@pytest.mark.rule("R-CHG-06", "R-CHG-08")
def test_the_school_answers_within_its_own_term_and_a_correction_starts_anew(world: World) -> None:
    make.make_rule("SUSPENSION_ANSWER_DAYS", 3, make.PROVINCE)
    make.make_rule("CHANGE_STEP_DAYS", 7, make.PROVINCE)
    student = world.pupil("13")
    case = world.file("suspension", student, until=days(100), statement="腿伤")
    steps = list(case.steps.order_by("ordinal"))
    assert [(step.label, step.days) for step in steps] == [("学校领导审核", 3), ("主管部门核办", 7)]
    assert steps[0].due_on == add_workdays(today(), 3)
    assert (case.open_card()["asked_statement"], "statement" in case.payload["asked"]) == ("腿伤", False)
    decide(case, "return", actor=world.leader, reason="期限应更长")
    answers = world.answers("suspension", student, {"until": days(200), "statement": "腿伤未愈"})
    refile(Case.objects.get(pk=case.pk), actor=world.registrar, payload={"answers": answers})
    case.refresh_from_db()
    assert case.open_card()["asked_statement"] == "腿伤未愈"
    world.decide(case)
    assert StatusChange.objects.get(case_no=case.number).until == today() + timedelta(days=200)


@pytest.mark.rule("R-CHG-02", "R-CHG-04")
def test_an_extension_closes_the_period_before_and_a_late_one_goes_on(world: World) -> None:
    student = world.suspended("13", today() + 3 * ONE_DAY)
    late = world.checks("extension", student, until=days(100))["in_time"]
    assert (late.stops, "已逾期" in late.why) == (False, True)
    early = world.suspended("13", today() + 60 * ONE_DAY)
    assert world.checks("extension", early, until=days(100))["in_time"].why == ""
    # Only what runs in a row counts together: of an earlier suspension she was back.
    again = world.suspended("13", today() - 300 * ONE_DAY)
    for number, status, until in (("FX1", NORMAL, None), ("XX1", SUSPENDED, today() + 60 * ONE_DAY)):
        begun = today() - 200 * ONE_DAY
        change = Change("suspension", "休学", number, "11", begun, begun, "05", until)
        change_status(again, status, change, actor=world.registrar)
    make.make_rule("SUSPENSION_MONTHS_MAX", 12, make.PROVINCE)
    seen = [world.checks("extension", again, until=days(n))["months_max"].stops for n in (100, 200)]
    assert seen == [False, True]
    case = world.file("extension", student, until=days(100))
    world.decide(case)
    periods = StatusChange.objects.filter(student=student).order_by("id").values_list("until", "closed_on")
    assert list(periods) == [
        (today() + 3 * ONE_DAY, today()),
        (today() + 100 * ONE_DAY, None),
    ]


@pytest.mark.rule("R-CHG-11")
def test_a_returning_pupil_needs_a_free_seat_and_her_grade_is_asked(world: World) -> None:
    student = world.suspended("13", today() + 10 * ONE_DAY, reason="01")
    one = world.school_class("13")
    # The suspended pupil holds no seat.
    assert seats_left([one.pk], today())[one.pk].taken == 0
    with pytest.raises(RecordRefused):  # a class of another stage is not offered
        world.file("resumption", student, "16", to_grade="21")
    with pytest.raises(EvidenceMissing, match="康复证明"):
        world.file("resumption", student)
    case = world.file("resumption", student, "16")
    with pytest.raises(EvidenceNotTicked, match="康复证明"):
        decide(case, "approve", actor=world.leader, ticked=["31"])
    # The last seat goes to somebody else between the decision and the worker: refused by itself.
    types = ["31", "16"]
    for person in (world.leader, world.reviewer):
        decide(Case.objects.get(pk=case.pk), "approve", actor=person, ticked=types)
    make.make_student(one)
    SchoolClass.objects.filter(pk=one.pk).update(cap=1)
    finish(case)
    case.refresh_from_db()
    assert (case.state, student.enrolments.get().status) == (Case.State.REFUSED, SUSPENDED)
    # A higher grade than she left in is the authority's exception; the promotion may have moved the class.
    higher = world.file("resumption", student, "16", to_grade="14", exempt="grade")
    decide(higher, "approve", actor=world.leader, ticked=types)
    with pytest.raises(ExceptionOpen):
        decide(Case.objects.get(pk=higher.pk), "approve", actor=world.reviewer, ticked=types)
    world.decide(higher, granted=("grade",))
    assert (higher.state, student.enrolments.get().grade) == (Case.State.DONE, "14")


@pytest.mark.rule("R-CHG-05", "R-CHG-04")
def test_the_facts_of_an_automatic_withdrawal(world: World) -> None:
    def holds(student: Student, **said: str) -> bool:
        return not world.checks("automatic_withdrawal", student, **said)["fact"].stops

    present = world.pupil("32")
    old = world.pupil("32", birth_on=today().replace(year=today().year - 21, day=1).isoformat())
    assert [holds(present, fact="continuous", days=text) for text in ("14", "15")] == [False, True]
    assert [holds(present, fact="in_term", days=text) for text in ("44", "45")] == [False, True]
    assert [holds(one, fact="overage", repeats="2") for one in (present, old)] == [False, True]
    assert not holds(old, fact="overage", repeats="1")
    expired, recent = (world.suspended("32", today() - count * ONE_DAY) for count in (35, 20))
    assert [holds(one, fact="expired") for one in (expired, recent)] == [True, False]
    assert not holds(expired, fact="continuous", days="60")  # who is suspended plays no truant
    case = world.file("automatic_withdrawal", expired, fact="expired")
    world.decide(case)
    kept = StatusChange.objects.get(case_no=case.number)
    assert (kept.to_status, kept.reason) == (WITHDRAWN, "31")
    assert StatusChange.objects.filter(student=expired, until__isnull=False, closed_on=None).count() == 0


@pytest.mark.rule("R-CHG-05")
def test_a_senior_withdrawal_goes_on_to_the_city_where_the_province_asks(world: World) -> None:
    make.make_rule("ROUTE_EXTRA_LEVELS", ["city_senior"], make.PROVINCE)
    case = world.file("withdrawal", world.pupil("32"))
    offices = [step.office_path for step in case.steps.order_by("ordinal")]
    assert offices == [make.SCHOOL, make.COUNTY, make.CITY]


@pytest.mark.rule("G-20", "第二十一条")
@pytest.mark.parametrize(("workdays", "is_late"), [(11, True), (10, False)])
def test_a_death_reported_late_is_accepted_and_marked(world: World, workdays: int, is_late: bool) -> None:
    died = add_workdays(today(), -workdays)
    student = world.pupil("13")
    case = world.file("death", student, happened_on=died.isoformat(), reason="42")
    seen = world.checks("death", world.pupil("13"), happened_on=died.isoformat())["in_time"]
    assert (seen.stops, "已逾期" in seen.why) == (False, is_late)
    world.decide(case)
    kept = StatusChange.objects.get(case_no=case.number)
    assert (kept.is_late, kept.happened_on, kept.reason) == (is_late, died, "42")
    assert student.enrolments.get().status == DEAD


@pytest.mark.rule("LEAVER_APPROVAL")
@pytest.mark.parametrize("code", ["death", "missing", "other_leaving"])
def test_where_the_authority_takes_note_the_school_decides_alone(world: World, code: str) -> None:
    make.make_rule("LEAVER_APPROVAL", "file", make.PROVINCE)
    student = world.pupil("32")
    case = world.file(code, student)
    assert [step.office_path for step in case.steps.all()] == [make.SCHOOL]
    world.decide(case)
    assert (case.state, student.enrolments.get().status) == (Case.State.DONE, GOOD[code].status)


@pytest.mark.rule("R-DRP-03", "R-DRP-07", "R-CHG-04")
def test_a_dropout_stays_on_the_ledger_until_she_is_back_or_her_status_ends(world: World) -> None:
    student = world.suspended("22", today() - 30 * ONE_DAY)
    recent = world.suspended("22", today() - 20 * ONE_DAY)  # not yet four weeks beyond its end
    assert world.checks("dropout", recent, happened_on=days(-200))["absent"].stops
    case = world.file("dropout", student, happened_on=days(-200), reason="03")
    world.decide(case)
    entry = DropoutEntry.objects.get(student=student)
    assert (entry.case_no, entry.reason, entry.closed_on) == (case.number, "03", None)
    assert entry.last_seen_on == today() - 200 * ONE_DAY
    assert student.enrolments.get().valid.upper is None  # the status is kept
    missing = world.file("missing", student)
    world.decide(missing)
    entry.refresh_from_db()
    assert (student.enrolments.get().status, entry.closed_on) == (MISSING, None)
    death = world.file("death", student)
    world.decide(death)
    entry.refresh_from_db()
    assert (entry.closed_on, entry.closed_by_case) == (today(), death.number)


@pytest.mark.rule("REPEAT_COMPULSORY", "REPEAT_SHARE_S2", "R-CHG-01")
def test_who_may_repeat_and_how_many(world: World) -> None:
    student = before_year_end(world)
    in_grade("14")(world, student)
    make.make_rule("REPEAT_COMPULSORY", True, make.PROVINCE)
    assert not world.checks("repeat", student)["allowed"].stops
    for barred in ("12", "16"):
        in_grade(barred)(world, student)
        assert world.checks("repeat", student)["allowed"].stops
    # One in ten may repeat senior grade 2: the first is let through, the second waits for another year.
    make.make_rule("REPEAT_SHARE_S2", 10, make.PROVINCE)
    first, second, *_others = [world.pupil("32") for _n in range(10)]
    case = world.file("repeat", first)
    assert world.checks("repeat", second)["share"].stops
    world.decide(case)
    assert case.state == Case.State.DONE
    assert world.checks("repeat", second)["share"].stops


@pytest.mark.rule("R-CHG-01", "REPEAT_APPLY_DAYS")
def test_a_repeat_asked_for_before_the_promotion_leads_back_after_it(world: World) -> None:
    year = study_year(make.SCHOOL, today())
    asked = date(year, 8, 1)  # in the year before the promotion of 10 August
    last = Term.objects.create(
        path=make.COUNTY, school_year=year - 1, semester="2", starts_on=date(year, 3, 1),
        ends_on=date(year, 8, 31),
    )  # fmt: skip
    world.term("1", -5, 100)
    student = world.pupil("32")
    for grade in ("31", "32"):
        world.school_class(grade)
    checks = world.checks("repeat", student, happened_on=asked.isoformat(), to_grade="31")
    assert [checks[one].stops for one in ("in_time", "grade")] == [False, False]
    assert world.checks("repeat", student, happened_on=asked.isoformat(), to_grade="32")["grade"].stops
    world.term("1", -50, 100)
    late = world.checks("repeat", student, happened_on=asked.isoformat(), to_grade="31")
    assert "学年初" in late["in_time"].why
    last.ends_on = date(year, 8, 5)
    last.save()
    assert (
        "前提出"
        in world.checks("repeat", student, happened_on=asked.isoformat(), to_grade="31")["in_time"].why
    )


def test_a_kind_takes_only_the_states_it_names(world: World) -> None:
    with pytest.raises(RecordFrozen):
        world.file("resumption", world.pupil("13"))
    with pytest.raises(RecordFrozen):
        world.file("suspension", world.pupil("13", ABROAD), until=days(10))


# ── Suspensions that run out ──────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-CHG-04", "RD-3")
def test_schools_are_told_of_what_runs_out_and_nobody_is_withdrawn(world: World, client: Client) -> None:
    other = make.make_registrar(make.SISTER)
    ends = {"21": 60, "22": 5, "23": -10, "12": -40, "31": -20, "32": -40}
    pupils = {grade: world.suspended(grade, today() + count * ONE_DAY) for grade, count in ends.items()}
    assert (watch_suspensions(), watch_suspensions()) == (5, 5)
    notices = Notice.objects.filter(kind="suspension_ending")
    assert set(notices.values_list("user", flat=True)) == {world.registrar.pk}
    said = {notice.text[:5]: notice.text for notice in notices}
    assert notices.count() == 5  # each once, though the job ran twice
    for grade, words in {"初中二年级": "将于", "初中三年级": "请催促复学", "小学二年级": "“辍学”登记",
                         "高中一年级": "请催促复学", "高中二年级": "可以办理“自动退学”"}.items():  # fmt: skip
        assert words in said[grade]
    assert not any(pupil.name in text for pupil in pupils.values() for text in said.values())
    assert {pupil.enrolments.get().status for pupil in pupils.values()} == {SUSPENDED}

    client.force_login(world.registrar)
    with CaptureQueriesContext(connection) as many:
        page = client.get(reverse("transfers:suspensions"))
    text = page.content.decode()
    assert [text.index(pupils[grade].name) for grade in ("12", "31", "23", "22", "21")] == sorted(
        text.index(pupils[grade].name) for grade in ("12", "31", "23", "22", "21")
    )
    assert ("应登记辍学" in text, "可办自动退学" in text, "将满" in text) == (True, True, True)
    entry = AccessEntry.objects.get(route="transfers:suspensions")
    assert set(entry.subject_ids) == {pupil.pk for pupil in pupils.values()}
    # The first and the last to end stay: a year of the calendar that is not announced is asked for once.
    ended = [pupil for grade, pupil in pupils.items() if grade not in ("12", "21")]
    StatusChange.objects.filter(student__in=ended).update(closed_on=today())
    with CaptureQueriesContext(connection) as two:
        client.get(reverse("transfers:suspensions"))
    assert len(two) == len(many)
    client.force_login(other)
    assert pupils["22"].name not in client.get(reverse("transfers:suspensions")).content.decode()
