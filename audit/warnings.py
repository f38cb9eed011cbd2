"""Early warning (第二十三条, SECURITY 11): open, fold, take, close; and what is stopped meanwhile.

`warn` may be called from anywhere, in whatever transaction is open; on a path that ends in a refusal through
`Refusal.afterwards`.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest, Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.models_warnings import EarlyWarning, Stop
from audit.services import Actor, System, record
from audit.warning_rules import RULES, WarningRule
from config.clock import now, today
from config.errors import NotAllowed, Refusal
from config.rules import rule as value_of
from config.scope import NATION, scoped_transaction

HANDLE_WARNINGS = "handle_warnings"  # accounts.roles.Right: audit lies below accounts and may not import it
SHORTEST_FINDING = 6  # characters, as a reveal's reason
_HOURS = {"hint": "WARNING_HINT_HOURS", "warning": "WARNING_HOURS", "severe": "WARNING_SEVERE_HOURS"}
State = EarlyWarning.State

# Who tells people of a warning. Notices lie above: accounts puts its function here at start.
TELLERS: list[Callable[[EarlyWarning], None]] = []


class OwnWarning(Refusal):
    code, status, rule, article = "own_warning", 403, "AU-6", "第二十三条"
    message = _("该预警涉及您本人，您不能受理或办结，请由本单位其他安全管理员或上级处置。")


class WarningMoved(Refusal):
    code, status = "warning_moved", 409
    message = _("该预警目前的状态是“{state}”，不能{act}。请刷新后查看。")


class FindingNeeded(Refusal):
    code, status, article = "finding_needed", 422, "第二十三条"
    message = _("办结预警须写明核查结论（至少 {count} 个字）。")


class Stopped(Refusal):
    """An open warning stopped this kind of act for whoever, or whatever, it is about."""

    code, status, article = "stopped_by_warning", 409, "第二十三条"
    message = _("系统预警“{title}”尚未处置（{at_once}），操作没有执行。请联系上级安全管理员。")


def warn(
    rule: str,
    *,
    path: str,
    key: str,
    subject_user: int | None = None,
    subjects: Iterable[int] = (),
    seen: datetime | None = None,
    **facts: Any,
) -> None:
    """Open the early warning `rule` about the office at `path`, or fold into the open one with the same
    rule, path and key.

    `subjects` (and `subject_user`) are the persons it is about: none of them may handle it. `facts` are
    codes, counts and ids, never D4. The evaluator names the newest entry it counted as `seen`: what was
    counted before, in an open or a closed warning, neither folds nor opens again. Raises KeyError for an
    unknown rule.
    """
    about = RULES[rule]
    concerned = sorted({*subjects, *([subject_user] if subject_user else [])})
    with scoped_transaction(path):
        known = EarlyWarning.objects.filter(rule=rule, org_path=path, key=key)
        if seen is not None and known.filter(last_at__gte=seen).exists():
            return
        if _fold(known, seen, facts):
            return
        span = timedelta(hours=value_of(_HOURS[about.level], at=path).number)
        try:
            with transaction.atomic():  # of two at once, one opens and the other folds
                opened = EarlyWarning.objects.create(
                    rule=rule, org_path=path, key=key, level=about.level, subjects=concerned, facts=facts,
                    due_at=timezone.now() + span, **({"last_at": seen} if seen else {}),
                )  # fmt: skip
        except IntegrityError:
            _fold(known, seen, facts)
            return
        if about.stops:
            until = _midnight() if about.until_tomorrow else None
            Stop.objects.create(warning_id=opened.pk, kind=about.stops, key=key, until=until)
        record("audit.warning.open", opened, actor=System(path), rule=rule, title=str(about.title))
        for tell in TELLERS:
            tell(opened)


def _fold(known: Any, seen: datetime | None, facts: dict[str, Any]) -> int:
    last = Greatest(F("last_at"), seen) if seen else Now()
    return int(known.exclude(state=State.CLOSED).update(count=F("count") + 1, last_at=last, facts=facts))


def _midnight() -> datetime:
    """The end of this civil day in China."""
    tomorrow = today() + timedelta(days=1)
    return timezone.make_aware(datetime.combine(tomorrow, datetime.min.time()))


# ── What is stopped ─────────────────────────────────────────────────────────────────────────────────────
def stopped(kind: str, *keys: str) -> Stop | None:
    """The stop in force on acts of `kind` for any of `keys`, or None. One indexed query."""
    in_force = Stop.objects.filter(Q(until=None) | Q(until__gt=now()), kind=kind, key__in=keys, ended_at=None)
    return in_force.first()


def refuse_stopped(kind: str, *keys: str) -> None:
    """Raise Stopped while an open warning stops acts of `kind` for any of `keys`."""
    if stopped(kind, *keys):
        about = next(row for row in RULES.values() if row.stops == kind)
        raise Stopped(title=about.title, at_once=about.at_once)


# ── Handling ────────────────────────────────────────────────────────────────────────────────────────────
def may_handle(user: Any, warning: EarlyWarning) -> bool:
    """Whether she handles warnings at the office it is about, or at one above, and is not its subject.

    Other than elsewhere acting reaches down here: a warning is the affair of the office above, too.
    """
    at = user.acting_path
    above = bool(at) and warning.org_path.startswith(at) and user.may_act_at(HANDLE_WARNINGS, at)
    return above and user.pk not in warning.subjects


def _admit(user: Any, warning: EarlyWarning) -> None:
    if user.pk in warning.subjects:
        raise OwnWarning()
    if not may_handle(user, warning):
        raise NotAllowed(right=str(_("处置预警")), who="")


@transaction.atomic
def take(warning: EarlyWarning, *, actor: Actor) -> None:
    """Take an open warning up; its time runs anew until the finding. Raises OwnWarning, NotAllowed,
    WarningMoved.
    """
    _admit(actor, warning)
    span = timedelta(hours=value_of(_HOURS[warning.level], at=warning.org_path).number)
    taken = EarlyWarning.objects.filter(pk=warning.pk, state=State.OPEN).update(
        state=State.TAKEN, taken_by_id=actor.pk, taken_by_name=signing(actor), taken_at=Now(),
        due_at=timezone.now() + span,
    )  # fmt: skip
    if not taken:
        raise _moved(warning, _("受理"))
    record("audit.warning.take", warning, actor=actor, rule=warning.rule, title=str(warning.about.title))


@transaction.atomic
def close(warning: EarlyWarning, *, actor: Actor, finding: str) -> None:
    """Close a taken warning with what was found; what it stopped goes on. Raises OwnWarning, NotAllowed,
    FindingNeeded, WarningMoved.
    """
    _admit(actor, warning)
    finding = " ".join(finding.split())
    if len(finding) < SHORTEST_FINDING:
        raise FindingNeeded(count=SHORTEST_FINDING)
    closed = EarlyWarning.objects.filter(pk=warning.pk, state=State.TAKEN).update(
        state=State.CLOSED, finding=finding[:1000], closed_by_name=signing(actor), closed_at=Now()
    )
    if not closed:
        raise _moved(warning, _("办结"))
    Stop.objects.filter(warning_id=warning.pk, ended_at=None).update(ended_at=Now())
    record(
        "audit.warning.close", warning, actor=actor, reason=finding[:500], rule=warning.rule,
        title=str(warning.about.title),
    )  # fmt: skip


def _moved(warning: EarlyWarning, act: Any) -> WarningMoved:
    present = EarlyWarning.objects.filter(pk=warning.pk).first() or warning
    return WarningMoved(state=State(present.state).label, act=act)


def signing(actor: Actor) -> str:
    """Under a substitute's post both names."""
    return str(getattr(actor, "signing_name", actor.name))


# ── Overdue ─────────────────────────────────────────────────────────────────────────────────────────────
def escalate() -> int:
    """Tell the next office above of every warning that is overdue, and give it the same time again.

    Safe to run twice or at once: only rows still overdue are taken.
    """
    done = 0
    with scoped_transaction(NATION):
        overdue = EarlyWarning.objects.exclude(state=State.CLOSED).filter(due_at__lt=Now())
        for warning in overdue.select_for_update(skip_locked=True).order_by("due_at")[:200]:
            span = timedelta(hours=value_of(_HOURS[warning.level], at=warning.org_path).number)
            EarlyWarning.objects.filter(pk=warning.pk).update(due_at=timezone.now() + span)
            record(
                "audit.warning.escalate", warning, actor=System(), rule=warning.rule,
                title=str(warning.about.title),
            )  # fmt: skip
            for tell in TELLERS:
                tell(warning)
            done += 1
    return done


def rule_of(warning: EarlyWarning) -> WarningRule:
    return RULES[warning.rule]
