"""Reading a verification: progress by level, findings, samples. Constant queries at every level."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Func, Q, QuerySet, Sum, TextField, Value

from accounts.models import Organization, User
from accounts.roles import Right
from config.clock import today
from config.errors import NotFound
from config.paging import count_up_to
from config.rules import rule
from registry.models import (
    Campaign,
    Enrolment,
    Finding,
    Sample,
    SampleRow,
    SchoolClass,
    SchoolVerification,
    Student,
)
from registry.protection import hidden_from
from registry.queries.rosters import number_in
from registry.verification.kinds import CHECKS, KINDS, OFFENCES, said

PAGE = 50
State = Finding.State
_SUMS = (
    "pupils",
    "findings_total",
    "findings_open",
    "unplanned",
    "overdue",
    "rolls_total",
    "rolls_confirmed",
)


def percent(part: int, whole: int | None) -> int | None:
    return round(part * 100 / whole) if whole else None


# ── Progress ─────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(slots=True)
class Progress:
    """One level of a campaign: a line for each office right below, and their sum."""

    office: Organization
    lines: list[dict[str, Any]]
    total: dict[str, Any]


def office_in(user: User, wanted: str) -> Organization:
    """The office she looks at: her own, or one below it. Raises NotFound."""
    if not wanted:
        assert user.acting_office is not None  # noqa: S101  # the door asked for a post
        return user.acting_office
    below = Organization.objects.visible_to(user, Right.VIEW_OFFICE).within(user.acting_path)
    office: Organization | None = below.filter(pk=number_in(wanted)).first()
    if office is None:
        raise NotFound()
    return office


def progress(campaign: Campaign, office: Organization, user: User) -> Progress:
    """Counts of the schools under each office right below `office`: three queries, whatever the level."""
    rows = SchoolVerification.objects.visible_to(user, Right.VIEW_STUDENT).within(office.path)
    part = Func(
        F("org_path"), Value("."), Value(office.path.count(".") + 1), function="split_part",
        output_field=TextField(),
    )  # fmt: skip
    summed = {
        line["part"]: line
        for line in rows.filter(campaign=campaign).order_by().values(part=part).annotate(
            schools=Count("pk"), signed=Count("pk", filter=Q(state=SchoolVerification.State.SIGNED)),
            checked=Count("pk", filter=Q(checked_at__isnull=False)),
            **{name: Sum(name) for name in _SUMS},
        )
    }  # fmt: skip
    own = dict(rows.filter(campaign=campaign, school__parent=office).values_list("school_id", "pk"))
    lines = [
        summed[child.code]
        | {
            "office": child, "school": own.get(child.pk),
            "signed_percent": percent(summed[child.code]["signed"], summed[child.code]["schools"]),
        }
        for child in Organization.objects.filter(parent=office).order_by("path")
        if child.code in summed
    ]  # fmt: skip
    total: dict[str, Any] = {
        name: sum(line[name] for line in lines) for name in ("schools", "signed", "checked", *_SUMS)
    }
    total["signed_percent"] = percent(total["signed"], total["schools"])
    return Progress(office, lines, total)


def school_rows(user: User) -> "QuerySet[SchoolVerification]":
    rows: QuerySet[SchoolVerification] = SchoolVerification.objects.visible_to(user, Right.VIEW_STUDENT)
    return rows.select_related("campaign__job", "school")


def open_school(user: User, pk: int) -> SchoolVerification:
    """One school's verification in scope. Raises NotFound."""
    found = school_rows(user).filter(pk=pk).first()
    if found is None:
        raise NotFound()
    return found


# ── Findings ─────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(slots=True)
class FindingPage:
    """One page of findings, with what they are about in words."""

    rows: list[dict[str, Any]]
    after: int | None
    total: int


def findings_seen_by(user: User) -> Any:
    return Finding.objects.visible_to(user, Right.VIEW_STUDENT)


def open_finding(user: User, pk: int) -> Finding:
    """One finding in scope, with campaign and ordering office. Raises NotFound."""
    rows = findings_seen_by(user).select_related("campaign", "order_office")
    found: Finding | None = rows.filter(pk=pk).first()
    if found is None:
        raise NotFound()
    return found


def read_findings(campaign: Campaign, path: str, user: User, query: Any) -> FindingPage:
    """Findings of a campaign under `path`, newest first, filtered by `show`, `kind` and `check`."""
    rows = findings_seen_by(user).filter(campaign=campaign, org_path__within=path)
    rows = _shown(rows, query.get("show", ""))
    if (kind := query.get("kind", "")) in KINDS:
        rows = rows.filter(kind=kind)
    if (check := query.get("check", "")) in CHECKS:
        rows = rows.filter(kind__in=[one.code for one in KINDS.values() if one.check == check])
    total = count_up_to(rows)
    if after := query.get("after", ""):
        rows = rows.filter(pk__lt=number_in(after))
    # Keys first: the page's columns are read by key.
    ids = list(rows.newest_first(path).values_list("pk", flat=True)[: PAGE + 1])
    found = findings_seen_by(user).filter(pk__in=ids[:PAGE]).select_related("order_office").order_by("-pk")
    return FindingPage(in_words(list(found), user), ids[PAGE - 1] if len(ids) > PAGE else None, total)


