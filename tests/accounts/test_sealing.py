"""Idle accounts: warned, sealed by night, without any scope, unsealed by the office above (AC-8, G-12)."""

import time
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import sealing as service
from accounts import tasks
from accounts.models import Notice, Sealing, SignIn, User
from accounts.notices import notify
from accounts.rights import acting_at, who_can
from accounts.roles import Right
from accounts.substitutes import SubstituteSealed, name_substitute
from audit.models import Event
from config.clock import today
from config.errors import NotAllowed
from registry.models import Student
from tests import make

pytestmark = pytest.mark.usefixtures("nation")


def idle(person: User, days: float) -> User:
    """Let her last sign-in lie so far back."""
    User.objects.filter(pk=person.pk).update(last_login=timezone.now() - timedelta(days=days))
    return person


def is_sealed(person: User) -> bool:
    return User.objects.filter(pk=person.pk, sealed_at__isnull=False).exists()


def step_up(client: Client, person: User) -> None:
    client.force_login(person)
    session = client.session
    session["factor_at"] = time.time()
    session.save()


def acts(action: str, person: User) -> list[Event]:
    return list(Event.objects.filter(action=action, subject_type="user", subject_id=person.pk))


@pytest.mark.rule("AC-8", "R-ACC-04", "ACCOUNT_SEAL_DAYS", "第二十四条")
def test_an_account_is_sealed_on_its_180th_day_with_its_sign_ins(client: Client) -> None:
    people = {days: idle(make.make_registrar(), days) for days in (179, 179.99, 180, 181)}
    never = make.make_registrar()
    User.objects.filter(pk=never.pk).update(created_at=timezone.now() - timedelta(days=180))
    client.force_login(people[181])
    User.objects.filter(pk=people[181].pk).update(last_login=timezone.now() - timedelta(days=181))
    key = client.session.session_key
    SignIn.objects.create(
        user=people[181], session_key=key, how="password", network="", device="", expires_at=timezone.now()
    )
    assert tasks.seal_dormant_accounts() == 3
    assert {days: is_sealed(person) for days, person in people.items()} == {
        179: False, 179.99: False, 180: True, 181: True,
    }  # fmt: skip
    assert is_sealed(never), "never used since it was created"
    live = SignIn.objects.get(user=people[181])
    assert (live.end, live.ended_at is None) == ("sealed", False)
    assert not Session.objects.filter(session_key=key).exists()
    (event,) = acts("accounts.user.seal", people[181])
    assert (event.org_path, event.actor_name, event.basis) == (make.SCHOOL, "系统", "第二十四条")
    assert tasks.seal_dormant_accounts() == 0, "a second run finds nothing"
    assert Sealing.objects.filter(user=people[181]).count() == 1


@pytest.mark.rule("G-12", "AC-8", "AC-7", "R-ACC-04")
def test_g12_idle_181_days_is_sealed_refused_and_unsealed_only_above(client: Client) -> None:
    person = make.make_registrar(name="林久未")
    person.set_password("correct horse 电池 staple")
    person.save()
    idle(person, 181)
    own, above, beside = (
        make.make_user("system_administrator", path) for path in (make.SCHOOL, make.COUNTY, make.CITY)
    )
    assert tasks.seal_dormant_accounts() == 1
    sealing = Sealing.objects.get(user=person)
    door = {"username": person.username, "password": "correct horse 电池 staple"}
    answer = client.post(reverse("accounts:sign_in"), door)
    assert "_auth_user_id" not in client.session, answer.content
    page, reason = reverse("accounts:unseal", args=[sealing.pk]), {"reason": "产假期满返岗"}
    for administrator, status in ((own, 403), (beside, 403)):
        step_up(client, administrator)
        assert client.post(page, reason).status_code == status, administrator
    assert "学校" in client.get(reverse("accounts:sealings")).content.decode()
    client.force_login(above)
    session = client.session
    session["factor_at"] = time.time() - 301
    session.save()
    assert client.post(page, reason).status_code == 403, "the second factor is older than five minutes"
    step_up(client, above)
    assert client.post(page, {"reason": "返岗"}).status_code == 422
    assert is_sealed(person)
    assert "解封账号" in client.get(page).content.decode()
    assert client.post(page, reason).status_code == 302
    assert not is_sealed(person)
    (event,) = acts("accounts.user.unseal", person)
    assert (event.actor_id, event.reason, event.office_path) == (above.pk, "产假期满返岗", make.COUNTY)
    assert client.post(page, reason).status_code == 404, "it is no longer sealed"
    with pytest.raises(service.NotSealed):
        service.unseal(sealing, actor=above, reason="产假期满返岗")
    assert tasks.seal_dormant_accounts() == 0, "an unsealing counts as use"
    person.refresh_from_db()
    assert person.scope_paths(Right.VIEW_STUDENT) == [make.SCHOOL]


