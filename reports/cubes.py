"""What is counted, as data: each cube is one source of numbers with its dimensions and measures.

A cube's rows carry the path they count at. Counting them under a school, a county or the nation differs in
the path alone; that makes every number of a report the length of a list.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Concat, Left, TruncDate
from django.db.models.lookups import Exact

from accounts.models import Organization, Post
from accounts.models.people import trainings_valid
from config.clock import today
from registry.codes import choices
from registry.models import (
    Attendance,
    DropoutEntry,
    DropoutReport,
    Enrolment,
    Export,
    IntakePlan,
    PersuasionVisit,
    ProblemRecord,
    SchoolClass,
    SchoolVerification,
    StatusChange,
    SuspectedDropout,
)
from registry.status import (
    DEAD,
    DROPPED_OUT,
    EXPELLED,
    NORMAL,
    OPEN,
    PENDING,
    REFUSED,
    SUSPENDED,
    VOIDED,
    WITHDRAWN,
)
from reports.expressions import SchoolYear
from transfers.models import Step

DIMENSIONS = ("grade", "sex", "ethnic", "hukou", "code")
HAN = "01"  # list ethnic_group
TRANSFERRED = "22"  # list status_change_category: 转学(转入)
RESUMED = ("08", "12")  # 回国复学, 复学
SUSPENSION = "11"
GRADUATED, COMPLETED = "07", "08"  # statuses
ENTRY_GRADES = {"2": "11", "3": "21", "4": "31"}
HUKOU_TYPES = choices("hukou_type_form")
ADMISSION_MODES = choices("admission_mode_form")
DISPOSITIONS = [pair for pair in ProblemRecord.Disposition.choices if pair[0]]
Rows = Callable[[], "QuerySet[Any]"]


@dataclass(frozen=True)
class Cube:
    """One source. `path` names the column whose office a row counts at; `period` is the school year it
    belongs to, None for how things stand today. The measures of a `sealed` cube lie encrypted in the record
    (reports.opening); rows of a `person` cube are pupils, of whom some are protected (AZ-10); rows
    `of_offices` are also an office's own business, other cubes count schools and their pupils only.
    """

    code: str
    rows: Rows
    measures: Mapping[str, Any]
    path: str = "org_path"
    dims: Mapping[str, Any] = field(default_factory=dict)
    period: Any = None
    sealed: bool = False
    person: bool = False
    of_offices: bool = False


def _ethnic(prefix: str) -> Case:
    column = f"{prefix}ethnic_group"
    return Case(
        When(**{column: HAN}, then=Value("han")),
        When(**{column: ""}, then=Value("none")),
        default=Value("minority"),
    )


def _hukou(prefix: str, division: str) -> Case:
    """Whether the household register lies in the county of the school, whose code `division` names."""
    column = f"{prefix}hukou_division"
    return Case(
        When(**{column: ""}, then=Value("none")),
        When(Exact(Left(column, 6), Left(division, 6)), then=Value("inside")),
        default=Value("outside"),
    )


def _count(**when: Any) -> Count:
    return Count("pk", filter=Q(**when)) if when else Count("pk")


# ── Pupils as they are today ──────────────────────────────────────────────────────────────────────────────
def _pupils() -> "QuerySet[Any]":
    """Every open spell: one a person in the whole country, so that nobody counts twice (G-21)."""
    rows = Enrolment.objects.filter(status__in=OPEN, is_void=False)
    return rows.alias(ethnic_at=_ethnic("student__"), hukou_at=_hukou("student__", "school__division"))


def _here(**when: Any) -> Count:
    """Of the pupils in school: the list under 正常在校. None counts before the decision (A7.3)."""
    return _count(status=NORMAL, **when)


_PUPIL = {
    "grade": F("grade"), "sex": F("sex"), "ethnic": _ethnic("student__"),
    "hukou": _hukou("student__", "school__division"),
}  # fmt: skip

PUPILS = Cube(
    "pupils", _pupils,
    {
        "pupils": _here(), "boys": _here(sex="1"), "girls": _here(sex="2"),
        "minority": _here(ethnic_at="minority"), "outside": _here(hukou_at="outside"),
        "migrant": _here(student__migrant_child="1"),
        **{f"hukou_{code}": _here(student__hukou_type=code) for code, _name in HUKOU_TYPES},
        **{f"mode_{code}": _here(admission_mode=code) for code, _name in ADMISSION_MODES},
        "pending": _count(status=PENDING), "suspended": _count(status=SUSPENDED),
    },
    dims=_PUPIL, person=True,
)  # fmt: skip
# What the measures of a sealed cube look for: field of the record, and the values that count.
FLAGS = {
    "left_behind": ("left_behind", ("1", "2")),
    "orphan": ("orphan", ("1",)),
    "martyr": ("martyr_child", ("1",)),
    "subsidy": ("receives_subsidy", ("1",)),
    "aid": ("applies_for_aid", ("1",)),
    "disabled": ("disability", tuple(code for code, _name in choices("disability_type_form") if code != "0")),
}
SEALED = Cube(
    "sealed", lambda: Enrolment.objects.filter(status=NORMAL, is_void=False), dict.fromkeys(FLAGS),
    dims=_PUPIL, sealed=True, person=True,
)  # fmt: skip


def _classes() -> "QuerySet[Any]":
    place = Concat("school__pk", Value(" "), "grade", output_field=CharField())
    return SchoolClass.objects.filter(is_open=True).alias(school_grade=place)


CLASSES = Cube(
    "classes", _classes, {"classes": _count(), "grades": Count("school_grade", distinct=True)},
    dims={"grade": F("grade")},
)  # fmt: skip
SCHOOLS = Cube(
    "schools", lambda: Organization.objects.filter(kind="school", valid__contains=today()),
    {"schools": _count()}, path="path",
)  # fmt: skip
_GUEST = {"grade": F("grade"), "sex": F("sex")}


def _guests() -> "QuerySet[Any]":
    return Attendance.objects.filter(valid__contains=today())


GUESTS_IN = Cube("guests_in", _guests, {"guests_in": _count()}, dims=_GUEST)
GUESTS_OUT = Cube("guests_out", _guests, {"guests_out": _count()}, path="home_path", dims=_GUEST)
OPEN_PROBLEMS = Cube(
    "open_problems", lambda: ProblemRecord.objects.filter(closed_at=None, is_hint=False),
    {"problems": _count()},
)  # fmt: skip


# ── Movements of a school year (list student_movement_statistics) ─────────────────────────────────────────
def _newcomers() -> "QuerySet[Any]":
    """Spells that opened in the school year their stage began in, decided, and not by a transfer."""
    came = StatusChange.objects.filter(
        student=OuterRef("student_id"), to_school=OuterRef("school_id"), category=TRANSFERRED
    )
    begun = Enrolment.objects.exclude(status__in=(PENDING, REFUSED, VOIDED)).filter(is_void=False)
    begun = begun.alias(since=Concat(SchoolYear("valid__startswith"), Value("-07")))
    return begun.filter(entry_month__gte=F("since")).exclude(Exists(came))


def _sex_at(side: str) -> Subquery:
    """The sex that the spell at that school keeps: the pupil's own row may lie elsewhere by now."""
    spells = Enrolment.objects.filter(student=OuterRef("student_id"), school=OuterRef(f"{side}_school_id"))
    return Subquery(spells.order_by("-id").values("sex")[:1], output_field=CharField())


