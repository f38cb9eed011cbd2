"""The list of pupils: scope, filters, paging by key, the trace it leaves, and how much it asks the
database.
"""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import AccessEntry
from config import paging
from registry.queries import rosters
from registry.status import PENDING, SUSPENDED
from tests import make

pytestmark = pytest.mark.usefixtures("nation")
LIST = reverse("registry:students")


def shown(client: Any, address: str = LIST) -> list[str]:
    """The names on the page, in order."""
    response = client.get(address)
    assert response.status_code == 200, response.content.decode()
    return re.findall(r"data-open><b>(.*?)</b>", response.content.decode())


@pytest.mark.rule("AZ-1", "R-EXT-07")
def test_the_list_shows_what_lies_under_the_own_office_and_says_so(client: Any) -> None:
    here, beside = make.make_class(), make.make_class(make.NEIGHBOUR)
    make.make_student(here, name="林在校")
    make.make_student(beside, name="林在邻县")
    for role, path, expected in (
        ("registrar", make.SCHOOL, ["林在校"]),
        ("reviewer", make.COUNTY, ["林在校"]),
        ("reviewer", make.NEIGHBOUR_COUNTY, ["林在邻县"]),
        ("reviewer", make.FAR_COUNTY, []),
    ):
        user = make.make_user(role, path)
        client.force_login(user)
        assert shown(client) == expected
        page = client.get(LIST).content.decode()
        assert f"{user.acting_office_name} · {len(expected)} 人" in page
    client.force_login(make.make_user("reviewer", make.CITY))
    assert shown(client) == ["林在邻县", "林在校"]  # in the order of paths


@pytest.mark.rule("RD-3")
def test_one_entry_with_the_ids_for_each_page_that_was_shown(client: Any) -> None:
    here = make.make_class()
    students = [make.make_student(here) for _n in range(3)]
    user = make.make_registrar()
    client.force_login(user)
    client.get(LIST)
    entry = AccessEntry.objects.get(actor_id=user.pk)
    assert (entry.outcome, entry.route) == ("list", "registry:students")
    assert sorted(entry.subject_ids) == sorted(s.pk for s in students)
    client.get(f"{LIST}?sex=1")  # all of them are girls: nothing shown, nothing to remember
    assert AccessEntry.objects.filter(actor_id=user.pk).count() == 1


@pytest.mark.rule("RD-1")
def test_lists_show_four_characters_of_a_document_and_of_a_g_number(client: Any) -> None:
    birth = make.first_grader_birth()
    number = make.identity_number(birth)
    make.make_student(make.make_class(), id_number=number, number=f"G{number}")
    make.make_student(make.make_class(), number="L440305202609014321")
    client.force_login(make.make_registrar())
    page = client.get(LIST).content.decode()
    assert number not in page
    assert number[:6] + "*" not in page
    assert page.count(number[-4:]) >= 2
    assert "L440305" in page  # a temporary number is no secret
    assert "13800138000" not in page


def test_filters_narrow_and_each_can_be_taken_off(client: Any) -> None:
    first, third = make.make_class(grade="11"), make.make_class(grade="13", name="三(1)班")
    make.make_student(first, name="林一年")
    make.make_student(third, name="林三年", sex="1", number="J440305202609010018")
    make.make_student(first, name="林待核", status=PENDING)
    make.make_student(first, name="林休学", status=SUSPENDED)
    client.force_login(make.make_registrar())
    assert set(shown(client)) == {"林一年", "林三年", "林待核"}
    assert shown(client, f"{LIST}?grade=13") == ["林三年"]
    assert shown(client, f"{LIST}?sex=1") == ["林三年"]
    assert shown(client, f"{LIST}?status=00") == ["林待核"]
    assert shown(client, f"{LIST}?status=02") == ["林休学"]
    assert len(shown(client, f"{LIST}?status=all")) == 4
    assert shown(client, f"{LIST}?kind=J") == ["林三年"]
    assert set(shown(client, f"{LIST}?class={first.pk}")) == {"林一年", "林待核"}
    page = client.get(f"{LIST}?grade=13&sex=1").content.decode()
    assert f'href="{LIST}?sex=1"' in page
    assert f'href="{LIST}?grade=13"' in page


@pytest.mark.rule("AZ-1", "AZ-2")
def test_a_hidden_or_unknown_filter_is_a_404(client: Any) -> None:
    elsewhere = make.make_class(make.NEIGHBOUR)
    hidden = make.make_student(elsewhere)
    spell = hidden.enrolments.get()
    client.force_login(make.make_registrar())
    for query in (
        f"office={elsewhere.school_id}",
        f"class={elsewhere.pk}",
        f"after={spell.pk}",
        "class=1%20OR%201",
        "after=-1",
        "after=999999999999",
        "grade=99",
        "sex=x",
        "status=nothing",
        "kind=Q",
        "office=²",
    ):
        assert client.get(f"{LIST}?{query}").status_code == 404, query


