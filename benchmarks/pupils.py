"""One lane of loading: the pupils of its counties, complete and sealed, and the cases that wait for them.

Names, numbers, homes and families come from the demonstration's makers, rows from `registry.record`: what is
measured is the record of the product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from random import Random
from zlib import crc32
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts.models import User
from benchmarks.country import FOCUS, SEED, CountyPlan, SchoolPlan, classes_of
from config.clock import today
from config.copying import copy_rows
from config.crypto import next_ids
from config.rules import rulebook_version
from config.workdays import add_workdays
from registry.codes import label
from registry.demo.households import Household
from registry.demo.load import load_problems, load_pupils
from registry.demo.papers import Papers, with_wrong_check_digit
from registry.demo.problems import Problem
from registry.demo.pupils import Maker, Population, Pupil
from registry.models import OpenBusiness, SchoolClass
from registry.record import Record
from registry.status import NORMAL, PENDING
from transfers.kinds.registration import REGISTRATION
from transfers.models import Case, Step
from transfers.route import Planned, plan

BATCH = 2000  # pupils a transaction
# Who is not simply in school: shares of pupils. Open statuses only: a closed spell would need its successor.
ABROAD, DROPPED_OUT, DISPUTED = ("04", 0.001), ("06", 0.0003), 0.0005
# Registrations that still wait: the dense county is in the middle of its September, the others have finished.
WAITING_IN_FOCUS, WAITING_ELSEWHERE, STILL_AT_SCHOOL = 1.0, 0.1, 0.2
_MORNING = time(9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))


class LanePapers(Papers):
    """Numbers of one lane: two processes that draw by themselves never draw the same."""

    def __init__(self, random: Random, lane: int, lanes: int) -> None:
        super().__init__(random)
        self._lane, self._lanes = lane, lanes

    def _unique(self, draw: Callable[[], str]) -> str:
        def own() -> str:
            while crc32((number := draw()).encode()) % self._lanes != self._lane:
                pass
            return number

        return super()._unique(own)


class LaneMaker(Maker):
    """The demonstration's maker of pupils with the papers of one lane, and with fates beside the usual."""

    def __init__(self, day: date, lane: int = 0, lanes: int = 1, seed: int = SEED) -> None:
        random = Random(f"{seed}.{lane}")  # noqa: S311  (invented pupils, no secrets)
        super().__init__(random, day)
        self.papers = LanePapers(random, lane, lanes)
        self._household = Household(random, self.papers)

    def school(self, school: SchoolPlan, waiting: float) -> Population:
        """All classes and pupils of one school; `waiting` is the share of the first grade not yet decided."""
        population = Population()
        for group in classes_of(school, self.year):
            population.classes.append(group)
            for ordinal in range(1, group.size + 1):
                population.pupils.append(pupil := self.pupil(group, ordinal))
                self._befall(pupil, waiting)
        return population

    def _befall(self, pupil: Pupil, waiting: float) -> None:
        fate = self.random.random()
        if pupil.group.grade == "11" and fate < waiting:
            pupil.status, pupil.number, pupil.former_number = PENDING, "", ""
        elif pupil.status == NORMAL and fate > 1 - ABROAD[1]:
            pupil.status = ABROAD[0]
        elif pupil.status == NORMAL and fate > 1 - ABROAD[1] - DROPPED_OUT[1]:
            pupil.status = DROPPED_OUT[0]
        elif pupil.number.startswith("G") and fate > 1 - ABROAD[1] - DROPPED_OUT[1] - DISPUTED:
            pupil.is_disputed = True
            pupil.values["id_number"] = with_wrong_check_digit(pupil.values["id_number"])
            pupil.number = self.papers.temporary(pupil.group.school.division, pupil.issued_on)
            pupil.former_number = ""


def load_lane(counties: Iterable[CountyPlan], lane: int, lanes: int, say: Callable[[int], None]) -> int:
    """Write the pupils of `counties`, a batch a transaction; answers how many, and tells `say` meanwhile."""
    maker, done = LaneMaker(today(), lane, lanes), 0
    for batch in _batches(maker, counties):
        with transaction.atomic():
            write(batch, maker.random)
        done += len(batch.pupils)
        say(done)
    return done


def _batches(maker: LaneMaker, counties: Iterable[CountyPlan]) -> Iterator[Population]:
    batch = Population()
    for county in counties:
        waiting = WAITING_IN_FOCUS if county.division.code == FOCUS[0] else WAITING_ELSEWHERE
        for school in county.schools:
            made = maker.school(school, waiting)
            batch.classes += made.classes
            batch.pupils += made.pupils
            if len(batch.pupils) >= BATCH:
                yield batch
                batch = Population()
    if batch.pupils:
        yield batch


