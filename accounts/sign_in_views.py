"""The pages before somebody is signed in: password, code, second factor, enrolment; and the way out."""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import codes, factors, passwords, persona_page, reset_requests, sign_ins, signing_in
from accounts.models import User
from accounts.sign_in_forms import (
    AccountForm,
    FactorForm,
    NewPasswordForm,
    OwnPasswordForm,
    RedeemForm,
    SignInForm,
)
from config.errors import NotFound, Refusal


@login_not_required
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.method == "GET" and request.user.is_authenticated:
        return redirect("home")
    form = SignInForm(request.POST or None)
    refusal: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        given, after = form.cleaned_data, request.POST.get("next", "")
        try:
            door, user = signing_in.prove_password(request, given["username"], given["password"], after)
        except Refusal as failure:
            refusal = failure
        else:
            return onwards(request, door, user)
    ended = sign_ins.ended(request.GET.get("ended", ""))
    context = {
        "form": form,
        "refusal": refusal,
        "next": request.POST.get("next") or request.GET.get("next", ""),
        "was_signed_out": "out" in request.GET,
        "was_changed": "changed" in request.GET,
        "ended": ended,
        "ended_from": sign_ins.in_words(ended.ended_from) if ended else "",
    }
    return render(request, "accounts/sign_in.html", context, status=_status(refusal, form))


@login_not_required
@require_POST
def passkey(request: HttpRequest) -> HttpResponse:
    """Sign in with a passkey and nothing else; the browser knows whose it is."""
    form = FactorForm(request.POST)
    try:
        if not form.is_valid():
            raise signing_in.NotSignedIn()
        signing_in.prove_passkey_alone(request, form.cleaned_data["credential"])
    except Refusal as refusal:
        context = {"form": SignInForm(), "refusal": refusal, "next": request.POST.get("next", "")}
        return render(request, "accounts/sign_in.html", context, status=refusal.status)
    return redirect(inside(request, request.POST.get("next", "")))


@login_not_required
@require_GET
def passkey_options(request: HttpRequest, purpose: str) -> HttpResponse:
    """What the browser needs for its passkey: to sign in, to prove hers, or to make a new one. The challenge
    stays in the session.
    """
    if purpose == "enter":
        return JsonResponse(factors.options_to_prove(None))
    user: Any = request.user if request.user.is_authenticated else signing_in.at_the_door(request)[1]
    return JsonResponse(factors.options_to_add(user) if purpose == "add" else factors.options_to_prove(user))


@login_not_required
@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def redeem(request: HttpRequest) -> HttpResponse:
    """首次登录: the code that she was handed opens the choice of a password and factor (AC-4)."""
    form = RedeemForm(request.POST or None)
    refusal: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        try:
            door, user = signing_in.redeem_code(request, **form.cleaned_data)
        except codes.CodeRefused as failure:
            refusal = failure
        else:
            return onwards(request, door, user)
    context = {"form": form, "refusal": refusal}
    return render(request, "accounts/redeem.html", context, status=_status(refusal, form))


@login_not_required
@require_http_methods(["GET", "POST"])
def ask_reset(request: HttpRequest) -> HttpResponse:
    """重置: whoever has lost a proof asks, in her own browser, for the office above to confirm it."""
    form = AccountForm(request.POST or None)
    refusal: Refusal | None = None
    if request.method == "POST" and form.is_valid():
        try:
            signing_in.ask_reset(request, form.cleaned_data["username"])
        except reset_requests.AskedTooOften as failure:
            refusal = failure
        else:
            return redirect("accounts:sign_in_wait")
    context = {"form": form, "refusal": refusal}
    return render(request, "accounts/ask_reset.html", context, status=_status(refusal, form))


@login_not_required
@require_http_methods(["GET", "POST"])
def wait_for_reset(request: HttpRequest) -> HttpResponse:
    """The number to read out; once it is confirmed this browser goes on, and no other."""
    asked = signing_in.reset_asked(request)
    if asked is None:
        return redirect("accounts:sign_in_ask")
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            door, user = signing_in.continue_reset(request, asked)
        except reset_requests.NotConfirmed as failure:
            refusal = failure
        else:
            return onwards(request, door, user)
    state = reset_requests.state_of(asked)
    if "HX-Request" in request.headers:  # the page asks every few seconds whether it has to change
        is_waiting = state == reset_requests.WAITING
        return HttpResponse(status=204, headers={} if is_waiting else {"HX-Redirect": request.path})
    context = {"number": asked.number, "state": state, "refusal": refusal}
    return render(request, "accounts/wait_for_reset.html", context, status=refusal.status if refusal else 200)


@login_not_required
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """After a code: choose a new password, or prove the present one before the factors are replaced."""
    door, user = signing_in.at_the_door(request)
    if door.step(user) != "accounts:sign_in_password":
        return onwards(request, door, user)
    given = request.POST if request.method == "POST" else None
    form = NewPasswordForm(given, user=user) if door.must_choose else OwnPasswordForm(given)
    refusal: Refusal | None = None
    if form.is_bound and form.is_valid():
        try:
            if door.must_choose:
                passwords.choose(user, form.cleaned_data["new"])
            else:
                signing_in.prove_own_password(request, user, form.cleaned_data["password"])
                factors.remove_all(user)
        except Refusal as failure:
            refusal = failure
        else:
            door.must_choose = door.must_know = False
            door.keep(request)
            return onwards(request, door, user)
    context = {"form": form, "refusal": refusal, "door": door, "help": passwords.Rules().get_help_text()}
    return render(request, "accounts/choose_password.html", context, status=_status(refusal, form))


