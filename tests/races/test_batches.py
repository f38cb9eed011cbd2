"""The case of a batch under kill -9 and under two officers at once: all of its pupils once, or none."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Q
from django.urls import reverse

from config.models import Outbox
from config.scope import NATION, scoped_transaction
from registry.models import Enrolment, OpenBusiness, Student, StudentNumber
from tests import make
from tests.races.ground import Office, Person, open_office
from tests.races.model import acts
from tests.races.processes import Child, Nursery
from tests.races.story import Plan
from tests.races.test_races import ROUNDS, Overlap, outcomes
from transfers.intake import file_batch_case
from transfers.models import Case, rows_of
from transfers.outbox import COMPLETE_CASE, NUMBER_BATCH, NUMBER_STUDENT
from transfers.services import decide

PUPILS = 3
# Effect and check pass these once or twice; L numbers are given as G numbers are.
POINTS = (
    "claimed@1", "batch.continued", "batch.confirmed", "batch.retired@1", "batch.given@1", "batch.numbered",
    "effect", "closed", "performed@1", "before_commit@1", "after_commit@1", "claimed@2", "batch.retired@2",
    "batch.given@2", "batch.formal", "performed@2", "before_commit@2", "after_commit@2",
)  # fmt: skip


@pytest.fixture
def race() -> Any:
    overlap = Overlap()
    yield overlap
    assert overlap.rounds > 0, "the processes never met"


def filed(office: Office) -> Case:
    with scoped_transaction(NATION):
        batch = make.make_committed_batch(office.path, PUPILS)
        return file_batch_case(batch, actor=office.registrar.user, reach=office.path, attested=True)


def approved(office: Office) -> Case:
    case = filed(office)
    for person in (office.leader, office.reviewer):
        with scoped_transaction(NATION):
            decide(Case.objects.get(pk=case.pk), "approve", actor=person.user)
    return case


def owed(case: Case) -> list[int]:
    with scoped_transaction(NATION):
        rows = rows_of(case.batch_id)
        about = Q(kind=COMPLETE_CASE, subject_id=case.pk) | Q(
            kind=NUMBER_BATCH, subject_id__in=list(rows.values_list("pk", flat=True))
        )
        about |= Q(kind=NUMBER_STUDENT, subject_id__in=case.pupil_ids())
        return list(Outbox.objects.filter(about, done_at=None).order_by("id").values_list("pk", flat=True))


def work_off(case: Case, child: Child) -> bool:
    """Perform what is owed until nothing is; False when the process has ended before."""
    while left := owed(case):
        for pk in left:
            if child.ask("perform", pk=pk) is None:
                return False
    return True


def end_of(case: Case) -> dict[str, Any]:
    """What the tables say about the pupils of a case in the end."""
    with scoped_transaction(NATION):
        ids = case.pupil_ids()
        numbers = StudentNumber.objects.filter(student_id__in=ids)
        return {
            "state": Case.objects.get(pk=case.pk).state,
            "spells": Counter(Enrolment.objects.filter(student_id__in=ids).values_list("status", "is_void")),
            "numbers": Counter((row.number[0], row.is_current) for row in numbers),
            "current": Counter(pupil.number[0] for pupil in Student.objects.filter(pk__in=ids)),
            "locks": OpenBusiness.objects.filter(student_id__in=ids).count(),
            "acts": sum((Counter(acts(0, pk)) for pk in ids), Counter()),
        }


@pytest.mark.rule("RE-1", "RE-2", "RE-9", "R-EST-01", "R-NUM-01")
def test_a_batch_is_cut_at_each_point_and_still_ends_once(worker: Nursery, tmp_path: Path) -> None:
    office = open_office()
    for point in POINTS:
        case = approved(office)
        plan = Plan(point, tmp_path / point)
        assert not work_off(case, worker.child(**plan.env)), f"{point} was not reached"
        plan.count("worker")
        assert work_off(case, worker.child())
        assert end_of(case) == {
            "state": Case.State.DONE,
            "spells": {("01", False): PUPILS},
            "numbers": {("L", False): PUPILS, ("G", True): PUPILS},
            "current": {"G": PUPILS},
            "locks": 0,
            "acts": {"student.register": PUPILS, "number.issue": 2 * PUPILS},
        }, point


# ── Single pupils out of a batch ──────────────────────────────────────────────────────────────────────────
def returning(person: Person, case: Case, row: int) -> dict[str, Any]:
    """Through the API, where a refusal answers with its code."""
    path = reverse("case-return-rows", args=[case.number])
    body = {"rows": [row], "reason": "姓名与户口簿不一致"}
    return {"order": "post", "session": person.session, "path": path, "body": body}


@pytest.mark.rule("RE-1", "RE-9", "R-EST-04")
def test_a_return_that_is_cut_has_not_happened(web: Nursery, tmp_path: Path) -> None:
    office = open_office()
    for point in ("rows.left", "rows.returned", "unanswered"):
        case = filed(office)
        plan = Plan(point, tmp_path / point)
        assert web.child(**plan.env).ask(**returning(office.leader, case, 2)) is None
        plan.count("web")
        with scoped_transaction(NATION):
            singles = Case.objects.filter(payload__batch_case=case.number)
            is_done = point == "unanswered"
            assert singles.count() == is_done
            assert Case.objects.get(pk=case.pk).count == PUPILS - is_done
        again = web.child().ask(**returning(office.leader, case, 2))
        assert again is not None
        assert again["status"] == (409 if is_done else 200)
        with scoped_transaction(NATION):
            assert singles.count() == 1
            assert OpenBusiness.objects.get(case_no=singles.get().number).student == singles.get().student


@pytest.mark.rule("RE-2", "R-EST-04")
def test_two_leaders_return_one_row_at_once(web: Nursery, race: Overlap) -> None:
    office, other = open_office(), open_office()
    two = web.child(), web.child()
    for _round in range(ROUNDS):
        case = filed(office)
        answers = race.at_once(
            (two[0], returning(office.leader, case, 2)), (two[1], returning(other.leader, case, 2))
        )
        assert outcomes(answers) == ["ok", "rows_gone"]
        with scoped_transaction(NATION):
            assert Case.objects.filter(payload__batch_case=case.number).count() == 1
            assert Case.objects.get(pk=case.pk).count == PUPILS - 1


@pytest.mark.rule("RE-2", "R-EST-04")
def test_one_leader_approves_while_the_other_returns_a_row(web: Nursery, race: Overlap) -> None:
    """Whoever comes second is told; a pupil is never both decided on and returned."""
    office, other = open_office(), open_office()
    two = web.child(), web.child()
    for _round in range(ROUNDS):
        case = filed(office)
        approve = {
            "order": "post", "session": office.leader.session, "body": {"decision": "approve"},
            "path": reverse("case-decide", args=[case.number]),
        }  # fmt: skip
        answers = race.at_once((two[0], approve), (two[1], returning(other.leader, case, 2)))
        is_returned = answers[1]["status"] == 200
        if not is_returned:
            assert answers[1]["code"] == "step_already_taken"
        elif answers[0]["status"] != 200:
            assert answers[0]["code"] == "case_changed"
        with scoped_transaction(NATION):
            left = Case.objects.get(pk=case.pk)
            singles = Case.objects.filter(payload__batch_case=case.number)
            assert (left.count, singles.count()) == (PUPILS - is_returned, is_returned)
            assert len(left.pupil_ids()) == left.count
