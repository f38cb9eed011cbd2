"""办理时效: how many steps an office decided in time, month by month, and the offices directly below it.

Visible to the office itself first, and to those above it (R-TRF-03: overdue steps show in its figures).
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Aggregate, Count, F, FloatField, Func, IntegerField, Q
from django.db.models.functions import TruncDate, TruncMonth
from django.utils import timezone

from accounts.models import Organization, User
from accounts.roles import Right
from config.clock import today
from config.errors import NotFound
from config.paging import count_up_to
from config.workdays import Calendar
from transfers.models import Step

MONTHS = 12
PAGE = 50
# A step that arrived earlier is counted as if it had arrived then: a year and a half late is late enough.
LOOKED_BACK = timedelta(days=550)
ONE_DAY = timedelta(days=1)
Kind = Organization.Kind


@dataclass(frozen=True, slots=True)
class Figures:
    """What one office did in a time; `median` counts working days from arrival to decision."""

    decided: int = 0
    on_time: int = 0
    median: float | None = None
    waiting: int = 0
    overdue: int = 0

    @property
    def late(self) -> int:
        return self.decided - self.on_time

    @property
    def share(self) -> int | None:
        """Percent decided in time, rounded down: 100 means all of them."""
        return self.on_time * 100 // self.decided if self.decided else None


@dataclass(frozen=True, slots=True)
class Pace:
    """The own office in these twelve months and in each of them, and the offices directly below."""

    office: Organization
    own: Figures
    months: list[tuple[date, Figures]]
    below: list[tuple[Organization, Figures]]
    after: int | None
    total: int  # of the offices below


def months_shown() -> list[date]:
    """The first days of the last twelve months, this one first."""
    day = today()
    numbers = (day.year * 12 + day.month - 1 - back for back in range(MONTHS))
    return [date(number // 12, number % 12 + 1, 1) for number in numbers]


def read_pace(user: User, after: int | None = None, month: date | None = None) -> Pace:
    """Her office's figures, and those of the offices below in `month` or in all twelve. A constant number of
    queries; the cursor is an office's id. Raises NotFound for a month or an office that is not shown.
    """
    office, shown = user.acting_office, months_shown()
    if office is None or (month is not None and month not in shown):
        raise NotFound()
    seen, numbers = Step.objects.visible_to(user, Right.VIEW_CASE), _Numbers(shown[-1])
    below, following, total = _below(user, office, after)
    paths = [child.path for child in below]
    months = numbers.of(seen.filter(office_path=office.path), shown[-1], None, TruncMonth("decided_at"))
    own = numbers.of(seen.filter(office_path=office.path), shown[-1], None, F("office_path"))
    since, until = (month, _next(month)) if month else (shown[-1], None)
    theirs = numbers.of(seen.filter(office_path__in=paths), since, until, F("office_path"))
    now = _now(seen, [office.path, *paths])
    by_month = {timezone.localtime(moment).date(): found for moment, found in months.items()}
    return Pace(
        office,
        Figures(**own[office.path], **now[office.path]),
        [(one, Figures(**by_month.get(one, {}))) for one in shown],
        [(child, Figures(**theirs[child.path], **now[child.path])) for child in below],
        following,
        total,
    )


def _below(user: User, office: Organization, after: int | None) -> tuple[list[Organization], int | None, int]:
    """One page of the offices directly below, the key of the next, and how many there are; below a county
    also the schools of its townships.
    """
    seen = Organization.objects.visible_to(user, Right.VIEW_CASE).filter(valid__contains=today())
    if office.kind == Kind.COUNTY:
        rows = seen.within(office.path).exclude(pk=office.pk)
    else:
        rows = seen.filter(parent=office)
    rows = rows.filter(Q(is_authority=True) | Q(kind__in=(Kind.SCHOOL, Kind.TOWNSHIP)))
    total = count_up_to(rows)
    if after is not None:
        last = rows.filter(pk=after).values_list("path", flat=True).first()
        if last is None:
            raise NotFound()
        rows = rows.filter(path__gt=last)
    found = list(rows.order_by("path")[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None, total


def _now(seen: Any, paths: list[str]) -> dict[str, dict[str, int]]:
    """What waits at each office, and how much of it is late."""
    waiting = seen.filter(office_path__in=paths, is_current=True).order_by().values("office_path")
    counts = waiting.annotate(waiting=Count("pk"), overdue=Count("pk", filter=Q(due_on__lt=today())))
    found: dict[str, dict[str, int]] = defaultdict(dict)
    return found | {row.pop("office_path"): row for row in counts}


# ── Working days in the database ──────────────────────────────────────────────────────────────────────────
class WorkdayNumber(Func):
    """How many working days lie between the first day of `numbers` and the day of a moment."""

    output_field = IntegerField()

    def __init__(self, moment: str, first: date, numbers: list[int]) -> None:
        super().__init__(TruncDate(moment))
        self.first, self.numbers = first, numbers

    def as_sql(self, compiler: Any, connection: Any, **more: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        day, params = compiler.compile(self.get_source_expressions()[0])
        place = f"least(greatest({day} - %s::date, 0) + 1, %s)"
        return f"(%s::int[])[{place}]", [self.numbers, *params, self.first, len(self.numbers)]


class Median(Aggregate):
    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


class _Numbers:
    """The official calendar as numbers, read once a page: a median of working days needs one per row."""

    def __init__(self, first_month: date) -> None:
        self.first = first_month - LOOKED_BACK
        calendar = Calendar(range(self.first.year, today().year + 1))
        self.numbers, count, day = [], 0, self.first
        while day <= today():
            count += bool(calendar.workday(day))
            self.numbers.append(count)
            day += ONE_DAY

    def of(self, steps: Any, since: date, until: date | None, by: Any) -> dict[Any, dict[str, Any]]:
        """`decided`, `on_time` and `median` of the decisions from `since` to before `until`, grouped."""
        decided = steps.filter(decided_at__gte=_midnight(since), arrived_at__isnull=False)
        if until is not None:
            decided = decided.filter(decided_at__lt=_midnight(until))
        ends, begins = (
            WorkdayNumber(name, self.first, self.numbers) for name in ("decided_at", "arrived_at")
        )
        rows = (
            decided.order_by()
            .values(group=by)
            .annotate(
                decided=Count("pk"),
                on_time=Count("pk", filter=Q(due_on__gte=TruncDate("decided_at"))),
                median=Median(ends - begins),
            )
        )
        found: dict[Any, dict[str, Any]] = defaultdict(dict)
        return found | {row.pop("group"): row for row in rows}


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
