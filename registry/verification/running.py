"""The job of a campaign: office after office, each in one transaction, by as many workers as take it up.

An office's unit is claimed by its row lock and done with the same commit as its findings: cut anywhere, the
next worker goes on there; two at once share the offices.
"""

from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.models import Organization
from audit.services import System
from config.clock import today
from config.faults import fault
from config.jobs import OPEN, JobCancelled, finish, report
from config.models import Job
from config.scope import scoped_transaction
from registry.models import Campaign, CampaignUnit
from registry.verification.checking import check_schools

VERIFY = "registry.verify_semester"
WORKERS = 4  # messages of one run: as many workers as are free take part


def verify(job_id: int) -> int:
    """Check what is left of one run, and say how many offices this process did."""
    job = Job.objects.filter(pk=job_id, state__in=OPEN).first()
    campaign = Campaign.objects.filter(job_id=job_id).first()
    if job is None or campaign is None:
        return 0
    Job.objects.filter(pk=job_id, state=Job.State.WAITING).update(state=Job.State.RUNNING)
    total, done = campaign.units.count(), 0
    try:
        for pk, path in list(_left(campaign).values_list("pk", "office__path")):
            if _check(campaign, pk, path):
                done += 1
                report(job, total - _left(campaign).count(), total=total)
        if not _left(campaign).exists():
            finish(job, Job.State.DONE)
    except JobCancelled:
        pass  # another worker ended it first
    return done


def _left(campaign: Campaign) -> "QuerySet[CampaignUnit]":
    return campaign.units.filter(done_at=None).order_by("pk")


def _check(campaign: Campaign, unit: int, path: str) -> bool:
    """Whether this process did the unit: another may have it, or have done it."""
    with scoped_transaction(path):
        claimed = CampaignUnit.objects.select_for_update(skip_locked=True, of=("self",))
        row = claimed.select_related("office").filter(pk=unit, done_at=None).first()
        if row is None:
            return False
        fault("verify.claimed")
        check_schools(campaign, row.office, schools_under(row.office), actor=System(path))
        CampaignUnit.objects.filter(pk=unit).update(done_at=Now())
        fault("verify.done")
    fault("verify.committed")
    return True


def schools_under(office: Organization) -> list[Organization]:
    """The schools right under an office, today."""
    rows = Organization.objects.filter(parent=office, kind=Organization.Kind.SCHOOL, valid__contains=today())
    return list(rows.order_by("path"))