def test_a_bureau_narrows_to_an_office_below(client: Any) -> None:
    here, sister = make.make_class(), make.make_class(make.SISTER)
    make.make_student(here, name="林此校")
    make.make_student(sister, name="林彼校")
    client.force_login(make.make_reviewer())
    assert set(shown(client)) == {"林此校", "林彼校"}
    assert shown(client, f"{LIST}?office={sister.school_id}") == ["林彼校"]
    page = client.get(LIST).content.decode()
    assert f'<option value="{sister.school_id}">' in page


def test_pages_follow_each_other_without_gap_or_repeat(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rosters, "PAGE", 3)
    classes = [make.make_class(grade="11"), make.make_class(make.SISTER, "12"), make.make_class(grade="12")]
    for n in range(8):  # two of one name in one class: the id decides
        make.make_student(classes[n % 3], name=f"林{'甲乙丙'[n % 3]}")
    client.force_login(make.make_reviewer())
    seen: list[str] = []
    address = LIST
    for _page in range(5):
        page = client.get(address).content.decode()
        seen += re.findall(r'href="/registry/students/([0-9a-f-]{36})" data-open', page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        if not following:
            break
        address = following[1].replace("&amp;", "&")
        assert re.fullmatch(re.escape(LIST) + r"\?after=\d+", address)  # an id, no personal value (RD-7)
    assert len(seen) == 8
    assert len(set(seen)) == 8


def test_a_list_asks_as_much_for_one_row_as_for_fifty(client: Any) -> None:
    here = make.make_class()
    make.make_student(here)
    user = make.make_reviewer()
    client.force_login(user)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(LIST).status_code == 200
        return len(queries)

    count()  # the first request loads the session's row
    one = count()
    for _n in range(12):
        make.make_student(here)
    assert count() == one
    assert one <= 21  # the frame, with its bell, included


def test_the_page_is_read_from_the_index_that_was_made_for_it() -> None:
    """No sort and no offset: a page late in a large list costs what the first one costs."""
    user = make.make_registrar()
    last = ("CN.44.03.05.2144000001.", "11", "2020001", "lin", 1)
    filters = rosters.Filters(path=make.SCHOOL, place="")
    rows = (
        paging.after_key(rosters.matching(user, filters), rosters.ORDER, last)
        .order_by(*rosters.ORDER)
        .values("id")[:50]
    )
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute("SET LOCAL enable_sort = off")  # an empty table would be sorted for nothing
    plan = rows.explain()
    assert "enrolment_list" in plan, plan
    assert "Sort" not in plan, plan
    assert "OFFSET" not in str(rows.query)


def test_beyond_ten_thousand_a_count_says_so(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    here = make.make_class()
    for _n in range(3):
        make.make_student(here)
    client.force_login(make.make_registrar())
    assert "3 人" in client.get(LIST).content.decode()
    monkeypatch.setattr(paging, "MOST_COUNTED", 1)
    assert paging.count_up_to(rosters.matching(make.make_registrar(), rosters.Filters(make.SCHOOL, ""))) == 2
    monkeypatch.setattr(rosters, "count_up_to", lambda rows: 10_001)
    assert "10,000+ 人" in client.get(LIST).content.decode()


@pytest.mark.rule("AZ-4")
def test_a_head_teacher_sees_her_own_class_only(client: Any) -> None:
    teacher = make.make_user("head_teacher", make.SCHOOL)
    own, other = make.make_class(head_teacher=teacher), make.make_class()
    mine = make.make_student(own, name="林本班")
    hers = make.make_student(other, name="林他班")
    client.force_login(teacher)
    assert shown(client) == ["林本班"]
    assert client.get(reverse("registry:student", args=[mine.public_id])).status_code == 200
    assert client.get(reverse("registry:student", args=[hers.public_id])).status_code == 404
    spell = mine.enrolments.get()
    spell.status, spell.valid = (
        "07",
        type(spell.valid)(spell.valid.lower, spell.valid.lower + timedelta(days=90)),
    )
    spell.save()  # who has left is the head teacher's pupil no more
    assert shown(client) == []
    assert client.get(reverse("registry:student", args=[mine.public_id])).status_code == 404


@pytest.mark.rule("AZ-4", "R-ACC-10")
@pytest.mark.parametrize(
    "role", ["subject_teacher", "school_doctor", "system_administrator", "audit_administrator"]
)
def test_who_holds_no_right_to_records_does_not_enter(role: str, client: Any) -> None:
    path = make.SCHOOL if role != "audit_administrator" else make.COUNTY
    client.force_login(make.make_user(role, path))
    assert client.get(LIST).status_code == 403


def test_an_empty_list_says_what_to_do_next(client: Any) -> None:
    make.make_class()
    client.force_login(make.make_registrar())
    page = client.get(LIST).content.decode()
    assert "这里还没有学生" in page
    assert reverse("transfers:register") in page
    assert "清除全部筛选" in client.get(f"{LIST}?grade=11").content.decode()