def _changes(*which: Q) -> Rows:
    return lambda: StatusChange.objects.filter(*which)


_MOVED = Q(category=TRANSFERRED, to_school__isnull=False) & ~Q(from_school=F("to_school"))
NEWCOMERS = Cube(
    "newcomers", _newcomers, {"m11": _count()}, dims=_PUPIL, period=SchoolYear("valid__startswith"),
    person=True,
)  # fmt: skip
INCREASES = Cube(
    "increases", _changes(Q(to_school__isnull=False)),
    {"m12": _count(category__in=RESUMED), "m13": Count("pk", filter=_MOVED)},
    path="to_path", dims={"grade": F("to_grade"), "sex": _sex_at("to")}, period=SchoolYear("effective_on"),
)  # fmt: skip
DECREASES = Cube(
    "decreases", _changes(),
    {
        "m21": _count(to_status=GRADUATED), "m22": _count(to_status=COMPLETED),
        "m23": _count(category=SUSPENSION, to_status=SUSPENDED, from_status=NORMAL),
        "m24": _count(to_status=WITHDRAWN), "m25": _count(to_status=EXPELLED),
        "m26": _count(to_status=DEAD), "late_deaths": _count(to_status=DEAD, is_late=True),
        "m27": Count("pk", filter=_MOVED), "m28": _count(to_status=DROPPED_OUT),
    },
    path="from_path", dims={"grade": F("from_grade"), "sex": _sex_at("from")},
    period=SchoolYear("effective_on"),
)  # fmt: skip


