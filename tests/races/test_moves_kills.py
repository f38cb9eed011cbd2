"""kill -9 at every point of a move's completion; the sweeper has it done, once (RE-1, RE-9, G-15)."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Notice, Organization
from archives.models import Handover
from audit.models import Event
from config.models import Outbox
from config.scope import NATION, scoped_transaction
from registry.models import (
    Enrolment,
    EnrolmentSnapshot,
    FamilyMember,
    HostNote,
    IdentityDocument,
    OpenBusiness,
    StatusChange,
    Student,
    StudentNumber,
)
from registry.status import MOVED, NORMAL, SUSPENDED
from tests import make
from tests.races.ground import CITY, COUNTY, SCHOOL, open_office
from tests.races.model import acts, history_of
from tests.races.moves import ALL, class_of, open_season, pupils_of, suspensions, transfers
from tests.races.processes import Nursery, wait_until
from tests.races.story import CELERY, Plan, sweep
from transfers.models import Case
from transfers.outbox import COMPLETE_CASE

DIRECT = f"{CITY}2165000009."  # run by the city; it lies in the county
# In the order in which completion passes them: transfers/completion.py, registry/services/changing.py,
# archives/handover.py, registry/services/host_notes.py.
POINTS = (
    "claimed", "move.locked", "move.snapshot", "move.closed", "move.followed", "move.opened",
    "handover.passed", "handover.kept", "host.told", "effect", "closed", "performed", "before_commit",
    "after_commit",
)  # fmt: skip


@pytest.mark.rule("RE-1", "RE-5", "RE-9", "G-15", "R-TRF-17", "R-TRF-20")
def test_a_transfer_is_cut_at_each_point_and_the_pupil_moves_once(worker: Nursery, tmp_path: Path) -> None:
    open_season()
    with scoped_transaction(NATION):
        make.make_office(COUNTY)
        make.make_office(DIRECT, division=COUNTY.replace("CN", "").replace(".", "")[:6])
    origin, school = open_office(DIRECT), open_office(SCHOOL)
    own = class_of(origin)
    cases = transfers(pupils_of(own, len(POINTS)), class_of(school), school.registrar, signed=ALL)
    students = {case.pk: case.student_id for case in cases}
    with scoped_transaction(NATION):
        numbers = {pk: numbers_of(pk) for pk in students.values()}
    for point, case in zip(POINTS, cases, strict=True):
        cut(worker, case, Plan(point, tmp_path / point))
        with scoped_transaction(NATION):
            is_done = point == "after_commit"
            assert Case.objects.get(pk=case.pk).state == ("done" if is_done else "approved")
            # Nothing of it has happened, or all of it.
            assert Student.objects.get(pk=case.student_id).org_path == (SCHOOL if is_done else DIRECT)
            assert EnrolmentSnapshot.objects.filter(student=case.student_id).count() == is_done
    resume(worker, cases)
    with scoped_transaction(NATION):
        for point, case in zip(POINTS, cases, strict=True):
            assert end_of(case) == expected(case, numbers[students[case.pk]], cases[0]), point


@pytest.mark.rule("RE-1", "RE-9", "R-CHG-02")
def test_a_suspension_is_cut_at_each_point_and_begins_once(worker: Nursery, tmp_path: Path) -> None:
    points = ("change.spell", "effect", "before_commit", "after_commit")
    school = open_office(SCHOOL)
    cases = suspensions(pupils_of(class_of(school), len(points)), school.registrar)
    for point, case in zip(points, cases, strict=True):
        cut(worker, case, Plan(point, tmp_path / point))
        with scoped_transaction(NATION):
            spell = Enrolment.objects.get(student=case.student_id)
            assert spell.status == (SUSPENDED if point == "after_commit" else NORMAL)
    resume(worker, cases)
    with scoped_transaction(NATION):
        for case in cases:
            assert case.student_id is not None
            (change,) = StatusChange.objects.filter(student=case.student_id)
            assert (change.from_status, change.to_status, change.closed_on) == (NORMAL, SUSPENDED, None)
            assert history_of(Enrolment.objects.get(student=case.student_id).pk) == [NORMAL, SUSPENDED]
            done = acts(case.pk, case.student_id)
            assert (done["student.change"], done["case.complete"]) == (1, 1)
            assert not OpenBusiness.objects.filter(student=case.student_id).exists()


def cut(worker: Nursery, case: Case, plan: Plan) -> None:
    """A worker's turn at what the case owes, killed on the way."""
    owed = Outbox.objects.get(kind=COMPLETE_CASE, subject_id=case.pk).pk
    assert worker.child(**plan.env).ask("perform", pk=owed) is None, f"{plan.text} was not reached"
    plan.count("worker")


