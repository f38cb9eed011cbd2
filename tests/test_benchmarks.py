"""The measured country is a valid one, and the table computes what it says. Nothing here is timed."""

from collections.abc import Iterable
from datetime import date
from random import Random
from typing import Any

import pytest

from accounts.models import User
from accounts.rights import acting_at
from accounts.roles import Right
from benchmarks import completing, ground, memory, moves, pupils, table
from benchmarks.country import FOCUS, lanes_of, minority_share, plan_country
from benchmarks.table import AFTER, ALONE, ANYWHERE, BEFORE, DECIDING, RUSH, SPIKE, TOGETHER, Row
from config.scope import scope
from registry.checks import check_record
from registry.demo.country import SchoolPlan, classes_of
from registry.demo.pupils import Population, context_of
from registry.findings import errors
from registry.identity import check_digit
from registry.models import Enrolment, FamilyMember, IdentityDocument, OpenBusiness, Student, StudentNumber
from registry.numbers import check_school_code, is_valid
from registry.record import load_records, values_of
from registry.status import NORMAL, PENDING
from transfers.models import Case, Step
from transfers.services import decide

DAY = date(2026, 11, 20)


def everybody(schools: Iterable[SchoolPlan], waiting: float = 0.5) -> Population:
    maker, population = pupils.LaneMaker(DAY), Population()
    for school in schools:
        made = maker.school(school, waiting)
        population.classes += made.classes
        population.pupils += made.pupils
    return population


# --- the plan


@pytest.mark.parametrize("count", [20_000, 200_000])
def test_the_country_has_the_size_and_the_schools_of_a_real_one(count: int) -> None:
    plan = plan_country(count)
    schools = [school for county in plan for school in county.schools]
    sizes = sorted(sum(group.size for group in classes_of(school, 2026)) for school in schools)
    assert sum(sizes) == pytest.approx(count, rel=0.02)
    assert sizes[0] <= 14
    assert 5_500 <= sizes[-1] <= 6_500
    assert {county.division.code[:2] for county in plan} >= {"11", "43", "54", "65"}
    assert plan[0].division.code == FOCUS[0]
    assert minority_share(plan) == pytest.approx(0.089, abs=0.004)
    assert len({school.code for school in schools}) == len(schools)
    assert not [school.code for school in schools if check_school_code(school.code)]
    assert all(group.size <= 55 for school in schools for group in classes_of(school, 2026))
    assert plan_country(count) == plan
    loads = [sum(county.quota for county in lane) for lane in lanes_of(plan, 2)]
    assert sum(loads) == sum(county.quota for county in plan)
    assert max(loads) < min(loads) * 1.1


# --- the pupils


def test_every_stage_and_region_makes_records_nobody_would_refuse() -> None:
    some: dict[str, SchoolPlan] = {}  # one of each kind, and one in each region with peoples of its own
    for county in plan_country(60_000)[1:]:
        for school in county.schools:
            some.setdefault(school.running_type, school)
            if school.division[:2] in ("11", "15", "22", "45", "46", "52", "53", "54", "62", "64", "65"):
                some.setdefault(school.division[:2], school)
    population = everybody({school.code: school for school in some.values()}.values())
    assert {pupil.group.grade[0] for pupil in population.pupils} == {"1", "2", "3"}
    groups = {pupil.values["ethnic_group"] for pupil in population.pupils}
    assert len(groups) >= 12
    for pupil in population.pupils[::12]:
        found = [one.code for one in errors(check_record(pupil.values, context_of(pupil.group, DAY)))]
        assert found == (["id_check_digit"] if pupil.is_disputed else []), (found, pupil.values)
        assert is_valid(pupil.number) or pupil.status == PENDING
    assert {pupil.status for pupil in population.pupils} >= {NORMAL, PENDING}


def test_two_lanes_never_draw_one_number() -> None:
    born = date(2018, 3, 1)
    one, other = (pupils.LaneMaker(DAY, lane, 2).papers for lane in range(2))
    drawn = [{papers.citizen("430181", born, "1") for _n in range(150)} for papers in (one, other)]
    assert len(drawn[0]) == len(drawn[1]) == 150
    assert not drawn[0] & drawn[1]
    assert all(number[17] == check_digit(number[:17]) for number in drawn[0])


