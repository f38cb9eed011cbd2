"""Delegated administration: who creates, appoints, trains, resets and ends what, and what is refused."""

import re
from datetime import timedelta
from io import BytesIO, StringIO

import pytest
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import Workbook, load_workbook

from accounts import codes, tasks
from accounts.administration import granting, training
from accounts.administration.appointing import Appointment
from accounts.administration.appointing import appoint as appoint_service
from accounts.administration.workbook import HEADINGS
from accounts.codes import CodeRefused
from accounts.models import (
    AccountList,
    CodeRequest,
    Notice,
    OfficeGrant,
    OneUseCode,
    Post,
    ResetRequest,
    StaffIdentity,
    TrainingRecord,
    User,
)
from accounts.people_views import people as people_page
from accounts.roles import Right
from audit.models import AccessEntry, Event
from audit.sentences import sentence
from config.clock import now, today
from registry.models import ImportBatch
from tests import make
from tests.accounts.administering import (
    REASON,
    again,
    appoint,
    browser,
    code_of,
    new_person,
    staff_number,
)
from tests.accounts.door import ask_reset, enter, make_account
from tests.transfers.filing import file_pupil
from transfers.models import Case

pytestmark = pytest.mark.usefixtures("nation")
NEW = reverse("accounts:person_new")
CODE = re.compile(r"[2-9A-HJKMNP-Z]{4}(?:-[2-9A-HJKMNP-Z]{4}){3}")


@pytest.fixture
def county() -> User:
    make.make_office(make.SCHOOL)
    make.make_office(make.SISTER)
    return make.make_administrator(make.COUNTY)


@pytest.mark.rule("R-ACC-01", "R-ACC-05", "AC-4", "AC-7")
def test_each_level_creates_accounts_of_its_office_and_the_next_below_and_never_further(county: User) -> None:
    city, school = make.make_administrator(make.CITY), make.make_administrator(make.SCHOOL)
    make.make_office(make.FAR)
    cases: list[tuple[User, str, str, int, str]] = [
        (county, make.COUNTY, "reviewer", 200, ""),
        (county, make.SCHOOL, "registrar", 200, ""),
        (county, make.SISTER, "system_administrator", 200, ""),
        (county, make.SCHOOL, "system_administrator", 409, "school_has_administrator"),
        (county, make.COUNTY, "system_administrator", 403, "appointed_from_above"),
        (county, make.COUNTY, "security_administrator", 403, "appointed_from_above"),
        (county, make.SCHOOL, "reviewer", 422, "role_not_here"),
        (city, make.COUNTY, "security_administrator", 200, ""),
        (school, make.SCHOOL, "registrar", 200, ""),
        (school, make.SCHOOL, "system_administrator", 403, "appointed_from_above"),
    ]
    for actor, office, role, status, code in cases:
        form = new_person(office, role)
        response = browser(actor).post(NEW, form)
        assert response.status_code == status, (role, office, response.content.decode()[:500])
        made = User.objects.filter(username=form["username"]).first()
        assert (made is not None) == (status == 200), (role, office)
        if made is None:
            assert code_of(response) == code
            continue
        assert Post.objects.get(user=made).office.path == office
        assert not made.has_usable_password()
        acts = Event.objects.filter(actor_id=actor.pk, subject_type="user", subject_id=made.pk)
        assert sorted(acts.values_list("action", flat=True)) == [
            "accounts.code.issue",
            "accounts.user.create",
        ]
    # An office out of her reach is no choice, whatever number is sent; a service says why.
    for office, actor in ((make.SCHOOL, city), (make.FAR, county)):
        response = browser(actor).post(NEW, new_person(office))
        assert (response.status_code, "office" in response.context["form"].errors) == (400, True)
    assert browser(county, stepped_up=False).post(NEW, new_person()).status_code == 403
    refused = AccessEntry.objects.filter(actor_id=county.pk, outcome="refused")
    assert "step_up_needed" in refused.values_list("code", flat=True)


