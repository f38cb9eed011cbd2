"""Protected pupils (AZ-10): set by two persons, hidden from search, look-up, portal and other schools; what
is sealed about them is revealed by two persons only.
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, User
from accounts.notices import notify
from accounts.offices import authority_of
from accounts.rights import explain, seated
from accounts.roles import Right
from audit.services import record
from config.clock import today
from config.errors import Refusal
from config.rules import rule
from config.scope import NATION, scope
from registry.models import Protection, RevealRequest, Student

SHORTEST_REASON = 6  # characters, as a reveal's
HIDDEN_PLACE = _("（不予显示，请联系本省学籍主管部门）")
State = Protection.State


class ProtectionUnclear(Refusal):
    code, status, rule = "protection_unclear", 422, "AZ-10"
    message = _("设定保护对象须写明理由（至少 {count} 个字），保护期限应在今天之后、{days} 日以内。")


class ProtectionOpen(Refusal):
    code, status, rule = "protection_open", 409, "AZ-10"
    message = _("该生已是保护对象，或已提出申请等待主管部门确认。请刷新后查看。")


class ProtectionMoved(Refusal):
    code, status, rule = "protection_moved", 409, "AZ-10"
    message = _("该申请已由他人处理，请刷新后查看。")


class OwnProposal(Refusal):
    code, status, rule = "own_proposal", 403, "AZ-7"
    message = _("须由另一人确认：提出申请的人不能自己确认或同意。")


class SecondPersonNeeded(Refusal):
    """The pupil is protected: the request is kept, a second person answers it."""

    code, status, rule, article = "second_person_needed", 403, "AZ-10", "第二十四条"
    message = _(
        "该项信息须两人查看：申请已提交，请本单位另一名有权人员在 {minutes} 分钟内同意，之后再次点击显示。"
    )


class RequestGone(Refusal):
    code, status, rule = "reveal_request_gone", 409, "AZ-10"
    message = _("该申请已过时、已被同意或已使用。如仍需要，请申请人重新提出。")


# ── Who is protected ─────────────────────────────────────────────────────────────────────────────────────
def in_force() -> "QuerySet[Protection]":
    """Protections that hold today, as far as the present scope reaches."""
    return Protection.objects.filter(state=State.IN_FORCE, until__gte=today())


def is_protected(student_id: int | None) -> bool:
    """Whether the pupil is protected, wherever she is: asked by who looks in from another office."""
    return student_id is not None and bool(protected_among([student_id]))


def protected_among(student_ids: Collection[int]) -> set[int]:
    """Those of the pupils who are protected, wherever they are."""
    with scope(NATION):
        return set(in_force().filter(student_id__in=student_ids).values_list("student_id", flat=True))


def protected_ids() -> list[int]:
    """Everybody who is protected, also pupils of former schools: to be left out of what is counted."""
    with scope(NATION):
        return list(in_force().values_list("student_id", flat=True))


def changed_since(moment: datetime) -> list[int]:
    """Pupils whose protection began, ended or ran out since then, wherever they are."""
    ran_out = Q(until__gte=timezone.localdate(moment), until__lt=today())
    with scope(NATION):
        changed = Protection.objects.filter(Q(decided_at__gt=moment) | Q(ended_at__gt=moment) | ran_out)
        return list(changed.values_list("student_id", flat=True))


def hidden_from(user: User) -> "QuerySet[Protection, int]":
    """The ids of the pupils whom lists, searches and exports of this user leave out.

    Those protected at other offices than her own, unless she is of those who set protection; a school sees
    its own, and asks nothing.
    """
    office = user.acting_office
    if office is None or office.kind == Organization.Kind.SCHOOL or user.holds(Right.PROTECT_STUDENT):
        return Protection.objects.none().values_list("student_id", flat=True)
    return in_force().exclude(org_path=user.acting_path).values_list("student_id", flat=True)


# ── Setting and ending it ────────────────────────────────────────────────────────────────────────────────
def may_propose(user: User, student: Student) -> bool:
    return user.may_act_at(Right.PROTECT_STUDENT, student.org_path)


def may_decide(user: User, student: Student) -> bool:
    return user.may_act_at(Right.PROTECT_STUDENT, _authority(student))


def _authority(student: Student) -> str:
    school = Organization.objects.get(path=student.org_path)
    above = authority_of(school)
    return above.path if above else NATION


@transaction.atomic
def propose(student: Student, *, actor: User, reason: str, until: date | None) -> Protection:
    """The school's leader asks. Raises NotAllowed, ProtectionUnclear, ProtectionOpen."""
    explain(actor, Right.PROTECT_STUDENT, at=student.org_path).or_raise()
    reason, most = " ".join(reason.split())[:300], rule("PROTECTION_DAYS", at=student.org_path).number
    if len(reason) < SHORTEST_REASON or not until or not today() < until <= today() + timedelta(days=most):
        raise ProtectionUnclear(count=SHORTEST_REASON, days=most)
    # One that ran out makes room for the next.
    Protection.objects.filter(student=student, state=State.IN_FORCE, until__lt=today()).update(
        state=State.ENDED, ended_at=Now()
    )
    try:
        with transaction.atomic():
            asked = Protection.objects.create(
                org_path=student.org_path, student=student, reason=reason, until=until, proposed_by=actor,
                proposed_by_name=actor.signing_name,
            )  # fmt: skip
    except IntegrityError as error:
        raise ProtectionOpen() from error
    record("registry.protection.propose", asked, actor=actor, basis="AZ-10")
    return asked


