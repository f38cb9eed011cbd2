"""The pupils of the demonstration country: invented, plausible, and the same for the same seed and day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from registry.checks import Context, age_on
from registry.demo.country import (
    FULL_CLASS,
    PLACES,
    SCHOOLS,
    STORY_SCHOOL,
    ClassPlan,
    Place,
    SchoolPlan,
    classes_of,
)
from registry.demo.households import Care, Home, Household, make_home, native_place
from registry.demo.names import LONG, RARE, FamilyNames, foreign, household
from registry.demo.papers import Papers
from registry.fields import SECTIONS
from registry.numbers import formal_g
from registry.record import school_year_start
from registry.status import NORMAL, SUSPENDED

SEED = 20130901
# A county that has been re-coded since; its old code lives on in the numbers given there until 2015.
FORMER_DIVISIONS = {"510107": "510122"}
# On the form, but filled by class, office or system.
GIVEN_BY_SYSTEM = frozenset(("grade", "class_number", "former_name", "photo", "status_number"))
_TALENTS = (
    "绘画",
    "钢琴",
    "足球",
    "篮球",
    "羽毛球",
    "书法",
    "舞蹈",
    "游泳",
    "围棋",
    "合唱",
    "编程",
    "古筝",
    "田径",
)
_INCLUSIVE = {"1": "1", "2": "2", "5": "3"}


@dataclass(slots=True)
class Pupil:
    """One pupil before she is written: the form's cleaned values, and what the system gave her."""

    values: dict[str, str]
    group: ClassPlan
    starts_on: date
    issued_on: date
    number: str = ""
    former_number: str = ""
    status: str = NORMAL
    is_disputed: bool = False


@dataclass(slots=True)
class Population:
    classes: list[ClassPlan] = field(default_factory=list)
    pupils: list[Pupil] = field(default_factory=list)


def context_of(group: ClassPlan, today: date) -> Context:
    """What a pupil of this class is checked against, without asking the database."""
    school = group.school
    return Context(
        today=today,
        grade=group.grade,
        school_code=school.code,
        school_division=school.division,
        school_ownership=school.ownership,
        stages=frozenset(school.classes),
        school_year_start=school_year_start(today),
        primary_years=school.primary_years,
        cutoff=PLACES[school.division].cutoff,
    )


def generate(today: date, seed: int = SEED, schools: Iterable[SchoolPlan] = SCHOOLS) -> Population:
    """All classes and their pupils as of `today`, without the planted problems."""
    maker, population = Maker(Random(seed), today), Population()
    for school in schools:
        for group in classes_of(school, maker.year):
            population.classes.append(group)
            population.pupils += [maker.pupil(group, ordinal) for ordinal in range(1, group.size + 1)]
    return population


