"""The story in a real browser: registrar, leader, reviewer and worker, with the refusals on the way."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from config.scope import scoped_transaction
from registry.models import Student
from tests import make
from tests.browser.conftest import Open, assert_accessible, enter, start_worker, wait_until
from tests.transfers.filing import picture
from transfers.models import Case

# One-choice and text fields of the form, beyond what step 1 has asked.
NOT_TYPED = {
    "name",
    "sex",
    "birth_on",
    "nationality",
    "id_type",
    "id_number",
    "entry_month",
    "overseas_status",
}


@pytest.fixture
def people(committed_db: None) -> dict[str, Any]:
    """A school with its three persons, a neighbour and offices above; committed, so that the web process
    sees them.
    """
    with scoped_transaction("CN."):
        school_class = make.make_class()
        staff: dict[str, Any] = {
            "registrar": make.make_registrar(name="周登记"),
            "leader": make.make_leader(name="郑校长"),
            "reviewer": make.make_reviewer(name="吴核准"),
            "neighbour": make.make_reviewer(make.NEIGHBOUR_COUNTY),
            "auditor": make.make_user("auditor", make.PROVINCE),
        }
    return staff | {"class": school_class}


def ask_first(page: Page, values: dict[str, str]) -> None:
    """Step 1: does the child have a record?"""
    page.goto("/register")
    for key in ("name", "birth_on", "id_number"):
        page.fill(f"#id_{key}", values[key])
    page.select_option("#id_sex", values["sex"])
    page.click("button:has-text('全国查重')")


def fill_form(page: Page, values: dict[str, str]) -> None:
    for key, text in values.items():
        if key in NOT_TYPED:
            continue
        field = page.locator(f"#id_{key}")
        if field.count() and text:
            if field.evaluate("node => node.tagName") == "SELECT":
                field.select_option(text)
            else:
                field.fill(text)


def upload(page: Page, tmp_path: Path) -> None:
    photo, paper = tmp_path / "photo.jpg", tmp_path / "hukou.jpg"
    photo.write_bytes(picture(520, 640, (150, 190, 230)))
    paper.write_bytes(picture(900, 600, (240, 240, 230)))
    page.set_input_files("#id_photo_file", photo)
    page.wait_for_selector("#photo-kept input[name=photo]", state="attached")
    page.select_option("#id_evidence_type", "01")
    page.set_input_files("#id_document_file", paper)
    page.wait_for_selector("#papers-kept input[name=document]", state="attached")


@pytest.mark.rule("R-EST-04", "R-EST-03", "R-EST-08", "R-NUM-02", "G-14", "AZ-8", "R-EST-06")
def test_a_new_pupil_from_the_search_to_her_number(
    open_page: Open, people: dict[str, Any], tmp_path: Path
) -> None:
    values = make.valid_values(name="阿依古丽·买买提")
    page = enter(open_page, people["registrar"])
    assert_accessible(page)

    # A wrong check digit is refused before anything is asked of the country, with the offer to register it as
    # disputed.
    wrong = values["id_number"][:-1] + ("0" if values["id_number"][-1] != "0" else "1")
    ask_first(page, values | {"id_number": wrong})
    expect(page.locator("main")).to_contain_text("校验位")
    expect(page.locator("#id_name")).to_have_value(values["name"])
    ask_first(page, values)
    expect(page.locator("h1")).to_contain_text("可以注册")
    assert_accessible(page)
    page.click("button:has-text('继续填写')")

    # The form keeps everything typed when it is refused.
    fill_form(page, values | {"phone": "12345"})
    page.select_option("#id_class_id", str(people["class"].pk))
    upload(page, tmp_path)
    page.click("button[value=file]")
    expect(page.locator("#checked")).to_contain_text("联系电话")
    expect(page.locator("#id_home_address")).to_have_value(values["home_address"])
    assert page.locator("#papers-kept input[name=document]").count() == 1
    assert_accessible(page)
    with scoped_transaction(make.SCHOOL):
        assert not Student.objects.filter(name=values["name"]).exists()
    page.fill("#id_phone", values["phone"])
    page.dblclick("button[value=file]")  # pressed twice, filed once
    page.wait_for_url("**/cases/ZC*")
    number = page.url.rsplit("/", 1)[1]
    assert_accessible(page)
    with scoped_transaction(make.SCHOOL):
        assert Student.objects.filter(name=values["name"]).count() == 1

    # The registrar may not sign her own filing; the leader does, from the queue, with every paper ticked.
    expect(page.locator("button[value=approve]")).to_have_count(0)
    leader = enter(open_page, people["leader"])
    leader.goto("/queue")
    assert_accessible(leader)
    leader.goto(f"/cases/{number}")
    leader.click("button[value=approve]")
    expect(leader.locator("main")).to_contain_text("尚未核对")
    leader.check("input[name=ticked]")
    leader.click("button[value=approve]")
    leader.wait_for_load_state("networkidle")

    # With the worker away the case waits; started, it finishes.
    reviewer = enter(open_page, people["reviewer"])
    reviewer.goto(f"/cases/{number}")
    reviewer.check("input[name=ticked]")
    reviewer.click("button[value=approve]")
    reviewer.wait_for_load_state("networkidle")
    reviewer.goto(f"/cases/{number}")
    expect(reviewer.locator("h1")).to_contain_text("已核准")
    worker = start_worker()
    try:
        wait_until(lambda: number_of(values["name"]).startswith("G"))
    finally:
        worker.stop()
    reviewer.reload()
    expect(reviewer.locator("h1")).to_contain_text("已办结")

    # City, province and nation see her; the neighbouring county does not, on any page.
    with scoped_transaction(make.SCHOOL):
        student = Student.objects.get(name=values["name"])
    record = f"/registry/students/{student.public_id}"
    auditor = enter(open_page, people["auditor"])
    assert auditor.goto(record).status == 200  # type: ignore[union-attr]
    assert_accessible(auditor)
    neighbour = enter(open_page, people["neighbour"])
    assert neighbour.goto(record).status == 404  # type: ignore[union-attr]
    assert neighbour.goto(f"/cases/{number}").status == 404  # type: ignore[union-attr]
    neighbour.fill("header input[name=q]", values["name"])
    neighbour.press("header input[name=q]", "Enter")
    neighbour.wait_for_load_state("networkidle")
    assert neighbour.locator(f"a[href*='{student.public_id}']").count() == 0
    for office in (people["registrar"], people["reviewer"]):
        searcher = enter(open_page, office)
        searcher.fill("header input[name=q]", "ayiguli")
        searcher.press("header input[name=q]", "Enter")
        searcher.wait_for_load_state("networkidle")
        expect(searcher.locator(f"a[href*='{student.public_id}']").first).to_be_visible()


def number_of(name: str) -> str:
    with scoped_transaction(make.SCHOOL):
        return Student.objects.values_list("number", flat=True).get(name=name)


@pytest.mark.rule("RD-1", "RD-2", "RD-3")
def test_a_masked_value_is_shown_with_a_reason_and_the_look_is_kept(
    open_page: Open, people: dict[str, Any]
) -> None:
    from audit.models import AccessEntry

    with scoped_transaction("CN."):
        values = make.valid_values()
        student = make.make_student(people["class"], **values)
    page = enter(open_page, people["registrar"])
    page.goto(f"/registry/students/{student.public_id}")
    body = page.content()
    assert values["id_number"] not in body
    assert values["phone"] not in body
    page.locator("summary[aria-label*='身份证件号明文']").first.click()
    reveal = page.locator("form.drop-form:has(#text-id_number)").first
    reveal.locator("select").select_option(index=1)
    reveal.locator("[name=text]").fill("核对户口簿原件")
    reveal.locator("button.btn-primary").click()
    expect(page.locator("main")).to_contain_text(values["id_number"])
    with scoped_transaction(make.SCHOOL):
        entry = AccessEntry.objects.get(subject_id=student.pk, outcome="reveal")
    assert entry.fields == ["id_number"]
    assert "核对户口簿原件" in entry.purpose


@pytest.mark.parametrize("width", ["desk", "phone"])
def test_the_main_pages_are_accessible_and_fit_the_screen(
    open_page: Open, people: dict[str, Any], width: str
) -> None:
    with scoped_transaction("CN."):
        student = make.make_student(
            people["class"], birth_on=date(make.first_grader_birth().year, 11, 2).isoformat()
        )
    page = enter(open_page, people["registrar"], width)
    record = f"/registry/students/{student.public_id}"
    for path in (
        *("/", "/registry/students", record, f"{record}/edit", "/register", "/cases", "/registry/classes"),
        *(f"/registry/classes/{people['class'].pk}", "/registry/problems", "/accounts/offices"),
        "/registry/search",
    ):
        response = page.goto(path)
        assert response is not None
        assert response.status == 200, path
        assert_accessible(page)
    leader = enter(open_page, people["leader"], width)
    for path in ("/queue", "/audit/events", "/nowhere"):
        leader.goto(path)
        assert_accessible(leader)


def test_the_keyboard_reaches_search_list_and_record(open_page: Open, people: dict[str, Any]) -> None:
    with scoped_transaction("CN."):
        student = make.make_student(people["class"])
    page = enter(open_page, people["registrar"])
    page.goto(f"/registry/students?school_class={people['class'].pk}")
    page.keyboard.press("/")
    expect(page.locator("header input[name=q]")).to_be_focused()
    page.keyboard.press("Escape")
    page.locator("header input[name=q]").evaluate("node => node.blur()")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/registry/students/*-*")
    assert student.pk
    assert Case.objects is not None
