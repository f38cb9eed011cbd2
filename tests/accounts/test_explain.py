"""Who can see a pupil, and by which post or grant: the page says what the rights themselves do."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.roles import Right
from accounts.who_can_see import who_can_see
from audit.models import AccessEntry
from config.clock import today
from registry.models import Student
from tests import make
from tests.accounts.administering import again, browser

pytestmark = pytest.mark.usefixtures("nation")


def everybody() -> dict[str, User]:
    """Persons at every level, some of whom may not see, for reasons that differ."""
    people = {
        f"{role}@{path}": make.make_user(role, path)
        for role, path in (
            ("registrar", make.SCHOOL), ("leader", make.SCHOOL), ("head_teacher", make.SCHOOL),
            ("school_doctor", make.SCHOOL), ("system_administrator", make.SCHOOL),
            ("registrar", make.SISTER), ("reviewer", make.COUNTY), ("network_administrator", make.COUNTY),
            ("auditor", make.CITY), ("national_operator", make.NATION), ("reviewer", make.FAR_COUNTY),
        )
    }  # fmt: skip
    people["untrained"] = make.make_registrar(trained=False)
    people["sealed"] = make.make_registrar(sealed_at=timezone.now())
    people["left"] = make.make_registrar(is_active=False)
    people["former"] = make.make_user("subject_teacher", make.SISTER)
    make.add_post(
        people["former"], "registrar", make.SCHOOL, DateRange(today() - timedelta(9), today())
    )  # over since this morning
    people["granted"] = make.make_reviewer(make.NEIGHBOUR_COUNTY)
    make.make_grant(people["granted"], make.SCHOOL, valid=make.soon())
    people["granted_log"] = make.make_reviewer(make.NEIGHBOUR_COUNTY)
    make.make_grant(people["granted_log"], make.SCHOOL, "view_log", valid=make.soon())
    people["granted_once"] = make.make_reviewer(make.NEIGHBOUR_COUNTY)
    make.make_grant(people["granted_once"], make.SCHOOL, valid=DateRange(today() - timedelta(9), today()))
    return people


@pytest.mark.rule("AC-8", "AC-10", "AC-11", "AZ-6", "R-ACC-01")
def test_the_page_lists_exactly_those_whom_the_rights_let_in() -> None:
    pupil = make.make_student()
    people = everybody()
    listed = {one.name: one for one in who_can_see(pupil.org_path)}
    for who, person in people.items():
        visible = Student.objects.visible_to(again(person), Right.VIEW_STUDENT).filter(pk=pupil.pk).exists()
        shown = "查看学籍" in listed[person.name].rights if person.name in listed else False
        assert shown == visible, who
    assert listed[people["granted"].name].role == ""
    assert listed[people["granted"].name].until == today() + timedelta(29)
    assert listed[people["granted"].name].reason == "督查"
    # The doctor sees health alone, the head teacher what is hers, administrators nothing of a pupil.
    assert listed[people[f"school_doctor@{make.SCHOOL}"].name].rights == ("查看班级名单", "查看健康信息")
    assert people[f"head_teacher@{make.SCHOOL}"].name not in listed
    heads = who_can_see(pupil.org_path, [people[f"head_teacher@{make.SCHOOL}"].pk])
    assert "查看本班学籍" in {right for one in heads for right in one.rights}
    for role, path in (("system_administrator", make.SCHOOL), ("network_administrator", make.COUNTY)):
        assert people[f"{role}@{path}"].name not in listed


@pytest.mark.rule("RD-3", "AZ-2")
def test_the_page_is_a_read_of_its_own_and_costs_the_same_for_many() -> None:
    school_class = make.make_class()
    pupil = make.make_student(school_class)
    registrar, head = make.make_registrar(), make.make_user("head_teacher", make.SCHOOL)
    school_class.head_teacher = head
    school_class.save()
    auditor = make.make_user("auditor", make.CITY)
    address = reverse("registry:who_can_see", args=[pupil.public_id])
    client, counts = browser(registrar), []
    for _round in range(2):
        with CaptureQueriesContext(connection) as queries:
            response = client.get(address)
        counts.append(len(queries))
        for _n in range(8):
            make.make_registrar()
            make.make_grant(make.make_reviewer(make.NEIGHBOUR_COUNTY), make.SCHOOL, valid=make.soon())
    assert counts[0] == counts[1]
    assert head.name in response.content.decode()
    # A registrar may not read the log: of those above she sees the office and the post.
    assert auditor.name not in response.content.decode()
    assert auditor.name in browser(make.make_leader()).get(address).content.decode()
    entries = AccessEntry.objects.filter(route="registry:who_can_see", subject_id=pupil.pk, outcome="read")
    assert entries.filter(actor_id=registrar.pk).count() == 2
    assert browser(make.make_registrar(make.SISTER)).get(address).status_code == 404
    assert browser(head).get(address).status_code == 403
