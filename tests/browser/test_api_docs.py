"""The API's page in a real browser: it works under the strict policy, and what it tries is real."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from config.scope import scoped_transaction
from tests import make
from tests.browser.conftest import sign_in


@pytest.mark.rule("WB-1")
def test_the_page_reads_the_document_and_asks_the_api(
    committed_db: None, open_page: Callable[..., Page]
) -> None:
    """Console errors and policy violations fail the test at its end."""
    with scoped_transaction("CN."):
        registrar: Any = make.make_registrar(name="周登记")
    page = open_page("desk")
    sign_in(page, registrar.username)
    page.goto("/accounts/help")
    page.get_by_role("link", name="接口文档").click()
    page.wait_for_url("**/api/v1/docs")
    page.locator("#operations-tag-规则").click()
    operation = page.locator("#operations-规则-rules_retrieve")
    operation.locator("button.opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_placeholder("key").fill("TRANSFER_STEP_DAYS")
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table")
    expect(answer).to_contain_text("200")
    expect(answer).to_contain_text("转学的每一方在十个工作日内核办")
    # What changes something carries the token: refused for its content, not as forged.
    page.locator("#operations-tag-办件").click()
    filing = page.locator("#operations-办件-cases_create")
    filing.locator("button.opblock-summary-control").click()
    filing.get_by_role("button", name="Try it out").click()
    filing.get_by_placeholder("Idempotency-Key").fill("tried-on-the-page")
    filing.get_by_role("button", name="Execute").click()
    expect(filing.locator(".live-responses-table")).to_contain_text("upload_gone")
