"""学期学籍核准 of one school: a head teacher on a telephone, the registrar, the leader (HANDBOOK A8)."""

from datetime import timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from archives import sheet_prints
from archives.models import SheetPrint
from config.clock import today
from config.scope import scoped_transaction
from tests import make
from tests.browser.conftest import Open, assert_accessible, enter, looked_at

PROVINCE = "CN.95."  # nobody else's: a campaign concerns everything below its office


class Story:
    """A school under verification, with one class of four."""

    def __init__(self) -> None:
        with scoped_transaction("CN."):
            path = f"{PROVINCE}01.02.21{uuid4().int % 10**8:08d}."
            office = make.make_office(path, name="枫林路小学")
            self.people: dict[str, User] = {
                role: make.make_user(role, path) for role in ("head_teacher", "registrar", "leader")
            }
            school_class = make.make_class(path, name="一(2)班", head_teacher=self.people["head_teacher"])
            self.names = ["安知夏", "白子墨", "程语桐", "杜清和"]
            for name in self.names:
                make.make_student(school_class, name=name)
            self.school = make.make_verification(office, PROVINCE)


def pick(page: Page, name: str, choice: str) -> None:
    page.get_by_role("group", name=name).get_by_label(choice, exact=True).check()


@pytest.mark.rule("R-VER-02", "R-VER-04", "R-VER-05", "G-16")
def test_the_roll_on_a_phone_becomes_findings_that_are_planned_before_the_leader_signs(
    committed_db: None, open_page: Open
) -> None:
    story = Story()
    away, stranger = story.names[0], story.names[1]
    teacher = enter(open_page, story.people["head_teacher"], "phone")
    teacher.goto("/verification/rolls")
    assert_accessible(teacher)
    teacher.get_by_role("link", name="一(2)班").click()
    assert_accessible(teacher)
    expect(teacher.get_by_role("radio", name="在校", exact=True)).to_have_count(4)
    tall = teacher.get_by_text("非本班", exact=True).first.bounding_box()
    assert tall is not None
    assert tall["height"] >= 44  # for a thumb
    pick(teacher, away, "不在校")
    teacher.get_by_role("button", name="确认名册").click()
    expect(teacher.get_by_text("没有选原因")).to_be_visible()
    assert_accessible(teacher)
    teacher.get_by_label(f"{away}不在校的原因").select_option(label="未到校，原因不明")
    pick(teacher, stranger, "非本班")
    teacher.get_by_role("button", name="确认名册").click()
    expect(teacher.get_by_text("的名册已确认")).to_be_visible()
    looked_at(teacher)
    teacher.goto(teacher.url.replace("/verification/rolls/", "/archives/classes/") + "/sheets")
    assert_accessible(teacher)
    teacher.get_by_role("button", name="打印全班确认表").click()
    expect(teacher.get_by_text("已生成 0 / 1 个班")).to_be_visible()
    with scoped_transaction("CN."):
        asked = SheetPrint.objects.get(requested_by=story.people["head_teacher"])
    sheet_prints.make(asked.job_id)
    with teacher.expect_download() as printed:
        teacher.get_by_role("button", name="下载").click()
    assert printed.value.suggested_filename.endswith(".pdf")
    assert_accessible(teacher)

    leader = enter(open_page, story.people["leader"])
    leader.goto("/verification/")
    expect(leader.get_by_text("还有 2 条问题没有整改计划")).to_be_visible()
    registrar = enter(open_page, story.people["registrar"])
    registrar.goto("/verification/")
    for kind, name in (("疑似空挂", away), ("疑似人籍分离", stranger)):
        row = registrar.get_by_role("row", name=kind)
        expect(row.get_by_role("link", name=name)).to_be_visible()
        row.get_by_role("checkbox").check()
    registrar.get_by_label("整改计划，或已经做了什么").fill("联系监护人，查明去向后办理转学或休学")
    registrar.get_by_label("计划完成日期").fill(f"{today() + timedelta(days=9):%Y-%m-%d}")
    registrar.get_by_role("button", name="保存整改计划").click()
    expect(registrar.get_by_text("已保存 2 条")).to_be_visible()
    looked_at(registrar)

    leader.reload()
    leader.get_by_role("button", name="签署本校核准").click()
    expect(leader.get_by_text("已签署，本校本学期学籍核准完成")).to_be_visible()
    looked_at(leader)
    teacher.goto("/verification/rolls")
    teacher.get_by_role("link", name="一(2)班").click()
    expect(teacher.get_by_text("名册不能再改")).to_be_visible()
    expect(teacher.get_by_role("button", name="确认名册")).to_have_count(0)
