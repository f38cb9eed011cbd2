"""The country that is measured, as data: which counties, which schools in them, how many pupils. Pure.

The divisions are real; schools and pupils are invented by the demonstration's own makers (registry.demo). One
line of authority (FOCUS) is dense, so that a county, a city and a province hold what real ones hold; the rest
is spread over the country by population.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random

from accounts.tree import Division, read_divisions
from registry.codes import rows_of
from registry.demo.country import PLACES, ClassPlan, Place, SchoolPlan, classes_of

DATA = Path(__file__).parent / "data"
SEED = 20250901
# The dense line: 浏阳市 in 长沙市 in 湖南省. Its county is as large as a real one in a country of any size:
# what is to be seen is what a larger country costs, not what a larger office does.
FOCUS = ("430181", "430100", "430000")
MOST_IN_COUNTY = 40_000
PUPILS_A_COUNTY = 3000
LARGEST_FROM = 20_000  # a smaller country has no room for a school of six thousand

_STREETS = ("人民路", "建设路", "解放路", "中山路", "学府路", "和平路", "新华路", "文化路", "滨江大道")
_ESTATES = ("幸福小区", "锦绣花园", "阳光家园", "和谐苑", "翠湖花园", "教师新村", "金桥小区")
_VILLAGES = ("城关镇东街村", "双河镇团结村", "新民镇石桥村", "永安镇红星村", "太平镇柳林村", "龙泉乡大湾村")


@dataclass(frozen=True, slots=True)
class Mould:
    """A usual kind of school: parallel classes of each stage and pupils a class, from the least to the most.

    `urban` and `rural` say how often it is found among the schools of a district and of a county.
    """

    name: str
    category: str
    running_type: str
    parallel: dict[str, tuple[int, int]]
    size: tuple[int, int]
    urban: int
    rural: int
    grades: tuple[str, ...] = ()
    ownership: str = "11"
    boarding: float = 0.0


POINT = Mould("教学点", "21", "218", {"1": (1, 1)}, (6, 15), 0, 8, grades=("11", "12", "13"))
MOULDS = (
    POINT,
    Mould("村小学", "21", "211", {"1": (1, 1)}, (24, 36), 0, 10),
    Mould("中心小学", "21", "211", {"1": (2, 4)}, (38, 46), 2, 7, boarding=0.1),
    Mould("实验小学", "21", "211", {"1": (4, 8)}, (40, 46), 8, 2),
    Mould("民办小学", "21", "211", {"1": (2, 3)}, (35, 40), 2, 1, ownership="12", boarding=0.2),
    Mould("初级中学", "31", "311", {"2": (4, 12)}, (44, 50), 4, 4, boarding=0.4),
    Mould("九年一贯制学校", "31", "312", {"1": (2, 4), "2": (2, 4)}, (40, 46), 3, 2, boarding=0.2),
    Mould("完全中学", "34", "341", {"2": (3, 6), "3": (4, 8)}, (45, 50), 1, 1, boarding=0.5),
    Mould("高级中学", "34", "342", {"3": (8, 18)}, (46, 52), 3, 2, boarding=0.7),
)
LARGEST = Mould("湘江实验学校", "31", "312", {"1": (13, 13), "2": (16, 16)}, (47, 47), 0, 0, boarding=0.1)
SMALLEST = Mould("洞溪教学点", "21", "218", {"1": (1, 1)}, (4, 4), 0, 0, grades=("11", "12", "13"))


@dataclass(frozen=True, slots=True)
class Province:
    """Who lives in a province: its share of the country's pupils, peoples, newcomers' homes, children left
    behind.
    """

    code: str
    share: int
    postcode: str
    area_code: str
    mix: dict[str, float]
    hometowns: tuple[str, ...]
    left_behind: float
    cutoff: tuple[int, int]


@cache
def provinces() -> dict[str, Province]:
    return {
        row["code"]: Province(
            row["code"],
            int(row["share"]),
            row["postcode"],
            row["area_code"],
            {group: float(share) for group, share in (one.split(":") for one in row["mix"].split())},
            tuple(row["hometowns"].split()),
            float(row["left_behind"]),
            (int(row["cutoff"][:2]), int(row["cutoff"][2:])),
        )
        for row in rows_of(DATA / "provinces.csv")
    }


@dataclass(slots=True)
class CountyPlan:
    """One county with its schools."""

    division: Division
    quota: int
    schools: list[SchoolPlan] = field(default_factory=list)

    @property
    def is_urban(self) -> bool:
        return self.division.name.endswith("区")

    def classes(self, year: int) -> list[ClassPlan]:
        return [group for school in self.schools for group in classes_of(school, year)]


def place_of(county: CountyPlan) -> Place:
    """What the demonstration's makers need to know about a county."""
    province = provinces()[county.division.code[:2]]
    return Place(
        division=county.division.code,
        postcode=province.postcode,
        area_code=province.area_code,
        streets=_STREETS,
        estates=_ESTATES,
        villages=_VILLAGES,
        rural=0.1 if county.is_urban else 0.6,
        away=0.28 if county.is_urban else 0.04,
        left_behind=province.left_behind * (0.2 if county.is_urban else 1.0),
        overseas=0.004 if county.is_urban else 0.0005,
        unregistered=0.002 if county.is_urban else 0.004,
        mix=province.mix,
        hometowns=province.hometowns,
        cutoff=province.cutoff,
    )


