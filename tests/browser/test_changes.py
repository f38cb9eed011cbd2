"""Changes of status in a real browser, from filing to the worker's effect: transfer across two provinces with
five persons, suspension and return, key data, death, guest study, merger of two schools.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from config.clock import today
from config.scope import scoped_transaction
from registry.models import Attendance, Enrolment, SchoolClass, StatusChange, Student
from tests import make
from tests.browser.conftest import Open, assert_accessible, enter_as, start_worker, wait_until
from tests.transfers.filing import picture
from tests.transfers.moving import far_period, pupil_at
from transfers.models import Case, Step
from transfers.tracking import code_of

# Provinces of their own: what is committed here is in force there for every later test.
HERE, HERE_COUNTY = "CN.62.01.02.2162000001.", "CN.62.01.02."
BESIDE = "CN.62.01.02.2162000002."
THERE = "CN.63.01.02.2163000001."
ROLES = {"review_case": "leader", "decide_case": "reviewer"}


@pytest.fixture(scope="module")
def worker() -> Iterator[None]:
    process = start_worker()
    yield
    process.stop()


@pytest.fixture
def ground(committed_db: None, worker: None) -> dict[str, SchoolClass]:
    """Three schools with a class each, and no window, freeze or ban on the day of the test."""
    with scoped_transaction("CN."):
        for province in ("CN.62.", "CN.63."):
            make.make_office(province)
            make.make_rule("TRANSFER_BAN_MID_TERM", "off", province)
            for key in ("TRANSFER_FREEZE", "GRADUATING_FREEZE"):
                make.make_rule(key, far_period(), province)
        return {path: make.make_class(path, grade="13", name="三(2)班") for path in (HERE, BESIDE, THERE)}


def day(offset: int) -> str:
    """A day so many days from today, as it is typed."""
    return (today() + timedelta(days=offset)).isoformat()


def upload(page: Page, folder: Path, *types: str) -> None:
    for number, code in enumerate(types, start=1):
        paper = folder / f"{code}.jpg"
        paper.write_bytes(picture(700, 500, (240, 240, 200 + number)))
        page.select_option("#id_evidence_type", code)
        page.set_input_files("#id_document_file", paper)
        expect(page.locator("#papers-kept input[name=document]")).to_have_count(number)


def answer(page: Page, answers: dict[str, str]) -> None:
    """Fill in question by question: an answer may bring other questions."""
    for key, text in answers.items():
        field = page.locator(f"#id_{key}")
        field.wait_for()
        if field.evaluate("node => node.tagName") == "SELECT":
            field.select_option(text)
            page.wait_for_load_state("networkidle")
        else:
            field.fill(text)


def check_and_file(page: Page) -> str:
    """The step that shows what would happen, then the filing; the case's number."""
    page.click("button[value=check]")
    expect(page.locator("h1")).to_contain_text("核对")
    assert_accessible(page)
    assert page.locator(".checks .no").all_inner_texts() == []
    page.click("button[value=file]")
    page.wait_for_url("**/cases/*")
    return page.url.rsplit("/", 1)[1]


def file_own(
    page: Page, student: Student, kind: str, answers: dict[str, str], folder: Path, *types: str
) -> str:
    """From the pupil's record through the menu to the filed case."""
    page.goto(f"/registry/students/{student.public_id}")
    page.click("a:has-text('办理业务')")
    page.click(f"a[href$='/{kind}']")
    assert_accessible(page)
    answer(page, answers)
    upload(page, folder, *types)
    return check_and_file(page)


def sign_all(open_page: Open, number: str) -> list[str]:
    """Every waiting step, signed at its own office by a person of its own; the offices in order."""
    signed: list[str] = []
    while step := waiting(number):
        is_bureau = step.right == "review_case" and len(step.office_path.split(".")[-2]) < 10
        role = "bureau_leader" if is_bureau else ROLES[step.right]
        page = enter_as(open_page, role, step.office_path)
        page.goto(f"/cases/{number}")
        for box in page.locator("input[name=ticked]").all():
            box.check()
        page.click("button[value=approve]")
        page.wait_for_load_state("networkidle")
        signed.append(step.office_path)
        page.context.close()
    return signed


