"""Findings past their day: the office above is told, and its list shows them (R-VER-05)."""

from collections import Counter
from collections.abc import Iterable

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Organization
from accounts.notices import notify
from accounts.rights import seated
from accounts.roles import Right
from audit.services import System, record_many
from config.clock import today
from config.scope import scoped_transaction
from registry.models import Finding
from registry.verification.checking import recount

PACK = 2000  # findings in one transaction


def escalate(paths: Iterable[str]) -> int:
    """Mark every finding past its day, under each of `paths`, and tell the offices above; how many. Once a
    finding until it gets another day. Safe to repeat and to cut.
    """
    done = 0
    for path in paths:
        while some := _escalate_some(path):
            done += some
    return done


def _escalate_some(path: str) -> int:
    with scoped_transaction(path):
        due = Finding.objects.within(path).filter(due_on__lt=today(), escalated_on=None)
        late = due.exclude(state=Finding.State.CLOSED).select_for_update(no_key=True, skip_locked=True)
        rows = list(late.order_by("pk").values_list("pk", "org_path", "campaign_id")[:PACK])
        Finding.objects.filter(pk__in=[row[0] for row in rows]).update(escalated_on=today())
        for campaign in {row[2] for row in rows}:
            recount(campaign, sorted({school for _pk, school, one in rows if one == campaign}))
        _tell(Counter(school for _pk, school, _campaign in rows))
        subjects = [(pk, school) for pk, school, _campaign in rows]
        record_many("registry.finding.overdue", "finding", subjects, actor=System(path), basis="R-VER-05")
    return len(rows)


def _tell(late: "Counter[str]") -> None:
    """One notice a day to those who decide at the office above the schools."""
    parents: dict[str, str] = dict(
        Organization.objects.filter(path__in=late).values_list("path", "parent__path")
    )
    by_office: Counter[str] = Counter()
    for school, count in late.items():
        by_office[parents.get(school) or school] += count
    seats = seated([(office, str(Right.DECIDE)) for office in by_office])
    for (office, _right), people in seats.items():
        said = _("有 {count} 条核准问题逾期未整改，请督促学校办理").format(count=by_office[office])
        target = reverse("verification:findings") + "?show=overdue"
        notify(people, "verification", said, target, once_key=f"verify {office} {today():%Y%m%d}")
