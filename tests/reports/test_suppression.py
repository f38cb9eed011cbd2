"""Small cells of sensitive numbers: what is hidden, and that nobody can work it out (SECURITY EX-4)."""

import random
from itertools import product
from typing import Any

import pytest

from config.scope import scope
from reports.cubes import SEALED
from reports.queries import read_summary
from reports.suppression import hidden_among, is_small
from reports.tables import Table, read_choice, read_table
from tests import make
from tests.reports.building import count_all

LEAST = 10  # STATISTICS_MIN_CELL
pytestmark = pytest.mark.rule("EX-4")


def possible(values: dict[str, int], of: dict[str, int], hidden: set[str]) -> dict[str, set[int]]:
    """A solver: every value that each hidden cell may have, given the total and what is shown."""
    keys, total = sorted(hidden), sum(values[key] for key in hidden)
    ranges = [range(0 if of[key] < LEAST else 1, of[key] + 1) for key in keys]
    found: dict[str, set[int]] = {key: set() for key in keys}
    for answer in product(*ranges):
        if sum(answer) == total:
            for key, value in zip(keys, answer, strict=True):
                found[key].add(value)
    return found


def test_no_hidden_cell_can_be_worked_out_from_its_row_or_column() -> None:
    rng = random.Random(7)
    tried = 0
    for _one in range(400):
        of = {key: rng.choice((3, 9, 12, 18, 25)) for key in "abc"}
        values = {key: rng.randint(0, of[key]) for key in of}
        if is_small(sum(values.values()), sum(of.values()), LEAST):
            continue  # then the total is hidden as well
        hidden = hidden_among(values, of, LEAST)
        assert all(key in hidden for key in of if is_small(values[key], of[key], LEAST))
        for key, answers in possible(values, of, hidden).items():
            assert len(answers) > (min(LEAST // 2, of[key]) if hidden < set(of) else 1), (
                values,
                of,
                key,
                answers,
            )
        tried += bool(hidden)
    assert tried > 200


def test_one_small_cell_takes_a_second_with_it_and_safe_ones_stay() -> None:
    of = dict.fromkeys("abcd", 100)
    assert hidden_among({"a": 3, "b": 12, "c": 40, "d": 0}, of, LEAST) == {"a", "b"}
    assert hidden_among({"a": 30, "b": 12, "c": 40, "d": 0}, of, LEAST) == set()
    assert hidden_among({"a": 96, "b": 12, "c": 40, "d": 0}, of, LEAST) == {"a", "b"}  # all but four


@pytest.fixture
def children(nation: None) -> dict[str, int]:
    """Left-behind pupils of three schools in two counties: 12 of 24, 2 of 16, 14 of 26."""
    kinds = {make.SCHOOL: (12, 24), make.SISTER: (2, 16), make.NEIGHBOUR: (14, 26)}
    for path, (flagged, many) in kinds.items():
        classes = [make.make_class(path, grade) for grade in ("11", "12")]
        for number in range(many):
            make.make_student(classes[number % 2], left_behind="1" if number < flagged else "0")
    count_all()
    return {path: flagged for path, (flagged, _many) in kinds.items()}


def table_for(role: str, path: str, place: str, **choice: str) -> Table:
    user = make.make_user(role, path)
    with scope(path):
        office = make.Organization.objects.get(path=place)
        return read_table(user, read_choice(user, "overview", {"office": str(office.pk)} | choice))


def left_behind(table: Table) -> dict[str, Any]:
    return {row.key: row.values["left_behind"] for row in table.rows} | {
        "total": table.total.values["left_behind"]
    }


def test_what_each_reader_sees_of_sensitive_numbers(children: dict[str, int]) -> None:
    with scope(make.CITY):
        assert read_summary(SEALED, [make.COUNTY])[0]["left_behind"] == 14
    county = left_behind(table_for("reviewer", make.COUNTY, make.COUNTY))
    assert county == {make.SCHOOL: None, make.SISTER: None, "total": 14}  # 2 is small, 12 would give it away
    city = left_behind(table_for("auditor", make.CITY, make.CITY))
    assert city == {make.COUNTY: 14, make.NEIGHBOUR_COUNTY: 14, "total": 28}
    # Below it, nothing more than the county itself shows; a school that is hidden there is hidden here.
    assert left_behind(table_for("auditor", make.CITY, make.COUNTY)) == county
    below = table_for("auditor", make.CITY, make.SISTER)
    assert (
        "left_behind" not in [column.key for column in below.columns]
        or below.total.values["left_behind"] is None
    )
    # Two dimensions at once, and one below her own office, are never shown.
    for choice in ({"grade": "11"}, {"split": "grade"}):
        keys = [column.key for column in table_for("auditor", make.CITY, make.COUNTY, **choice).columns]
        assert "left_behind" not in keys
        assert "pupils" in keys
    # By grade or by sex the total only: together with the table of schools the rows would tell what it hides.
    for split in ("grade", "sex", "ethnic", "hukou"):
        own = table_for("auditor", make.CITY, make.CITY, split=split)
        assert own.total.values["left_behind"] == 28
        assert own.rows
        assert not any("left_behind" in row.values for row in own.rows)
        assert not any(row.is_hidden(own.choice.report.column("left_behind")) for row in own.rows)
    # The school itself sees its own pupils, live.
    school = table_for("registrar", make.SISTER, make.SISTER)
    assert school.total.values["left_behind"] == 2
    assert {row.values["left_behind"] for row in school.rows} == {1}