@login_not_required
@require_http_methods(["GET", "POST"])
def factor(request: HttpRequest) -> HttpResponse:
    """The second factor that she has enrolled, or one of her recovery codes."""
    door, user = signing_in.at_the_door(request)
    if door.step(user) != "accounts:sign_in_factor":
        return onwards(request, door, user)
    refusal: Refusal | None = None
    if request.method == "POST":
        code, credential = read_factor(request)
        try:
            door.how = signing_in.prove_factor(
                request, user, code, credential, route="accounts:sign_in_factor"
            )
        except Refusal as failure:
            refusal = failure
        else:
            door.is_proved = True
            return onwards(request, door, user)
    context = {"types": factors.types_of(user), "refusal": refusal, "person": user}
    return render(request, "accounts/factor.html", context, status=refusal.status if refusal else 200)


@login_not_required
@require_http_methods(["GET", "POST"])
def enrol(request: HttpRequest) -> HttpResponse:
    """An account without the factor that it needs may do nothing else than enrol one (AC-3)."""
    door, user = signing_in.at_the_door(request)
    if door.step(user) != "accounts:sign_in_enrol":
        return onwards(request, door, user)
    wants_passkey = factors.needs_passkey(user)
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            fresh = enrol_given(request, user, may_totp=not wants_passkey)
        except Refusal as failure:
            refusal = failure
        else:
            signing_in.enter(request, user, how=door.how)
            return show_codes(request, fresh, inside(request, door.next))
    context = enrolment(request, user, may_totp=not wants_passkey) | {"refusal": refusal, "person": user}
    return render(request, "accounts/enrol.html", context, status=refusal.status if refusal else 200)


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    signing_in.sign_out(request)
    response = redirect(f"{reverse('accounts:sign_in')}?out=1")
    response["Clear-Site-Data"] = '"cache", "cookies", "storage"'  # RD-7
    return response


@login_not_required
@require_http_methods(["GET", "POST"])
def personas(request: HttpRequest) -> HttpResponse:
    """The demonstration's cast, one press to sign in as any; it does not exist outside the demonstration."""
    if not settings.DEMO:
        raise NotFound()
    if request.method == "POST":
        signing_in.enter_as(request, signing_in.find_persona(request.POST.get("username", "")))
        return redirect("home")
    everybody = persona_page.lines()
    context = {"story": persona_page.story(everybody), "levels": list(persona_page.by_level(everybody))}
    return render(request, "accounts/personas.html", context)


# ── What the pages of one's own account share with these ──────────────────────────────
def onwards(request: HttpRequest, door: signing_in.Door, user: User) -> HttpResponse:
    """To the next proof; after the last she is in."""
    if route := door.step(user):
        door.keep(request)
        return redirect(route)
    signing_in.enter(request, user, how=door.how)
    return redirect(inside(request, door.next))


def enrolment(request: HttpRequest, user: User, *, may_totp: bool) -> dict[str, Any]:
    """What the page of enrolment shows."""
    context: dict[str, Any] = {"may_totp": may_totp, "name_length": factors.NAME_LENGTH}
    if may_totp:
        secret = factors.offered_secret(request, user)
        context |= {"secret": secret, "picture": factors.picture_of(user, secret)}
    return context


def enrol_given(request: HttpRequest, user: User, *, may_totp: bool) -> list[str]:
    """Enrol what was sent; answers fresh recovery codes. Raises CodeWrong or PasskeyWrong."""
    code, credential = read_factor(request)
    if credential:
        return factors.enrol_passkey(
            user, credential, request.POST.get("name", "").strip()[: factors.NAME_LENGTH]
        )
    if not may_totp:
        raise factors.PasskeyWrong()
    return factors.enrol_totp(request, user, code)


def read_factor(request: HttpRequest) -> tuple[str, Any]:
    """The code and the passkey's answer that were sent; unreadable ones are empty."""
    form = FactorForm(request.POST)
    form.is_valid()
    return form.cleaned_data.get("code", ""), form.cleaned_data.get("credential")


def show_codes(request: HttpRequest, fresh: list[str], onto: str) -> HttpResponse:
    """Recovery codes, once; straight on when there are none."""
    if not fresh:
        return redirect(onto)
    return render(request, "accounts/recovery_codes.html", {"codes": fresh, "onto": onto})


def inside(request: HttpRequest, address: str) -> str:
    """`address` if it is one of our own pages, else home: never a way out to another site."""
    is_ours = url_has_allowed_host_and_scheme(
        address, {request.get_host()}, require_https=request.is_secure()
    )
    return address if address and is_ours else reverse("home")


def _status(refusal: Refusal | None, form: Any) -> int:
    return refusal.status if refusal else 400 if form.errors else 200