def resume(worker: Nursery, cases: list[Case]) -> None:
    """Celery's own worker, who hears of what is owed from the sweeper alone."""
    child = worker.child()
    child.tell("celery", *CELERY)
    sweep([case.pk for case in cases], [])
    owed = Outbox.objects.filter(kind=COMPLETE_CASE, subject_id__in=[case.pk for case in cases], done_at=None)
    wait_until(lambda: not owed.exists(), what="the sweeper's messages are worked off")
    child.kill()


def numbers_of(student: int | None) -> list[tuple[int, str, str, bool]]:
    rows = StudentNumber.objects.filter(student=student).order_by("id")
    return list(rows.values_list("pk", "number", "kind", "is_current"))


def expected(case: Case, numbers: Any, first: Case) -> dict[str, Any]:
    """The pupil's rows after one move, whatever was killed on the way."""
    return {
        "state": "done",
        "spells": [(DIRECT, MOVED, False), (SCHOOL, NORMAL, True)],
        "meet": True,  # the old one ends on the day on which the new one begins
        "was": [NORMAL, MOVED, MOVED],
        "paths": {SCHOOL},
        "numbers": numbers,
        "snapshots": [DIRECT],
        "handovers": [(DIRECT, SCHOOL)],
        "told": {1},
        "notes": [(COUNTY, HostNote.Direction.LEFT)],
        "changes": [(DIRECT, SCHOOL)],
        "locks": 0,
        "owed": {True: 1},
        "acts": {"student.move": 1, "case.complete": 1, "handover.hand": 1}
        | ({"case.file": 1, "case.approve": 4} if case == first else {}),
    }


def end_of(case: Case) -> dict[str, Any]:
    """The same, as the database has it. A spell stands under the present school; its own is `school`."""
    student = case.student_id
    assert student is not None
    schools = dict(Organization.objects.filter(path__in=(DIRECT, SCHOOL)).values_list("pk", "path"))
    spells = list(Enrolment.objects.filter(student=student).order_by("valid"))
    carriers = (Student.objects.filter(pk=student), *(
        model._default_manager.filter(student=student)
        for model in (IdentityDocument, StudentNumber, FamilyMember, Enrolment)
    ))  # fmt: skip
    handovers = Handover.objects.filter(student=student)
    hand_acts = Event.objects.filter(subject_type="handover", subject_id__in=handovers.values("pk"))
    handed = Counter(event.action.partition(".")[2] for event in hand_acts)
    told = Notice.objects.filter(kind="handover", about=case.number)
    return {
        "state": Case.objects.get(pk=case.pk).state,
        "spells": [(schools[one.school_id], one.status, one.valid.upper is None) for one in spells],
        "meet": spells[0].valid.upper == spells[-1].valid.lower,
        "was": history_of(spells[0].pk),
        "paths": {path for rows in carriers for path in rows.values_list("org_path", flat=True)},
        "numbers": numbers_of(student),
        "snapshots": [one.org_path for one in EnrolmentSnapshot.objects.filter(student=student)],
        "handovers": list(handovers.values_list("from_path", "to_path")),
        "told": set(Counter(told.values_list("user", flat=True)).values()),
        "notes": list(HostNote.objects.filter(student=student).values_list("org_path", "direction")),
        "changes": list(StatusChange.objects.filter(student=student).values_list("from_path", "to_path")),
        "locks": OpenBusiness.objects.filter(student=student).count(),
        "owed": dict(Counter(
            done_at is not None
            for done_at in Outbox.objects.filter(subject_id=case.pk, kind=COMPLETE_CASE).values_list(
                "done_at", flat=True
            )
        )),
        "acts": acts(case.pk, student) | handed,
    }  # fmt: skip