def minority_share(plan: list[CountyPlan]) -> float:
    """The share of pupils of the other 55 peoples that the plan aims at."""
    total = sum(county.quota for county in plan)
    minor = sum(county.quota * sum(provinces()[county.division.code[:2]].mix.values()) for county in plan)
    return minor / total


def plan_country(pupils: int, seed: int = SEED) -> list[CountyPlan]:
    """Counties with schools for about `pupils` pupils, the same for the same seed; their places are made
    known to the demonstration's makers.
    """
    random = Random(seed)  # noqa: S311  (invented schools, no secrets)
    numbers: dict[str, int] = {}
    plan = [CountyPlan(division, quota) for division, quota in _quotas(pupils, random)]
    left = 0
    for county in plan:
        PLACES.setdefault(county.division.code, place_of(county))
        is_focus = county.division.code == FOCUS[0]
        wanted = [SMALLEST] * is_focus + [LARGEST] * (is_focus and pupils >= LARGEST_FROM)
        left = _fill(county, county.quota + left, wanted, random, numbers)
    return plan


def _quotas(pupils: int, random: Random) -> Iterator[tuple[Division, int]]:
    """Counties and how many pupils live there: the focus first, then the other provinces by population."""
    counties = [d for d in read_divisions() if d.level == "county"]
    county, city, province = FOCUS
    in_county, in_city, in_province = min(pupils // 5, MOST_IN_COUNTY), pupils / 20, pupils / 6
    yield next(d for d in counties if d.code == county), in_county
    yield from _spread([d for d in counties if d.parent == city and d.code != county], in_city, random)
    beyond = [d for d in counties if d.code[:2] == province[:2] and d.parent != city]
    yield from _spread(beyond, in_province, random)
    others = {code: p.share for code, p in provinces().items() if code != province[:2]}
    for code, share in others.items():
        quota = (pupils - in_county - in_city - in_province) * share / sum(others.values())
        yield from _spread([d for d in counties if d.code[:2] == code], quota, random)


def _spread(counties: list[Division], pupils: float, random: Random) -> Iterator[tuple[Division, int]]:
    count = min(len(counties), max(1, round(pupils / PUPILS_A_COUNTY)))
    for division in sorted(random.sample(counties, count), key=lambda d: d.code):
        yield division, int(pupils / count)


def _fill(county: CountyPlan, left: int, wanted: list[Mould], random: Random, numbers: dict[str, int]) -> int:
    """Schools for `left` pupils: the wanted ones, then what is usual there and still fits. Answers how many
    pupils found no place; the next county takes them.
    """
    for mould in wanted:
        left -= _add(county, mould, random, numbers)
    while True:
        weights = [mould.urban if county.is_urban else mould.rural for mould in MOULDS]
        fitting = [(m, w) for m, w in zip(MOULDS, weights, strict=True) if w and _least(m) <= left]
        if not fitting:
            return left
        mould = random.choices([m for m, _w in fitting], [w for _m, w in fitting])[0]
        left -= _add(county, mould, random, numbers)


def _least(mould: Mould) -> int:
    return sum(low * len(mould.grades or "123456"[: 6 if stage == "1" else 3]) for stage, (low, _high)
               in mould.parallel.items()) * mould.size[0]  # fmt: skip


def _add(county: CountyPlan, mould: Mould, random: Random, numbers: dict[str, int]) -> int:
    """One school more; answers how many pupils it will have."""
    division = county.division
    numbers[division.code[:2]] = number = numbers.get(division.code[:2], 0) + 1
    has_own_name = mould in (LARGEST, SMALLEST)
    # Every third senior school of the dense line is run by its city, every ninth by the province.
    above = division.path
    if mould.category == "34" and division.parent == FOCUS[1] and number % 3 == 0:
        above = "CN.43." if number % 9 == 0 else "CN.43.01."
    school = SchoolPlan(
        code=f"{mould.category}{division.code[:2]}{number:06d}",
        name=f"{division.name}{mould.name}" if has_own_name else f"{division.name}第{number}{mould.name}",
        above=above,
        division=division.code,
        running_type=mould.running_type,
        classes={stage: random.randint(*bounds) for stage, bounds in mould.parallel.items()},
        size=random.randint(*mould.size),
        ownership=mould.ownership,
        schooling="6-3",
        boarding=mould.boarding,
        campuses=(),
        grades=mould.grades,
        is_special=False,
        is_township_run=False,
    )
    county.schools.append(school)
    return sum(len(school.grades_of(stage)) * count for stage, count in school.classes.items()) * school.size


def lanes_of(plan: list[CountyPlan], count: int) -> list[list[CountyPlan]]:
    """The counties dealt out to `count` loading processes, about as many pupils to each."""
    lanes: list[list[CountyPlan]] = [[] for _each in range(count)]
    loads = [0] * count
    for county in sorted(plan, key=lambda one: -one.quota):
        lightest = loads.index(min(loads))
        lanes[lightest].append(county)
        loads[lightest] += county.quota
    return lanes
