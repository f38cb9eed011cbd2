"""Checking some schools by one statement, and counting what was found (R-VER-02)."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce, Now

from accounts.models import Organization
from audit.services import Actor, record_each
from config.clock import today
from config.faults import fault
from config.rules import RuleInForce, rule, rules
from config.workdays import add_workdays
from registry.models import Campaign, Enrolment, SchoolVerification
from registry.services.seasons import term_days
from registry.status import IN_SCHOOL, NORMAL, OPEN, PENDING, SUSPENDED
from registry.verification.kinds import BY_RUN, SEPARATED
from registry.verification.statement import RECOUNT, statement

_RULES = (
    "ENTRY_AGE", "ENTRY_CUTOFF", "CLASS_SIZE_MAX_PRIMARY", "CLASS_SIZE_MAX_SECONDARY", "CHANGE_DEADLINE",
    "ARCHIVE_DEADLINE",
)  # fmt: skip


def check_schools(
    campaign: Campaign, office: Organization, schools: Sequence[Organization], *, actor: Actor
) -> int:
    """Check these schools right under `office`, in the caller's transaction and scope; how many findings were
    written, opened again or closed. A second run finds nothing to do.

    A school whose leader has signed gets no new findings, but what is found no longer is closed there too.
    """
    if not schools:
        return 0
    with connection.cursor() as cursor:
        # A run and a school that checks itself again must not both write the same finding.
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"verify {campaign.pk} {office.pk}"]
        )
        _begin(campaign, schools)
        paths = [school.path for school in schools]
        states = hold(campaign.pk, paths)
        signed = [path for path, state in states.items() if state == SchoolVerification.State.SIGNED]
        cursor.execute(statement(), {"paths": paths, "signed": signed} | _given(campaign, office))
        changed = sum(cursor.fetchone())
        fault("verify.written")
    spells = Enrolment.objects.filter(org_path=OuterRef("org_path"), is_void=False)
    rolls = spells.filter(status__in=IN_SCHOOL, school_class__is_open=True)
    rows = SchoolVerification.objects.filter(campaign=campaign, org_path__in=paths)
    rows.update(
        pupils=_counted(spells.filter(status__in=OPEN), Count("pk")),
        rolls_total=_counted(rolls, Count("school_class", distinct=True)),
        checked_at=Now(),
    )
    recount(campaign.pk, paths)
    acts = [(row, {"count": row.findings_open, "pupils": row.pupils}) for row in rows.order_by("pk")]
    record_each("registry.verification.check", acts, actor=actor, basis="R-VER-02")
    return changed


def _counted(spells: Any, count: Count) -> Coalesce:
    """How many of `spells` belong to the row of the outer query."""
    return Coalesce(Subquery(spells.order_by().values("org_path").annotate(n=count).values("n")), 0)


def hold(campaign_id: int, paths: Iterable[str]) -> dict[str, str]:
    """Lock the schools' rows, and say in which state each is.

    Whoever changes findings, and whoever signs, holds them first: a finding comes before a signature or
    after it, never between its check and its name, and nobody waits for each other.
    """
    rows = SchoolVerification.objects.filter(campaign=campaign_id, org_path__in=sorted(paths))
    return dict(rows.select_for_update(no_key=True).order_by("pk").values_list("org_path", "state"))


def due_day(campaign: Campaign, path: str) -> date:
    """By which day a school does what is found today; within the campaign as long as that lasts."""
    day = add_workdays(today(), rule("VERIFY_FINDING_DAYS", at=path, on=today()).number)
    return min(campaign.due_on, day) if campaign.due_on >= today() else day


def recount(campaign_id: int, paths: Sequence[str]) -> None:
    """Make the counts of these schools equal their findings."""
    with connection.cursor() as cursor:
        cursor.execute(RECOUNT, {"campaign": campaign_id, "paths": list(paths)})


def _begin(campaign: Campaign, schools: Sequence[Organization]) -> None:
    """A row for each school that has none yet, under the path it has now."""
    known = SchoolVerification.objects.filter(campaign=campaign, school__in=schools)
    has_one = set(known.values_list("school_id", flat=True))
    SchoolVerification.objects.bulk_create(
        SchoolVerification(campaign=campaign, school=school, org_path=school.path)
        for school in schools if school.pk not in has_one
    )  # fmt: skip


def _given(campaign: Campaign, office: Organization) -> dict[str, Any]:
    """What the statement compares with: the rules at the office, the terms, the days."""
    day, year, semester = today(), campaign.school_year, campaign.semester
    before = (year, "1") if semester == "2" else (year - 1, "2")
    held: dict[str, RuleInForce] = rules(_RULES, at=office.path, on=day)
    cutoff: date = held["ENTRY_CUTOFF"].date_in(year)
    return {
        "campaign": campaign.pk, "kinds": [*BY_RUN, SEPARATED], "today": day,
        "due": due_day(campaign, office.path),
        "open": list(OPEN), "in_school": list(IN_SCHOOL), "pending": PENDING, "normal": NORMAL,
        "suspended": SUSPENDED, "pending_since": held["CHANGE_DEADLINE"].days_before(day),
        "filed_since": held["ARCHIVE_DEADLINE"].days_before(day),
        "year": year, "semester": semester, "year_before": before[0], "semester_before": before[1],
        "began": term_days(office.path, year, semester)[0],
        "began_before": term_days(office.path, *before)[0],
        "cutoff": cutoff, "entry_age": held["ENTRY_AGE"].number,
        "most_primary": held["CLASS_SIZE_MAX_PRIMARY"].number,
        "most_secondary": held["CLASS_SIZE_MAX_SECONDARY"].number,
    }  # fmt: skip
