"""Findings past their day: the office above is told, and its list shows them (R-VER-05)."""

from collections import Counter, defaultdict
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
from registry.verification.checking import hold, recount

PACK = 2000  # findings in one transaction


def escalate(paths: Iterable[str]) -> int:
    """Mark every finding past its day, under each of `paths`, and tell the offices above; how many. Once a
    finding until it gets another day. Safe to repeat and to cut.
    """
    done = 0
    for path in paths:
        while (some := _escalate_some(path)) is not None:
            done += some
    return done


def _escalate_some(path: str) -> int | None:
    """How many of the next pack this run marked; None when nothing is left."""
    with scoped_transaction(path):
        late = Finding.objects.within(path).filter(due_on__lt=today(), escalated_on=None)
        late = late.exclude(state=Finding.State.CLOSED).order_by("pk")
        places = list(late.values_list("pk", "campaign_id", "org_path")[:PACK])
        if not places:
            return None
        schools: dict[int, set[str]] = defaultdict(set)
        for _pk, campaign, school in places:
            schools[campaign].add(school)
        for campaign in sorted(schools):
            hold(campaign, schools[campaign])
        # Read once more: what was planned or marked until the schools were held is none of ours.
        mine = late.filter(pk__in=[place[0] for place in places]).select_for_update(no_key=True)
        rows = list(mine.values_list("pk", "org_path", "order_office_id"))
        Finding.objects.filter(pk__in=[row[0] for row in rows]).update(escalated_on=today())
        for campaign, held in schools.items():
            recount(campaign, sorted(held))
        _tell([(school, office) for _pk, school, office in rows])
        subjects = [(pk, school) for pk, school, _office in rows]
        record_many("registry.finding.overdue", "finding", subjects, actor=System(path), basis="R-VER-05")
    return len(rows)


def _tell(late: list[tuple[str, int | None]]) -> None:
    """One notice a day to those who decide at the office above each school, and to those who inspect at the
    office whose order is late.
    """
    schools = Organization.objects.filter(path__in={path for path, _order in late})
    parents: dict[str, str] = dict(schools.values_list("path", "parent__path"))
    orderers = Organization.objects.filter(pk__in={order for _path, order in late if order})
    orders: dict[int, str] = dict(orderers.values_list("pk", "path"))
    counted: Counter[tuple[str, str]] = Counter()
    for school, order in late:
        counted[parents.get(school) or school, str(Right.DECIDE)] += 1
        if order:
            counted[orders[order], str(Right.INSPECT)] += 1
    for seat, people in seated(list(counted)).items():
        words = _("有 {count} 条核准问题逾期未整改，请督促学校办理")
        if seat[1] == Right.INSPECT:
            words = _("有 {count} 条责令整改的核准问题逾期，请核查")
        target = reverse("verification:findings") + "?show=overdue"
        key = f"verify {seat[0]} {seat[1]} {today():%Y%m%d}"
        notify(people, "verification", words.format(count=counted[seat]), target, once_key=key)
