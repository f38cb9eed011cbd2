"""Choosing a post and a language, the tree of offices."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts import offices as tree
from accounts.forms import OfficeFilter
from accounts.middleware import GRANT_IN_SESSION, POST_IN_SESSION
from accounts.models import Organization
from accounts.rights import requires
from accounts.roles import Right
from config.errors import NotFound
from config.middleware import LANGUAGE_COOKIE


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
