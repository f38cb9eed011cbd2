"""The search box: what it understands, only in scope, nothing typed in addresses or in the log."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import AccessEntry
from registry.models import StudentNumber
from registry.queries import search as queries
from tests import make

pytestmark = pytest.mark.usefixtures("nation")
SEARCH, SUGGEST = reverse("registry:search"), reverse("registry:suggest")


def found(client: Any, text: str) -> list[str]:
    """Names on the results page, or the one whose record an exact number opens."""
    answer = client.post(SEARCH, {"q": text}, follow=True)
    assert answer.status_code == 200
    page = answer.content.decode()
    if answer.redirect_chain:
        return re.findall(r"<h1>(\S+)", page)
    return re.findall(r"data-open><b>(.*?)</b>", page)


def test_names_readings_and_initials(client: Any) -> None:
    here = make.make_class()
    for name in ("张三", "张三丰", "欧阳修", "阿依古丽·买买提", "单雄信", "吕布", "章姗", "𬭎基"):
        make.make_student(here, name=name)
    client.force_login(make.make_registrar())
    for text, names in {
        "张三": {"张三", "张三丰"},
        "张三丰": {"张三丰"},
        " 张 三 ": {"张三", "张三丰"},
        "欧阳": {"欧阳修"},
        "单": {"单雄信"},
        "阿依古丽·买": {"阿依古丽·买买提"},
        "阿依古丽•买买提": {"阿依古丽·买买提"},
        "阿依古丽・": {"阿依古丽·买买提"},
        "𬭎": {"𬭎基"},
        "三丰": set(),
        "zhangsan": {"张三", "张三丰"},
        "Zhang San": {"张三", "张三丰"},
        "zs": {"张三", "张三丰", "章姗"},
        "ZSF": {"张三丰"},
        "oyx": {"欧阳修"},
        "shanxiongxin": {"单雄信"},
        "lvbu": {"吕布"},
        "lyubu": {"吕布"},
        "lübu": {"吕布"},
    }.items():
        assert set(found(client, text)) == names, text


@pytest.mark.rule("R-NUM-03", "R-NUM-05")
def test_numbers_are_found_whole_former_ones_too(client: Any) -> None:
    birth = make.first_grader_birth()
    number = make.identity_number(birth)
    student = make.make_student(name="林有号", id_number=number, number=f"G{number}")
    StudentNumber.objects.create(
        org_path=student.org_path, student=student, number="L440305202609015678", is_current=False
    )
    StudentNumber.objects.create(
        org_path=student.org_path, student=student, kind="auxiliary", province="44", number="SZ2026001"
    )
    client.force_login(make.make_registrar())
    wide = "".join(chr(ord(c) + 0xFEE0) for c in number)
    for text in (
        number,
        number.lower(),
        wide,
        f"G{number}",
        "L440305202609015678",
        "l4403 0520 2609 015678",
        "SZ2026001",
    ):
        assert found(client, text) == ["林有号"], text
    for text in (
        number[:-1],
        number[:17] + "0" * (number[17] != "0") + "1" * (number[17] == "0"),
        "L440305202609015679",
    ):
        assert found(client, text) == [], text


@pytest.mark.rule("AZ-1", "AZ-9")
def test_nothing_outside_the_scope_is_found_by_any_key(client: Any) -> None:
    birth = make.first_grader_birth()
    number = make.identity_number(birth)
    make.make_student(make.make_class(make.NEIGHBOUR), name="林邻县", id_number=number, number=f"G{number}")
    client.force_login(make.make_registrar())
    for text in ("林邻县", "linlinxian", "llx", number, f"G{number}"):
        assert found(client, text) == [], text
        page = client.post(SEARCH, {"q": text}).content.decode()
        assert "在您的管理范围内没有找到" in page
        assert reverse("transfers:register") in page
    client.force_login(make.make_reviewer(make.NEIGHBOUR_COUNTY))
    for text in ("林邻县", "llx", number, f"G{number}"):
        assert found(client, text) == ["林邻县"], text


@pytest.mark.rule("RD-3", "RD-7")
def test_what_is_typed_stands_in_no_address_and_no_log(client: Any) -> None:
    student, user = make.make_student(name="林小查"), make.make_registrar()
    client.force_login(user)
    page = client.get(reverse("registry:classes")).content.decode()
    form = page[page.index('<form class="find"') : page.index("</form>", page.index('<form class="find"'))]
    assert 'method="post"' in form
    assert "csrfmiddlewaretoken" in form
    assert f'hx-post="{SUGGEST}"' in form
    assert (
        client.get(SEARCH, {"q": "林小查"}).content.decode().count("林小查") == 0
    )  # a GET looks for nothing
    assert client.get(SUGGEST, {"q": "林小查"}).status_code == 405
    client.post(SEARCH, {"q": "林小查"})
    client.post(SUGGEST, {"q": "林小查"})
    entries = list(AccessEntry.objects.filter(actor_id=user.pk, outcome="list").order_by("id"))
    assert [(e.route, e.subject_ids) for e in entries] == [
        ("registry:search", [student.pk]),
        ("registry:suggest", [student.pk]),
    ]
    assert all("林小查" not in f"{e.purpose}{e.code}{e.fields}" for e in entries)


def test_suggestions_are_few_and_need_two_letters(client: Any) -> None:
    here = make.make_class()
    for n in range(12):
        make.make_student(here, name=f"张三{chr(0x4E00 + n)}")
    client.force_login(make.make_registrar())

    def suggested(text: str) -> int:
        answer = client.post(SUGGEST, {"q": text}, headers={"HX-Request": "true"})
        assert answer.status_code == 200
        return int(answer.content.decode().count('role="option"'))

    assert suggested("zhang") == queries.MOST_SUGGESTED == 8
    assert suggested("张") == 8
    assert suggested("z") == suggested("") == 0
    assert "没有找到" in client.post(SUGGEST, {"q": "李"}).content.decode()
    assert client.post(SUGGEST, {"q": "z"}).content.decode().strip() == ""


def test_classes_at_a_school_and_schools_at_a_bureau(client: Any) -> None:
    here = make.make_class(name="一(1)班")
    make.make_office(make.SISTER, name="南山区后海小学")
    client.force_login(make.make_registrar())
    assert (
        reverse("registry:school_class", args=[here.pk])
        in client.post(SEARCH, {"q": "一（1）班"}).content.decode()
    )
    client.force_login(make.make_reviewer())
    sister = make.make_office(make.SISTER)
    assert reverse("registry:school", args=[sister.pk]) in client.post(SEARCH, {"q": "后海"}).content.decode()
    assert (
        reverse("registry:school_class", args=[here.pk])
        not in client.post(SEARCH, {"q": "一(1)班"}).content.decode()
    )


def test_a_search_asks_as_much_for_one_hit_as_for_many(client: Any) -> None:
    here = make.make_class()
    make.make_student(here, name="张三")
    client.force_login(make.make_reviewer())

    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            found(client, "zhang")
        return len(asked)

    count()
    one = count()
    for n in range(9):
        make.make_student(here, name=f"张三{chr(0x4E00 + n)}")
    assert count() == one


@pytest.mark.rule("AZ-4")
def test_teachers_without_records_find_no_pupils(client: Any) -> None:
    make.make_student(make.make_class(), name="林小查")
    client.force_login(make.make_user("subject_teacher", make.SCHOOL))
    assert found(client, "林小查") == []
    assert "林小查" not in client.post(SUGGEST, {"q": "linx"}).content.decode()