@pytest.mark.rule("R-ACC-01", "AZ-1", "AZ-2")
def test_a_service_refuses_what_no_page_offers(county: User) -> None:
    city = make.make_administrator(make.CITY)
    person = make.make_user("subject_teacher", make.SCHOOL)
    wanted = Appointment(make.make_office(make.SCHOOL), "registrar", today())
    for actor, code in ((city, "beyond_reach"), (make.make_administrator(make.FAR_COUNTY), "not_found"),
                        (make.make_registrar(), "not_allowed")):  # fmt: skip
        with pytest.raises(Exception) as refused:  # noqa: PT011  (its code is looked at)
            appoint_service(person, wanted, actor=actor, reason=REASON)
        assert refused.value.code == code  # type: ignore[attr-defined]
    assert appoint_service(person, wanted, actor=county, reason=REASON).role == "registrar"
    # The person's page: hers and the next level's, missing for everybody else.
    for actor, status in ((county, 200), (make.make_administrator(make.SCHOOL), 200), (city, 404),
                          (make.make_administrator(make.SISTER), 404)):  # fmt: skip
        assert browser(actor).get(reverse("accounts:person", args=[person.pk])).status_code == status


@pytest.mark.rule("AC-9")
def test_one_person_has_one_account_and_comes_back_with_it(county: User) -> None:
    client, number = browser(county), staff_number()
    assert client.post(NEW, new_person(number=number)).status_code == 200
    first = StaffIdentity.objects.latest("pk").user
    full_width = number.translate({ord(str(n)): chr(0xFF10 + n) for n in range(10)})
    for again_typed in (number, f" {full_width} "):
        response = client.post(NEW, new_person(make.SISTER, number=again_typed))
        assert (response.status_code, code_of(response)) == (409, "second_account")
        assert number not in response.context["refusal"].detail
        assert first.name not in response.context["refusal"].detail
    for wrong in (number[:-1] + ("0" if number[-1] != "0" else "1"), "123", "１２３４５６７８９０"):
        response = client.post(NEW, new_person(number=wrong))
        assert (response.status_code, code_of(response)) == (422, "number_wrong")
    response = client.post(NEW, new_person(username=first.username))
    assert (response.status_code, code_of(response)) == (409, "username_taken")
    # The number is kept nowhere: neither in the row nor in the log.
    kept = StaffIdentity.objects.get(user=first)
    assert (kept.last_four, number in str(kept.digest)) == (number[-4:], False)
    assert not any(number in str(event.detail) + event.reason for event in Event.objects.all())
    with pytest.raises(IntegrityError), transaction.atomic():
        StaffIdentity.objects.create(user=make.make_registrar(), digest=kept.digest, last_four="0000")
    # Who left comes back with the same account, at whatever office.
    leave = client.post(
        reverse("accounts:person_leave", args=[first.pk]), {"reason": REASON, "successor": ""}
    )
    assert leave.status_code == 302
    assert client.post(NEW, new_person(make.SISTER, number=number)).status_code == 200
    back = User.objects.get(pk=first.pk)
    assert (back.is_active, [post.office.path for post in back.posts.filter(valid__contains=today())]) == (
        True, [make.SISTER],
    )  # fmt: skip
    assert Event.objects.filter(action="accounts.user.return", subject_id=first.pk).count() == 1


@pytest.mark.rule("AC-11", "R-ACC-10", "R-ACC-02", "R-ACC-05")
def test_what_may_not_be_in_one_hand(county: User) -> None:
    city = make.make_administrator(make.CITY)
    registrar, leader = make.make_registrar(), make.make_leader()
    security = make.make_user("security_administrator", make.COUNTY)
    cases: list[tuple[User, User, str, str, str]] = [
        (county, registrar, make.SCHOOL, "leader", "registrar_and_leader"),
        (county, leader, make.SCHOOL, "registrar", "registrar_and_leader"),
        (county, registrar, make.SCHOOL, "system_administrator", "two_administrations"),
        (county, make.make_reviewer(), make.COUNTY, "network_administrator", "two_administrations"),
        (city, security, make.COUNTY, "audit_administrator", "two_administrations"),
        (city, security, make.COUNTY, "reviewer", "two_administrations"),
        (county, county, make.COUNTY, "reviewer", "own_account"),
    ]
    for actor, person, office, role, code in cases:
        response = appoint(browser(actor), person, office=office, role=role)
        assert code_of(response) == code, role
        assert response.context["refusal"].rule in ("R-ACC-02", "AC-11", "AZ-7")
        assert not Post.objects.filter(
            user=person, role=role, office__path=office, appointed_by_name=actor.name
        )
    # Beside each refusal its success: another school's leader, one after the other, another person.
    fits = [
        (registrar, {"office": make.SISTER, "role": "leader"}),
        (leader, {"office": make.SISTER, "role": "registrar"}),
        (make.make_user("subject_teacher", make.SCHOOL), {"role": "leader"}),
    ]
    for person, form in fits:
        assert appoint(browser(county), person, **form).status_code == 302
    # The constraint, not the look before it, keeps the three apart when two appoint at once.
    for role in ("system_administrator", "audit_administrator", "reviewer"):
        with pytest.raises(IntegrityError, match="post_one_administration"), transaction.atomic():
            make.add_post(security, role, make.NEIGHBOUR_COUNTY)
    # No administration reads pupils: neither by role nor by a grant beside it.
    for role in ("system_administrator", "security_administrator", "audit_administrator",
                 "network_administrator"):  # fmt: skip
        assert make.make_user(role, make.COUNTY).scope_paths(Right.VIEW_STUDENT) == []
    school = make.make_office(make.SCHOOL).pk
    grant = {"username": security.username, "office": school, "right": "view_student", "first": today(),
             "last": today(), "reason": REASON, "step": "save"}  # fmt: skip
    assert code_of(browser(county).post(reverse("accounts:grant_new"), grant)) == "administrator_granted"
    watched = make.make_user("head_teacher", make.SISTER)
    make.make_grant(watched, make.SCHOOL, valid=make.soon())
    response = appoint(browser(city), watched, office=make.COUNTY, role="security_administrator")
    assert response.status_code == 404  # a school's person is not the city's to appoint
    response = appoint(browser(county), watched, office=make.COUNTY, role="network_administrator")
    assert code_of(response) == "two_administrations"
    Post.objects.filter(user=watched).update(valid=DateRange(today() - timedelta(9), today()))
    response = appoint(browser(county), watched, office=make.COUNTY, role="network_administrator")
    assert code_of(response) == "administrator_reads"


