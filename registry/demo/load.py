"""Writes the demonstration country, set by set, inside the caller's transaction."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from django.db.backends.postgresql.psycopg_any import DateRange

from accounts.models import Organization, User
from accounts.tree import OFFICES_SINCE
from config.clock import now
from config.copying import copy_rows
from config.crypto import next_ids
from config.rules import set_rule
from registry.codes import division_full_name
from registry.demo.country import (
    NINE_YEAR_SCHOOL,
    OFFICES,
    PLACES,
    RULES,
    SCHOOLS,
    STORY_SCHOOL,
    ClassPlan,
    SchoolPlan,
    terms,
)
from registry.demo.names import adult
from registry.demo.papers import Papers
from registry.demo.problems import Problem
from registry.demo.pupils import Population, Pupil
from registry.models import (
    Campus,
    Enrolment,
    FamilyMember,
    IdentityDocument,
    ProblemRecord,
    School,
    SchoolClass,
    Student,
    StudentNumber,
    Term,
)
from registry.record import Record, new_record

BATCH = 1000
_OFFICE_HOUR = time(10, tzinfo=ZoneInfo("Asia/Shanghai"))


def is_loaded() -> bool:
    return School.objects.filter(code__in=[school.code for school in SCHOOLS]).exists()


def load_offices(seed: int) -> dict[str, Organization]:
    """Offices and schools of the country; answers every office that is needed, by path."""
    random = Random(seed + 3)
    papers = Papers(random)
    offices = {office.path: office for office in Organization.objects.all()}
    for plan in OFFICES:
        above = offices[plan.path[: plan.path.rstrip(".").rindex(".") + 1]]
        offices[plan.path] = Organization.objects.create(
            kind=plan.kind,
            code=plan.code,
            name=plan.name,
            path=plan.path,
            parent=above,
            division=plan.division,
            is_authority=plan.is_authority,
            valid=DateRange(OFFICES_SINCE, None),
        )
    _add_contacts(offices, random, papers)
    made = Organization.objects.bulk_create(
        Organization(
            kind=Organization.Kind.SCHOOL,
            code=school.code,
            name=school.name,
            path=school.path,
            parent=offices[school.above],
            division=school.division,
            valid=DateRange(OFFICES_SINCE, None),
        )
        for school in SCHOOLS
    )
    offices |= {office.path: office for office in made}
    for school in SCHOOLS:
        _load_school(school, offices[school.path], random, papers)
    return offices


def _add_contacts(offices: dict[str, Organization], random: Random, papers: Papers) -> None:
    """A person and a telephone for every office on a school's line of authority."""
    lines = {path for plan in SCHOOLS for path in offices if plan.path.startswith(path)}
    named = [offices[path] for path in sorted(lines)]
    for office in named:
        place = PLACES.get(office.division)
        office.contact_name = adult(random, random.choice("12"))
        office.contact_phone = papers.landline(place.area_code if place else "010")
    Organization.objects.bulk_update(named, ["contact_name", "contact_phone"])


def _load_school(plan: SchoolPlan, office: Organization, random: Random, papers: Papers) -> None:
    place = PLACES[plan.division]
    where = division_full_name(plan.division)
    roads = place.villages if plan.is_township_run else place.streets
    school = School.objects.create(
        organization=office,
        code=plan.code,
        running_type=plan.running_type,
        ownership=plan.ownership,
        stages=plan.stages,
        schooling=plan.schooling,
        address=f"{where}{random.choice(roads)}{random.randint(1, 200)}号",
        principal=adult(random, random.choice("12")),
        phone=papers.landline(place.area_code),
        postcode=place.postcode,
        is_township_run=plan.is_township_run,
    )
    Campus.objects.bulk_create(
        Campus(
            school=school,
            name=name,
            division=plan.division,
            address=f"{where}{random.choice(place.streets)}{random.randint(1, 200)}号",
            phone=papers.landline(place.area_code),
        )
        for name in plan.campuses
    )


def load_terms_and_rules(year: int, today: date) -> None:
    """School terms, and what some offices decided for themselves."""
    Term.objects.bulk_create(
        Term(
            path=plan.path,
            school_year=plan.school_year,
            semester=plan.semester,
            starts_on=plan.starts_on,
            ends_on=plan.ends_on,
        )
        for plan in terms(year)
    )
    names = dict(
        Organization.objects.filter(path__in=[plan.path for plan in RULES]).values_list("path", "name")
    )
    for plan in RULES:
        set_rule(
            plan.key,
            plan.value,
            at=plan.path,
            level=plan.level,
            document=plan.document,
            set_by_name=names[plan.path],
            created_by_name="演示数据",
            starts=min(date(year, 7, 1), today),
        )


