"""Second factors: who needs which, each code once, recovery codes, taking one away (AC-3, AC-4)."""

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import factors
from accounts.factor_adapter import FactorAdapter, secrets_of
from accounts.models import SignIn
from audit.models import Event
from config.crypto import DoesNotOpen
from tests import make
from tests.accounts.door import SECRET, code_at, enter, give_code, give_password, is_in, make_account

pytestmark = pytest.mark.usefixtures("nation")
ENROL, FACTOR = "/accounts/sign-in/enrol", "/accounts/sign-in/factor"


@pytest.mark.rule("AC-3", "R-ACC-03")
@pytest.mark.parametrize(
    ("role", "path", "passkey_only"),
    [
        ("registrar", make.SCHOOL, False), ("head_teacher", make.SCHOOL, False),
        ("reviewer", make.COUNTY, False), ("auditor", make.CITY, False),
        ("leader", make.SCHOOL, True),  # approves exports
        ("bureau_leader", make.COUNTY, True), ("system_administrator", make.SCHOOL, True),
        ("network_administrator", make.COUNTY, True), ("audit_administrator", make.CITY, True),
        ("security_administrator", make.COUNTY, True),
        ("auditor", make.PROVINCE, True), ("national_operator", make.NATION, True),
    ],
)  # fmt: skip
def test_everybody_needs_a_second_factor_and_some_a_passkey(
    client: Client, role: str, path: str, passkey_only: bool
) -> None:
    user = make_account(role, path, has_phone=False)
    assert give_password(client, user.username)["Location"] == ENROL
    page = client.get(ENROL)
    assert page.context["may_totp"] is not passkey_only
    assert client.get(FACTOR)["Location"] == ENROL
    assert client.get("/").status_code == 302  # nothing else opens
    if passkey_only:
        assert client.post(ENROL, {"code": "123456"}).status_code == 403
        assert not is_in(client)
        with secrets_of(user):  # a phone alone is asked for, and then does not do
            factors.totp.TOTP.activate(user, SECRET)
        give_password(client, user.username)
        assert give_code(client, code_at(SECRET))["Location"] == ENROL
        assert not is_in(client)
        return
    secret = page.context["secret"]
    assert client.post(ENROL, {"code": "12345"}).status_code == 403
    done = client.post(ENROL, {"code": code_at(secret)})
    assert (done.status_code, len(set(done.context["codes"]))) == (200, 10)
    assert client.get("/").status_code == 200
    assert Event.objects.filter(action="accounts.user.factor_add", subject_id=user.pk).count() == 1


@pytest.mark.rule("AC-3")
def test_a_code_serves_once_and_one_step_to_either_side() -> None:
    user = make_account()
    for step, is_right in (
        (-2, False),
        (2, False),
        (-1, True),
        (-1, False),
        (0, True),
        (-1, False),
        (1, True),
    ):
        if is_right:
            assert factors.prove_code(user, code_at(SECRET, step), with_recovery=True) == "totp"
        else:
            with pytest.raises(factors.CodeWrong):
                factors.prove_code(user, code_at(SECRET, step), with_recovery=True)


@pytest.mark.rule("AC-3", "KE-1", "KE-2")
def test_secrets_lie_encrypted_and_open_for_their_owner_only() -> None:
    user, other = make_account(), make_account()
    factors.renew_recovery_codes(user)
    with connection.cursor() as cursor:
        cursor.execute("SELECT data::text FROM mfa_authenticator WHERE user_id = %s ORDER BY type", [user.pk])
        kept = [row[0] for row in cursor.fetchall()]
    assert len(kept) == 2
    assert SECRET not in "".join(kept)
    sealed = json.loads(kept[1])["secret"]
    with secrets_of(user):
        assert FactorAdapter().decrypt(sealed) == SECRET
    with secrets_of(other), pytest.raises(DoesNotOpen):
        FactorAdapter().decrypt(sealed)


@pytest.mark.rule("AC-3", "AC-4")
def test_a_recovery_code_serves_once_at_the_door_and_never_as_step_up(client: Client) -> None:
    user = make_account()
    first, second = factors.renew_recovery_codes(user)[:2]
    give_password(client, user.username)
    assert give_code(client, f"{first[:4]} {first[4:]}").status_code == 302
    assert SignIn.objects.get(user=user).how == "recovery_codes"
    assert client.post(reverse("accounts:step_up"), {"code": second}).status_code == 403
    again = Client()
    give_password(again, user.username)
    assert give_code(again, first).status_code == 403
    assert give_code(again, second).status_code == 302
    assert factors.recovery_codes_left(user) == 8


@pytest.mark.rule("AC-4", "AC-6")
def test_taking_a_factor_away_ends_all_sign_ins_and_voids_recovery_codes(client: Client) -> None:
    """The last one stays; of two, one goes."""
    user: Any = make_account()
    phone = Authenticator.objects.get(user_id=user.pk)
    factors.renew_recovery_codes(user)
    enter(client, user)
    remove = reverse("accounts:factor_remove", args=[phone.pk])
    refused = client.post(remove)
    assert (refused.status_code, "不能停用" in refused.content.decode()) == (409, True)
    key = Authenticator.objects.create(user_id=user.pk, type="webauthn", data={"name": "办公室电脑"})
    other = make_account()
    theirs = Authenticator.objects.get(user_id=other.pk)
    assert client.post(reverse("accounts:factor_remove", args=[theirs.pk])).status_code == 404
    assert client.get(reverse("accounts:factors")).context["codes_left"] == 10
    assert client.post(remove).status_code == 302
    assert not is_in(client)
    assert SignIn.objects.get(user=user).end == "factor"
    assert list(Authenticator.objects.filter(user_id=user.pk)) == [key]
    assert Event.objects.filter(action="accounts.user.factor_remove", subject_id=user.pk).count() == 1
    # A passkey that proves nothing opens nothing, and says no more than a wrong password.
    forged = json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": {"userHandle": "MQ"}})
    for credential in (forged, "[]", "1", '"x"', "{}", "{"):
        assert client.post(reverse("accounts:sign_in_passkey"), {"credential": credential}).status_code == 403
    assert not is_in(client)
