"""Which posts one person may not hold, and one office not twice (AC-11, R-ACC-02, R-ACC-05, R-ACC-10)."""

from datetime import date
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import OfficeGrant, Organization, Post, User
from accounts.roles import ADMINISTRATIONS, ROLES
from config.clock import today
from config.errors import Refusal

SYSTEM = "system_administrator"
_BOTH = frozenset(("registrar", "leader"))


class TwoAdministrations(Refusal):
    code, status = "two_administrations", 409
    rule, article = "AC-11", "第二十四条"
    message = _(
        "系统、安全、审计和网络管理员须由不同的人担任，也不能兼任学籍业务岗位：{name}在这段时间内任{held}，"
        "不能再任{wanted}。请另选一人，或先结束原岗位。"
    )


class RegistrarAndLeader(Refusal):
    code, status = "registrar_and_leader", 409
    rule, article = "R-ACC-02", "第二十二条"
    message = _("学籍管理员与学籍主管领导不能由同一人担任：{name}在这段时间内任{held}。请另选一人。")


class SchoolHasAdministrator(Refusal):
    code, status = "school_has_administrator", 409
    rule, article = "R-ACC-05", "第二十四条"
    message = _("一所学校只设一名系统管理员：{office}在这段时间内已由{name}担任。更换时请先结束原岗位。")


class AdministratorReads(Refusal):
    code, status = "administrator_reads", 409
    rule, article = "AC-11", "第二十四条"
    message = _("管理员不得持有查看学籍、办件或日志的临时授权，而{name}持有。请先收回授权，或另选一人。")


def check(person: User, office: Organization, role: str, valid: DateRange) -> None:
    """Whether `person` may hold `role` at `office` through `valid`. Raises the refusals of this module.

    Decides only while the caller holds the rows of the person and of the office; the three administrations
    are kept apart by a constraint besides.
    """
    others = list(
        Post.objects.filter(user=person, valid__overlap=valid).select_related("office").order_by("pk")
    )
    for post in others:
        named: dict[str, Any] = {"name": person.name, "held": f"{post.office.name}{ROLES[post.role].name}"}
        if post.role != role and ADMINISTRATIONS & {post.role, role}:
            raise TwoAdministrations(wanted=ROLES[role].name, **named)
        if {post.role, role} == _BOTH and post.office_id == office.pk:
            raise RegistrarAndLeader(**named)
    if role in ADMINISTRATIONS and OfficeGrant.objects.filter(user=person, valid__overlap=valid).exists():
        raise AdministratorReads(name=person.name)
    if role == SYSTEM and office.kind == Organization.Kind.SCHOOL:
        _check_single(person, office, valid)


def _check_single(person: User, office: Organization, valid: DateRange) -> None:
    there = Post.objects.filter(office=office, role=SYSTEM, valid__overlap=valid, stands_for=None)
    other = there.exclude(user=person).select_related("user").first()
    if other:
        raise SchoolHasAdministrator(office=office.name, name=other.user.name)


def is_administrator_through(person: User, valid: DateRange) -> bool:
    """Whether she holds an administration on some day of `valid`."""
    return Post.objects.filter(user=person, role__in=ADMINISTRATIONS, valid__overlap=valid).exists()


def term(first: date, last: date | None) -> DateRange:
    """The term of a post or grant from its first to its last day, both included."""
    return DateRange(first, last, "[]") if last else DateRange(first, None)


def with_administrator(offices: list[Organization]) -> set[int]:
    """Those of the offices that have a system administrator today or later, in one query."""
    there = Post.objects.filter(office__in=offices, role=SYSTEM, stands_for=None)
    coming = there.filter(Q(valid__endswith__gt=today()) | Q(valid__upper_inf=True))
    return set(coming.values_list("office_id", flat=True))
