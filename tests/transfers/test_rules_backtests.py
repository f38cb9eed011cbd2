"""Back-tests: what a draft would have refused among the data that are there, counted by hand beside it."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from audit.models import AccessEntry
from audit.services import record_look_up
from config.clock import today
from config.models import RuleValue
from config.workdays import add_workdays, workdays_between
from registry import backtests
from registry.models import Enrolment, SchoolClass, Student
from registry.record import school_year_start
from tests import make
from tests.transfers.filing import decide_all, file_pupil
from transfers.backtests import BACKTESTS
from transfers.models import Step

pytestmark = pytest.mark.usefixtures("nation")
# A province of its own: races and browser tests commit pupils elsewhere.
PROVINCE, COUNTY, OTHER = "CN.43.", "CN.43.01.02.", "CN.43.01.03."
SCHOOL, SECOND = "CN.43.01.02.2143000001.", "CN.43.01.03.2143000002."
TOMORROW = today() + timedelta(days=1)


def trial(client: Client, user: User, key: str, value: object, **more: Any) -> Any:
    """What the page's button answers."""
    office = make.make_office(user.acting_path)
    sent = {"office": office.pk, "value": value, "starts": TOMORROW, "document": "湘教通〔2026〕3号"} | more
    client.force_login(user)
    address = reverse("transfers:rule_try", args=[key])
    return client.post(address, sent, headers={"HX-Request": "true"})


def leader(path: str) -> User:
    return make.make_user("bureau_leader", path)


def fill(path: str, pupils: int, grade: str = "11", **fields: Any) -> SchoolClass:
    """A class with so many pupils; one record, copied as spells of pupils of their own."""
    found = make.make_class(path, grade, **fields)
    for _n in range(pupils):
        make.make_student(found, entry_month=f"{school_year_start(today()).year - int(grade[1]) + 1}-09")
    return found


# --- Classes -------------------------------------------------------------------------------------------


def test_classes_above_the_draft_are_counted_with_their_pupils(client: Client) -> None:
    large, middle = fill(SCHOOL, 5), fill(SECOND, 3, "12")
    fill(SCHOOL, 2)
    fill(SCHOOL, 4, "21")  # a junior class is another rule's
    answer = trial(client, leader(PROVINCE), "CLASS_SIZE_MAX_PRIMARY", 2)
    found = answer.context["trial"]
    assert (found.met, found.met_now, found.more) == (2, 0, "超出的学生共 4 人")
    assert [one.pk for one in found.examples] == [large.pk, middle.pk]
    assert reverse("registry:school_class", args=[large.pk]) in answer.text
    assert "5 人，超出 3 人" in answer.text
    assert trial(client, leader(PROVINCE), "CLASS_SIZE_MAX_PRIMARY", 5).context["trial"].met == 0
    # The intake rule looks at the first grade only.
    assert trial(client, leader(PROVINCE), "CLASS_SIZE_INTAKE_PRIMARY", 2).context["trial"].met == 1
    assert trial(client, leader(PROVINCE), "CLASS_SIZE_INTAKE_JUNIOR", 2).context["trial"].met == 1


def test_offices_with_an_own_value_and_offices_beside_are_not_touched(client: Client) -> None:
    fill(SCHOOL, 3)
    fill(SECOND, 3)
    fill(make.FAR, 3)
    key = "CLASS_SIZE_MAX_PRIMARY"
    assert trial(client, leader(PROVINCE), key, 2).context["trial"].met == 2
    assert trial(client, leader(COUNTY), key, 2).context["trial"].met == 1
    make.make_office(OTHER)
    RuleValue.objects.create(
        path=OTHER, key=key, value=2, valid=(today(), None), document="长教〔2026〕1号", set_by_name="长沙",
        created_by_name="李明",
    )  # fmt: skip
    assert trial(client, leader(PROVINCE), key, 2).context["trial"].met == 1
    # What its own value meets now is its own affair: the county there sees both counts.
    found = trial(client, leader(OTHER), key, 3).context["trial"]
    assert (found.met, found.met_now) == (0, 1)


# --- Entry age -----------------------------------------------------------------------------------------


