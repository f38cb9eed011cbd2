"""An administrator in a real browser: a new account, what it gains, its slip, an appointment refused."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from config.scope import scoped_transaction
from tests import make
from tests.accounts.administering import staff_number
from tests.browser.conftest import Open, enter, looked_at, prove

COUNTY = "CN.44.03.09."
SCHOOL = f"{COUNTY}2144000914."


@pytest.fixture
def staff(committed_db: None) -> dict[str, User]:
    with scoped_transaction("CN."):
        make.make_office(COUNTY, name="龙华区教育局")
        make.make_office(SCHOOL, name="龙华区第二小学")
        pupil = make.make_student(make.make_class(SCHOOL))
        return {
            "county": make.make_administrator(COUNTY, name="韩管理"),
            "registrar": make.make_registrar(SCHOOL, name="周登记"),
            "leader": make.make_leader(SCHOOL, name="郑校长"),
            "pupil": pupil,
        }


@pytest.mark.rule("R-ACC-01", "R-ACC-02", "AC-4", "AC-7")
def test_a_new_account_and_an_appointment_refused(open_page: Open, staff: dict[str, Any]) -> None:
    page = enter(open_page, staff["county"])
    page.goto("/accounts/people")
    looked_at(page)
    page.goto("/accounts/people/new")
    number = staff_number()
    typed = {"name": "张卫", "username": f"zhang.{number[-9:-1]}", "number": number, "reason": "学期初分工"}
    for field, text in typed.items():
        page.fill(f"#id_{field}", text)
    page.select_option("#id_office", label="龙华区第二小学")
    page.select_option("#id_role", label="学籍管理员")
    page.get_by_role("button", name="下一步").click()
    expect(page.get_by_text("还没有有效的培训记录")).to_be_visible()
    expect(page.locator("dd", has_text="1 人")).to_be_visible()
    looked_at(page)
    page.get_by_role("button", name="建立账号并发放验证码").click()
    expect(page.get_by_text("须先再次验证身份")).to_be_visible()
    assert number == page.input_value("#id_number")  # what was typed is kept
    prove_behind(page)
    page.get_by_role("button", name="建立账号并发放验证码").click()
    expect(page.get_by_text("只显示这一次")).to_be_visible()
    looked_at(page)
    assert User.objects.filter(username=f"zhang.{number[-9:-1]}").count() == 1
    for name in ("people", "trainings", "grants", "grants/new", "account-lists", "code-requests"):
        page.goto(f"/accounts/{name}")
        looked_at(page)
    registrar = staff["registrar"]
    page.goto(f"/accounts/people/{registrar.pk}")
    looked_at(page)
    page.goto(f"/accounts/people/{registrar.pk}/leave")
    looked_at(page)
    page.goto(f"/accounts/posts/{registrar.acting_post.pk}/end")
    looked_at(page)
    page.goto(f"/accounts/people/{registrar.pk}/appoint")
    page.select_option("#id_office", label="龙华区第二小学")
    page.select_option("#id_role", label="学籍主管领导")
    page.fill("#id_reason", "学期初分工")
    page.get_by_role("button", name="下一步").click()
    expect(page.get_by_text("不能由同一人担任")).to_be_visible()
    looked_at(page)
    other = enter(open_page, staff["leader"])
    other.goto(f"/registry/students/{staff['pupil'].public_id}/who-can-see")
    expect(other.get_by_text("周登记")).to_be_visible()
    looked_at(other)


def prove_behind(page: Page) -> None:
    """In another window, as the refusal says: this one keeps what was typed."""
    window = page.context.new_page()
    window.goto("/accounts/people")
    prove(window)
    window.close()
