"""Signing in, choosing a post, signing out, the persona page (SECURITY AC-5, AC-6, AC-8, RD-7)."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organization, User
from accounts.signing_in import FAILURES_BEFORE_WAITING
from audit.models import AccessEntry
from tests import make

pytestmark = pytest.mark.usefixtures("nation")
PASSWORD = "correct-horse-battery-9"


def make_account(**fields: Any) -> User:
    user = make.make_registrar(**fields)
    user.set_password(PASSWORD)
    user.save()
    return user


def try_to_enter(client: Client, username: str, password: str = PASSWORD, **more: str) -> Any:
    return client.post(reverse("accounts:sign_in"), {"username": username, "password": password, **more})


def codes(user: User | None) -> list[str]:
    entries = AccessEntry.objects.filter(outcome="sign_in", actor_id=user.pk if user else None)
    return list(entries.order_by("id").values_list("code", flat=True))


@pytest.mark.rule("AC-5", "AC-8")
def test_every_failure_gives_the_same_answer_and_is_recorded(client: Client) -> None:
    wrong, sealed, gone = make_account(), make_account(), make_account()
    sealed.sealed_at, gone.is_active = timezone.now(), False
    sealed.save()
    gone.save()
    unknown_before = len(codes(None))
    answers = [
        try_to_enter(client, "nobody-of-that-name"),
        try_to_enter(client, wrong.username, "not-her-password"),
        try_to_enter(client, sealed.username),
        try_to_enter(client, gone.username),
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.context["failure"] for answer in answers}) == 1
    assert "_auth_user_id" not in client.session
    assert codes(wrong) == codes(sealed) == codes(gone) == ["failed"]
    assert len(codes(None)) == unknown_before + 1
    failed = AccessEntry.objects.filter(outcome="sign_in", actor_id=wrong.pk).get()
    assert (failed.org_path, failed.office_path) == ("CN.", "CN.")
    # The same set-up lets the right person in.
    assert try_to_enter(client, wrong.username).status_code == 302


@pytest.mark.rule("AC-5")
def test_what_was_typed_stays_out_of_the_log_and_the_password_out_of_the_page(client: Client) -> None:
    page = try_to_enter(client, "my-password-in-the-wrong-box", "secret-typed-here")
    assert "my-password-in-the-wrong-box" in page.content.decode()  # her own field is kept for her
    assert "secret-typed-here" not in page.content.decode()
    last = AccessEntry.objects.filter(outcome="sign_in").latest("id")
    assert "my-password" not in f"{last.actor_name}{last.purpose}{last.code}{last.route}{last.office_name}"


@pytest.mark.rule("AC-6")
def test_signing_in_opens_a_session_with_a_new_key_at_her_office(client: Client) -> None:
    user = make_account()
    session = client.session
    session["before"] = "1"
    session.save()
    old_key = session.session_key
    response = try_to_enter(client, user.username, next=reverse("accounts:offices"))
    assert response["Location"] == reverse("accounts:offices")
    assert client.session.session_key != old_key
    entry = AccessEntry.objects.get(outcome="sign_in", actor_id=user.pk)
    assert (entry.code, entry.org_path, entry.office_path) == ("ok", make.SCHOOL, make.SCHOOL)
    assert User.objects.get(pk=user.pk).last_login is not None


def test_the_way_back_never_leads_to_another_site(client: Client) -> None:
    user = make_account()
    for address in ("https://example.org/", "//example.org/", "javascript:alert(1)", ""):
        assert try_to_enter(client, user.username, next=address)["Location"] == reverse("home")


@pytest.mark.rule("AC-5")
def test_after_five_failures_even_the_right_password_waits_and_waiting_adds_nothing(
    client: Client,
) -> None:
    user, other = make_account(), make_account()
    for _number in range(FAILURES_BEFORE_WAITING):
        try_to_enter(client, user.username, "wrong")
    answer = try_to_enter(client, user.username)
    assert (answer.status_code, codes(user)[-1]) == (403, "waiting")
    assert codes(user).count("failed") == FAILURES_BEFORE_WAITING
    assert try_to_enter(client, other.username).status_code == 302  # nobody else waits with her


def test_empty_fields_are_named_and_nothing_is_counted(client: Client) -> None:
    user = make_account()
    answer = try_to_enter(client, user.username, "")
    assert answer.status_code == 400
    assert "请输入密码" in answer.content.decode()
    assert codes(user) == []


@pytest.mark.rule("RD-7", "WB-4")
def test_signing_out_is_a_post_ends_the_session_and_clears_the_browser(client: Client) -> None:
    user = make_account()
    try_to_enter(client, user.username)
    assert client.get(reverse("accounts:sign_out")).status_code == 405
    response = client.post(reverse("accounts:sign_out"))
    assert '"storage"' in response["Clear-Site-Data"]
    assert "_auth_user_id" not in client.session
    assert codes(user) == ["ok", "out"]
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
