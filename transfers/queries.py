"""What the pages of cases ask: queue, list, seats. Constant queries, keys for paging."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, F, OuterRef, Q, Subquery, Value
from django.db.models.fields.tuple_lookups import TupleGreaterThan
from django.http import QueryDict
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import Right
from config.clock import today
from config.crypto import unseal_json
from config.errors import NotFound
from config.paging import count_up_to
from config.workdays import Calendar
from registry.codes import label
from registry.models import SchoolClass
from registry.services.intake_rules import seats_left
from transfers.kind import Kind
from transfers.kinds import KINDS
from transfers.models import Case, Step

PAGE = 50
# FILE: answers a guardian
SIGNING = (Right.REVIEW, Right.DECIDE, Right.APPROVE_GRANT, Right.FILE, Right.ARBITRATE)
STARTERS = tuple(
    dict.fromkeys(kind.right for kind in KINDS.values() if kind.right)
)  # who may start some kind
ERASED = ""  # a refused case keeps no card (RD-8)


# ── How long it may take ──────────────────────────────────────────────────────────────────────────────────
def workdays_left(days: Iterable[date | None]) -> dict[date, int]:
    """Working days from today to each day; negative when passed. One query for the years."""
    wanted = {day for day in days if day is not None}
    day = today()
    calendar = Calendar({day.year, *(one.year for one in wanted)})
    return {one: calendar.between(day, one) for one in wanted}


def card_of(number: str, card: Any) -> dict[str, str]:
    """The pupil's card of a row that was read by `.values()`; empty when it has been erased."""
    return dict(unseal_json(card, "transfers_case", number, "card")) if card else {}


def kind_choices() -> list[tuple[str, list[Kind]]]:
    """The procedures by group, for filters; those without one first."""
    groups: dict[str, list[Kind]] = {"": []}
    for kind in KINDS.values():
        groups.setdefault(kind.group, []).append(kind)
    return list(groups.items())


# ── Queue ─────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(slots=True)
class Filters:
    """Filters of the queue and of the list, each an enumeration (AP-1)."""

    kind: str = ""
    state: str = ""
    overdue: bool = False

    @property
    def is_any(self) -> bool:
        return bool(self.kind or self.state or self.overdue)


def read_filters(query: QueryDict) -> Filters:
    """Raises NotFound for a value that no filter has."""
    kind, state, overdue = query.get("kind", ""), query.get("state", ""), query.get("overdue", "")
    if (kind and kind not in KINDS) or (state and state not in Case.State) or overdue not in ("", "1"):
        raise NotFound()
    return Filters(kind, state, overdue == "1")


@dataclass(slots=True)
class Page:
    rows: list[dict[str, Any]]
    after: int | str | None
    total: int


def own_steps(user: User) -> Any:
    """Steps that wait at the office she acts for and that her post lets her decide."""
    rights = [right for right in SIGNING if user.may_act_at(right, user.acting_path)]
    steps = Step.objects.visible_to(user, Right.VIEW_CASE)
    if not rights:
        return steps.none()
    return steps.filter(is_current=True, office_path=user.acting_path, right__in=rights)


def after_due(steps: Any, user: User, after: str) -> Any:
    """The steps that follow the one with the id `after`, by deadline. Raises NotFound."""
    last = _cursor(Step.objects.visible_to(user, Right.VIEW_CASE), pk=_number(after))
    return steps.filter(TupleGreaterThan((F("due_on"), F("id")), (Value(last["due_on"]), Value(last["id"]))))


_STEP_COLUMNS = (
    "id", "label", "office_name", "due_on", "arrived_at", "escalated_at",
    "case_id", "case__number", "case__kind", "case__card", "case__payload__count",
    "case__from_name", "case__to_name", "case__filed_by_id", "case__filed_by_name", "case__filed_at",
)  # fmt: skip


def read_queue(user: User, filters: Filters, after: str = "", size: int = PAGE) -> Page:
    """The steps that wait for her office, soonest deadline first.

    The cursor is a step's id, resolved in scope; it still works when that step has been decided meanwhile.
    """
    steps = own_steps(user)
    if filters.kind:
        steps = steps.filter(case__kind=filters.kind)
    if filters.overdue:
        steps = steps.filter(due_on__lt=today())
    total = count_up_to(steps)
    if after:
        steps = after_due(steps, user, after)
    rows = _step_columns(user, list(steps.order_by("due_on", "id").values_list("pk", flat=True)[: size + 1]))
    page = Page(rows[:size], rows[size - 1]["id"] if len(rows) > size else None, total)
    left = workdays_left(row["due_on"] for row in page.rows)
    for row in page.rows:
        count = row.pop("case__payload__count")
        dress_case(row, row.pop("case__number"), row.pop("case__kind"), row.pop("case__card"), count)
        row["left"] = left.get(row["due_on"])
        # Who files does not review: shown, because it waits, but not to be ticked (R-ACC-02).
        row["is_own"] = row["case__filed_by_id"] == user.pk
        kind = KINDS[row["kind"]]
        row["is_alone"] = row["is_own"] or kind.steps_up or kind.is_answered
    return page