@pytest.mark.rule("R-ACC-01", "AC-7")
def test_before_saving_it_is_said_who_gains_and_loses_what(county: User) -> None:
    make.make_student()
    make.make_student(make.make_class(make.SISTER))
    teacher = make.make_user("subject_teacher", make.SCHOOL, trained=False)
    client = browser(county)
    response = appoint(client, teacher, step="preview")
    gains = response.context["gains"]
    assert (gains.pupils, gains.offices, gains.is_inert) == (1, 1, True)
    assert "查看学籍" in gains.sees
    assert "发起业务" in gains.does
    assert gains.keeps == ["查看班级名单", "查看单位", "查看成绩摘要"]
    assert "先培训后上岗" in response.content.decode()
    assert Post.objects.filter(user=teacher).count() == 1  # a preview saves nothing
    office = appoint(client, make.make_user("network_administrator", make.COUNTY), office=make.COUNTY,
                     role="reviewer", step="preview")  # fmt: skip
    assert (office.context["gains"].pupils, code_of(office)) == (2, "two_administrations")
    assert appoint(client, teacher).status_code == 302
    post = Post.objects.get(user=teacher, role="registrar")
    assert "查看学籍" not in [*again(teacher).scope_paths(Right.VIEW_STUDENT)]
    end = reverse("accounts:post_end", args=[post.pk])
    losses = client.get(end).context["losses"]
    assert ("查看学籍" in losses.sees, "查看班级名单" in losses.keeps, losses.pupils) == (True, True, 1)
    assert browser(county, stepped_up=False).post(end, {"reason": REASON}).status_code == 403
    assert client.post(end, {"reason": "短"}).status_code == 422
    assert client.post(end, {"reason": REASON}).status_code == 302
    assert code_of(client.post(end, {"reason": REASON})) == "post_over"
    said = [
        sentence(one) for one in Event.objects.filter(subject_type="post", subject_id=post.pk).order_by("pk")
    ]
    assert [("任命" in said[0]), ("结束" in said[1]), len(said)] == [True, True, 2]
    assert teacher.name in said[0]


