"""The alarm of each day: a warning to the school first, then the ledger of suspicion, and whoever must hear
of it at once (R-DRP-01, R-DRP-02); and the end of the compulsory years (R-DRP-03).

A school that never tried to reach the family does not put the alarm off; one that did reach it has some days
more.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import chain

from django.db.models import Exists, F, OuterRef, QuerySet, Value
from django.db.models.functions import Greatest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organization
from accounts.notices import Line, notify_each
from accounts.rights import seated
from accounts.roles import Right
from audit.services import System, record_many
from config.clock import now, today
from config.rules import rule
from config.scope import ancestors, scoped_transaction
from config.workdays import add_workdays
from registry.dropout.eligible import born_by
from registry.dropout.hosting import set_hosts
from registry.models import Absence, DropoutEntry, Enrolment, PersuasionVisit, SuspectedDropout
from registry.protection import in_force
from registry.services.host_notes import host_counties
from registry.status import NORMAL

PACK = 500
NOTICE = "dropout"
LEGAL_END = "义务教育年限届满"
_TOLD = (Organization.Kind.TOWNSHIP, Organization.Kind.COUNTY)
Told = dict[str, list[Organization]]  # by the school's path


def watch(path: str) -> int:
    """All of it for one province, in packs; how many suspicions were opened. Safe to repeat."""
    _in_packs(path, _end_gone)
    _in_packs(path, _warn)
    set_hosts(path)
    return _in_packs(path, _raise)


def _in_packs(path: str, act: Callable[[str], int]) -> int:
    total, done = 0, PACK
    while done == PACK:
        with scoped_transaction(path):
            done = act(path)
        total += done
    return total


def _running(path: str) -> "QuerySet[Absence]":
    rows: QuerySet[Absence] = Absence.objects.within(path).filter(ended_on=None)
    return rows.order_by("from_on", "pk")


def _compulsory() -> Exists:
    """The pupil is in a grade of the compulsory years at the school that reported her."""
    here = Enrolment.objects.filter(
        student=OuterRef("student"), org_path=OuterRef("org_path"), status=NORMAL, is_void=False
    )
    return Exists(here.filter(grade__gte="11", grade__lt="30"))


def _end_gone(path: str) -> int:
    """Absences of pupils who are no pupils of that school any more end with the change that made it so."""
    here = Enrolment.objects.filter(
        student=OuterRef("student"), org_path=OuterRef("org_path"), status=NORMAL, is_void=False
    )
    gone = list(_running(path).filter(~Exists(here)).values_list("pk", "org_path")[:PACK])
    Absence.objects.filter(pk__in=[pk for pk, _path in gone]).update(
        ended_on=Greatest(Value(today()), F("from_on")), ended_how=Absence.Ended.CASE, ended_by_name="系统"
    )
    record_many("registry.absence.end", "absence", gone, actor=System(acting_path=path), basis="R-DRP-01")
    return len(gone)


def _warn(path: str) -> int:
    """Tell the school, once for each absence, that the alarm comes nearer."""
    last = today() - timedelta(days=rule("DROPOUT_WARN_DAYS", at=path).number)
    rows = list(
        _running(path).filter(_compulsory(), is_excused=False, is_warned=False, from_on__lte=last)[:PACK]
    )
    Absence.objects.filter(pk__in=[row.pk for row in rows]).update(is_warned=True)
    people = seated((row.org_path, Right.REPORT_ABSENCE) for row in rows)
    weeks = rule("DROPOUT_WEEKS", at=path).number
    lines = []
    for row in rows:
        words = (
            f"一名学生自 {row.from_on:%Y-%m-%d} 起未请假缺勤，请联系家长并登记劝返；"
            f"满 {weeks} 周将列入疑似辍学"
        )
        target = reverse("dropout:absence", args=[row.pk])
        lines += [
            Line(person, words, target, "", f"absence:warn:{row.pk}")
            for person in people[row.org_path, Right.REPORT_ABSENCE]
        ]
    notify_each(NOTICE, lines)
    return len(rows)


def _raise(path: str) -> int:
    """Open the suspicions that are due, and tell school, township, county and authority at once."""
    day = today()
    due = day - timedelta(weeks=rule("DROPOUT_WEEKS", at=path).number)
    lately = day - timedelta(days=rule("DROPOUT_WARN_DAYS", at=path).number)
    reached = PersuasionVisit.objects.filter(student=OuterRef("student"), on__gt=lately).exclude(
        result=PersuasionVisit.Result.UNREACHED
    )
    open_already = SuspectedDropout.objects.filter(student=OuterRef("student"), closed_on=None)
    rows = list(
        _running(path)
        .filter(_compulsory(), ~Exists(reached), ~Exists(open_already), is_excused=False, from_on__lte=due)
        .select_for_update(skip_locked=True, of=("self",))[:PACK]
    )
    if not rows:
        return 0
    report_by = add_workdays(day, rule("DROPOUT_REPORT_DAYS", at=path).number)
    made = SuspectedDropout.objects.bulk_create(
        SuspectedDropout(
            org_path=row.org_path, student_id=row.student_id, source=SuspectedDropout.Source.ALARM,
            opened_on=day, last_seen_on=row.from_on - timedelta(days=1), report_due_on=report_by,
        )
        for row in rows
    )  # fmt: skip
    tell(made)
    record_many(
        "registry.suspicion.alarm", "suspecteddropout", [(entry.pk, entry.org_path) for entry in made],
        actor=System(acting_path=path), basis="R-DRP-01",
    )  # fmt: skip
    return len(made)


# ── Who must hear of it ──────────────────────────────────────────────────────────────────────────────────
def offices_told(schools: Iterable[Organization], hosts: Mapping[str, Organization]) -> Told:
    """Township, county, host county and authority of each school, by its path, each once, the nearest first.
    One query.
    """
    lines = {school.path: ancestors(school.path) for school in schools}
    above = Organization.objects.filter(path__in=set(chain.from_iterable(lines.values())))
    held = {office.path: office for office in above}
    told = {}
    for path, line in lines.items():
        near = [held[one] for one in reversed(line) if one in held]
        found = [one for one in near[1:] if one.kind in _TOLD and today() in one.valid]
        authority = next((one for one in near if one.is_authority), None)
        others = (hosts.get(path), authority)
        told[path] = found + [one for one in others if one and one not in found and one.path != path]
    return told


def tell(entries: Sequence[SuspectedDropout]) -> None:
    """Tell the school and the offices above of new suspicions, and keep on each who was told and when."""
    schools = {
        school.path: school
        for school in Organization.objects.filter(path__in={entry.org_path for entry in entries})
    }
    hosts = host_counties(schools.values())
    above = offices_told(schools.values(), hosts)
    pupils = [entry.student_id for entry in entries]
    guarded = set(in_force().filter(student_id__in=pupils).values_list("student_id", flat=True))
    seats = {(path, Right.FILE) for path in schools}
    seats |= {(office.path, Right.DECIDE) for offices in above.values() for office in offices}
    people = seated(seats)
    lines: list[Line] = []
    for entry in entries:
        offices = above[entry.org_path]
        target, once = reverse("dropout:suspicion", args=[entry.pk]), f"dropout:{entry.pk}"
        school, source = schools[entry.org_path].name, entry.get_source_display()
        words = f"{school}新增一名疑似辍学学生（{source}），请劝返并书面报告"
        for seat in ((entry.org_path, Right.FILE), *((office.path, Right.DECIDE) for office in offices)):
            lines += [Line(person, words, target, "", once) for person in people[seat]]
        entry.told = entry.told + told_lines(offices, "系统通知")
        host = hosts.get(entry.org_path)
        entry.host_path = host.path if host and entry.student_id not in guarded else None
    SuspectedDropout.objects.bulk_update(entries, ["told", "host_path"])
    notify_each(NOTICE, lines)


def told_lines(offices: Iterable[Organization], how: str) -> list[dict[str, str]]:
    """Who was told, how and when, as the written report shows it."""
    moment = f"{timezone.localtime(now()):%Y-%m-%d %H:%M}"
    return [{"office": office.name, "how": how, "at": moment} for office in offices]


# ── The end of the compulsory years ──────────────────────────────────────────────────────────────────────
def overaged(path: str, day: date) -> "QuerySet[DropoutEntry]":
    """Open entries of pupils whose compulsory years have ended with the last school year."""
    born = born_by(path, day, "COMPULSORY_END_AGE")
    rows: QuerySet[DropoutEntry] = DropoutEntry.objects.within(path)
    return rows.filter(closed_on=None, student__birth_on__lte=born)


def end_years(path: str) -> int:
    """Close the entries of those whose compulsory years are over, and ask their schools for the case that
    ends the status: nothing here changes a status. How many; safe to repeat.
    """
    return _in_packs(path, _end_years)


def _end_years(path: str) -> int:
    rows = list(overaged(path, today()).order_by("pk").values_list("pk", "org_path")[:PACK])
    DropoutEntry.objects.filter(pk__in=[pk for pk, _school in rows], closed_on=None).update(
        closed_on=today(), legal_end=LEGAL_END
    )
    record_many(
        "registry.dropout.years_over", "dropoutentry", rows, actor=System(acting_path=path), basis="R-DRP-03"
    )
    people = seated((school, Right.FILE) for _pk, school in rows)
    words = "一名辍学学生义务教育年限届满，台账已按法定终止销号，请核实去向并办理学籍变动"
    target = reverse("dropout:ledgers") + "?ledger=dropouts&show=closed"
    lines = [
        Line(person, words, target, "", f"dropout:years:{pk}")
        for pk, school in rows
        for person in people[school, Right.FILE]
    ]
    notify_each(NOTICE, lines)
    return len(rows)