@pytest.mark.rule("R-EST-07")
def test_first_graders_too_young_for_the_draft_are_counted(client: Client) -> None:
    year = school_year_start(today()).year
    school_class = make.make_class(SCHOOL)
    births = [date(year - 6, 8, 31), date(year - 6, 6, 30), date(year - 6, 7, 1), date(year - 7, 3, 1)]
    pupils = [make.make_student(school_class, birth_on=day.isoformat()) for day in births]
    second = make.make_class(SCHOOL, "12")
    make.make_student(second, birth_on=births[0].isoformat(), entry_month=f"{year - 1}-09")
    answer = trial(client, leader(PROVINCE), "ENTRY_CUTOFF", "6-30")
    found = answer.context["trial"]
    by_hand = [pupil for pupil, day in zip(pupils, births, strict=True) if day > date(year - 6, 6, 30)]
    assert (found.met, found.met_now) == (len(by_hand), 0) == (2, 0)
    assert {one.pk for one in found.examples} == {pupil.pk for pupil in by_hand}
    assert pupils[0].name in answer.text
    found = trial(client, leader(PROVINCE), "ENTRY_AGE", 7).context["trial"]
    assert (found.met, found.met_now) == (3, 0)


@pytest.mark.rule("R-EST-07")
def test_the_nation_counts_each_province_by_its_own_day(client: Client) -> None:
    """A province's cut-off stays when the nation considers another age."""
    year = school_year_start(today()).year
    make.make_student(make.make_class(SCHOOL), birth_on=f"{year - 7}-10-15")
    make.make_student(make.make_class(make.FAR), birth_on=f"{year - 7}-10-15")
    met = trial(client, leader(make.NATION), "ENTRY_AGE", 7).context["trial"].met
    RuleValue.objects.create(
        path=PROVINCE, key="ENTRY_CUTOFF", value="1231", valid=(today(), None), document="湘教通〔2026〕1号",
        set_by_name="湖南", created_by_name="李明",
    )  # fmt: skip
    assert trial(client, leader(make.NATION), "ENTRY_AGE", 7).context["trial"].met == met - 1


# --- Clocks --------------------------------------------------------------------------------------------


@pytest.fixture
def slow_steps() -> Callable[..., None]:
    """Cases of the school whose leader took so many working days."""
    office = {
        "class": make.make_class(), "registrar": make.make_registrar(), "leader": make.make_leader(),
        "reviewer": make.make_reviewer(),
    }  # fmt: skip

    def make_slow(*days: int) -> None:
        for count in days:
            case = file_pupil(office)
            decide_all(case, office)
            begun = add_workdays(today(), -40)
            ended = add_workdays(begun, count)
            first, last = (
                datetime.combine(day, time(9), ZoneInfo("Asia/Shanghai")) for day in (begun, ended)
            )
            assert workdays_between(begun, ended) == count
            Step.objects.filter(case=case).update(arrived_at=first, decided_at=first)
            Step.objects.filter(case=case, label="学校领导审核").update(arrived_at=first, decided_at=last)

    return make_slow


@pytest.mark.rule("R-TRF-02")
def test_steps_that_took_longer_in_working_days_are_counted(
    client: Client, slow_steps: Callable[..., None]
) -> None:
    user = leader(make.PROVINCE)
    key = "REGISTRATION_STEP_DAYS"
    before = trial(client, user, key, 5).context["trial"]
    slow_steps(4, 5, 6, 9, 12)
    found = trial(client, user, key, 5).context["trial"]
    assert (found.met - before.met, found.met_now - before.met_now) == (3, 1)
    assert "12 个工作日" in found.examples[0].note
    loose = trial(client, user, key, 10).context["trial"]
    assert loose.met - before.met_now == 1


# --- Archives and budgets ------------------------------------------------------------------------------


@pytest.mark.rule("R-EST-02")
def test_pupils_whose_archive_would_be_overdue_are_counted(client: Client) -> None:
    school_class = make.make_class(SCHOOL)
    for n, months in enumerate((1, 3, 5)):
        begun = today() - timedelta(days=30 * months + 5)
        number = f"L430102{begun:%Y%m%d}{n:04d}"
        pupil = make.make_student(school_class, number=number)
        Enrolment.objects.filter(student=pupil).update(valid=(begun, None))
    make.make_student(school_class, number="G430102201901010029")
    found = trial(client, leader(PROVINCE), "ARCHIVE_DEADLINE", 1).context["trial"]
    assert (found.met, found.met_now) == (3, 2)


@pytest.mark.rule("RD-6")
def test_persons_and_days_above_a_budget_are_counted(client: Client) -> None:
    asker = make.make_registrar(SCHOOL, name="何老师")
    for _n in range(4):
        record_look_up(actor=asker, route="transfers:register", found=False)
    answer = trial(client, leader(PROVINCE), "LOOKUPS_PER_DAY", 3)
    found = answer.context["trial"]
    assert (found.met, found.met_now, found.examples[0].pk) == (1, 0, asker.pk)
    assert "何老师" in answer.text
    assert trial(client, leader(PROVINCE), "LOOKUPS_PER_HOUR", 4).context["trial"].met == 0


