"""The clock of every step: reminders, the office above, urging, and what an office's figures say of it."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Notice, User
from audit.models import AccessEntry, Event
from audit.sentences import sentence
from config.clock import now, today
from config.scope import ancestors
from config.workdays import Calendar
from tests import make
from tests.transfers.filing import file_pupil
from transfers import tasks
from transfers.models import Case, Step
from transfers.pace import months_shown
from transfers.services import decide
from transfers.tasks import remind_and_escalate

pytestmark = pytest.mark.usefixtures("nation")
OVERDUE, PACE, API = reverse("transfers:overdue"), reverse("transfers:pace"), "/api/v1/pace/"


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    # The job goes from province to province: one is enough here.
    monkeypatch.setattr(tasks, "provinces", lambda: [make.PROVINCE])
    make.make_office(make.PROVINCE)
    remind_and_escalate()  # whatever races have left
    return {
        "class": make.make_class(),
        "registrar": make.make_registrar(),
        "leader": make.make_leader(phone="0755-26002222"),
        "reviewer": make.make_reviewer(),
        "above": make.make_reviewer(make.CITY),
    }


def waiting(office: dict[str, Any], left: int, days: int = 10, *, at_county: bool = False) -> Step:
    """The waiting step of a new case with `left` working days of `days`."""
    case = file_pupil(office)
    if at_county:
        decide(case, "approve", actor=office["leader"], ticked=["01"])
    step = Step.objects.get(case=case, is_current=True)
    day = Calendar({today().year}).add(today(), left)
    if left <= 0 and day >= today():
        day = today() - timedelta(days=1)
    Step.objects.filter(pk=step.pk).update(due_on=day, days=days)
    return Step.objects.get(pk=step.pk)


def told(user: User, kind: str) -> list[str]:
    return list(Notice.objects.filter(user=user, kind=kind).order_by("id").values_list("about", flat=True))


def numbers(*steps: Step) -> list[str]:
    return [step.case.number for step in steps]


# ── By itself ─────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-TRF-02")
def test_each_stop_of_a_case_is_told_and_the_filer_learns_the_end(office: dict[str, Any]) -> None:
    case = file_pupil(office)
    assert told(office["leader"], "step_arrived") == [case.number]
    assert told(office["reviewer"], "step_arrived") == []
    decide(case, "approve", actor=office["leader"], ticked=["01"])
    assert told(office["reviewer"], "step_arrived") == [case.number]
    decide(Case.objects.get(pk=case.pk), "return", actor=office["reviewer"], reason="户口簿不清晰")
    assert told(office["registrar"], "case_returned") == [case.number]
    refused = file_pupil(office)
    decide(refused, "refuse", actor=office["leader"], reason="不符合条件")
    assert told(office["registrar"], "case_ended") == [refused.number]
    texts = " ".join(Notice.objects.values_list("text", flat=True))
    assert [name for name in (case.student.name, refused.student.name) if name in texts] == []


@pytest.mark.rule("R-TRF-02", "R-TRF-03")
def test_reminders_at_half_time_and_on_the_eve_and_the_office_above_when_it_is_late(
    office: dict[str, Any],
) -> None:
    fresh, half, eve = waiting(office, 6), waiting(office, 5), waiting(office, 1)
    short, late = waiting(office, 1, days=2), waiting(office, -1)
    high = waiting(office, -3, at_county=True)
    remind_and_escalate()
    assert told(office["leader"], "step_due") == numbers(eve, short, half)
    assert told(office["reviewer"], "step_overdue") == numbers(late)
    assert told(office["above"], "step_overdue") == numbers(high)
    assert told(office["leader"], "step_overdue") == []
    reminded = {step.pk: step.reminded for step in Step.objects.filter(is_current=True)}
    assert [reminded[step.pk] for step in (fresh, half, eve, short, late)] == [0, 1, 2, 2, 0]
    event = Event.objects.get(action="transfers.step.escalate", subject_id=high.case_id)
    assert (event.actor_name, event.detail["above"], event.basis) == ("系统", make.CITY, "R-TRF-03")
    assert high.case.number in sentence(event)
    # Nothing passes by silence: it waits as before, and only a decision moves it.
    for step in (late, high):
        after = Step.objects.get(pk=step.pk)
        assert (after.is_current, after.decision, after.escalated_at is None) == (True, "", False)
        assert Case.objects.get(pk=step.case_id).state == Case.State.WAITING
    # Safe to run again; the eve follows half time.
    assert remind_and_escalate() == 0
    Step.objects.filter(pk=half.pk).update(due_on=eve.due_on)
    assert remind_and_escalate() == 1
    assert told(office["leader"], "step_due")[-1] == half.case.number
    decide(late.case, "approve", actor=office["leader"], ticked=["01"])
    assert Step.objects.get(case=late.case, is_current=True).escalated_at is None


@pytest.mark.rule("R-TRF-03")
def test_a_pack_costs_as_much_as_one_and_a_long_queue_is_worked_off(
    office: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cost(count: int) -> int:
        for _one in range(count):
            waiting(office, -1)
        with CaptureQueriesContext(connection) as found:
            assert remind_and_escalate() == count
        return len(found)

    cost(1)
    assert cost(1) == cost(4)
    for _one in range(5):
        waiting(office, -1)
    monkeypatch.setattr("transfers.clock.PACK", 2)
    assert remind_and_escalate() == 5


def test_the_authority_above_is_the_next_one_that_decides(office: dict[str, Any]) -> None:
    from transfers.clock import authorities_above

    township = f"{make.COUNTY}101."
    make.make_office(township, kind="township", is_authority=False)
    below = f"{township}2144000009."
    make.make_office(below)
    found = authorities_above({below, make.COUNTY, make.PROVINCE, make.NATION})
    expected = {below: make.COUNTY, make.COUNTY: make.CITY, make.PROVINCE: make.NATION}
    assert found == expected | {make.NATION: make.NATION}
    assert ancestors(below)[-2] == township


# ── Urging ────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-TRF-03", "AZ-1", "AZ-2", "RD-3")
def test_the_office_above_sees_what_is_late_and_urges_once_a_working_day(
    client: Client, office: dict[str, Any]
) -> None:
    early, late = waiting(office, 3), waiting(office, -2)
    high = waiting(office, -1, at_county=True)
    urge = reverse("transfers:urge", args=[late.pk])
    client.force_login(office["reviewer"])
    page = client.get(OVERDUE)
    mine = [row["number"] for row in page.context["page"].rows]
    assert late.case.number in mine
    assert not {early.case.number, high.case.number} & set(mine)  # not late; her own to decide
    assert "0755-26002222" in page.text
    assert late.case.student.name not in page.text
    listed = AccessEntry.objects.filter(actor_id=office["reviewer"].pk, route="transfers:overdue").get()
    assert late.case_id in listed.subject_ids
    assert client.post(urge).status_code == 302
    assert told(office["leader"], "urged") == [late.case.number]
    event = Event.objects.get(action="transfers.step.urge", subject_id=late.case_id)
    assert "催办了学校2144000001超期未办的“学校领导审核”环节" in sentence(event)
    again = client.post(urge)
    assert (again.status_code, "今天已经催办过" in again.text) == (409, True)
    Step.objects.filter(pk=late.pk).update(urged_at=now() - timedelta(days=15))
    by_api = client.get(reverse("overdue-list")).json()["results"]
    assert [row["number"] for row in by_api] == mine
    answer = client.post(reverse("overdue-urge", args=[late.pk]), {}, content_type="application/json")
    assert (answer.status_code, answer.json()["urged_at"] is None) == (200, False)
    assert told(office["leader"], "urged") == numbers(late, late)
    assert Step.objects.get(pk=late.pk).decision == ""  # urging decides nothing
    refused = {
        "not late": (office["reviewer"], early, 409),
        "her own step": (office["reviewer"], high, 403),
        "the leader's own right": (office["leader"], late, 403),
        "above, without the right": (make.make_user("bureau_leader", make.COUNTY), late, 403),
        "beside": (make.make_reviewer(make.NEIGHBOUR_COUNTY), late, 404),
        "far": (make.make_reviewer(make.FAR_COUNTY), late, 404),
        "decided meanwhile": (office["above"], high, 409),
    }
    decide(Case.objects.get(pk=high.case_id), "approve", actor=office["reviewer"], ticked=["01"])
    for what, (user, step, status) in refused.items():
        client.force_login(user)
        answer = client.post(reverse("transfers:urge", args=[step.pk]))
        assert answer.status_code == status, what
    assert Event.objects.filter(action="transfers.step.urge", subject_id=high.case_id).count() == 0


def test_the_overdue_list_pages_by_key_at_constant_cost(client: Client, office: dict[str, Any]) -> None:
    from transfers.clock import read_overdue

    steps = [waiting(office, -9)]
    client.force_login(office["reviewer"])

    def cost() -> int:
        with CaptureQueriesContext(connection) as found:
            assert client.get(OVERDUE).status_code == 200
        return len(found)

    cost()
    one = cost()
    steps += [waiting(office, -9) for _more in range(4)]
    assert cost() == one < 25
    Step.objects.filter(pk__in=[step.pk for step in steps]).update(due_on=today() - timedelta(days=400))
    first = read_overdue(office["reviewer"], size=3)
    second = read_overdue(office["reviewer"], str(first.after), size=2)
    assert [row["id"] for row in (*first.rows, *second.rows)] == [step.pk for step in steps]
    assert client.get(OVERDUE, {"after": "x"}).status_code == 404
    client.force_login(make.make_reviewer(make.FAR_COUNTY))
    assert client.get(OVERDUE, {"after": first.after}).status_code == 404


# ── Figures ───────────────────────────────────────────────────────────────────────────────────────────────
def decided(office: dict[str, Any], path: str, on: date, took: int, late: int = 0) -> None:
    """A decision at the office of `path`, on a day or the working day after it, `took` working days after it
    arrived and `late` days late.
    """
    calendar = Calendar({on.year, on.year - 1})
    while took and not calendar.workday(on):
        on += timedelta(days=1)
    arrived = calendar.add(on, -took)
    case = Case.objects.filter(filed_by=office["registrar"])[0]
    Step.objects.create(
        case=case, from_path=case.from_path, to_path=case.to_path, office_path=path, office_name="单位",
        ordinal=Step.objects.filter(case=case).count() + 50, right="decide_case", label="核办", days=10,
        # In the small hours: in London it is still the day before.
        arrived_at=_at(arrived, 0), decided_at=_at(on, 1), decision="approve",
        due_on=on - timedelta(days=late),
    )  # fmt: skip


def _at(day: date, hour: int) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(hour)))


@pytest.mark.rule("R-TRF-03")
def test_an_office_reads_its_own_pace_and_those_below_and_nobody_elses(
    client: Client, office: dict[str, Any]
) -> None:
    village = f"{make.NEIGHBOUR_COUNTY}2144000088."  # a county and a school with nothing of other tests
    quiet = "CN.44.03.77."
    make.make_office(village)
    make.make_office(f"{quiet}101.", kind="township", is_authority=False)
    school = f"{quiet}101.2144000077."
    make.make_office(school)
    ground = make.make_class(school)
    staff = {"class": ground, "registrar": make.make_registrar(school)}
    case = file_at(school, staff)
    Case.objects.filter(pk=case.pk).update(filed_by=staff["registrar"])
    months = months_shown()
    this, last, first = months[0], months[1], months[-1]
    for took in (2, 4, 9):
        decided(staff, quiet, last + timedelta(days=12), took)
    decided(staff, quiet, last + timedelta(days=13), 11, late=1)
    decided(staff, quiet, first, 3)
    decided(staff, quiet, first - timedelta(days=20), 3, late=3)  # thirteen months ago: not shown
    decided(staff, school, today(), 0)
    waits = Step.objects.get(case=case, is_current=True)
    Step.objects.filter(pk=waits.pk).update(due_on=today() - timedelta(days=1))
    reviewer = make.make_reviewer(quiet)
    client.force_login(reviewer)
    body = client.get(API).json()
    own = body["own"]
    assert {key: own[key] for key in ("decided", "on_time", "late", "share", "median")} == {
        "decided": 5, "on_time": 4, "late": 1, "share": 80, "median": 4.0,
    }  # fmt: skip
    by_month = {row["month"]: row for row in body["months"]}
    assert len(by_month) == 12
    assert by_month[f"{last:%Y-%m}"]["decided"] == 4
    assert by_month[f"{last:%Y-%m}"]["median"] == 6.5
    assert (by_month[f"{first:%Y-%m}"]["on_time"], by_month[f"{this:%Y-%m}"]["share"]) == (1, None)
    below = {row["path"]: row for row in body["results"]}
    assert set(below) == {f"{quiet}101.", school}  # the township, and its school
    assert (below[school]["decided"], below[school]["waiting"], below[school]["overdue"]) == (1, 1, 1)
    page = client.get(PACE, {"month": f"{last:%Y-%m}"})
    assert page.status_code == 200
    in_month = {office.path: figures.decided for office, figures in page.context["pace"].below}
    assert in_month == {f"{quiet}101.": 0, school: 0}  # what the school decided, it decided today
    assert "80%" in page.text
    client.force_login(make.make_reviewer(make.CITY))
    rows = {row["path"]: row for row in client.get(API).json()["results"]}
    assert (rows[quiet]["decided"], rows[quiet]["late"]) == (5, 1)
    assert school not in rows  # one level down
    city_child = rows[quiet]["id"]
    client.force_login(staff["registrar"])
    own = client.get(API).json()
    assert (own["own"]["path"], own["results"], own["total"]) == (school, [], 0)
    client.force_login(make.make_reviewer(make.FAR_COUNTY))
    assert client.get(API).json()["own"]["path"] == make.FAR_COUNTY
    assert client.get(API, {"after": city_child}).status_code == 404
    assert client.get(PACE, {"month": "2019-01"}).status_code == 404
    assert client.get(PACE, {"month": "2019-99"}).status_code == 404
    assert client.get(API, {"month": "2019-99"}).status_code == 400
    client.force_login(make.make_user("head_teacher", school))
    assert client.get(PACE).status_code == 403


def file_at(path: str, staff: dict[str, Any]) -> Case:
    """A registration at the school of `path`."""
    from tests.transfers.filing import make_material
    from transfers.kinds.registration import REGISTRATION
    from transfers.services import file_case

    return file_case(
        REGISTRATION, make.make_office(path), actor=staff["registrar"],
        materials=[make_material(staff["registrar"])], payload={"class_id": staff["class"].pk},
        values=make.valid_values(), class_id=staff["class"].pk,
    )  # fmt: skip


def test_the_pace_costs_the_same_for_one_office_below_as_for_many(client: Client) -> None:
    make.make_office("CN.44.09.81.2144000061.")
    client.force_login(make.make_reviewer("CN.44.09.81."))

    def cost() -> int:
        with CaptureQueriesContext(connection) as found:
            assert client.get(PACE).status_code == 200
        return len(found)

    cost()
    one = cost()
    for number in range(62, 70):
        make.make_office(f"CN.44.09.81.21440000{number}.")
    assert cost() == one < 25
