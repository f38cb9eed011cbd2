"""三本台账: children of compulsory age, suspected dropouts, dropouts, live in every scope (R-DRP-04)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Concat
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, User
from accounts.offices import visible_offices
from accounts.roles import Right
from config.clock import today
from config.errors import NotFound
from config.paging import after_key, count_up_to
from registry.codes import label
from registry.dropout import hosting
from registry.dropout.eligible import birthdays
from registry.dropout.households import latest_of
from registry.models import DropoutEntry, Enrolment, Student, SuspectedDropout
from registry.protection import hidden_from
from registry.queries.rosters import PAGE, number_in, one_of
from registry.status import OPEN, STATUSES

ELIGIBLE, SUSPECTED, DROPOUTS = "eligible", "suspected", "dropouts"
LEDGERS = {
    ELIGIBLE: _("适龄儿童少年台账"),
    SUSPECTED: _("疑似辍学台账"),
    DROPOUTS: _("辍学台账"),
}
SHOWS = {"open": _("在册"), "closed": _("已销号"), "overdue": _("逾期")}
# Above a county the children of an age are counted by statistics, not by walking through all of them.
_COUNTED_LIVE = ("county", "township", "school", "authority")
_ORDER = ("org_path", "name_py", "id")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which ledger, of which office, which part of it, and after which row."""

    ledger: str
    show: str
    office: Organization
    after: int

    @property
    def is_counted_live(self) -> bool:
        return self.office.kind in _COUNTED_LIVE


@dataclass(frozen=True, slots=True)
class Ledger:
    """One page of a ledger: rows as plain values, the id to go on after, how many in all."""

    asked: Asked
    rows: list[dict[str, Any]]
    after: int | None
    total: int | None


def office_in(user: User, chosen: str) -> Organization:
    """The office of an address, hers unless another is named. Raises NotFound beyond her scope."""
    office: Organization | None = user.acting_office
    if chosen:
        office = visible_offices(user).filter(pk=number_in(chosen)).first()
    if office is None or not office.path.startswith(user.acting_path):
        raise NotFound()
    return office


def read_asked(user: User, query: Any) -> Asked:
    """What an address asks for, the office resolved in her scope. Raises NotFound."""
    after = query.get("after", "")
    return Asked(
        one_of(query.get("ledger", ""), tuple(LEDGERS)) or SUSPECTED,
        one_of(query.get("show", ""), tuple(SHOWS)) or "open",
        office_in(user, query.get("office", "")),
        number_in(after) if after else 0,
    )


# ── Rows ─────────────────────────────────────────────────────────────────────────────────────────────────
def eligible(user: User, path: str, day: date) -> "QuerySet[Student]":
    """Pupils of compulsory age with a status under `path`, as far as she may see."""
    oldest, youngest = birthdays(path, day)
    rows: QuerySet[Student] = Student.objects.visible_to(user, Right.VIEW_STUDENT).within(path)
    with_status = Enrolment.objects.filter(student=OuterRef("pk"), status__in=OPEN, is_void=False)
    rows = rows.filter(birth_on__gt=oldest, birth_on__lte=youngest).exclude(pk__in=hidden_from(user))
    return rows.filter(pk__in=Subquery(with_status.values("student_id")))


def suspected(user: User, path: str, show: str = "open") -> "QuerySet[SuspectedDropout]":
    rows: QuerySet[SuspectedDropout] = SuspectedDropout.objects.visible_to(user, Right.VIEW_STUDENT)
    rows = rows.within(path).filter(closed_on__isnull=show != "closed")  # type: ignore[attr-defined]
    rows = rows.exclude(student_id__in=hidden_from(user))
    return rows.filter(late_on(today())) if show == "overdue" else rows


def dropouts(user: User, path: str, show: str = "open") -> "QuerySet[DropoutEntry]":
    rows: QuerySet[DropoutEntry] = DropoutEntry.objects.visible_to(user, Right.VIEW_STUDENT)
    rows = rows.within(path).filter(closed_on__isnull=show != "closed")  # type: ignore[attr-defined]
    return rows.exclude(student_id__in=hidden_from(user))


def late_on(day: date) -> Q:
    """Not reported in writing, or not answered, within the term: offence 4 of article 26."""
    return Q(reported_at=None, report_due_on__lt=day) | Q(answer="", answer_due_on__lt=day)


