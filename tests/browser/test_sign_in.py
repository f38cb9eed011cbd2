"""The door in a real browser: a phone's code, a passkey that a virtual authenticator holds, and what the
browser that was signed in before is told (AC-3, AC-6, AC-7).
"""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts import reset_requests
from accounts.models import User
from config.crypto import next_ids
from config.scope import scoped_transaction
from tests.accounts.door import PASSWORD, code_at, make_account
from tests.browser.conftest import Open, looked_at

pytestmark = pytest.mark.usefixtures("committed_db")


def account(role: str) -> User:
    with scoped_transaction("CN."):
        next_ids("accounts_user", 50)  # so that hers has two digits: a browser's answer names its owner by it
        return make_account(role, has_phone=False, name="郑明慧")


def give_password(page: Page, user: User, base: str = "") -> None:
    page.goto(f"{base}/accounts/sign-in")
    page.fill("#id_username", user.username)
    page.fill("#id_password", PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()


@pytest.mark.rule("AC-3", "AC-6", "R-ACC-03")
def test_signing_in_with_password_and_phone(open_page: Open) -> None:
    registrar, page = account("registrar"), open_page()
    page.goto("/accounts/sign-in")
    page.get_by_role("link", name="首次登录或重置").click()
    looked_at(page)
    page.get_by_role("link", name="没有验证码").click()
    looked_at(page)
    page.fill("#id_username", registrar.username)
    page.get_by_role("button", name="显示申请编号").click()
    looked_at(page)
    number = page.locator("dd.num").inner_text()
    with scoped_transaction("CN."):
        reset_requests.confirm(registrar, number, purpose="password", by=registrar)
    page.get_by_role("heading", name="管理员已确认").wait_for()  # the page has noticed by itself
    page.get_by_role("button", name="继续").click()
    page.wait_for_url("**/accounts/sign-in/password")
    give_password(page, registrar)
    page.wait_for_url("**/accounts/sign-in/enrol")
    looked_at(page)
    secret = "".join(page.locator(".qr + p .num").inner_text().split())
    page.fill("#id_code", "000000")
    page.get_by_role("button", name="登记动态口令").click()
    expect(page.get_by_role("alert").filter(has_text="没有通过")).to_be_visible()
    page.fill("#id_code", code_at(secret, -1))
    page.get_by_role("button", name="登记动态口令").click()
    expect(page.locator(".codes li")).to_have_count(10)
    looked_at(page)
    page.get_by_role("link", name="已保存，继续").click()
    page.wait_for_url("**/")
    for address in ("/accounts/own-sign-ins", "/accounts/factors", "/accounts/password"):
        page.goto(address)
        looked_at(page)
    other = open_page("phone")
    give_password(other, registrar)
    other.wait_for_url("**/accounts/sign-in/factor")
    looked_at(other)
    other.fill("#id_code", code_at(secret, 0))
    other.get_by_role("button", name="验证", exact=True).click()
    other.wait_for_url("**/")
    page.goto("/registry/students")  # the first browser is out, and reads why
    expect(page.get_by_role("status")).to_contain_text("在别处重新登录")
    looked_at(page)


@pytest.mark.rule("AC-3", "AC-7", "R-ACC-03")
def test_signing_in_with_a_passkey_alone_and_stepping_up_with_it(open_page: Open, site: str) -> None:
    leader, page = account("leader"), open_page()
    base = site.replace("127.0.0.1", "localhost")  # a passkey belongs to a name, never to an address
    driver = page.context.new_cdp_session(page)
    driver.send("WebAuthn.enable")
    options: dict[str, Any] = {
        "protocol": "ctap2",
        "transport": "internal",
        "automaticPresenceSimulation": True,
    }
    options |= {"hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    key = driver.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
    give_password(page, leader, base)
    page.wait_for_url("**/accounts/sign-in/enrol")
    expect(page.get_by_text("须使用通行密钥")).to_be_visible()
    looked_at(page)
    page.fill("#id_name", "办公室电脑")
    page.get_by_role("button", name="登记通行密钥").click()
    expect(page.locator(".codes li")).to_have_count(10)
    page.get_by_role("link", name="已保存，继续").click()
    page.goto(f"{base}/accounts/factors")
    expect(page.get_by_role("cell", name="办公室电脑").first).to_be_visible()
    page.get_by_role("button", name="停用密码，只用通行密钥").click()  # a minute after the proof: allowed
    page.wait_for_url("**/accounts/sign-in?changed=1")
    driver.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
    page.get_by_role("button", name="使用通行密钥登录").click()
    expect(page.get_by_text("没有完成：已取消")).to_be_visible()  # a passkey that did not see its owner
    driver.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": True})
    page.get_by_role("button", name="使用通行密钥登录").click()
    page.wait_for_url(f"{base}/")
    page.goto(f"{base}/accounts/step-up?next=/accounts/offices")
    looked_at(page)
    page.get_by_role("button", name="使用通行密钥").click()
    page.wait_for_url("**/accounts/offices")
    expect(page.get_by_text("身份已验证")).to_be_visible()
    page.goto(f"{base}/accounts/password")
    expect(page.get_by_text("只用通行密钥登录，没有密码需要修改")).to_be_visible()
