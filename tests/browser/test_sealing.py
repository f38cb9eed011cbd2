"""An idle account is sealed, found with its reason, and unsealed by the office above, in a real browser."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from accounts.tasks import seal_dormant_accounts
from config.models import MassRun
from config.scope import NATION, scoped_transaction
from registry.models import PromotionRun
from tests import make
from tests.browser.conftest import assert_accessible, prove, sign_in

COUNTY = "CN.44.03.07."
SCHOOL = f"{COUNTY}2144000707."


@pytest.mark.rule("G-12", "R-ACC-04", "AC-8", "RE-4", "R-GRD-08", "R-GRD-10")
def test_an_idle_account_is_sealed_and_unsealed_above(
    committed_db: None, open_page: Callable[..., Page]
) -> None:
    with scoped_transaction(NATION):
        person = make.make_registrar(SCHOOL, name="林久假")
        soon = make.make_registrar(SCHOOL, name="林将封")
        own = make.make_user("system_administrator", SCHOOL)
        above = make.make_user("system_administrator", COUNTY)
        nation = make.make_user("national_operator", NATION)
    for one, days in ((person, 181), (soon, 170)):
        User.objects.filter(pk=one.pk).update(last_login=timezone.now() - timedelta(days=days))
    assert seal_dormant_accounts() >= 1

    desk = open_page()
    sign_in(desk, own.username)
    desk.goto("/accounts/sealings")
    expect(desk.get_by_text("林将封")).to_be_visible()
    desk.get_by_role("link", name="由谁解封 林久假").click()
    expect(desk.get_by_text("本单位不能解封")).to_contain_text(above.name)

    phone = open_page("phone")
    sign_in(phone, above.username)
    phone.goto("/accounts/sealings")
    assert_accessible(phone)
    phone.get_by_role("link", name="解封 林久假").click()
    prove(phone)
    phone.get_by_label("解封理由").fill("短")
    phone.get_by_role("button", name="解封账号").click()
    expect(phone.get_by_role("alert").filter(has_text="不少于 6 个字")).to_be_visible()
    phone.get_by_label("解封理由").fill("产假期满返岗")
    assert_accessible(phone)
    phone.get_by_role("button", name="解封账号").click()
    expect(phone.get_by_text("已解封林久假的账号")).to_be_visible()
    assert not User.objects.filter(pk=person.pk, sealed_at__isnull=False).exists()
    User.objects.filter(pk=soon.pk).update(last_login=timezone.now())

    run = MassRun.objects.create(kind="purge_materials", path=NATION, day=timezone.localdate(), touched=8200)
    sign_in(desk, nation.username)
    desk.goto("/accounts/mass-runs")
    expect(desk.get_by_text("8200")).to_be_visible()
    assert_accessible(desk)
    prove(desk)
    desk.get_by_role("button", name="已核对，确认 清理上传材料").click()
    expect(desk.get_by_text("须另一人确认", exact=True)).to_be_visible()
    run.delete()

    # The yearly promotion: two persons confirm one hash; each school has a sheet to print.
    with scoped_transaction(NATION):
        row = make.make_promotion(SCHOOL)
        second = make.make_user("security_administrator", NATION)
        promotion = PromotionRun.objects.get(pk=row.part.run_id)
        PromotionRun.objects.filter(pk=promotion.pk).update(year=2099)  # nothing runs before its moment
    address = reverse("year:run", args=[promotion.public_id])
    desk.goto(address)
    desk.get_by_role("button", name="已核对，确认此摘要").click()
    expect(desk.get_by_text("已确认，还须另一人确认")).to_be_visible()
    expect(desk.get_by_role("button", name="已核对，确认此摘要")).to_have_count(0)
    sign_in(phone, second.username)
    phone.goto(address)
    prove(phone)
    phone.get_by_role("button", name="已核对，确认此摘要").click()
    expect(phone.get_by_text("两人均已确认")).to_be_visible()
    assert_accessible(phone)
    desk.goto(reverse("year:school", args=[promotion.public_id, row.school_id]))
    expect(desk.get_by_text(second.signing_name)).to_be_visible()
    assert_accessible(desk)
    desk.emulate_media(media="print")
    expect(desk.get_by_role("button", name="打印升级结果单")).to_be_hidden()
    expect(desk.get_by_text("学校（盖章）")).to_be_visible()
    with scoped_transaction(NATION):
        row.delete()
        promotion.delete()
        MassRun.objects.filter(kind="promote", path=NATION).delete()
