"""Clients of a grant: made with a secret that is shown once, recognized by their token, stopped at once."""

import ipaddress

from allauth.account.adapter import get_adapter
from allauth.idp.oidc.adapter import get_adapter as get_provider
from allauth.idp.oidc.models import Client, Token
from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpRequest

from accounts.models import User
from audit.services import record
from config.clock import today
from config.errors import BadRequest
from exchange.grants import may_end
from exchange.models import DataGrant, GrantClient
from exchange.refusals import (
    ARTICLE,
    AddressesWrong,
    AddressNotAllowed,
    ClientStopped,
    GrantExpired,
    GrantNotLive,
    GrantNotYet,
    GrantStopped,
    TokenUnknown,
    TooManyClients,
)

MOST_CLIENTS = 5
MOST_ADDRESSES = 20
_WIDEST = {4: 24, 6: 48}  # a list of addresses, not of providers


def address_of(request: HttpRequest) -> str:
    """Where a request comes from, behind as many proxies as the settings trust."""
    return str(get_adapter().get_client_ip(request))


def read_addresses(text: str) -> list[str]:
    """One address or network a line. Raises AddressesWrong."""
    networks = []
    for line in text.split():
        try:
            network = ipaddress.ip_network(line)
        except ValueError:
            raise AddressesWrong(widest=_WIDEST[4]) from None
        if network.prefixlen < _WIDEST[network.version]:
            raise AddressesWrong(widest=_WIDEST[network.version])
        networks.append(str(network))
    if not 1 <= len(networks) <= MOST_ADDRESSES:
        raise AddressesWrong(widest=_WIDEST[4])
    return networks


@transaction.atomic
def make_client(grant: DataGrant, *, name: str, addresses: list[str], actor: User) -> tuple[GrantClient, str]:
    """A client of `grant` and its secret, which nobody can read again (AC-7: the caller asks for a step-up).

    Raises NotAllowed, GrantNotLive, TooManyClients, BadRequest.
    """
    may_end(actor, grant.org_path)
    locked = DataGrant.objects.select_for_update().get(pk=grant.pk)
    if locked.state != DataGrant.State.ACTIVE or locked.is_over:
        raise GrantNotLive(state=locked.state_shown[1])
    if not 2 <= len(name) <= 50:
        raise BadRequest(why="name")
    if locked.clients.filter(stopped_at=None).count() >= MOST_CLIENTS:
        raise TooManyClients(most=MOST_CLIENTS)
    secret = get_provider().generate_client_secret()
    oauth = Client(name=name, type=Client.Type.CONFIDENTIAL, response_types="")
    oauth.set_grant_types([Client.GrantType.CLIENT_CREDENTIALS])
    oauth.set_scopes(locked.services)
    oauth.default_scopes = oauth.scopes
    oauth.set_secret(secret)
    oauth.save(force_insert=True)
    client = GrantClient.objects.create(
        grant=locked, oauth=oauth, name=name, addresses=addresses, made_by=actor.pk,
        made_by_name=actor.signing_name,
    )  # fmt: skip
    record("exchange.client.make", locked, actor=actor, basis=ARTICLE, client=oauth.pk, name=name,
           receiver=locked.receiver_name)  # fmt: skip
    return client, secret


@transaction.atomic
def stop_client(client: GrantClient, *, actor: User) -> None:
    """End one client at once; the grant goes on. Raises NotAllowed, ClientStopped."""
    may_end(actor, client.grant.org_path)
    changed = GrantClient.objects.filter(pk=client.pk, stopped_at=None).update(
        stopped_at=Now(), stopped_by_name=actor.signing_name
    )
    if not changed:
        raise GrantNotLive(state="已停用")
    Token.objects.filter(client_id=client.oauth_id).delete()
    record("exchange.client.stop", client.grant, actor=actor, basis=ARTICLE, client=client.oauth_id,
           name=client.name, receiver=client.grant.receiver_name)  # fmt: skip


def client_behind(token: Token, address: str) -> GrantClient:
    """The client that a live token belongs to, if it and its grant give anything to this address now.

    Asked at every request: whoever stops a grant need not wait for a token to run out. Raises TokenUnknown
    and the refusals of a grant.
    """
    clients = GrantClient.objects.select_related("grant", "oauth")
    client = clients.filter(oauth_id=token.client_id).first()
    if client is None:
        raise TokenUnknown()
    refuse_unless_live(client)
    here = ipaddress.ip_address(address)
    if not any(here in ipaddress.ip_network(network) for network in client.addresses):
        raise AddressNotAllowed()
    return client


def refuse_unless_live(client: GrantClient) -> None:
    """Raises ClientStopped, GrantStopped, GrantExpired, GrantNotYet."""
    grant = client.grant
    if client.stopped_at is not None:
        raise ClientStopped()
    if grant.state != DataGrant.State.ACTIVE:
        raise GrantStopped(state=grant.state_shown[1])
    if grant.is_over:
        raise GrantExpired(day=f"{grant.ends_on:%Y-%m-%d}")
    if grant.starts_on > today():
        raise GrantNotYet(day=f"{grant.starts_on:%Y-%m-%d}")
