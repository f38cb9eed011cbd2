"""Accounts of the demonstration: one for every role at every level, special cases, and the schools' staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Permission
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from accounts.models import OfficeGrant, Organization, Post, TrainingRecord, User
from accounts.personas import PASSWORD, PREFIX
from accounts.roles import GRANTABLE, ROLES
from registry.demo.country import (
    AUTHORITY_SCHOOL,
    NINE_YEAR_SCHOOL,
    OTHER_SCHOOL,
    PLACES,
    PRIVATE_SCHOOL,
    SCHOOLS,
    STORY_SCHOOL,
    TOWNSHIP_SCHOOL,
)
from registry.demo.names import adult
from registry.demo.papers import Papers
from registry.demo.sealings import leave_unused

_PATHS = {school.code: school.path for school in SCHOOLS}
# The line of the story, from the school to the nation, and the two levels that not every line has.
LEVELS = {
    "school": _PATHS[STORY_SCHOOL],
    "township": "CN.51.34.31.101.",
    "county": "CN.44.03.05.",
    "authority": "CN.44.N01.",
    "city": "CN.44.03.",
    "province": "CN.44.",
    "nation": "CN.",
}
# The host county of a school that the city runs: it sees who studies there (R-TRF-20).
_HOSTED = {("county", "reviewer"): "CN.44.03.3444030001."}
_OTHER, _OTHER_COUNTY = _PATHS[OTHER_SCHOOL], "CN.44.03.04."


@dataclass(frozen=True, slots=True)
class PersonPlan:
    """One account: its posts as (role, path of the office)."""

    username: str
    posts: tuple[tuple[str, str], ...]
    is_trained: bool = True
    is_sealed: bool = False
    granted: str = ""  # path of an office outside the own line that a dated grant opens


def persona_plans() -> list[PersonPlan]:
    """Every role at every level where it exists, then the special cases."""
    plans = [
        PersonPlan(f"{PREFIX}{level}.{code}", ((code, path),), granted=_HOSTED.get((level, code), ""))
        for level, path in LEVELS.items()
        for code, role in ROLES.items()
        if level in role.kinds
    ]
    special = (
        PersonPlan("other.registrar", (("registrar", _OTHER),)),
        PersonPlan("other.leader", (("leader", _OTHER),)),
        PersonPlan("other.reviewer", (("reviewer", _OTHER_COUNTY),)),
        PersonPlan("township.school.registrar", (("registrar", _PATHS[TOWNSHIP_SCHOOL]),)),
        PersonPlan("township.school.leader", (("leader", _PATHS[TOWNSHIP_SCHOOL]),)),
        PersonPlan("township.county.reviewer", (("reviewer", "CN.51.34.31."),)),
        PersonPlan("authority.school.registrar", (("registrar", _PATHS[AUTHORITY_SCHOOL]),)),
        PersonPlan("authority.school.leader", (("leader", _PATHS[AUTHORITY_SCHOOL]),)),
        PersonPlan("capital.county.reviewer", (("reviewer", "CN.11.0108."),)),
        PersonPlan(
            "two.posts", (("registrar", _PATHS[PRIVATE_SCHOOL]), ("head_teacher", _PATHS[NINE_YEAR_SCHOOL]))
        ),
        PersonPlan("untrained.registrar", (("registrar", LEVELS["school"]),), is_trained=False),
        PersonPlan("sealed.registrar", (("registrar", LEVELS["school"]),), is_sealed=True),
        PersonPlan("guest.auditor", (("auditor", "CN.44."),), granted="CN.51."),
    )
    return plans + [
        PersonPlan(PREFIX + plan.username, plan.posts, plan.is_trained, plan.is_sealed, plan.granted)
        for plan in special
    ]


def staff_plans() -> list[PersonPlan]:
    """Staff of the other schools, so that contacts can be named; their accounts have no password."""
    return [
        PersonPlan(f"{school.code}.{role}", ((role, school.path),))
        for school in SCHOOLS
        if school.code != STORY_SCHOOL
        for role in ("registrar", "leader", "head_teacher")
    ] + [
        PersonPlan(f"{STORY_SCHOOL}.teacher{number}", (("head_teacher", LEVELS["school"]),))
        for number in range(1, 6)
    ]


def load_personas(today: date, seed: int) -> dict[str, User]:
    """Write accounts, posts, training and grants. Answers the accounts by username."""
    random = Random(seed + 2)
    papers = Papers(random)
    plans, staff = persona_plans(), staff_plans()
    offices = {
        office.path: office for office in Organization.objects.filter(path__in=_paths([*plans, *staff]))
    }
    since = date(today.year - 1, 9, 1)
    users, names = [], set()
    for plan in [*plans, *staff]:
        office = offices[plan.posts[0][1]]
        while (name := adult(random, random.choice("12"))) in names:
            pass
        names.add(name)
        is_persona = plan.username.startswith(PREFIX)
        users.append(
            User(
                username=plan.username,
                name=name,
                phone=papers.landline(_area_code(office)),
                password=make_password(PASSWORD if is_persona else None),
                password_chosen_at=timezone.now() if is_persona else None,
                sealed_at=timezone.now() if plan.is_sealed else None,
            )
        )
    by_name = {user.username: user for user in User.objects.bulk_create(users)}
    Post.objects.bulk_create(
        Post(
            user=by_name[plan.username],
            office=offices[path],
            role=role,
            valid=DateRange(since, None),
            appointed_by_name="演示数据",
        )
        for plan in [*plans, *staff]
        for role, path in plan.posts
    )
    TrainingRecord.objects.bulk_create(
        TrainingRecord(user=by_name[plan.username], completed_on=today - timedelta(days=90), hours=16)
        for plan in [*plans, *staff]
        if plan.is_trained and any(ROLES[role].needs_training for role, _path in plan.posts)
    )
    permissions = Permission.objects.filter(
        content_type__app_label="accounts", codename__in=[str(right) for right in GRANTABLE]
    )
    OfficeGrant.objects.bulk_create(
        OfficeGrant(
            user=by_name[plan.username],
            permission=permission,
            content_object=Organization.objects.get(path=plan.granted),
            valid=DateRange(today - timedelta(days=30), today + timedelta(days=90)),
            reason="演示：受托查看本线以外的单位",
            granted_by_name="中华人民共和国教育部",
        )
        for plan in plans
        if plan.granted
        for permission in permissions
    )
    leave_unused(by_name)
    return by_name


def _paths(plans: list[PersonPlan]) -> set[str]:
    return {path for plan in plans for _role, path in plan.posts}


def _area_code(office: Organization) -> str:
    """The area code of the place, else that of the provincial capital."""
    place = PLACES.get(office.division)
    if place:
        return place.area_code
    return {"44": "020", "51": "028", "11": "010"}.get(office.division[:2], "010")
