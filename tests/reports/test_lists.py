"""Every report against what happened, and against the ledgers behind it: who, where, in which year, split by
whatever it is split (G-21, AZ-6). What happened is told by the world, never read from the cubes.
"""

import random
from collections import Counter
from datetime import timedelta

import pytest

from accounts.models import User
from accounts.roles import Right
from audit.services import System, record
from config.clock import now, today
from config.scope import scope
from registry.dropout import ledgers
from registry.models import Enrolment, Protection, Student
from registry.queries.snapshots import read_snapshots
from registry.services.changing import Change, move_pupil
from reports import folding
from reports.cubes import CUBES
from reports.definitions import BELOW, REPORTS, Column
from reports.models import SummaryDelta, UnitState
from reports.tables import Table, possible_splits, read_choice, read_table, years
from tests import make
from tests.reports.building import count_all
from tests.reports.test_numbers import READERS
from tests.reports.test_pages import changed
from tests.reports.world import (
    BY,
    Fact,
    accounts,
    cases,
    dropout,
    exports,
    intake,
    movements,
    problems,
    verification,
)  # fmt: skip


# ── Looking ──────────────────────────────────────────────────────────────────────────────────────────────
def key_of(fact: Fact, split: str, place: str) -> str:
    """The row of a table that the fact belongs to."""
    if split != BELOW:
        return fact.who[split]
    below = fact.path[len(place) :].split(".")[0]
    return f"{place}{below}."


def has_rows(column: Column, split: str) -> bool:
    return split == BELOW or split in CUBES[column.cube].dims