@pytest.mark.rule("R-ACC-06", "AC-10", "TRAINING_WARN_DAYS", "第二十二条")
def test_training_is_entered_from_above_gates_the_role_and_is_warned_of(county: User) -> None:
    page = reverse("accounts:trainings")
    school = make.make_administrator(make.SCHOOL)
    person = make.make_registrar(trained=False)
    other = make.make_leader(trained=False)
    assert person.scope_paths(Right.VIEW_STUDENT) == []
    form = {"person": [person.pk, other.pk], "completed_on": today().isoformat(), "hours": 16}
    # The own office may not; neither office beside it nor a stranger sees them.
    assert browser(school).post(page, form).status_code == 404
    assert browser(make.make_administrator(make.NEIGHBOUR_COUNTY)).post(page, form).status_code == 404
    client = browser(county)
    for wrong in ({"hours": 401}, {"completed_on": (today() + timedelta(1)).isoformat()},
                  {"completed_on": (today() - timedelta(730)).isoformat()}):  # fmt: skip
        assert code_of(client.post(page, form | wrong)) == "training_wrong"
    assert code_of(client.post(page, form | {"person": []})) == "nobody_chosen"
    assert person.pk in {row[0].user_id for row in client.get(page, {"state": "missing"}).context["rows"]}
    for _twice in range(2):  # the same list entered again is one training
        assert client.post(page, form).status_code == 302
    assert TrainingRecord.objects.filter(user__in=[person, other]).count() == 2
    assert Event.objects.filter(action="accounts.user.train", actor_id=county.pk).count() == 2
    assert again(person).scope_paths(Right.VIEW_STUDENT) == [make.SCHOOL]
    assert person.pk in {row[0].user_id for row in client.get(page, {"state": "good"}).context["rows"]}
    # The trainer's office further up enters it as well.
    city = make.make_administrator(make.CITY)
    late = {"person": [person.pk], "completed_on": (today() - timedelta(1)).isoformat(), "hours": 8}
    assert browser(city).post(page, late).status_code == 302
    # One day before the warning's span nothing is said; within it both sides learn of it, once.
    TrainingRecord.objects.filter(user__in=[person, other]).delete()
    for one, days in ((person, 730 - 60), (other, 730 - 61)):
        TrainingRecord.objects.create(user=one, completed_on=today() - timedelta(days), hours=16)
    for _twice in range(2):
        tasks.warn_ending_trainings()
    told = Notice.objects.filter(kind="training_ending")
    assert sorted(told.values_list("user_id", flat=True)) == sorted([person.pk, county.pk])
    assert person.pk in {row[0].user_id for row in client.get(page, {"state": "soon"}).context["rows"]}
    TrainingRecord.objects.filter(user=person).update(completed_on=today() - timedelta(730))
    assert again(person).scope_paths(Right.VIEW_STUDENT) == []
    assert training.state_of(today() - timedelta(730), 60) == "over"


@pytest.mark.rule("R-ACC-08", "AZ-6")
def test_leaving_is_one_act_and_nothing_stays_orphaned(county: User) -> None:
    school_class = make.make_class()
    office = {"class": school_class, "registrar": make.make_registrar(), "leader": make.make_leader(),
              "reviewer": make.make_reviewer()}  # fmt: skip
    leaver, successor = office["registrar"], make.make_registrar()
    untrained, elsewhere = make.make_registrar(trained=False), make.make_registrar(make.SISTER)
    case = file_pupil(office)
    batch = make.make_checked_import(leaver)
    make.make_grant(leaver, make.SISTER, valid=make.soon())
    signed_in = browser(leaver)
    page = reverse("accounts:person_leave", args=[leaver.pk])
    client = browser(county)
    shown = client.get(page)
    assert {str(kind.label): count for kind, count in shown.context["things"]} == {
        "未办结的批量导入": 1, "本人发起、尚未办结的办件": 1,
    }  # fmt: skip
    choices = dict(shown.context["form"].fields["successor"].choices)
    assert (successor.pk in choices, elsewhere.pk in choices, office["leader"].pk in choices) == (
        True,
        False,
        False,
    )
    refusals = [
        ({"reason": REASON, "successor": ""}, "successor_needed", 422),
        ({"reason": REASON, "successor": untrained.pk}, "successor_unfit", 409),
        ({"reason": "走", "successor": successor.pk}, "reason_missing", 422),
    ]
    for form, code, status in refusals:
        response = client.post(page, form)
        assert (response.status_code, code_of(response)) == (status, code)
    assert client.post(page, {"reason": REASON, "successor": elsewhere.pk}).status_code == 400
    assert again(leaver).is_active
    assert client.post(page, {"reason": REASON, "successor": successor.pk}).status_code == 302
    left = again(leaver)
    assert (left.is_active, left.held, left.has_usable_password()) == (False, [], False)
    assert not OfficeGrant.objects.filter(user=leaver, valid__contains=today()).exists()
    assert not Session.objects.filter(session_key=signed_in.session.session_key).exists() or (
        signed_in.get(reverse("home")).status_code == 302
    )
    case.refresh_from_db()
    assert (Case.objects.get(pk=case.pk).filed_by, ImportBatch.objects.get(pk=batch.pk).created_by) == (
        successor, successor,
    )  # fmt: skip
    assert case.filed_by_name == f"{successor.name}（接{leaver.name}）"
    assert Notice.objects.filter(user=successor, kind="handed_over").count() == 1
    event = Event.objects.get(action="accounts.user.leave", subject_id=leaver.pk)
    assert (event.detail["count"], event.detail["successor"]) == (2, successor.name)
    assert code_of(client.post(page, {"reason": REASON, "successor": ""})) == "left_already"
    # Nothing is open: no successor is needed. A post out of her reach stops it.
    assert client.post(reverse("accounts:person_leave", args=[office["leader"].pk]),
                       {"reason": REASON, "successor": ""}).status_code == 302  # fmt: skip
    make.add_post(elsewhere, "registrar", make.FAR)
    response = client.post(reverse("accounts:person_leave", args=[elsewhere.pk]), {"reason": REASON})
    assert code_of(response) == "post_elsewhere"


