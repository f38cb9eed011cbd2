"""One's own account: step-up, password, sign-ins, second factors."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import factors, passwords, sign_ins, signing_in
from accounts.models import SignIn
from accounts.rights import requires
from accounts.sign_in_forms import ChangePasswordForm
from accounts.sign_in_views import enrol_given, enrolment, inside, read_factor, show_codes
from accounts.step_up import is_fresh, require_step_up, steps_up
from config.errors import Refusal


@requires()
@require_http_methods(["GET", "POST"])
def step_up(request: HttpRequest) -> HttpResponse:
    """Prove a second factor once more, then back to where it was asked for (AC-7)."""
    user: Any = request.user
    onto = inside(request, request.POST.get("next") or request.GET.get("next", ""))
    is_persona = settings.DEMO and request.session.get(sign_ins.HOW) == "persona"
    refusal: Refusal | None = None
    if request.method == "POST":
        code, credential = read_factor(request)
        try:
            if is_persona and "persona" in request.POST:
                signing_in.step_up_as_persona(request, user)
            else:
                signing_in.step_up(request, user, code, credential)
        except Refusal as failure:
            refusal = failure
        else:
            messages.success(request, _("身份已验证，五分钟内有效。请继续刚才的操作。"))
            return redirect(onto)
    context = {
        "types": factors.types_of(user) & factors.PROVING, "refusal": refusal, "next": onto,
        "is_persona": is_persona,
    }  # fmt: skip
    return render(request, "accounts/step_up.html", context, status=refusal.status if refusal else 200)


@requires()
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Change the password; every sign-in ends, and she signs in with the new one (AC-2, AC-6)."""
    user: Any = request.user
    form = ChangePasswordForm(request.POST if request.method == "POST" else None, user=user)
    refusal: Refusal | None = None
    if form.is_bound and form.is_valid():
        try:
            signing_in.prove_own_password(request, user, form.cleaned_data["password"])
        except Refusal as failure:
            refusal = failure
        else:
            passwords.choose(user, form.cleaned_data["new"])
            logout(request)
            return redirect(f"{reverse('accounts:sign_in')}?changed=1")
    context = {
        "form": form, "refusal": refusal, "help": passwords.Rules().get_help_text(),
        "is_over": sign_ins.password_is_over(request), "has_password": user.has_usable_password(),
    }  # fmt: skip
    status = refusal.status if refusal else 400 if form.errors else 200
    return render(request, "accounts/password.html", context, status=status)


@requires()
@require_POST
@steps_up
def drop_password(request: HttpRequest) -> HttpResponse:
    """From now on a passkey only: there is nothing left that could be guessed or has to be changed."""
    user: Any = request.user
    passwords.drop(user)
    logout(request)
    return redirect(f"{reverse('accounts:sign_in')}?changed=1")


@requires()
@require_GET
def own_sign_ins(request: HttpRequest) -> HttpResponse:
    """我的登录: what lives, and what ended within twelve hours."""
    user: Any = request.user
    key = request.session.session_key
    rows = [
        {"one": one, "network": sign_ins.in_words(one.network), "is_this": one.session_key == key}
        for one in SignIn.objects.filter(user=user).order_by("-pk")[:50]
    ]
    context = {"rows": rows, "last_login": user.last_login, "factors": factors.factors_of(user)}
    return render(request, "accounts/sign_ins.html", context)


@requires()
@require_POST
def end_sign_in(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of her own; of somebody else's there is none."""
    user: Any = request.user
    found = get_object_or_404(SignIn, user=user, pk=pk, ended_at=None)
    sign_ins.end_all(user, reason=SignIn.End.REVOKED)
    sign_ins.note("accounts.user.sign_in_end", user)
    if found.session_key == request.session.session_key:
        logout(request)
        return redirect(f"{reverse('accounts:sign_in')}?out=1")
    messages.success(request, _("该登录已结束。"))
    return redirect("accounts:sign_ins")


@requires()
@require_GET
def own_factors(request: HttpRequest) -> HttpResponse:
    """验证方式: what she proves herself by."""
    user: Any = request.user
    held = factors.factors_of(user)
    context = {
        "rows": [
            {"one": one, "label": factors.label(one.type), "name": one.data.get("name", "")}
            for one in held
            if one.type in factors.PROVING
        ],
        "codes_left": factors.recovery_codes_left(user),
        "needs_passkey": factors.needs_passkey(user),
        "has_passkey": any(one.type == factors.Type.WEBAUTHN for one in held),
        "is_fresh": is_fresh(request),
        "has_password": user.has_usable_password(),
        "chosen_at": user.password_chosen_at,
    }
    return render(request, "accounts/factors.html", context)


@requires()
@require_http_methods(["GET", "POST"])
def add_factor(request: HttpRequest) -> HttpResponse:
    """Enrol another passkey, or a phone in the place of the old one: after a step-up, also to look."""
    user: Any = request.user
    require_step_up(request)
    may_totp = factors.Type.TOTP not in factors.types_of(user)
    refusal: Refusal | None = None
    if request.method == "POST":
        try:
            fresh = enrol_given(request, user, may_totp=may_totp)
        except Refusal as failure:
            request.refusal = refusal = failure  # type: ignore[attr-defined]
        else:
            sign_ins.rotate(request)
            messages.success(request, _("已登记新的验证方式。"))
            return show_codes(request, fresh, reverse("accounts:factors"))
    context = enrolment(request, user, may_totp=may_totp) | {"refusal": refusal, "person": user}
    return render(request, "accounts/add_factor.html", context, status=refusal.status if refusal else 200)


@requires()
@require_POST
@steps_up
def remove_factor(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one of her own factors away; all her sign-ins end (AC-4)."""
    user: Any = request.user
    found = get_object_or_404(Authenticator, user_id=user.pk, pk=pk, type__in=factors.PROVING)
    factors.remove(user, found)
    logout(request)
    return redirect(f"{reverse('accounts:sign_in')}?changed=1")


@requires()
@require_POST
@steps_up
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Ten new recovery codes in the place of the old ones, shown once."""
    user: Any = request.user
    return show_codes(request, factors.renew_recovery_codes(user), reverse("accounts:factors"))
