"""Counting each unit, appending what changed, folding it, and checking every night (docs/decisions/0018).

A unit is a county with everything below it, a school that no county is above, or the own business of an
office above the counties. Whoever counts a unit appends differences only; one job folds them. Cut anywhere,
run twice or at once, the sums come out the same: a difference is taken against what is folded and appended.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.db.models import Sum
from django.db.models.functions import Now

from accounts.models import Organization, User
from audit.models import Event
from audit.services import System, record
from audit.warnings import warn
from config.faults import fault
from config.jobs import OPEN, finish, held, queue, report
from config.models import Job
from config.rules import rule
from config.scope import NATION, ancestors, scoped_transaction
from registry.models import EnrolmentSnapshot
from registry.protection import changed_since
from reports.cubes import CUBES, PUPILS, SEALED, Cube
from reports.models import KEY, Summary, SummaryDelta, UnitState
from reports.queries import live_grouping
from reports.refusals import NoUnit

log = structlog.get_logger()
REFRESH = "reports.tasks.refresh_unit"
Kind = Organization.Kind
# What a transaction wrote that began before the last count and ended after it.
_LONGEST = timedelta(minutes=15)
# Counted whenever something happened in the unit; all others are small and counted each time.
LARGE = (
    PUPILS.code, "newcomers", "left_newcomers", "entrants", "increases", "decreases", "flows_in", "flows_out",
    "decided_steps", "closed", "inspected",
)  # fmt: skip
_LEAF_OF = {SEALED.code: "leaf"}  # a county compares its schools by what only opening the records tells


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit; `own`: the office's own business only, for there are other units below it."""

    path: str
    own: bool = False


def units(top: str = NATION) -> list[Unit]:
    """The units at and below `top`. A county that has nobody below it has its own business only."""
    offices = Organization.objects.filter(path__within=top).order_by("path").values_list("path", "kind")
    found: list[Unit] = []
    county = ""
    for path, kind in offices:  # parents come before what is below them
        if county and path.startswith(county):
            found[-1] = Unit(county)
        elif kind in (Kind.COUNTY, Kind.SCHOOL):
            county = path
            found.append(Unit(path, own=kind == Kind.COUNTY))
        else:
            found.append(Unit(path, own=True))
    return found


def unit_of(path: str) -> str | None:
    """The unit that an office lies in or is, None for one above the units."""
    above = Organization.objects.filter(path__in=ancestors(path), kind__in=(Kind.COUNTY, Kind.SCHOOL))
    return above.order_by("path").values_list("path", flat=True).first()


# ── Counting ──────────────────────────────────────────────────────────────────────────────────────────────
def count_unit(unit: Unit, *, with_sealed: bool = False, fully: bool = False) -> int:
    """Append by how much each number of the unit differs from what is known; how many differences.

    In a transaction of its own. Of two that count one unit at once the second finds nothing left to append.
    """
    with scoped_transaction(unit.path):
        state = _held_state(unit)
        due = [cube for cube in CUBES.values() if not cube.sealed or with_sealed]
        if not fully and not _has_happened(unit, state):
            due = [cube for cube in due if cube.code not in LARGE]
        return len(_append(unit, state, due))


def _held_state(unit: Unit) -> UnitState:
    """The unit's state, for one count at a time."""
    _lock(f"reports {unit.path}")
    return UnitState.objects.get_or_create(unit=unit.path)[0]


def _append(unit: Unit, state: UnitState, due: list[Cube]) -> list[SummaryDelta]:
    """Append the differences of these cubes; `state` still says what was before."""
    changes = list(_changes_of(unit, due))
    SummaryDelta.objects.bulk_create(changes, batch_size=1000)
    fault("reports.appended")
    opened = {"sealed_counted_at": Now()} if any(cube.sealed for cube in due) else {}
    UnitState.objects.filter(pk=state.pk).update(counted_at=Now(), **opened)
    return changes


def _has_happened(unit: Unit, state: UnitState) -> bool:
    """Whether anything there may count otherwise than last time: every act leaves an event, and a pupil whom
    another place took in (a list of results) her snapshot.
    """
    if state.counted_at is None:
        return True
    since = state.counted_at - _LONGEST
    left = EnrolmentSnapshot.objects.within(unit.path).filter(created_at__gt=since)
    return (
        Event.objects.within(unit.path).filter(at__gt=since).exists()
        or left.exists()
        or _is_protected_otherwise(unit, since)
    )


def _is_protected_otherwise(unit: Unit, since: datetime) -> bool:
    """Whether protection came to, or left, somebody counted there: it runs out without an act, and former
    schools hear of none (AZ-10).
    """
    pupils = changed_since(since)
    cubes = [CUBES[code] for code in LARGE if CUBES[code].person] if pupils else []
    return any(
        cube.rows().filter(**{f"{cube.path}__within": unit.path}, student_id__in=pupils).exists()
        for cube in cubes
    )


