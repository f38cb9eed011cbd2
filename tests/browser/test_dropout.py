"""A head teacher on a phone reports who stays away; leader and county follow on their screens."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from config.clock import today
from config.scope import scoped_transaction
from registry.dropout import absences, alarm, reporting, watching
from registry.models import Absence, SuspectedDropout
from tests import make
from tests.browser.conftest import Open, enter, looked_at, staffed_school

COUNTY = "CN.44.03.08."


@pytest.fixture
def school(committed_db: None) -> dict[str, Any]:
    with scoped_transaction("CN."):
        found = staffed_school()
        teacher, registrar = make.make_user("head_teacher", found["path"], name="何老师"), found["registrar"]
        school_class = make.make_class(found["path"], head_teacher=teacher)
        away = make.make_student(school_class)
        first = today() - timedelta(days=30)
        absences.report(
            away.enrolments.get(), actor=registrar, from_on=first, is_excused=False, reason="unknown"
        )
        alarm.watch(COUNTY)
        reporting.make(COUNTY)
        watching.enter(away, "distressed", actor=registrar, from_on=first, note="民政部门认定")
        return found | {
            "teacher": teacher,
            "pupil": make.make_student(school_class),
            "away": away,
            "suspicion": SuspectedDropout.objects.get(student=away).pk,
        }


@pytest.mark.rule("R-DRP-01", "R-DRP-02", "R-DRP-04", "R-DRP-07")
def test_from_the_phone_of_a_head_teacher_to_the_ledger_of_the_county(
    open_page: Open, school: dict[str, Any]
) -> None:
    phone = enter(open_page, school["teacher"], "phone")
    phone.goto("/dropout/absences")
    looked_at(phone)
    phone.get_by_role("link", name="登记缺勤").last.click()
    phone.select_option("#id_student", label=school["pupil"].name)
    looked_at(phone)
    phone.get_by_role("button", name="登记缺勤").click()
    expect(phone.get_by_text("已登记缺勤")).to_be_visible()
    phone.get_by_role("button", name="登记联系").click()
    expect(phone.get_by_text("没有办成")).to_be_visible()  # who went is not said
    phone.fill("#id_persons", "何老师")
    phone.get_by_role("button", name="登记联系").click()
    expect(phone.get_by_text("已登记联系情况")).to_be_visible()
    looked_at(phone)
    with scoped_transaction(school["path"]):
        assert Absence.objects.filter(student=school["pupil"], ended_on=None).count() == 1

    page = enter(open_page, school["leader"])
    page.goto(f"/dropout/suspected/{school['suspicion']}")
    page.get_by_role("button", name="书面报告乡镇").click()
    expect(page.get_by_text("已书面报告")).to_be_visible()
    looked_at(page)
    page.goto(f"/dropout/suspected/{school['suspicion']}/written")
    expect(page.get_by_role("cell", name="盐田区教育局").first).to_be_visible()
    looked_at(page)

    clerk = enter(open_page, school["registrar"])
    clerk.goto(f"/dropout/suspected/{school['suspicion']}")
    clerk.get_by_role("link", name="答复").click()
    looked_at(clerk)
    clerk.fill("#id_note", "班主任早读时点名核实")
    clerk.get_by_role("button", name="答复").click()
    expect(clerk.get_by_text("须附在校就读证明")).to_be_visible()

    county = enter(open_page, school["county"])
    for address in ("ledgers", "ledgers?ledger=eligible", "reports", "watch-list", "households", "handed"):
        county.goto(f"/dropout/{address}")
        looked_at(county)
    county.goto("/dropout/ledgers")
    expect(county.get_by_role("link", name=school["away"].name)).to_be_visible()
