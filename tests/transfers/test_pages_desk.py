"""Home, queue, list and numbers: exact counts, constant queries, one trace a list, honest batches."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import AccessEntry
from config.clock import today
from config.models import Job
from registry.models import ProblemRecord
from tests import make
from tests.transfers.filing import decide_all, file_pupil, finish
from transfers.models import Case, Step
from transfers.services import decide
from transfers.tasks import issue_numbers

pytestmark = pytest.mark.usefixtures("nation")
HOME, QUEUE, APPROVE, CASES, NUMBERS = (
    reverse(name)
    for name in ("home", "transfers:queue", "transfers:approve", "transfers:cases", "transfers:numbers")
)


@pytest.fixture
def office() -> dict[str, Any]:
    return {
        "class": make.make_class(),
        "registrar": make.make_registrar(),
        "leader": make.make_leader(phone="0755-26002222"),
        "reviewer": make.make_reviewer(),
    }


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as found:
        assert client.get(address).status_code == 200
    return len(found)


# ── Home ──────────────────────────────────────────────────────────────────────────────────────────────────
def test_each_person_sees_her_own_day(client: Client, office: dict[str, Any]) -> None:
    # Races commit cases and problems of this school: what they left is counted first.
    client.force_login(office["registrar"])
    left = client.get(HOME).context["desk"]
    client.force_login(office["leader"])
    left_mine = client.get(HOME).context["desk"].mine
    waiting, returned, done = (file_pupil(office) for _n in range(3))
    decide(returned, "return", actor=office["leader"], reason="照片不清晰")
    decide_all(done, office)
    finish(done)
    ProblemRecord.objects.create(
        org_path=make.SCHOOL, other_path=make.SCHOOL, type="1", side="single", student=waiting.student,
        found_by="测试", detail="测试",
    )  # fmt: skip
    client.force_login(office["registrar"])
    desk = client.get(HOME).context["desk"]
    assert (desk.mine, desk.sent_count) == (0, 1)
    assert (desk.returned_count - left.returned_count, desk.problem_count - left.problem_count) == (1, 1)
    assert (office["leader"].name, "0755-26002222") in desk.sent[0]["people"]
    assert "照片不清晰" in [row["by_reason"] for row in desk.returned]
    assert desk.recent[0]["number"] == done.number
    client.force_login(office["leader"])
    desk = client.get(HOME).context["desk"]
    assert waiting.number in [row["number"] for row in desk.waits]
    assert (desk.mine - left_mine, desk.returned_count) == (1, 0)
    client.force_login(make.make_reviewer(make.NEIGHBOUR_COUNTY))
    desk = client.get(HOME).context["desk"]
    assert (desk.mine, desk.sent_count, desk.returned_count) == (0, 0, 0)
    assert not {waiting.number, returned.number, done.number} & {row["number"] for row in desk.recent}


def test_what_a_leader_passed_on_waits_at_the_county(client: Client, office: dict[str, Any]) -> None:
    case = file_pupil(office)
    decide(case, "approve", actor=office["leader"], ticked=["01"])
    client.force_login(office["leader"])
    desk = client.get(HOME).context["desk"]
    assert [row["number"] for row in desk.sent] == [case.number]
    assert case.number not in [row["number"] for row in desk.waits]


def test_home_asks_as_much_with_one_case_as_with_many(client: Client, office: dict[str, Any]) -> None:
    file_pupil(office)
    counts = {}
    for who in ("registrar", "leader", "reviewer"):
        client.force_login(office[who])
        queries(client, HOME)
        counts[who] = queries(client, HOME)
    for number in range(8):
        case = file_pupil(office)
        if number < 3:
            decide(case, "return", actor=office["leader"], reason="照片不清晰")
        elif number < 6:
            decide(case, "approve", actor=office["leader"], ticked=["01"])
    for who, before in counts.items():
        client.force_login(office[who])
        # Returned and sent rows ask once more for who holds them, sent ones for their columns, however many.
        assert queries(client, HOME) <= before + 3, who
        assert queries(client, HOME) < 40


@pytest.mark.parametrize("role", ["head_teacher", "subject_teacher", "school_doctor", "system_administrator"])
def test_roles_without_cases_get_what_they_may_do(client: Client, role: str) -> None:
    client.force_login(make.make_user(role, make.SCHOOL))
    response = client.get(HOME)
    assert response.status_code == 200
    assert "desk" not in response.context
    assert "您可以做的" in response.text


def test_without_a_post_home_says_why(client: Client) -> None:
    client.force_login(make.make_user("registrar", make.SCHOOL, trained=False))
    response = client.get(HOME)
    assert response.status_code == 200
    assert "没有有效岗位" in response.text


@pytest.mark.rule("RD-3")
def test_home_leaves_one_trace_with_the_cases_it_showed(client: Client, office: dict[str, Any]) -> None:
    case = file_pupil(office)
    client.force_login(office["leader"])
    client.get(HOME)
    entry = AccessEntry.objects.get(actor_id=office["leader"].pk, outcome="list")
    assert case.pk in entry.subject_ids


# ── Queue ─────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_queue_is_the_own_offices_soonest_first(client: Client, office: dict[str, Any]) -> None:
    later, sooner = file_pupil(office), file_pupil(office)
    Step.objects.filter(case=sooner, is_current=True).update(due_on=today() - timedelta(days=30))
    client.force_login(office["leader"])
    response = client.get(QUEUE)
    numbers = [row["number"] for row in response.context["page"].rows]
    assert numbers.index(sooner.number) == 0
    assert later.number in numbers
    assert "已超期" in response.text
    overdue = client.get(QUEUE, {"overdue": "1"}).context["page"].rows
    assert [row["number"] for row in overdue] == [sooner.number]
    other = client.get(QUEUE, {"kind": "identity_change"}).context["page"].rows
    assert sooner.number not in [row["number"] for row in other]
    assert client.get(QUEUE, {"kind": "nonsense"}).status_code == 404
    for user in (office["reviewer"], make.make_reviewer(make.CITY)):  # they see it; it does not wait for them
        client.force_login(user)
        assert sooner.number not in [row["number"] for row in client.get(QUEUE).context["page"].rows]


def test_the_queue_pages_by_key(office: dict[str, Any]) -> None:
    from transfers.queries import Filters, read_queue

    cases = [file_pupil(office) for _n in range(5)]
    # Due before whatever races have left in this queue.
    Step.objects.filter(case__in=cases, is_current=True).update(due_on=today() - timedelta(days=400))
    first = read_queue(office["leader"], Filters(), size=2)
    decide(cases[1], "approve", actor=office["leader"], ticked=["01"])
    second = read_queue(office["leader"], Filters(), str(first.after), size=2)
    third = read_queue(office["leader"], Filters(), str(second.after), size=1)
    numbers = [row["number"] for page in (first, second, third) for row in page.rows]
    assert numbers == [case.number for case in cases]


def test_the_lists_ask_as_much_with_one_row_as_with_many(client: Client, office: dict[str, Any]) -> None:
    file_pupil(office)
    client.force_login(office["leader"])
    for address in (QUEUE, CASES):
        queries(client, address)
    before = [queries(client, address) for address in (QUEUE, CASES)]
    for _more in range(7):
        file_pupil(office)
    assert [queries(client, address) for address in (QUEUE, CASES)] == before
    assert max(before) < 25


@pytest.mark.rule("R-ACC-02")
def test_a_batch_says_what_went_through_and_what_did_not(client: Client, office: dict[str, Any]) -> None:
    good, other = file_pupil(office), file_pupil(office)
    make.add_post(office["leader"], "registrar", make.SCHOOL)
    own = file_pupil(office, actor=office["leader"])
    client.force_login(office["leader"])
    unlooked = client.post(APPROVE, {"case": [good.number, own.number]})
    assert unlooked.status_code == 200
    choice = unlooked.context["choice"]
    assert [one.number for one in choice.like] == [good.number]
    assert [(one.number, one.why) for one in choice.apart] == [(own.number, "本人发起，须由他人办理。")]
    assert not Step.objects.filter(case=good).exclude(decision="").exists()
    response = client.post(APPROVE, {"case": [good.number, own.number, other.number], "looked": "1"})
    assert response.status_code == 200
    assert [one.number for one in response.context["done"]] == [good.number, other.number]
    assert [one.refusal.code for one in response.context["refused"]] == ["second_signature"]
    states = Case.objects.filter(pk__in=[good.pk, own.pk]).order_by("pk").values_list("state", flat=True)
    assert list(states) == ["waiting", "waiting"]
    assert Step.objects.filter(case=good, decision="approve").count() == 1
    assert Step.objects.filter(case=own).exclude(decision="").count() == 0
    again = client.post(APPROVE, {"case": [good.number], "looked": "1"})
    assert again.status_code == 409
    assert client.post(APPROVE, {"case": ["ZC1"], "looked": "1"}).status_code == 404


# ── All cases ─────────────────────────────────────────────────────────────────────────────────────────────
def test_the_list_shows_the_scope_newest_first(client: Client, office: dict[str, Any]) -> None:
    cases = [file_pupil(office) for _n in range(3)]
    decide(cases[0], "return", actor=office["leader"], reason="照片不清晰")
    for user in (
        office["registrar"],
        make.make_reviewer(make.CITY),
        make.make_user("auditor", make.PROVINCE),
    ):
        client.force_login(user)
        rows = client.get(CASES).context["page"].rows
        assert [row["number"] for row in rows][:3] == [case.number for case in reversed(cases)]
        returned = client.get(CASES, {"state": "returned"}).context["page"].rows
        assert returned[0]["number"] == cases[0].number
        older = client.get(CASES, {"after": cases[1].number}).context["page"].rows
        assert older[0]["number"] == cases[0].number
    client.force_login(make.make_registrar(make.SISTER))
    assert not {case.number for case in cases} & {
        row["number"] for row in client.get(CASES).context["page"].rows
    }
    assert client.get(CASES, {"after": cases[1].number}).status_code == 404


# ── Numbers ───────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-NUM-06")
def test_the_operator_starts_the_run_once(
    client: Client, office: dict[str, Any], django_capture_on_commit_callbacks: Any, monkeypatch: Any
) -> None:
    make.make_student(office["class"], number="L44030520191015" + "0001")
    operator = make.make_user("national_operator", make.NATION)
    told: list[int] = []
    monkeypatch.setattr(issue_numbers, "delay", told.append)
    client.force_login(operator)
    assert client.get(NUMBERS).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(NUMBERS).status_code == 302
    job = Job.objects.get(kind="issue_numbers", started_by=operator.pk)
    assert told == [job.pk]
    assert client.post(NUMBERS).status_code == 409
    assert "every 2s" in client.get(reverse("transfers:job", args=[job.pk])).text
    Job.objects.filter(pk=job.pk).update(state=Job.State.DONE)
    assert client.get(reverse("transfers:job", args=[0])).status_code == 404
    client.force_login(office["reviewer"])
    assert client.get(NUMBERS).status_code == 403