def _changes_of(unit: Unit, due: list[Cube]) -> Iterator[SummaryDelta]:
    known = _known(unit, [cube.code for cube in due])
    for cube in due:
        now = _counted(unit, cube) if cube.of_offices or not unit.own else {}
        before = known[cube.code]
        for key in now.keys() | before.keys():
            if delta := now.get(key, 0) - before.get(key, 0):
                yield SummaryDelta(unit=unit.path, delta=delta, **dict(zip(KEY, key, strict=True)))


def _counted(unit: Unit, cube: Cube) -> dict[tuple[str, ...], int]:
    """Every number of one cube as it is now, without the protected (reports.tables adds them for some)."""
    leaf = _LEAF_OF.get(cube.code)
    by = [*cube.dims, "period", *([leaf] if leaf else [])]
    found: dict[tuple[str, ...], int] = {}
    for line in live_grouping(cube, unit.path, by=by, exact=unit.own, protected=False):
        fixed = {"org_path": line[leaf] if leaf else unit.path, "cube": cube.code}
        for measure in cube.measures:
            if value := int(line[measure]):
                place = fixed | {"measure": measure}
                found[tuple(str(place.get(name, line.get(name, ""))) for name in KEY)] = value
    return found


def _known(unit: Unit, cubes: list[str]) -> dict[str, dict[tuple[str, ...], int]]:
    """What is folded and what is appended of the unit, in one statement: a fold between two would count one
    difference twice, or not at all.
    """
    columns = ("cube", *KEY)
    folded = Summary.objects.filter(is_unit=True, unit=unit.path, cube__in=cubes).values_list(
        *columns, "value"
    )
    waiting = SummaryDelta.objects.filter(unit=unit.path, cube__in=cubes).values_list(*columns, "delta")
    found: dict[str, dict[tuple[str, ...], int]] = defaultdict(lambda: defaultdict(int))
    for cube, *key, value in folded.union(waiting, all=True):
        found[cube][tuple(key)] += value
    return found


