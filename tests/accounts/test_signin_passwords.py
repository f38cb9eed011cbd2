"""What a password must be, and when it must be changed (SECURITY AC-1, AC-2)."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import passwords
from accounts.models import FormerPassword, SignIn, User
from audit.models import Event
from config.rules import PARAMETERS
from tests import make
from tests.accounts.door import PASSWORD, enter, give_password, is_in, make_account

pytestmark = pytest.mark.usefixtures("nation")
GOOD = "Nine-blue-Kettles-77"
KETTLES = [f"Nine-blue-Kettles-{n}" for n in range(60, 67)]
CHANGE = "/accounts/password"


def faults(password: str, user: User) -> list[str]:
    found: list[ValidationError] = []
    try:
        validate_password(password, user)
    except ValidationError as error:
        found = error.error_list
    assert all(text.endswith("。") for one in found for text in one.messages)
    return sorted(str(one.code) for one in found)


@pytest.mark.rule("AC-1")
@pytest.mark.parametrize(
    ("password", "codes"),
    [
        ("Kx7-vt9Q-mB2", []),  # twelve
        ("Kx7-vt9Q-mB", ["password_short"]),
        ("K7-" + "vt9QmB2zRw" * 12 + "abcde", []),  # 128
        ("K7-" + "vt9QmB2zRw" * 12 + "abcdef", ["password_long"]),
        ("vhxkrtqmbwzdn", ["password_classes"]),
        ("vhxkrtqm7wzdn", ["password_classes"]),  # two of four
        ("vhxkrtqM7wzdn", []),  # three of four
        ("vhxkrtqmbwzdnpfgjcyu", []),  # twenty: no classes
        ("vhxkrtqmbwzdnpfgjcy", ["password_classes"]),  # nineteen
        ("Football-2026", ["password_common"]),
        ("aaaaBBBB1111", ["password_common"]),
        ("My-Xueji-vt9Q", ["password_trade_word"]),
        ("my-5chool-Vt9Q", ["password_trade_word"]),  # written with digits
        ("Hi-county-vt9Q", ["password_trade_word"]),
        ("OuyangMinghui-7", ["password_own_name"]),
        ("Minghui-Ouyang9", []),  # not the name as written
        ("vt-Reg.4407-Qx", ["password_own_number"]),
        ("vt-26001234-Qx", ["password_own_number"]),  # her office telephone
        ("Xinghai-vt9Q-m", ["password_own_office"]),
        ("Nanshan-vt9Q-m", ["password_own_office"]),
        ("xueji", ["password_classes", "password_short", "password_trade_word"]),
    ],
)
def test_each_rule_refuses_with_a_sentence_of_its_own(password: str, codes: list[str]) -> None:
    make.make_office(make.COUNTY, name="南山区教育局")
    school = make.make_office(make.SCHOOL)
    school.name = "深圳市南山区星海小学"
    school.save()
    user = make.make_registrar(name="欧阳明慧", phone="0755-26001234")
    user.username = "reg.4407"
    user.save()
    assert faults(password, user) == codes


@pytest.mark.rule("AC-1")
def test_none_of_the_last_five_is_chosen_again_and_the_sixth_may(client: Client) -> None:
    assert PARAMETERS["PASSWORD_HISTORY"].value == 5
    assert PARAMETERS["PASSWORD_LENGTH"].value == passwords.SHORTEST
    user = make_account()
    for one in KETTLES[:6]:
        passwords.choose(user, one)
    assert FormerPassword.objects.filter(user=user).count() == 5
    assert [faults(one, user) for one in KETTLES[:6]] == [[], *[["password_used"]] * 5]
    assert user.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.rule("AC-2", "AC-6")
def test_a_change_asks_for_the_old_password_and_ends_every_sign_in(client: Client) -> None:
    user = make_account()
    enter(client, user)
    given = {"password": "wrong", "new": GOOD, "again": GOOD}
    assert client.post(CHANGE, given).status_code == 403
    assert client.post(CHANGE, given | {"password": PASSWORD, "again": "other"}).status_code == 400
    weak = client.post(CHANGE, given | {"password": PASSWORD, "new": "abc", "again": "abc"})
    assert weak.status_code == 400
    assert "密码至少12个字" in weak.content.decode()
    assert is_in(client)
    assert client.post(CHANGE, given | {"password": PASSWORD})["Location"].startswith(
        reverse("accounts:sign_in")
    )
    assert not is_in(client)
    assert SignIn.objects.get(user=user).end == "password"
    assert Event.objects.filter(action="accounts.user.password", subject_id=user.pk).count() == 1
    assert give_password(client, user.username).status_code == 403
    assert give_password(client, user.username, GOOD).status_code == 302


@pytest.mark.rule("AC-2")
@pytest.mark.parametrize(
    ("age", "days", "warned", "open_pages"),
    [(75, None, None, True), (76, None, 14, True), (89, None, 1, True), (90, None, None, False),
     (29, 30, 1, True), (30, 30, None, False), (None, None, None, False)],
)  # fmt: skip
def test_the_warning_begins_on_day_76_and_from_day_90_only_the_change_page_opens(
    client: Client, age: int | None, days: int | None, warned: int | None, open_pages: bool
) -> None:
    """A province may shorten it; a password that somebody else set is over at once."""
    user = make_account()
    if days:
        make.make_rule("PASSWORD_DAYS", days, make.PROVINCE)
    user.password_chosen_at = None if age is None else timezone.now() - timedelta(days=age)
    user.save()
    enter(client, user)
    page, api = client.get(reverse("home")), client.get("/api/v1/students/")
    if open_pages:
        assert (page.status_code, api.status_code) == (200, 200)
        assert page.context["password_days"] == warned
        assert ("天到期" in page.content.decode()) is (warned is not None)
        return
    assert page["Location"] == CHANGE
    assert (api.status_code, api.json()["code"]) == (403, "password_over")
    fragment = client.get(reverse("registry:students"), headers={"HX-Request": "true"})
    assert fragment["HX-Redirect"] == CHANGE
    assert client.get(CHANGE).status_code == 200
    given: dict[str, Any] = {"password": PASSWORD, "new": GOOD, "again": GOOD}
    client.post(CHANGE, given)
    give_password(client, user.username, GOOD)
    assert PARAMETERS["PASSWORD_WARN_DAYS"].value == 14
    assert User.objects.get(pk=user.pk).password_chosen_at is not None
