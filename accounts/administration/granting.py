"""Dated grants to look at an office outside the own line, with a reason (SECURITY 2, AC-11)."""

from dataclasses import dataclass
from datetime import date

from django.contrib.auth.models import Permission
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import F, Func, QuerySet
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.administration.appointing import AccountClosed, hold, require_reason
from accounts.administration.reach import administered, require_other, require_reach
from accounts.administration.separation import AdministratorReads, is_administrator_through, term
from accounts.models import OfficeGrant, Organization, User
from accounts.notices import notify
from accounts.roles import GRANTABLE, RIGHT_LABELS, Right
from audit.services import record_many
from config.clock import today
from config.errors import BadRequest, Refusal
from config.rules import rule


class GrantTooLong(Refusal):
    code, status = "grant_too_long", 422
    rule, article = "GRANT_MOST_DAYS", "第二十四条"
    message = _("临时授权须从今天或以后开始，最长 {most} 天。请调整日期，到期后确有需要的再次授权。")


class GrantInOwnLine(Refusal):
    code, status = "grant_in_own_line", 409
    message = _("{name}的岗位已经能查看{office}的该项内容，不需要临时授权。")


class GrantOverlaps(Refusal):
    code, status = "grant_overlaps", 409
    message = _("{name}在这段时间内已有同一授权。请调整日期，或先收回原授权。")


class GrantOver(Refusal):
    code, status = "grant_over", 409
    message = _("该授权已经结束，请刷新后再看。")


class AdministratorGranted(AdministratorReads):
    code = "administrator_granted"
    message = _("{name}任管理员岗位，管理员不查看学籍、办件和日志，不能给予临时授权。请另选一人。")


@dataclass(frozen=True, slots=True)
class Grant:
    """What is about to be granted: one right at one office, from the first to the last day."""

    office: Organization
    right: str
    first: date
    last: date

    @property
    def valid(self) -> DateRange:
        return term(self.first, self.last)


def check(person: User, wanted: Grant, actor: User) -> None:
    """May it be granted? Raises NotAllowed, BeyondReach, OwnAccount, AccountClosed, BadRequest,
    GrantTooLong, AdministratorGranted, GrantInOwnLine or GrantOverlaps.
    """
    require_reach(actor, wanted.office)
    require_other(actor, person)
    if not person.is_active or person.sealed_at:
        raise AccountClosed(name=person.name)
    if wanted.right not in GRANTABLE:
        raise BadRequest(why="right")
    most = rule("GRANT_MOST_DAYS", at=wanted.office.path).number
    if not today() <= wanted.first <= wanted.last or (wanted.last - wanted.first).days >= most:
        raise GrantTooLong(most=str(most))
    if is_administrator_through(person, wanted.valid):
        raise AdministratorGranted(name=person.name)
    if any(wanted.office.path.startswith(path) for path in person.scope_paths(wanted.right)):
        raise GrantInOwnLine(name=person.name, office=wanted.office.name)
    if _alike(person, wanted).exists():
        raise GrantOverlaps(name=person.name)


@transaction.atomic
def grant(person: User, wanted: Grant, *, actor: User, reason: str) -> OfficeGrant:
    """Let `person` look at the office for the time. The rows of both are held: an appointment to an
    administration in the same moment waits and sees it. Raises the refusals of `check`, ReasonMissing.
    """
    require_reason(reason)
    person = hold(person, wanted.office)
    check(person, wanted, actor)
    made = OfficeGrant.objects.create(
        user=person, content_object=wanted.office, permission=_permission(wanted.right),
        valid=wanted.valid, reason=reason.strip(), granted_by_name=actor.name,
    )  # fmt: skip
    _record("accounts.grant.give", made, actor, reason.strip())
    words = _("您自{first:%Y-%m-%d}至{last:%Y-%m-%d}可查看{office}：{right}。").format(
        first=wanted.first,
        last=wanted.last,
        office=wanted.office.name,
        right=RIGHT_LABELS[Right(wanted.right)],
    )
    notify([person.pk], "post_changed", words, reverse("accounts:help"))
    return made


@transaction.atomic
def end_grant(made: OfficeGrant, *, actor: User, reason: str) -> None:
    """Take it back now. Raises NotAllowed, BeyondReach, ReasonMissing, GrantOver."""
    require_reach(actor, made.content_object)
    require_reason(reason)
    day = today()
    left = DateRange(made.valid.lower, day) if made.valid.lower < day else DateRange(empty=True)
    if not OfficeGrant.objects.filter(pk=made.pk, valid=made.valid, valid__endswith__gt=day).update(
        valid=left
    ):
        raise GrantOver()
    _record("accounts.grant.end", made, actor, reason.strip())


def end_all_of(person: User) -> int:
    """End every grant of who leaves; answers how many."""
    running = OfficeGrant.objects.filter(user=person, valid__endswith__gt=today())
    day = today()
    coming = running.filter(valid__startswith__gte=day).update(valid=DateRange(empty=True))
    until = Func(
        Lower(F("valid")), day, function="daterange", output_field=OfficeGrant._meta.get_field("valid")
    )
    return coming + running.filter(valid__startswith__lt=day).update(valid=until)


def grants_given(actor: User) -> "QuerySet[OfficeGrant]":
    """Grants on the offices she administers that are not over, soonest end first."""
    running = OfficeGrant.objects.filter(content_object__in=administered(actor), valid__endswith__gt=today())
    return running.select_related("user", "content_object", "permission").order_by("valid", "pk")


def _alike(person: User, wanted: Grant) -> "QuerySet[OfficeGrant]":
    return OfficeGrant.objects.filter(
        user=person, content_object=wanted.office, permission__codename=wanted.right,
        valid__overlap=wanted.valid,
    )  # fmt: skip


def _permission(right: str) -> Permission:
    return Permission.objects.get(codename=right, content_type__app_label="accounts")


def _record(action: str, made: OfficeGrant, actor: User, reason: str) -> None:
    office = made.content_object
    record_many(
        action, "user", [(made.user_id, office.path)], actor=actor, reason=reason, name=made.user.name,
        at=office.name, right=str(RIGHT_LABELS[Right(made.permission.codename)]),
        until=made.valid.upper.isoformat(),
    )  # fmt: skip
