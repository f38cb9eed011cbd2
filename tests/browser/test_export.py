"""An export with two persons in a real browser: from the list of pupils to the file (EX-1, EX-5)."""

from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from config.scope import scoped_transaction
from registry.exporting.running import run_export
from registry.models import Export
from tests import make
from tests.browser.conftest import Open, enter, looked_at, prove

SCHOOL = "CN.44.03.05.2144000913."


@pytest.fixture
def staff(committed_db: None) -> dict[str, Any]:
    with scoped_transaction("CN."):
        school_class = make.make_class(SCHOOL)
        pupils = [make.make_student(school_class) for _n in range(12)]
        people = {
            "registrar": make.make_registrar(SCHOOL, name="周登记"),
            "leader": make.make_leader(SCHOOL, name="郑校长"),
        }
    return people | {"pupils": pupils}


@pytest.mark.rule("EX-1", "EX-5", "R-EXT-07", "AC-7")
def test_two_persons_bring_a_file_out(open_page: Open, staff: dict[str, Any], tmp_path: Path) -> None:
    page = enter(open_page, staff["registrar"])
    page.goto("/registry/students?sex=2")
    page.click("main .head a:has-text('导出')")
    expect(page.locator("#export-scope")).to_contain_text("共 12 人")
    page.select_option("#id_sex", "1")
    expect(page.locator("#export-scope")).to_contain_text("没有学生")
    page.select_option("#id_sex", "")
    expect(page.locator("#export-scope")).to_contain_text("共 12 人")
    for key in ("sex", "id_number", "class_name"):
        page.check(f"input[name=fields][value={key}]")
    page.select_option("#id_purpose", "roster")
    page.fill("#id_purpose_text", "编制开学花名册")
    looked_at(page)
    page.click("button:has-text('提交申请')")
    expect(page.locator("main")).to_contain_text("等待本单位或上级单位")
    address = page.url

    leader = enter(open_page, staff["leader"])
    leader.goto("/registry/exports")
    leader.click("main table a[data-open]")
    leader.click("button:has-text('批准导出')")
    expect(leader.locator("main")).to_contain_text("再次验证身份")  # not without a second factor
    leader.goto(address)
    prove(leader)
    leader.reload()
    looked_at(leader)
    leader.click("button:has-text('批准导出')")
    expect(leader.locator("#progress")).to_be_visible()

    page.reload()
    expect(page.locator("#progress")).to_contain_text("已写入")
    with scoped_transaction(SCHOOL):
        job = Export.objects.get(requested_by=staff["registrar"]).job_id
    assert job
    run_export(job)
    expect(page.locator("main")).to_contain_text("还可领取 3 次", timeout=10_000)
    prove(page)
    page.reload()
    looked_at(page)
    with page.expect_download() as download:
        page.click("button:has-text('领取')")
    assert download.value.suggested_filename.startswith("学籍导出-")
    file = tmp_path / "export.xlsx"
    download.value.save_as(file)
    rows = list(load_workbook(file)["数据"].iter_rows(values_only=True))
    assert {row[0] for row in rows[1:]} == {pupil.name for pupil in staff["pupils"]}
    assert all("****" in row[3] for row in rows[1:])
    page.reload()
    expect(page.locator("main")).to_contain_text("还可领取 2 次")
