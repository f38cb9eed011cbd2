"""The real tree and the demonstration country: pure parts, and what they write."""

import re
from collections import Counter
from datetime import date
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.models import Organization
from accounts.roles import ROLES
from accounts.tree import MUNICIPALITIES, counts, load_tree, path_of, read_divisions
from registry.checks import check_record
from registry.codes import is_code, is_current_division
from registry.demo import load
from registry.demo.country import OFFICES, PLACES, RULES, SCHOOLS, STORY_SCHOOL, classes_of
from registry.demo.personas import persona_plans
from registry.demo.problems import Problem, plant
from registry.demo.pupils import SEED, Population, context_of, generate
from registry.findings import errors
from registry.form_values import clean_record
from registry.identity import check_number
from registry.models import Enrolment, FamilyMember, IdentityDocument, Student, StudentNumber
from registry.numbers import check_school_code, is_valid
from registry.record import open_number
from tests.make import make_class

DAY = date(2026, 9, 21)
# The story's school, both lengths of schooling, special education, all stages, the other cut-off.
FEW = [
    school
    for school in SCHOOLS
    if school.code in (STORY_SCHOOL, "5144030403", "3151010702", "2151343102", "3411010802")
]


@pytest.fixture(scope="module")
def country() -> tuple[Population, list[Problem]]:
    population = generate(DAY)
    return population, plant(population, SEED)


def shape_of(population: Population) -> list[Any]:
    return [
        (pupil.values, pupil.number, pupil.former_number, pupil.status, pupil.group.number, pupil.issued_on)
        for pupil in population.pupils
    ]


# --- the tree


def test_every_division_has_a_path_of_its_own_under_the_unit_above() -> None:
    divisions = read_divisions()
    by_code = {division.code: division for division in divisions}
    paths = [division.path for division in divisions]
    assert len(set(paths)) == len(paths) == 34 + 333 + 2847
    for division in divisions:
        above = by_code[division.parent].path if division.parent else "CN."
        assert re.fullmatch(re.escape(above) + r"\d{2,4}\.", division.path)
    assert path_of("440305", "440300") == "CN.44.03.05."
    assert path_of("110108", "110000") == "CN.11.0108."
    assert path_of("469001", "460000") == "CN.46.9001."


@pytest.mark.django_db
def test_the_tree_is_loaded_once() -> None:
    load_tree()
    assert counts() == {"nation": 1, "province": 34, "city": 333, "county": 2847}
    before = set(Organization.objects.values_list("id", "path", "name"))
    assert not load_tree()
    assert set(Organization.objects.values_list("id", "path", "name")) == before
    paths = {office.path: office for office in Organization.objects.select_related("parent")}
    for path in ("CN.44.03.05.", "CN.11.0108.", "CN.46.9001."):
        assert paths[path].parent is not None
        assert path.startswith(paths[path].parent.path)  # type: ignore[union-attr]
        assert paths[path].is_authority
    assert not paths["CN.81."].is_authority
    assert {path[3:5] for path in paths if path.count(".") == 3 and len(path) == 11} >= MUNICIPALITIES


@pytest.mark.parametrize("command", ["demo", "personas"])
def test_nothing_of_it_exists_outside_a_demonstration(command: str, settings: Any) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="演示"):
        call_command(command)


# --- the country


@pytest.mark.rule("B3")
def test_schools_have_valid_codes_places_and_lines() -> None:
    assert len({school.code for school in SCHOOLS}) == len(SCHOOLS)
    tree = {division.path for division in read_divisions()} | {office.path for office in OFFICES}
    for school in SCHOOLS:
        assert not check_school_code(school.code)
        assert school.above in tree
        assert is_current_division(school.division)
        assert school.division in PLACES
        assert is_code("school_running_type", school.running_type)
        assert is_code("school_ownership", school.ownership)
        numbers = [group.number for group in classes_of(school, 2026)]
        assert len(set(numbers)) == len(numbers)
        assert all(re.fullmatch(r"20\d{5}", number) for number in numbers)
    # A school run by the city lies in a county that is not its authority.
    assert any(school.above == "CN.44.03." and school.division == "440305" for school in SCHOOLS)
    assert {school.schooling for school in SCHOOLS} == {"6-3", "5-4"}


def test_no_class_is_larger_than_the_rule_there_allows() -> None:
    primary = [(plan.path, plan.value) for plan in RULES if plan.key == "CLASS_SIZE_MAX_PRIMARY"]
    for school in SCHOOLS:
        local = [
            value
            for path, value in sorted(primary, key=lambda rule: len(rule[0]))
            if school.path.startswith(path)
        ]
        for group in classes_of(school, 2026):
            cap = (local or [55])[-1] if group.grade[0] == "1" else 60
            assert group.size <= cap
    story = next(school for school in SCHOOLS if school.code == STORY_SCHOOL)
    sizes = {(group.grade, group.sequence): group.size for group in classes_of(story, 2026)}
    assert sizes["12", 2] == 45  # full
    assert all(size < 45 for place, size in sizes.items() if place != ("12", 2))


def test_one_account_for_every_role_at_every_level() -> None:
    held = {(username.split(".")[1], role) for username, role in (
        (plan.username, plan.posts[0][0]) for plan in persona_plans()
    )}  # fmt: skip
    assert held >= {(kind, role.code) for role in ROLES.values() for kind in role.kinds}


# --- the pupils


def test_the_same_seed_gives_the_same_country(country: tuple[Population, list[Problem]]) -> None:
    again = generate(DAY)
    problems = plant(again, SEED)
    assert shape_of(again) == shape_of(country[0])
    assert [problem.type for problem in problems] == [problem.type for problem in country[1]]
    assert shape_of(generate(DAY, SEED + 1, FEW)) != shape_of(generate(DAY, SEED, FEW))