def waiting(number: str) -> Step | None:
    with scoped_transaction("CN."):
        return Step.objects.filter(case__number=number, is_current=True).first()


def done(number: str) -> None:
    def is_done() -> bool:
        with scoped_transaction("CN."):
            case = Case.objects.get(number=number)
            assert case.state != Case.State.REFUSED, case.number
            return case.state == Case.State.DONE

    wait_until(is_done)


def spell_of(student: Student) -> Enrolment:
    with scoped_transaction("CN."):
        return Enrolment.objects.select_related("school_class").get(
            student=student, is_void=False, valid__endswith=None
        )


def pupil(path: str) -> Student:
    with scoped_transaction("CN."):
        return pupil_at(path)


@pytest.mark.rule("R-TRF-01", "R-TRF-08", "R-TRF-17", "R-TRF-22", "G-15")
def test_a_transfer_across_two_provinces_takes_five_persons(
    open_page: Open, ground: dict[str, SchoolClass], tmp_path: Path
) -> None:
    student = pupil(THERE)
    page = enter_as(open_page, "registrar", HERE)
    page.goto("/move-in")
    page.check("input[name=kind][value=transfer]")
    page.fill("#id_name", student.name + "儿")
    page.fill("#id_number", student.number)
    page.click("main form button.btn-primary")
    expect(page.locator("main")).to_contain_text("2001")  # found before anything is filed
    page.fill("#id_name", student.name)
    page.click("main form button.btn-primary")
    expect(page.locator("main")).not_to_contain_text(student.name)  # masked
    answer(page, {
        "class_id": str(ground[HERE].pk), "move_on": day(0), "reason": "02",
        "same_register": "1", "is_voluntary": "1", "under_sanction": "0", "recorded_later": "0",
    })  # fmt: skip
    upload(page, tmp_path, "01", "08", "22")
    number = check_and_file(page)
    assert_accessible(page)
    offices = sign_all(open_page, number)
    assert offices == [HERE, HERE_COUNTY, THERE, "CN.63.01.02."]  # with the registrar: five persons
    done(number)
    spell = spell_of(student)
    assert (spell.org_path, spell.status) == (HERE, "01")
    page.goto(f"/registry/students/{student.public_id}?tab=history")
    expect(page.locator("main")).to_contain_text("学校2163000001")
    with page.expect_download() as paper:
        page.goto("/cases")  # an attachment ends a navigation: it is asked for from a page
        page.evaluate(f"location.href = '/cases/{number}/print/transfer_certificate'")
    assert paper.value.suggested_filename == f"transfer_certificate-{number}.pdf"
    family = open_page("phone")
    family.goto(f"/track/{code_of(number)}")
    expect(family.locator("main")).to_contain_text("已办结")
    assert_accessible(family)
    former = enter_as(open_page, "registrar", THERE)
    assert former.goto(f"/registry/students/{student.public_id}").status == 404  # type: ignore[union-attr]
    former.goto("/registry/snapshots")
    former.click(f"a:has-text('{student.name}')")
    expect(former.locator("h1")).to_contain_text(student.name)
    assert_accessible(former)


@pytest.mark.rule("R-CHG-02", "R-CHG-08", "R-CHG-11")
def test_a_suspension_and_the_return_into_a_class_that_is_asked_for(
    open_page: Open, ground: dict[str, SchoolClass], tmp_path: Path
) -> None:
    student = pupil(HERE)
    page = enter_as(open_page, "registrar", HERE)
    ill = {
        "reason": "01", "starts_on": day(-9), "until": day(200), "on_request": "1",
        "hospital": "城关区人民医院", "diagnosed_on": day(0), "rest_days": "120",
        "statement": "骨折手术后须长期休养。",
    }  # fmt: skip
    number = file_own(page, student, "suspension", ill, tmp_path, "31", "15")
    sign_all(open_page, number)
    done(number)
    assert spell_of(student).status == "02"
    page.goto(f"/registry/students/{student.public_id}")
    expect(page.locator("main")).to_contain_text("休学")
    back = {"happened_on": day(0), "class_id": str(ground[HERE].pk), "statement": "已康复。"}
    number = file_own(page, student, "resumption", back, tmp_path, "31", "16")
    sign_all(open_page, number)
    done(number)
    spell = spell_of(student)
    assert (spell.status, spell.school_class) == ("01", ground[HERE])