def write(population: Population, random: Random) -> list[Record]:
    """The rows of a population whose schools, classes and staff stand; needs scope and transaction."""
    codes = {group.school.code for group in population.classes}
    classes = {
        (row.school.code, row.number): row
        for row in SchoolClass.objects.filter(school__code__in=codes).select_related("school__organization")
    }
    records = load_pupils(population, classes)
    disputed = [
        Problem("1", pupil, None, "登记检查", "身份证件号校验位不符，待主管部门核实。")
        for pupil in population.pupils
        if pupil.is_disputed
    ]
    load_problems(disputed, population, records)
    write_cases([record for record in records if record.enrolment.status == PENDING], random)
    return records


@dataclass(frozen=True, slots=True)
class Route:
    """The steps of a registration at one school, and who files and reviews there."""

    steps: list[Planned]
    registrar: User
    leader: User


def write_cases(records: list[Record], random: Random) -> None:
    """One open registration for each pending pupil, at the school's leader or at the authority."""
    routes = _routes({record.student.org_path for record in records})
    rulebook, ids = rulebook_version(), next_ids("transfers_case", len(records))
    cases, steps, locks = [], [], []
    for record, pk in zip(records, ids, strict=True):
        route, path = routes[record.student.org_path], record.student.org_path
        filed = today() - timedelta(days=random.randrange(16))
        common = {"from_path": path, "to_path": path}
        case = Case(
            id=pk, number=f"{REGISTRATION.prefix}{filed:%y%m%d}{pk:06d}", kind=REGISTRATION.code,
            student=record.student, from_name=route.steps[0].office_name, to_name=route.steps[0].office_name,
            payload={"class_id": record.enrolment.school_class_id}, rulebook=rulebook, lane=REGISTRATION.code,
            filed_by=route.registrar, filed_by_name=route.registrar.name, filed_at=moment(filed), **common,
        )  # fmt: skip
        case.set_card(_card(record))
        cases.append(case)
        locks.append(
            OpenBusiness(student=record.student, case_no=case.number, kind=case.kind,
                         kind_name=REGISTRATION.name, **common)
        )  # fmt: skip
        current = 0 if random.random() < STILL_AT_SCHOOL else 1
        steps += [_step(case, route, ordinal, current, filed) for ordinal in range(len(route.steps))]
    copy_rows(Case, cases)
    copy_rows(Step, steps)
    copy_rows(OpenBusiness, locks)


def _step(case: Case, route: Route, ordinal: int, current: int, filed: date) -> Step:
    """One step of a case that waits at `current`: before it all is approved, after it nothing has arrived."""
    planned, is_done = route.steps[ordinal], ordinal < current
    arrived = filed + timedelta(days=ordinal)
    return Step(
        case=case, from_path=case.from_path, to_path=case.to_path, ordinal=ordinal + 1,
        office_path=planned.office_path, office_name=planned.office_name, right=planned.stop.right,
        label=planned.stop.label, days=planned.days, is_current=ordinal == current,
        arrived_at=moment(arrived) if ordinal <= current else None,
        due_on=_due(arrived, planned.days) if ordinal <= current else None,
        decision=Step.Decision.APPROVE if is_done else "", decided_by=route.leader if is_done else None,
        decided_by_name=route.leader.name if is_done else "",
        decided_at=moment(arrived) + timedelta(hours=2) if is_done else None,
    )  # fmt: skip


def _card(record: Record) -> dict[str, str]:
    """What `transfers.services.card_of` reads from the database, from the rows at hand."""
    student = record.student
    return {
        "name": student.name,
        "sex": label("sex", student.sex),
        "birth_on": student.birth_on.isoformat(),
        "id_mask": record.document.mask if record.document else "",
    }


def _routes(paths: set[str]) -> dict[str, Route]:
    codes = {path: path.rstrip(".").rsplit(".", 1)[1] for path in paths}
    usernames = [f"{code}.{role}" for code in codes.values() for role in ("registrar", "leader")]
    staff = {user.username: user for user in User.objects.filter(username__in=usernames)}
    return {
        path: Route(plan(REGISTRATION, path, path, {}), staff[f"{code}.registrar"], staff[f"{code}.leader"])
        for path, code in codes.items()
    }


@cache
def _due(arrived: date, days: int) -> date:
    return add_workdays(arrived, days)


def moment(day: date) -> datetime:
    return datetime.combine(day, _MORNING)
