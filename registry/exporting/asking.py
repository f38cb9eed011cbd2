"""Asking for an export, and giving the request up."""

from datetime import datetime, time, timedelta

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import record
from config import sealed_files
from config.clock import now, today
from config.jobs import OPEN
from config.models import Job
from config.rules import rule
from config.scope import NATION, scope
from registry.exporting.refusals import ExportsSpent, NotNow, NotYourExport
from registry.exporting.telling import tell_approvers
from registry.exporting.terms import Terms, chosen_filters, count_rows
from registry.models import Export
from registry.queries.rosters import Filters

State = Export.State
UNDER_WAY = (State.ASKED, State.HELD, State.APPROVED, State.READY)


@transaction.atomic
def ask(terms: Terms, *, actor: User) -> Export:
    """Put the request before whoever approves; `row_cap` is today's count.

    Raises NotAllowed, NotFound (an office or class out of reach), ExportsSpent, TooManyRows, NothingToExport.
    """
    explain(actor, Right.EXPORT, at=actor.acting_path).or_raise()
    _refuse_beyond_daily(actor)
    filters = chosen_filters(terms.filters, actor)
    export = Export.objects.create(
        org_path=actor.acting_path, office_name=actor.acting_office_name, scope_path=filters.path,
        scope_name=filters.place, purpose=terms.purpose, purpose_text=terms.purpose_text, fields=terms.fields,
        clear_fields=terms.clear_fields, filters=terms.filters, filter_words=words_of(filters),
        format=terms.format,
        row_cap=count_rows(filters, actor), requested_by=actor, requested_by_name=actor.signing_name,
    )  # fmt: skip
    export.refresh_from_db()
    record(
        "registry.export.ask", export, actor=actor, reason=terms.purpose_text, basis="EX-1",
        fields=terms.fields, number=export.approval_number, count=export.row_cap, place=export.scope_name,
        clear=terms.clear_fields,
    )  # fmt: skip
    tell_approvers(export)
    return export


def words_of(filters: Filters) -> str:
    """The filters as people read them."""
    said = "；".join(f"{chosen.title}：{chosen.words}" for chosen in filters.chosen)
    return said[:300] or _("在校学生，不另筛选")


def _refuse_beyond_daily(actor: User) -> None:
    most = rule("EXPORTS_PER_DAY", at=actor.acting_path).number
    midnight = timezone.make_aware(datetime.combine(today(), time()))
    lock_person(actor.pk)
    if exports_since(actor.pk, midnight) >= most:
        tomorrow = midnight + timedelta(days=1)
        raise ExportsSpent(count=str(most), seconds=str(int((tomorrow - now()).total_seconds()) + 1))


def lock_person(user_id: int) -> None:
    """Two requests of one person at once are counted one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"exports of {user_id}"])


def exports_since(user_id: int, moment: datetime, *, decided: bool = False) -> int:
    """How often the person has asked since `moment`, or, with `decided`, was let export; at whichever of her
    offices.
    """
    with scope(NATION):  # a count of her own: her other posts lie elsewhere
        own = Export.objects.filter(requested_by_id=user_id)
        if not decided:
            return own.filter(requested_at__gte=moment).count()
        return own.filter(decided_at__gte=moment).exclude(state=State.REFUSED).count()


@transaction.atomic
def cancel(export: Export, *, actor: User) -> None:
    """Give the request up; a run is stopped and a file erased. Raises NotYourExport, NotNow."""
    if export.requested_by_id != actor.pk:
        raise NotYourExport()
    explain(actor, Right.EXPORT, at=export.org_path).or_raise()
    if export.job_id:
        Job.objects.filter(pk=export.job_id, state__in=OPEN).update(state=Job.State.CANCELLED, ended_at=Now())
    move(export, UNDER_WAY, State.CANCELLED)
    record("registry.export.cancel", export, actor=actor, number=export.approval_number)
    forget_file(export)


def move(export: Export, states: tuple[str, ...], to: str, **columns: object) -> None:
    """Bring the export from one of `states` to `to`. Of two that act at once one wins; raises NotNow."""
    if not Export.objects.filter(pk=export.pk, state__in=states).update(state=to, **columns):
        raise NotNow(state=Export.objects.get(pk=export.pk).get_state_display())
    export.refresh_from_db()


def forget_file(export: Export) -> None:
    """Erase the file, before the commit: cut here, the row comes back and the file is erased again."""
    if export.stored_as:
        sealed_files.erase(export.stored_as)
        Export.objects.filter(pk=export.pk).update(stored_as="")