@pytest.mark.rule("AC-4", "R-ACC-05", "ONE_USE_CODE_HOURS")
def test_a_code_is_used_once_by_its_holder_and_never_shown_again(county: User) -> None:
    client = browser(county)
    form = new_person()
    page = client.post(NEW, form)
    (code,) = CODE.findall(page.content.decode())
    made = User.objects.get(username=form["username"])
    row = OneUseCode.objects.get(user=made)
    assert (code in row.digest, 0 < (row.expires_at - now()).total_seconds() <= 24 * 3600) == (False, True)
    assert code not in client.get(reverse("accounts:person", args=[made.pk])).content.decode()
    for username, typed in ((made.username, "AAAA-BBBB-CCCC-DDDD"), ("nobody", code)):
        with pytest.raises(CodeRefused):
            codes.redeem(username, typed)
    # Issued anew, the first is void; an expired one opens nothing.
    give = reverse("accounts:person_code", args=[made.pk])
    (second,) = CODE.findall(client.post(give, {"purpose": "first"}).content.decode())
    with pytest.raises(CodeRefused):
        codes.redeem(made.username, code)
    assert codes.redeem(made.username, second.lower().replace("-", " ")).code_purpose == "first"
    with pytest.raises(CodeRefused):
        codes.redeem(made.username, second)
    (third,) = CODE.findall(client.post(give, {"purpose": "first"}).content.decode())
    OneUseCode.objects.filter(user=made, used_at=None).update(expires_at=now() - timedelta(seconds=1))
    with pytest.raises(CodeRefused):
        codes.redeem(made.username, third)
    User.objects.filter(pk=made.pk).update(last_login=now())
    assert client.post(give, {"purpose": "first"}).status_code == 409


@pytest.mark.rule("AC-4", "AC-7", "R-ACC-05")
def test_a_reset_opens_the_browser_that_asked_and_no_other(county: User) -> None:
    person, other = make_account(), make_account()
    User.objects.filter(pk__in=[person.pk, other.pk]).update(last_login=now())
    signed_in, holder, hers = Client(), Client(), Client()
    enter(signed_in, person)
    wait, step = reverse("accounts:sign_in_wait"), reverse("accounts:sign_in_password")
    number, foreign = ask_reset(holder, person.username), ask_reset(hers, other.username)
    give = reverse("accounts:person_code", args=[person.pk])
    reset = {"purpose": "password", "number": number.lower().replace("-", " "), "seen_how": "本人持证到场"}
    client, school = browser(county), make.make_administrator(make.SCHOOL)
    refusals = [
        (browser(school), {}, 403),  # the office above resets
        (browser(county, stepped_up=False), {}, 403),
        (client, {"seen_how": ""}, 422),
        (client, {"number": foreign}, 422),
        (client, {"number": ""}, 422),
        (client, {"number": "AAAA-BBBB"}, 422),
    ]
    for asking, changes, status in refusals:
        assert asking.post(give, reset | changes).status_code == status
    refused = AccessEntry.objects.filter(actor_id=county.pk, outcome="refused", code="number_not_waiting")
    assert refused.count() == 3
    kept = client.post(give, reset | {"purpose": "factor", "number": "AAAA-BBBB"}).content.decode()
    for typed in ('"AAAA-BBBB"', '"本人持证到场"', 'value="factor" selected', "number_not_waiting"):
        assert typed in kept
    assert not OneUseCode.objects.filter(user__in=[person, other]).exists()
    assert signed_in.get(reverse("home")).status_code == 200
    assert holder.post(wait).status_code == 409
    confirmed = client.post(give, reset, follow=True)
    assert "已确认" in confirmed.content.decode()
    assert CODE.findall(confirmed.content.decode()) == []
    assert signed_in.get(reverse("home")).status_code == 302  # every sign-in has ended
    assert client.post(give, reset).status_code == 422  # confirmed once
    # Her own browser, another one that asked for the same account, and the number as a code: nothing.
    late = Client()
    ask_reset(late, person.username)
    assert late.post(wait).status_code == 409
    assert browser(county).post(wait)["Location"] == reverse("accounts:sign_in_ask")
    typed = {"username": person.username, "code": number}
    assert Client().post(reverse("accounts:sign_in_code"), typed).status_code == 403
    assert hers.post(wait).status_code == 409
    assert holder.get(wait, headers={"HX-Request": "true"})["HX-Redirect"] == wait
    assert holder.get(wait).context["state"] == "confirmed"
    assert holder.post(wait)["Location"] == step
    assert holder.get(step).status_code == 200
    assert holder.post(wait)["Location"] == reverse("accounts:sign_in_ask")  # used once
    event = Event.objects.get(action="accounts.code.reset", subject_id=person.pk)
    assert (event.actor_id, event.reason) == (county.pk, "本人持证到场")
    assert "重设密码" in sentence(event)