# --- Whoever tries, sees only what she may; and it ends in time --------------------------------------------


@pytest.mark.rule("RD-3")
def test_the_examples_leave_their_trace(client: Client) -> None:
    pupil: Student = make.make_student(
        make.make_class(SCHOOL), birth_on=f"{school_year_start(today()).year - 7}-10-15"
    )
    user = leader(PROVINCE)
    assert trial(client, user, "ENTRY_AGE", 7).status_code == 200
    entry = AccessEntry.objects.get(actor_id=user.pk, outcome="list")
    assert (entry.subject_type, entry.subject_ids, entry.route) == (
        "student",
        [pupil.pk],
        "transfers:rule_try",
    )


@pytest.mark.rule("AC-11")
def test_who_may_not_read_pupils_sets_the_rule_but_tries_nothing(client: Client) -> None:
    make.make_class(SCHOOL)
    guard = make.make_user("security_administrator", PROVINCE)
    assert trial(client, guard, "CLASS_SIZE_MAX_PRIMARY", 45).status_code == 403
    sent = {"office": make.make_office(PROVINCE).pk, "value": 45, "starts": TOMORROW, "document": "湘教通"}
    page = client.post(reverse("transfers:rule_preview", args=["CLASS_SIZE_MAX_PRIMARY"]), sent)
    assert (page.status_code, "试算须有“查看班级名单”的权限" in page.text) == (200, True)
    assert not AccessEntry.objects.filter(actor_id=guard.pk, outcome="list").exists()


def test_a_rule_that_touches_no_data_says_so(client: Client) -> None:
    user = leader(PROVINCE)
    assert "PASSWORD_DAYS" not in BACKTESTS
    assert trial(client, user, "PASSWORD_DAYS", 60).status_code == 404
    sent = {"office": make.make_office(PROVINCE).pk, "value": 60, "starts": TOMORROW, "document": "湘教通"}
    page = client.post(reverse("transfers:rule_preview", args=["PASSWORD_DAYS"]), sent)
    assert "该参数不影响已有数据，无须试算" in page.text


def test_without_a_script_the_whole_page_comes_back(client: Client) -> None:
    fill(SCHOOL, 3)
    user = leader(PROVINCE)
    client.force_login(user)
    sent = {"office": make.make_office(PROVINCE).pk, "value": 2, "starts": TOMORROW, "document": "湘教通"}
    page = client.post(reverse("transfers:rule_try", args=["CLASS_SIZE_MAX_PRIMARY"]), sent)
    assert (page.status_code, page.context["trial"].met) == (200, 1)
    assert "确认设定" in page.text
    # A draft beyond the bound is tried by nobody.
    assert trial(client, user, "CLASS_SIZE_MAX_PRIMARY", 66).status_code == 422


@pytest.mark.parametrize(
    "key", ["CLASS_SIZE_MAX_PRIMARY", "ENTRY_AGE", "REGISTRATION_STEP_DAYS", "LOOKUPS_PER_DAY"]
)
def test_a_back_test_asks_as_much_for_one_as_for_many(client: Client, key: str) -> None:
    user = leader(PROVINCE)
    value = {"CLASS_SIZE_MAX_PRIMARY": 1, "ENTRY_AGE": 7}.get(key, 1)
    young = f"{school_year_start(today()).year - 7}-10-15"

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert trial(client, user, key, value).status_code == 200
        return len(found)

    def more(count: int) -> None:
        for _n in range(count):
            for _pupil in range(2):
                school_class = make.make_class(SCHOOL)
                make.make_student(school_class, birth_on=young)
                make.make_student(school_class, birth_on=young)
            record_look_up(actor=make.make_registrar(SCHOOL), route="transfers:register", found=False)

    more(1)
    queries()
    before = queries()
    more(4)
    assert queries() == before


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(_draft: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")

    test = BACKTESTS["CLASS_SIZE_MAX_PRIMARY"]
    slow = backtests.BackTest(test.question, test.measure, test.right, test.subject, sleep)
    monkeypatch.setitem(BACKTESTS, "CLASS_SIZE_MAX_PRIMARY", slow)
    monkeypatch.setattr(backtests, "LIMIT_SECONDS", 0.1)


@pytest.mark.usefixtures("endless")
def test_what_takes_too_long_is_cut_and_says_so(client: Client) -> None:
    answer = trial(client, leader(PROVINCE), "CLASS_SIZE_MAX_PRIMARY", 45)
    assert (answer.status_code, "已经停止" in answer.text) == (503, True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout')")
        assert cursor.fetchone()[0] == "0"
