"""Live sign-ins: one for each account, idle and absolute ends, ended from elsewhere; step-up (AC-6, AC-7)."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import sign_ins
from accounts.models import SignIn, User
from accounts.step_up import FACTOR_AT
from audit.models import Event
from config.rules import PARAMETERS
from tests import make
from tests.accounts.door import SECRET, code_at, codes, enter, is_in, make_account

pytestmark = pytest.mark.usefixtures("nation")
PAGE = "/accounts/offices"


def changed(client: Client, **values: Any) -> None:
    session = client.session
    session.update(values)
    session.save()


def words_at_the_door(client: Client) -> str:
    """What the sign-in page says to a browser that is sent there."""
    answer = client.get(PAGE)
    assert answer.status_code == 302
    return " ".join(client.get(answer["Location"]).content.decode().split())


@pytest.mark.rule("AC-6")
def test_a_second_sign_in_ends_the_first_and_its_browser_is_told_why(client: Client) -> None:
    user = make_account()
    enter(client, user, -1)
    other = Client(
        REMOTE_ADDR="10.20.30.40", headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/130 "}
    )
    fragment = {"HX-Request": "true"}
    enter(other, user, 0)
    assert is_in(other)
    ended = SignIn.objects.get(user=user, ended_at__isnull=False)
    assert (ended.end, ended.ended_from) == ("elsewhere", "private 10.20.*.*")
    assert client.get(PAGE, headers=fragment)["HX-Redirect"].startswith("/accounts/sign-in?next=")
    enter(client, user, 1)
    said = words_at_the_door(other)
    assert "在别处重新登录" in said
    assert "本机 127.0.*.*" in said
    assert timezone.localtime().strftime("%Y-%m-%d") in said
    assert "您的登录已于" not in Client().get("/accounts/sign-in?ended=forged").content.decode()
    rows = client.get(reverse("accounts:sign_ins"))
    assert [row["one"].device for row in rows.context["rows"]].count("Chrome · Windows") == 1


@pytest.mark.rule("AC-6")
@pytest.mark.parametrize(
    ("role", "path", "minutes"),
    [("registrar", make.SCHOOL, 30), ("reviewer", make.COUNTY, 30), ("reviewer", make.PROVINCE, 15),
     ("national_operator", make.NATION, 15), ("system_administrator", make.SCHOOL, 15)],
)  # fmt: skip
def test_idle_time_depends_on_whom_she_works_for(client: Client, role: str, path: str, minutes: int) -> None:
    user = make_account(role, path)
    client.force_login(user)
    request = client.get(PAGE).wsgi_request
    sign_ins.begin(request, user, how="passkey")
    client.cookies["xueji"] = request.session.session_key or ""
    request.session.save()
    seen = request.session[sign_ins.SEEN_AT]
    changed(client, **{sign_ins.SEEN_AT: seen - minutes * 60 + 5})
    assert client.get(PAGE).status_code == 200  # and from now on she has been seen
    assert client.session[sign_ins.SEEN_AT] > seen - 5
    changed(client, **{sign_ins.SEEN_AT: seen - minutes * 60 - 5})
    assert "长时间没有操作" in words_at_the_door(client)
    assert SignIn.objects.get(user=user).end == "idle"
    assert {PARAMETERS["SIGN_IN_IDLE"].value, PARAMETERS["SIGN_IN_IDLE_HIGH"].value} == {30, 15}


@pytest.mark.rule("AC-6", "RD-8")
def test_after_twelve_hours_it_is_over_and_twelve_hours_later_forgotten(client: Client) -> None:
    user = make_account()
    enter(client, user)
    expires = Session.objects.get(pk=client.session.session_key).expire_date
    hours = (expires - timezone.now()) / timedelta(hours=1)
    most = int(str(PARAMETERS["SIGN_IN_HOURS"].value))
    assert most - 0.01 < hours <= most
    changed(client, **{sign_ins.SEEN_AT: client.session[sign_ins.SEEN_AT] - 61})
    client.get(PAGE)  # what is asked does not lengthen it
    assert Session.objects.get(pk=client.session.session_key).expire_date == expires
    over = timezone.now() - timedelta(seconds=1)
    Session.objects.filter(pk=client.session.session_key).update(expire_date=over)
    SignIn.objects.filter(user=user).update(expires_at=over)
    assert "登录满规定时间" in words_at_the_door(client)
    sign_ins.purge()
    assert SignIn.objects.get(user=user).end == "expired"
    SignIn.objects.filter(user=user).update(ended_at=timezone.now() - timedelta(hours=12, seconds=1))
    assert sign_ins.purge() >= 1
    assert not SignIn.objects.filter(user=user).exists()


@pytest.mark.rule("AC-6", "AZ-1")
def test_she_ends_her_own_and_nobody_elses(client: Client) -> None:
    user, other = make_account(), make_account()
    enter(client, user)
    second = Client()
    enter(second, other)
    theirs, own = SignIn.objects.get(user=other), SignIn.objects.get(user=user)
    assert client.post(reverse("accounts:sign_in_end", args=[theirs.pk])).status_code == 404
    assert second.get(PAGE).status_code == 200
    assert client.post(reverse("accounts:sign_in_end", args=[own.pk])).status_code == 302
    assert not is_in(client)
    assert Event.objects.filter(action="accounts.user.sign_in_end", subject_id=user.pk).count() == 1
    sign_ins.end_all(other, reason="dismissed")
    assert "岗位已变动" in words_at_the_door(second)


@pytest.mark.rule("AC-6")
def test_keeping_watch_over_a_sign_in_costs_no_query(client: Client) -> None:
    user = make_account()
    client.force_login(user)
    client.get(PAGE)
    with CaptureQueriesContext(connection) as plain:
        client.get(PAGE)
    client.logout()
    enter(client, user)
    client.get(PAGE)
    with CaptureQueriesContext(connection) as watched:
        client.get(PAGE)
    assert len(watched) == len(plain)


@pytest.mark.rule("AC-7")
def test_a_step_up_leads_back_and_rotates_the_key(client: Client) -> None:
    """Five minutes: at the bound and beside it; then the phone's code, once."""
    user = make_account()
    enter(client, user, -1)
    act = reverse("accounts:recovery_codes")
    fresh = client.session[FACTOR_AT]
    changed(client, **{FACTOR_AT: fresh - PARAMETERS["STEP_UP_MINUTES"].value * 60 + 5})
    assert client.post(act).status_code == 200
    changed(client, **{FACTOR_AT: fresh - PARAMETERS["STEP_UP_MINUTES"].value * 60 - 1})
    refused = client.post(act, headers={"Referer": "http://testserver/accounts/factors?x=1"})
    assert refused.status_code == 403
    page = reverse("accounts:step_up")
    way = "?next=http%3A//testserver/accounts/factors%3Fx%3D1"
    assert f"{page}{way}" in refused.content.decode()
    old = client.session.session_key
    back = {"next": "/accounts/factors?x=1"}
    assert client.get(page, back).status_code == 200
    assert client.post(page, back | {"code": code_at(SECRET, -1)}).status_code == 403  # used at the door
    spare = client.post(page, back | {"code": "0000000000"})
    assert spare.status_code == 403
    assert client.post(page, back | {"code": code_at(SECRET)})["Location"] == back["next"]
    assert client.session.session_key != old
    assert SignIn.objects.get(user=user, ended_at=None).session_key == client.session.session_key
    assert not Session.objects.filter(pk=old).exists()
    assert codes(user) == ["ok", "failed", "failed", "step_up"]
    assert client.post(act).status_code == 200
    assert client.post(page, {"next": "https://example.org/", "code": code_at(SECRET, 1)})["Location"] == "/"


@pytest.mark.rule("AC-7")
def test_a_persona_of_the_demonstration_steps_up_by_a_word_and_nobody_else_does(
    client: Client,
) -> None:
    assert settings.DEMO
    persona, page = make.make_registrar(), reverse("accounts:step_up")
    User.objects.filter(pk=persona.pk).update(username=f"demo.test.{persona.pk}")
    client.post(reverse("accounts:personas"), {"username": f"demo.test.{persona.pk}"})
    changed(client, **{FACTOR_AT: 0})
    assert client.post(page, {"persona": "1"}).status_code == 302
    assert client.session[FACTOR_AT] > 0
    other = Client()
    enter(other, make_account())
    assert other.post(page, {"persona": "1"}).status_code == 403


@pytest.mark.rule("AC-6")
def test_one_place_opens_a_session() -> None:
    """A session that came into being elsewhere would have no end."""
    root = Path(settings.BASE_DIR)
    files = [path for app in ("config", "audit", "accounts", "registry", "archives", "transfers", "exchange")
             for path in (root / app).rglob("*.py")]  # fmt: skip
    opening = [
        path.name for path in files if re.search(r"import.*\blogin\b|\blogin\(request", path.read_text())
    ]
    assert opening == ["sign_ins.py"]
