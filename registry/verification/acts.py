"""Findings as tasks of the school: a plan with a day, or what was done (R-VER-05); orders of article 26."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Least, Now
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.notices import notify
from accounts.rights import explain, seated
from accounts.roles import Right
from audit.services import record, record_many
from config.clock import today
from registry.models import Campaign, Finding, RollMark
from registry.verification.checking import hold, recount
from registry.verification.kinds import OFFENCES
from registry.verification.refusals import (
    AnswerUnclear,
    CloseUnclear,
    FindingMoved,
    NothingChosen,
    NotInspecting,
    OrderStands,
    OrderUnclear,
    PlanUnclear,
    WayMissing,
)

State = Finding.State
Way = RollMark.Way
SHORTEST = 6  # characters of a plan, a report, an order
MOST = 200  # findings in one act


@transaction.atomic
def plan(
    campaign: Campaign, path: str, ids: Collection[int], *, actor: User, text: str, due_on: date | None
) -> int:
    """The school's registrar says what will be done by which day. May be changed until it is closed; a day
    that was ordered stands.

    Raises NotAllowed, NothingChosen, PlanUnclear, WayMissing or FindingMoved.
    """
    explain(actor, Right.EDIT_STUDENT, at=path).or_raise()
    text, last = tidy(text), max(campaign.due_on, today())
    if len(text) < SHORTEST or due_on is None or not today() <= due_on <= last:
        raise PlanUnclear(count=SHORTEST, last=f"{last:%Y-%m-%d}")
    hold(campaign.pk, [path])
    rows = _chosen(campaign, path, ids).exclude(state=State.CLOSED)
    if unlisted_marks(rows).filter(way="").exists():
        raise WayMissing()
    changed = rows.update(
        state=State.PLANNED, plan=text, due_on=Least(due_on, F("order_due_on")), escalated_on=None,
        planned_by=actor, planned_by_name=actor.signing_name,
    )  # fmt: skip
    return _done("plan", campaign, path, ids, changed, actor)


@transaction.atomic
def plan_ways(
    finding: Finding, ways: Mapping[int, str], *, actor: User, text: str, due_on: date | None
) -> None:
    """Plan for each pupil who sits in the class without being on its list (R-VER-06): `ways` by mark.

    Raises as `plan`; WayMissing also where the roll has changed meanwhile.
    """
    explain(actor, Right.EDIT_STUDENT, at=finding.org_path).or_raise()
    hold(finding.campaign_id, [finding.org_path])
    marks = unlisted_marks(Finding.objects.filter(pk=finding.pk))
    named = set(marks.values_list("pk", flat=True))
    if not named or named != ways.keys() or not set(ways.values()) <= set(Way.values):
        raise WayMissing()
    for way in Way:
        marks.filter(pk__in=[pk for pk, chosen in ways.items() if chosen == way]).update(way=way)
    counted = Counter(ways.values())
    said = "、".join(f"{way.label} {counted[way]} 人" for way in Way if counted[way])
    text = f"{said}。{tidy(text)}"
    plan(finding.campaign, finding.org_path, [finding.pk], actor=actor, text=text, due_on=due_on)


def unlisted_marks(findings: "QuerySet[Finding]") -> Any:
    """The pupils that the rolls name of these findings' classes beyond their lists."""
    return RollMark.objects.filter(
        student=None, roll__school_class__in=findings.filter(kind="unlisted").values("school_class"),
        roll__campaign__in=findings.values("campaign"),
    )  # fmt: skip


@transaction.atomic
def close(campaign: Campaign, path: str, ids: Collection[int], *, actor: User, how: str) -> int:
    """The school's registrar says what was done. Raises NotAllowed, NothingChosen, CloseUnclear, OrderStands
    or FindingMoved.
    """
    explain(actor, Right.EDIT_STUDENT, at=path).or_raise()
    hold(campaign.pk, [path])
    how, rows = tidy(how), _chosen(campaign, path, ids)
    if len(how) < SHORTEST:
        raise CloseUnclear(count=SHORTEST)
    if (
        ordered := rows.exclude(offence=None)
        .exclude(state=State.CLOSED)
        .select_related("order_office")
        .first()
    ):
        raise OrderStands(office=ordered.order_office.name if ordered.order_office else "")
    # The state is named again: an order that comes meanwhile wins.
    changed = (
        rows.exclude(state=State.CLOSED)
        .filter(offence=None)
        .update(
            state=State.CLOSED, how=how, closed_at=Now(), closed_by=actor, closed_by_name=actor.signing_name
        )
    )
    return _done("close", campaign, path, ids, changed, actor)


# ── Orders ───────────────────────────────────────────────────────────────────────────────────────────────
def may_inspect(user: User, path: str) -> bool:
    """Whether she inspects for an office above the school at `path`."""
    own = user.acting_path
    return own != path and path.startswith(own) and user.may_act_at(Right.INSPECT, own)


