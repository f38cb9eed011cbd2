"""What limits an intake: seats, plan, quota, closing day, base list; each refusal beside its success."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from audit.models import Event
from config.clock import today
from config.errors import NotAllowed
from registry.models import (
    Enrolment,
    IdentityDocument,
    School,
    SchoolClass,
    SeatPermission,
    Student,
    Term,
)
from registry.record import same_person_index, school_year_start
from registry.services.allowances import (
    AllowanceWithoutDocument,
    AllowanceWrong,
    PermissionPeriodWrong,
    PermissionTooMany,
    PermissionWithoutReason,
    StageNotOffered,
    YearOutOfReach,
    last_day,
    permit_seats,
    set_plan,
    set_quota,
)
from registry.services.intake_rules import (
    Entrant,
    is_omitted,
    lock_places,
    not_on_base_list,
    plan_state,
    quota_state,
    registration_closes,
    seats_left,
    term_start,
)
from registry.services.refusals import ClassFull, ClassUnknown, PlanExceeded, QuotaExceeded
from registry.services.registration import create_pending, lock_seat
from registry.status import SUSPENDED
from tests import make

pytestmark = pytest.mark.usefixtures("nation")
PAPER = "深南教〔2025〕31号"
YEAR = school_year_start(today()).year


@pytest.fixture
def school() -> School:
    return make.make_office(make.SCHOOL).school


@pytest.fixture
def reviewer() -> User:
    return make.make_reviewer()


def fill(school_class: SchoolClass, count: int, *, since: date | None = None) -> list[Student]:
    """Pupils in a class, registered this school year unless `since` says otherwise."""
    pupils = [make.make_student(school_class) for _n in range(count)]
    spells = Enrolment.objects.filter(student__in=pupils)
    spells.update(valid=DateRange(since or date(YEAR, 9, 1), None))
    return pupils


def register(school_class: SchoolClass) -> Student:
    return create_pending(make.valid_values(), school_class, actor=make.make_registrar())


# ── Seats ────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("CLASS_SIZE_INTAKE_PRIMARY", "CLASS_SIZE_INTAKE_JUNIOR", "CLASS_SIZE_INTAKE_SENIOR")
def test_new_entrants_count_against_the_intake_size_and_others_against_the_greatest() -> None:
    classes = {grade: make.make_class(grade=grade).pk for grade in ("11", "12", "21", "22", "31", "33")}
    seats = seats_left(classes.values(), today())
    assert {grade: seats[pk].cap for grade, pk in classes.items()} == {
        "11": 45, "12": 55, "21": 50, "22": 60, "31": 50, "33": 60,
    }  # fmt: skip
    moved = seats_left(classes.values(), today(), is_intake=False)
    assert (moved[classes["11"]].cap, moved[classes["21"]].cap) == (55, 60)
    make.make_rule("CLASS_SIZE_INTAKE_PRIMARY", 40)
    taken, cap, why = seats_left([classes["11"]], today())[classes["11"]]
    assert (taken, cap) == (0, 40)
    assert "南山区教育局" in why


@pytest.mark.rule("CLASS_SIZE_INTAKE_PRIMARY", "C5")
def test_the_last_intake_seat_is_given_and_the_next_refused_though_a_transfer_still_fits() -> None:
    make.make_rule("CLASS_SIZE_INTAKE_PRIMARY", 2)
    school_class = make.make_class()
    register(school_class)
    register(school_class)
    with pytest.raises(ClassFull, match="上限 2 人"):
        register(school_class)
    lock_seat(school_class, is_intake=False)  # what a transfer asks: 55 is the limit


def test_seats_of_a_school_cost_the_same_for_one_class_and_many() -> None:
    classes = [make.make_class(grade=grade) for grade in ("11", "12", "13", "21")]
    fill(classes[0], 2)

    def asked(some: list[SchoolClass]) -> int:
        with CaptureQueriesContext(connection) as queries:
            seats_left([one.pk for one in some], today())
        return len(queries)

    assert asked(classes[:1]) == asked(classes) == 3


@pytest.mark.rule("G-19")
def test_the_56th_pupil_is_refused_by_default_and_allowed_with_permission_and_reason(reviewer: User) -> None:
    school_class = make.make_class(grade="13")
    fill(school_class, 55)
    with pytest.raises(ClassFull, match="55 人"):
        lock_seat(school_class, is_intake=False)
    with pytest.raises(NotAllowed):
        permit(school_class, 1, actor=make.make_leader())
    permit(school_class, 1, actor=reviewer)
    lock_seat(school_class, is_intake=False)
    fifty_six = fill(school_class, 1)
    with pytest.raises(ClassFull, match="56 人.*允许|56 人.*可超 1 人"):
        lock_seat(school_class, is_intake=False)
    lock_seat(school_class, is_intake=False, besides=fifty_six[0].pk)
    event = Event.objects.get(action="registry.class.seats", subject_id=school_class.pk)
    assert (event.reason, event.detail["seats"]) == ("同一小区适龄儿童集中入学", 1)


def permit(school_class: SchoolClass, seats: int, *, actor: User, **given: Any) -> SeatPermission | None:
    facts = {"until": last_day(today()), "reason": "同一小区适龄儿童集中入学", "document": PAPER} | given
    return permit_seats(school_class, seats, actor=actor, **facts)


@pytest.mark.rule("G-19")
def test_a_permission_needs_reason_document_and_an_end_and_stays_below_the_national_line(
    reviewer: User,
) -> None:
    school_class = make.make_class(grade="13")
    for given, refusal in (
        ({"reason": "好"}, PermissionWithoutReason),
        ({"document": ""}, AllowanceWithoutDocument),
        ({"until": today() - timedelta(days=1)}, PermissionPeriodWrong),
        ({"until": last_day(today()) + timedelta(days=1)}, PermissionPeriodWrong),
    ):
        with pytest.raises(refusal):
            permit(school_class, 1, actor=reviewer, **given)
    for seats in (11, -1):  # 55 and 11 are 66: a super-large class
        with pytest.raises(PermissionTooMany):
            permit(school_class, seats, actor=reviewer)
    assert not Event.objects.filter(action="registry.class.seats").exists()
    permit(school_class, 10, actor=reviewer)
    assert seats_left([school_class.pk], today())[school_class.pk].cap == 65


@pytest.mark.rule("G-19")
def test_a_permission_takes_the_place_of_the_former_and_holds_for_its_time(reviewer: User) -> None:
    school_class = make.make_class(grade="13")

    def cap(on: date) -> int:
        return seats_left([school_class.pk], on)[school_class.pk].cap

    earlier = permit(school_class, 5, actor=reviewer)
    assert earlier is not None
    SeatPermission.objects.filter(pk=earlier.pk).update(
        valid=DateRange(today() - timedelta(days=9), last_day(today()), "[]")
    )
    permit(school_class, 2, actor=reviewer, until=today() + timedelta(days=0))
    assert [cap(today() - timedelta(days=1)), cap(today()), cap(today() + timedelta(days=1))] == [60, 57, 55]
    assert permit(school_class, 0, actor=reviewer) is None
    assert cap(today()) == 55


# ── Plan and quota ───────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("INTAKE_PLAN", "A7.3")
def test_registrations_fill_the_plan_and_no_more_where_the_plan_blocks(
    school: School, reviewer: User
) -> None:
    make.make_rule("INTAKE_PLAN", "block")
    school_class, other = make.make_class(), make.make_class(grade="12")
    with pytest.raises(PlanExceeded, match="尚未下达"):
        register(school_class)  # blocks, and nobody has set a plan
    set_plan(school, YEAR, "2", 2, document=PAPER, actor=reviewer)
    fill(school_class, 1, since=date(YEAR - 1, 9, 1))  # last year's pupil is no new one
    register(school_class)
    register(school_class)
    with pytest.raises(PlanExceeded, match=f"计划 2 人.*南山区教育局（{PAPER}）"):
        register(school_class)
    register(other)  # another grade is not the plan's
    set_plan(school, YEAR, "2", 3, document="深南教〔2025〕44号", actor=reviewer)
    register(school_class)
    state = plan_state(school, YEAR, "2", today())
    assert state is not None
    assert (state.mode, state.planned, state.taken, state.left) == ("block", 3, 3, 0)


@pytest.mark.rule("INTAKE_PLAN")
def test_a_plan_that_warns_lets_through_and_one_that_is_off_is_not_asked(
    school: School, reviewer: User
) -> None:
    school_class = make.make_class()
    assert plan_state(school, YEAR, "2", today()) is None  # warns, and nobody has set one
    set_plan(school, YEAR, "2", 1, document=PAPER, actor=reviewer)
    register(school_class)
    register(school_class)
    state = plan_state(school, YEAR, "2", today())
    assert state is not None
    assert (state.mode, state.left, state.over) == ("warn", 0, 1)
    make.make_rule("INTAKE_PLAN", "off")
    assert plan_state(school, YEAR, "2", today()) is None


@pytest.mark.rule("QUOTA", "QUOTA_ENABLED", "D7")
def test_the_quota_counts_every_open_status_of_the_stage(school: School, reviewer: User) -> None:
    school_class, junior = make.make_class(grade="12"), make.make_class(grade="22")
    away = fill(school_class, 2, since=date(YEAR - 1, 9, 1))[0]
    away.enrolments.update(status=SUSPENDED)  # no seat, but a status
    fill(junior, 1)
    assert quota_state(school, "2", today()) is None
    lock_seat(school_class)
    make.make_rule("QUOTA_ENABLED", True, make.PROVINCE)
    with pytest.raises(QuotaExceeded, match="总量 0 人"):  # used here, and nobody has set one
        lock_seat(school_class)
    make.make_rule("QUOTA", 3, make.PROVINCE)
    lock_seat(school_class)
    set_quota(school, "2", 2, document=PAPER, actor=reviewer)
    with pytest.raises(QuotaExceeded, match=f"现有学籍 2 人.*{PAPER}"):
        lock_seat(school_class, is_intake=False)  # transfers too
    set_quota(school, "3", 2, document=PAPER, actor=reviewer)
    lock_seat(junior)
    set_quota(school, "2", 3, document=PAPER, actor=reviewer)
    lock_seat(school_class)


@pytest.mark.rule("INTAKE_PLAN", "QUOTA")
def test_only_the_schools_own_authority_sets_its_figures_by_a_document(
    school: School, reviewer: User
) -> None:
    set_by = {"document": PAPER, "actor": reviewer}
    outsiders = (
        make.make_registrar(), make.make_leader(), make.make_reviewer(make.CITY),
        make.make_reviewer(make.NEIGHBOUR_COUNTY), make.make_user("bureau_leader", make.COUNTY),
    )  # fmt: skip
    for outsider in outsiders:
        with pytest.raises(NotAllowed):
            set_plan(school, YEAR, "2", 90, document=PAPER, actor=outsider)
        with pytest.raises(NotAllowed):
            set_quota(school, "2", 600, document=PAPER, actor=outsider)
    for call, refusal in (
        (lambda: set_plan(school, YEAR, "2", -1, **set_by), AllowanceWrong),
        (lambda: set_plan(school, YEAR, "2", 90, document=" ", actor=reviewer), AllowanceWithoutDocument),
        (lambda: set_plan(school, YEAR, "6", 90, **set_by), StageNotOffered),
        (lambda: set_plan(school, YEAR - 1, "2", 90, **set_by), YearOutOfReach),
        (lambda: set_quota(school, "2", 20_001, **set_by), AllowanceWrong),
    ):
        with pytest.raises(refusal):
            call()
    plan = set_plan(school, YEAR, "2", 90, **set_by)
    plan = set_plan(school, YEAR, "2", 80, **set_by)
    assert (plan.planned, plan.office_name) == (80, "南山区教育局")
    events = Event.objects.filter(action="registry.plan.set").order_by("id")
    assert [(event.detail["before"], event.detail["planned"]) for event in events] == [(None, 90), (90, 80)]


@pytest.mark.rule("R-EST-10", "INTAKE_PLAN", "C5")
def test_a_whole_workbook_asks_for_all_its_places_at_once(school: School, reviewer: User) -> None:
    make.make_rule("INTAKE_PLAN", "block")
    set_plan(school, YEAR, "2", 5, document=PAPER, actor=reviewer)
    first, second = make.make_class(), make.make_class(cap=2)
    assert set(lock_places(school, {first.pk: 3, second.pk: 2}, today())) == {first.pk, second.pk}
    with pytest.raises(PlanExceeded, match="再注册 6 人"):
        lock_places(school, {first.pk: 4, second.pk: 2}, today())
    with pytest.raises(ClassFull, match="上限 2 人"):
        lock_places(school, {first.pk: 1, second.pk: 3}, today())
    lock_places(school, {first.pk: 3}, today(), without_class={"11": 2})
    with pytest.raises(PlanExceeded, match="再注册 6 人"):
        lock_places(school, {first.pk: 3}, today(), without_class={"11": 3})
    elsewhere = make.make_class(make.SISTER)
    SchoolClass.objects.filter(pk=second.pk).update(is_open=False)
    for wrong in (elsewhere, second):
        with pytest.raises(ClassUnknown):
            lock_places(school, {first.pk: 1, wrong.pk: 1}, today())


# ── Calendar ─────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-EST-13", "REGISTRATION_CLOSES")
def test_after_the_closing_day_and_in_other_grades_a_new_status_is_an_omitted_one() -> None:
    make.make_office(make.SCHOOL)
    make.make_rule("REGISTRATION_CLOSES", "0930")
    closing = date(2025, 9, 30)
    for grade, on, expected in (
        ("11", date(2025, 7, 1), False),
        ("11", closing, False),
        ("11", closing + timedelta(days=1), True),
        ("21", date(2026, 2, 28), True),
        ("31", date(2026, 7, 1), False),
        ("12", date(2025, 9, 1), True),
        ("24", date(2025, 9, 1), True),
    ):
        assert is_omitted(grade, on, make.SCHOOL) == expected, (grade, on)
    make.make_rule("REGISTRATION_CLOSES", "0315")  # after the new year: in the same school year
    assert registration_closes(make.SCHOOL, date(2025, 9, 1))[0] == date(2026, 3, 15)
    assert not is_omitted("11", date(2026, 3, 15), make.SCHOOL)


def test_the_term_begins_as_the_nearest_office_has_set_it() -> None:
    make.make_office(make.SCHOOL)
    assert term_start(make.SCHOOL, date(2025, 10, 1)) == date(2025, 9, 1)
    for path, semester, starts in (
        ("CN.", "1", date(2025, 9, 2)),
        (make.PROVINCE, "1", date(2025, 8, 29)),
        ("CN.", "2", date(2026, 2, 20)),
    ):
        Term.objects.create(
            path=path, school_year=2025, semester=semester, starts_on=starts, ends_on=starts + timedelta(100)
        )
    for on, expected in (
        (date(2025, 7, 20), date(2025, 8, 29)),
        (date(2025, 12, 1), date(2025, 8, 29)),
        (date(2026, 2, 20), date(2026, 2, 20)),
    ):
        assert term_start(make.SCHOOL, on) == expected


# ── 小升初底表 ────────────────────────────────────────────────────────────────────────────────────────────
def make_leaver(school: str, *, status: str = "07", grade: str = "16", **changes: str) -> Student:
    """A pupil who left the last primary grade this summer, or has not been graduated yet."""
    years = int(grade[1])
    entry = f"{YEAR - years}-09"
    pupil = make.make_student(
        make.make_class(school, grade=grade), birth_on=f"{YEAR - 12}-03-05", entry_month=entry, **changes
    )
    ends = date(YEAR, 7, 10) if status == "07" else None
    pupil.enrolments.update(status=status, valid=DateRange(date(YEAR - years, 9, 1), ends))
    return pupil


def entrant(key: str, pupil: Student, *, with_number: bool = True) -> Entrant:
    blind = IdentityDocument.objects.get(student=pupil).blind if with_number else None
    return Entrant(key, blind, same_person_index(pupil.name_fold, pupil.sex, pupil.birth_on))


@pytest.mark.rule("BASE_LIST_MATCH", "D9")
def test_entrants_of_junior_one_must_stand_on_the_countys_list_of_leavers(school: School) -> None:
    here = make_leaver(make.SISTER)
    open_still = make_leaver(make.SCHOOL, status="01")
    nameless = make_leaver(make.SISTER)
    elsewhere = make_leaver(make.NEIGHBOUR)
    pupil_now = make_leaver(make.SISTER, status="01")
    pupil_now.enrolments.update(entry_month=f"{YEAR - 5}-09")  # in grade 6 this year
    younger = make_leaver(make.SISTER, grade="15")
    rows = [
        entrant("by number", here),
        entrant("not graduated yet", open_still),
        entrant("by name", nameless, with_number=False),
        entrant("twin of the name", nameless, with_number=False),
        entrant("neighbour county", elsewhere),
        entrant("grade six now", pupil_now),
        entrant("grade five of a six-year school", younger),
        Entrant("nobody", None, None),
    ]
    assert not_on_base_list(school, rows, today()) == set()  # off by default
    make.make_rule("BASE_LIST_MATCH", "block")
    assert not_on_base_list(school, rows, today()) == {
        "twin of the name", "neighbour county", "grade six now", "grade five of a six-year school", "nobody",
    }  # fmt: skip
    School.objects.filter(organization__path=make.SISTER).update(schooling="5-4")
    assert "grade five of a six-year school" not in not_on_base_list(school, rows, today())
