"""A guardian in a real browser: the school hands over a code, the record opens, a look is proved offline, an
objection is filed and answered.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from audit.checkpoints import make_checkpoint
from audit.sealing import seal_all
from config.scope import scoped_transaction
from registry.record import open_number
from tests import make
from tests.audit.sealed import acting_as
from tests.browser.conftest import assert_accessible, sign_in
from transfers.models import Case

SCHOOL = "CN.64.01.04.2164000911."


@pytest.mark.rule("RD-4", "AU-5")
def test_code_record_proof_and_objection(
    open_page: Callable[..., Page], committed_db: None, tmp_path: Path
) -> None:
    with scoped_transaction("CN."):
        registrar = make.make_registrar(SCHOOL)
        student = make.make_student(make.make_class(SCHOOL))
        number = open_number(student.documents.get())
    school = open_page()
    sign_in(school, registrar.username)
    school.goto(f"/registry/students/{student.public_id}")
    school.click("a:has-text('监护人查询码')")
    school.select_option("#id_relation", "52")
    school.click("button:has-text('生成查询码')")
    code = school.locator("[role=status] .sentence").inner_text()
    assert_accessible(school)

    page = open_page("phone")
    page.goto("/guardian/")
    assert_accessible(page)
    page.fill("#id_code", code)
    page.fill("#id_name", student.name)
    page.fill("#id_number", number)
    page.click("main button:has-text('查询')")
    expect(page.locator("h1")).to_have_text(student.name)
    assert_accessible(page)
    assert registrar.name not in page.content()

    with acting_as("worker"):
        seal_all()
        make_checkpoint()
    with page.expect_download() as waiting:
        page.locator("a[href*='/guardian/proof/']").first.click()
    proof = tmp_path / "proof.json"
    waiting.value.save_as(proof)
    verify = [sys.executable, "-I", str(settings.BASE_DIR / "verify_log.py"), "inclusion", str(proof)]
    assert subprocess.run(verify, capture_output=True, check=False).returncode == 0
    proof.write_text(proof.read_text().replace('"leaf": ', '"leaf": 1'))
    assert subprocess.run(verify, capture_output=True, check=False).returncode != 0

    page.select_option("#id_field", "name")
    page.fill("#id_text", "名字的第二个字写错了")
    page.fill("#id_guardian_name", "张家长")
    page.fill("#id_contact", "13800138000")
    page.click("button:has-text('提交异议')")
    expect(page.locator("h1")).to_have_text("异议已受理")
    assert_accessible(page)
    with scoped_transaction("CN."):
        case = Case.objects.get(student=student, kind="dispute")
    school.goto(f"/cases/{case.number}")
    expect(school.locator("main")).to_contain_text("名字的第二个字写错了")
    page.goto("/guardian/")
    page.click("button:has-text('退出查询')")
    page.goto("/guardian/")
    expect(page.locator("h1")).to_have_text("监护人查询")