@transaction.atomic
def order(finding: Finding, *, actor: User, offence: int, text: str, due_on: date | None) -> None:
    """An inspector names the offence and orders correction by a day; a closed finding is open again.

    Raises NotInspecting, OrderUnclear, or FindingMoved where another office's order stands.
    """
    if not may_inspect(actor, finding.org_path):
        raise NotInspecting()
    text = tidy(text)
    if offence not in OFFENCES or len(text) < SHORTEST or due_on is None or due_on < today():
        raise OrderUnclear(count=SHORTEST)
    hold(finding.campaign_id, [finding.org_path])
    changed = Finding.objects.filter(pk=finding.pk, offence=None).update(
        offence=offence, order_text=text, order_due_on=due_on, due_on=due_on, order_office=actor.own_office,
        ordered_by_name=actor.signing_name, ordered_at=Now(), state=State.OPEN, closed_at=None, gone_at=None,
        escalated_on=None,
    )  # fmt: skip
    _only_one(changed)
    recount(finding.campaign_id, [finding.org_path])
    record("registry.finding.order", finding, actor=actor, basis="第二十六条", offence=offence)
    _tell(finding.org_path, _("上级责令整改一条核准问题，请按期整改并报告"), finding)


@transaction.atomic
def answer(finding: Finding, *, actor: User, text: str) -> None:
    """The school reports how it corrects. Raises NotAllowed, AnswerUnclear or FindingMoved."""
    explain(actor, Right.EDIT_STUDENT, at=finding.org_path).or_raise()
    text = tidy(text)
    if len(text) < SHORTEST:
        raise AnswerUnclear(count=SHORTEST)
    hold(finding.campaign_id, [finding.org_path])
    open_orders = Finding.objects.filter(pk=finding.pk, offence__isnull=False).exclude(state=State.CLOSED)
    _only_one(
        open_orders.update(
            answer=text, answered_by_name=actor.signing_name, answered_at=Now(), state=State.PLANNED,
            planned_by=actor, planned_by_name=actor.signing_name,
        )
    )  # fmt: skip
    recount(finding.campaign_id, [finding.org_path])
    record("registry.finding.answer", finding, actor=actor, basis="第二十六条")
    if finding.order_office is not None:
        seat = (finding.order_office.path, str(Right.INSPECT))
        said = _("学校提交了一份整改报告，请核对")
        notify(seated([seat])[seat], "verification", said, _address(finding))


@transaction.atomic
def close_order(finding: Finding, *, actor: User, how: str) -> None:
    """The office that ordered closes it. Raises NotInspecting, CloseUnclear or FindingMoved."""
    office = finding.order_office
    if office is None or not actor.may_act_at(Right.INSPECT, office.path):
        raise NotInspecting()
    how = tidy(how)
    if len(how) < SHORTEST:
        raise CloseUnclear(count=SHORTEST)
    hold(finding.campaign_id, [finding.org_path])
    open_orders = Finding.objects.filter(pk=finding.pk, offence__isnull=False).exclude(state=State.CLOSED)
    _only_one(
        open_orders.update(
            state=State.CLOSED, how=how, closed_at=Now(), closed_by=actor, closed_by_name=actor.signing_name
        )
    )
    recount(finding.campaign_id, [finding.org_path])
    record("registry.finding.close_order", finding, actor=actor, basis="第二十六条")
    _tell(finding.org_path, _("一条责令整改的核准问题已由上级销号"), finding)


def raise_by_hand(campaign: Campaign, path: str, kind: str, *, due_on: date, **columns: Any) -> Finding:
    """A finding that an inspector writes, in the act that calls for it."""
    finding = Finding.objects.create(campaign=campaign, org_path=path, kind=kind, due_on=due_on, **columns)
    recount(campaign.pk, [path])
    return finding


# ── Shared ───────────────────────────────────────────────────────────────────────────────────────────────
def tidy(text: str) -> str:
    return " ".join(text.split())[:300]


def _chosen(campaign: Campaign, path: str, ids: Collection[int]) -> "QuerySet[Finding]":
    if not 0 < len(set(ids)) <= MOST:
        raise NothingChosen(most=MOST)
    return Finding.objects.filter(campaign=campaign, org_path=path, pk__in=ids)


def _done(act: str, campaign: Campaign, path: str, ids: Collection[int], changed: int, actor: User) -> int:
    if changed != len(set(ids)):
        raise FindingMoved()
    recount(campaign.pk, [path])
    subjects = [(pk, path) for pk in sorted(set(ids))]
    record_many(f"registry.finding.{act}", "finding", subjects, actor=actor, basis="R-VER-05")
    return changed


def _only_one(changed: int) -> None:
    if changed != 1:
        raise FindingMoved()


def _tell(path: str, text: str, finding: Finding) -> None:
    seats = [(path, str(Right.EDIT_STUDENT)), (path, str(Right.REVIEW))]
    people = {pk for found in seated(seats).values() for pk in found}
    notify(people, "verification", text, _address(finding))


def _address(finding: Finding) -> str:
    return reverse("verification:finding", args=[finding.pk])