@pytest.mark.rule("AC-4", "AZ-7")
def test_administrators_are_reset_by_two_persons(county: User) -> None:
    school = make.make_administrator(make.SCHOOL)
    User.objects.filter(pk=school.pk).update(last_login=now())
    second = make.make_user("security_administrator", make.COUNTY)
    holder, wait = Client(), reverse("accounts:sign_in_wait")
    number = ask_reset(holder, school.username)
    give = reverse("accounts:person_code", args=[school.pk])
    reset = {"purpose": "factor", "number": number, "seen_how": "本人持证到场"}
    client = browser(county)
    # A wrong number asks nothing; asked once, a second request beside it is refused by constraint.
    for status, form in ((422, reset | {"number": "AAAA-BBBB"}), (302, reset), (409, reset)):
        assert client.post(give, form).status_code == status
    assert holder.post(wait).status_code == 409
    asked = CodeRequest.objects.get(user=school)
    decide = reverse("accounts:code_decide", args=[asked.pk])
    confirm = {"decision": "confirm"}
    assert client.post(decide, confirm).status_code == 403  # not the one who asked
    assert browser(make.make_administrator(make.SISTER)).post(decide, confirm).status_code == 404
    assert browser(make.make_reviewer()).post(decide, confirm).status_code == 403
    assert browser(second, stepped_up=False).post(decide, confirm).status_code == 403
    assert number in browser(second).get(reverse("accounts:code_requests")).content.decode()
    assert browser(second).post(decide, confirm).status_code == 302
    assert browser(second).post(decide, confirm).status_code == 404  # no longer waiting
    assert holder.post(wait)["Location"] == reverse("accounts:sign_in_password")
    assert OneUseCode.objects.get(user=school).purpose == "factor"
    with pytest.raises(IntegrityError, match="code_request_by_two"), transaction.atomic():
        CodeRequest.objects.create(
            user=school, purpose="factor", office=make.make_office(make.COUNTY), seen_how="到场",
            asked_by=county, decided_by=county,
        )  # fmt: skip
    acts = Event.objects.filter(subject_type="user", subject_id=school.pk).order_by("pk")
    assert list(acts.values_list("action", "actor_id"))[:3] == [
        ("accounts.code.ask", county.pk), ("accounts.code.confirm", second.pk),
        ("accounts.code.reset", second.pk),
    ]  # fmt: skip
    # A number that died meanwhile cannot be confirmed, only refused; then she asks anew.
    assert client.post(give, reset | {"number": ask_reset(Client(), school.username)}).status_code == 302
    ResetRequest.objects.all().delete()
    decide = reverse("accounts:code_decide", args=[CodeRequest.objects.get(user=school, decided_by=None).pk])
    assert browser(second).post(decide, confirm).status_code == 422
    assert browser(second).post(decide, {"decision": "refuse"}).status_code == 302