def _shown(rows: Any, show: str) -> Any:
    if show == "overdue":
        return rows.exclude(state=State.CLOSED).filter(due_on__lt=today())
    if show == "ordered":
        return rows.exclude(offence=None)
    return rows.filter(state=show) if show in State.values else rows


def in_words(found: list[Finding], user: User) -> list[dict[str, Any]]:
    """Findings with pupil, class and school in words: three queries. A pupil whom she must not see stays
    without a name.
    """
    pupils = people({one.student_id for one in found if one.student_id}, user)
    classes = SchoolClass.objects.filter(pk__in={one.school_class_id for one in found if one.school_class_id})
    class_names: dict[int, str] = dict(classes.values_list("pk", "name"))
    schools: dict[str, str] = dict(
        Organization.objects.filter(path__in={one.org_path for one in found}).values_list("path", "name")
    )
    return [
        {
            "row": one, "kind": KINDS[one.kind], "check": CHECKS[KINDS[one.kind].check],
            "said": said(one.kind, one.facts), "pupil": pupils.get(one.student_id or 0),
            "class_name": class_names.get(one.school_class_id or 0, ""),
            "school_name": schools.get(one.org_path, ""),
            "is_overdue": one.state != State.CLOSED and one.due_on < today(),
            "offence": OFFENCES.get(one.offence or 0, ""),
        }
        for one in found
    ]  # fmt: skip


def people(ids: Collection[int], user: User) -> dict[int, dict[str, Any]]:
    """Name and address of the pupils she may see, by id."""
    rows = Student.objects.visible_to(user, Right.VIEW_STUDENT).filter(pk__in=ids)
    shown = rows.exclude(pk__in=hidden_from(user)).values("pk", "public_id", "name")
    return {row["pk"]: dict(row) for row in shown}


def without_photo(finding: Finding, user: User) -> list[dict[str, Any]]:
    """Whom of the class a missing photo is about, by name: those whose term is over and whom she may see."""
    since = rule("ARCHIVE_DEADLINE", at=finding.org_path, on=today()).days_before(today())
    spells = Enrolment.objects.filter(org_path=finding.org_path, school_class=finding.school_class)
    due = spells.in_school().filter(valid__startswith__lte=since)
    missing = due.exclude(student__materials__kind="photo").order_by("name_py", "pk")
    names = people(ids := list(missing.values_list("student_id", flat=True)[:PAGE]), user)
    return [names[pk] for pk in ids if pk in names]


def kind_counts(school: SchoolVerification) -> list[dict[str, Any]]:
    """What is not closed at one school, by kind."""
    rows = Finding.objects.filter(campaign=school.campaign, org_path=school.org_path)
    counted = rows.exclude(state=State.CLOSED).values_list("kind").annotate(n=Count("pk"))
    return [{"kind": KINDS[code], "count": n} for code, n in sorted(counted.order_by())]


# ── Samples ──────────────────────────────────────────────────────────────────────────────────────────────
def samples_of(campaign: Campaign, user: User) -> list[Sample]:
    """Samples drawn by her office and below, newest first, with how far each is."""
    rows = Sample.objects.visible_to(user, Right.INSPECT).filter(campaign=campaign)
    return list(
        rows.annotate(
            drawn=Count("rows"), agrees=Count("rows", filter=Q(rows__result=SampleRow.Result.AGREES)),
            disagrees=Count("rows", filter=Q(rows__result=SampleRow.Result.DISAGREES)),
        ).order_by("-pk")[:PAGE]
    )  # fmt: skip


def open_sample(user: User, pk: int) -> Sample:
    """A sample of her office or below. Raises NotFound."""
    rows = Sample.objects.visible_to(user, Right.INSPECT).select_related("campaign")
    found: Sample | None = rows.filter(pk=pk).first()
    if found is None:
        raise NotFound()
    return found


def sample_rows(sample: Sample, user: User, after: str) -> tuple[list[dict[str, Any]], int | None]:
    """A page of a sample's pupils in the order drawn, with school and name."""
    rows = SampleRow.objects.visible_to(user, Right.INSPECT).filter(sample=sample).order_by("ordinal")
    if after:
        rows = rows.filter(ordinal__gt=number_in(after))
    found = list(rows[: PAGE + 1])
    shown = found[:PAGE]
    pupils = people({row.student_id for row in shown}, user)
    offices = Organization.objects.filter(path__in={row.org_path for row in shown})
    schools: dict[str, str] = dict(offices.values_list("path", "name"))
    lines = [
        {"row": row, "pupil": pupils.get(row.student_id), "school_name": schools.get(row.org_path, "")}
        for row in shown
    ]
    return lines, shown[-1].ordinal if len(found) > PAGE else None