def _lock(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


# ── Folding ───────────────────────────────────────────────────────────────────────────────────────────────
_FOLD = """
WITH taken AS (DELETE FROM reports_summarydelta WHERE id IN (
         SELECT id FROM reports_summarydelta ORDER BY id LIMIT %(most)s)
     RETURNING unit, org_path, cube, period, grade, sex, ethnic, hukou, code, measure, delta),
placed AS (
    SELECT true AS is_unit, unit, org_path, cube, period, grade, sex, ethnic, hukou, code, measure, delta
    FROM taken
    UNION ALL
    SELECT false, 'CN.', above.path, cube, period, each.grade, each.sex, each.ethnic, each.hukou, each.code,
           measure, delta
    FROM taken t CROSS JOIN LATERAL (
        SELECT array_to_string((string_to_array(org_path, '.'))[1:n], '.') || '.' AS path
        FROM generate_series(1, cardinality(string_to_array(org_path, '.')) - 1) n) above
    CROSS JOIN LATERAL (VALUES (t.grade, t.sex, t.ethnic, t.hukou, t.code), ('*', '', '', '', ''))
        each (grade, sex, ethnic, hukou, code)),
folded AS (
    INSERT INTO reports_summary AS s (is_unit, unit, org_path, cube, period, grade, sex, ethnic, hukou, code,
                                      measure, value)
    SELECT is_unit, max(unit), org_path, cube, period, grade, sex, ethnic, hukou, code, measure, sum(delta)
    FROM placed GROUP BY is_unit, org_path, cube, period, grade, sex, ethnic, hukou, code, measure
    ON CONFLICT (is_unit, org_path, cube, period, grade, sex, ethnic, hukou, code, measure)
    DO UPDATE SET value = s.value + excluded.value)
SELECT count(*) FROM taken
"""
_PACK = 20_000


def fold() -> int:
    """Sum up what was appended, at its unit and at every office above, there also whatever the dimensions
    (grade `*`); how many differences.

    Taking a difference away and adding it to the sums is one statement: it happens once or not at all.
    """
    done, pack = 0, _PACK
    while pack == _PACK:
        with scoped_transaction(NATION):
            _lock("reports fold")
            with connection.cursor() as cursor:
                cursor.execute(_FOLD, {"most": _PACK})
                pack = int(cursor.fetchone()[0])
            fault("reports.folded")
        done += pack
    return done


# ── On demand ─────────────────────────────────────────────────────────────────────────────────────────────
@transaction.atomic
def ask_refresh(office: Organization, *, actor: User) -> Job:
    """Have the unit that `office` is or lies in counted now, its encrypted values included.

    Who asks while one is open gets that one. Raises NoUnit for an office above the units, and below one: a
    school's own numbers are live.
    """
    unit = unit_of(office.path)
    if unit is None or not unit.startswith(actor.acting_path):
        raise NoUnit()
    _lock(f"refresh {unit}")
    open_job = Job.objects.filter(kind=REFRESH, path=unit, state__in=OPEN).first()
    if open_job:
        return open_job
    job = Job.objects.create(kind=REFRESH, path=unit, started_by=actor.pk, started_by_name=actor.signing_name)
    record("reports.summary.refresh", job, actor=actor, place=office.name)
    queue(job)
    return job


def run_refresh(job_id: int) -> None:
    """Count and fold the unit of one job; safe to repeat."""
    with held(job_id) as job:
        if job is not None:
            report(job, 0, total=1)
            refresh(job.path)
            Job.objects.filter(pk=job.pk).update(done=1)
            finish(job, Job.State.DONE)


def refresh(path: str) -> int:
    """Count one unit fully, its encrypted values included, and fold; how many differences."""
    found = count_unit(Unit(path), with_sealed=True, fully=True)
    fold()
    return found


# ── Checking ──────────────────────────────────────────────────────────────────────────────────────────────
def check_unit(unit: Unit) -> int:
    """Count the unit from nothing, its encrypted values included. What differs of the large cubes though
    nothing has happened has escaped the events: it is put right, kept as the unit's `drift`, said in the
    log, and an early warning (W16).
    """
    with scoped_transaction(unit.path):
        state = _held_state(unit)
        changes = _append(unit, state, list(CUBES.values()))
        # Asked after counting: of every act that a count saw the event is seen, too.
        drift = 0 if _has_happened(unit, state) else sum(one.cube in LARGE for one in changes)
        UnitState.objects.filter(unit=unit.path).update(checked_at=Now(), drift=drift)
        if drift:
            record("reports.summary.drift", state, actor=System(unit.path), basis="R-VER-07", count=drift)
    _warn_of_drift(unit.path, "statistics", drift)
    return drift


def _warn_of_drift(path: str, key: str, cells: int) -> None:
    """Tell the operators that so many numbers were not what the lists say, from STATISTICS_DRIFT on."""
    if cells >= rule("STATISTICS_DRIFT", at=path).number:
        warn("W16", path=path, key=key, cells=cells)
        log.warning("statistics drifted", unit=path, cells=cells)


def check_sums() -> int:
    """Compare each folded sum with the units' own numbers; put right and count what differs."""
    with scoped_transaction(NATION):
        _lock("reports fold")
        with connection.cursor() as cursor:
            cursor.execute(_CHECK)
            wrong = cursor.rowcount
    _warn_of_drift(NATION, "statistics sums", int(wrong))
    return int(wrong)


_CHECK = """
WITH due AS (
    SELECT above.path, cube, period, each.grade, each.sex, each.ethnic, each.hukou, each.code, measure,
           sum(value) AS value
    FROM reports_summary t CROSS JOIN LATERAL (
        SELECT array_to_string((string_to_array(org_path, '.'))[1:n], '.') || '.' AS path
        FROM generate_series(1, cardinality(string_to_array(org_path, '.')) - 1) n) above
    CROSS JOIN LATERAL (VALUES (t.grade, t.sex, t.ethnic, t.hukou, t.code), ('*', '', '', '', ''))
        each (grade, sex, ethnic, hukou, code)
    WHERE is_unit
    GROUP BY above.path, cube, period, each.grade, each.sex, each.ethnic, each.hukou, each.code, measure)
UPDATE reports_summary s SET value = coalesce((
    SELECT due.value FROM due WHERE due.path = s.org_path AND due.cube = s.cube AND due.period = s.period
       AND due.grade = s.grade AND due.sex = s.sex AND due.ethnic = s.ethnic AND due.hukou = s.hukou
       AND due.code = s.code AND due.measure = s.measure), 0)
WHERE NOT s.is_unit AND s.value <> coalesce((
    SELECT due.value FROM due WHERE due.path = s.org_path AND due.cube = s.cube AND due.period = s.period
       AND due.grade = s.grade AND due.sex = s.sex AND due.ethnic = s.ethnic AND due.hukou = s.hukou
       AND due.code = s.code AND due.measure = s.measure), 0)
"""


def counted_units(top: str) -> list[Unit]:
    """Units of today and those that were counted once and are no more: their numbers go back to nothing."""
    known = {unit.path: unit for unit in units(top)}
    with scoped_transaction(top):
        former = UnitState.objects.within(top).exclude(unit__in=known).values_list("unit", flat=True)
        return [*known.values(), *(Unit(path) for path in former)]


def total_drift(top: str) -> int:
    """How many numbers the last nightly recounts put right, at and below `top`."""
    return UnitState.objects.within(top).aggregate(total=Sum("drift"))["total"] or 0