def read_ledger(user: User, asked: Asked, size: int = PAGE) -> Ledger:
    """One page of the ledger, key-set paged; constant queries."""
    path = asked.office.path
    if asked.ledger == ELIGIBLE:
        return _read_eligible(user, asked, size)
    rows: Any = (suspected if asked.ledger == SUSPECTED else dropouts)(user, path, asked.show)
    total = count_up_to(rows)
    if asked.after:
        rows = rows.filter(pk__lt=asked.after)
    ids = list(rows.newest_first(path).values_list("pk", flat=True)[: size + 1])
    found = list(rows.model.objects.filter(pk__in=ids[:size]).order_by("-pk"))
    cards = hosting.cards(user, found, _cards)
    shown = [
        cards[row.student_id]
        | {"entry": row, "is_late": is_late(row), "is_hosted": hosting.is_hosted(user, row)}
        for row in found
        if row.student_id in cards
    ]
    return Ledger(asked, shown, ids[size - 1] if len(ids) > size else None, total)


def is_late(row: Any) -> bool:
    """Whether the school owes its report or its answer beyond the term."""
    if not isinstance(row, SuspectedDropout) or row.closed_on:
        return False
    is_unreported = row.reported_at is None and row.report_due_on < today()
    return is_unreported or bool(not row.answer and row.answer_due_on and row.answer_due_on < today())


def _read_eligible(user: User, asked: Asked, size: int) -> Ledger:
    if not asked.is_counted_live:
        return Ledger(asked, [], None, None)  # she goes down to a county first
    rows: Any = eligible(user, asked.office.path, today())
    total = count_up_to(rows)
    if asked.after:
        last = Student.objects.visible_to(user, Right.VIEW_STUDENT).filter(pk=asked.after)
        key = last.values_list(*_ORDER).first()
        if key is None:
            raise NotFound()
        rows = after_key(rows, _ORDER, key)
    found = list(rows.order_by(*_ORDER).only(*_ORDER, "public_id", "name", "birth_on", "sex")[: size + 1])
    cards = _cards(found[:size])
    shown = [cards[student.pk] for student in found[:size]]
    return Ledger(asked, shown, found[size - 1].pk if len(found) > size else None, total)


def _cards(students: Iterable[Student]) -> dict[int, dict[str, Any]]:
    """What a ledger says of these pupils, by id, in one query."""
    people = {student.pk: student for student in students}
    spells = Enrolment.objects.filter(student__in=people, is_void=False).order_by("student_id", "-valid")
    columns = ("student_id", "school__name", "grade", "school_class__name", "status")
    found = {row["student_id"]: row for row in spells.distinct("student_id").values(*columns)}
    cards = {}
    for pk, student in people.items():
        row = found.get(pk, {})
        cards[pk] = {
            "student_id": pk,
            "public_id": student.public_id,
            "name": student.name,
            "sex": label("sex", student.sex),
            "birth_on": student.birth_on,
            "school": row.get("school__name", ""),
            "grade": label("grade", row["grade"]) if row else "",
            "class": row.get("school_class__name") or "",
            "status": STATUSES[row["status"]].name if row else "",
        }
    return cards


def card_of(student: Student) -> dict[str, Any]:
    """What a ledger says of one pupil."""
    return _cards([student])[student.pk]


# ── Counts and the way down ──────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Totals:
    """The three ledgers of one office in numbers. Children of an age are None above a county."""

    eligible: int | None
    never: int | None
    suspected: int
    overdue: int
    dropouts: int


def read_totals(user: User, asked: Asked) -> Totals:
    path = asked.office.path
    sheet = latest_of(path) if asked.office.kind == Organization.Kind.COUNTY else None
    return Totals(
        count_up_to(eligible(user, path, today())) if asked.is_counted_live else None,
        sheet.counts.get("never", 0) if sheet else None,
        count_up_to(suspected(user, path)),
        count_up_to(suspected(user, path, "overdue")),
        count_up_to(dropouts(user, path)),
    )


def read_below(user: User, office: Organization) -> list[dict[str, Any]]:
    """The offices right below with what is open there, the most first: one query."""
    if office.kind == Organization.Kind.SCHOOL:
        return []
    below = visible_offices(user).filter(parent=office)
    open_ones = suspected(user, office.path)
    counted = below.annotate(
        suspected=count_under(open_ones),
        overdue=count_under(open_ones.filter(late_on(today()))),
        dropouts=count_under(dropouts(user, office.path)),
    )
    rows = counted.order_by(F("suspected").desc(), F("dropouts").desc(), "path")
    found: Any = rows.values("pk", "name", "suspected", "overdue", "dropouts")
    return list(found[:200])


def count_under(rows: "QuerySet[Any]") -> Coalesce:
    """How many of `rows` lie at or below each office of a query."""
    inside = rows.filter(org_path__gte=OuterRef("path"), org_path__lt=Concat(OuterRef("path"), Value("~")))
    counted = inside.order_by().annotate(one=Value(1)).values("one").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0)
