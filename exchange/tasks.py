"""What the timetable does for provision outside; safe to run twice."""

from allauth.idp.oidc.models import Token
from celery import shared_task

from audit.warnings import warn
from config.clock import today
from config.rules import rule
from exchange.models import DataGrant


@shared_task(acks_late=True)
def watch_grants() -> int:
    """Nightly: warn of grants that end soon (W14), and drop tokens that have run out; how many warnings."""
    Token.objects.expired().delete()
    ending = 0
    live = DataGrant.objects.filter(state=DataGrant.State.ACTIVE, ends_on__gte=today())
    for grant in live.order_by("pk").iterator():
        left = grant.days_left()
        if left <= rule("W14_DAYS", at=grant.org_path).number:
            warn("W14", path=grant.org_path, key=f"ends {grant.pk}", days=left)
            ending += 1
    return ending
