"""What a draft value would have refused among the data that are there: one function per parameter, as data.

Each is one or two statements over what the person may see, never wider; a draft does not touch offices that
keep a value of their own, so their rows are left out. Tried for the nation with 1.2 million pupils: pupils
per class, which reads everybody in school once, 2.3 s; those that begin at an index (birth date, number,
time) up to 2.5 s; a province's 0.2 s. Run on demand only, and what takes longer than LIMIT_SECONDS is cut by
the database and refused with a sentence.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import Case, Count, DateField, Exists, F, OuterRef, Q, Sum, Value, When
from django.db.models.functions import Concat, Now, TruncDay, TruncHour
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from psycopg.errors import QueryCanceled

from accounts.models import User
from accounts.roles import Right
from accounts.rulebook import values_below
from audit.models import AccessEntry
from config.clock import today
from config.errors import Refusal
from config.rules import PARAMETERS, Parameter, RuleInForce, in_force, rules
from config.rules import Value as Word
from config.rules.parameter import month_day_in
from config.scope import PathField
from registry.models import Enrolment, SchoolClass
from registry.numbers import TEMPORARY
from registry.record import school_year_start
from registry.status import OPEN

LIMIT_SECONDS = 8
SHOWN = 20
LOOKED_BACK = timedelta(days=30)


class TrialTooLong(Refusal):
    code, status = "trial_too_long", 503
    message = gettext_lazy(
        "试算超过{seconds}秒，已经停止，没有改动任何数据。请由下级分别试算，或在夜间人少时再试。"
    )


@dataclass(frozen=True, slots=True)
class Draft:
    """A value that an office considers, from a day on; `now` is what holds there today."""

    parameter: Parameter
    value: Word
    now: RuleInForce
    at: str
    starts: date
    user: User

    def held(self) -> RuleInForce:
        return RuleInForce(self.value, self.parameter)


@dataclass(frozen=True, slots=True)
class Example:
    """One of those it would have met; `route` and `argument` open it."""

    pk: int
    words: str
    note: str
    route: str = ""
    argument: Any = None


@dataclass(frozen=True, slots=True)
class Trial:
    """How many the draft would have met, how many today's value meets, and some of them."""

    met: int
    met_now: int
    examples: list[Example]
    more: str = ""


@dataclass(frozen=True, slots=True)
class BackTest:
    """`question` says what is counted in `measure`; `right` is what one must hold to see the rows.

    `subject` names the rows in the access log.
    """

    question: str | Promise
    measure: str | Promise
    right: Right
    subject: str
    count: Callable[[Draft], Trial]

    def is_open_to(self, user: User, at: str) -> bool:
        """Whether she sees all that lies under `at`: a count of a part would mislead."""
        return any(at.startswith(path) for path in user.scope_paths(self.right))

    def run(self, draft: Draft) -> Trial:
        """Raises TrialTooLong."""
        with patience(LIMIT_SECONDS):
            return self.count(draft)


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Let the database cut a statement that takes longer. Raises TrialTooLong."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            limit = f"{int(seconds * 1000)}ms"
            cursor.execute(
                "SELECT current_setting('statement_timeout'), set_config('statement_timeout', %s, true)",
                [limit],
            )
            before = cursor.fetchone()[0]
            yield
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before])
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TrialTooLong(seconds=seconds) from error
        raise


def ruled_by(rows: Any, draft: Draft, path: str = "org_path") -> Any:
    """The rows a draft would rule: under its office, and not under one that keeps a value of its own."""
    own = (
        values_below(draft.parameter.key, draft.at, draft.starts)
        .annotate(end=Concat("path", Value("~"), output_field=PathField()))
        .filter(path__lte=OuterRef(path), end__gt=OuterRef(path))
    )
    return rows.filter(**{f"{path}__within": draft.at}).exclude(Exists(own))


# --- Entry age -----------------------------------------------------------------------------------------


