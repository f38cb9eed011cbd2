"""In a real browser: two provinces have both proved; the nation compares the sides and decides."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from audit.services import System
from config.scope import scoped_transaction
from registry.models import ProblemRecord
from registry.services.duplicates import SAME_PERSON, Suspicion, note_problem
from registry.services.problems import Standing, take_standing
from tests import make
from tests.browser.conftest import Open, assert_accessible, enter_as
from transfers.models import Case
from transfers.problems import conclude

HERE, THERE = "CN.64.01.03.2164000011.", "CN.62.01.03.2162000011."


def look(page: Page, name: str) -> None:
    assert_accessible(page)
    if folder := os.environ.get("XUEJI_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.rule("R-PRB-03")
def test_the_nation_decides_between_two_provinces(committed_db: None, open_page: Open) -> None:
    with scoped_transaction("CN."):
        system = System()
        first = make.make_student(make.make_class(HERE), number="L640103201910150012")
        other = make.make_student(
            make.make_class(THERE),
            name=first.name,
            birth_on=first.birth_on.isoformat(),
            number="L620103201910150015",
        )
        found = Suspicion(SAME_PERSON, other, False, "姓名、性别、出生日期相同")
        problem = note_problem(first, found, actor=system, found_by="全国查重")
        assert problem
    handling = f"/problems/{problem.pk}/handling"
    for width in ("phone", "desk"):
        page = enter_as(open_page, "registrar", HERE, width)
        page.goto(handling)
        look(page, f"problem-school-{width}")
        page.goto("/problems/progress")
        look(page, f"problem-progress-{width}")
        page.goto("/problems/without-document")
        look(page, f"problem-numberless-{width}")
    with scoped_transaction("CN."):
        for student in (first, other):
            take_standing(
                problem.pk, student, Standing.PROVEN, case_no="ZZ1", judged_by="教育局", judgement="无误",
                actor=system,
            )  # fmt: skip
        conclude(problem.pk, actor=system)
        case_no = ProblemRecord.objects.get(pk=problem.pk).arbitration_no
    for width in ("phone", "desk"):
        page = enter_as(open_page, "national_operator", "CN.", width)
        page.goto(handling)
        look(page, f"problem-nation-{width}")
    page.goto(f"/cases/{case_no}")
    look(page, "problem-arbitration")
    page.get_by_role("link", name="核对双方并裁定").click()
    page.get_by_label("裁定为两名不同学生").check()
    page.get_by_label("理由").fill("经公安机关核实为两人")
    page.get_by_role("button", name="作出裁定").click()
    expect(page.get_by_text("已裁定").first).to_be_visible()
    with scoped_transaction("CN."):
        number = ProblemRecord.objects.get(pk=problem.pk).arbitration_no
        case = Case.objects.get(number=number)
    assert (case.payload["verdict"], case.state in ("approved", "done")) == ("different", True)
