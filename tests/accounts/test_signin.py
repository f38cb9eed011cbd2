"""Signing in, choosing a post, signing out, the persona page (SECURITY AC-3 … AC-6, AC-8, RD-7)."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import codes as one_use
from accounts import reset_requests
from accounts.models import Attempts, OneUseCode, Organization, ResetRequest, SignIn, User
from accounts.throttle import Meter, purge
from audit.models import AccessEntry, Event
from config.rules import PARAMETERS
from tests import make
from tests.accounts.door import (
    PASSWORD,
    SECRET,
    ask_reset,
    code_at,
    codes,
    enter,
    give_code,
    give_password,
    is_in,
    make_account,
)

pytestmark = pytest.mark.usefixtures("nation")
FAILURES = int(str(PARAMETERS["SIGN_IN_FAILURES"].value))
AT_ADDRESS = int(str(PARAMETERS["ADDRESS_FAILURES"].value))


def let_pass(**time: int) -> None:
    Attempts.objects.update(at=F("at") - timedelta(**time))


@pytest.mark.rule("AC-5", "AC-8")
def test_every_failure_gives_the_same_answer_and_is_recorded(client: Client) -> None:
    wrong, sealed, gone, waiting = (make_account() for _n in range(4))
    sealed.sealed_at, gone.is_active = timezone.now(), False
    sealed.save()
    gone.save()
    for _n in range(FAILURES):
        give_password(client, waiting.username, "wrong")
    unknown_before = len(codes(None))
    answers = []
    for name, password in (
        ("nobody-of-that-name", PASSWORD),
        (wrong.username, "not-her-password"),
        (sealed.username, PASSWORD),
        (gone.username, PASSWORD),
        (waiting.username, PASSWORD),
    ):
        with CaptureQueriesContext(connection) as asked:
            answer = give_password(client, name, password)
        answers.append((answer.status_code, str(answer.context["refusal"]), len(asked)))
    assert {status for status, _text, _count in answers} == {403}
    assert len({text for _status, text, _count in answers}) == 1
    work = [count for _status, _text, count in answers]
    assert max(work) - min(work) <= 3, work  # one hash each, and the same few rows
    assert not is_in(client)
    assert codes(wrong) == codes(sealed) == codes(gone) == ["failed"]
    assert len(codes(None)) == unknown_before + 1
    failed = AccessEntry.objects.filter(outcome="sign_in", actor_id=wrong.pk).get()
    assert (failed.org_path, failed.office_path) == ("CN.", "CN.")
    # The same set-up lets the right person to the second proof.
    assert give_password(client, wrong.username)["Location"] == reverse("accounts:sign_in_factor")


@pytest.mark.rule("AC-5")
def test_what_was_typed_stays_out_of_the_log_and_the_password_out_of_the_page(client: Client) -> None:
    page = give_password(client, "my-password-in-the-wrong-box", "secret-typed-here")
    assert "my-password-in-the-wrong-box" in page.content.decode()  # her own field is kept for her
    assert "secret-typed-here" not in page.content.decode()
    last = AccessEntry.objects.filter(outcome="sign_in").latest("id")
    assert "my-password" not in f"{last.actor_name}{last.purpose}{last.code}{last.route}{last.office_name}"


@pytest.mark.rule("AC-3", "AC-6", "R-ACC-03")
def test_both_proofs_open_a_session_with_a_new_key_at_her_office(client: Client) -> None:
    user = make_account()
    session = client.session
    session["before"] = "1"
    session.save()
    old_key = session.session_key
    client.post(
        reverse("accounts:sign_in"),
        {"username": user.username, "password": PASSWORD, "next": reverse("accounts:offices")},
    )
    between = client.session.session_key
    assert not is_in(client)
    assert client.get(reverse("accounts:offices")).status_code == 302  # the password alone opens nothing
    assert give_code(client, "000000").status_code == 403
    response = give_code(client, code_at(SECRET))
    assert response["Location"] == reverse("accounts:offices")
    assert len({old_key, between, client.session.session_key}) == 3
    entry = AccessEntry.objects.get(outcome="sign_in", actor_id=user.pk, code="ok")
    assert (entry.org_path, entry.office_path) == (make.SCHOOL, make.SCHOOL)
    assert codes(user) == ["failed", "ok"]
    assert User.objects.get(pk=user.pk).last_login is not None
    live = SignIn.objects.get(user=user, ended_at=None)
    assert (live.session_key, live.how, live.network) == (
        client.session.session_key,
        "totp",
        "local 127.0.*.*",
    )


@pytest.mark.rule("AC-6")
def test_proofs_go_stale_after_ten_minutes_and_the_way_back_never_leads_to_another_site(
    client: Client,
) -> None:
    user = make_account()
    for step, address in ((-1, "https://example.org/"), (0, "//example.org/"), (1, "javascript:alert(1)")):
        client.post(
            reverse("accounts:sign_in"), {"username": user.username, "password": PASSWORD, "next": address}
        )
        assert give_code(client, code_at(SECRET, step))["Location"] == reverse("home")
        client.post(reverse("accounts:sign_out"))
    give_password(client, user.username)
    session = client.session
    session["at_the_door"] |= {"since": session["at_the_door"]["since"] - 601}
    session.save()
    assert give_code(client, code_at(SECRET, 1)).status_code == 403
    assert client.get(reverse("accounts:sign_in_enrol")).status_code == 403
    assert not is_in(client)


@pytest.mark.rule("AC-5", "SIGN_IN_WAIT", "SIGN_IN_WAIT_MOST")
def test_waiting_grows_to_an_hour_and_attempts_made_meanwhile_add_nothing(client: Client) -> None:
    """At the bound and beside it: four failures let in, five make wait 15 minutes, then 30, then an hour."""
    user, other, one_short = make_account(), make_account(), make_account()
    for _n in range(FAILURES - 1):
        give_password(client, one_short.username, "wrong")
    assert give_password(client, one_short.username).status_code == 302
    for _n in range(FAILURES):
        give_password(client, user.username, "wrong")
    for minutes in (15, 30, 60, 60):
        assert give_password(client, user.username).status_code == 403
        assert codes(user)[-1] == "waiting"
        let_pass(minutes=minutes - 1)
        assert give_password(client, user.username, "wrong").status_code == 403
        assert codes(user)[-1] == "waiting"
        let_pass(minutes=1, seconds=1)
        give_password(client, user.username, "wrong")  # let in to try, and wrong again
        assert codes(user)[-1] == "failed"
    assert give_password(client, other.username).status_code == 302  # nobody else waits with her
    let_pass(minutes=60, seconds=1)
    assert give_password(client, user.username).status_code == 302


@pytest.mark.rule("AC-5")
def test_a_stranger_can_never_lock_her_out_of_where_she_works(client: Client) -> None:
    user = make_account()
    enter(client, user)
    client.post(reverse("accounts:sign_out"))
    stranger = Client(REMOTE_ADDR="203.0.113.9")
    for _n in range(FAILURES + 3):
        give_password(stranger, user.username, "guess")
    assert codes(user)[-1] == "waiting"
    assert give_password(Client(REMOTE_ADDR="198.51.100.1"), user.username).status_code == 403  # new for her
    assert give_password(client, user.username).status_code == 302
    # One address that tries many accounts waits as well, but not those who have signed in from it before.
    for number in range(AT_ADDRESS):
        Meter("password", f"typed guess{number}", "127.0.0.1").admit()
    assert give_password(client, make_account().username).status_code == 403
    assert give_password(client, user.username).status_code == 302
    let_pass(days=91)
    assert purge() > 0
    assert Attempts.objects.count() == 0


@pytest.mark.rule("AC-5")
def test_codes_of_the_phone_and_one_use_codes_are_throttled_like_passwords(client: Client) -> None:
    user = make_account()
    give_password(client, user.username)
    for _n in range(FAILURES):
        assert give_code(client, "000000").status_code == 403
    assert give_code(client, code_at(SECRET)).status_code == 403
    let_pass(minutes=15, seconds=1)
    assert give_code(client, code_at(SECRET)).status_code == 302
    page, new = reverse("accounts:sign_in_code"), make_account(has_phone=False)
    code = one_use.issue(new, by=make.make_user("system_administrator", make.SCHOOL))
    other = Client(REMOTE_ADDR="203.0.113.9")
    said = {str(other.post(page, {"username": "nobody", "code": code}).context["refusal"])}
    for _n in range(FAILURES):
        said.add(str(other.post(page, {"username": new.username, "code": "WRONG"}).context["refusal"]))
    said.add(str(other.post(page, {"username": new.username, "code": code}).context["refusal"]))
    assert len(said) == 1
    let_pass(minutes=15, seconds=1)
    assert other.post(page, {"username": new.username, "code": code}).status_code == 302


@pytest.mark.rule("AC-4", "AC-5", "ONE_USE_CODE_HOURS")
def test_every_account_gets_a_number_and_it_dies_after_its_time() -> None:
    user, sealed, gone = (make_account() for _n in range(3))
    User.objects.filter(pk=sealed.pk).update(sealed_at=timezone.now())
    User.objects.filter(pk=gone.pk).update(is_active=False)
    page, wait = reverse("accounts:sign_in_ask"), reverse("accounts:sign_in_wait")
    htmx = {"headers": {"HX-Request": "true"}}
    by, seen, waiting = make.make_administrator(), set(), {}
    assert Client().get(wait)["Location"] == page
    assert Client().post(page, {"username": ""}).status_code == 400
    for place, name in enumerate((user.username, "nobody-of-that-name", sealed.username, gone.username)):
        browser = Client(REMOTE_ADDR=f"198.51.100.{place}")
        with CaptureQueriesContext(connection) as asked:
            number = ask_reset(browser, name)
        queries = len(asked)
        assert re.fullmatch(r"[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}", number)
        shown = browser.get(wait).content.decode()
        assert "等待管理员确认" in shown
        assert browser.post(wait).status_code == 409
        said = re.sub(r'value="[^"]+"', "", shown[shown.index('class="gate"') :].replace(number, ""))
        seen.add((queries, browser.get(wait, **htmx).status_code, said))
        waiting[name] = browser, number
    assert len(seen) == 1  # in words, status and work alike
    for person in (sealed, gone):
        with pytest.raises(reset_requests.NumberNotWaiting):
            reset_requests.confirm(person, waiting[person.username][1], purpose="password", by=by)
    # Its hours over, a number can neither be confirmed nor, once it was, be gone on with.
    browser, number = waiting[user.username]
    soon = timezone.now() + timedelta(hours=24)
    assert not ResetRequest.objects.filter(expires_at__gt=soon).exists()
    ResetRequest.objects.update(expires_at=timezone.now())
    with pytest.raises(reset_requests.NumberNotWaiting):
        reset_requests.confirm(user, number, purpose="password", by=by)
    assert browser.get(wait, **htmx)["HX-Redirect"] == wait
    assert "编号已失效" in browser.get(wait).content.decode()
    assert (reset_requests.purge(), ResetRequest.objects.count()) == (4, 0)
    number = ask_reset(browser, user.username)
    reset_requests.confirm(user, number, purpose="password", by=by)
    assert browser.get(wait).context["state"] == "confirmed"
    OneUseCode.objects.filter(user=user).update(expires_at=timezone.now())
    assert browser.post(wait).status_code == 409
    # Many numbers in a row make wait, whoever is named; and nobody is kept waiting for another's account.
    for name in (user.username, "nobody-of-that-name"):
        browser = Client(REMOTE_ADDR="203.0.113.7")
        answers = [browser.post(page, {"username": name}) for _n in range(FAILURES + 1)]
        assert (answers[-1].status_code, answers[-1].context["refusal"].code) == (403, "asked_too_often")
    assert ask_reset(Client(REMOTE_ADDR="203.0.113.7"), make_account().username)


def test_empty_fields_are_named_and_nothing_is_counted(client: Client) -> None:
    user = make_account()
    answer = give_password(client, user.username, "")
    assert answer.status_code == 400
    assert "请输入密码" in answer.content.decode()
    assert codes(user) == []


@pytest.mark.rule("AC-4", "AC-2")
@pytest.mark.parametrize("purpose", ["first", "password", "factor", "lost passkey"])
def test_a_code_or_a_confirmed_reset_replaces_one_proof_and_the_other_is_still_asked_for(
    client: Client, purpose: str
) -> None:
    user = make_account(has_phone=purpose != "first")
    if purpose == "lost passkey":  # and no password: nothing else is left to ask for
        User.objects.filter(pk=user.pk).update(password="!")
    by = make.make_user("system_administrator", make.SCHOOL)
    page, step = reverse("accounts:sign_in_code"), reverse("accounts:sign_in_password")
    if purpose == "first":
        redeem = {"username": user.username, "code": one_use.issue(user, by=by)}
        assert client.get(page).status_code == 200
        assert client.post(page, redeem)["Location"] == step
        assert Client().post(page, redeem).status_code == 403  # once
    else:
        number, wait = ask_reset(client, user.username), reverse("accounts:sign_in_wait")
        kind = "factor" if purpose == "lost passkey" else purpose
        reset_requests.confirm(user, number, purpose=kind, by=by)
        assert client.post(wait)["Location"] == step
        assert client.post(wait)["Location"] == reverse("accounts:sign_in_ask")  # once
    assert client.get(reverse("accounts:sign_in_enrol"))["Location"] == step  # no way around
    fresh = "Nine-blue-Kettles-77"
    if purpose == "factor":
        assert client.post(step, {"password": "wrong"}).status_code == 403
        assert client.post(step, {"password": PASSWORD})["Location"] == reverse("accounts:sign_in_enrol")
    else:
        assert client.post(step, {"new": "short", "again": "short"}).status_code == 400
        after = client.post(step, {"new": fresh, "again": fresh})["Location"]
        assert after == reverse(
            "accounts:sign_in_factor" if purpose == "password" else "accounts:sign_in_enrol"
        )
        assert User.objects.get(pk=user.pk).check_password(fresh)
    assert not is_in(client)
    if purpose == "password":
        assert give_code(client, code_at(SECRET)).status_code == 302
    else:
        secret = client.get(reverse("accounts:sign_in_enrol")).context["secret"]
        assert secret != SECRET
        answer = client.post(reverse("accounts:sign_in_enrol"), {"code": code_at(secret)})
        assert len(answer.context["codes"]) == 10
    assert is_in(client)
    acts = Event.objects.filter(subject_type="user", subject_id=user.pk).values_list("action", flat=True)
    wanted = {
        "first": {"accounts.user.password", "accounts.user.factor_add"},
        "password": {"accounts.user.password"},
        "factor": {"accounts.user.factor_remove", "accounts.user.factor_add"},
        "lost passkey": {f"accounts.user.{act}" for act in ("factor_remove", "password", "factor_add")},
    }[purpose]
    assert {act for act in acts if act.startswith("accounts.user.")} == wanted


@pytest.mark.rule("RD-7", "WB-4")
def test_signing_out_is_a_post_ends_the_session_and_clears_the_browser(client: Client) -> None:
    user = make_account()
    enter(client, user)
    assert client.get(reverse("accounts:sign_out")).status_code == 405
    response = client.post(reverse("accounts:sign_out"))
    assert '"storage"' in response["Clear-Site-Data"]
    assert not is_in(client)
    assert codes(user) == ["ok", "out"]
    assert SignIn.objects.get(user=user).end == "out"
    assert client.get(reverse("accounts:offices")).status_code == 302


@pytest.mark.rule("AZ-1")
def test_a_post_is_chosen_among_ones_own_only(client: Client) -> None:
    user = make.make_reviewer()
    second = make.add_post(user, "reviewer", make.NEIGHBOUR_COUNTY)
    foreign = make.make_reviewer(make.FAR_COUNTY).acting_post
    client.force_login(user)
    switch = reverse("accounts:switch_post")
    assert client.get(switch).status_code == 405
    assert foreign is not None
    for wrong in (str(foreign.pk), "0", "x", ""):
        assert client.post(switch, {"post": wrong}).status_code == 404
    assert client.post(switch, {"post": second.pk}).status_code == 302
    page = client.get(reverse("accounts:offices"))
    assert page.context["at"].path == make.NEIGHBOUR_COUNTY


def test_personas_exist_in_the_demonstration_only(client: Client, settings: Any) -> None:
    make.make_registrar()
    persona = make.make_registrar()
    persona.username = "demo.test.registrar"
    persona.save()
    sealed = make.make_registrar()
    sealed.username, sealed.sealed_at = "demo.test.sealed", timezone.now()
    sealed.save()
    ordinary = make.make_registrar()
    page = reverse("accounts:personas")
    settings.DEMO = False
    assert client.get(page).status_code == 404
    assert client.post(page, {"username": persona.username}).status_code == 404
    settings.DEMO = True
    assert persona.username in client.get(page).content.decode()
    for refused in (ordinary.username, sealed.username, ""):
        assert client.post(page, {"username": refused}).status_code == 404
    assert "_auth_user_id" not in client.session
    assert client.post(page, {"username": persona.username}).status_code == 302
    assert client.session["_auth_user_id"] == str(persona.pk)


@pytest.mark.rule("AZ-2")
def test_offices_are_read_in_scope_and_counted_in_few_queries(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    city = make.make_user("auditor", make.CITY)
    here, beside = make.make_office(make.SCHOOL), make.make_office(make.FAR)
    make.make_office(make.SISTER)
    client.force_login(city)
    listing = reverse("accounts:offices")
    page = client.get(listing)
    county = next(row for row in page.context["rows"] if row.path == make.COUNTY)
    below = Organization.objects.within(make.COUNTY).exclude(path=make.COUNTY)
    assert county.below == county.schools == below.count() >= 2
    assert client.get(reverse("accounts:office", args=[here.pk])).status_code == 200
    assert client.get(reverse("accounts:office", args=[beside.pk])).status_code == 404
    assert client.get(listing, {"at": beside.pk}).status_code == 404
    assert client.get(listing, {"at": "x"}).status_code == 404
    assert [row.path for row in client.get(listing, {"q": here.name}).context["rows"]] == [make.SCHOOL]
    assert list(client.get(listing, {"q": beside.name}).context["rows"]) == []


def test_one_office_and_many_cost_the_same_queries(client: Client, django_assert_num_queries: Any) -> None:
    county = make.make_office(make.FAR_COUNTY)
    make.make_office(make.FAR)
    client.force_login(make.make_reviewer(make.FAR_COUNTY))
    listing = reverse("accounts:offices")
    with CaptureQueriesContext(connection) as one:
        client.get(listing)
    for number in range(8):
        make.make_office(f"{county.path}21510009{number:02d}.")
    with django_assert_num_queries(len(one)):
        client.get(listing)


@pytest.mark.rule("WB-5")
def test_an_error_page_says_what_to_do_and_names_a_reference_also_to_strangers(client: Client) -> None:
    response = client.get("/nothing/here")
    assert response.status_code == 404
    text = response.content.decode()
    assert response["X-Request-Id"][:4].upper() in text
    assert reverse("accounts:sign_in") in text
    fragment = client.get("/nothing/here", headers={"HX-Request": "true"})
    assert fragment["HX-Retarget"] == "#refusal"
    assert "<html" not in fragment.content.decode()
