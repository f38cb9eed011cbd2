"""Reading absences and visits in scope, for pages and API."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from accounts.models import User
from accounts.roles import Right
from config.clock import today
from config.errors import NotFound
from config.paging import count_up_to
from registry.models import Absence, Enrolment, PersuasionVisit, SchoolClass, SuspectedDropout
from registry.protection import hidden_from
from registry.queries.rosters import PAGE
from registry.queries.sight import own_classes
from registry.status import NORMAL

Visit = PersuasionVisit
CHOICES = {
    "way": Visit.Way.choices, "met": Visit.Met.choices, "result": Visit.Result.choices,
}  # fmt: skip
MOST_VISITS = 100  # of one child; far above any


@dataclass(frozen=True, slots=True)
class Page:
    """One page of absences, the id to go on after, how many there are."""

    rows: list[Absence]
    after: int | None
    total: int


def classes_for(user: User) -> Any:
    """The classes for which she reports: the registrar's all, a head teacher's own."""
    if user.may_act_at(Right.VIEW_STUDENT, user.acting_path):
        rows = SchoolClass.objects.visible_to(user, Right.REPORT_ABSENCE)
        return rows.filter(org_path=user.acting_path, is_open=True).order_by("grade", "number")
    return own_classes(user).order_by("grade", "number")


def reportable(user: User) -> Any:
    """The pupils whom she may report: in school, not absent already."""
    rows = Enrolment.objects.visible_to(user, Right.REPORT_ABSENCE).filter(
        status=NORMAL, is_void=False, school_class__in=classes_for(user).order_by().values("pk")
    )
    away = Absence.objects.filter(ended_on=None, org_path=user.acting_path).values("student_id")
    return rows.exclude(student_id__in=away)


def seen_by(user: User) -> Any:
    """Absences under her offices, and those of the classes she heads."""
    seen = Absence.objects.visible_to(user, Right.VIEW_STUDENT)
    if user.scope_paths(Right.VIEW_OWN_CLASS):
        own = Absence.objects.visible_to(user, Right.REPORT_ABSENCE)
        seen = seen | own.filter(school_class__in=own_classes(user).values("pk"))
    return seen.exclude(student_id__in=hidden_from(user))


def open_absence(user: User, pk: int) -> Absence:
    """One absence in scope. Raises NotFound."""
    found = seen_by(user).filter(pk=pk).select_related("student", "school_class").first()
    if found is None:
        raise NotFound()
    row: Absence = found
    return row


def read_absences(user: User, show: str, after: int, size: int = PAGE) -> Page:
    """Those that run or those that ended, newest first, key-set paged; each with its days, the number of
    contacts, and whether it is on the ledger.
    """
    rows = seen_by(user).filter(ended_on__isnull=show != "ended")
    total = count_up_to(rows)
    if after:
        rows = rows.filter(Q(pk__lt=after))
    ids = list(rows.newest_first(user.acting_path).values_list("pk", flat=True)[: size + 1])
    found: list[Any] = list(
        Absence.objects.filter(pk__in=ids[:size]).select_related("school_class").order_by("-pk")
    )
    pupils = [row.student_id for row in found]
    counted = Visit.objects.filter(student__in=pupils).values_list("student_id").annotate(n=Count("pk"))
    contacts = dict(counted.order_by())
    suspected = SuspectedDropout.objects.filter(student__in=pupils, closed_on=None)
    on_ledger = dict(suspected.values_list("student_id", "pk"))
    for row in found:
        row.days = ((row.ended_on or today()) - row.from_on).days
        row.contacts = contacts.get(row.student_id, 0)
        row.suspicion = on_ledger.get(row.student_id)
    return Page(found, ids[size - 1] if len(ids) > size else None, total)


def visits_of(student_id: int) -> list[PersuasionVisit]:
    """All attempts to reach the family, the latest first."""
    rows = PersuasionVisit.objects.filter(student_id=student_id)
    return list(rows.order_by("-on", "-pk")[:MOST_VISITS])
