"""The demonstration country as data: places, offices, schools, classes, terms and local rules.

Places and schools lie in `data/places.csv` and `data/schools.csv`; all schools are invented.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from registry.codes import rows_of
from registry.demo.names import DATA


@dataclass(frozen=True, slots=True)
class Place:
    """What a county looks like: how addresses there are written, and who lives there.

    Shares of pupils: `rural` live in villages, `away` are registered elsewhere, `left_behind` have parents
    who work elsewhere, `overseas` come from Hong Kong, Macao, Taiwan or abroad, `unregistered` lack a number.
    `mix` gives the shares of ethnic groups other than the Han, `hometowns` the provinces newcomers are from.
    """

    division: str
    postcode: str
    area_code: str
    streets: tuple[str, ...]
    estates: tuple[str, ...]
    villages: tuple[str, ...]
    rural: float
    away: float
    left_behind: float
    overseas: float
    unregistered: float
    mix: dict[str, float]
    hometowns: tuple[str, ...]
    cutoff: tuple[int, int]


def _place(row: dict[str, str]) -> Place:
    mix = dict(share.split(":") for share in row["mix"].split())
    return Place(
        division=row["division"],
        postcode=row["postcode"],
        area_code=row["area_code"],
        streets=tuple(row["streets"].split()),
        estates=tuple(row["estates"].split()),
        villages=tuple(row["villages"].split()),
        rural=float(row["rural"]),
        away=float(row["away"]),
        left_behind=float(row["left_behind"]),
        overseas=float(row["overseas"]),
        unregistered=float(row["unregistered"]),
        mix={group: float(share) for group, share in mix.items()},
        hometowns=tuple(row["hometowns"].split()),
        cutoff=(int(row["cutoff"][:2]), int(row["cutoff"][2:])),
    )


PLACES = {row["division"]: _place(row) for row in rows_of(DATA / "places.csv")}


@dataclass(frozen=True, slots=True)
class OfficePlan:
    """An office the divisions do not know: a township's school district, an authority outside the bureaus."""

    kind: str
    code: str
    name: str
    path: str
    division: str
    is_authority: bool


OFFICES = (
    OfficePlan("township", "513431101", "昭觉县四开镇学区中心校", "CN.51.34.31.101.", "513431", False),
    OfficePlan("authority", "N01", "广东省农垦教育局", "CN.44.N01.", "440825", True),
)


@dataclass(frozen=True, slots=True)
class SchoolPlan:
    """One school: `classes` counts the parallel classes of each stage ("1" primary … "3" senior), of `size`.

    `above` is the office it hangs under, `boarding` a share; `grades` narrows a school that does not hold its
    whole stage.
    """

    code: str
    name: str
    above: str
    division: str
    running_type: str
    classes: dict[str, int]
    size: int
    ownership: str
    schooling: str
    boarding: float
    campuses: tuple[str, ...]
    grades: tuple[str, ...]
    is_special: bool
    is_township_run: bool

    @property
    def path(self) -> str:
        return f"{self.above}{self.code}."

    @property
    def stages(self) -> list[str]:
        """Codes of the stage list: 2 primary, 3 junior, 4 senior, A special education."""
        return [str(int(stage) + 1) for stage in self.classes] + (["A"] if self.is_special else [])

    @property
    def primary_years(self) -> int:
        return int(self.schooling[0])

    def grades_of(self, stage: str) -> list[str]:
        years = {"1": self.primary_years, "2": int(self.schooling[2])}.get(stage, 3)
        every = [f"{stage}{year}" for year in range(1, years + 1)]
        return [grade for grade in every if not self.grades or grade in self.grades]


STORY_SCHOOL = "2144030501"
OTHER_SCHOOL = "2144030401"
NINE_YEAR_SCHOOL = "3144030502"
PRIVATE_SCHOOL = "2144030503"
TOWNSHIP_SCHOOL = "2151343101"
AUTHORITY_SCHOOL = "3144990101"


def _school(row: dict[str, str]) -> SchoolPlan:
    stages = {"1": row["primary"], "2": row["junior"], "3": row["senior"]}
    return SchoolPlan(
        code=row["code"],
        name=row["name"],
        above=row["above"],
        division=row["division"],
        running_type=row["running_type"],
        classes={stage: int(parallel) for stage, parallel in stages.items() if parallel},
        size=int(row["size"]),
        ownership=row["ownership"],
        schooling=row["schooling"],
        boarding=float(row["boarding"]),
        campuses=tuple(row["campuses"].split()),
        grades=tuple(row["grades"].split()),
        is_special=row["is_special"] == "Y",
        is_township_run=row["is_township_run"] == "Y",
    )


