"""计划与总量 and 允许超班额: who sees the figures, who sets them, what a refusal keeps."""

from typing import Any

import pytest
from django.urls import reverse

from config.clock import today
from registry.models import IntakePlan, SchoolClass, SeatPermission, StatusQuota
from registry.services.allowances import last_day, school_year
from tests import make

pytestmark = pytest.mark.usefixtures("nation")
PAPER = "深南教〔2025〕31号"


@pytest.fixture
def school_class() -> SchoolClass:
    return make.make_class(grade="13")


def plans_of(school_class: SchoolClass) -> str:
    return reverse("registry:plans", args=[school_class.school_id])


def seats_of(school_class: SchoolClass) -> str:
    return reverse("registry:permit_seats", args=[school_class.pk])


@pytest.mark.rule("INTAKE_PLAN", "QUOTA", "A7.3")
def test_the_authority_sets_plan_and_quota_and_the_school_reads_them(
    client: Any, school_class: SchoolClass
) -> None:
    year = school_year(today())
    client.force_login(make.make_reviewer(name="吴核准"))
    page = client.get(plans_of(school_class)).content.decode()
    assert "未下达" in page
    assert 'name="figure"' in page
    plan = {"what": "plan", "school_year": str(year), "stage": "2", "figure": "90", "document": PAPER}
    quota = {"what": "quota", "stage": "3", "figure": "450", "document": PAPER}
    for sent in (plan, quota):
        assert client.post(plans_of(school_class), sent).status_code == 302
    assert IntakePlan.objects.get().planned == 90
    assert StatusQuota.objects.get().most == 450
    for wrong, status, said in (
        (plan | {"figure": "九十"}, 422, "0 至 20000"),
        (plan | {"document": ""}, 422, "文件名称或文号"),
        (plan | {"stage": "9"}, 422, "不举办"),
        (plan | {"school_year": "1999"}, 422, "下一学年"),
        (plan | {"org_path": "CN."}, 400, ""),
        (quota | {"what": "all"}, 400, ""),
    ):
        answer = client.post(plans_of(school_class), wrong)
        assert (answer.status_code, said in answer.content.decode()) == (status, True), wrong
    kept = client.post(plans_of(school_class), plan | {"figure": "-5"}).content.decode()
    assert f'value="{PAPER}"' in kept
    assert IntakePlan.objects.get().planned == 90

    client.force_login(make.make_registrar())
    page = client.get(plans_of(school_class)).content.decode()
    for words in ("90", "450", PAPER, "南山区教育局", "吴核准", "计划内"):
        assert words in page
    assert 'name="figure"' not in page
    assert (
        "计划与总量" in client.get(reverse("registry:school", args=[school_class.school_id])).content.decode()
    )


@pytest.mark.rule("G-19")
def test_the_authority_allows_seats_above_the_limit_on_the_class_page(
    client: Any, school_class: SchoolClass
) -> None:
    roll = reverse("registry:school_class", args=[school_class.pk])
    client.force_login(make.make_registrar())
    assert seats_of(school_class) not in client.get(roll).content.decode()
    client.force_login(make.make_reviewer())
    assert seats_of(school_class) in client.get(roll).content.decode()
    sent = {
        "figure": "3",
        "until": f"{last_day(today()):%Y%m%d}",
        "reason": "集中安置拆迁户子女",
        "document": PAPER,
    }
    for wrong, status in (
        ({"reason": ""}, 422),
        ({"figure": "30"}, 422),
        ({"until": "以后"}, 422),
        ({"seats": "3"}, 400),
    ):
        answer = client.post(seats_of(school_class), sent | wrong)
        assert answer.status_code == status, wrong
    assert not SeatPermission.objects.exists()
    assert client.post(seats_of(school_class), sent)["Location"] == roll
    page = client.get(roll).content.decode()
    assert "上限 58 人" in page
    assert f"另经南山区教育局许可（{PAPER}），本班可超 3 人" in page
    assert "集中安置拆迁户子女" in client.get(seats_of(school_class)).content.decode()
    assert client.post(seats_of(school_class), sent | {"figure": "0"}).status_code == 302
    assert "上限 55 人" in client.get(roll).content.decode()
