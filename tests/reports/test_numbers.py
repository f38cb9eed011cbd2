"""Every number of a report is the length of a list, for every role at every level (G-21, AZ-6)."""

import random

import pytest

from config.scope import scope
from registry.queries.rosters import Filters, matching
from registry.status import NORMAL, PENDING, SUSPENDED
from reports.definitions import OVERVIEW
from reports.tables import options, read_choice, read_table
from tests import make
from tests.reports.building import count_all

READERS = [
    ("registrar", make.SCHOOL), ("leader", make.SCHOOL), ("reviewer", make.COUNTY),
    ("bureau_leader", make.COUNTY), ("reviewer", make.CITY), ("auditor", make.CITY),
    ("auditor", make.PROVINCE), ("auditor", make.NATION), ("national_operator", make.NATION),
]  # fmt: skip
SCHOOLS = (make.SCHOOL, make.SISTER, make.NEIGHBOUR, make.FAR)


def scatter(rng: random.Random, many: int = 40) -> None:
    """Pupils of every kind over four schools of three counties and two provinces."""
    classes = [make.make_class(school, grade) for school in SCHOOLS for grade in ("11", "12")]
    for _one in range(many):
        make.make_student(
            rng.choice(classes), status=rng.choice((NORMAL, NORMAL, NORMAL, PENDING, SUSPENDED)),
            sex=rng.choice("12"), ethnic_group=rng.choice(("01", "02")), migrant_child=rng.choice("01"),
            hukou_division=rng.choice(("440305000000", "510104000000")), left_behind=rng.choice("012"),
        )  # fmt: skip


@pytest.mark.rule("G-21", "AZ-6")
def test_numbers_are_the_lists_for_every_role_at_every_level(nation: None) -> None:
    rng = random.Random(20261122)
    scatter(rng)
    count_all()
    for role, path in READERS:
        user = make.make_user(role, path)
        with scope(path):
            below = [
                one
                for one in (make.NATION, make.PROVINCE, make.CITY, make.COUNTY, make.SCHOOL, make.FAR)
                if one.startswith(path)
            ]
            for place in below:
                office = make.Organization.objects.get(path=place)
                where = {
                    name: rng.choice(options(name))[0] for name in ("grade", "sex") if rng.random() < 0.5
                }
                table = read_table(user, read_choice(user, "overview", {"office": str(office.pk)} | where))
                for column in OVERVIEW.columns:
                    if column.list_of is None:
                        continue
                    asked = where | dict(column.list_of)
                    if {**asked, **where} != asked:  # 男 under the filter 女
                        asked["grade"] = "none"
                    filters = Filters(path=place, place="", **asked)
                    assert table.total.values[column.key] == matching(user, filters).count(), (
                        role,
                        place,
                        column.key,
                    )
                assert sum(row.values["pupils"] or 0 for row in table.rows) == table.total.values["pupils"]
