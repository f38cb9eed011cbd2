"""What stands before the pupils come: the tree, the schools, their classes and the staff; and the tables made
ready for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from accounts.models import Organization, Post, TrainingRecord, User
from accounts.roles import ROLES
from accounts.tree import OFFICES_SINCE, load_tree
from benchmarks.country import DATA, FOCUS, LARGEST, SEED, SMALLEST, CountyPlan, SchoolPlan
from config.clock import today
from config.scope import NATION, ancestors
from registry.codes import division_full_name
from registry.demo.country import PLACES, classes_of
from registry.demo.load import load_terms_and_rules
from registry.demo.names import adult
from registry.demo.papers import Papers
from registry.models import School, SchoolClass
from registry.record import school_year_start
from registry.services.code_lists import load_codes

CLIENTS = 16  # accounts of each position: one client, one account


@dataclass(frozen=True, slots=True)
class Position:
    """An office whose pages are measured, and the roles that ask there. `reader` lists, searches and reads,
    `signer` has the queue.
    """

    code: str
    path: str
    reader: str = "reviewer"
    signer: str = "reviewer"

    def usernames(self, role: str) -> list[str]:
        return [f"{self.code}.{role}{number}" for number in range(1, CLIENTS + 1)]


def positions(plan: list[CountyPlan]) -> list[Position]:
    """The smallest and the largest school of the dense line, and the four offices above them."""
    schools = {school.name: school for school in plan[0].schools}
    county = plan[0].division
    named = [("smallest school", SMALLEST), ("largest school", LARGEST)]
    found = [
        Position(code, schools[county.name + mould.name].path, "registrar", "leader")
        for code, mould in named
        if county.name + mould.name in schools
    ]
    above = {"county": county.path, "city": ancestors(county.path)[-2], "province": f"CN.{FOCUS[2][:2]}."}
    return [*found, *(Position(code, path) for code, path in above.items()), Position("nation", NATION)]


def load_ground(plan: list[CountyPlan], *, with_accounts: bool = True) -> None:
    """Tree, code lists, calendar, terms, rules, schools, classes and staff."""
    load_tree()
    load_codes()
    call_command("import_calendar", verbosity=0)
    day = today()
    with transaction.atomic():
        load_terms_and_rules(school_year_start(day).year, day)
        offices = load_schools(plan, day)
        _load_staff(list(_staff(plan)), offices, day)
        if with_accounts:
            _load_staff(list(_accounts(plan)), offices, day)


def load_schools(plan: list[CountyPlan], day: date) -> dict[str, Organization]:
    """Schools with their classes; answers every office by path."""
    random = Random(SEED + 1)  # noqa: S311
    papers = Papers(random)
    offices = {office.path: office for office in Organization.objects.all()}
    schools = [school for county in plan for school in county.schools]
    made = Organization.objects.bulk_create(
        Organization(
            kind=Organization.Kind.SCHOOL, code=school.code, name=school.name, path=school.path,
            parent=offices[school.above], division=school.division, valid=DateRange(OFFICES_SINCE, None),
        )
        for school in schools
    )  # fmt: skip
    offices |= {office.path: office for office in made}
    School.objects.bulk_create(_school(school, offices[school.path], random, papers) for school in schools)
    SchoolClass.objects.bulk_create(
        (
            SchoolClass(
                org_path=school.path, school_id=offices[school.path].pk, number=group.number, name=group.name,
                grade=group.grade, type=group.type,
            )
            for school in schools
            for group in classes_of(school, school_year_start(day).year)
        ),
        batch_size=2000,
    )  # fmt: skip
    return offices


def _school(plan: SchoolPlan, office: Organization, random: Random, papers: Papers) -> School:
    place = PLACES[plan.division]
    street = f"{random.choice(place.streets)}{random.randint(1, 200)}号"
    return School(
        organization=office, code=plan.code, running_type=plan.running_type, ownership=plan.ownership,
        stages=plan.stages, schooling=plan.schooling, postcode=place.postcode,
        address=division_full_name(plan.division) + street,
        principal=adult(random, random.choice("12")), phone=papers.landline(place.area_code),
    )  # fmt: skip


def _staff(plan: list[CountyPlan]) -> Iterator[tuple[str, str, str]]:
    """(username, role, path) of everybody a route may name: nobody of them signs in."""
    bureaus = set()
    for county in plan:
        for school in county.schools:
            bureaus |= set(ancestors(school.path)[:-1])
            for role in ("registrar", "leader"):
                yield f"{school.code}.{role}", role, school.path
    for path in sorted(bureaus):
        yield f"{path}reviewer", "reviewer", path


def _accounts(plan: list[CountyPlan]) -> Iterator[tuple[str, str, str]]:
    """The accounts that the clients sign in with."""
    for position in positions(plan):
        for role in dict.fromkeys((position.reader, position.signer)):
            for username in position.usernames(role):
                yield username, role, position.path


def _load_staff(staff: list[tuple[str, str, str]], offices: dict[str, Organization], day: date) -> None:
    random = Random(SEED + len(staff))  # noqa: S311
    papers = Papers(random)
    users = User.objects.bulk_create(
        (
            User(username=username, name=adult(random, random.choice("12")), phone=papers.mobile(),
                 password=make_password(None))
            for username, _role, _path in staff
        ),
        batch_size=2000,
    )  # fmt: skip
    since = DateRange(OFFICES_SINCE, None)
    Post.objects.bulk_create(
        (
            Post(user=user, office=offices[path], role=role, valid=since, appointed_by_name="基准数据")
            for user, (_username, role, path) in zip(users, staff, strict=True)
        ),
        batch_size=2000,
    )
    TrainingRecord.objects.bulk_create(
        (
            TrainingRecord(user=user, completed_on=day - timedelta(days=60), hours=16)
            for user, (_username, role, _path) in zip(users, staff, strict=True)
            if ROLES[role].needs_training
        ),
        batch_size=2000,
    )


# ── The tables while they are filled, as the owner ────────────────────────────────────────────────────────
FILLED = (
    "registry_student", "registry_identitydocument", "registry_enrolment", "registry_familymember",
    "registry_studentnumber", "registry_openbusiness", "transfers_case", "transfers_step",
)  # fmt: skip


def loosen() -> list[str]:
    """Take indexes, constraints but primary keys, and the history triggers off the tables to be filled;
    answers the statements that put them back.
    """
    back: list[str] = []
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)
               FROM pg_constraint
               WHERE conrelid::regclass::text = ANY(%s) AND contype IN ('f', 'u', 'x')
               ORDER BY contype DESC""",
            [list(FILLED)],
        )
        for table, name, definition in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            back.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        cursor.execute(
            """SELECT quote_ident(indexrelid::regclass::text), pg_get_indexdef(indexrelid) FROM pg_index
               WHERE indrelid::regclass::text = ANY(%s) AND NOT indisprimary""",
            [list(FILLED)],
        )
        for name, definition in cursor.fetchall():
            cursor.execute(f"DROP INDEX {name}")
            back.insert(0, definition)
        for table in FILLED:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            back.append(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    return back


def tighten(statements: list[str]) -> None:
    """Add the closed cases of former years, then put everything back; constraints look at all rows."""
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute("SET enable_nestloop = off")  # fresh tables have no statistics to plan by
        cursor.execute((DATA / "history.sql").read_text(encoding="utf-8"))
        cursor.execute("RESET enable_nestloop")
        for statement in statements:
            cursor.execute(statement)


# Children of one reading, sex and birth date in two records: hints as the national check would leave them.
_HINTS = """
INSERT INTO registry_problemrecord
    (org_path, other_path, type, side, student_id, other_id, is_hint, found_by, detail)
SELECT a.org_path, b.org_path, '3', 'record', a.id, b.id, true, '拼音线索', '姓名读音相同，请核对。'
FROM registry_student a
JOIN registry_student b ON a.birth_on = b.birth_on AND a.name_py = b.name_py AND a.sex = b.sex AND a.id < b.id
ORDER BY a.id LIMIT (SELECT count(*) / 500 FROM registry_student)
"""


def finish() -> int:
    """Hints over the whole country, and statistics: the first page must not be planned for empty tables.
    Answers how many pupils there are.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HINTS)
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT count(*) FROM registry_student")
        return int(cursor.fetchone()[0])
