"""A registrar makes the list, her leader confirms it on a phone, the county finds a graduate."""

from typing import Any

import pytest
from playwright.sync_api import expect

from config.scope import scoped_transaction
from tests import make
from tests.browser.conftest import Open, enter, looked_at, staffed_school


@pytest.fixture
def school(committed_db: None) -> dict[str, Any]:
    with scoped_transaction("CN."):
        found = staffed_school()
        make.make_rule("GRADUATION_WINDOW", "0101..1231", found["path"])
        school_class = make.make_class(found["path"], grade="16", name="六(1)班")
        return found | {
            "pupils": [make.make_student(school_class) for _each in range(3)],
            "ill": make.make_student(school_class, status="02"),
        }


@pytest.mark.rule("R-GRD-01", "R-GRD-03", "R-GRD-07")
def test_from_the_list_to_the_certificate(open_page: Open, school: dict[str, Any]) -> None:
    name = school["pupils"][0].name
    desk = enter(open_page, school["registrar"])
    desk.goto("/graduation/")
    desk.get_by_role("button", name="编制名单").click()
    expect(desk.get_by_text(name)).to_be_visible()
    desk.get_by_label("全选本班").check()
    desk.get_by_label("毕业去向").select_option("16")
    looked_at(desk)
    desk.get_by_role("button", name="修改所选").click()
    desk.get_by_role("button", name="提交学校领导确认").click()
    expect(desk.get_by_text("等待本校学籍主管领导确认")).to_be_visible()
    address = desk.url
    phone = enter(open_page, school["leader"], "phone")
    phone.goto(address)
    phone.get_by_text("跳过的学生").click()
    expect(phone.get_by_text(school["ill"].name)).to_be_visible()
    looked_at(phone)
    phone.get_by_role("button", name="确认 3 人毕业").click()
    expect(phone.get_by_text("已办理毕业，3 人")).to_be_visible()
    looked_at(phone)
    desk.goto(address)
    with desk.expect_download() as waiting:
        desk.get_by_role("button", name="打印本班毕业证书").click()
    assert waiting.value.suggested_filename.endswith(".pdf")
    desk.goto(address)
    expect(desk.get_by_text("已打印").first).to_be_visible()
    looked_at(desk)
    desk.get_by_role("link", name="毕业名册").click()
    looked_at(desk)
    above = enter(open_page, school["county"])
    above.goto("/graduation/graduates")
    above.get_by_label("姓名或证书编号").fill(name)
    above.get_by_role("button", name="查找").last.click()
    looked_at(above)
    above.get_by_role("link", name=name).click()
    expect(above.get_by_text("毕业记录有效")).to_be_visible()
    looked_at(above)
