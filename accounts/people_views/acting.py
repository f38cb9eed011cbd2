"""What these pages share: the person or post she may see, unknown fields, an act with its refusal."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict
from django.shortcuts import get_object_or_404

from accounts.administration.reach import administered, people
from accounts.models import Organization, Post, User
from config.errors import BadRequest, Refusal

STEP = "step"  # of a form with a preview: "save" saves, anything else shows
_NO_FIELDS = frozenset(("csrfmiddlewaretoken", STEP))


def person_or_404(request: HttpRequest, pk: int) -> User:
    """A person of an office whose accounts she administers."""
    user: Any = request.user
    return get_object_or_404(people(user), pk=pk)


def post_or_404(request: HttpRequest, pk: int) -> Post:
    """A post of somebody's own at an office whose accounts she administers."""
    user: Any = request.user
    posts = Post.objects.filter(office__in=administered(user), stands_for=None)
    return get_object_or_404(posts.select_related("office", "user"), pk=pk)


def offices_of(request: HttpRequest) -> list[Organization]:
    """The offices whose accounts she administers, her own first."""
    user: Any = request.user
    return list(administered(user).order_by("path"))


def posted(request: HttpRequest) -> QueryDict | None:
    """What was sent, were it nothing at all; None for a page that is only looked at."""
    return request.POST if request.method == "POST" else None


def read(form: forms.Form) -> bool:
    """Whether a posted form is complete. Raises BadRequest for fields that it does not have (AZ-5)."""
    if unknown := set(form.data) - set(form.fields) - _NO_FIELDS:
        raise BadRequest(why="、".join(sorted(unknown))[:60])
    return form.is_valid()


def try_to(request: HttpRequest, act: Callable[[], Any]) -> tuple[Any, Refusal | None]:
    """What `act` answers, or its refusal, which the page shows beside what was typed."""
    try:
        return act(), None
    except Refusal as refused:
        request.refusal = refused  # type: ignore[attr-defined]
        return None, refused


def status_of(form: forms.Form | None, refusal: Refusal | None) -> int:
    return refusal.status if refusal else 400 if form is not None and form.errors else 200