@transaction.atomic
def decide(asked: Protection, *, actor: User, is_confirmed: bool) -> None:
    """The authority's leader confirms or declines. Raises NotAllowed, OwnProposal, ProtectionMoved."""
    explain(actor, Right.PROTECT_STUDENT, at=_authority(asked.student)).or_raise()
    if actor.pk == asked.proposed_by_id:
        raise OwnProposal()
    state = State.IN_FORCE if is_confirmed else State.DECLINED
    _move(asked, State.PROPOSED, state=state, decided_by_name=actor.signing_name, decided_at=Now())
    act = "confirm" if is_confirmed else "decline"
    record(f"registry.protection.{act}", asked, actor=actor, basis="AZ-10")


@transaction.atomic
def end(held: Protection, *, actor: User, reason: str) -> None:
    """The authority's leader ends it. Raises NotAllowed, ProtectionUnclear, ProtectionMoved."""
    explain(actor, Right.PROTECT_STUDENT, at=_authority(held.student)).or_raise()
    reason = " ".join(reason.split())[:300]
    if len(reason) < SHORTEST_REASON:
        days = rule("PROTECTION_DAYS", at=held.org_path).number
        raise ProtectionUnclear(count=SHORTEST_REASON, days=days)
    _move(
        held, State.IN_FORCE, state=State.ENDED, ended_by_name=actor.signing_name, ended_reason=reason,
        ended_at=Now(),
    )  # fmt: skip
    record("registry.protection.end", held, actor=actor, basis="AZ-10")


def _move(row: Protection, expected: str, **columns: Any) -> None:
    if Protection.objects.filter(pk=row.pk, state=expected).update(**columns) != 1:
        raise ProtectionMoved()


# ── A reveal by two persons ──────────────────────────────────────────────────────────────────────────────
def _alive(path: str) -> "QuerySet[RevealRequest]":
    span = timedelta(minutes=rule("REVEAL_SECOND_MINUTES", at=path).number)
    return RevealRequest.objects.filter(used_at=None, asked_at__gt=timezone.now() - span)


def use_approval(student: Student, key: str, *, actor: User, reason: str) -> None:
    """Use up the second person's word for this field, or ask for it. Raises SecondPersonNeeded, after which
    the request stands although the request of the page is rolled back.
    """
    mine = _alive(actor.acting_path).filter(student_id=student.pk, field=key, asked_by=actor)
    ready = mine.filter(approved_at__isnull=False).values_list("pk", flat=True).first()
    if ready and RevealRequest.objects.filter(pk=ready, used_at=None).update(used_at=Now()):
        return

    def ask() -> None:
        if mine.exists():
            return
        asked = RevealRequest.objects.create(
            org_path=actor.acting_path, student_id=student.pk, field=key, reason=reason[:200], asked_by=actor,
            asked_by_name=actor.signing_name,
        )  # fmt: skip
        record("registry.protection.ask", asked, actor=actor, reason=reason, basis="AZ-10", fields=[key])
        seat = (actor.acting_path, str(Right.VIEW_IDENTITY))
        colleagues = set(seated([seat])[seat]) - {actor.pk}
        text = _("{name}申请查看保护对象的一项明文，请您核对后同意").format(name=actor.signing_name)
        notify(colleagues, "second_person", text, reverse("registry:reveal_requests"))

    raise SecondPersonNeeded(
        minutes=rule("REVEAL_SECOND_MINUTES", at=actor.acting_path).number, afterwards=ask
    )


def waiting_requests(user: User) -> "QuerySet[RevealRequest]":
    """The requests of her office that wait for a second person: also her own, which another answers."""
    rows = _alive(user.acting_path).filter(org_path=user.acting_path, approved_at=None)
    return rows.select_related("asked_by").order_by("-asked_at", "-pk")


@transaction.atomic
def approve(asked: RevealRequest, *, actor: User) -> None:
    """A second person who may reveal at the same office agrees. Raises NotAllowed, OwnProposal or
    RequestGone.
    """
    explain(actor, Right.VIEW_IDENTITY, at=asked.org_path).or_raise()
    if actor.pk == asked.asked_by_id:
        raise OwnProposal()
    agreed = _alive(asked.org_path).filter(pk=asked.pk, approved_at=None)
    if agreed.update(approved_by_name=actor.signing_name, approved_at=Now()) != 1:
        raise RequestGone()
    record("registry.protection.agree", asked, actor=actor, basis="AZ-10", fields=[asked.field])