def _step_columns(user: User, ids: list[int]) -> list[dict[str, Any]]:
    """The queue's columns of these steps, in this order.

    Keys first, columns after: with the join to the case in one query the planner may walk every case of the
    scope instead of the index that the queue has (6.4 ms at 3,000 steps, tried; so 1 ms).
    """
    seen = Step.objects.visible_to(user, Right.VIEW_CASE).filter(pk__in=ids)
    found = {row["id"]: row for row in seen.values(*_STEP_COLUMNS)}
    return [found[pk] for pk in ids if pk in found]


def dress_case(row: dict[str, Any], number: str, kind: str, card: Any, count: int | None) -> None:
    """Add to a row of a list what people read: number, procedure, pupil, or how many pupils."""
    words = card_of(number, card)
    row["number"], row["kind"], row["kind_name"] = number, kind, KINDS[kind].name
    row["pupil"] = words.get("name", ERASED) if count is None else count_in_words(count)
    row["sex"] = words.get("sex", "")


def count_in_words(count: int) -> str:
    """What stands in the pupil's place where a case is about many."""
    return _("{n} 人").format(n=f"{count:,}")


def next_in_queue(user: User, besides: int) -> str:
    """The number of the case she should open next, or an empty text."""
    steps = own_steps(user).exclude(case_id=besides).exclude(case__filed_by=user)
    return steps.order_by("due_on", "id").values_list("case__number", flat=True).first() or ""


def queue_counts(user: User) -> dict[str, int]:
    """How many steps wait for her, and how many of them are late."""
    return own_steps(user).aggregate(all=Count("pk"), overdue=Count("pk", filter=Q(due_on__lt=today())))


# ── All cases ─────────────────────────────────────────────────────────────────────────────────────────────
_CASE_COLUMNS = (
    "id", "number", "kind", "state", "from_name", "to_name", "filed_by_name", "filed_at", "ended_at", "card",
    "payload__count",
)  # fmt: skip


def read_cases(user: User, filters: Filters, after: str = "", size: int = PAGE) -> Page:
    """Cases in scope, newest first, with the office each one waits at. The cursor is a case number."""
    seen = Case.objects.visible_to(user, Right.VIEW_CASE)
    cases = seen.filter(kind=filters.kind) if filters.kind else seen
    if filters.state:
        cases = cases.filter(state=filters.state)
    total = count_up_to(cases)
    if after:
        cases = cases.filter(id__lt=_cursor(seen, number=after)["id"])
    rows = _case_columns(
        user, list(cases.newest_first(user.acting_path).values_list("pk", flat=True)[: size + 1])
    )
    page = Page(rows[:size], rows[size - 1]["number"] if len(rows) > size else None, total)
    left = workdays_left(row["due_on"] for row in page.rows)
    for row in page.rows:
        dress_case(row, row["number"], row["kind"], row.pop("card"), row.pop("payload__count"))
        row["state_name"] = Case.State(row["state"]).label
        row["left"] = left.get(row["due_on"])
    return page


def _case_columns(user: User, ids: list[int]) -> list[dict[str, Any]]:
    """The list's columns of these cases, in this order; keys first, as in the queue."""
    waiting = Step.objects.filter(case=OuterRef("pk"), is_current=True)
    seen = Case.objects.visible_to(user, Right.VIEW_CASE).filter(pk__in=ids)
    columns = seen.annotate(
        at=Subquery(waiting.values("office_name")), due_on=Subquery(waiting.values("due_on"))
    ).values(*_CASE_COLUMNS, "at", "due_on")
    found = {row["id"]: row for row in columns}
    return [found[pk] for pk in ids if pk in found]


def open_case(user: User, number: str) -> Case:
    """The case behind a number, or NotFound: hidden and missing look alike."""
    case: Case | None = Case.objects.visible_to(user, Right.VIEW_CASE).filter(number=number).first()
    if case is None:
        raise NotFound()
    return case


# ── Seats ─────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Seat:
    """An open class of her own school as the form offers it."""

    pk: int
    name: str
    grade: str
    taken: int
    cap: int

    @property
    def is_full(self) -> bool:
        return self.taken >= self.cap

    @property
    def words(self) -> str:
        full = _("（已满）") if self.is_full else ""
        return f"{self.name} · {self.taken}/{self.cap}{full}"


def seats(user: User) -> list[tuple[str, list[Seat]]]:
    """Open classes of the school she acts for by grade, with pupils and the cap for new ones; constant
    queries.
    """
    own = SchoolClass.objects.visible_to(user, Right.FILE).filter(org_path=user.acting_path, is_open=True)
    classes = list(own.order_by("grade", "number").values_list("pk", "name", "grade"))
    free = seats_left((pk for pk, _name, _grade in classes), today())
    by_grade: dict[str, list[Seat]] = {}
    for pk, name, grade in classes:
        by_grade.setdefault(grade, []).append(Seat(pk, name, grade, free[pk].taken, free[pk].cap))
    return [(label("grade", grade), found) for grade, found in by_grade.items()]


def _cursor(rows: Any, **key: Any) -> dict[str, Any]:
    found: dict[str, Any] | None = (
        rows.filter(**key).values("id", *(("due_on",) if rows.model is Step else ())).first()
    )
    if found is None:
        raise NotFound()
    return found


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFound()
    return int(text)
