"""September in a real browser: a template, 2,000 rows, 40 planted errors, one case, 2,000 numbers."""

from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from config.scope import scoped_transaction
from registry.fields import TEMPLATE
from registry.intake.arriving import take_in
from registry.intake.checking import check_batch
from registry.models import Enrolment, Student
from tests import make
from tests.browser.conftest import Open, assert_accessible, enter, start_worker, wait_until
from tests.races.ground import new_values
from tests.registry.workbooks import FIRST_ROW, workbook

ROWS, PER_CLASS = 2000, 40
SCHOOL = "CN.44.03.05.2144000909."
COLUMN = {field.key: field.template_col for field in TEMPLATE}


@pytest.fixture
def school(committed_db: None) -> dict[str, Any]:
    with scoped_transaction("CN."):
        staff: dict[str, Any] = {
            "registrar": make.make_registrar(SCHOOL, name="周登记"),
            "leader": make.make_leader(SCHOOL, name="郑校长"),
            "reviewer": make.make_reviewer(name="吴核准"),
        }
        classes = [make.make_class(SCHOOL, name=f"一({n + 1})班") for n in range(ROWS // PER_CLASS)]
    return staff | {"classes": classes}


def planted(rows: list[dict[str, str]]) -> dict[int, dict[str, str]]:
    """Spoil 40 rows, eight in each of five ways; row number → what it should have said."""
    right: dict[int, dict[str, str]] = {}
    for n in range(40):
        place = n * 50 + 7
        row = rows[place]
        key = ("phone", "id_number", "ethnic_group", "class_number", "postcode")[n % 5]
        right[FIRST_ROW + place] = {key: row[key]}
        digit = "0" if row["id_number"][-1] != "0" else "1"
        row[key] = {
            "phone": "12345",
            "id_number": row["id_number"][:-1] + digit,
            "ethnic_group": "火星族",
            "class_number": "9999999",
            "postcode": "5180",
        }[key]
    return right


def fill_in(template: Path, rows: list[dict[str, str]]) -> None:
    """Type the rows into the downloaded template, as an office program would save it."""
    book = load_workbook(template)
    sheet = book.worksheets[0]
    for place, row in enumerate(rows):
        for key, text in row.items():
            if key in COLUMN:
                sheet.cell(FIRST_ROW + place, COLUMN[key]).value = text
    book.save(template)


def wait_for(page: Page, words: str, seconds: int = 90) -> None:
    expect(page.locator("main")).to_contain_text(words, timeout=seconds * 1000)


def numbered() -> int:
    with scoped_transaction(SCHOOL):
        return Student.objects.within(SCHOOL).exclude(number="").count()


@pytest.mark.rule("R-EST-10", "R-EST-04", "R-NUM-01", "R-NUM-02", "G-22")
def test_two_thousand_rows_from_template_to_numbers(
    open_page: Open, school: dict[str, Any], tmp_path: Path
) -> None:
    page = enter(open_page, school["registrar"])
    page.goto("/registry/imports")
    assert_accessible(page)
    with page.expect_download() as download:
        page.click("text=下载本校模板")
    template = tmp_path / "template.xlsx"
    download.value.save_as(template)
    rows = [
        new_values(class_number=school["classes"][n % len(school["classes"])].number, phone=f"138{n:08d}")
        for n in range(ROWS)
    ]
    right = planted(rows)
    fill_in(template, rows)

    worker = start_worker()
    try:
        page.set_input_files("#id_file", template)
        page.click("button:has-text('上传并检查')")
        wait_for(page, "行有误")
        expect(page.locator(".tile.bad b")).to_have_text("40")
        expect(page.locator(".tile.on b")).to_have_text("1960")
        assert_accessible(page)
        # Every fault of every row stands here at once; a chip shows one kind alone.
        page.click(".chip:has-text('邮政编码')")
        expect(page.locator("tbody tr")).to_have_count(8)
        page.goto(page.url.split("?")[0])

        # Strict: with faulty rows nothing is written unless skipping is chosen.
        page.click("button:has-text('下一步：核对')")
        page.check("input[name=is_attested]")
        page.click("button:has-text('确认提交')")
        wait_for(page, "没有写入任何学生")
        with scoped_transaction(SCHOOL):
            assert not Enrolment.objects.within(SCHOOL).exists()
        page.click("text=返回修改")

        for number, cells in right.items():
            for key, text in cells.items():
                page.fill(f"input[name='cell-{number}-{key}'] >> nth=0", text)
        page.click("button:has-text('保存修改并重新检查')")
        wait_for(page, "2000")
        expect(page.locator(".tile.bad")).to_have_count(0)
        page.click("button:has-text('下一步：核对')")
        wait_for(page, "编入的班级")
        assert_accessible(page)
        page.check("input[name=is_attested]")
        page.click("button:has-text('确认提交')")
        wait_for(page, "已写入：新建 2000 人")
        number = page.locator("a.btn-primary:has-text('打开办件')").get_attribute("href").rsplit("/", 1)[1]  # type: ignore[union-attr]

        for role in ("leader", "reviewer"):
            officer = enter(open_page, school[role])
            officer.goto(f"/cases/{number}")
            expect(officer.locator("main")).to_contain_text("2,000 人")
            assert_accessible(officer)
            officer.click("button[value=approve]")
            officer.wait_for_load_state("networkidle")
        wait_until(lambda: numbered() == ROWS, 90)
    finally:
        worker.stop()
    with scoped_transaction(SCHOOL):
        numbers = list(Student.objects.within(SCHOOL).values_list("number", flat=True))
        statuses = set(Enrolment.objects.within(SCHOOL).values_list("status", flat=True))
    assert (len(set(numbers)), statuses) == (ROWS, {"01"})


def test_the_screens_fit_a_phone(open_page: Open, school: dict[str, Any]) -> None:
    with scoped_transaction(SCHOOL):
        place = school["classes"][0].number
        rows = [new_values(class_number=place), new_values(class_number=place, phone="12")]
        batch = take_in("手机.xlsx", workbook(rows), actor=school["registrar"])
    check_batch(batch.job_id or 0)
    page = enter(open_page, school["registrar"], "phone")
    page.goto("/registry/imports")
    assert_accessible(page)
    page.goto(f"/registry/imports/{batch.public_id}")
    expect(page.locator("input.is-wrong")).to_have_value("12")
    assert_accessible(page)
    page.click("button:has-text('下一步：核对')")
    expect(page.locator("h1")).to_contain_text("核对")
    assert_accessible(page)
