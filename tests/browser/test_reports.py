"""The provincial auditor in a real browser: from the overview down to a school, and the workbook."""

import os
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from config.scope import scoped_transaction
from registry.models import Student
from reports import files, folding
from reports.models import ReportFile
from tests import make
from tests.browser.conftest import Open, enter, looked_at

PROVINCE, COUNTY = "CN.35.", "CN.35.01.02."
SCHOOLS = (f"{COUNTY}2135000911.", f"{COUNTY}2135000912.")


@pytest.mark.rule("G-21", "EX-4", "R-VER-07")
def test_the_auditor_drills_to_a_school_and_takes_the_workbook(
    open_page: Open, committed_db: None, tmp_path: Path
) -> None:
    with scoped_transaction("CN."):
        for many, path in zip((12, 7), SCHOOLS, strict=True):
            school_class = make.make_class(path)
            for _n in range(many):
                make.make_student(school_class)
        auditor = make.make_user("auditor", PROVINCE, name="周督查")
        held = Student.objects.within(PROVINCE).count()
    folding.refresh(COUNTY)

    page = enter(open_page, auditor)
    page.goto("/reports/")
    looked_at(page)
    page.click("main a:has-text('学校概况')")
    expect(page.locator("main h1")).to_have_text("学校概况")
    expect(page.locator(".figures tr.total")).to_contain_text(str(held))
    looked_at(page)
    page.set_viewport_size({"width": 1440, "height": 900})
    for code in ("35.01", "35.01.02"):
        page.click(f".figures a:has-text('单位{code.rsplit('.', 1)[1]}')")
    expect(page.locator(".head, main").first).to_contain_text("实时")
    expect(page.locator(".bars")).to_contain_text("12")
    looked_at(page)
    page.set_viewport_size({"width": 1440, "height": 900})
    if folder := os.environ.get("XUEJI_SHOTS"):
        page.screenshot(path=f"{folder}/report-desk.png", full_page=True)
        page.set_viewport_size({"width": 390, "height": 844})
        page.screenshot(path=f"{folder}/report-phone.png", full_page=True)
        page.set_viewport_size({"width": 1440, "height": 900})
    page.click(".figures a:has-text('2135000911')")
    expect(page.locator(".figures tr.total")).to_contain_text("12")
    page.click("main .head a:has-text('单位02'), .crumbs a:has-text('单位02')")
    page.click("button:has-text('生成 Excel')")
    expect(page.locator("#file")).to_contain_text("正在生成")
    with scoped_transaction(PROVINCE):
        job = ReportFile.objects.get(requested_by=auditor).job_id
    files.write(job)
    expect(page.locator("button:has-text('下载')")).to_be_visible()
    looked_at(page)
    with page.expect_download() as got:
        page.click("button:has-text('下载')")
    path = tmp_path / "报表.xlsx"
    got.value.save_as(path)
    book = load_workbook(path)
    rows = list(book["数据"].values)
    column = rows[0].index("在校学生")
    assert [row[column] for row in rows[1:]] == ["19", "12", "7"]
    assert dict(row[:2] for row in book["导出说明"].values)["在校学生"].startswith("状态为正常在校")