def test_pupils_load_under_the_wall_and_their_records_open(nation: None) -> None:
    plan = plan_country(300)
    ground.load_ground(plan, with_accounts=False)
    population = everybody(school for county in plan for school in county.schools)
    records = pupils.write(population, Random(1))
    assert len(records) == len(population.pupils) > 250
    assert Student.objects.count() == Enrolment.objects.count() == len(records)
    assert IdentityDocument.objects.filter(student__in=[one.student.pk for one in records]).exists()
    assert FamilyMember.objects.count() > len(records)
    stored = load_records([record.student.pk for record in records])
    for pupil, record in zip(population.pupils, records, strict=True):
        values = values_of(stored[record.student.pk])
        assert {key: values[key] for key in ("name", "id_number", "phone", "member1_name")} == {
            key: pupil.values[key] for key in ("name", "id_number", "phone", "member1_name")
        }
    waiting = sum(pupil.status == PENDING for pupil in population.pupils)
    assert waiting
    assert Case.objects.count() == OpenBusiness.objects.count() == waiting
    assert Step.objects.filter(is_current=True).count() == waiting
    assert StudentNumber.objects.filter(student__enrolments__status=PENDING, kind="national").count() == 0
    case = Case.objects.select_related("student").all()[0]
    assert case.student is not None
    assert case.open_card()["name"] == case.student.name
    ground.tighten([])  # the closed cases of former years
    done = Case.objects.filter(state=Case.State.DONE)
    assert done.count() > 50
    assert Step.objects.filter(case__in=done, decision="approve").count() == 2 * done.count()
    assert OpenBusiness.objects.count() == waiting
    focus = plan[0].division.path
    with scope(focus):
        here = sum(pupil.group.school.path.startswith(focus) for pupil in population.pupils)
        assert Student.objects.count() == here > 0
    with scope("CN.44.03."):
        assert Student.objects.count() == Case.objects.count() == 0
    transfers_wait_for_their_last_signature(focus)


def transfers_wait_for_their_last_signature(county: str) -> None:
    """Each can be approved with its papers and completed: what is measured is a case of the product."""
    numbers = moves.write_transfers(county, 3)
    assert len(set(numbers)) == 3
    decided, *completed = numbers
    case = Case.objects.get(number=decided)
    steps = list(case.steps.order_by("ordinal"))
    assert [step.is_current for step in steps] == [False, False, False, True]
    reviewer = acting_at(User.objects.get(username=f"{county}reviewer").pk, Right.DECIDE, at=county)
    decide(case, Step.Decision.APPROVE, actor=reviewer, ticked=moves.PAPERS)
    assert Case.objects.get(number=decided).state == Case.State.APPROVED
    writes = completing.touched(completed[0])
    assert writes["tables"]["registry_openbusiness"] == [0, 0, 1]
    assert writes["tables"]["registry_enrolment"][0] == 1
    assert Case.objects.get(number=completed[0]).is_open  # it has been taken back
    assert len(completing.complete(completed)["ms"]) == 2
    for case in Case.objects.filter(number__in=completed).select_related("student"):
        assert case.state == Case.State.DONE
        assert case.student is not None
        assert case.student.org_path == case.to_path


# --- the table


def test_rows_say_whether_their_target_was_met() -> None:
    def row(figure: float, bound: Any, target: float | None = 2.0, floor: float | None = 10.0) -> Row:
        return Row("b", "x", ALONE, floor, figure, "ms", target, bound)

    assert row(20.0, "ratio at most").ratio == 2.0
    assert row(20.0, "ratio at most").is_met
    assert not row(20.1, "ratio at most").is_met
    assert row(4.0, "ratio at least", 0.4).is_met
    assert not row(3.9, "ratio at least", 0.4).is_met
    assert row(2.0, "at most", floor=None).is_met
    assert not row(2.1, "at most", floor=None).is_met
    assert row(1.0, "at most", target=None).is_met is None
    assert not row(1.0, "ratio at most", floor=None).is_met  # a ratio to nothing proves nothing


def test_percentiles_are_values_that_were_measured() -> None:
    assert table.percentile([3, 1, 2], 0.5) == 2
    assert table.percentile(list(range(1, 101)), 0.95) == 95
    assert table.percentile([7], 0.95) == 7


def sample(p50: float, p95: float) -> dict[str, float]:
    return {"n": 60, "p50": p50, "p95": p95, "client_p50": p50 + 1, "client_p95": p95 + 1}


SAMPLES = {
    f"{load}|{page}|{position}": sample(p50, p50 * 1.5)
    for load in (ALONE, TOGETHER)
    for position in ("largest school", "county", ANYWHERE)
    for page, p50 in (
        ("frame", 5.0), ("search: number", 8.0), ("search: name", 12.0), ("queue", 24.0), ("record", 20.0),
        ("list: first page", 16.0 if position != "county" else 30.0),
    )
}  # fmt: skip
COUNTS = {
    ALONE: {"requests": 60, "errors": 0, "rate": 9.0},
    SPIKE: {"requests": 900, "errors": 1, "rate": 15.0},
}