def load_classes(plans: list[ClassPlan], users: dict[str, User]) -> dict[tuple[str, str], SchoolClass]:
    """The classes, by school code and number; the head teachers of some."""
    schools = {school.code: school for school in School.objects.select_related("organization")}
    campuses: dict[int, list[Campus]] = {}
    for campus in Campus.objects.order_by("id"):
        campuses.setdefault(campus.school_id, []).append(campus)
    heads = _head_teachers(plans, users)
    classes = SchoolClass.objects.bulk_create(
        SchoolClass(
            org_path=plan.school.path,
            school=schools[plan.school.code],
            campus=campuses[schools[plan.school.code].pk][plan.campus - 1] if plan.campus else None,
            number=plan.number,
            name=plan.name,
            grade=plan.grade,
            type=plan.type,
            head_teacher=heads.get((plan.school.code, plan.number)),
        )
        for plan in plans
    )
    return {(row.school.code, row.number): row for row in classes}


def _head_teachers(plans: list[ClassPlan], users: dict[str, User]) -> dict[tuple[str, str], User]:
    """The first class of each school has one, the story's school has several."""
    heads: dict[tuple[str, str], User] = {}
    story = [plan for plan in plans if plan.school.code == STORY_SCHOOL]
    teachers = ["demo.school.head_teacher", *(f"{STORY_SCHOOL}.teacher{number}" for number in range(1, 6))]
    # The persona heads the first class of grade two.
    story.sort(key=lambda plan: (plan.grade != "12", plan.grade, plan.sequence))
    for plan, teacher in zip(story, teachers, strict=False):
        heads[STORY_SCHOOL, plan.number] = users[teacher]
    for plan in plans:
        username = f"{plan.school.code}.head_teacher"
        if username in users and not any(code == plan.school.code for code, _number in heads):
            heads[plan.school.code, plan.number] = users[username]
    second = [plan for plan in plans if plan.school.code == NINE_YEAR_SCHOOL][1]
    heads[NINE_YEAR_SCHOOL, second.number] = users["demo.two.posts"]
    return heads


def load_pupils(population: Population, classes: dict[tuple[str, str], SchoolClass]) -> list[Record]:
    """Everything about every pupil; answers the rows in the order of the population."""
    pupils = population.pupils
    count = len(pupils)
    students, documents = next_ids("registry_student", count), next_ids("registry_identitydocument", count)
    members = next_ids("registry_familymember", 2 * count)
    records = []
    for index, pupil in enumerate(pupils):
        record = new_record(
            pupil.values,
            classes[pupil.group.school.code, pupil.group.number],
            starts_on=pupil.starts_on,
            is_disputed=pupil.is_disputed,
            status=pupil.status,
            ids=(students[index], documents[index], (members[2 * index], members[2 * index + 1])),
        )
        record.student.number = pupil.number
        records.append(record)
    copy_rows(Student, [record.student for record in records])
    copy_rows(IdentityDocument, [record.document for record in records if record.document])
    copy_rows(Enrolment, [record.enrolment for record in records])
    copy_rows(FamilyMember, [member for record in records for member in record.family])
    copy_rows(StudentNumber, [row for pair in zip(pupils, records, strict=True) for row in _numbers(*pair)])
    return records


def _numbers(pupil: Pupil, record: Record) -> list[StudentNumber]:
    student = record.student
    issued = _moment(pupil.issued_on)
    common = {"org_path": student.org_path, "student": student}
    rows = [StudentNumber(**common, number=pupil.number, issued_at=issued)] if pupil.number else []
    if pupil.former_number:
        rows.append(
            StudentNumber(
                **common, number=pupil.former_number, is_current=False, issued_at=issued - timedelta(days=14)
            )
        )
    if auxiliary := pupil.values["auxiliary_number"]:
        rows.append(
            StudentNumber(
                **common,
                kind=StudentNumber.Kind.AUXILIARY,
                province=student.org_path.split(".")[1],
                number=auxiliary,
                issued_at=issued,
            )
        )
    return rows


def _moment(day: date) -> datetime:
    """Ten o'clock of `day`, never in the future."""
    return min(datetime.combine(day, _OFFICE_HOUR), now())


def load_problems(problems: list[Problem], population: Population, records: list[Record]) -> None:
    """The problem records, with both sides."""
    rows = {id(pupil): record for pupil, record in zip(population.pupils, records, strict=True)}
    ProblemRecord.objects.bulk_create(_problem(problem, rows) for problem in problems)


def _problem(problem: Problem, rows: dict[int, Record]) -> ProblemRecord:
    student = rows[id(problem.first)].student
    other = rows[id(problem.other)].student if problem.other else None
    return ProblemRecord(
        org_path=student.org_path,
        other_path=other.org_path if other else student.org_path,
        type=problem.type,
        side=ProblemRecord.Side.RECORD if other else ProblemRecord.Side.SINGLE,
        student=student,
        other=other,
        is_hint=problem.is_hint,
        found_by=problem.found_by,
        detail=problem.detail,
    )
