"""A province of its own for everything that really commits, and its removal afterwards."""

import itertools
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from accounts.models import Organization, User
from archives.models import Material
from config.models import Outbox
from config.scope import NATION, PathField, ancestors, scoped_transaction
from config.sealed_files import erase
from registry.models import ImportRow, SchoolClass, Student
from tests import make
from tests.transfers.filing import make_material
from transfers.outbox import COMPLETE_CASE, NUMBER_BATCH, NUMBER_STUDENT

PROVINCE = "CN.65."
CITY, COUNTY, AWAY_COUNTY = "CN.65.01.", "CN.65.01.02.", "CN.65.02.01."
SCHOOL, AWAY = f"{COUNTY}2165000001.", f"{AWAY_COUNTY}2165000002."

_ONCE = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in: her account, and the session her requests carry."""

    user: User
    session: str


@dataclass(frozen=True, slots=True)
class Office:
    """A school with its class and the three persons of a registration."""

    path: str
    school_class: SchoolClass
    registrar: Person
    leader: Person
    reviewer: Person

    def with_new_class(self) -> "Office":
        with scoped_transaction(NATION):
            return replace(self, school_class=make.make_class(self.path))

    def material(self) -> Material:
        with scoped_transaction(NATION):
            return make_material(self.registrar.user)

    def filing(self, values: dict[str, str] | None = None) -> dict[str, Any]:
        """The body of a filing request; the paper is uploaded before."""
        return {
            "class_id": self.school_class.pk,
            "material": self.material().pk,
            "values": values or new_values(),
        }


def new_values(**changes: str) -> dict[str, str]:
    """A new first-grader whose name nobody else has: by it she is found when nobody has heard an answer."""
    once = next(_ONCE)
    birth = make.first_grader_birth() + timedelta(days=once % 300)
    name = f"阿依{chr(0x4E00 + once * 5 % 20000)}{chr(0x6000 + once % 16000)}"
    return make.valid_values(birth_on=birth.isoformat(), name=name) | changes


def sign_in(user: User) -> Person:
    client = Client()
    client.force_login(user)
    return Person(user, client.cookies[settings.SESSION_COOKIE_NAME].value)


def make_person(role: str, path: str) -> Person:
    return sign_in(make.make_user(role, path))


def open_office(path: str = SCHOOL) -> Office:
    """A fresh class and fresh persons at the school of `path`, committed."""
    with scoped_transaction(NATION):
        return Office(
            path,
            make.make_class(path),
            make_person("registrar", path),
            make_person("leader", path),
            make_person("reviewer", ancestors(path)[-2]),
        )


def make_pupil(office: Office, *, number: str = "", **changes: str) -> Student:
    """A pupil in school, without the case that brought her there."""
    with scoped_transaction(NATION):
        return make.make_student(office.school_class, number=number, **new_values(**changes))


def let_a_minute_pass(cases: list[int], students: list[int]) -> None:
    """The sweeper leaves young rows to the queue; make these old enough for it, on any test's clock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE config_outbox SET created_at = created_at - interval '20 years' WHERE done_at IS NULL"
            " AND (kind = %s AND subject_id = ANY(%s) OR kind = %s AND subject_id = ANY(%s))",
            [COMPLETE_CASE, cases, NUMBER_STUDENT, students],
        )


def clear() -> None:
    """Take the province out again, except what nobody can: the log and the history.

    Foreign keys are checked at the commit, so the order does not matter.
    """
    users = User.objects.filter(posts__office__path__startswith=PROVINCE)
    ids = list(users.values_list("pk", flat=True))
    with scoped_transaction(NATION):
        for name in Material.objects.within(PROVINCE).values_list("stored_as", flat=True):
            erase(name)
        students = list(Student.objects.within(PROVINCE).values_list("pk", flat=True))
        Outbox.objects.filter(kind=NUMBER_STUDENT, subject_id__in=students).delete()
        rows = list(ImportRow.objects.within(PROVINCE).values_list("pk", flat=True))
        Outbox.objects.filter(kind=NUMBER_BATCH, subject_id__in=rows).delete()
    sessions = [s.pk for s in Session.objects.all() if int(s.get_decoded().get("_auth_user_id", 0)) in ids]
    Session.objects.filter(pk__in=sessions).delete()
    offices = list(Organization.objects.within(PROVINCE).values_list("pk", flat=True))
    with scoped_transaction(NATION), connection.cursor() as cursor:
        for table, column, keys in (
            ("accounts_trainingrecord", "user_id", ids),
            ("accounts_post", "user_id", ids),
            ("accounts_notice", "user_id", ids),
            ("accounts_signin", "user_id", ids),
            ("accounts_organization_predecessors", "from_organization_id", offices),
            ("registry_school", "organization_id", offices),
            ("registry_campaignunit", "office_id", offices),
        ):
            cursor.execute(f"DELETE FROM {table} WHERE {column} = ANY(%s)", [keys])
        for model in apps.get_models():
            paths = [field.column for field in model._meta.fields if isinstance(field, PathField)]
            if not paths or not model._meta.managed or hasattr(model, "pgh_id"):
                continue
            cursor.execute("SELECT has_table_privilege(%s, 'DELETE')", [model._meta.db_table])
            if not cursor.fetchone()[0]:  # kept for ever
                continue
            inside = " OR ".join(f"({path} >= %s AND {path} < %s)" for path in paths)
            bounds = [PROVINCE, f"{PROVINCE}~"] * len(paths)
            cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE {inside}", bounds)
        cursor.execute("DELETE FROM accounts_user WHERE id = ANY(%s)", [ids])
