"""新生注册 through its pages: the search, the form, refusals that keep what was typed, one filing a key."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.idempotency import lock_name
from archives.models import Material
from audit.models import AccessEntry, Event
from config.clock import today
from config.models import IdempotencyKey
from registry.models import Enrolment, ProblemRecord, Student
from tests import make
from tests.transfers.filing import make_material
from transfers.models import Case

pytestmark = pytest.mark.usefixtures("nation")
REGISTER, FORM, CHECK = (reverse(f"transfers:{name}") for name in ("register", "register_form", "check"))


@pytest.fixture
def desk(client: Client) -> dict[str, Any]:
    """A registrar at her school, signed in, with a class and an uploaded copy of the household register."""
    registrar = make.make_registrar()
    client.force_login(registrar)
    return {"registrar": registrar, "class": make.make_class(), "paper": make_material(registrar)}


def question(**changes: str) -> dict[str, str]:
    values = make.valid_values(**changes)
    return {key: values[key] for key in ("name", "sex", "birth_on", "nationality", "id_type", "id_number")}


def sheet(desk: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """All that the page sends with the button "file"."""
    not_values = ("key", "class_id", "document", "is_disputed", "distinct_reason", "action")
    more = {key: changes.pop(key) for key in not_values if key in changes}
    return {
        **make.valid_values(**changes),
        "action": "file",
        "key": uuid4().hex,
        "class_id": str(desk["class"].pk),
        "document": [str(desk["paper"].public_id)],
        **more,
    }


def refusals(user: Any) -> list[str]:
    return list(
        AccessEntry.objects.filter(actor_id=user.pk, outcome="refused").values_list("code", flat=True)
    )


# ── The search ────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-EST-08")
def test_nobody_found_leads_to_the_form_filled_in(client: Client, desk: dict[str, Any]) -> None:
    asked = question()
    response = client.post(REGISTER, asked)
    assert response.status_code == 200
    assert "全国没有查到该生学籍" in response.text
    assert AccessEntry.objects.get(actor_id=desk["registrar"].pk, outcome="look_up").code == "none"
    form = client.post(FORM, {**asked, "action": "show"})
    assert form.status_code == 200
    assert form.context["sheet"].values["id_number"] == asked["id_number"]
    assert form.context["sheet"].values["nationality"] == "CHN"


@pytest.mark.rule("R-EST-08", "AZ-9")
def test_a_hit_elsewhere_is_masked_and_never_keeps_the_child_out(
    client: Client, desk: dict[str, Any]
) -> None:
    elsewhere = make.make_student(make.make_class(make.FAR), name="欧阳小川", id_number="")
    asked = question(name="欧阳小川", birth_on=elsewhere.birth_on.isoformat(), id_type="Z", id_number="")
    page = client.post(REGISTER, asked).text
    assert "欧＊" in page
    assert str(elsewhere.public_id) not in page
    assert make.FAR.split(".")[-2] not in page
    assert client.post(FORM, {**asked, "action": "distinct", "distinct_reason": "不是"}).status_code == 400
    reason = "父母姓名不同,已核对户口簿"
    form = client.post(FORM, {**asked, "action": "distinct", "distinct_reason": reason})
    assert form.status_code == 200
    assert form.context["sheet"].distinct_reason == reason


@pytest.mark.rule("R-EST-08")
def test_a_hit_in_own_scope_is_linked(client: Client, desk: dict[str, Any]) -> None:
    known = make.make_student(desk["class"], name="司马小雨")
    asked = question(name="司马小雨", birth_on=known.birth_on.isoformat(), id_type="Z", id_number="")
    assert reverse("registry:student", args=[known.public_id]) in client.post(REGISTER, asked).text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"sex": "9"}, "sex"),
        ({"birth_on": "2019-02-30"}, "birth_on"),
        ({"birth_on": "2999-01-01"}, "birth_on"),
        ({"id_type": "Q"}, "id_type"),
        ({"nationality": "ZZZ"}, "nationality"),
        ({"id_number": "440305201910150012"}, "id_number"),
    ],
)
def test_a_question_that_cannot_be_asked_is_not_counted(
    client: Client, desk: dict[str, Any], changes: dict[str, str], field: str
) -> None:
    response = client.post(REGISTER, question() | changes)
    assert response.status_code == 422
    assert field in response.context["errors"]
    assert not AccessEntry.objects.filter(actor_id=desk["registrar"].pk, outcome="look_up").exists()
    assert AccessEntry.objects.filter(actor_id=desk["registrar"].pk, outcome="refused").count() == 1


@pytest.mark.rule("R-EST-08")
def test_a_number_wrong_in_itself_may_be_disputed(client: Client, desk: dict[str, Any]) -> None:
    asked = question()
    wrong = asked["id_number"][:17] + ("1" if asked["id_number"][17] != "1" else "2")
    refused = client.post(REGISTER, asked | {"id_number": wrong})
    assert refused.status_code == 422
    assert refused.context["may_dispute"]
    allowed = client.post(REGISTER, asked | {"id_number": wrong, "is_disputed": "1"})
    assert allowed.status_code == 200
    assert 'name="is_disputed" value="1"' in allowed.text


@pytest.mark.rule("RD-6")
def test_the_budget_of_look_ups_ends(client: Client, desk: dict[str, Any], settings: Any) -> None:
    from audit.models_warnings import BudgetStretch
    from audit.services import record_look_up

    for _time in range(30):
        record_look_up(actor=desk["registrar"], route="transfers:register", found=False)
    assert client.post(REGISTER, question()).status_code == 403  # first her second factor, once
    assert "step_up_needed" in refusals(desk["registrar"])
    for _time in range(7):
        record_look_up(actor=desk["registrar"], route="transfers:register", found=False)
    BudgetStretch.objects.create(actor_id=desk["registrar"].pk, budget="look_ups")
    assert client.post(REGISTER, question()).status_code == 429
    assert "budget_spent" in refusals(desk["registrar"])


# ── The form ──────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-EST-03", "R-EST-04")
def test_a_filed_form_becomes_a_case(client: Client, desk: dict[str, Any]) -> None:
    sent = sheet(desk, birthplace="广东省深圳市南山区", hukou_division="440305")
    response = client.post(FORM, sent)
    case = Case.objects.get(filed_by=desk["registrar"])
    assert response.status_code == 302
    assert response["Location"] == reverse("transfers:case", args=[case.number])
    student = case.student
    assert student is not None
    assert (student.birthplace, student.hukou_division) == ("440305000000", "440305000000")
    assert Event.objects.filter(action="transfers.case.file", subject_id=case.pk).count() == 1
    assert case.payload == {
        "class_id": desk["class"].pk, "is_disputed": False, "distinct_reason": "", "deferred_until": "",
        "filed_on": today().isoformat(), "is_omitted": False, "is_off_base_list": False,
        "is_numberless": False,
    }  # fmt: skip
    assert client.get(response["Location"]).status_code == 200


@pytest.mark.rule("AP-4")
def test_the_same_form_twice_gives_the_first_answer(client: Client, desk: dict[str, Any]) -> None:
    sent = sheet(desk)
    first, second = client.post(FORM, sent), client.post(FORM, sent)
    assert first["Location"] == second["Location"]
    assert Case.objects.filter(filed_by=desk["registrar"]).count() == 1
    other = client.post(FORM, sent | {"name": "林小二"})
    assert other.status_code == 422
    assert "idempotency_key_reused" in refusals(desk["registrar"])
    assert other.context["sheet"].values["name"] == "林小二"


@pytest.mark.rule("AP-4")
def test_a_form_that_is_still_being_filed_is_told_to_wait(client: Client, desk: dict[str, Any]) -> None:
    sent = sheet(desk)
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            name = lock_name(desk["registrar"], "transfers:register_form", sent["key"])
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
        waiting = client.post(FORM, sent)
        other.rollback()
    finally:
        other.close()
    assert waiting.status_code == 409
    assert "正在处理" in waiting.text
    assert refusals(desk["registrar"]) == ["still_running"]
    assert client.post(FORM, sent).status_code == 302


def test_a_refused_form_keeps_everything_and_writes_nothing(client: Client, desk: dict[str, Any]) -> None:
    sent = sheet(desk, name="王小明", phone="12", birth_on="2999-01-01", postcode="51800", talent="围棋")
    response = client.post(FORM, sent)
    assert response.status_code == 422
    kept = response.context["sheet"]
    assert {"phone", "birth_on", "postcode"} <= set(kept.by_field())
    assert kept.values["talent"] == "围棋"
    assert kept.key == sent["key"]
    assert [str(one.public_id) for one in response.context["documents"]] == sent["document"]
    assert 'href="#id_phone"' in response.text
    assert not Student.objects.filter(name="王小明").exists()
    assert not IdempotencyKey.objects.filter(key=sent["key"]).exists()
    assert refusals(desk["registrar"]) == ["record_refused"]
    corrected = sent | make.valid_values(name="王小明")
    assert client.post(FORM, corrected).status_code == 302


@pytest.mark.rule("R-EST-08", "R-EST-06")
def test_a_wrong_check_digit_is_offered_as_disputed_and_needs_a_paper(
    client: Client, desk: dict[str, Any]
) -> None:
    right = make.valid_values()["id_number"]
    wrong = right[:17] + ("1" if right[17] != "1" else "2")
    sent = sheet(desk, id_number=wrong)
    refused = client.post(FORM, sent)
    assert refused.status_code == 422
    assert refused.context["sheet"].may_dispute
    shown = client.post(FORM, sent | {"action": "dispute"})
    assert shown.status_code == 200
    assert shown.context["sheet"].is_disputed
    filed = client.post(FORM, sent | {"is_disputed": "1"})
    assert filed.status_code == 302
    case = Case.objects.get(filed_by=desk["registrar"])
    assert case.student is not None
    document = case.student.documents.get()
    assert (document.is_disputed, document.is_claimed) == (True, False)


@pytest.mark.rule("R-EST-08")
def test_a_disputed_number_with_no_proof_is_refused_at_the_papers(
    client: Client, desk: dict[str, Any]
) -> None:
    visa = make_material(desk["registrar"], "17")  # proves who she is, not where she is registered
    right = make.valid_values()["id_number"]
    wrong = right[:17] + ("1" if right[17] != "1" else "2")
    sent = sheet(desk, id_number=wrong, is_disputed="1", document=[str(visa.public_id)])
    response = client.post(FORM, sent)
    assert response.status_code == 409
    assert "document" in response.context["errors"]


@pytest.mark.rule("R-EST-03")
def test_without_a_paper_the_form_says_which(client: Client, desk: dict[str, Any]) -> None:
    response = client.post(FORM, sheet(desk, document=[]))
    assert response.status_code == 422
    assert "户口簿" in str(response.context["errors"]["document"][0].message)


@pytest.mark.rule("R-EST-05", "AZ-9", "G-01")
def test_a_number_held_elsewhere_gets_the_fixed_sentence_and_leaves_a_finding(
    client: Client, desk: dict[str, Any]
) -> None:
    holder = make.make_student(
        make.make_class(make.FAR), id_number=make.identity_number(make.first_grader_birth())
    )
    from registry.record import load_record, open_number

    number = open_number(load_record(holder).document)
    response = client.post(FORM, sheet(desk, id_number=number))
    assert response.status_code == 409
    assert [str(f.message) for f in response.context["errors"]["id_number"]] == [
        "该证件号码已有学籍,请按转学或问题学籍办理。"
    ]
    problem = ProblemRecord.objects.get(student=holder)
    assert (problem.side, problem.other_path) == ("attempt", make.SCHOOL)
    assert AccessEntry.objects.filter(actor_id=desk["registrar"].pk, outcome="look_up").count() == 1
    assert refusals(desk["registrar"]) == ["number_taken"]


@pytest.mark.rule("R-EST-08")
def test_a_namesake_needs_a_reason(client: Client, desk: dict[str, Any]) -> None:
    known = make.make_student(desk["class"], name="诸葛小雪")
    same = {"name": "诸葛小雪", "birth_on": known.birth_on.isoformat(), "id_type": "Z", "id_number": ""}
    guardian = {
        "member1_id_type": "1",
        "member1_id_number": make.identity_number(today() - timedelta(days=12000), "1"),
    }
    proof = make_material(desk["registrar"], "20")  # who has no document is in school, with a signature
    sent = sheet(desk, **same, **guardian, document=[str(proof.public_id)])
    refused = client.post(FORM, sent)
    assert refused.status_code == 409
    assert refused.context["sheet"].wants_distinct
    assert client.post(FORM, sent | {"distinct_reason": "父母不同,已核对出生证明"}).status_code == 302


def test_a_full_class_is_refused_and_shown_full(client: Client, desk: dict[str, Any]) -> None:
    small = make.make_class(cap=1)
    make.make_student(small)
    response = client.post(FORM, sheet(desk, class_id=str(small.pk)))
    assert response.status_code == 409
    assert "class_id" in response.context["errors"]
    assert any(seat.is_full for _grade, found in response.context["seats"] for seat in found)


def test_a_class_of_another_school_looks_like_none(client: Client, desk: dict[str, Any]) -> None:
    other = make.make_class(make.SISTER)
    response = client.post(FORM, sheet(desk, class_id=str(other.pk)))
    assert response.status_code == 422
    assert "class_id" in response.context["errors"]
    assert not Enrolment.objects.filter(school_class=other).exists()


def test_an_upload_of_another_school_cannot_be_used(client: Client, desk: dict[str, Any]) -> None:
    foreign: Material = make_material(make.make_registrar(make.SISTER))
    response = client.post(FORM, sheet(desk, document=[str(foreign.public_id)]))
    assert response.status_code == 422
    assert refusals(desk["registrar"]) == ["upload_gone"]


@pytest.mark.rule("AZ-5")
@pytest.mark.parametrize("address", [REGISTER, FORM, CHECK])
def test_unknown_keys_are_refused(client: Client, desk: dict[str, Any], address: str) -> None:
    assert client.post(address, {"status_number": "G1", "org_path": "CN."}).status_code == 400


def test_checking_saves_nothing(client: Client, desk: dict[str, Any]) -> None:
    before = Student.objects.count()
    sent = sheet(desk, phone="12")
    sent.pop("action")
    response = client.post(CHECK, sent, headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert 'href="#id_phone"' in response.text
    clean = client.post(CHECK, sheet(desk), headers={"HX-Request": "true"})
    assert "没有发现需要更正" in clean.text
    assert Student.objects.count() == before


def test_without_a_class_the_rest_is_checked_all_the_same(client: Client, desk: dict[str, Any]) -> None:
    response = client.post(CHECK, sheet(desk, class_id="", phone="12"))
    assert {"class_id", "phone"} <= set(response.context["errors"])


def test_divisions_are_suggested_by_name_and_code(client: Client, desk: dict[str, Any]) -> None:
    address = reverse("transfers:divisions")
    assert "广东省深圳市南山区" in client.get(address, {"birthplace": "南山"}).text
    assert "四川省凉山彝族自治州昭觉县" in client.get(address, {"q": "513431"}).text
    assert "<option" not in client.get(address, {"q": ""}).text


def test_the_form_asks_as_much_with_one_class_as_with_many(client: Client, desk: dict[str, Any]) -> None:
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert client.post(FORM, question() | {"action": "show"}).status_code == 200
        return len(found)

    count()  # content types, code files: read once for the process
    one = count()
    for _more in range(7):
        make.make_student(make.make_class())
    assert count() == one


def test_only_registrars_enter(client: Client) -> None:
    for role, path in (("leader", make.SCHOOL), ("reviewer", make.COUNTY), ("head_teacher", make.SCHOOL)):
        client.force_login(make.make_user(role, path))
        assert client.get(REGISTER).status_code == 403