@pytest.mark.rule("R-UPD-06", "R-UPD-07", "R-UPD-08")
def test_a_key_change_shows_current_beside_proposed_and_keeps_the_old_name(
    open_page: Open, ground: dict[str, SchoolClass], tmp_path: Path
) -> None:
    student = pupil(HERE)
    page = enter_as(open_page, "registrar", HERE)
    page.goto(f"/students/{student.public_id}/identity-change")
    page.fill("#id_name", "马晓燕")
    upload(page, tmp_path, "01")
    page.click("main form button.btn-primary")
    page.wait_for_url("**/cases/*")
    number = page.url.rsplit("/", 1)[1]
    expect(page.locator("main")).to_contain_text("马晓燕")
    expect(page.locator("main")).to_contain_text(student.name)
    sign_all(open_page, number)
    done(number)
    with scoped_transaction("CN."):
        now = Student.objects.get(pk=student.pk)
    assert (now.name, now.former_name) == ("马晓燕", student.name)


@pytest.mark.rule("R-CHG-08", "G-20")
def test_a_death_ends_the_status(open_page: Open, ground: dict[str, SchoolClass], tmp_path: Path) -> None:
    student = pupil(HERE)
    page = enter_as(open_page, "registrar", HERE)
    facts = {"reason": "44", "happened_on": day(-40)}
    number = file_own(page, student, "death", facts, tmp_path, "18")
    sign_all(open_page, number)
    done(number)
    page.goto(f"/registry/students/{student.public_id}")
    expect(page.locator("main")).to_contain_text("死亡")
    with scoped_transaction("CN."):
        assert StatusChange.objects.get(case_no=number).is_late


@pytest.mark.rule("R-CHG-09", "G-21")
def test_guest_study_is_no_second_status(
    open_page: Open, ground: dict[str, SchoolClass], tmp_path: Path
) -> None:
    student = pupil(THERE)
    page = enter_as(open_page, "registrar", HERE)
    page.goto("/move-in")
    page.check("input[name=kind][value=guest]")
    page.fill("#id_name", student.name)
    page.fill("#id_number", student.number)
    page.click("main form button.btn-primary")
    answer(page, {
        "class_id": str(ground[HERE].pk), "begins_on": day(0), "statement": "随务工父母来此就读。",
    })  # fmt: skip
    upload(page, tmp_path, "01", "08")
    number = check_and_file(page)
    sign_all(open_page, number)
    done(number)
    assert spell_of(student).org_path == THERE
    with scoped_transaction("CN."):
        assert Attendance.objects.get(student=student).school_class == ground[HERE]
    page.goto("/registry/guests")
    expect(page.locator("main")).to_contain_text(student.name)
    assert_accessible(page)


@pytest.mark.rule("G-05", "B3")
def test_two_schools_merge_as_rehearsed(
    open_page: Open, ground: dict[str, SchoolClass], tmp_path: Path
) -> None:
    student = pupil(BESIDE)
    page = enter_as(open_page, "reviewer", HERE_COUNTY)
    page.goto("/offices/new?kind=office_merge")
    answer(page, {
        "office": "2162000002", "target": "2162000001", "document_no": "城教〔2026〕9号",
        "document_by": "城关区人民政府", "document_on": day(0),
    })  # fmt: skip
    assert_accessible(page)
    page.click("main form button.btn-primary")
    page.wait_for_url("**/offices/*-*")
    assert_accessible(page)
    expect(page.locator("main")).to_contain_text("学生 1 人")
    upload(page, tmp_path, "27")
    page.click("main form button.btn-primary")
    page.wait_for_url("**/cases/JG*")
    number = page.url.rsplit("/", 1)[1]
    sign_all(open_page, number)
    done(number)
    spell = spell_of(student)
    assert spell.org_path == HERE
    registrar: Any = enter_as(open_page, "registrar", HERE)
    assert registrar.goto(f"/registry/students/{student.public_id}").status == 200
