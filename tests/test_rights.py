"""Seeing flows down the tree, acting does not; a lost right is lost at once (ARCHITECTURE 2)."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Organization, Post, TrainingRecord, User
from accounts.rights import explain, valid_posts
from accounts.roles import GRANTABLE, ROLES, Right
from config.clock import now, today
from registry.models import Student
from tests import make

pytestmark = pytest.mark.usefixtures("nation")


def again(user: User) -> User:
    """The same person in another request."""
    return User.objects.get(pk=user.pk)


def test_seeing_flows_down_and_acting_does_not() -> None:
    make.make_office(make.SCHOOL)
    reviewer = make.make_reviewer()
    assert reviewer.scope_paths(Right.VIEW_STUDENT) == [make.COUNTY]
    assert explain(reviewer, Right.DECIDE, at=make.COUNTY).is_allowed
    for elsewhere in (make.SCHOOL, make.CITY, make.NEIGHBOUR_COUNTY):
        assert not explain(reviewer, Right.DECIDE, at=elsewhere).is_allowed


def test_a_refusal_says_who_can() -> None:
    leader = make.make_leader(name="陈校长", phone="0755-26001001")
    answer = explain(make.make_registrar(), Right.REVIEW, at=make.SCHOOL)
    assert "陈校长" in answer.who_can
    assert "0755-26001001" in answer.who_can
    Post.objects.filter(user=leader).update(valid=DateRange(date(2001, 1, 1), date(2002, 1, 1)))
    assert "没有任职人员" in explain(make.make_registrar(), Right.REVIEW, at=make.SCHOOL).who_can


@pytest.mark.rule("AC-8", "AC-10", "R-ACC-06", "AZ-6")
def test_sealed_inactive_untrained_and_former_staff_have_no_scope_anywhere() -> None:
    person = make.make_registrar()
    assert again(person).scope_paths(Right.VIEW_STUDENT) == [make.SCHOOL]
    for change, back in (
        ({"sealed_at": now()}, {"sealed_at": None}),
        ({"is_active": False}, {"is_active": True}),
    ):
        User.objects.filter(pk=person.pk).update(**change)
        assert again(person).scope_paths(Right.VIEW_STUDENT) == []
        assert not again(person).may_act_at(Right.FILE, make.SCHOOL)
        User.objects.filter(pk=person.pk).update(**back)
    TrainingRecord.objects.filter(user=person).update(completed_on=today() - timedelta(days=730))
    assert again(person).scope_paths(Right.VIEW_STUDENT) == []
    TrainingRecord.objects.filter(user=person).update(completed_on=today() - timedelta(days=729))
    assert again(person).scope_paths(Right.VIEW_STUDENT) == [make.SCHOOL]
    Post.objects.filter(user=person).update(valid=DateRange(date(2001, 1, 1), today()))
    assert again(person).scope_paths(Right.VIEW_STUDENT) == []


@pytest.mark.rule("AC-11", "R-ACC-10")
def test_administrators_have_no_status_rights() -> None:
    about_pupils = {
        Right.VIEW_STUDENT,
        Right.VIEW_CLASS,
        Right.VIEW_IDENTITY,
        Right.FILE,
        Right.DECIDE,
        Right.REVIEW,
    }
    for code in (
        "system_administrator",
        "network_administrator",
        "security_administrator",
        "audit_administrator",
    ):
        assert not ROLES[code].rights & about_pupils, code
    kept_apart = [Right.MANAGE_ACCOUNTS, Right.SET_RULES, Right.VIEW_LOG]
    for code in ("system_administrator", "security_administrator", "audit_administrator"):
        assert sum(right in ROLES[code].rights for right in kept_apart) == 1, code


@pytest.mark.rule("R-EST-04", "R-ACC-02")
def test_no_role_both_files_and_decides() -> None:
    for role in ROLES.values():
        assert len(role.rights & {Right.FILE, Right.REVIEW, Right.DECIDE}) <= 1, role.code


def test_a_dated_grant_shows_an_office_outside_the_own_line_and_never_lets_act() -> None:
    auditor = make.make_user("auditor", "CN.51.")
    grant = make.make_grant(auditor, make.COUNTY)
    assert again(auditor).scope_paths(Right.VIEW_STUDENT) == [make.COUNTY, "CN.51."]
    assert not again(auditor).may_act_at(Right.VIEW_STUDENT, make.COUNTY)
    assert again(auditor).scope_paths(Right.VIEW_IDENTITY) == ["CN.51."]
    grant.valid = DateRange(date(2001, 1, 1), today())
    grant.save()
    assert again(auditor).scope_paths(Right.VIEW_STUDENT) == ["CN.51."]


def test_only_seeing_can_be_granted() -> None:
    codes = set(
        Permission.objects.filter(content_type__app_label="accounts").values_list("codename", flat=True)
    )
    assert {str(right) for right in GRANTABLE} <= codes
    assert not codes & {str(Right.FILE), str(Right.REVIEW), str(Right.DECIDE), str(Right.EDIT_STUDENT)}


def test_rights_cost_one_query_however_many_posts() -> None:
    person = make.make_registrar()
    for n in range(5):
        make.add_post(person, "registrar", f"CN.44.03.05.21440001{n}0.")
    fresh = again(person)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        fresh.scope_paths(Right.VIEW_STUDENT)
        fresh.scope_paths(Right.FILE)
        fresh.may_act_at(Right.FILE, make.SCHOOL)
    assert len(queries) == 1
    assert len(valid_posts(fresh)) == 6


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.sampled_from(["01", "02", "03"]), min_size=1, max_size=2), min_size=1, max_size=12),
    st.lists(st.sampled_from(["01", "02", "03"]), min_size=0, max_size=4),
)
@pytest.mark.rule("AZ-1", "AZ-8")
def test_in_a_random_tree_queries_and_wall_agree_with_the_definition(
    places: list[list[str]], office: list[str]
) -> None:
    """A row is visible exactly when the office's path begins the row's path; by filter and by wall alone."""
    from django.db import transaction

    from config.scope import scope

    root = "CN.99."
    with transaction.atomic():
        rows = {}
        for n, place in enumerate(places):
            path = root + ".".join([*place, f"31{n:08d}"]) + "."
            rows[make.make_student(make.make_class(path, number=f"20{n:05d}")).pk] = path
        own = root + "".join(f"{part}." for part in office)
        auditor = make.make_user("auditor", own) if Organization.objects.filter(path=own).exists() else None
        expected = {pk for pk, path in rows.items() if path.startswith(own)}
        with scope(own):
            assert set(Student.objects.filter(pk__in=rows).values_list("pk", flat=True)) == expected
        if auditor is not None:
            seen = Student.objects.filter(pk__in=rows).visible_to(auditor, Right.VIEW_STUDENT)
            assert set(seen.values_list("pk", flat=True)) == expected
        transaction.set_rollback(True)
