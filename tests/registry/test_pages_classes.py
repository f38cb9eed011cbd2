"""Classes, the roll of one, and schools: who reads them, what they count, which limit they name."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import AccessEntry
from registry.models import Campus, SchoolClass
from registry.queries import schools as queries
from registry.status import PENDING, SUSPENDED
from tests import make

pytestmark = pytest.mark.usefixtures("nation")
CLASSES = reverse("registry:classes")


def roll_of(school_class: SchoolClass) -> str:
    return reverse("registry:school_class", args=[school_class.pk])


def get(client: Any, user: Any, address: str) -> str:
    client.force_login(user)
    answer = client.get(address)
    assert answer.status_code == 200, answer.content.decode()
    return str(answer.content.decode())


@pytest.mark.rule("AZ-1")
def test_classes_in_scope_with_their_counts(client: Any) -> None:
    teacher = make.make_user("head_teacher", make.SCHOOL, name="周班主任")
    here, sister = (
        make.make_class(name="一(1)班", head_teacher=teacher),
        make.make_class(make.SISTER, name="一(2)班"),
    )
    other = make.make_class(name="一(3)班")
    for _n in range(3):
        make.make_student(here)
    make.make_student(here, status=PENDING)
    make.make_student(here, status=SUSPENDED)
    page = get(client, make.make_registrar(), CLASSES)
    assert re.findall(r"data-open><b>(.*?)</b>", page) == ["一(1)班", "一(3)班"]
    assert "周班主任" in page
    assert re.search(r'data-label="人数">4\b', page)  # in school and pending; a suspended pupil has no seat
    assert set(re.findall(r"data-open><b>(.*?)</b>", get(client, make.make_reviewer(), CLASSES))) == {
        "一(1)班", "一(2)班", "一(3)班",
    }  # fmt: skip
    assert re.findall(r"data-open><b>(.*?)</b>", get(client, teacher, CLASSES)) == ["一(1)班"]
    assert f"{CLASSES}?" not in page
    for hidden in (sister, other):
        client.force_login(teacher)
        assert client.get(roll_of(hidden)).status_code == 404


@pytest.mark.rule("AZ-4", "RD-1", "RD-3")
def test_the_roll_shows_each_role_what_it_may_see(client: Any) -> None:
    teacher = make.make_user("head_teacher", make.SCHOOL)
    here = make.make_class(head_teacher=teacher)
    number = make.identity_number(make.first_grader_birth())
    student = make.make_student(here, name="林小查", id_number=number, number="L440305202609011234")
    record = reverse("registry:student", args=[student.public_id])
    for user, sees_numbers, may_open in (
        (make.make_registrar(), True, True),
        (teacher, True, True),
        (make.make_reviewer(), True, True),
        (make.make_user("school_doctor", make.SCHOOL), False, True),
        (make.make_user("subject_teacher", make.SCHOOL), False, False),
    ):
        page = get(client, user, roll_of(here))
        assert "林小查" in page
        assert ("L440305" in page) == sees_numbers, user
        assert (number[-4:] in page) == sees_numbers
        assert number not in page
        assert (record in page) == may_open
        entry = AccessEntry.objects.get(actor_id=user.pk, route="registry:school_class")
        assert (entry.outcome, entry.subject_ids) == ("list", [student.pk])
        assert client.get(record).status_code == (200 if may_open else 403)
    client.force_login(make.make_user("system_administrator", make.SCHOOL))
    assert client.get(roll_of(here)).status_code == 403
    client.force_login(make.make_reviewer(make.NEIGHBOUR_COUNTY))
    assert client.get(roll_of(here)).status_code == 404


@pytest.mark.rule("CLASS_SIZE_MAX_PRIMARY", "CLASS_SIZE_MAX_SECONDARY")
def test_the_roll_names_the_limit_in_force_and_who_set_it(client: Any) -> None:
    wide, tight = make.make_class(), make.make_class(cap=2)
    junior = make.make_class(grade="21")
    for _n in range(2):
        make.make_student(tight)
    registrar = make.make_registrar()
    page = get(client, registrar, roll_of(wide))
    assert "0 人，上限 55 人，还可编入 55 人" in page
    assert "新生编班上限 45 人，还可注册 45 人" in page
    assert "新生编班" not in get(client, registrar, roll_of(make.make_class(grade="12")))
    assert "上限 60 人" in get(client, registrar, roll_of(junior))
    page = get(client, registrar, roll_of(tight))
    assert "2 人，上限 2 人，还可编入 0 人" in page
    assert "已满" in page
    assert "由学校为本班设定" in page
    register = reverse("transfers:register")
    assert f"{register}?class={wide.pk}" in get(client, registrar, roll_of(wide))
    assert f"{register}?class={tight.pk}" not in page  # a full class offers no registration
    assert f"{register}?class" not in get(client, make.make_reviewer(), roll_of(wide))


def test_class_pages_follow_each_other(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PAGE", 2)
    for n in range(5):
        make.make_class(make.SISTER if n % 2 else make.SCHOOL, name=f"班{n}")
    client.force_login(make.make_reviewer())
    seen, address = [], CLASSES
    for _page in range(4):
        page = client.get(address).content.decode()
        seen += re.findall(r"data-open><b>(班\d)</b>", page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        if not following:
            break
        address = following[1]
    assert sorted(seen) == [f"班{n}" for n in range(5)]
    for query in ("after=0", "after=x", "grade=77", "office=1"):
        assert client.get(f"{CLASSES}?{query}").status_code == 404


@pytest.mark.parametrize("what", ["classes", "roll", "school"])
def test_these_pages_ask_as_much_for_one_row_as_for_many(what: str, client: Any) -> None:
    here = make.make_class()
    make.make_student(here)
    client.force_login(make.make_reviewer())
    address = {
        "classes": CLASSES,
        "roll": roll_of(here),
        "school": reverse("registry:school", args=[here.school_id]),
    }[what]

    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        return len(asked)

    count()
    one = count()
    for _n in range(5):
        make.make_student(make.make_class())
        make.make_student(here)
    assert count() == one
    assert one <= 23


@pytest.mark.rule("AZ-4", "R-ACC-10")
def test_a_school_page_counts_for_who_may_read_rolls(client: Any) -> None:
    here = make.make_class(name="一(1)班")
    make.make_student(here)
    make.make_student(here, sex="1", status=PENDING)
    Campus.objects.create(school=here.school, name="东校区", division="440305")
    address = reverse("registry:school", args=[here.school_id])
    page = get(client, make.make_reviewer(), address)
    for text in ("2144000001"[:4], "六三制", "东校区", "一(1)班", "共 2 人，其中待核准 1 人", "南山区教育局"):
        assert text in page, text
    assert f"{reverse('registry:students')}?office={here.school_id}" in page
    bare = get(client, make.make_user("system_administrator", make.SCHOOL), address)
    assert "在校学生" not in bare
    assert "一(1)班" not in bare
    client.force_login(make.make_reviewer(make.NEIGHBOUR_COUNTY))
    assert client.get(address).status_code == 404
    assert client.get(reverse("registry:school", args=[make.make_office(make.COUNTY).pk])).status_code == 404
