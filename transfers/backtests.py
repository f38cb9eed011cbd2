"""Back-tests that need cases: steps of the past that took longer than a draft clock allows."""

from datetime import timedelta
from typing import Any

from django.db.models import Count, F, Q
from django.db.models.functions import Now, TruncDate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.roles import Right
from config.workdays import Calendar
from registry import backtests
from registry.backtests import SHOWN, BackTest, Draft, Example, Trial, ruled_by
from transfers.kinds import KINDS
from transfers.models import Step

LOOKED_BACK = timedelta(days=365)


def steps(draft: Draft) -> Trial:
    """Decided steps of the last year that took more working days than the draft allows.

    The database groups them by their first and last day, so that the calendar is asked once for each pair of
    days, however many steps there were.
    """
    most, most_now = draft.held().number, draft.now.number
    decided = _decided(draft)
    pairs = (
        # Working days are never more than days: what is shorter than both clocks needs no calendar.
        decided.filter(decided_at__gt=F("arrived_at") + timedelta(days=min(most, most_now)))
        .values("arrived_on", "decided_on")
        .annotate(n=Count("pk"))
        .values_list("arrived_on", "decided_on", "n")
    )
    calendar = Calendar(())
    lasted = [(calendar.between(first, last), first, last, n) for first, last, n in pairs]
    late = sorted((line for line in lasted if line[0] > most), reverse=True)
    return Trial(
        sum(n for *_days, n in late),
        sum(n for days, *_pair, n in lasted if days > most_now),
        _examples(decided, late),
    )


def _decided(draft: Draft) -> Any:
    """Decided steps that run by this clock; which, the kinds themselves say."""
    own = Q()
    for kind in KINDS.values():
        labels = [stop.label for stop in kind.route if stop.days == draft.parameter.key]
        if labels:
            own |= Q(case__kind=kind.code, label__in=labels)
    seen = ruled_by(Step.objects.visible_to(draft.user, Right.VIEW_CASE), draft, "office_path")
    return (
        seen.filter(own, arrived_at__isnull=False, decided_at__gt=Now() - LOOKED_BACK)
        .exclude(decision="")
        .annotate(arrived_on=TruncDate("arrived_at"), decided_on=TruncDate("decided_at"))
    )


def _examples(decided: Any, late: list[tuple[Any, ...]]) -> list[Example]:
    """The slowest, by the pairs of days that are too far apart."""
    longest = {(first, last): days for days, first, last, _n in late[:SHOWN]}
    inside = Q()
    for first, last in longest:
        inside |= Q(arrived_on=first, decided_on=last)
    if not longest:
        return []
    rows = decided.filter(inside).values_list(
        "case_id", "case__number", "label", "office_name", "arrived_on", "decided_on"
    )
    slowest = sorted(rows[: SHOWN * SHOWN], key=lambda row: (-longest[row[4], row[5]], row[0]))
    return [
        Example(
            case_id,
            f"{number} {label}（{office}）",
            _("{first} 至 {last}，{n} 个工作日").format(first=first, last=last, n=longest[first, last]),
            "transfers:case",
            number,
        )
        for case_id, number, label, office, first, last in slowest[:SHOWN]
    ]


_STEPS = BackTest(
    gettext_lazy("近一年内办理时间超过时限的环节"), gettext_lazy("个环节"), Right.VIEW_CASE, "case", steps
)
BACKTESTS: dict[str, BackTest] = backtests.BACKTESTS | {
    stop.days: _STEPS for kind in KINDS.values() for stop in kind.route
}
