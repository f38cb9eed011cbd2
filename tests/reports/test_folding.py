"""Summaries by delta: twice, at once, cut, late, moved (ARCHITECTURE 6, RE-9)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import Notice
from audit.models import Event
from audit.models_warnings import EarlyWarning
from config.scope import scope, scoped_transaction
from registry.models import Enrolment, Student
from registry.status import LEFT
from reports import folding, tasks
from reports.cubes import PUPILS
from reports.folding import Unit, count_unit, fold
from reports.models import Summary, SummaryDelta, UnitState
from reports.queries import live_grouping, read_summary
from tests import make
from tests.reports.building import count_all

UNIT = Unit(make.COUNTY)


def folded(path: str = make.PROVINCE) -> int:
    return int(read_summary(PUPILS, [path])[0]["pupils"])


@pytest.mark.rule("R-VER-07")
def test_counting_and_folding_twice_or_cut_counts_once(nation: None, monkeypatch: pytest.MonkeyPatch) -> None:
    school_class = make.make_class()
    for _n in range(3):
        make.make_student(school_class)
    assert count_unit(UNIT) > 0
    assert count_unit(UNIT) == 0  # appended, not folded yet, and known all the same
    waiting = SummaryDelta.objects.count()
    cut_at("reports.folded", fold, monkeypatch)
    assert (SummaryDelta.objects.count(), folded()) == (waiting, 0)  # cut: nothing happened
    fold()
    assert fold() == 0
    assert folded() == folded(make.NATION) == folded(make.COUNTY) == 3
    assert count_unit(UNIT, fully=True) == 0
    Enrolment.objects.filter(student=Student.objects.latest("pk")).update(status=LEFT)
    cut_at("reports.appended", lambda: count_unit(UNIT, fully=True), monkeypatch)
    count_unit(UNIT, fully=True)
    fold()
    assert folded() == 2


def cut_at(point: str, act: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Do it and die at one point: the transaction is rolled back."""

    def stop(name: str) -> None:
        if name == point:
            raise RuntimeError(name)

    monkeypatch.setattr(folding, "fault", stop)
    with pytest.raises(RuntimeError):
        act()
    monkeypatch.undo()


@pytest.mark.rule("R-VER-07", "W16", "STATISTICS_DRIFT", "第二十三条")
def test_the_nightly_recount_finds_what_left_no_event_says_so_and_warns_at_the_bound(nation: None) -> None:
    operator = make.make_security_administrator(make.COUNTY)
    make.make_student(make.make_class())
    count_all()
    assert folding.check_unit(UNIT) == 0
    make.make_student(make.make_class())  # the builder leaves no event
    assert count_unit(UNIT) == 1  # its class is small business, counted each time
    drift = folding.check_unit(UNIT)
    assert drift > 0
    fold()
    assert folded() == 2
    assert UnitState.objects.get(unit=make.COUNTY).drift == drift
    assert Event.objects.filter(action="reports.summary.drift", org_path=make.COUNTY).count() == 1
    warning = EarlyWarning.objects.get(rule="W16")
    assert (warning.org_path, warning.facts, warning.count) == (make.COUNTY, {"cells": drift}, 1)
    assert Notice.objects.filter(user=operator, kind="warning").count() == 1
    assert folding.check_unit(UNIT) == 0  # nothing differs any more: nobody is warned again
    assert EarlyWarning.objects.get(rule="W16").count == 1
    # The sums are compared likewise: below the bound nobody is warned, at it and above somebody is.
    sums = Summary.objects.filter(is_unit=False, org_path=make.PROVINCE, measure="pupils")
    wrong = sums.count()
    for bound, times in ((wrong + 1, 0), (wrong, 1), (wrong - 1, 2)):
        make.make_rule("STATISTICS_DRIFT", bound, make.NATION)
        sums.update(value=99)
        assert folding.check_sums() == wrong > 1
        found = EarlyWarning.objects.filter(rule="W16", org_path=make.NATION)
        assert [(one.facts, one.count) for one in found] == [({"cells": wrong}, times)][:times]
    assert (folded(), folding.check_sums()) == (2, 0)


@pytest.mark.rule("RE-1", "RE-9")
def test_a_unit_that_moved_is_counted_where_it_is_now(nation: None) -> None:
    make.make_student(make.make_class())
    count_all()
    moved = make.SCHOOL.replace(make.COUNTY, make.NEIGHBOUR_COUNTY)
    make.make_office(make.NEIGHBOUR_COUNTY)
    make.Organization.objects.filter(path=make.SCHOOL).update(
        path=moved, parent=make.Organization.objects.get(path=make.NEIGHBOUR_COUNTY)
    )
    for model in (Enrolment, Student):
        model.objects.filter(org_path=make.SCHOOL).update(org_path=moved)
    for unit in folding.counted_units(make.PROVINCE):
        count_unit(unit, fully=True)
    fold()
    assert (folded(make.COUNTY), folded(make.NEIGHBOUR_COUNTY), folded()) == (0, 1, 1)


def test_units_cover_every_office_once(nation: None) -> None:
    direct = "CN.44.2144000009."
    for path in (make.SCHOOL, make.FAR, direct):
        make.make_office(path)
    found = {unit.path: unit.own for unit in folding.units(make.PROVINCE)}
    assert found[make.COUNTY] is found[direct] is False
    assert found[make.PROVINCE] is found[make.CITY] is True
    assert make.SCHOOL not in found
    assert folding.unit_of(make.SCHOOL) == make.COUNTY
    assert folding.unit_of(make.CITY) is None


@pytest.fixture
def a_county(committed_db: None) -> str:
    """A county of its own, with pupils that are committed."""
    county = "CN.52.03.11."
    with scoped_transaction(make.NATION):
        school_class = make.make_class(f"{county}2152000877.")
        for _n in range(4):
            make.make_student(school_class)
    return county


@pytest.mark.rule("RE-1", "R-VER-07")
def test_two_that_count_and_fold_at_once_count_once(a_county: str) -> None:
    def work(_n: int) -> None:
        try:
            folding.refresh(a_county)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    with scoped_transaction(make.NATION):
        live = live_grouping(PUPILS, a_county)[0]["pupils"]
        assert live == folded(a_county) == folded("CN.52.") >= 4
    assert tasks.count_province("CN.52.03.") == 0
    call_command("count_statistics", at="CN.52.03.", stdout=StringIO())
    with scoped_transaction(make.NATION):
        assert folded("CN.52.") == live


@pytest.mark.rule("AZ-8")
def test_a_county_reads_no_numbers_of_others(nation: None) -> None:
    make.make_student(make.make_class(make.FAR))
    count_all()
    with scope(make.FAR_COUNTY):
        assert folded(make.FAR_COUNTY) == 1
    with scope(make.COUNTY):
        assert folded(make.FAR_COUNTY) == folded(make.NATION) == 0
