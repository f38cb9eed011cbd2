"""Signing in and out, choosing a post, the tree of offices."""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import offices as tree
from accounts import persona_page
from accounts.forms import OfficeFilter, SignInForm
from accounts.middleware import GRANT_IN_SESSION, POST_IN_SESSION
from accounts.models import Organization
from accounts.rights import requires
from accounts.roles import Right
from accounts.signing_in import enter_as, find_persona
from accounts.signing_in import sign_in as try_to_sign_in
from accounts.signing_in import sign_out as end_session
from config.errors import NotFound
from config.middleware import LANGUAGE_COOKIE


@login_not_required
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.method == "GET" and request.user.is_authenticated:
        return redirect("home")
    form = SignInForm(request.POST or None)
    failure = ""
    if request.method == "POST" and form.is_valid():
        if try_to_sign_in(request, form.cleaned_data["username"], form.cleaned_data["password"]):
            return redirect(_inside(request, request.POST.get("next", "")))
        failure = _(
            "账号或密码不正确，或该账号目前不能登录。连续多次失败后须等待15分钟；如需帮助，请联系本单位系统管理员。"
        )
    context = {
        "form": form,
        "failure": failure,
        "next": request.POST.get("next") or request.GET.get("next", ""),
        "was_signed_out": "out" in request.GET,
    }
    return render(
        request, "accounts/sign_in.html", context, status=403 if failure else 400 if form.errors else 200
    )


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    end_session(request)
    response = redirect(f"{reverse('accounts:sign_in')}?out=1")
    response["Clear-Site-Data"] = '"cache", "cookies", "storage"'  # RD-7
    return response


@require_POST
@requires()
def switch_post(request: HttpRequest) -> HttpResponse:
    """Act under another post, or look at a granted office. Home follows: this page may not exist there."""
    posts, offices = request.valid_posts, request.granted_offices  # type: ignore[attr-defined]
    post = next((post for post in posts if str(post.pk) == request.POST.get("post")), None)
    office = next((office for office in offices if str(office.pk) == request.POST.get("granted")), None)
    if post is not None:
        request.session[POST_IN_SESSION] = post.pk
        request.session.pop(GRANT_IN_SESSION, None)
    elif office is not None:
        request.session[GRANT_IN_SESSION] = office.pk
    else:
        raise NotFound()
    return redirect("home")


@require_POST
@requires()
def language(request: HttpRequest) -> HttpResponse:
    """Show pages in Chinese or English from now on, in this browser."""
    chosen = request.POST.get("language", "")
    if chosen not in dict(settings.LANGUAGES):
        raise NotFound()
    response = redirect("home")
    response.set_cookie(
        LANGUAGE_COOKIE, chosen, max_age=365 * 86400, httponly=True, samesite="Lax", secure=settings.IS_HTTPS
    )
    return response


@login_not_required
@require_http_methods(["GET", "POST"])
def personas(request: HttpRequest) -> HttpResponse:
    """The demonstration's cast, one press to sign in as any; it does not exist outside the demonstration."""
    if not settings.DEMO:
        raise NotFound()
    if request.method == "POST":
        chosen = find_persona(request.POST.get("username", ""))
        end_session(request)
        enter_as(request, chosen)
        return redirect("home")
    everybody = persona_page.lines()
    context = {"story": persona_page.story(everybody), "levels": list(persona_page.by_level(everybody))}
    return render(request, "accounts/personas.html", context)


@require_GET
@requires()
def help_page(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/help.html")


@require_GET
@requires(Right.VIEW_OFFICE)
def offices(request: HttpRequest) -> HttpResponse:
    """Children of one office, the acting one unless `at` says; with `q`, offices below it by name or code."""
    user: Any = request.user
    chosen = OfficeFilter(request.GET)
    if not chosen.is_valid():
        raise NotFound()
    visible = tree.visible_offices(user)
    at = get_object_or_404(visible, pk=chosen.cleaned_data["at"] or user.acting_office.pk)
    words = chosen.cleaned_data["q"]
    rows = tree.named(visible.within(at.path), words) if words else visible.filter(parent=at)  # type: ignore[attr-defined]
    if after := chosen.cleaned_data["after"]:
        rows = rows.filter(path__gt=get_object_or_404(visible, pk=after).path)
    found = list(tree.with_counts(rows).order_by("path")[: tree.PAGE_SIZE + 1])
    shown = found[: tree.PAGE_SIZE]
    context = {
        "at": at,
        "trail": [(one.name, f"?at={one.pk}") for one in tree.way_down(at, user) if one.pk != at.pk],
        "rows": shown,
        "after": shown[-1].pk if len(found) > tree.PAGE_SIZE else "",
        "words": words,
    }
    return render(request, "accounts/offices.html", context)


@require_GET
@requires(Right.VIEW_OFFICE)
def office(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    # Past offices stay readable: their successors name them.
    found = get_object_or_404(Organization.objects.visible_to(user, Right.VIEW_OFFICE), pk=pk)
    address = reverse("accounts:offices")
    above = [one for one in tree.way_down(found, user) if one.pk != found.pk]
    context = {
        "office": found,
        "trail": [(one.name, f"{address}?at={one.pk}") for one in above],
        "authority": tree.authority_of(found),
        "posts": list(tree.posts_at(found)),
        "predecessors": list(found.predecessors.order_by("path")),
        "successors": list(found.successors.order_by("path")),
        "counts": tree.with_counts(Organization.objects.filter(pk=found.pk)).get(),
    }
    return render(request, "accounts/office.html", context)


def _inside(request: HttpRequest, address: str) -> str:
    """`address` if it is one of our own pages, else home: never a way out to another site."""
    is_ours = url_has_allowed_host_and_scheme(
        address, {request.get_host()}, require_https=request.is_secure()
    )
    return address if address and is_ours else reverse("home")