def entry(draft: Draft) -> Trial:
    """First-graders who entered this school year and were born after the last day the draft allows."""
    year = school_year_start(today()).year
    limit, limit_now = (_latest_birth(draft, year, value) for value in (draft.value, draft.now.value))
    young = (
        ruled_by(Enrolment.objects.visible_to(draft.user, Right.VIEW_STUDENT).in_school(), draft)
        .filter(grade="11", entry_month__gte=f"{year}-07", entry_month__lt=f"{year + 1}-07")
        # The plain bound finds the few by the index on birth dates; the exact one may differ by province.
        .filter(student__birth_on__gt=min(limit.earliest, limit_now.earliest))
        .annotate(limit=limit.expression, limit_now=limit_now.expression)
    )
    counts = young.aggregate(
        met=Count("pk", filter=Q(student__birth_on__gt=F("limit"))),
        met_now=Count("pk", filter=Q(student__birth_on__gt=F("limit_now"))),
    )
    found = young.filter(student__birth_on__gt=F("limit")).order_by("-student__birth_on", "pk")
    return Trial(**counts, examples=_pupils(draft.user, found, "student__birth_on", _("{day}出生")))


@dataclass(frozen=True, slots=True)
class _Limit:
    earliest: date
    expression: Any


def _latest_birth(draft: Draft, year: int, value: Word) -> _Limit:
    """The last birth date that may enter in `year` with this value; where an office below has its own value
    of the other half (age or day), with that.
    """
    keys = ("ENTRY_AGE", "ENTRY_CUTOFF")
    other = keys[1] if draft.parameter.key == keys[0] else keys[0]
    values: dict[str, Any] = {draft.parameter.key: value}

    def day(held: Word) -> date:
        both = values | {other: held}
        return month_day_in(year - both["ENTRY_AGE"], both["ENTRY_CUTOFF"])

    here = day(rules([other], draft.at, draft.starts)[other].value)
    own = {
        row.path: day(in_force(PARAMETERS[other], row).value)
        for row in values_below(other, draft.at, draft.starts)
    }
    deepest_first = sorted(own, key=len, reverse=True)
    return _Limit(
        min([here, *own.values()]),
        Case(
            *(When(org_path__within=path, then=Value(own[path])) for path in deepest_first),
            default=Value(here),
            output_field=DateField(),
        ),
    )


# --- Archives ------------------------------------------------------------------------------------------


def archives_due(draft: Draft) -> Trial:
    """Pupils whose number is still temporary although the term for their archive would be over today."""
    cut, cut_now = (held.days_before(today()) for held in (draft.held(), draft.now))
    open_ones = ruled_by(Enrolment.objects.visible_to(draft.user, Right.VIEW_STUDENT), draft).filter(
        status__in=OPEN,
        is_void=False,
        student__number__gte=TEMPORARY,
        student__number__lt=chr(ord(TEMPORARY) + 1),
    )
    counts = open_ones.aggregate(
        met=Count("pk", filter=Q(valid__startswith__lt=cut)),
        met_now=Count("pk", filter=Q(valid__startswith__lt=cut_now)),
    )
    found = open_ones.filter(valid__startswith__lt=cut).order_by("valid", "pk")
    return Trial(**counts, examples=_pupils(draft.user, found, "valid__startswith", _("{day}起在籍")))


def _pupils(user: User, found: Any, day: str, note: str) -> list[Example]:
    """Keys first, columns after: with the joins in one query the whole nation would be joined and sorted."""
    ids = list(found.values_list("pk", flat=True)[:SHOWN])
    columns = ("pk", "student_id", "student__public_id", "name", "school__name", "school_class__name", day)
    rows = Enrolment.objects.visible_to(user, Right.VIEW_STUDENT).filter(pk__in=ids).values_list(*columns)
    told = {
        pk: Example(
            student,
            f"{name}（{school} {school_class or ''}）".replace(" ）", "）"),
            note.format(day=on.isoformat()),
            "registry:student",
            public_id,
        )
        for pk, student, public_id, name, school, school_class, on in rows
    }
    return [told[pk] for pk in ids if pk in told]


# --- Sizes of classes ----------------------------------------------------------------------------------

_GRADES = {
    "CLASS_SIZE_INTAKE_PRIMARY": Q(grade="11"),
    "CLASS_SIZE_INTAKE_JUNIOR": Q(grade="21"),
    "CLASS_SIZE_INTAKE_SENIOR": Q(grade="31"),
    "CLASS_SIZE_MAX_PRIMARY": Q(grade__lt="2"),
    "CLASS_SIZE_MAX_SECONDARY": Q(grade__gte="2"),
}