@pytest.mark.rule("AC-11", "GRANT_MOST_DAYS", "AZ-6")
def test_a_dated_grant_opens_one_office_for_a_time(county: User) -> None:
    far = make.make_reviewer(make.FAR_COUNTY)
    page, client = reverse("accounts:grant_new"), browser(county)
    make.make_student()
    school, last = make.make_office(make.SCHOOL).pk, today() + timedelta(9)
    form = {"username": far.username, "office": school, "right": "view_student",
            "first": today().isoformat(), "last": last.isoformat(), "reason": REASON}  # fmt: skip
    preview = client.post(page, form)
    assert (preview.context["gains"].sees, preview.context["gains"].pupils) == (["查看学籍"], 1)
    assert not OfficeGrant.objects.filter(user=far).exists()
    save = form | {"step": "save"}
    refusals = [
        ({"last": (today() + timedelta(180)).isoformat()}, "grant_too_long"),
        ({"username": "nobody.here"}, "no_such_account"),
        ({"username": make.make_reviewer().username}, "grant_in_own_line"),
        ({"username": county.username}, "own_account"),
        ({"reason": "看"}, "reason_missing"),
    ]
    for changes, code in refusals:
        assert code_of(client.post(page, save | changes)) == code
    assert client.post(page, save | {"right": "file_case"}).status_code == 400
    assert client.post(page, save | {"office": make.make_office(make.FAR).pk}).status_code == 400
    assert client.post(page, save).status_code == 302
    assert code_of(client.post(page, save)) in ("grant_overlaps", "grant_in_own_line")
    assert again(far).scope_paths(Right.VIEW_STUDENT) == [make.SCHOOL, make.FAR_COUNTY]
    assert not again(far).may_act_at(Right.DECIDE, make.SCHOOL)
    made = OfficeGrant.objects.get(user=far)
    end = reverse("accounts:grant_end", args=[made.pk])
    assert browser(make.make_administrator(make.SISTER)).post(end, {"reason": REASON}).status_code == 404
    assert client.post(end, {"reason": REASON}).status_code == 302
    assert again(far).scope_paths(Right.VIEW_STUDENT) == [make.FAR_COUNTY]
    assert client.post(end, {"reason": REASON}).status_code == 404
    with pytest.raises(granting.GrantOver):
        granting.end_grant(made, actor=county, reason=REASON)


def workbook_of(*rows: list[str]) -> SimpleUploadedFile:
    book, out = Workbook(), BytesIO()
    book.active.append(HEADINGS)
    for row in rows:
        book.active.append(row)
    book.save(out)
    return SimpleUploadedFile("名单.xlsx", out.getvalue())


@pytest.mark.rule("R-ACC-01", "AC-9", "FI-2", "ACCOUNT_LIST_ROWS", "RD-8")
def test_a_workbook_creates_all_accounts_or_none(county: User) -> None:
    client, lists = browser(county), reverse("accounts:account_lists")
    sheet = load_workbook(BytesIO(client.get(reverse("accounts:account_list_template")).content))
    assert tuple(cell.value for cell in sheet.worksheets[0][1]) == HEADINGS
    known, twice = staff_number(), staff_number()
    client.post(NEW, new_person(number=known))
    school, sister = make.SCHOOL.split(".")[-2], make.SISTER.split(".")[-2]
    good = [
        ["李一", "li.one.1", staff_number(), "", school, "班主任", "", ""],
        ["李二", "li.two.2", staff_number(), "0755-1", sister, "系统管理员", today().isoformat(), ""],
    ]
    bad = [
        ["李三", "li.three", twice, "", school, "任课教师", "", ""],
        ["李四", "LI.four", twice, "", school, "任课教师", "", ""],
        ["李五", "li.five", known, "", school, "任课教师", "", ""],
        ["李", "6", "123", "", "9999", "厨师", "明天", ""],
        ["李七", "li.seven", staff_number(), "", sister, "系统管理员", "", ""],
        ["李八", "li.one.1", staff_number(), "", school, "审核员", "", ""],
    ]
    before = User.objects.count()
    response = client.post(lists, {"file": workbook_of(*good, *bad)}, follow=True)
    rows = response.context["rows"]
    assert [len(row.faults) for row in rows] == [1, 0, 1, 1, 1, 6, 1, 2]
    assert (response.context["wrong"], twice in response.content.decode()) == (7, False)
    kept = AccountList.objects.get()
    assert twice.encode() not in bytes(kept.rows)
    address = reverse("accounts:account_list", args=[kept.public_id])
    answer = client.post(address)
    assert (code_of(answer), User.objects.count()) == ("list_faulty", before)
    assert browser(make.make_administrator(make.CITY)).get(address).status_code == 404
    assert client.post(reverse("accounts:account_list_drop", args=[kept.public_id])).status_code == 302
    # The sound ones alone: all of them, their codes once, and the rows are forgotten.
    response = client.post(lists, {"file": workbook_of(*good)}, follow=True)
    address = response.redirect_chain[-1][0]
    assert browser(county, stepped_up=False).post(address).status_code == 403
    slips = client.post(address)
    assert len(set(CODE.findall(slips.content.decode()))) == 2
    assert Post.objects.filter(user__username__in=("li.one.1", "li.two.2")).count() == 2
    assert AccountList.objects.get().rows is None
    assert client.post(address).status_code == 409
    assert client.get(address).status_code == 409
    for file, code in ((SimpleUploadedFile("a.xlsx", b"PK\x03\x04nothing"), "list_unreadable"),
                       (workbook_of(), "list_empty")):  # fmt: skip
        assert code_of(client.post(lists, {"file": file})) == code
    # Seven days without a word, and an uploaded list is gone.
    make.make_account_papers(county)
    AccountList.objects.filter(done_at=None).update(created_at=now() - timedelta(days=7, minutes=1))
    assert (tasks.purge_account_lists(), tasks.purge_account_lists()) == (1, 0)