def check(table: Table, facts: list[Fact], split: str, place: str) -> None:
    totals: Counter[str] = Counter()
    for column in table.columns:
        if any(column.share):
            part, whole = (totals[one] for one in column.share)
            assert table.total.values[column.key] == (part * 100 // whole if whole else None), column.key
            continue
        mine = [fact for fact in facts if fact.column == column.key]
        totals[column.key] = sum(fact.amount for fact in mine)
        assert table.total.values[column.key] == totals[column.key], column.key
        if has_rows(column, split):
            expected: Counter[str] = Counter()
            for fact in mine:
                expected[key_of(fact, split, place)] += fact.amount
            shown = {row.key: row.values.get(column.key) for row in table.rows}
            assert {key: value for key, value in shown.items() if value} == +expected, column.key


def guard(story: Fact) -> None:
    """She who went there is protected from now on."""
    student = Student.objects.get(pk=story.student)
    Protection.objects.create(
        org_path=student.org_path, student=student, state=Protection.State.IN_FORCE, reason="人身安全",
        until=today() + timedelta(days=90), proposed_by=make.make_leader(), proposed_by_name="郑校长",
    )  # fmt: skip


def read_all(user: User, code: str) -> Counter[str]:
    """The columns of a report at her own office, all years together."""
    found: Counter[str] = Counter()
    for year in years():
        values = read_table(user, read_choice(user, code, {"year": str(year)})).total.values
        found.update({one.key: values[one.key] or 0 for one in REPORTS[code].columns})
    return found


@pytest.mark.rule("G-21", "AZ-6", "AZ-8", "AZ-10", "R-TRF-17", "R-VER-07", "PROMOTION_AT")
def test_every_report_is_what_happened_and_what_the_ledgers_hold(nation: None) -> None:
    rng = random.Random(20261124)
    readers = [make.make_user(*READERS[place]) for place in (0, 2, 3, 5, 6, 7)]
    facts = movements(rng)
    moved = next(fact for fact in facts if fact.column == "m13")
    facts += [*cases(rng), *dropout(rng)]
    facts += intake(rng, make.make_reviewer())
    facts += [*verification(rng), *problems(rng, list(Student.objects.order_by("pk")[:14]))]
    guard(moved)
    make.make_sealing()
    make.make_registrar(make.FAR, trained=False)
    facts += exports(rng, [readers[0], readers[1], make.make_registrar(make.SISTER)])
    facts += accounts()
    count_all()
    for user in readers:
        path = user.acting_path
        sees_all = path == make.SCHOOL or user.holds(Right.PROTECT_STUDENT)
        seen = [fact for fact in facts if sees_all or fact.student != moved.student]
        below = [one for one in (make.PROVINCE, make.COUNTY, make.SISTER, make.FAR) if one.startswith(path)]
        with scope(path):
            for place in {path, *below[:1]}:
                office = make.Organization.objects.get(path=place)
                for code, report in REPORTS.items():
                    if code == "overview":
                        continue
                    here = [one for one in seen if one.report == code and one.path.startswith(place)]
                    splits = possible_splits(report, office)
                    for split in splits if code == "movements" else [rng.choice(splits)]:
                        year = str(rng.choice(years()[:2])) if report.has_years else ""
                        asked = {"office": str(office.pk), "split": split} | ({"year": year} if year else {})
                        table = read_table(user, read_choice(user, code, asked))
                        check(table, [one for one in here if one.year == year], split, place)
            if user.scope_paths(Right.VIEW_STUDENT):
                left = [one for one in facts if one.report == "snapshots" and one.path.startswith(path)]
                assert read_snapshots(user, None, "").total == len(left)
                found = read_all(user, "dropout")
                assert found["still_out"] == ledgers.dropouts(user, path).count()
                assert found["returned"] + found["ended"] == ledgers.dropouts(user, path, "closed").count()
                suspected = [ledgers.suspected(user, path, show).count() for show in ("open", "closed")]
                assert found["suspected"] == sum(suspected)


@pytest.mark.rule("G-21", "R-TRF-17", "R-VER-07")
def test_a_move_on_rewrites_no_former_number_and_leaves_no_drift(nation: None) -> None:
    """Also where the former county hears of it by her snapshot alone: the act is another office's."""
    unit, reader = folding.Unit(make.COUNTY), make.make_reviewer()
    pupil = make.make_student(make.make_class(make.NEIGHBOUR))
    folding.count_unit(unit, fully=True)

    def go(path: str) -> dict[str, Counter[str]]:
        change = Change("test", "转学", f"N{path[-11:-1]}", "22", today(), today())
        move_pupil(Student.objects.get(pk=pupil.pk), make.make_class(path), change, actor=BY)
        assert folding.count_unit(unit) > 0
        assert folding.count_unit(unit, fully=True) == 0
        with scope(make.COUNTY):
            return {code: read_all(reader, code) for code in ("movements", "transfers")}

    came, left = go(make.SCHOOL), go(make.FAR)
    assert (came["movements"]["m13"], came["transfers"]["moved_in"]) == (1, 1)
    assert left == {
        "movements": came["movements"] + Counter(m27=1), "transfers": came["transfers"] + Counter(moved_out=1)
    }  # fmt: skip


@pytest.mark.rule("AZ-10", "R-VER-07", "W16")
def test_protection_that_leaves_no_event_and_an_act_meanwhile_are_no_drift(
    nation: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit, school_class = folding.Unit(make.COUNTY), make.make_class()
    here, gone = make.make_student(school_class), make.make_student(school_class)
    changed(gone, "22", "01", to_path=make.FAR, to_school=make.make_office(make.FAR))
    Student.objects.filter(pk=gone.pk).update(org_path=make.FAR)
    Enrolment.objects.filter(student=gone).update(org_path=make.FAR, school=make.make_office(make.FAR))
    leader = make.make_leader(make.FAR)
    asked = {"state": Protection.State.IN_FORCE, "reason": "人身安全", "proposed_by": leader}
    held = Protection.objects.create(org_path=make.SCHOOL, student=here, until=today(), **asked)
    folding.count_unit(unit, fully=True)

    def run_out() -> None:
        Protection.objects.filter(pk=held.pk).update(until=today() - timedelta(days=1))

    def begin_elsewhere() -> None:
        until = today() + timedelta(days=90)
        Protection.objects.create(org_path=make.FAR, student=gone, until=until, decided_at=now(), **asked)

    for happen in (run_out, begin_elsewhere):
        UnitState.objects.update(counted_at=now() - timedelta(days=1))
        appended = SummaryDelta.objects.count()
        happen()
        assert folding.check_unit(unit) == 0
        assert SummaryDelta.objects.count() > appended

    def act(_point: str) -> None:
        record("reports.summary.drift", UnitState.objects.get(), actor=System(make.COUNTY), count=1)

    make.make_student(school_class)
    monkeypatch.setattr(folding, "fault", act)  # somebody's act ends while the unit is counted
    assert folding.check_unit(unit) == 0
    assert folding.count_unit(unit, fully=True) == 0