# ── Transfers by flow, and how fast they are decided ──────────────────────────────────────────────────────
def _other(side: str, own: str) -> Case:
    """The county at the other end, or beyond the province its province."""
    theirs, ours = f"{side}_school__division", f"{own}_school__division"
    return Case(
        When(Exact(Left(theirs, 2), Left(ours, 2)), then=Left(theirs, 6)),
        default=Concat(Left(theirs, 2), Value("0000")),
    )


FLOWS_IN = Cube(
    "flows_in", _changes(_MOVED), {"moved_in": _count()}, path="to_path", period=SchoolYear("effective_on"),
    dims={"grade": F("to_grade"), "sex": _sex_at("to"), "code": _other("from", "to")},
)  # fmt: skip
FLOWS_OUT = Cube(
    "flows_out", _changes(_MOVED), {"moved_out": _count()}, path="from_path",
    dims={"grade": F("from_grade"), "sex": _sex_at("from"), "code": _other("to", "from")},
    period=SchoolYear("effective_on"),
)  # fmt: skip


def _steps() -> "QuerySet[Any]":
    """Each step of a transfer that an office decided in the school year, or that waits there now."""
    steps = Step.objects.filter(case__kind="transfer", arrived_at__isnull=False)
    return steps.alias(day=Coalesce(TruncDate("decided_at"), Value(today())))


STEPS = Cube(
    "steps", _steps,
    {
        "decided": _count(decided_at__isnull=False),
        "on_time": Count("pk", filter=Q(decided_at__isnull=False, due_on__gte=TruncDate("decided_at"))),
        "waiting": _count(is_current=True),
        "overdue": Count("pk", filter=Q(is_current=True, due_on__lt=F("day"))),
    },
    path="office_path", period=SchoolYear("day"), of_offices=True,
)  # fmt: skip


# ── Intake, verification, dropout, problems, accounts, exports ────────────────────────────────────────────
def _plans() -> "QuerySet[Any]":
    grade = Case(
        *(When(stage=stage, then=Value(entry)) for stage, entry in ENTRY_GRADES.items()), default=Value("")
    )
    return IntakePlan.objects.alias(entry_grade=grade)


PLANS = Cube(
    "plans", _plans, {"planned": Sum("planned")}, dims={"grade": F("entry_grade")},
    period=Func(F("school_year"), template="(%(expressions)s)::text", output_field=CharField()),
)  # fmt: skip


def _entrants() -> "QuerySet[Any]":
    """Open spells of the entry grades that began in the school year: what a plan is compared with."""
    return Enrolment.objects.filter(status__in=OPEN, is_void=False, grade__in=ENTRY_GRADES.values())


