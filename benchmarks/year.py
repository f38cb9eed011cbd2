"""(g) The school year: verification, the comparison of the whole country, promotion, and what the auditor
reads. Whatever changes pupils is taken back; what counts is how fast against the least that could be done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Thread
from typing import Any

from django.db import connection, transaction
from django.db.models import Count

from accounts.models import Organization, User
from audit.services import System
from benchmarks.ground import Position
from config.clock import today
from config.models import Job
from config.scope import NATION, scoped_transaction
from registry.models import Campaign, CampaignUnit, Enrolment, Finding, PromotionPart, PromotionRun
from registry.school_year.runs import rehearse_county
from registry.school_year.units import divide
from registry.school_year.year import present_year
from registry.services.intake_rules import present_term
from registry.services.national_check import compare_all
from registry.verification.checking import check_schools
from registry.verification.running import VERIFY, schools_under, verify
from reports.cubes import PUPILS
from reports.folding import count_unit, fold, units
from reports.queries import live_grouping, read_summary

ROUNDS = 3
_TWINS = """SELECT birth_on, name_fold, sex, count(*) FROM registry_student
GROUP BY birth_on, name_fold, sex HAVING count(*) > 1"""
_BARE = """UPDATE plain_enrolment SET grade = left(grade, 1) || (substr(grade, 2)::int + 1)::text
WHERE status = '01'"""


class _TakenBackError(Exception):
    """Ends a measurement that leaves nothing behind."""


@contextmanager
def taken_back(path: str) -> Iterator[None]:
    with suppress(_TakenBackError), scoped_transaction(path):
        yield
        raise _TakenBackError


def seconds(work: Callable[[], Any]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def open_year(opener: Position) -> None:
    """A campaign of the present term over the nation, checked once before pages are asked."""
    user = User.objects.get(username=opener.usernames(opener.reader)[0])
    year, semester, _starts = present_term(NATION, today())
    with scoped_transaction(NATION):
        campaign = Campaign.objects.create(
            path=NATION, school_year=year, semester=semester, opens_on=today(),
            due_on=today() + timedelta(days=60), job=_job(), opened_by=user, opened_by_name=user.name,
            office_name="教育部",
        )  # fmt: skip
        offices = Organization.objects.filter(kind="school").values_list("parent_id", flat=True).distinct()
        CampaignUnit.objects.bulk_create(CampaignUnit(campaign=campaign, office_id=pk) for pk in offices)
    verify(campaign.job_id)


def _job() -> Job:
    return Job.objects.create(kind=VERIFY, path=NATION, started_by=0, started_by_name="基准")


def run() -> dict[str, float]:
    """Everything, as the worker; answers the figures."""
    return _verification() | _comparison() | _promotion() | _dashboard()


# ── Verification ─────────────────────────────────────────────────────────────────────────────────────────
def _verification() -> dict[str, float]:
    campaign = Campaign.objects.get()
    offices = [unit.office for unit in campaign.units.select_related("office").order_by("pk")]
    with scoped_transaction(NATION):
        in_school = Enrolment.objects.in_school().order_by().values_list("school__parent_id")
        sizes = dict(in_school.annotate(n=Count("pk")))
        findings = Finding.objects.count()
    largest = max(offices, key=lambda one: sizes.get(one.pk, 0))
    nation = Organization.objects.get(path=NATION)
    everywhere = list(Organization.objects.filter(kind="school").order_by("path"))
    unit = min(_checked(campaign, largest, schools_under(largest)) for _n in range(ROUNDS))
    whole = min(_checked(campaign, nation, everywhere) for _n in range(2))
    return {
        "verified_unit": sizes[largest.pk] / unit, "unit_pupils": sizes[largest.pk],
        "verified_nation": sum(sizes.values()) / whole, "findings": findings,
        "one_worker": min(_job_by(campaign, 1) for _n in range(2)),
        "two_workers": min(_job_by(campaign, 2) for _n in range(2)),
    }  # fmt: skip


def _checked(campaign: Campaign, office: Organization, schools: list[Organization]) -> float:  # type: ignore[return]
    """Seconds of the statement as of a first run: what is known already would not be written."""
    with taken_back(office.path):
        Finding.objects.filter(org_path__in=[school.path for school in schools]).delete()
        return seconds(lambda: check_schools(campaign, office, schools, actor=System(office.path)))


def _job_by(campaign: Campaign, workers: int) -> float:
    """Seconds in which so many workers do the job of a whole run."""
    campaign.units.update(done_at=None)
    Campaign.objects.filter(pk=campaign.pk).update(job=_job())
    campaign.refresh_from_db()

    def work() -> None:
        try:
            verify(campaign.job_id)
        finally:
            connection.close()

    threads = [Thread(target=work) for _n in range(workers)]

    def together() -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return seconds(together)


# ── Comparison ───────────────────────────────────────────────────────────────────────────────────────────
def _comparison() -> dict[str, float]:
    def plain() -> None:
        with scoped_transaction(NATION), connection.cursor() as cursor:
            cursor.execute(_TWINS)
            cursor.fetchall()

    compare_all()  # what the invented country holds is written once; then the pass itself is measured
    return {
        "grouping": min(seconds(plain) for _n in range(ROUNDS)),
        "comparison": min(seconds(compare_all) for _n in range(ROUNDS)),
    }


# ── Promotion ────────────────────────────────────────────────────────────────────────────────────────────
def make_plain_enrolment() -> None:
    """As the owner: the spells with the index of lists, without history, wall or exclusion."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE plain_enrolment (LIKE registry_enrolment INCLUDING DEFAULTS)")
        cursor.execute("INSERT INTO plain_enrolment SELECT * FROM registry_enrolment")
        cursor.execute("ALTER TABLE plain_enrolment ADD PRIMARY KEY (id)")
        cursor.execute(
            "CREATE INDEX ON plain_enrolment (org_path, grade, class_number, name_py, id)"
            " WHERE status IN ('00', '01') AND NOT is_void"
        )
        cursor.execute("ANALYZE plain_enrolment")


def _promotion() -> dict[str, float]:
    """Every unit as its rehearsal does it, history, events and all; against one bare UPDATE."""

    def bare() -> None:
        with suppress(_TakenBackError), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(_BARE)
            raise _TakenBackError

    plain = min(seconds(bare) for _n in range(2))
    run = PromotionRun.objects.create(year=present_year().year, asked_by=0, asked_by_name="基准")
    with scoped_transaction(NATION):
        divide(run)
    paths = list(run.parts.order_by("pk").values_list("path", flat=True))

    def everywhere() -> None:
        for path in paths:
            rehearse_county(run, path)

    taken = seconds(everywhere)
    done = PromotionPart.objects.filter(run=run).values_list("counts", flat=True)
    return {"bare_update": plain, "promotion": taken, "promoted": sum(one.get("promoted", 0) for one in done)}


# ── What the auditor reads ───────────────────────────────────────────────────────────────────────────────
def _dashboard() -> dict[str, float]:
    for unit in units():
        count_unit(unit)
    fold()
    provinces = list(Organization.objects.filter(parent__path=NATION).values_list("path", flat=True))

    def live() -> None:
        with scoped_transaction(NATION):
            live_grouping(PUPILS, NATION, by=("below",))

    def summary() -> None:
        with scoped_transaction(NATION):
            read_summary(PUPILS, provinces, by=("below",))

    live()
    summary()
    return {
        "live": min(seconds(live) for _n in range(ROUNDS)),
        "summary": min(seconds(summary) for _n in range(ROUNDS)),
    }
