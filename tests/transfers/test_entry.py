"""补录, 延期注册, 招生计划 and 小升初底表 in a registration: page, API and services, refusal and success."""

import json
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import AccessEntry
from config.clock import today
from config.workdays import add_workdays
from registry.models import Student, Term
from registry.record import school_year_start
from registry.services.allowances import set_plan
from registry.services.refusals import DeferralLate, DeferralUnclear, NotOnBaseList, PlanExceeded
from tests import make
from tests.transfers.filing import file_pupil, finish, make_material
from transfers.casefile import open_file
from transfers.models import Case
from transfers.refusals import RequirementFailed
from transfers.services import decide, refile

pytestmark = pytest.mark.usefixtures("nation")
YEAR = school_year_start(today()).year


@pytest.fixture
def office() -> dict[str, Any]:
    return {
        "class": make.make_class(),
        "registrar": make.make_registrar(),
        "leader": make.make_leader(),
        "reviewer": make.make_reviewer(),
    }


def close_registration(path: str = make.COUNTY) -> None:
    """Yesterday was the last day, whatever day it is."""
    make.make_rule("REGISTRATION_CLOSES", f"{today() - timedelta(days=1):%m%d}", path)


def papers(office: dict[str, Any], *types: str) -> list[Any]:
    return [make_material(office["registrar"], code) for code in ("01", *types)]


def approve(case: Case, actor: User) -> None:
    decide(Case.objects.get(pk=case.pk), "approve", actor=actor, ticked=["01"])


# ── 补录 ─────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-EST-13", "D18")
def test_after_the_closing_day_a_new_pupil_needs_the_stamped_request(office: dict[str, Any]) -> None:
    assert not file_pupil(office).payload["is_omitted"]
    close_registration()
    with pytest.raises(RequirementFailed, match="补录申请"):
        file_pupil(office)
    case = file_pupil(office, materials=papers(office, "25"))
    assert case.payload["is_omitted"]


@pytest.mark.rule("R-EST-13")
def test_a_pupil_outside_an_entry_grade_needs_the_old_status_card_as_well(office: dict[str, Any]) -> None:
    office["class"] = make.make_class(grade="13")
    birth = make.first_grader_birth().replace(year=make.first_grader_birth().year - 2)
    for types in ((), ("22",), ("25",)):
        with pytest.raises(RequirementFailed, match="学籍卡和加盖学校公章的补录申请"):
            file_pupil(
                office,
                values=make.valid_values(birth_on=birth.isoformat()),
                materials=papers(office, *types),
            )
    values = make.valid_values(birth_on=birth.isoformat(), entry_month=f"{YEAR - 2}-09")
    case = file_pupil(office, values=values, materials=papers(office, "22", "25"))
    assert [step.office_path for step in case.steps.order_by("ordinal")] == [make.SCHOOL, make.COUNTY]


@pytest.mark.rule("R-EST-13")
def test_the_county_decides_on_omitted_pupils_even_where_another_office_runs_the_school() -> None:
    farm, school = f"{make.COUNTY}90.", f"{make.COUNTY}90.2144000009."
    make.make_office(farm, kind="authority", name="农场教育处")
    office = {"class": make.make_class(school), "registrar": make.make_registrar(school)}
    leader, decider = make.make_leader(school), make.make_reviewer(farm)
    reviewer = make.make_reviewer()

    def file(*types: str) -> Case:
        from transfers.kinds.registration import REGISTRATION
        from transfers.services import file_case

        return file_case(
            REGISTRATION, make.make_office(school), actor=office["registrar"],
            materials=papers(office, *types), payload={"class_id": office["class"].pk},
            values=make.valid_values(), class_id=office["class"].pk,
        )  # fmt: skip

    assert [step.office_path for step in file().steps.order_by("ordinal")] == [school, farm]
    close_registration()
    case = file("25")
    assert [step.office_path for step in case.steps.order_by("ordinal")] == [school, farm, make.COUNTY]
    for actor in (leader, decider):
        approve(case, actor)
    case.refresh_from_db()
    assert case.state == Case.State.WAITING
    approve(case, reviewer)
    case.refresh_from_db()
    assert case.state == Case.State.APPROVED