SCHOOLS = tuple(_school(row) for row in rows_of(DATA / "schools.csv"))

# The story's school has one class without a free seat (its county allows 45 in primary classes).
FULL_CLASS = (STORY_SCHOOL, "12", 2, 45)
_CLASS_TYPES = {"1": "10", "2": "20", "3": "40"}
_SPECIAL_TYPES = {"1": "17", "2": "27"}
_STAGE_NAMES = {"1": "小学", "2": "初中", "3": "高中"}


@dataclass(frozen=True, slots=True)
class ClassPlan:
    """One class: `entry_year` is that of entering the stage; `campus` counts from 1, 0 is none."""

    school: SchoolPlan
    number: str
    name: str
    grade: str
    type: str
    entry_year: int
    sequence: int
    size: int
    campus: int = 0


def classes_of(school: SchoolPlan, year: int) -> Iterator[ClassPlan]:
    """The classes of `school` in the school year that begins in `year`.

    A class is named by its cohort, so that its name still holds after promotion.
    """
    for stage, parallel in school.classes.items():
        offset = {"1": 0, "2": 100, "3": 200}[stage] if len(school.classes) > 1 else 0
        prefix = _STAGE_NAMES[stage] if len(school.classes) > 1 else ""
        for grade in school.grades_of(stage):
            entry = year - int(grade[1]) + 1
            for sequence in range(1, parallel + 1):
                is_full = (school.code, grade, sequence) == FULL_CLASS[:3]
                # Two classes of a kind are never of one size; the swing stays small and needs no dice.
                swing = (entry * 7 + sequence * 3 + int(school.code[-4:])) % 5 - 2
                yield ClassPlan(
                    school=school,
                    number=f"{entry}{offset + sequence:03d}",
                    name=f"{prefix}{entry}级{sequence}班",
                    grade=grade,
                    type=(_SPECIAL_TYPES if school.is_special else _CLASS_TYPES)[stage],
                    entry_year=entry,
                    sequence=sequence,
                    size=FULL_CLASS[3] if is_full else school.size + swing,
                    campus=(sequence - 1) % len(school.campuses) + 1 if school.campuses else 0,
                )


@dataclass(frozen=True, slots=True)
class RulePlan:
    """A value that an office set for itself and everything under it."""

    path: str
    level: str
    key: str
    value: object
    document: str


RULES = (
    RulePlan("CN.44.", "province", "CLASS_SIZE_MAX_PRIMARY", 50, "粤教基〔2025〕8号(演示)"),
    RulePlan("CN.44.03.05.", "county", "CLASS_SIZE_MAX_PRIMARY", 45, "深南教〔2025〕21号(演示)"),
    # The demonstration is shown all the year: here new pupils register on any day of it.
    RulePlan("CN.", "nation", "REGISTRATION_CLOSES", "0630", "演示数据说明"),
    # And here graduates are made on any day.
    RulePlan("CN.44.", "province", "GRADUATION_WINDOW", "0101..1231", "演示数据说明"),
    RulePlan("CN.51.", "province", "ENTRY_CUTOFF", "1231", "川教〔2025〕36号(演示)"),
    RulePlan("CN.51.", "province", "TRANSFER_STEP_DAYS", 7, "川教〔2025〕36号(演示)"),
    RulePlan("CN.51.34.31.", "county", "ROUTE_EXTRA_LEVELS", ["township"], "昭教〔2025〕5号(演示)"),
)


@dataclass(frozen=True, slots=True)
class TermPlan:
    path: str
    school_year: int
    semester: str
    starts_on: date
    ends_on: date


def terms(year: int) -> list[TermPlan]:
    """Last and this school year: the nation's dates, and those of Guangdong and Beijing, which deviate."""
    found = []
    for begins in (year - 1, year):
        for path, spring, autumn_end, summer in (
            ("CN.", (3, 1), (1, 22), (7, 5)),
            ("CN.44.", (2, 23), (1, 18), (7, 10)),
            ("CN.11.", (3, 2), (1, 30), (7, 12)),
        ):
            found.append(TermPlan(path, begins, "1", date(begins, 9, 1), date(begins + 1, *autumn_end)))
            found.append(TermPlan(path, begins, "2", date(begins + 1, *spring), date(begins + 1, *summer)))
    return found
