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
    EnrolmentSnapshot,
    Export,
    Finding,
    IntakePlan,
    PersuasionVisit,
    ProblemRecord,
    SampleRow,
    SchoolClass,
    SchoolVerification,
    StatusChange,
    SuspectedDropout,
)
from registry.reorganizing import schools
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
from reports.expressions import SchoolYear, StudyYear
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
    (reports.opening); rows of a `person` cube are about pupils, of whom some are protected (AZ-10); rows
    `of_offices` are also an office's own business, other cubes count schools and their pupils only. `beside`
    names the cube that counts the rest of the same measures: tables show the sum.
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
    beside: str = ""


def _ethnic(prefix: str) -> Case:
    column = f"{prefix}ethnic_group"
    return Case(
        When(**{column: HAN}, then=Value("han")),
        When(**{column: ""}, then=Value("none")),
        default=Value("minority"),
    )


def _hukou(prefix: str, division: Any) -> Case:
    """Whether the household register lies in the county of the school, whose code is `division`."""
    column = f"{prefix}hukou_division"
    return Case(
        When(**{column: ""}, then=Value("none")),
        When(Exact(Left(column, 6), Left(division, 6)), then=Value("inside")),
        default=Value("outside"),
    )


def _division() -> Subquery:
    """The division of the office at which a row lies."""
    here = Organization.objects.filter(path=OuterRef("org_path"))
    return Subquery(here.values("division")[:1], output_field=CharField())


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
    """Decided spells by which a stage began; of who has left the school since, it counts the snapshot."""
    begun = Enrolment.objects.exclude(status__in=(PENDING, REFUSED, VOIDED)).filter(is_void=False)
    begun = begun.alias(began=F("valid__startswith"))
    gone = StatusChange.objects.filter(student=OuterRef("student_id"), from_school=OuterRef("school_id"))
    gone = gone.exclude(from_path=OuterRef("org_path"))
    kept = EnrolmentSnapshot.objects.filter(enrolment=OuterRef("pk"))
    return _entered(begun, to_school=OuterRef("school_id")).exclude(Exists(gone)).exclude(Exists(kept))


def _left_newcomers() -> "QuerySet[Any]":
    """The same of who has left: the spell follows the pupil behind another school's wall."""
    return _entered(EnrolmentSnapshot.objects.alias(began=F("began_on")), counted_path=OuterRef("org_path"))


def _entered(rows: "QuerySet[Any]", **there: OuterRef) -> "QuerySet[Any]":
    """Of rows with the day they `began` on those whose stage began in that school year: whoever came to the
    school (`there`) from another one in the stage was counted at that one.
    """
    came = StatusChange.objects.filter(
        Q(category=TRANSFERRED) | Q(category=schools.CATEGORY, reason=schools.REASON),
        student=OuterRef("student_id"), effective_on__lte=OuterRef("began"), **there,
    ).exclude(from_school=F("to_school"))  # fmt: skip
    came = came.alias(stage=Left("to_grade", 1)).filter(stage=Left(OuterRef("grade"), 1))
    rows = rows.alias(since=Concat(SchoolYear("began"), Value("-07")))
    return rows.filter(entry_month__gte=F("since")).exclude(Exists(came))


def _moving(side: str) -> dict[str, Any]:
    """The dimensions of a change as one of its schools counts it: what the change says of the pupil."""
    return {
        "grade": F(f"{side}_grade"), "sex": F("sex"), "ethnic": _ethnic(""),
        "hukou": _hukou("", f"{side}_school__division"),
    }  # fmt: skip


def _changes(*which: Q) -> Rows:
    return lambda: StatusChange.objects.filter(*which)


_MOVED = Q(category=TRANSFERRED, to_school__isnull=False) & ~Q(from_school=F("to_school"))
_FIRST = Concat(Left("grade", 1), Value("1"))  # the grade of a spell goes on with the years
NEWCOMERS = Cube(
    "newcomers", _newcomers, {"m11": _count()}, dims=_PUPIL | {"grade": _FIRST},
    period=SchoolYear("valid__startswith"), person=True, beside="left_newcomers",
)  # fmt: skip
LEFT_NEWCOMERS = Cube(
    "left_newcomers", _left_newcomers, {"m11": _count()},
    dims={"grade": _FIRST, "sex": F("sex"), "ethnic": _ethnic(""), "hukou": _hukou("", _division())},
    period=SchoolYear("began_on"), person=True,
)  # fmt: skip
INCREASES = Cube(
    "increases", _changes(Q(to_school__isnull=False)),
    {"m12": _count(category__in=RESUMED), "m13": Count("pk", filter=_MOVED)},
    path="counted_path", dims=_moving("to"), period=StudyYear("effective_on"), person=True,
)  # fmt: skip
DECREASES = Cube(
    "decreases", _changes(),
    {
        "m21": _count(to_status=GRADUATED), "m22": _count(to_status=COMPLETED),
        "m23": _count(category=SUSPENSION, to_status=SUSPENDED, from_status=NORMAL),
        "m24": _count(to_status=WITHDRAWN), "m25": _count(to_status=EXPELLED),
        "m26": _count(to_status=DEAD), "late_deaths": _count(to_status=DEAD, is_late=True),
        "m27": Count("pk", filter=_MOVED), "m28": _count(to_status=DROPPED_OUT),
        "changes": _count(), "changes_on_time": _count(is_late=False),
    },
    path="from_path", dims=_moving("from"), period=StudyYear("effective_on"), person=True,
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
    "flows_in", _changes(_MOVED), {"moved_in": _count()}, path="counted_path",
    dims=_moving("to") | {"code": _other("from", "to")}, person=True,
    period=StudyYear("effective_on"),
)  # fmt: skip
FLOWS_OUT = Cube(
    "flows_out", _changes(_MOVED), {"moved_out": _count()}, path="from_path",
    dims=_moving("from") | {"code": _other("to", "from")}, person=True,
    period=StudyYear("effective_on"),
)  # fmt: skip