@pytest.mark.rule("AC-8", "AZ-6")
def test_the_sealed_have_no_scope_anywhere(client: Client) -> None:
    school_class = make.make_class()
    student = make.make_student(school_class)
    person = idle(make.make_registrar(name="林已封"), 200)
    make.make_grant(person, make.FAR)
    leader, colleague = make.make_leader(), make.make_registrar()
    make.add_post(person, "leader", make.SISTER)
    assert tasks.seal_dormant_accounts() == 1
    sealed = User.objects.get(pk=person.pk)
    sealed.acting_post = person.acting_post
    assert [sealed.scope_paths(right) for right in Right] == [[] for _right in Right], "posts and grants"
    assert not sealed.may_act_at(Right.FILE, make.SCHOOL)
    assert Student.objects.visible_to(sealed, Right.VIEW_STUDENT).count() == 0
    with pytest.raises(NotAllowed):  # a job that she had started
        acting_at(person.pk, Right.FILE, at=make.SCHOOL)
    assert "林已封" not in who_can(Right.FILE, at=make.SCHOOL)
    notify([person.pk, colleague.pk], "urged", "催办", "/")
    assert Notice.objects.filter(user=person, kind="urged").count() == 0
    assert Notice.objects.filter(user=colleague, kind="urged").count() == 1
    assert leader.acting_post is not None
    with pytest.raises(SubstituteSealed):
        name_substitute(
            leader.acting_post, sealed, first=today(), last=today(), reason="外出培训", actor=leader
        )
    client.force_login(sealed)  # as if a session had been left over
    for path in (
        reverse("registry:students"),
        reverse("registry:student", args=[student.public_id]),
        reverse("student-list"),
        reverse("case-list"),
    ):
        assert client.get(path).status_code in (302, 401, 403), path


@pytest.mark.rule("AC-8", "R-ACC-04", "ACCOUNT_SEAL_NOTICE_DAYS")
def test_two_weeks_before_she_and_her_administrator_are_told_once(settings: Any) -> None:
    settings.MAIL_IS_ON = True
    late, soon = (idle(make.make_registrar(email=f"a{days}@example.cn"), days) for days in (165, 166))
    administrator = make.make_user("system_administrator", make.SCHOOL)
    other = make.make_user("system_administrator", make.SISTER)
    for _night in range(2):
        assert tasks.warn_idle_accounts() == 1
    assert Notice.objects.filter(user=late).count() == 0
    told = Notice.objects.get(user=soon)
    assert (told.kind, told.in_page, told.by_email) == ("seal_soon", True, True)
    assert f"{timezone.localdate() + timedelta(days=14):%Y-%m-%d}" in told.text
    assert "1 个账号" in Notice.objects.get(user=administrator).text
    assert Notice.objects.filter(user=other).count() == 0
    idle(soon, 0)
    assert tasks.warn_idle_accounts() == 0


@pytest.mark.rule("R-ACC-04", "AZ-1")
def test_lists_and_api_show_what_is_in_reach_and_why(client: Client) -> None:
    people = [idle(make.make_registrar(make.SCHOOL, name="林在册"), 190)]
    far = idle(make.make_registrar(make.FAR, name="川在册"), 190)
    soon = idle(make.make_registrar(make.SISTER, name="林将封"), 170)
    county = make.make_user("system_administrator", make.COUNTY)
    assert tasks.seal_dormant_accounts() == 2
    client.force_login(county)
    listing = reverse("accounts:sealings")
    page = client.get(listing).content.decode()
    assert ("林在册" in page, "川在册" in page, "林将封" in page) == (True, False, True)
    assert "190 天未登录" in page
    assert f"{timezone.localdate() + timedelta(days=10):%Y-%m-%d}" in page, soon
    with CaptureQueriesContext(connection) as one:
        client.get(listing)
    people += [idle(make.make_registrar(), 190) for _n in range(4)]
    assert tasks.seal_dormant_accounts() == 4
    with CaptureQueriesContext(connection) as many:
        client.get(listing)
    assert len(many) == len(one)
    rows = client.get(reverse("sealing-list")).json()
    assert (rows["total"], {row["idle_days"] for row in rows["results"]}) == (5, {190})
    foreign = Sealing.objects.get(user=far)
    mine = Sealing.objects.get(user=people[0])
    assert client.get(reverse("sealing-detail", args=[foreign.pk])).status_code == 404
    assert client.get(reverse("accounts:unseal", args=[foreign.pk])).status_code == 404
    unseal, sent = reverse("sealing-unseal", args=[mine.pk]), {"reason": "产假期满返岗"}
    assert client.post(unseal, sent, content_type="application/json").json()["code"] == "step_up_needed"
    step_up(client, county)
    assert client.post(unseal, {"reason": "短"}, content_type="application/json").status_code == 422
    answer = client.post(unseal, sent, content_type="application/json")
    assert (answer.status_code, answer.json()["reason"]) == (200, "产假期满返岗")
    assert not is_sealed(people[0])


def test_her_office_is_that_of_her_highest_post_of_today() -> None:
    person = make.make_registrar(make.SCHOOL)
    make.add_post(person, "reviewer", make.COUNTY, DateRange(date(2000, 1, 1), date(2001, 1, 1)))
    stray = User.objects.create(username="stray.sealed", name="无岗")
    for one in (person, stray):
        idle(one, 190)
    assert tasks.seal_dormant_accounts() == 2
    assert dict(Sealing.objects.values_list("user__name", "path"))["无岗"] == make.NATION
    assert Sealing.objects.get(user=person).path == make.SCHOOL
    nation = make.make_user("system_administrator", make.NATION)
    service.unseal(Sealing.objects.get(user=stray), actor=nation, reason="新任岗位尚在办理")
    assert not is_sealed(stray)