def test_the_slowest_search_stands_for_all_and_lists_are_held_against_a_school() -> None:
    rows = {(row.what, row.load): row for row in table.page_rows(SAMPLES, COUNTS)}
    search = rows["search: name, county", ALONE]
    assert (search.floor, search.figure, search.is_met) == (7.5, 18.0, True)
    assert ("search: number, county", ALONE) not in rows
    assert rows["queue, county", ALONE].is_met is False
    listed = rows["list: first page, county", ALONE]
    assert (listed.floor, listed.ratio, listed.is_met) == (24.0, 1.875, True)
    assert ("list: first page, largest school", ALONE) not in rows
    assert rows["errors", SPIKE].is_met is False
    assert rows["errors", ALONE].is_met is None


def test_the_service_is_itself_again_when_ten_seconds_are_as_before() -> None:
    calm = [(second / 10, 14.0) for second in range(250)]
    assert table.recovery([10.0] * 50, calm) == 0
    assert table.recovery([10.0] * 50, [(at, 90.0 if at < 4 else ms) for at, ms in calm]) == 4
    assert table.recovery([9.0] * 50, calm) == float("inf")


def test_work_is_told_by_page_and_the_outbox_by_how_fast_it_fills() -> None:
    read = {f"{TOGETHER}|frame|{ANYWHERE}": sample(5.0, 10.0)}
    work = {
        "samples": {f"{load}|{page}|{ANYWHERE}": sample(20.0, 61.0 if page == "case" else 60.0)
                    for load in (DECIDING, BEFORE, RUSH) for page in ("decide", "case", "queue", "form")},
        "counts": {load: {"requests": 9, "errors": int(load == RUSH), "rate": 3.0,
                          "wrong": {"case: 500": 1} if load == RUSH else {}} for load in (DECIDING, RUSH)},
        "decided": {DECIDING: 4.0, RUSH: 9.0}, "before": 40.0, "recovery": 11.0,
    }  # fmt: skip
    drained = {"drained": 300, "rate": 20.0, "completed": 200, "emptied": 0.5, "wait_p95": 0.4}
    rows = {(row.what, row.load): row for row in table.case_rows(read, work, drained)}
    assert rows["decide, county", DECIDING].is_met is True
    assert rows["case, county", DECIDING].is_met is False
    assert (rows["errors", DECIDING].is_met, rows["errors", RUSH].is_met) == (True, False)
    assert "1 × case: 500" in rows["errors", RUSH].note
    assert rows["recovery after the spike", AFTER].is_met is False
    assert (rows["outbox drained", DECIDING].ratio, rows["outbox drained", DECIDING].is_met) == (5.0, True)
    one = table.compare([99.0] * table.WARM_UP + [8.0] * 9, [99.0] * table.WARM_UP + [4.0] * 9)
    row = table.completion_row(one | {"rows": 30, "tables": 12, "statements": 60})
    assert (row.ratio, row.is_met) == (2.0, True)


def test_growth_compares_medians_of_one_client() -> None:
    slower = {key: sample(value["p50"] * 1.25, 99.0) for key, value in SAMPLES.items()}
    slower[f"{ALONE}|queue|county"] = sample(48.0, 99.0)
    small, large = {"pupils": 200, "samples": SAMPLES}, {"pupils": 1200, "samples": slower}
    rows = {row.what: row for row in table.growth_rows(small, large)}
    assert rows["queue, county"].ratio == 2.0
    assert rows["queue, county"].is_met is False
    assert rows["record, county"].is_met is True
    assert all(ANYWHERE not in what for what in rows)


def test_the_table_reads_the_same_as_text_and_in_the_document() -> None:
    rows = list(table.page_rows(SAMPLES, COUNTS))
    text, markdown = table.as_text(rows), table.as_markdown(rows)
    assert len(text.splitlines()) == len(rows) + 1
    assert len(markdown.splitlines()) == len(rows) + 2
    assert "missed" in text
    assert "| ≤ 30 ms |" in markdown


def test_memory_counts_a_process_and_its_children() -> None:
    found = memory.held(memory.family(memory.own()))
    assert found.processes >= 1
    assert found.peak >= 1


def test_the_year_is_told_against_the_least_that_could_be_done() -> None:
    year = {
        "findings": 900, "unit_pupils": 5000, "verified_nation": 100.0, "verified_unit": 51.0,
        "one_worker": 4.0, "two_workers": 2.7, "grouping": 1.0, "comparison": 8.0,
        "promoted": 7, "bare_update": 1.0, "promotion": 9.0, "live": 1.0, "summary": 0.06,
    }  # fmt: skip
    rows = list(table.year_rows(year))
    assert [row.is_met for row in rows] == [True, False, True, None, False]
    assert [round(row.ratio or 0, 3) for row in rows] == [0.51, 1.481, 0.125, 9.0, 0.06]
