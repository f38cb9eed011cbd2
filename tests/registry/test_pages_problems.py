"""问题学籍: both sides, the hidden one only by its county, what is blocked and what comes next."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import AccessEntry
from registry.models import ProblemRecord, Student
from registry.queries import problems as queries
from tests import make

pytestmark = [pytest.mark.usefixtures("nation"), pytest.mark.rule("R-PRB-02", "R-EST-05")]
LIST = reverse("registry:problems")


def make_problem(first: Student, other: Student | None = None, **fields: Any) -> ProblemRecord:
    side = fields.pop("side", "record" if other else "single")
    return ProblemRecord.objects.create(
        org_path=first.org_path,
        other_path=fields.pop("other_path", other.org_path if other else first.org_path),
        type=fields.pop("type", "3"),
        side=side,
        student=first,
        other=other,
        found_by="全国查重",
        detail=fields.pop("detail", "姓名、性别、出生日期相同"),
        **fields,
    )


def get(client: Any, user: Any, address: str) -> str:
    client.force_login(user)
    answer = client.get(address)
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.fixture
def pair() -> tuple[Student, Student, ProblemRecord]:
    """One child in two schools of two counties, as the national check finds her."""
    here = make.make_student(make.make_class(name="一(1)班"), name="林同名", number="L440305202609011234")
    there = make.make_student(
        make.make_class(make.NEIGHBOUR, name="一(9)班"), name="林同名", birth_on=here.birth_on.isoformat(),
        number="L440304202609014321",
    )  # fmt: skip
    return here, there, make_problem(here, there)


@pytest.mark.rule("AZ-1", "AZ-9")
def test_the_side_outside_scope_is_no_more_than_its_county(
    client: Any, pair: tuple[Student, Student, ProblemRecord]
) -> None:
    here, there, problem = pair
    detail = reverse("registry:problem", args=[problem.pk])
    for user, own, hidden, place in (
        (make.make_registrar(), here, there, "福田区"),
        (make.make_reviewer(), here, there, "福田区"),
        (make.make_reviewer(make.NEIGHBOUR_COUNTY), there, here, "南山区"),
    ):
        for address in (LIST, detail):
            page = get(client, user, address)
            assert str(own.public_id) in page
            assert str(hidden.public_id) not in page
            assert hidden.number not in page
            assert hidden.org_path.split(".")[-2] not in page
            assert place in page
            assert "不在您的管理范围内" in page
    both = get(client, make.make_user("reviewer", make.CITY), detail)
    assert str(here.public_id) in both
    assert str(there.public_id) in both
    client.force_login(make.make_reviewer(make.FAR_COUNTY))
    assert client.get(detail).status_code == 404
    assert client.get(reverse("registry:problem", args=[0])).status_code == 404
    assert "林同名" not in client.get(LIST).content.decode()


def test_differences_are_marked_even_where_masks_are_equal(
    client: Any, pair: tuple[Student, Student, ProblemRecord]
) -> None:
    _here, _there, problem = pair
    page = get(client, make.make_user("reviewer", make.CITY), reverse("registry:problem", args=[problem.pk]))
    rows = {
        re.search(r'<th scope="row">(.*?)</th>', row)[1]: "changed" in row  # type: ignore[index]
        for row in re.findall(r"<tr>.*?</tr>", page, re.S)
        if '<th scope="row">' in row
    }
    assert rows["姓名"] is False
    assert rows["出生日期"] is False
    assert rows["学校"] is True
    assert rows["班级"] is True
    assert rows["全国学籍号"] is True
    assert rows["身份证件号"] is True


@pytest.mark.rule("R-PRB-05", "G-01")
def test_what_is_blocked_and_what_comes_next(
    client: Any, pair: tuple[Student, Student, ProblemRecord]
) -> None:
    here, there, problem = pair
    user = make.make_reviewer()
    page = get(client, user, reverse("registry:problem", args=[problem.pk]))
    assert "不能转学、办理毕业、签发正式学籍号；不影响上学" in page
    assert "监护人确认就读学校" in page
    hint = make_problem(here, there, is_hint=True, type="1", detail="身份证件号仅一位不同")
    page = get(client, user, reverse("registry:problem", args=[hint.pk]))
    assert "不影响任何业务" in page
    attempt = make_problem(
        here, None, side="attempt", other_path=make.NEIGHBOUR, type="2", detail="登记时号码已有学籍"
    )
    page = get(client, user, reverse("registry:problem", args=[attempt.pk]))
    assert "已有学籍的一方不受影响" in page
    assert "福田区" in page
    asking = get(client, make.make_registrar(make.NEIGHBOUR), reverse("registry:problem", args=[attempt.pk]))
    assert str(here.public_id) not in asking
    assert "林同名" not in asking
    assert "南山区" in asking


def test_lists_by_state_newest_first_and_page_by_key(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    here = make.make_class()
    made = [make_problem(make.make_student(here, name=f"林{'甲乙丙丁'[n]}"), type="1") for n in range(4)]
    made[3].closed_at = timezone.now()
    made[3].save()
    make_problem(make.make_student(here, name="林线索"), is_hint=True)
    user = make.make_registrar()
    assert re.findall(r"<b>(林.)</b>", get(client, user, LIST)) == ["林丙", "林乙", "林甲"]
    assert "林线索" in get(client, user, f"{LIST}?show=hints")
    assert re.findall(r"<b>(林.)</b>", get(client, user, f"{LIST}?show=closed")) == ["林丁"]
    monkeypatch.setattr(queries, "PAGE", 2)
    page = get(client, user, LIST)
    following = re.search(r'rel="next" href="([^"]+)"', page)
    assert following
    assert re.findall(r"<b>(林.)</b>", get(client, user, following[1].replace("&amp;", "&"))) == ["林甲"]
    for query in ("show=all", "after=0", "after=x"):
        assert client.get(f"{LIST}?{query}").status_code == 404


@pytest.mark.rule("RD-3", "AZ-4")
def test_every_look_is_kept_and_head_teachers_have_none(
    client: Any, pair: tuple[Student, Student, ProblemRecord]
) -> None:
    here, there, problem = pair
    user = make.make_user("reviewer", make.CITY)
    get(client, user, LIST)
    get(client, user, reverse("registry:problem", args=[problem.pk]))
    entries = AccessEntry.objects.filter(actor_id=user.pk).order_by("id")
    assert [e.outcome for e in entries] == ["list", "read", "read"]
    assert set(entries[0].subject_ids) == {here.pk, there.pk}
    assert {e.subject_id for e in entries[1:]} == {here.pk, there.pk}
    for role in ("head_teacher", "subject_teacher", "system_administrator"):
        client.force_login(make.make_user(role, make.SCHOOL))
        assert client.get(LIST).status_code == 403


def test_a_list_of_problems_asks_as_much_for_one_as_for_many(client: Any) -> None:
    here = make.make_class()
    make_problem(make.make_student(here), type="1")
    client.force_login(make.make_reviewer())

    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(LIST).status_code == 200
        return len(asked)

    count()
    one = count()
    for _n in range(6):
        make_problem(make.make_student(here), make.make_student(make.make_class(make.NEIGHBOUR)))
    assert count() == one
    assert one <= 23
