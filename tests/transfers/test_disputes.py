"""异议: a guardian's dispute of a field, from its filing to the answer that she reads (HANDBOOK D12)."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Notice
from audit.models import Event
from config.clock import today
from config.scope import scope
from config.workdays import add_workdays
from registry.models import OpenBusiness, Student
from registry.services.changing import follow
from registry.services.refusals import RecordRefused
from tests import make
from tests.transfers.filing import finish
from transfers.disputes import file_dispute
from transfers.models import Case
from transfers.refusals import AnswerOnly, NotTheStarter, RequirementFailed
from transfers.services import decide, withdraw
from transfers.tracking import code_of

pytestmark = pytest.mark.usefixtures("nation")
WROTE, PHONE = "户口簿上写的是四川成都", "13800138000"
ANSWER = "经核实，登记有误：以户口簿为准"


@pytest.fixture
def office() -> dict[str, Any]:
    return {
        "student": make.make_student(make.make_class()),
        "registrar": make.make_registrar(),
        "leader": make.make_leader(),
        "reviewer": make.make_reviewer(),
    }


def object_to(student: Student, field: str = "native_place", text: str = WROTE) -> Case:
    """As the guardians' page does: under the school's scope, nobody signed in."""
    with scope(student.org_path):
        return file_dispute(student, field, text, guardian_name="林国强", contact=PHONE)


def page(name: str, case: Case) -> str:
    return reverse(f"transfers:{name}", args=[case.number])


def shown(client: Client, user: Any, address: str) -> str:
    client.force_login(user)
    answer = client.get(address)
    return str(answer.text) if answer.status_code == 200 else str(answer.status_code)


@pytest.mark.rule("D12", "DISPUTE_ANSWER_DAYS", "R-TRF-02", "RD-1")
def test_the_registrar_answers_and_the_guardian_reads_it(client: Client, office: dict[str, Any]) -> None:
    make.make_rule("DISPUTE_ANSWER_DAYS", 10, make.PROVINCE)
    case, before = object_to(office["student"]), office["student"].version
    step = case.steps.get()
    assert (step.office_path, step.right, step.due_on) == (
        make.SCHOOL,
        "file_case",
        add_workdays(today(), 10),
    )
    assert case.filed_by is None
    assert not OpenBusiness.objects.filter(student=office["student"]).exists()
    # What she wrote is sealed, and in no log.
    assert WROTE not in str(case.payload)
    assert case.open_card()["asked_text"] == WROTE
    assert not [one for one in Event.objects.filter(subject_id=case.pk) if PHONE in str(vars(one))]
    assert set(Notice.objects.filter(about=case.number).values_list("user", flat=True)) == {
        office["registrar"].pk
    }
    # The registrar has it in her queue and on her desk; her leader and the county read it, without the phone.
    assert case.number in shown(client, office["registrar"], reverse("transfers:queue")).replace(
        "<i>", ""
    ).replace("</i>", "")
    assert page("case", case) in shown(client, office["registrar"], reverse("home"))
    assert PHONE in shown(client, office["registrar"], page("case", case))
    seen = shown(client, office["reviewer"], page("case", case))
    assert WROTE in seen
    assert PHONE not in seen
    assert "138******00" in seen

    client.force_login(office["registrar"])
    unsaid = client.post(page("decide", case), {"decision": "approve"})
    assert unsaid.status_code == 422
    chosen, text = ANSWER.split("：")
    done = client.post(page("decide", case), {"decision": "approve", "chosen": chosen, "text": text})
    assert done.status_code == 302
    finish(case)
    case = Case.objects.get(pk=case.pk)
    assert case.state == Case.State.DONE
    assert Student.objects.get(pk=office["student"].pk).version == before  # the school corrects it itself
    client.logout()
    track = client.get(reverse("transfers:track", args=[code_of(case.number)])).text
    assert ANSWER in track
    assert "已采纳您的异议" in track
    assert WROTE not in track


@pytest.mark.rule("D12", "RD-8")
def test_a_refusal_says_why_and_keeps_what_was_written(client: Client, office: dict[str, Any]) -> None:
    case = object_to(office["student"])
    with pytest.raises(RequirementFailed):
        object_to(office["student"])  # one about a field at a time
    other = object_to(office["student"], "other")
    with pytest.raises(AnswerOnly):
        decide(case, "return", actor=office["registrar"], reason="请补充材料")
    with pytest.raises(NotTheStarter):
        withdraw(case, actor=office["registrar"], reason="不想答复")
    client.force_login(office["registrar"])
    api = reverse("case-decide", args=[case.number])
    refused = client.post(api, {"decision": "refuse", "reason": ANSWER}, content_type="application/json")
    assert refused.status_code == 200
    case = Case.objects.get(pk=case.pk)
    assert (case.state, case.open_card()["asked_text"]) == (Case.State.REFUSED, WROTE)
    client.logout()
    track = client.get(reverse("transfers:track", args=[code_of(case.number)])).text
    assert ANSWER in track
    assert "未采纳" in track
    assert other.is_open


@pytest.mark.parametrize(
    ("field", "text"),
    [("nothing", WROTE), ("name", ""), ("name", "字" * 501)],
    ids=["field", "empty", "long"],
)
def test_what_cannot_be_filed(office: dict[str, Any], field: str, text: str) -> None:
    with pytest.raises(RecordRefused):
        object_to(office["student"], field, text)


@pytest.mark.rule("AZ-1", "R-ACC-02")
def test_strangers_see_nothing_and_nobody_else_answers(client: Client, office: dict[str, Any]) -> None:
    case = object_to(office["student"])
    for stranger in (make.make_registrar(make.SISTER), make.make_reviewer(make.NEIGHBOUR_COUNTY)):
        assert shown(client, stranger, page("case", case)) == "404"
        assert client.post(page("decide", case), {"decision": "approve", "text": ANSWER}).status_code == 404
    for reader in ("leader", "reviewer"):
        assert WROTE in shown(client, office[reader], page("case", case))
        answer = client.post(page("decide", case), {"decision": "approve", "text": ANSWER})
        assert answer.status_code == 403


def test_a_school_that_the_pupil_has_left_cannot_accept(client: Client, office: dict[str, Any]) -> None:
    case = object_to(office["student"])
    make.make_office(make.NEIGHBOUR)
    follow([office["student"].pk], make.SCHOOL, make.NEIGHBOUR)
    client.force_login(office["registrar"])
    assert "向现就读学校提出" in client.get(page("case", case)).text
    for decision, status in (("approve", 409), ("refuse", 302)):
        answer = client.post(page("decide", case), {"decision": decision, "text": "已转出，请向现学校提出"})
        assert answer.status_code == status
