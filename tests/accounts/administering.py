"""An office with its administrators, and filling in their pages."""

import time
from datetime import date
from typing import Any

from django.test import Client
from django.urls import reverse

from accounts.models import User
from config.clock import today
from tests import make

REASON = "学期初分工"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def browser(person: User, *, stepped_up: bool = True) -> Client:
    """Signed in as `person`, with a second factor proved just now."""
    from tests.conftest import ScopelessClient

    client = ScopelessClient()
    client.force_login(person)
    if stepped_up:
        session = client.session
        session["factor_at"] = time.time()
        session.save()
    return client


def again(person: User) -> User:
    """The same person as the next request knows her, under the same post."""
    fresh = User.objects.get(pk=person.pk)
    fresh.acting_post = person.acting_post
    return fresh


def staff_number() -> str:
    """A valid identity number of a grown-up."""
    return make.identity_number(date(1985, 5, 4))


def new_person(office: str = make.SCHOOL, role: str = "registrar", **changes: Any) -> dict[str, Any]:
    """The form of a new account, filled in."""
    return {
        "name": "张卫", "username": f"zhang.{staff_number()[-9:-1]}", "number": staff_number(),
        "phone": "0755-26000001", "office": make.make_office(office).pk, "role": role,
        "first": today().isoformat(), "last": "", "reason": REASON, "step": "save",
    } | changes  # fmt: skip


def new_post(office: str = make.SCHOOL, role: str = "registrar", **changes: Any) -> dict[str, Any]:
    """The form of an appointment, filled in."""
    return {
        "office": make.make_office(office).pk, "role": role, "first": today().isoformat(), "last": "",
        "reason": REASON, "step": "save",
    } | changes  # fmt: skip


def appoint(client: Client, person: User, **form: Any) -> Any:
    return client.post(reverse("accounts:appoint", args=[person.pk]), new_post(**form))


def code_of(response: Any) -> str:
    """The refusal's code, as the page shows it."""
    return response.context["refusal"].code if response.context["refusal"] else ""