@pytest.mark.rule("R-EST-13")
def test_a_registration_filed_in_time_is_no_omitted_one_when_its_papers_come_back_late(
    office: dict[str, Any],
) -> None:
    values = make.valid_values()
    case = file_pupil(office, values=values)
    decide(case, "return", actor=office["leader"], reason="住址写得不完整")
    close_registration()
    case.refresh_from_db()
    case.payload["filed_on"] = (today() - timedelta(days=2)).isoformat()
    version = Student.objects.get(pk=case.student_id).version
    payload = {"values": values, "version": version, "class_id": office["class"].pk}
    refile(case, actor=office["registrar"], payload=payload)
    assert not Case.objects.get(pk=case.pk).payload["is_omitted"]


# ── 延期注册 ──────────────────────────────────────────────────────────────────────────────────────────────
def begin_term(days_ago: int) -> None:
    """A term of the county that began so many working days ago."""
    starts = add_workdays(today(), -days_ago)
    Term.objects.filter(path=make.COUNTY).delete()
    # As spring term it has begun; as autumn term it may lie ahead as well.
    for semester in ("1", "2"):
        Term.objects.create(
            path=make.COUNTY, school_year=YEAR, semester=semester, starts_on=starts,
            ends_on=starts + timedelta(days=120),
        )  # fmt: skip


def defer(office: dict[str, Any], *types: str, days: int = 30) -> Case:
    until = (today() + timedelta(days=days)).isoformat()
    return file_pupil(office, materials=papers(office, *types), payload={"deferred_until": until})


@pytest.mark.rule("R-EST-12", "DEFER_APPLY_DAYS")
def test_a_guardian_may_ask_to_register_later_within_five_working_days_with_proof(
    office: dict[str, Any],
) -> None:
    begin_term(5)
    with pytest.raises(RequirementFailed, match="申请与证明"):
        defer(office)
    assert defer(office, "26").deferred_until == today() + timedelta(days=30)
    begin_term(6)
    with pytest.raises(DeferralLate):
        defer(office, "26")
    make.make_rule("DEFER_APPLY_DAYS", 6, make.PROVINCE)
    defer(office, "26")
    for days in (0, -1, 800):
        with pytest.raises(DeferralUnclear):
            defer(office, "26", days=days)


@pytest.mark.rule("R-EST-12")
def test_a_deferred_registration_waits_without_a_running_clock_until_its_day(
    office: dict[str, Any],
) -> None:
    begin_term(0)
    ordinary, case = file_pupil(office), defer(office, "26", days=30)
    due = case.steps.get(is_current=True).due_on
    assert due == add_workdays(today() + timedelta(days=30), 10)
    assert ordinary.steps.get(is_current=True).due_on == add_workdays(today(), 10)
    assert "延期注册" in open_file(Case.objects.get(pk=case.pk), office["leader"]).sentence
    with pytest.raises(RequirementFailed, match="延期注册至"):
        approve(case, office["leader"])
    # The child comes earlier: returned, and filed again without the deferral.
    case.refresh_from_db()
    decide(case, "return", actor=office["leader"], reason="学生已到校")
    case.refresh_from_db()
    version = Student.objects.get(pk=case.student_id).version
    values = make.valid_values(name=case.open_card()["name"])
    payload = {"values": values, "version": version, "class_id": office["class"].pk, "deferred_until": ""}
    refile(case, actor=office["registrar"], payload=payload)
    assert case.steps.get(is_current=True).due_on == add_workdays(today(), 10)
    approve(case, office["leader"])


@pytest.mark.rule("R-EST-12")
def test_the_deferral_over_its_case_goes_on(office: dict[str, Any]) -> None:
    begin_term(0)
    case = defer(office, "26")
    payload = case.payload | {"deferred_until": today().isoformat()}
    Case.objects.filter(pk=case.pk).update(payload=payload)
    approve(case, office["leader"])
    approve(case, office["reviewer"])
    finish(case)
    assert Case.objects.get(pk=case.pk).state == Case.State.DONE


# ── 招生计划 ──────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("INTAKE_PLAN")
def test_beyond_a_plan_that_warns_the_reviewer_reads_it_and_may_approve(office: dict[str, Any]) -> None:
    school = make.make_office(make.SCHOOL).school
    set_plan(school, YEAR, "2", 1, document="深南教〔2025〕31号", actor=office["reviewer"])
    file_pupil(office)
    case = file_pupil(office)
    file = open_file(Case.objects.get(pk=case.pk), office["leader"])
    said = {requirement.code: why for requirement, why in file.checks}
    assert "超出计划 1 人" in said["plan"]
    assert file.failed == 0
    approve(case, office["leader"])
    make.make_rule("INTAKE_PLAN", "block")
    with pytest.raises(RequirementFailed, match="超出计划 1 人"):
        approve(case, office["reviewer"])
    with pytest.raises(PlanExceeded):
        file_pupil(office)


