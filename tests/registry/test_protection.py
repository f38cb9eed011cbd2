"""Protected pupils (AZ-10): set by two persons; hidden from lists, search, look-up, tracking and exports of
other offices; what is sealed is revealed by two.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Notice, User
from audit.models import Event
from audit.services import System
from config.clock import today
from registry.graduation.afterwards import fill_destinations
from registry.graduation.checking import examine
from registry.graduation.preparing import open_list
from registry.graduation.queries import rows_of
from registry.models import (
    GraduationList,
    IdentityDocument,
    OpenBusiness,
    ProblemRecord,
    PromotionSchool,
    Protection,
    RevealRequest,
    Student,
)
from registry.queries.problems import read_problems
from registry.school_year.queries import pupils
from tests import make
from transfers import across
from transfers.problem_numberless import read_numberless
from transfers.tracking import code_of

pytestmark = [pytest.mark.usefixtures("nation"), pytest.mark.rule("AZ-10")]
SENT = {"field": "phone", "reason": "contact", "text": "家访前核对电话"}


@pytest.fixture
def people() -> dict[str, User]:
    return {
        "registrar": make.make_registrar(),
        "colleague": make.make_registrar(),
        "leader": make.make_leader(),
        "boss": make.make_user("bureau_leader", make.COUNTY),
        "reviewer": make.make_reviewer(),
        "city": make.make_user("bureau_leader", make.CITY),
        "stranger": make.make_leader(make.FAR),
    }


@pytest.fixture
def pupil() -> Student:
    return make.make_student(id_number=make.identity_number(make.first_grader_birth()))


def page(pupil: Student) -> str:
    return reverse("registry:protection", args=[pupil.public_id])


def asked() -> dict[str, str]:
    return {
        "act": "propose",
        "reason": "人身安全保护令〔2026〕12号",
        "until": f"{today() + timedelta(days=90)}",
    }


def protect(client: Client, pupil: Student, people: dict[str, User]) -> None:
    for who, sent in (("leader", asked()), ("boss", {"act": "confirm"})):
        client.force_login(people[who])
        assert client.post(page(pupil), sent).status_code == 302


@pytest.mark.rule("AZ-7")
def test_it_takes_the_school_s_leader_and_the_authority_s(
    client: Client, pupil: Student, people: dict[str, User]
) -> None:
    for who, sent, status in (
        ("registrar", asked(), 403),
        ("stranger", asked(), 404),
        ("boss", asked(), 403),  # seeing flows down, acting does not
        ("leader", asked() | {"reason": "保护"}, 422),
        ("leader", asked() | {"until": f"{today()}"}, 422),
        ("leader", asked() | {"until": f"{today() + timedelta(days=367)}"}, 422),
        ("leader", asked() | {"state": "in_force"}, 400),
        ("leader", {"act": "confirm"}, 404),
        ("leader", asked(), 302),
        ("leader", asked(), 409),
        ("leader", {"act": "confirm"}, 403),
        ("city", {"act": "confirm"}, 403),
        ("boss", {"act": "confirm"}, 302),
        ("boss", {"act": "confirm"}, 409),
    ):
        client.force_login(people[who])
        assert client.post(page(pupil), sent).status_code == status, (who, sent)
    row = Protection.objects.get()
    assert (row.state, row.proposed_by, row.decided_by_name) == (
        "in_force",
        people["leader"],
        people["boss"].name,
    )
    acts = Event.objects.filter(subject_type="protection").order_by("id").values_list("action", flat=True)
    assert list(acts) == ["registry.protection.propose", "registry.protection.confirm"]
    client.force_login(people["boss"])
    assert client.post(page(pupil), {"act": "end", "reason": "完"}).status_code == 422
    assert client.post(page(pupil), {"act": "end", "reason": "保护令已经撤销"}).status_code == 302
    assert Protection.objects.get().state == "ended"

    # A person who holds both posts does not confirm what she has asked for herself.
    both = people["leader"]
    client.force_login(both)
    assert client.post(page(pupil), asked()).status_code == 302
    make.add_post(both, "bureau_leader", make.COUNTY, make.ALWAYS)
    both.acting_post = both.posts.get(role="bureau_leader")
    client.force_login(both)
    session = client.session
    session["acting_post"] = both.acting_post.pk
    session.save()
    refused = client.post(page(pupil), {"act": "confirm"})
    assert (refused.status_code, "另一人" in refused.text) == (403, True)


def found(client: Client, pupil: Student, user: User) -> dict[str, bool]:
    client.force_login(user)
    typed = {"q": pupil.name}
    answers = {
        "list": client.get(reverse("registry:students")),
        "search": client.post(reverse("registry:search"), typed, follow=True),
        "suggest": client.post(reverse("registry:suggest"), typed),
        "api": client.get(reverse("student-list")),
    }
    return {where: str(pupil.public_id) in answer.text for where, answer in answers.items()}


@pytest.mark.rule("AZ-4", "RD-1")
def test_lists_search_and_records_of_other_offices(
    client: Client, pupil: Student, people: dict[str, User]
) -> None:
    everywhere = dict.fromkeys(("list", "search", "suggest", "api"), True)
    nowhere = dict.fromkeys(everywhere, False)
    address = reverse("student-detail", args=[pupil.public_id])
    assert found(client, pupil, people["reviewer"]) == everywhere
    assert "广东省深圳市" in client.get(address).text  # an address to the county
    protect(client, pupil, people)
    assert found(client, pupil, people["reviewer"]) == nowhere
    assert found(client, pupil, people["registrar"]) == everywhere
    assert found(client, pupil, people["boss"]) == everywhere
    for one in (address, reverse("registry:student", args=[pupil.public_id])):
        shown = client.get(one)
        assert shown.status_code == 200
        assert "广东省深圳市南山区***" not in shown.text
    # The day after its last the pupil is found again, without anybody's doing.
    Protection.objects.update(until=today() - timedelta(days=1))
    assert found(client, pupil, people["reviewer"]) == everywhere


def named(pupil: Student, user: User, made: GraduationList, row: PromotionSchool) -> dict[str, bool]:
    """Which lists of the school year name her."""
    examined = examine(made, user)
    problems = [side for one in read_problems(user, "open", "").rows for side in one.sides]
    found = {
        "fates": [one["student_id"] for one in pupils(row, user, "graduating")[0]],
        "rows": [one["student_id"] for one in rows_of(made, pupil.enrolments.get().class_number, user)],
        "business": [one["student_id"] for one in examined.business],
        "obstacles": [one["student_id"] for one in examined.problems],
        "problems": [side.student_id for side in problems],
        "numberless": [one.student_id for one in read_numberless(user, "").rows],
    }
    assert examined.is_blocked
    return {where: pupil.pk in ids for where, ids in found.items()}


def test_lists_of_the_school_year_at_other_offices(people: dict[str, User]) -> None:
    pupil = make.make_student(make.make_class(grade="16"), entry_month="2020-09")
    IdentityDocument.objects.filter(student=pupil).update(type="Z")
    ProblemRecord.objects.create(
        org_path=make.SCHOOL, other_path=make.SCHOOL, type="1", side="single", student=pupil,
        found_by="测试", detail="测试",
    )  # fmt: skip
    OpenBusiness.objects.create(
        from_path=make.SCHOOL, to_path=make.SCHOOL, student=pupil, case_no="ZX1", kind="aid", kind_name="资助"
    )
    made = open_list(make.make_office(make.SCHOOL), "16", actor=people["registrar"])
    row = make.make_promotion()
    everywhere = named(pupil, people["reviewer"], made, row)
    assert set(everywhere.values()) == {True}, everywhere
    Protection.objects.create(
        org_path=make.SCHOOL, student=pupil, reason="人身安全保护令", until=today() + timedelta(days=9),
        state=Protection.State.IN_FORCE, proposed_by=people["leader"], proposed_by_name="测试",
    )  # fmt: skip
    assert named(pupil, people["reviewer"], made, row) == dict.fromkeys(everywhere, False)
    for insider in ("registrar", "boss"):
        assert named(pupil, people[insider], made, row) == everywhere, insider
    (side,) = read_problems(people["reviewer"], "open", "").rows[0].sides
    assert "不予显示" in side.place  # nor the county that she lives in

    # The school that graduated her is not told where she went.
    held = make.make_graduate(pupil.enrolments.get(), today())
    assert fill_destinations([pupil.pk], "16", "远处的中学", "SX1", actor=System(make.COUNTY)) == 1
    held.refresh_from_db()
    told = Event.objects.get(action="registry.graduate.destination").detail["school"]
    assert (held.destination, "不予显示" in told, held.next_school) == ("16", True, told)


@pytest.mark.rule("AZ-9")
def test_a_look_up_elsewhere_names_no_place(client: Client, pupil: Student, people: dict[str, User]) -> None:
    asker = make.make_registrar(make.FAR)
    values = make.valid_values()

    def look() -> Any:
        return across.look_up(
            asker, name=pupil.name, id_type="1", id_number="", sex=pupil.sex, birth_on=pupil.birth_on,
            nationality=values["nationality"], route="transfers:register",
        ).hits  # fmt: skip

    assert [hit.school for hit in look()] == ["南山区教育局所辖学校"]
    protect(client, pupil, people)
    (hit,) = look()
    assert "南山区" not in hit.school
    assert "不予显示" in hit.school


def test_the_tracking_page_tells_neither_school_nor_handler(client: Client, people: dict[str, User]) -> None:
    from tests.transfers.filing import file_pupil

    office = {"class": make.make_class(), **people}
    case = file_pupil(office)
    address = reverse("transfers:track", args=[code_of(case.number)])
    client.logout()
    assert office["class"].school.organization.name in client.get(address).text
    protect(client, case.student, people)
    client.logout()
    shown = client.get(address)
    assert shown.status_code == 200
    assert office["class"].school.organization.name not in shown.text
    assert "南山区" not in shown.text


@pytest.mark.rule("RD-2")
def test_a_reveal_needs_a_second_person_within_the_hour(
    client: Client, pupil: Student, people: dict[str, User]
) -> None:
    reveal = reverse("registry:reveal", args=[pupil.public_id])
    client.force_login(people["registrar"])
    assert "13800138000" in client.post(reveal, SENT).text
    protect(client, pupil, people)
    client.force_login(people["registrar"])
    for _ in range(2):  # asked once, however often she presses
        refused = client.post(reveal, SENT)
        assert (refused.status_code, "13800138000" in refused.text) == (403, False)
        assert "两人查看" in refused.text
    request = RevealRequest.objects.get()
    told = set(Notice.objects.filter(kind="second_person").values_list("user_id", flat=True))
    assert told == {people["colleague"].pk, people["leader"].pk}
    agree = reverse("registry:reveal_approve", args=[request.pk])
    assert client.post(agree).status_code == 403  # not by herself
    client.force_login(people["boss"])
    assert client.post(agree).status_code == 403  # without the right
    client.force_login(make.make_registrar(make.SISTER))
    assert client.post(agree).status_code == 404
    client.force_login(people["colleague"])
    assert pupil.name in client.get(reverse("registry:reveal_requests")).text
    assert client.post(agree).status_code == 302
    assert client.post(agree).status_code == 409
    client.force_login(people["registrar"])
    assert "13800138000" in client.post(reveal, SENT).text
    assert client.post(reveal, SENT).status_code == 403  # once; the next one asks anew
    old = RevealRequest.objects.get(used_at=None)
    RevealRequest.objects.filter(pk=old.pk).update(asked_at=old.asked_at - timedelta(minutes=60))
    client.force_login(people["colleague"])
    assert client.post(reverse("registry:reveal_approve", args=[old.pk])).status_code == 409