def _steps(**which: Any) -> "QuerySet[Any]":
    steps = Step.objects.filter(arrived_at__isnull=False, **which)
    return steps.alias(day=Coalesce(TruncDate("decided_at"), Value(today())))


# Measures that begin with `steps_` are of every kind of case, for the yearly evaluation.
_TRANSFER, _TOO_LATE, _IN_TIME = Q(case__kind="transfer"), Q(due_on__lt=F("day")), Q(due_on__gte=F("day"))
DECIDED_STEPS = Cube(
    "decided_steps", lambda: _steps(decided_at__isnull=False),
    {
        "decided": Count("pk", filter=_TRANSFER), "on_time": Count("pk", filter=_TRANSFER & _IN_TIME),
        "steps_decided": _count(), "steps_on_time": Count("pk", filter=_IN_TIME),
    },
    path="office_path", period=SchoolYear("day"), of_offices=True,
)  # fmt: skip
STEPS = Cube(
    "steps", lambda: _steps(is_current=True),
    {
        "waiting": Count("pk", filter=_TRANSFER), "overdue": Count("pk", filter=_TRANSFER & _TOO_LATE),
        "steps_late": Count("pk", filter=_TOO_LATE),
    },
    path="office_path", period=SchoolYear("day"), of_offices=True,
)  # fmt: skip


# ── Intake, verification, dropout, problems, accounts, exports ────────────────────────────────────────────
def _year(column: str) -> Func:
    return Func(F(column), template="(%(expressions)s)::text", output_field=CharField())


def _plans() -> "QuerySet[Any]":
    grade = Case(
        *(When(stage=stage, then=Value(entry)) for stage, entry in ENTRY_GRADES.items()), default=Value("")
    )
    return IntakePlan.objects.alias(entry_grade=grade)


PLANS = Cube(
    "plans", _plans, {"planned": Sum("planned")}, dims={"grade": F("entry_grade")},
    period=_year("school_year"),
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
        "verified_pupils": Sum("pupils"),
    },
    dims={"code": F("campaign__semester")}, period=_year("campaign__school_year"),
)  # fmt: skip
CLOSED = Cube(
    "closed", lambda: Finding.objects.filter(state=Finding.State.CLOSED),
    {"closed_findings": _count(), "closed_in_time": _count(closed_at__date__lte=F("due_on"))},
    period=_year("campaign__school_year"),
)  # fmt: skip
INSPECTED = Cube(
    "inspected", lambda: SampleRow.objects.exclude(result=SampleRow.Result.OPEN),
    {"inspected": _count(), "agreed": _count(result=SampleRow.Result.AGREES)},
    # Not by its campaign: a sample lies at the office that drew it, which a county does not see.
    period=SchoolYear(TruncDate("inspected_at")),
)  # fmt: skip


def _ledger() -> dict[str, Any]:
    """The dimensions of what the dropout control keeps of a pupil: its rows lie where she does."""
    spells = Enrolment.objects.filter(student=OuterRef("student_id"), org_path=OuterRef("org_path"))
    return {
        "grade": Subquery(spells.order_by("-id").values("grade")[:1], output_field=CharField()),
        "sex": F("student__sex"), "ethnic": _ethnic("student__"),
        "hukou": _hukou("student__", _division()),
    }  # fmt: skip


_LEDGER = _ledger()
DROPOUTS = Cube(
    "dropouts", lambda: DropoutEntry.objects.all(),
    {
        "opened": _count(), "returned": _count(closed_on__isnull=False, legal_end=""),
        "ended": _count(legal_end__gt=""), "still_out": _count(closed_on=None),
    },
    dims=_LEDGER | {"code": F("reason")}, period=SchoolYear("opened_on"), person=True,
)  # fmt: skip
SUSPECTS = Cube(
    "suspects", lambda: SuspectedDropout.objects.all(),
    {
        "suspected": _count(), "unreported": _count(reported_at=None, closed_on=None),
        "cleared": _count(closed_how=SuspectedDropout.Closed.CONFIRMED),
    },
    dims=_LEDGER, period=SchoolYear("opened_on"), person=True,
)  # fmt: skip
VISITS = Cube(
    "visits", lambda: PersuasionVisit.objects.all(), {"visits": _count()}, dims=_LEDGER,
    period=SchoolYear("on"), person=True,
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
        "provided": _count(ready_at__isnull=False),
    },
    dims={"code": F("purpose")}, period=SchoolYear("requested_at"), of_offices=True,
)  # fmt: skip

CUBES = {
    cube.code: cube
    for cube in (
        PUPILS, SEALED, CLASSES, SCHOOLS, GUESTS_IN, GUESTS_OUT, OPEN_PROBLEMS, NEWCOMERS, LEFT_NEWCOMERS,
        INCREASES, DECREASES, FLOWS_IN, FLOWS_OUT, DECIDED_STEPS, STEPS, PLANS, ENTRANTS, VERIFIED, CLOSED,
        INSPECTED, DROPOUTS, SUSPECTS, VISITS, CHAIN, PROBLEMS, ACCOUNTS, EXPORTS,
    )
}  # fmt: skip
