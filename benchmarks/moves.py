"""Transfers that wait for their last signature: what is decided, completed and drained.

Out of the dense county into schools of its city (in a small country of its province): four steps at two
schools and two authorities, two papers, conditions all met. The questions, the route and the conditions are
the product's own; only the rows are written in bulk. Papers have no file behind them: nobody opens one here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from itertools import cycle
from random import Random
from typing import Any
from uuid import uuid4

from django.db import connection, transaction

from accounts.models import Organization, User
from archives.models import Material
from benchmarks.country import SEED
from benchmarks.pupils import moment
from config.clock import today
from config.copying import copy_rows
from config.crypto import next_ids
from config.rules import rulebook_version
from config.scope import ancestors
from config.workdays import add_workdays
from registry.models import Enrolment, OpenBusiness, SchoolClass, Student
from registry.services.intake_rules import stage_of
from registry.status import NORMAL
from transfers.asking import Asking, split, take_answers
from transfers.filing import words_of
from transfers.kinds.transfer import TRANSFER
from transfers.models import Case, Evidence, Step
from transfers.route import Planned, plan
from transfers.services import card_of

GRADES = ("12", "13", "14", "15")  # neither entering nor leaving: no ban holds them back
PER_CLASS = 40
GROUND, PAPERS = "03", ("01", "06")  # 随迁子女: register and residence
_ANSWERS = {
    "reason": GROUND, "same_register": "1", "is_voluntary": "1", "under_sanction": "0", "recorded_later": "0",
    "status_stays": "",
}  # fmt: skip
_TABLES = (Case, Step, Evidence, OpenBusiness, Material)


@dataclass(frozen=True, slots=True)
class Group:
    """Pupils of one school and grade who move to one class: payload and route are theirs together."""

    spells: list[Enrolment]
    school_class: SchoolClass
    registrar: User


def write_transfers(county: str, most: int) -> list[str]:
    """The numbers of up to `most` transfers out of `county`, in an order in which neighbours go to different
    classes.
    """
    random = Random(SEED + 3)  # noqa: S311
    with transaction.atomic():
        cases = [case for group in _groups(county, most, random) for case in _write(group)]
    with connection.cursor() as cursor:
        for model in _TABLES:
            cursor.execute(f"ANALYZE {model._meta.db_table}")
    numbers = [case.number for case in cases]
    random.shuffle(numbers)
    return numbers


def _groups(county: str, most: int, random: Random) -> Iterator[Group]:
    """Pupils of `county` by school and grade, forty to a new class of a school elsewhere in the city, or in
    the province where the city has none.
    """
    primary = Organization.objects.filter(kind="school", school__stages__contains=[stage_of(GRADES[0])])
    others = primary.exclude(path__startswith=county).select_related("school").order_by("path")
    province, city = ancestors(county)[-3:-1]
    elsewhere = cycle(list(others.within(city)) or list(others.within(province)))
    movable = Enrolment.objects.within(county).filter(
        status=NORMAL, is_void=False, grade__in=GRADES, student__problems__isnull=True
    )
    by_place: dict[tuple[str, str], list[Enrolment]] = {}
    for spell in movable.select_related("student", "school__school", "school_class").order_by("pk"):
        by_place.setdefault((spell.org_path, spell.grade), []).append(spell)
    packs = [
        (grade, spells[first : first + PER_CLASS])
        for (_path, grade), spells in by_place.items()
        for first in range(0, len(spells), PER_CLASS)
    ]
    random.shuffle(packs)
    staff = {user.username: user for user in User.objects.filter(username__endswith=".registrar")}
    left = most
    for number, (grade, spells) in enumerate(packs):
        if left <= 0:
            return
        office = next(elsewhere)
        made = SchoolClass.objects.create(
            org_path=office.path, school=office.school, number=f"8{number:06d}", name=f"转入{number}班",
            grade=grade, type="10",
        )  # fmt: skip
        yield Group(spells[:left], made, staff[f"{office.code}.registrar"])
        left -= len(spells)


def _write(group: Group) -> list[Case]:
    """The rows of a group's cases, as filing and three signatures leave them."""
    office, first = group.school_class.school.organization, group.spells[0]
    payload, secrets = _opened(group, office, first)
    steps = plan(TRANSFER, first.org_path, office.path, payload)
    payload |= _excepted(group, office)
    signers = _signers(steps)
    cases = []
    for spell, pk in zip(group.spells, next_ids("transfers_case", len(group.spells)), strict=True):
        case = _case(group, spell, pk, payload)
        case.set_card(card_of(spell.student) | secrets)
        cases.append(case)
    papers = [_paper(case, code) for case in cases for code in PAPERS]
    for paper, pk in zip(papers, next_ids("archives_material", len(papers)), strict=True):
        paper.pk = pk
    copy_rows(Case, cases)
    copy_rows(Step, [_step(case, place, steps, signers) for case in cases for place in range(len(steps))])
    copy_rows(Material, papers)
    copy_rows(
        Evidence,
        [
            Evidence(case=case, material=paper, type=paper.evidence_type, from_path=case.from_path,
                     to_path=case.to_path)
            for case, paper in zip([case for case in cases for _code in PAPERS], papers, strict=True)
        ],
    )  # fmt: skip
    copy_rows(
        OpenBusiness,
        [
            OpenBusiness(student=case.student, case_no=case.number, kind=case.kind,
                         kind_name=TRANSFER.name, from_path=case.from_path, to_path=case.to_path)
            for case in cases
        ],
    )  # fmt: skip
    return cases