class Maker:
    """Makes one pupil after another from one source of chance."""

    def __init__(self, random: Random, today: date) -> None:
        self.random = random
        self.today = today
        self.year = school_year_start(today).year
        self.papers = Papers(random)
        self._household = Household(random, self.papers)
        self._persons: set[tuple[str, str, date]] = set()
        self._long_names = dict(LONG)

    def pupil(self, group: ClassPlan, ordinal: int) -> Pupil:
        random, place = self.random, PLACES[group.school.division]
        context = context_of(group, self.today)
        sex = "1" if random.random() < 0.53 else "2"
        birth = self._birth(context, group)
        fate = random.random()
        is_overseas = fate < place.overseas
        has_no_number = not is_overseas and fate < place.overseas + place.unregistered
        ethnic = random.choices(["01", *place.mix], [1 - sum(place.mix.values()), *place.mix.values()])[0]
        home, care = make_home(random, place), self._care(place)
        if home.is_away and care != "orphan":
            care = "parents"  # left-behind children are registered where they live
        ethnic = "01" if is_overseas else ethnic
        names = self._new_person(sex, ethnic, birth)
        values = self._person(names.child, sex, birth, home, ethnic)
        if is_overseas:
            home = Home(home.address, "", "", is_rural=False, is_away=False)
            care = "parents"
            values |= self._overseas(sex, birth, place)
            if values["overseas_status"] == "51":
                names = self._foreign_names(values, names, birth)
        elif has_no_number:
            values |= self._without_number(place)
        else:
            values |= self._citizen(home, place, birth, sex)
        values |= self._care_values(care, home)
        values |= self._health(group)
        values |= self._school_values(group, ordinal, home)
        values |= self._household.members(home, names, birth, ethnic, care, must_have_number=has_no_number)
        values |= self._contact(values, home, place)
        if age_on(birth, self.today) >= 14 and random.random() < 0.25:
            values["political_status"] = "03"
        pupil = Pupil(values, group, self._capped(date(group.entry_year, 9, 1)), self._issue_day(context))
        if random.random() < 0.003 and (group.school.code, group.grade, group.sequence) != FULL_CLASS[:3]:
            pupil.status = SUSPENDED
        self._number(pupil)
        return pupil

    # --- the person

    def _birth(self, context: Context, group: ClassPlan) -> date:
        """A day within the year that entry age and cut-off give the grade; a few are a year older."""
        youngest = context.cutoff_on.replace(
            year=context.school_year_start.year - context.entry_age - context.years_before
        )
        late = 365 if self.random.random() < (0.3 if group.school.is_special else 0.03) else 0
        return youngest - timedelta(days=self.random.randrange(364) + late)

    def _care(self, place: Place) -> Care:
        fate = self.random.random()
        if fate < 0.0015:
            return "orphan"
        if fate < 0.0015 + place.left_behind:
            return "both_away" if self.random.random() < 0.6 else "one_away"
        return "parents"

    def _new_person(self, sex: str, ethnic: str, birth: date) -> FamilyNames:
        """Names that no pupil of the same sex and birth has: only planted problems share all three."""
        while True:
            names = household(self.random, sex, ethnic)
            if ethnic == "05" and sex in self._long_names:
                names = replace(names, child=self._long_names.pop(sex))
            elif ethnic == "01" and self.random.random() < 0.004:
                names = replace(names, child=names.father[0] + self.random.choice(RARE[sex]))
            person = (names.child, sex, birth)
            relatives = (names.father, names.mother, names.grandfather, names.grandmother)
            if person not in self._persons and names.child not in relatives:
                self._persons.add(person)
                return names

    def _person(self, name: str, sex: str, birth: date, home: Home, ethnic: str) -> dict[str, str]:
        random = self.random
        return {
            "name": name,
            "sex": sex,
            "birth_on": birth.isoformat(),
            "birthplace": home.hukou + "000000",
            "ethnic_group": ethnic,
            "native_place": native_place(home.hukou),
            "nationality": "CHN",
            "overseas_status": "00",
            "political_status": "13",
            "hukou_type": home.hukou_type,
            "hukou_division": home.hukou + "000000",
            "talent": random.choice(_TALENTS) if random.random() < 0.2 else "",
            "only_child": "1" if random.random() < (0.2 if home.is_rural else 0.45) else "0",
            "had_preschool": "0" if random.random() < (0.12 if home.is_rural else 0.01) else "1",
            "blood_type": random.choices(("", "1", "2", "3", "4"), (60, 11, 11, 4, 14))[0],
            "martyr_child": "1" if random.random() < 0.002 else "0",
        }

    # --- documents

    def _citizen(self, home: Home, place: Place, birth: date, sex: str) -> dict[str, str]:
        random = self.random
        prefix = home.hukou
        if birth.year < 2016 and random.random() < 0.1:
            prefix = FORMER_DIVISIONS.get(home.hukou, home.hukou)
        elif home.is_away and random.random() < 0.25:
            prefix = place.division  # born here, registered there before the number was given
        values = {"id_type": "1", "id_number": self.papers.citizen(prefix, birth, sex), "id_validity": ""}
        if random.random() < 0.02:
            values["id_type"] = "B"
        elif random.random() < 0.5:
            issued = max(self.today - timedelta(days=random.randrange(60, 1700)), birth + timedelta(days=30))
            until = issued.replace(year=issued.year + 5, day=min(issued.day, 28))
            values["id_validity"] = f"{issued:%Y%m%d}-{until:%Y%m%d}"
        return values

    def _without_number(self, place: Place) -> dict[str, str]:
        if self.random.random() < 0.4:
            letters = self.random.choice("RSTU")
            return {"id_type": "G", "id_number": self.papers.lettered(f"{letters}{place.division[:2]}", 7)}
        return {"id_type": "Z", "id_number": ""}

    def _overseas(self, sex: str, birth: date, place: Place) -> dict[str, str]:
        """Permit, status and nationality of a child without a household register."""
        random = self.random
        kinds = ("hongkong", "macao", "taiwan", "abroad")
        kind = random.choices(kinds, (70, 8, 10, 12) if place.division.startswith("44") else (20, 5, 25, 50))[
            0
        ]
        plain = {"hukou_type": "", "hukou_division": "", "native_place": "", "birthplace": ""}
        if kind == "abroad":
            nationality = random.choice(("KOR", "USA", "GBR", "JPN"))
            return plain | {
                "ethnic_group": "",
                "nationality": nationality,
                "overseas_status": "51",
                "id_type": "A",
                "id_number": self.papers.lettered(
                    {"KOR": "M", "USA": "5", "GBR": "5", "JPN": "TR"}[nationality], 8
                ),
            }
        nationality, status, prefix = {
            "hongkong": ("HKG", "01", "810000"),
            "macao": ("MAC", "03", "820000"),
            "taiwan": ("TWN", "05", "830000"),
        }[kind]
        place_of_birth = "710000" if kind == "taiwan" else prefix
        values = plain | {
            "ethnic_group": "01",
            "nationality": nationality,
            "overseas_status": status,
            "birthplace": place_of_birth + "000000",
        }
        if random.random() < 0.5:
            number = self.papers.residence_permit(prefix, birth, sex)
            return values | {"id_type": "E" if kind == "taiwan" else "D", "id_number": number}
        if kind == "taiwan":
            return values | {"id_type": "8", "id_number": self.papers.lettered("0", 7)}
        return values | {
            "id_type": "C",
            "id_number": self.papers.lettered("H" if kind == "hongkong" else "M", 8),
        }

    def _foreign_names(self, values: dict[str, str], names: FamilyNames, birth: date) -> FamilyNames:
        """Put a foreign name on the child and her father; the mother is Chinese as often as not."""
        while True:
            child, father = foreign(self.random, values["nationality"], values["sex"])
            if (child, values["sex"], birth) not in self._persons and child != father:
                break
        self._persons.add((child, values["sex"], birth))
        values["name"] = child
        return replace(names, child=child, father=father)

    # --- family, health, school

    def _care_values(self, care: Care, home: Home) -> dict[str, str]:
        random = self.random
        is_poor = care == "orphan" or random.random() < (0.12 if home.is_rural else 0.015)
        return {
            "left_behind": {"one_away": "1", "both_away": "2"}.get(care, "0"),
            "migrant_child": "1" if home.is_away and home.hukou_type == "1" else "0",
            "orphan": "1" if care == "orphan" else "0",
            "applies_for_aid": "1" if is_poor else "0",
        }

    def _health(self, group: ClassPlan) -> dict[str, str]:
        random = self.random
        if group.school.is_special:
            kind = random.choices(("5", "2", "6", "7"), (70, 8, 8, 14))[0]
            return {"health_status": "6", "disability": kind, "inclusive_education": "0"}
        if random.random() < 0.004:
            kind = random.choice(("1", "2", "4", "5", "5"))
            return {
                "health_status": "6",
                "disability": kind,
                "inclusive_education": _INCLUSIVE.get(kind, "9"),
            }
        health = random.choices(("1", "2", "3"), (965, 30, 5))[0]
        return {"health_status": health, "disability": "0", "inclusive_education": "0"}

    def _school_values(self, group: ClassPlan, ordinal: int, home: Home) -> dict[str, str]:
        random, school = self.random, group.school
        boards = random.random() < school.boarding
        distance = random.uniform(4, 38) if boards else random.triangular(0.2, 6, 0.8)
        if group.grade.startswith("3"):
            mode = random.choices(("21", "22", "23", "99"), (93, 2, 3, 2))[0]
        else:
            mode = "12" if school.ownership == "12" or random.random() < 0.04 else "11"
        bus = not boards and school.ownership == "12" and random.random() < 0.3
        ways = (0, 5, 60, 35) if boards else (48, 14, 16, 22) if home.is_rural else (42, 10, 18, 30)
        return {
            "school_code": school.code,
            "class_number": group.number,
            "grade": group.grade,
            "entry_month": f"{group.entry_year}-09",
            "admission_mode": mode,
            "attendance_mode": "2" if boards else "1",
            "number_in_class": f"{ordinal:02d}",
            "student_source": "1",
            "commute_km": f"{distance:.1f}",
            "commute_mode": "5" if bus else random.choices("1234", ways)[0],
            "needs_school_bus": "1" if bus else "0",
            "government_bought_place": "1" if school.ownership == "12" and random.random() < 0.6 else "0",
            "receives_subsidy": "1" if boards and home.is_rural and random.random() < 0.7 else "0",
            "auxiliary_number": self._auxiliary(group, ordinal),
        }

    def _contact(self, values: dict[str, str], home: Home, place: Place) -> dict[str, str]:
        return {
            "current_address": home.address,
            "postal_address": home.address,
            "home_address": home.address,
            "phone": values["member1_phone"],
            "postcode": place.postcode,
            "email": "",
            "homepage": "",
        }

    # --- numbers

    def _auxiliary(self, group: ClassPlan, ordinal: int) -> str:
        """Beijing's 16 digits, and school + class + pupil as Shiyan has it (HANDBOOK B1, D17), in Chengdu."""
        division, code = group.school.division, group.school.code
        if division.startswith("11"):
            leaves = group.entry_year + {"1": 6, "2": 3, "3": 3}[group.grade[0]]
            body = f"{division[:2]}{division[4:]}{group.grade[0]}{code[-3:]}1{leaves % 100:02d}"
            body += f"{group.sequence:02d}{ordinal:02d}"
            return f"{body}{sum(int(digit) for digit in body) % 10}"
        return f"{code}{group.number}{ordinal:03d}" if division == "510107" else ""

    def _issue_day(self, context: Context) -> date:
        """A day in the autumn of the first school year, when numbers are issued."""
        year = self.year - context.years_before
        return self._capped(date(year, 9, 20) + timedelta(days=self.random.randrange(70)))

    def _capped(self, day: date) -> date:
        return min(day, self.today)

    def _number(self, pupil: Pupil) -> None:
        """G for a citizen's number, J without one, L while checks are out: every new pupil begins with L."""
        values, division = pupil.values, pupil.group.school.division
        is_new = pupil.group.grade == "11"
        fate = self.random.random()
        if values["id_type"] in ("1", "B") and not fate < (0.04 if is_new else 0.004):
            pupil.number = formal_g(values["id_number"])
        elif values["id_type"] not in ("1", "B") and fate < (0.5 if is_new else 0.9):
            pupil.number = self.papers.formal_without_identity(division, pupil.issued_on)
        else:
            pupil.number = self.papers.temporary(division, pupil.issued_on)
        if not pupil.number.startswith("L") and self.random.random() < (0.6 if is_new else 0.05):
            earlier = max(pupil.issued_on - timedelta(days=self.random.randrange(5, 25)), pupil.starts_on)
            pupil.former_number = self.papers.temporary(division, min(earlier, pupil.issued_on))


def newcomer(today: date, seed: int) -> dict[str, str]:
    """The registration form of a child not registered yet, for the first grade of the story's school."""
    maker = Maker(Random(seed), today)
    school = next(school for school in SCHOOLS if school.code == STORY_SCHOOL)
    group = next(iter(classes_of(school, maker.year)))
    while (values := maker.pupil(group, 1).values)["id_type"] != "1":
        pass
    asked = {field.key for section in SECTIONS for field in section.fields} - GIVEN_BY_SYSTEM
    return {key: text for key, text in values.items() if key in asked and text}