# ── 小升初底表 ────────────────────────────────────────────────────────────────────────────────────────────
def make_leaver() -> Student:
    pupil = make.make_student(make.make_class(make.SISTER, grade="16"), birth_on=f"{YEAR - 12}-03-05")
    pupil.enrolments.update(status="07", valid=DateRange(date(YEAR - 6, 9, 1), date(YEAR, 7, 10)))
    return pupil


@pytest.mark.rule("BASE_LIST_MATCH", "D9")
def test_a_junior_entrant_off_the_base_list_is_refused_noted_or_let_pass(office: dict[str, Any]) -> None:
    office["class"] = make.make_class(grade="21")
    values = {"birth_on": f"{YEAR - 12}-03-05", "entry_month": f"{YEAR}-09"}

    def file() -> Case:
        return file_pupil(office, values=make.valid_values(**values))

    assert not file().payload["is_off_base_list"]
    make.make_rule("BASE_LIST_MATCH", "warn")
    noted = file()
    assert noted.payload["is_off_base_list"]
    checks = open_file(Case.objects.get(pk=noted.pk), office["leader"]).checks
    assert any("小升初底表" in why for _requirement, why in checks)
    approve(noted, office["leader"])
    make.make_rule("BASE_LIST_MATCH", "block")
    with pytest.raises(NotOnBaseList, match="南山区教育局的小升初底表") as refusal:
        file()
    assert refusal.value.afterwards is not None
    refusal.value.afterwards()
    assert AccessEntry.objects.filter(outcome="look_up", actor_id=office["registrar"].pk).count() == 1
    leaver = make_leaver()
    same = make.valid_values(name=leaver.name, sex=leaver.sex, **values)
    assert not file_pupil(office, values=same).payload["is_off_base_list"]


# ── Page and API ─────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-EST-13", "R-EST-12", "INTAKE_PLAN")
def test_the_form_says_beforehand_that_this_is_an_omitted_pupil_or_beyond_the_plan(
    client: Client, office: dict[str, Any]
) -> None:
    client.force_login(office["registrar"])
    body = make.valid_values() | {"class_id": str(office["class"].pk)}
    check = reverse("transfers:check")
    assert "补录" not in client.post(check, body).content.decode()
    close_registration()
    set_plan(
        make.make_office(make.SCHOOL).school, YEAR, "2", 0, document="深南教〔2025〕31号",
        actor=office["reviewer"],
    )  # fmt: skip
    late = client.post(check, body | {"deferred_until": "明天"}).content.decode()
    assert "#id_deferred_until" in late
    page = client.post(check, body).content.decode()
    assert "按补录办理" in page
    assert "已达招生计划" in page
    filing = body | {"action": "file", "key": uuid4().hex, "document": str(papers(office)[0].public_id)}
    answer = client.post(reverse("transfers:register_form"), filing)
    assert (answer.status_code, "补录申请" in answer.content.decode()) == (409, True)
    wrong = filing | {"key": uuid4().hex, "deferred_until": "十月八日"}
    answer = client.post(reverse("transfers:register_form"), wrong)
    assert 'id="id_deferred_until"' in answer.content.decode()
    assert not Case.objects.exists()


@pytest.mark.rule("R-EST-12")
def test_the_api_files_a_deferred_registration(client: Client, office: dict[str, Any]) -> None:
    begin_term(1)
    client.force_login(office["registrar"])

    def file(**more: Any) -> Any:
        body = {
            "kind": "registration",
            "class_id": office["class"].pk,
            "values": make.valid_values(),
            "materials": [str(material.public_id) for material in papers(office, "26")],
        }
        headers = {"Idempotency-Key": uuid4().hex}
        return client.post(
            "/api/v1/cases/", json.dumps(body | more), content_type="application/json", headers=headers
        )

    until = today() + timedelta(days=20)
    answer = file(deferred_until=until.isoformat())
    assert answer.status_code == 201, answer.content
    assert Case.objects.get(number=answer.json()["number"]).deferred_until == until
    assert file().status_code == 201
    refused = file(deferred_until=today().isoformat())
    assert (refused.status_code, refused.json()["code"]) == (422, "deferral_unclear")