ENTRANTS = Cube(
    "entrants", _entrants,
    {
        "entered": _count(), "undecided": _count(status=PENDING),
        "numbered": Count("pk", filter=Q(student__number__gt="") & ~Q(student__number__startswith="L")),
    },
    dims=_PUPIL, period=SchoolYear("valid__startswith"), person=True,
)  # fmt: skip
VERIFIED = Cube(
    "verified", lambda: SchoolVerification.objects.all(),
    {
        "to_verify": _count(), "signed": _count(state="signed"), "rolls": Sum("rolls_total"),
        "rolls_done": Sum("rolls_confirmed"), "findings": Sum("findings_total"),
        "findings_open": Sum("findings_open"), "unplanned": Sum("unplanned"), "late_findings": Sum("overdue"),
    },
    dims={"code": F("campaign__semester")},
    period=Func(F("campaign__school_year"), template="(%(expressions)s)::text", output_field=CharField()),
)  # fmt: skip
DROPOUTS = Cube(
    "dropouts", lambda: DropoutEntry.objects.all(),
    {"opened": _count(), "returned": _count(closed_on__isnull=False), "still_out": _count(closed_on=None)},
    dims={"code": F("reason"), "sex": F("student__sex"), "ethnic": _ethnic("student__")},
    period=SchoolYear("opened_on"),
)  # fmt: skip
SUSPECTS = Cube(
    "suspects", lambda: SuspectedDropout.objects.all(),
    {
        "suspected": _count(), "unreported": _count(reported_at=None, closed_on=None),
        "cleared": _count(closed_on__isnull=False),
    },
    dims={"sex": F("student__sex"), "ethnic": _ethnic("student__")}, period=SchoolYear("opened_on"),
)  # fmt: skip
VISITS = Cube(
    "visits", lambda: PersuasionVisit.objects.all(), {"visits": _count()},
    dims={"sex": F("student__sex"), "ethnic": _ethnic("student__")}, period=SchoolYear("on"),
)  # fmt: skip
CHAIN = Cube(
    "chain", lambda: DropoutReport.objects.all(),
    {"due_reports": _count(), "signed_reports": _count(signed_at__isnull=False)},
    period=SchoolYear("starts_on"), of_offices=True,
)  # fmt: skip


def _problems() -> "QuerySet[Any]":
    return ProblemRecord.objects.alias(day=Value(today()))


PROBLEMS = Cube(
    "problems", _problems,
    {
        "waiting_problems": _count(closed_at=None, is_hint=False),
        "late_problems": _count(closed_at=None, is_hint=False, due_on__lt=F("day")),
        "arbitrated": _count(closed_at=None, is_hint=False, arbitration_no__gt=""),
        "hints": _count(closed_at=None, is_hint=True),
        **{f"with_{one}": _count(closed_at__isnull=False, disposition=one) for one, _name in DISPOSITIONS},
        "closed_problems": _count(closed_at__isnull=False),
    },
    dims={"code": F("type")},
)  # fmt: skip


def _posts() -> "QuerySet[Any]":
    return Post.objects.filter(
        valid__contains=today(), stands_for=None, office__valid__contains=today()
    ).alias(is_trained=Exists(trainings_valid(today()).filter(user=OuterRef("user_id"))))


ACCOUNTS = Cube(
    "accounts", _posts,
    {
        "posts": _count(), "trained": _count(is_trained=True),
        "sealed_accounts": _count(user__sealed_at__isnull=False),
    },
    path="office__path", dims={"code": F("role")}, of_offices=True,
)  # fmt: skip
EXPORTS = Cube(
    "exports", lambda: Export.objects.all(),
    {
        "asked": _count(), "approved": _count(decided_at__isnull=False, job__isnull=False),
        "refused": _count(state="refused"), "exported_rows": Sum("rows"), "fetched": _count(downloads__gt=0),
    },
    dims={"code": F("purpose")}, period=SchoolYear("requested_at"), of_offices=True,
)  # fmt: skip

CUBES = {
    cube.code: cube
    for cube in (
        PUPILS, SEALED, CLASSES, SCHOOLS, GUESTS_IN, GUESTS_OUT, OPEN_PROBLEMS, NEWCOMERS, INCREASES,
        DECREASES, FLOWS_IN, FLOWS_OUT, STEPS, PLANS, ENTRANTS, VERIFIED, DROPOUTS, SUSPECTS, VISITS, CHAIN,
        PROBLEMS, ACCOUNTS, EXPORTS,
    )
}  # fmt: skip