@pytest.mark.rule("R-ACC-01", "AC-7", "AP-4")
def test_the_api_appoints_as_the_page_does(county: User) -> None:
    teacher = make.make_user("subject_teacher", make.SCHOOL)
    client = browser(county)
    address = f"/api/v1/people/{teacher.pk}/"
    office = make.make_office(make.SCHOOL).pk
    gains = client.get(f"{address}gains/", {"office": office, "role": "registrar"}).json()
    assert ("查看学籍" in gains["sees"], gains["pupils"], gains["is_inert"]) == (True, 0, False)
    body = {"office": office, "role": "registrar", "first": today().isoformat(), "reason": REASON}
    sent = {"content_type": "application/json", "headers": {"Idempotency-Key": "appoint-0001"}}
    assert browser(county, stepped_up=False).post(f"{address}posts/", body, **sent).status_code == 403
    for _twice in range(2):
        answer = client.post(f"{address}posts/", body, **sent)
        assert (answer.status_code, len(answer.json()["posts"])) == (201, 2)
    again_sent = sent | {"headers": {"Idempotency-Key": "appoint-0002"}}
    refused = client.post(f"{address}posts/", body | {"role": "leader"}, **again_sent)
    assert (refused.status_code, refused.json()["code"]) == (409, "registrar_and_leader")
    far = body | {"office": make.make_office(make.FAR).pk}
    assert client.post(f"{address}posts/", far, **again_sent).status_code == 404
    listed = client.get("/api/v1/people/", {"office": office}).json()["results"]
    assert {row["id"] for row in listed} == {teacher.pk}
    stranger = make.make_registrar(make.FAR)
    assert client.get(f"/api/v1/people/{stranger.pk}/").status_code == 404


@pytest.mark.rule("R-ACC-01")
def test_the_list_of_people_costs_the_same_for_one_and_for_many(
    county: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people_page, "PAGE", 8)
    make.make_registrar()
    client, counts = browser(county), []
    address = reverse("accounts:people")
    school = make.make_office(make.SCHOOL)
    for _round in range(2):
        client.get(address, {"at": school.pk})
        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = client.get(address, {"at": school.pk})
        counts.append((len(queries), len(response.context["rows"])))
        for _n in range(9):
            make.make_registrar()
    assert counts[0][0] == counts[1][0]
    assert (counts[0][1], counts[1][1]) == (1, 8)
    rest = client.get(address, {"at": school.pk, "after": response.context["after"]})
    assert len(rest.context["rows"]) == 8
    one = rest.context["rows"][0].person
    found = client.get(address, {"q": one.username})
    assert [row.person.pk for row in found.context["rows"]] == [one.pk]
    assert client.get(address, {"at": make.make_office(make.FAR).pk}).status_code == 404


@pytest.mark.rule("R-ACC-05", "AC-4")
def test_the_first_administrator_of_all_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    make.make_office(make.NATION)
    typed, out = [staff_number(), "123", staff_number()], StringIO()
    monkeypatch.setattr("accounts.management.commands.first_administrator.getpass", lambda _ask: typed.pop())
    for number, username in enumerate(("wang.nation", "li.nation", "wu.nation")):
        arguments = ["first_administrator", "--name", "王立国", "--username", username]
        if number == 0:
            call_command(*arguments, stdout=out)
            continue
        with pytest.raises(CommandError, match="已有系统管理员"):
            call_command(*arguments)
    (code,) = CODE.findall(out.getvalue())
    first = codes.redeem("wang.nation", code)
    assert (first.code_purpose, first.posts.get().office.path) == ("first", make.NATION)
    Post.objects.filter(user=first).delete()
    with pytest.raises(CommandError, match="身份证件号码不正确"):
        call_command(*arguments)
    # Having nobody above, the nation appoints its other administrators itself: each another person.
    made = make.make_administrator(make.NATION)
    form = new_person(make.NATION, "security_administrator")
    assert browser(made).post(NEW, form).status_code == 200
