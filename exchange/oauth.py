"""The token endpoint of receivers outside: client credentials and nothing else (AP-2)."""

import json
import secrets

from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from allauth.idp.oidc.internal.oauthlib.utils import get_validator_context
from allauth.idp.oidc.models import Client, Token
from allauth.idp.oidc.views import TokenView
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from config.errors import Refusal
from config.requestid import reference
from config.rules import rule
from exchange import limits, signing
from exchange.clients import address_of, client_behind
from exchange.refusals import GrantRefused

AUDIENCE = f"{settings.ORIGIN}/api/v1/provided/"
_issue = TokenView.as_view()


class Adapter(DefaultOIDCAdapter):
    """How django-allauth makes what it keeps; it hashes tokens (SHA-256) and secrets (argon2id) itself."""

    def generate_client_secret(self) -> str:
        return secrets.token_urlsafe(32)  # 256 bits

    def get_issuer(self) -> str:
        return settings.ORIGIN


@csrf_exempt
@login_not_required
@never_cache
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """A token of ten minutes for a client whose grant is in force, asked from one of its addresses.

    Errors have OAuth's form; what the grant refuses adds `code` and `detail` in Chinese. Whoever does not
    know the secret learns nothing about the grant.
    """
    try:
        limits.spend_attempt(address_of(request), rule("CLIENT_TOKENS_PER_MINUTE").number)
    except Refusal as refusal:
        return _refused("temporarily_unavailable", refusal)
    if request.POST.get("grant_type") != Client.GrantType.CLIENT_CREDENTIALS:
        return JsonResponse({"error": "unsupported_grant_type"}, status=400)
    if set(request.POST.getlist("resource")) - {AUDIENCE}:
        return JsonResponse({"error": "invalid_target"}, status=400)
    with transaction.atomic():
        get_validator_context().granted_resources = [AUDIENCE]
        response = _issue(request)
        if response.status_code == 200:
            issued = Token.objects.by_value(json.loads(response.content)["access_token"]).get()
            try:
                client_behind(issued, address_of(request))
            except GrantRefused as refusal:
                transaction.set_rollback(True)  # the token with it
                return _refused("unauthorized_client", refusal)
    return response


def _refused(error: str, refusal: Refusal) -> JsonResponse:
    body = {"error": error, "error_description": refusal.code, "code": refusal.code,
            "detail": refusal.detail, "reference": reference()}  # fmt: skip
    status = refusal.status if refusal.status in (429, 503) else 400
    response = JsonResponse(body, status=status, json_dumps_params={"ensure_ascii": False})
    if wait := refusal.data.get("seconds"):
        response["Retry-After"] = str(wait)
    return response


@login_not_required
@require_GET
def keys(request: HttpRequest) -> HttpResponse:
    """The public keys that answers are signed with, as a JWK set."""
    response = JsonResponse({"keys": signing.public_keys()})
    response["Cache-Control"] = "public, max-age=3600"
    return response
