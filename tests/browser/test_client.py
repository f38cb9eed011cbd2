"""A receiver's program against a running server: an OAuth library and a JWT library that are not ours, and
the examples as they are printed.
"""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest
import requests
from allauth.idp.oidc.models import Token
from django.conf import settings
from django.utils import timezone
from oauthlib.oauth2 import BackendApplicationClient
from oauthlib.oauth2.rfc6749.errors import InvalidClientError, OAuth2Error
from requests_oauthlib import OAuth2Session

from accounts.models import User
from config.scope import scoped_transaction
from exchange.clients import make_client, stop_client
from exchange.models import DataGrant, GrantClient
from tests import make
from tests.exchange.building import approved, staff

EXAMPLES: Path = settings.BASE_DIR / "examples"


class Receiver:
    """A grant over one school with two pupils, and a client of it; committed, for another process reads."""

    def __init__(self) -> None:
        with scoped_transaction("CN."):
            self.people: dict[str, User] = staff()
            self.values = make.valid_values()
            # Races and stories leave pupils in the same county: a school of its own.
            self.school = f"{make.COUNTY}21{uuid4().int % 10**8:08d}."
            school_class = make.make_class(self.school)
            make.make_student(school_class)
            make.make_student(school_class, **self.values)
            self.grant: DataGrant = approved(self.people, self.school)
            self.client, self.secret = make_client(
                self.grant, name="接入程序", addresses=["127.0.0.1"], actor=self.people["leader"]
            )

    def session(self, site: str, **more: Any) -> OAuth2Session:
        session = OAuth2Session(client=BackendApplicationClient(client_id=self.client.oauth_id, **more))
        session.fetch_token(
            f"{site}/exchange/token", client_id=self.client.oauth_id, client_secret=self.secret
        )
        return session

    def run(self, site: str, *command: str, sent: str = "") -> str:
        done = subprocess.run(
            command,
            input=sent,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "XUEJI_BASE": site,
                "XUEJI_CLIENT_ID": self.client.oauth_id,
                "XUEJI_CLIENT_SECRET": self.secret,
            },
        )
        return done.stdout


@pytest.mark.rule("AP-2", "AP-3", "R-EXT-04", "R-EXT-05", "G-13", "EX-2", "CLIENT_TOKENS_PER_MINUTE", "KE-6")
def test_a_library_and_the_examples_read_under_a_grant_until_it_is_stopped(
    committed_db: None, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # the suite's server speaks http
    receiver = Receiver()
    students = f"{site}/api/v1/provided/students/"
    session = receiver.session(site)
    rows = session.get(students).json()["results"]
    assert len(rows) == 2
    # Opaque, hashed at rest, ten minutes, for this audience, under this grant.
    value = session.token["access_token"]
    kept = Token.objects.get(client_id=receiver.client.oauth_id)
    assert value not in str(vars(kept))
    assert kept.get_resources() == [f"{site}/api/v1/provided/"]
    assert kept.expires_at is not None
    assert timedelta(0) < kept.expires_at - timezone.now() <= timedelta(minutes=10)
    # The answer is checked with the published key by a library that is not ours.
    person = {"name": receiver.values["name"], "id_type": "1", "id_number": receiver.values["id_number"]}
    answered = session.post(f"{site}/api/v1/provided/enrolled/", json=person).json()
    key = jwt.PyJWKClient(f"{site}/exchange/keys").get_signing_key_from_jwt(answered["answer"])
    claims = jwt.decode(answered["answer"], key, algorithms=["EdDSA"], audience=receiver.grant.receiver_code)
    assert claims["enrolled"] is True
    assert claims["sub"] in {row["id"] for row in rows}
    # The examples, as printed.
    script = str(EXAMPLES / "read_provided.py")
    shown = receiver.run(site, sys.executable, script, "students").splitlines()
    assert sorted(json.loads(line)["id"] for line in shown) == sorted(row["id"] for row in rows)
    said = json.loads(receiver.run(site, sys.executable, script, "enrolled", sent=json.dumps(person)))
    assert said["answer"].count(".") == 2
    by_curl = json.loads(receiver.run(site, "sh", str(EXAMPLES / "read_provided.sh")))
    assert {row["id"] for row in by_curl["results"]} == {row["id"] for row in rows}
    # Who does not know the secret, asks for more, or comes by another flow gets nothing.
    hashed = GrantClient.objects.select_related("oauth").get(pk=receiver.client.pk).oauth.secret
    address = f"{site}/exchange/token"
    own = (receiver.client.oauth_id, receiver.secret)
    for pair, body, error in (
        ((own[0], hashed), {}, "invalid_client"),
        (own, {"scope": "students openid"}, "invalid_scope"),
        (own, {"grant_type": "password"}, "unsupported_grant_type"),
        (own, {"resource": "https://elsewhere.example/"}, "invalid_target"),
    ):
        answer = requests.post(
            address, auth=pair, data={"grant_type": "client_credentials", **body}, timeout=10
        )
        assert (answer.status_code >= 400, answer.json()["error"]) == (True, error)
    for path in ("/.well-known/openid-configuration", "/identity/o/authorize", "/identity/o/api/token"):
        assert requests.get(site + path, timeout=10, allow_redirects=False).status_code in (302, 404)
    wrong = OAuth2Session(client=BackendApplicationClient(client_id=own[0]))
    with pytest.raises(InvalidClientError):
        wrong.fetch_token(address, client_id=own[0], client_secret="wrong")
    # Stopped: the token that is still young opens nothing, and no other is given.
    with scoped_transaction("CN."):
        stop_client(receiver.client, actor=receiver.people["leader"])
    assert session.get(students).status_code == 401
    with pytest.raises(OAuth2Error):
        receiver.session(site)
    last = [requests.post(address, auth=own, data={"grant_type": "x"}, timeout=10) for _n in range(11)]
    assert any(answer.status_code == 429 and "Retry-After" in answer.headers for answer in last)
