"""In a real browser: an early warning is taken and closed at the county; a pupil is protected by two leaders,
and her phone is seen by two persons.
"""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from config.clock import today
from config.scope import scoped_transaction
from tests import make
from tests.browser.conftest import Open, assert_accessible, enter_as

SCHOOL, COUNTY = "CN.64.01.02.2164000001.", "CN.64.01.02."


@pytest.mark.rule("R-ACC-09")
def test_a_warning_is_taken_and_closed_with_a_finding(committed_db: None, open_page: Open) -> None:
    with scoped_transaction("CN."):
        make.make_office(SCHOOL)
        row = make.make_warning("W7", SCHOOL, "office", failures=23)
    for width in ("phone", "desk"):
        page = enter_as(open_page, "security_administrator", COUNTY, width)
        page.goto("/audit/warnings")
        assert_accessible(page)
        page.goto(f"/audit/warnings/{row.pk}")
        assert_accessible(page)
    page.get_by_role("button", name="受理").click()
    page.get_by_label("核查结论").fill("经核查为停电后集中登录，属正常")
    page.get_by_role("button", name="办结预警").click()
    expect(page.get_by_text("已办结").first).to_be_visible()
    expect(page.get_by_text("经核查为停电后集中登录，属正常").first).to_be_visible()


@pytest.mark.rule("AZ-10", "RD-2")
def test_a_pupil_is_protected_and_seen_by_two(committed_db: None, open_page: Open) -> None:
    with scoped_transaction("CN."):
        pupil = make.make_student(make.make_class(SCHOOL))
    record = f"/registry/students/{pupil.public_id}"
    page = enter_as(open_page, "leader", SCHOOL)
    page.goto(record)
    page.get_by_role("link", name="保护对象").click()
    assert_accessible(page)
    page.get_by_label("理由").fill("人身安全保护令〔2026〕12号")
    page.get_by_label("保护至").fill(f"{today() + timedelta(days=90)}")
    page.get_by_role("button", name="提出").click()
    boss = enter_as(open_page, "bureau_leader", COUNTY, "phone")
    boss.goto(f"{record}/protection")
    boss.get_by_role("button", name="确认", exact=True).click()
    expect(boss.get_by_text("保护中").first).to_be_visible()
    assert_accessible(boss)

    asker, second = enter_as(open_page, "registrar", SCHOOL), enter_as(open_page, "registrar", SCHOOL)

    def ask() -> None:
        asker.goto(record)
        asker.locator("summary[aria-label*='联系电话明文']").first.click()
        form = asker.locator("form.drop-form:has(#text-phone)").first
        form.locator("select").select_option("contact")
        form.locator("[name=text]").fill("家访前核对电话")
        form.locator("button.btn-primary").click()

    ask()
    expect(asker.get_by_text("该项信息须两人查看").first).to_be_visible()
    second.goto("/registry/reveal-requests")
    assert_accessible(second)
    second.get_by_role("button", name="同意").first.click()
    ask()
    expect(asker.get_by_text("13800138000").first).to_be_visible()
