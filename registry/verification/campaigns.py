"""Opening a campaign, and checking again (R-VER-01)."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Organization, User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import record
from config.clock import today
from config.errors import NotFound
from config.jobs import OPEN, queue
from config.models import Job
from config.scope import NATION, ancestors
from registry.codes import label
from registry.models import Campaign, CampaignUnit
from registry.services.intake_rules import present_term
from registry.services.seasons import term_days
from registry.verification.checking import check_schools
from registry.verification.refusals import (
    CampaignDayWrong,
    CampaignOpenAlready,
    CampaignOver,
    CampaignPlaceWrong,
    CampaignRunning,
)
from registry.verification.running import VERIFY, WORKERS

_AT_LEAST = timedelta(days=30)  # a term that is nearly over is verified all the same
_OPENERS = (Organization.Kind.NATION, Organization.Kind.PROVINCE)


def may_open(user: User) -> bool:
    """Whether a campaign of the present semester is hers to open, and nobody has opened it yet."""
    office = user.own_office
    if not office or office.kind not in _OPENERS or not user.may_act_at(Right.OPEN_CAMPAIGN, office.path):
        return False
    year, semester, _starts = present_term(office.path, today())
    of_term = Campaign.objects.filter(school_year=year, semester=semester)
    return not of_term.filter(path__in=(NATION, office.path)).exists()


@transaction.atomic
def open_campaign(*, actor: User, due_on: date | None) -> Campaign:
    """Open the present semester's verification for everything below her office, and queue its first run.

    Raises NotAllowed, CampaignPlaceWrong, CampaignDayWrong, CampaignOpenAlready. The nation's leaves out
    provinces that opened their own; a province opens none while the nation's is open.
    """
    explain(actor, Right.OPEN_CAMPAIGN, at=actor.acting_path).or_raise()
    office = actor.own_office
    if office is None or office.kind not in _OPENERS:
        raise CampaignPlaceWrong()
    year, semester, _starts = present_term(office.path, today())
    last = max(term_days(office.path, year, semester)[1], today() + _AT_LEAST)
    if due_on is None or not today() < due_on <= last:
        raise CampaignDayWrong(last=f"{last:%Y-%m-%d}")
    with connection.cursor() as cursor:  # nation and province at once: the second sees the first
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('open campaign', 0))")
    same_term = Campaign.objects.filter(school_year=year, semester=semester)
    if known := same_term.filter(path__in=(NATION, office.path)).first():
        raise CampaignOpenAlready(term=term_name(year, semester), office=known.office_name)
    campaign = Campaign.objects.create(
        path=office.path, school_year=year, semester=semester, opens_on=today(), due_on=due_on,
        job=_new_job(office.path, actor), opened_by=actor, opened_by_name=actor.signing_name,
        office_name=office.name,
    )  # fmt: skip
    _lay_out(campaign)
    _send(campaign)
    record("registry.campaign.open", campaign, actor=actor, basis="第二十五条", due=f"{due_on:%Y-%m-%d}")
    return campaign


@transaction.atomic
def check_again(campaign: Campaign, *, actor: User) -> None:
    """Queue another run over everything, offices that got their first school meanwhile included.

    Raises NotAllowed, CampaignOver or CampaignRunning.
    """
    explain(actor, Right.OPEN_CAMPAIGN, at=campaign.path).or_raise()
    held = (
        Campaign.objects.select_for_update(no_key=True, of=("self",))
        .select_related("job")
        .get(pk=campaign.pk)
    )
    if held.due_on < today():
        raise CampaignOver(day=f"{held.due_on:%Y-%m-%d}")
    if held.job.state in OPEN:
        raise CampaignRunning()
    held.units.update(done_at=None)
    _lay_out(held)
    held.job = _new_job(held.path, actor)
    held.save(update_fields=["job"])
    _send(held)
    record("registry.campaign.again", held, actor=actor, basis="第二十五条")


@transaction.atomic
def check_own(campaign: Campaign, school: Organization, *, actor: User) -> int:
    """Check one school again, at once: what was put right is closed. Raises NotAllowed or CampaignOver."""
    explain(actor, Right.EDIT_STUDENT, at=school.path).or_raise()
    if campaign.due_on < today():
        raise CampaignOver(day=f"{campaign.due_on:%Y-%m-%d}")
    assert school.parent is not None  # noqa: S101  # a school stands under an office
    return check_schools(campaign, school.parent, [school], actor=actor)


def campaigns_over(path: str) -> list[Campaign]:
    """The campaigns that concern the office at `path`, newest first; of one term the nearest above it."""
    inside = Q(path__in=ancestors(path)) | Q(path__within=path)
    rows = (
        Campaign.objects.filter(inside).select_related("job").order_by("-school_year", "-semester", "-path")
    )
    return _nearest(rows, path)


def _nearest(rows: Iterable[Campaign], path: str) -> list[Campaign]:
    """Of one term, a province's own campaign hides the nation's from that province."""
    taken: set[tuple[int, str]] = set()
    found = []
    for one in rows:
        if path.startswith(one.path):
            if (one.school_year, one.semester) in taken:
                continue
            taken.add((one.school_year, one.semester))
        found.append(one)
    return found


def campaign_for(path: str, pk: int | None) -> Campaign | None:
    """The campaign `pk` if it concerns the office at `path`; without `pk` the newest; None where there is
    none. Raises NotFound.
    """
    known = campaigns_over(path)
    if pk is None:
        return known[0] if known else None
    found = next((one for one in known if one.pk == pk), None)
    if found is None:
        raise NotFound()
    return found


def term_name(year: int, semester: str) -> str:
    return _("{year}–{next}学年{semester}").format(
        year=year, next=year + 1, semester=label("semester", semester)
    )


def _lay_out(campaign: Campaign) -> None:
    """One unit for each office that has schools right under it and has none yet; the nation leaves out
    provinces with a campaign of their own.
    """
    schools = Organization.objects.within(campaign.path).filter(
        kind=Organization.Kind.SCHOOL, valid__contains=today()
    )
    same_term = Campaign.objects.filter(school_year=campaign.school_year, semester=campaign.semester)
    if campaign.path == NATION:
        for own in same_term.exclude(pk=campaign.pk):
            schools = schools.exclude(path__within=own.path)
    schools = schools.exclude(parent__in=campaign.units.values("office"))
    offices = schools.order_by("parent__path").values_list("parent_id", flat=True).distinct()
    CampaignUnit.objects.bulk_create(CampaignUnit(campaign=campaign, office_id=pk) for pk in offices)


def _new_job(path: str, actor: User) -> Job:
    return Job.objects.create(kind=VERIFY, path=path, started_by=actor.pk, started_by_name=actor.signing_name)


def _send(campaign: Campaign) -> None:
    Job.objects.filter(pk=campaign.job_id).update(total=campaign.units.count())
    for _worker in range(WORKERS):
        queue(campaign.job)
