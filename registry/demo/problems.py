"""The handful of problem records that the demonstration country has (HANDBOOK A9): each with both sides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from random import Random

from registry.demo.country import STORY_SCHOOL, TOWNSHIP_SCHOOL
from registry.demo.papers import Papers, with_wrong_check_digit
from registry.demo.pupils import Population, Pupil
from registry.status import NORMAL

# What one human brings along when a second record is made of her.
_PERSON = [
    "name",
    "sex",
    "birth_on",
    "birthplace",
    "ethnic_group",
    "native_place",
    "hukou_type",
    "hukou_division",
    "phone",
]


@dataclass(slots=True)
class Problem:
    """One problem: `other` is None where a record stands alone."""

    type: str
    first: Pupil
    other: Pupil | None
    found_by: str
    detail: str
    is_hint: bool = False


def plant(population: Population, seed: int) -> list[Problem]:
    """Turn a few ordinary pupils into problem records; the rest of the population stays as it is."""
    known = {number for pupil in population.pupils for number in (pupil.number, pupil.former_number)}
    known |= {pupil.values["id_number"] for pupil in population.pupils}
    planter = Planter(population, Papers(Random(seed + 1), known))
    return [
        planter.wrong_number(STORY_SCHOOL, "13"),
        planter.wrong_number("2144088201", "12"),
        planter.wrong_number("2151010701", "14"),
        planter.number_twice(("2144088201", "13"), (STORY_SCHOOL, "13")),
        planter.number_twice(("3151018102", "22"), ("3151010702", "23"), same_name=False),
        planter.same_person((TOWNSHIP_SCHOOL, "12"), ("2151340101", "12")),
        planter.same_person(("2144082501", "14"), ("2144088202", "14")),
        planter.same_pinyin(("2144030401", "15"), (STORY_SCHOOL, "15")),
    ]


class Planter:
    def __init__(self, population: Population, papers: Papers) -> None:
        self._papers = papers
        self._taken: set[int] = set()
        self._ordinary: dict[tuple[str, str], list[Pupil]] = {}
        for pupil in population.pupils:
            if pupil.number.startswith("G") and pupil.status == NORMAL and pupil.values["id_type"] == "1":
                self._ordinary.setdefault((pupil.group.school.code, pupil.group.grade), []).append(pupil)

    def wrong_number(self, school: str, grade: str) -> Problem:
        """Type 1: the register prints a number whose check digit fails; registered as disputed (R-EST-08)."""
        pupil = self._pick(school, grade)
        pupil.values["id_number"] = with_wrong_check_digit(pupil.values["id_number"])
        self._dispute(pupil)
        return Problem(
            "1",
            pupil,
            None,
            "登记检查",
            "身份证件号校验位不符，监护人出示的户口簿与所填一致，待主管部门核实。",
        )

    def number_twice(
        self, first: tuple[str, str], second: tuple[str, str], *, same_name: bool = True
    ) -> Problem:
        """Type 2: the same identity number on two records; the later one is disputed and claims nothing."""
        one, other = self._pick(*first), self._pick(*second)
        self._copy_person(one, other)
        if not same_name:
            other.values["name"] = one.values["name"][0] + ("思语" if one.values["sex"] == "2" else "思宇")
        other.values["id_number"] = one.values["id_number"]
        self._dispute(other)
        return Problem(
            "2", one, other, "全国查重", "两条学籍登记了同一身份证件号，后登记的一条存疑，待双方核实。"
        )

    def same_person(self, first: tuple[str, str], second: tuple[str, str]) -> Problem:
        """Type 3: same name, sex and birth, and no identity number on one of them."""
        one, other = self._pick(*first), self._pick(*second)
        self._copy_person(one, other)
        other.values |= {"id_type": "Z", "id_number": "", "id_validity": ""}
        other.number, other.former_number = self._temporary(other), ""
        return Problem("3", one, other, "全国查重", "姓名、性别、出生日期相同，其中一条没有身份证件号。")

    def same_pinyin(self, first: tuple[str, str], second: tuple[str, str]) -> Problem:
        """A hint only: names that sound alike, born on one day. Nothing is blocked; a person looks."""
        one, other = self._pick(*first), self._pick(*second)
        surname, sex = one.values["name"][0], one.values["sex"]
        given = ("梓涵", "子涵") if sex == "2" else ("皓轩", "浩轩")
        self._copy_person(one, other)
        for pupil, name in ((one, given[0]), (other, given[1])):
            pupil.values["name"] = surname + name
        other.values["id_number"] = self._renumbered(one)
        other.number, other.former_number = "G" + other.values["id_number"], ""
        return Problem(
            "3", one, other, "拼音线索", "姓名读音、性别、出生日期相同，请核对是否同一学生。", is_hint=True
        )

    def _pick(self, school: str, grade: str) -> Pupil:
        """The first ordinary pupil of the grade that no other problem uses and whose family has a number."""
        for pupil in self._ordinary[school, grade]:
            if id(pupil) not in self._taken and pupil.values["member1_id_number"]:
                self._taken.add(id(pupil))
                return pupil
        raise LookupError(f"no ordinary pupil left in {school} {grade}")

    def _copy_person(self, one: Pupil, other: Pupil) -> None:
        for key in (*_PERSON, *(key for key in one.values if key.startswith("member"))):
            other.values[key] = one.values[key]
        for key in [key for key in other.values if key.startswith("member2") and key not in one.values]:
            del other.values[key]
        # Her register now lies where the first record says; what follows from it must not contradict.
        is_here = other.values["hukou_division"][:6] == other.group.school.division
        other.values |= {"migrant_child": "0", "left_behind": "0", "orphan": one.values["orphan"]}
        if not is_here and other.values["hukou_type"] == "1":
            other.values["migrant_child"] = "1"

    def _dispute(self, pupil: Pupil) -> None:
        pupil.is_disputed = True
        pupil.number, pupil.former_number = self._temporary(pupil), ""

    def _temporary(self, pupil: Pupil) -> str:
        return self._papers.temporary(pupil.group.school.division, pupil.issued_on)

    def _renumbered(self, pupil: Pupil) -> str:
        values = pupil.values
        return self._papers.citizen(
            values["id_number"][:6], date.fromisoformat(values["birth_on"]), values["sex"]
        )