def class_sizes(draft: Draft) -> Trial:
    """Classes with more pupils than the draft allows, and how many pupils are over."""
    most, most_now = draft.held().number, draft.now.number
    pupils = ruled_by(Enrolment.objects.visible_to(draft.user, Right.VIEW_CLASS).in_school(), draft)
    classes = (
        pupils.filter(_GRADES[draft.parameter.key], school_class__isnull=False)
        .values("school_class_id")
        .annotate(taken=Count("pk"))
    )
    counts = classes.aggregate(
        met=Count("taken", filter=Q(taken__gt=most)),
        met_now=Count("taken", filter=Q(taken__gt=most_now)),
        sitting=Sum("taken", filter=Q(taken__gt=most), default=0),
    )
    over = counts.pop("sitting") - counts["met"] * most
    largest = list(classes.filter(taken__gt=most).order_by("-taken", "school_class_id")[:SHOWN])
    more = _("超出的学生共 {n} 人").format(n=over) if over else ""
    return Trial(**counts, examples=_classes(draft.user, largest, most), more=more)


def _classes(user: User, largest: Iterable[dict[str, int]], most: int) -> list[Example]:
    taken = {row["school_class_id"]: row["taken"] for row in largest}
    rows = (
        SchoolClass.objects.visible_to(user, Right.VIEW_CLASS)
        .filter(pk__in=taken)
        .values_list("pk", "name", "school__organization__name")
    )
    names = {pk: f"{school} {name}" for pk, name, school in rows}
    note = _("{n} 人，超出 {over} 人")
    return [
        Example(pk, names[pk], note.format(n=n, over=n - most), "registry:school_class", pk)
        for pk, n in taken.items()
        if pk in names
    ]


# --- What a person may look at -------------------------------------------------------------------------

_OUTCOMES = {"LOOKUPS": AccessEntry.Outcome.LOOK_UP, "REVEALS": AccessEntry.Outcome.REVEAL}


def budgets(draft: Draft) -> Trial:
    """Persons and days (or hours of the clock) of the last thirty days above the draft."""
    what, _per, span = draft.parameter.key.split("_")
    cut = TruncHour("at") if span == "HOUR" else TruncDay("at")
    entries = ruled_by(AccessEntry.objects.visible_to(draft.user, Right.VIEW_LOG), draft)
    spent = (
        entries.filter(outcome=_OUTCOMES[what], at__gt=Now() - LOOKED_BACK, actor_id__isnull=False)
        .values("actor_id", "actor_name", "office_name", when=cut)
        .annotate(times=Count("pk"))
    )
    most, most_now = draft.held().number, draft.now.number
    counts = spent.aggregate(
        met=Count("times", filter=Q(times__gt=most)), met_now=Count("times", filter=Q(times__gt=most_now))
    )
    rows = spent.filter(times__gt=most).order_by("-times", "-when", "actor_id")[:SHOWN]
    form = "%Y-%m-%d %H:00" if span == "HOUR" else "%Y-%m-%d"
    examples = [
        Example(
            row["actor_id"],
            f"{row['actor_name']}（{row['office_name']}）",
            _("{when}，{n} 次").format(when=row["when"].strftime(form), n=row["times"]),
        )
        for row in rows
    ]
    return Trial(**counts, examples=examples)


# --- The table -----------------------------------------------------------------------------------------

_PUPILS = gettext_lazy("人")
_YOUNG = BackTest(
    gettext_lazy("本学年入学的小学一年级学生中，未达到入学年龄的"),
    _PUPILS,
    Right.VIEW_STUDENT,
    "student",
    entry,
)
_ARCHIVE = BackTest(
    gettext_lazy("仍为临时学籍号、建档期限今天已过的在籍学生"),
    _PUPILS,
    Right.VIEW_STUDENT,
    "student",
    archives_due,
)
_SIZE = BackTest(
    gettext_lazy("在校人数超过班额的班级"), gettext_lazy("个班"), Right.VIEW_CLASS, "schoolclass", class_sizes
)
_BUDGET = BackTest(
    gettext_lazy("近三十日内超过限额的人次（按日或按整点计）"),
    gettext_lazy("人次"),
    Right.VIEW_LOG,
    "user",
    budgets,
)
BACKTESTS: dict[str, BackTest] = {
    "ENTRY_AGE": _YOUNG,
    "ENTRY_CUTOFF": _YOUNG,
    "ARCHIVE_DEADLINE": _ARCHIVE,
    **dict.fromkeys(_GRADES, _SIZE),
    **dict.fromkeys(("LOOKUPS_PER_HOUR", "LOOKUPS_PER_DAY", "REVEALS_PER_HOUR", "REVEALS_PER_DAY"), _BUDGET),
}
