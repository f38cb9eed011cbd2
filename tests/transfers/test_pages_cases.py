"""One case through its page: deciding, refusals, correction, withdrawal, change of document."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import AccessEntry, Event
from config.clock import today
from registry.models import Enrolment, Student
from tests import make
from tests.transfers.filing import decide_all, file_pupil, finish, make_material
from transfers.models import Case, Step

pytestmark = pytest.mark.usefixtures("nation")


@pytest.fixture
def office() -> dict[str, Any]:
    return {
        "class": make.make_class(),
        "registrar": make.make_registrar(phone="0755-26001111"),
        "leader": make.make_leader(phone="0755-26002222"),
        "reviewer": make.make_reviewer(phone="0755-26003333"),
    }


def page(name: str, case: Case) -> str:
    return reverse(f"transfers:{name}", args=[case.number])


def fresh(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def refusals(user: Any) -> list[str]:
    return list(
        AccessEntry.objects.filter(actor_id=user.pk, outcome="refused").values_list("code", flat=True)
    )


def return_it(client: Client, office: dict[str, Any], case: Case) -> None:
    client.force_login(office["leader"])
    answer = client.post(
        page("decide", case), {"decision": "return", "chosen": "材料不全或不清晰", "text": "看不清"}
    )
    assert answer.status_code == 302


# ── Seeing ────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("RD-3")
def test_the_page_says_where_it_waits_and_who_holds_it(client: Client, office: dict[str, Any]) -> None:
    case = file_pupil(office)
    client.force_login(office["registrar"])
    response = client.get(page("case", case))
    assert response.status_code == 200
    assert office["leader"].name in response.text
    assert "0755-26002222" in response.text
    assert "还剩 10 个工作日" in response.text
    read = AccessEntry.objects.get(actor_id=office["registrar"].pk, outcome="read")
    assert (read.subject_type, read.subject_id) == ("case", case.pk)


@pytest.mark.rule("RD-1")
def test_values_are_masked_as_on_the_record(client: Client, office: dict[str, Any]) -> None:
    values = make.valid_values()
    case = file_pupil(office, values=values)
    for who in ("registrar", "leader", "reviewer"):
        client.force_login(office[who])
        text = client.get(page("case", case)).text
        assert values["id_number"] not in text
        assert values["phone"] not in text
        assert values["current_address"] not in text
        assert values["member1_name"] not in text
    assert "健康状况" not in text  # the reviewer has no right to health values


@pytest.mark.rule("AZ-1", "AZ-2")
def test_hidden_and_missing_are_alike(client: Client, office: dict[str, Any]) -> None:
    case = file_pupil(office)
    for user in (
        make.make_reviewer(make.NEIGHBOUR_COUNTY),
        make.make_reviewer(make.FAR_COUNTY),
        make.make_leader(make.SISTER),
    ):
        client.force_login(user)
        assert client.get(page("case", case)).status_code == 404
        assert client.get(reverse("transfers:case", args=["ZC000000000000"])).status_code == 404
        assert client.post(page("decide", case), {"decision": "approve"}).status_code == 404
    for above in (make.make_reviewer(make.CITY), make.make_user("bureau_leader", make.PROVINCE)):
        client.force_login(above)
        assert client.get(page("case", case)).status_code == 200


def test_the_page_asks_as_much_with_one_paper_as_with_many(client: Client, office: dict[str, Any]) -> None:
    few = file_pupil(office)
    many = file_pupil(
        office,
        materials=[make_material(office["registrar"], code) for code in ("01", "02", "03", "04", "07")],
    )
    client.force_login(office["leader"])

    def count(case: Case) -> int:
        with CaptureQueriesContext(connection) as found:
            assert client.get(page("case", case)).status_code == 200
        return len(found)

    count(few)
    assert count(few) == count(many) < 50


# ── Deciding ──────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-EST-04", "R-ACC-02")
def test_three_persons_bring_a_pupil_in(client: Client, office: dict[str, Any]) -> None:
    case = file_pupil(office)
    for who in ("leader", "reviewer"):
        client.force_login(office[who])
        unticked = client.post(page("decide", case), {"decision": "approve"})
        assert unticked.status_code == 422
        assert "尚未核对" in unticked.text
        assert client.post(page("decide", case), {"decision": "approve", "ticked": ["01"]}).status_code == 302
    assert fresh(case).state == Case.State.APPROVED
    finish(case)
    text = client.get(page("case", case)).text
    assert "已办结，学籍号" in text
    assert Event.objects.filter(action="transfers.case.approve", subject_id=case.pk).count() == 2


def test_the_next_case_opens_and_at_the_end_the_queue(client: Client, office: dict[str, Any]) -> None:
    first, second = file_pupil(office), file_pupil(office)
    client.force_login(office["leader"])
    answer = client.post(page("decide", first), {"decision": "approve", "ticked": ["01"]})
    assert answer["Location"] == page("case", second)
    answer = client.post(
        page("decide", second), {"decision": "refuse", "chosen": "不符合入学条件", "text": ""}
    )
    assert answer["Location"] == reverse("transfers:queue")
    assert fresh(second).state == Case.State.REFUSED
    closed = client.get(page("case", second)).text
    assert "不予通过：不符合入学条件" in closed
    assert "已按规定清除" in closed


@pytest.mark.parametrize(
    ("who", "status", "code"),
    [("registrar", 403, "not_allowed"), ("reviewer", 409, "not_your_turn"), ("city", 403, "not_allowed")],
)
def test_wrong_person_or_moment_is_refused(
    client: Client, office: dict[str, Any], who: str, status: int, code: str
) -> None:
    case = file_pupil(office)
    user = make.make_reviewer(make.CITY) if who == "city" else office[who]
    client.force_login(user)
    answer = client.post(page("decide", case), {"decision": "approve", "ticked": ["01"]})
    assert answer.status_code == status
    assert refusals(user) == [code]
    assert fresh(case).state == Case.State.WAITING


def test_a_decided_case_tells_the_second_officer(client: Client, office: dict[str, Any]) -> None:
    case = file_pupil(office)
    client.force_login(office["leader"])
    client.post(page("decide", case), {"decision": "approve", "ticked": ["01"]})
    late = make.make_leader()
    client.force_login(late)
    answer = client.post(page("decide", case), {"decision": "approve", "ticked": ["01"]})
    assert answer.status_code == 409
    assert office["leader"].name in answer.text
    assert refusals(late) == ["step_already_taken"]


@pytest.mark.rule("R-ACC-02", "AZ-7")
def test_who_filed_does_not_sign_and_is_told_so_beforehand(client: Client, office: dict[str, Any]) -> None:
    make.add_post(office["registrar"], "leader", make.SCHOOL)
    case = file_pupil(office)
    client.force_login(office["registrar"])
    assert "同一人不能" in client.get(page("case", case)).text
    answer = client.post(page("decide", case), {"decision": "approve", "ticked": ["01"]})
    assert answer.status_code == 403


@pytest.mark.rule("R-TRF-04")
def test_returning_needs_a_reason_and_keeps_what_was_typed(client: Client, office: dict[str, Any]) -> None:
    case = file_pupil(office)
    client.force_login(office["leader"])
    answer = client.post(page("decide", case), {"decision": "return", "text": "缺", "ticked": ["01"]})
    assert answer.status_code == 422
    assert 'value="缺"' in answer.text
    assert "checked" in answer.text
    assert (
        client.post(page("decide", case), {"decision": "return", "chosen": "编造的理由"}).status_code == 400
    )
    assert client.post(page("decide", case), {"decision": "burn"}).status_code == 400


# ── Correction and withdrawal ─────────────────────────────────────────────────────────────────────────────
def correction(client: Client, case: Case, **changes: Any) -> dict[str, Any]:
    """What the correction page would send: its own values with `changes`."""
    found = client.get(page("correct", case)).context["sheet"]
    return {
        **found.values,
        "class_id": found.class_id,
        "document": found.documents,
        "version": str(found.version),
        "action": "file",
        "key": found.key,
        **changes,
    }


@pytest.mark.rule("R-TRF-05")
def test_a_returned_case_is_corrected_and_goes_round_again(client: Client, office: dict[str, Any]) -> None:
    case = file_pupil(office)
    return_it(client, office, case)
    client.force_login(office["registrar"])
    shown = client.get(page("case", case)).text
    assert "已退回补正：材料不全或不清晰：看不清" in shown
    sent = correction(client, case, talent="书法")
    read = AccessEntry.objects.filter(actor_id=office["registrar"].pk, route="transfers:correct").get()
    assert read.subject_id == case.student_id
    wrong = client.post(page("correct", case), sent | {"phone": "12", "talent": "象棋"})
    assert wrong.status_code == 422
    assert wrong.context["sheet"].values["talent"] == "象棋"
    assert client.post(page("correct", case), sent).status_code == 302
    assert fresh(case).state == Case.State.WAITING
    assert Student.objects.get(pk=case.student_id).talent == "书法"
    decide_all(case, office)
    assert fresh(case).state == Case.State.APPROVED


@pytest.mark.rule("R-UPD-04")
def test_of_two_corrections_the_second_is_told(client: Client, office: dict[str, Any]) -> None:
    case = file_pupil(office)
    return_it(client, office, case)
    client.force_login(office["registrar"])
    sent = correction(client, case)
    Student.objects.filter(pk=case.student_id).update(version=7)
    answer = client.post(page("correct", case), sent)
    assert answer.status_code == 409
    assert refusals(office["registrar"]) == ["changed_meanwhile"]


def test_only_a_returned_case_is_corrected_and_only_by_its_school(
    client: Client, office: dict[str, Any]
) -> None:
    case = file_pupil(office)
    client.force_login(office["registrar"])
    assert client.get(page("correct", case)).status_code == 409
    client.force_login(make.make_registrar(make.SISTER))
    assert client.get(page("correct", case)).status_code == 404


@pytest.mark.rule("R-TRF-05")
def test_the_starter_withdraws_with_a_reason(client: Client, office: dict[str, Any]) -> None:
    case = file_pupil(office)
    client.force_login(office["registrar"])
    short = client.post(page("withdraw", case), {"reason": "错"})
    assert short.status_code == 422
    assert 'value="错"' in short.text
    assert client.post(page("withdraw", case), {"reason": "家长改变主意"}).status_code == 302
    assert fresh(case).state == Case.State.WITHDRAWN
    assert Enrolment.objects.get(student=case.student_id).is_void
    again = client.post(page("withdraw", case), {"reason": "家长改变主意"})
    assert again.status_code == 409


# ── Another document ──────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def unregistered(office: dict[str, Any]) -> Student:
    """A pupil without a number, who has a J number."""
    guardian = {
        "member1_id_type": "1",
        "member1_id_number": make.identity_number(today() - timedelta(days=12000), "1"),
    }
    return make.make_student(
        office["class"], id_type="Z", id_number="", number="J440305201910150018", **guardian
    )


def propose(client: Client, office: dict[str, Any], student: Student, **changes: Any) -> Any:
    sent = {
        "id_type": "1",
        "id_number": make.identity_number(student.birth_on, student.sex),
        "key": uuid4().hex,
        "document": [str(make_material(office["registrar"]).public_id)],
    }
    return client.post(reverse("transfers:identity_change", args=[student.public_id]), sent | changes)


@pytest.mark.rule("R-NUM-03", "R-UPD-07", "RD-2")
def test_a_number_that_arrives_late_goes_through_two_offices(
    client: Client, office: dict[str, Any], unregistered: Student
) -> None:
    number = make.identity_number(unregistered.birth_on, unregistered.sex)
    client.force_login(office["registrar"])
    assert client.get(reverse("transfers:identity_change", args=[unregistered.public_id])).status_code == 200
    answer = propose(client, office, unregistered, id_number=number)
    assert answer.status_code == 302
    case = Case.objects.get(kind="identity_change", student=unregistered)
    client.force_login(office["leader"])
    text = client.get(page("case", case)).text
    assert number not in text
    assert "变更内容" in text
    assert client.post(page("reveal", case), {"reason": "check", "text": "短"}).status_code == 422
    shown = client.post(page("reveal", case), {"reason": "check", "text": "与户口簿逐位核对"})
    assert number in shown.text
    assert AccessEntry.objects.filter(
        actor_id=office["leader"].pk, outcome="reveal", subject_id=unregistered.pk
    ).exists()
    decide_all(case, office)
    finish(case)
    finish(unregistered)
    assert Student.objects.get(pk=unregistered.pk).number == f"G{number}"


@pytest.mark.rule("R-UPD-06", "AZ-9")
def test_a_wrong_or_taken_number_is_refused_with_all_kept(
    client: Client, office: dict[str, Any], unregistered: Student
) -> None:
    client.force_login(office["registrar"])
    wrong = propose(client, office, unregistered, id_number="440305201910150012")
    assert wrong.status_code == 422
    assert "id_number" in wrong.context["errors"]
    assert 'value="440305201910150012"' in wrong.text
    taken = make.identity_number(unregistered.birth_on, unregistered.sex)
    make.make_student(
        make.make_class(make.FAR),
        id_number=taken,
        birth_on=unregistered.birth_on.isoformat(),
        sex=unregistered.sex,
    )
    refused = propose(client, office, unregistered, id_number=taken)
    assert refused.status_code == 409
    assert "该证件号码已有学籍,请按转学或问题学籍办理。" in refused.text
    assert not Case.objects.filter(student=unregistered).exists()


def test_a_pupil_of_another_school_is_out_of_reach(client: Client, office: dict[str, Any]) -> None:
    elsewhere = make.make_student(make.make_class(make.SISTER))
    client.force_login(office["registrar"])
    assert propose(client, office, elsewhere).status_code == 404


def test_a_returned_change_takes_more_papers(
    client: Client, office: dict[str, Any], unregistered: Student
) -> None:
    client.force_login(office["registrar"])
    propose(client, office, unregistered)
    case = Case.objects.get(student=unregistered)
    return_it(client, office, case)
    client.force_login(office["registrar"])
    assert client.get(page("correct", case)).status_code == 200
    paper = make_material(office["registrar"], "03")
    sent = {
        "id_number": case.open_card()["proposed_id_number"],
        "id_type": "1",
        "document": [paper.public_id],
    }
    assert client.post(page("correct", case), sent).status_code == 302
    decide_all(case, office)
    finish(case)
    assert fresh(case).state == Case.State.DONE
    assert Step.objects.filter(case=case, decision="return").count() == 1