@pytest.mark.parametrize(
    "day", [DAY, date(2026, 8, 10), date(2026, 9, 1), date(2027, 6, 30), date(2028, 2, 29)]
)
def test_every_record_passes_the_checks_whatever_the_day(day: date) -> None:
    """All but the planted problems; and what is stored is already in the form that is stored."""
    for pupil in generate(day, SEED, SCHOOLS if day == DAY else FEW).pupils:
        found = check_record(pupil.values, context_of(pupil.group, day))
        assert [(f.code, f.field) for f in found] == []
        cleaned = clean_record(pupil.values, pupil.group.grade)
        assert {key: cleaned[key] for key in pupil.values} == pupil.values


@pytest.mark.rule("R-NUM-01", "R-NUM-02")
def test_numbers_are_valid_unique_and_fit_the_document(country: tuple[Population, list[Problem]]) -> None:
    pupils = country[0].pupils
    assert 11_500 < len(pupils) < 12_800
    given = [number for pupil in pupils for number in (pupil.number, pupil.former_number) if number]
    assert all(is_valid(number) for number in given)
    assert len(set(given)) == len(given)
    for pupil in pupils:
        if pupil.number.startswith("G"):
            assert pupil.number == "G" + pupil.values["id_number"]
        if pupil.values["id_type"] not in ("1", "B"):
            assert pupil.number[0] in "JL"
    kinds = Counter(pupil.number[0] for pupil in pupils)
    assert kinds["G"] > 11_000
    assert kinds["J"] > 100
    assert kinds["L"] > 50


def test_only_planted_problems_share_a_number_or_a_person(country: tuple[Population, list[Problem]]) -> None:
    population, problems = country
    planted = {id(side) for problem in problems for side in (problem.first, problem.other) if side}
    for key in (
        lambda values: (values["name"], values["sex"], values["birth_on"]),
        lambda values: values["id_number"],
    ):
        seen: dict[Any, int] = {}
        for pupil in population.pupils:
            value = key(pupil.values)
            if value and value in seen:
                assert {id(pupil), seen[value]} <= planted
            seen[value] = id(pupil)
    claimed = Counter(
        p.values["id_number"] for p in population.pupils if p.values["id_number"] and not p.is_disputed
    )
    assert max(claimed.values()) == 1


@pytest.mark.rule("R-EST-08")
def test_planted_problems_are_of_the_three_types(country: tuple[Population, list[Problem]]) -> None:
    problems = country[1]
    assert Counter(problem.type for problem in problems) == {"1": 3, "2": 2, "3": 3}
    for problem in problems:
        first, other = problem.first, problem.other
        if problem.type == "1":
            assert first.is_disputed
            assert first.number.startswith("L")
            found = check_number(
                first.values["id_type"], first.values["id_number"],
                date.fromisoformat(first.values["birth_on"]), first.values["sex"], DAY,
            )  # fmt: skip
            assert found
            assert all(finding.disputable for finding in errors(found))
        elif problem.type == "2":
            assert other is not None
            assert other.is_disputed
            assert not first.is_disputed
            assert first.values["id_number"] == other.values["id_number"]
        elif not problem.is_hint:
            assert other is not None
            assert first.values["name"] == other.values["name"]
            assert not other.values["id_number"]
    for problem in problems:  # the rest of a planted record is in order
        for side in (problem.first, problem.other):
            if side and not side.is_disputed:
                assert not errors(check_record(side.values, context_of(side.group, DAY)))


def test_names_are_as_varied_as_the_country(country: tuple[Population, list[Problem]]) -> None:
    names = [pupil.values["name"] for pupil in country[0].pupils]
    assert any(ord(character) > 0xFFFF for name in names for character in name)  # beyond the BMP
    assert any("·" in name for name in names)
    assert max(map(len, names)) > 30
    assert any(name.startswith(("欧阳", "上官", "司马")) for name in names)
    groups = Counter(pupil.values["ethnic_group"] for pupil in country[0].pupils)
    assert len(groups) >= 12
    assert len(set(names)) > 0.7 * len(names)


@pytest.mark.usefixtures("nation")
def test_pupils_are_written_whole_and_sealed() -> None:
    """A few, with a seed of their own: written by COPY and INSERT … SELECT through the wall."""
    story = generate(DAY, SEED + 7, FEW[:1]).pupils[:45]
    groups = {pupil.group.number: pupil.group for pupil in story}
    classes = {
        (STORY_SCHOOL, number): make_class(grade=group.grade, number=f"1{number[1:]}")
        for number, group in groups.items()
    }
    records = load.load_pupils(Population([], story), classes)
    ids = [record.student.pk for record in records]
    assert Student.objects.filter(pk__in=ids).count() == 45
    assert Enrolment.objects.filter(student__in=ids, status__in=("01", "02")).count() == 45
    assert FamilyMember.objects.filter(student__in=ids).count() == sum(len(r.family) for r in records)
    expected = sum(1 + bool(p.former_number) + bool(p.values["auxiliary_number"]) for p in story)
    assert StudentNumber.objects.filter(student__in=ids).count() == expected
    for pupil, record in zip(story, records, strict=True):
        document = IdentityDocument.objects.get(student=record.student)
        assert open_number(document) == pupil.values["id_number"]
        stored = Student.objects.get(pk=record.student.pk)
        assert stored.open_private()["phone"] == pupil.values["phone"]
        assert stored.number == pupil.number