def _opened(group: Group, office: Organization, spell: Enrolment) -> tuple[dict[str, Any], dict[str, str]]:
    """What the form makes of the answers, and the procedure of both schools."""
    asking = Asking(office, spell.student)
    given = _ANSWERS | {"class_id": str(group.school_class.pk), "move_on": today().isoformat()}
    answers = take_answers(TRANSFER, given, asking)
    clear, secrets = split(TRANSFER, answers)
    payload: dict[str, Any] = {"asked": clear, "words": words_of(TRANSFER, answers, asking)}
    TRANSFER.open(office, payload=payload, actor=group.registrar, student=spell.student, answers=answers)
    return payload, secrets


def _excepted(group: Group, office: Organization) -> dict[str, Any]:
    """Every exception that there is, asked for and granted: the day of the year decides nothing."""
    exempt = [one.code for one in TRANSFER.requirements if one.exempt]
    by = {"office": office.name, "name": group.registrar.name, "on": today().isoformat()}
    return {"exempt": exempt, "granted": dict.fromkeys(exempt, by)}


def _case(group: Group, spell: Enrolment, pk: int, payload: dict[str, Any]) -> Case:
    office, day = group.school_class.school.organization, today() - timedelta(days=6)
    assert spell.school_class
    return Case(
        id=pk, number=f"{TRANSFER.prefix}{day:%y%m%d}{pk:06d}", kind=TRANSFER.code, student=spell.student,
        from_path=spell.org_path, to_path=office.path, from_name=spell.school.name, to_name=office.name,
        payload=payload | {"from_class": spell.school_class.name}, lane=payload["lane"],
        rulebook=rulebook_version(), filed_by=group.registrar, filed_by_name=group.registrar.name,
        filed_at=moment(day),
    )  # fmt: skip


def _paper(case: Case, code: str) -> Material:
    return Material(
        org_path=case.to_path, kind=Material.Kind.DOCUMENT, evidence_type=code, content_type="image/jpeg",
        size=60_000, digest=sha256(f"{case.number}{code}".encode()).hexdigest(), stored_as=uuid4().hex,
        created_by=case.filed_by_id or 0, created_by_name=case.filed_by_name,
    )  # fmt: skip


def _signers(steps: list[Planned]) -> list[User]:
    """Who has signed each step before the last: the leader of a school, the reviewer of an authority."""
    paths = [one.office_path for one in steps]
    codes = dict(Organization.objects.filter(path__in=paths, kind="school").values_list("path", "code"))
    names = [f"{codes[path]}.leader" if path in codes else f"{path}reviewer" for path in paths]
    staff = {user.username: user for user in User.objects.filter(username__in=names)}
    return [staff[name] for name in names]


def _step(case: Case, place: int, steps: list[Planned], signers: list[User]) -> Step:
    planned, is_done = steps[place], place < len(steps) - 1
    arrived = today() - timedelta(days=len(steps) - place)
    return Step(
        case=case, from_path=case.from_path, to_path=case.to_path, ordinal=place + 1,
        office_path=planned.office_path, office_name=planned.office_name, right=planned.stop.right,
        label=planned.stop.label, days=planned.days, is_current=not is_done,
        arrived_at=moment(arrived), due_on=add_workdays(arrived, planned.days),
        decision=Step.Decision.APPROVE if is_done else "", decided_by=signers[place] if is_done else None,
        decided_by_name=signers[place].name if is_done else "",
        decided_at=moment(arrived) + timedelta(hours=2) if is_done else None,
    )  # fmt: skip


def sign_last(numbers: list[str]) -> list[int]:
    """The last signature on each of these cases, as the decision leaves them but for the promised effect;
    answers their ids. Needs the national scope.
    """
    cases = Case.objects.filter(number__in=numbers)
    steps = Step.objects.filter(case__number__in=numbers, is_current=True)
    signer = User.objects.get(username=f"{steps[0].office_path}reviewer")
    steps.update(
        is_current=False, decision=Step.Decision.APPROVE, decided_by=signer, decided_by_name=signer.name,
        decided_at=moment(today()),
    )  # fmt: skip
    cases.update(state=Case.State.APPROVED, version=2)
    return list(cases.order_by("pk").values_list("pk", flat=True))


def pupils_without_business(path: str, most: int) -> list[str]:
    """Public ids of pupils in school at one office who have no case open."""
    free = Student.objects.filter(
        org_path=path, enrolments__status=NORMAL, open_business__isnull=True
    ).order_by("pk")
    return [str(public_id) for public_id in free.values_list("public_id", flat=True)[:most]]
