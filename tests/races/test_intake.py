"""kill -9 in the middle of an intake, two registrars at once, and what moved meanwhile (RE-1, R-EST-10)."""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Post
from audit.models import Event
from config.models import Job
from config.scope import NATION, scoped_transaction
from registry.intake import arriving, deciding
from registry.intake.preview import preview
from registry.models import Enrolment, ImportBatch, ImportRow, OpenBusiness, SchoolClass
from tests import make
from tests.races.ground import Office, make_pupil, new_values, open_office
from tests.races.processes import Nursery, wait_until
from tests.races.story import TALLY
from tests.registry.workbooks import workbook
from transfers.models import Case

SEEDS = range(20)
CHECK_POINTS = ("intake.read", "intake.row", "intake.pack", "intake.compare", "intake.checked")
COMMIT_POINTS = (
    "intake.claimed", "intake.write", "intake.written", "intake.file", "intake.before_commit",
    "intake.after_commit",
)  # fmt: skip


@dataclass
class Hall:
    """A school in September: its registrar, its classes, and a worker that may be killed."""

    office: Office
    worker: Nursery
    folder: Path
    runs: int = 0

    def hand_in(self, count: int) -> ImportBatch:
        """Upload a workbook of `count` pupils, 40 to a class."""
        with scoped_transaction(NATION):
            classes = [
                make.make_class(self.office.path, name=f"一({n + 1})班") for n in range(count // 40 + 1)
            ]
        rows = [
            new_values(class_number=classes[n % len(classes)].number, phone=f"138{n:08d}")
            for n in range(count)
        ]
        with scoped_transaction(self.office.path):
            return arriving.take_in("新生.xlsx", workbook(rows), actor=self.office.registrar.user)

    def turn(self, batch: ImportBatch, plan: str = "") -> bool:
        """One turn of a worker at the batch's job, cut at `plan`; whether it was cut."""
        batch = self.fresh(batch)
        assert batch.job is not None
        log = self.folder / f"kill-{self.runs}"
        self.runs += 1
        environment = {"XUEJI_FAULT": plan, "XUEJI_FAULT_LOG": str(log)} if plan else {}
        child = self.worker.child(**environment)
        order = "check" if batch.job.kind == arriving.CHECK else "submit"
        answer = child.ask(order, job=batch.job.pk)
        child.kill()
        assert answer is None or "error" not in answer, answer
        if answer is None:
            TALLY.note("worker", plan.partition("@")[0], inside=log.read_text().endswith("inside\n"))
        return answer is None

    def commit(self, batch: ImportBatch, **choice: Any) -> None:
        with scoped_transaction(self.office.path):
            batch = ImportBatch.objects.get(pk=batch.pk)
            seen = preview(batch, actor=self.office.registrar.user)
            deciding.commit(batch, seen["hash"], actor=self.office.registrar.user, is_attested=True, **choice)

    def fresh(self, batch: ImportBatch) -> ImportBatch:
        with scoped_transaction(self.office.path):
            return ImportBatch.objects.select_related("job").get(pk=batch.pk)

    def pupils(self, batch: ImportBatch) -> int:
        """How many pupils the batch has made, after making sure that nothing is half done."""
        with scoped_transaction(NATION):
            rows = ImportRow.objects.filter(batch=batch)
            students = list(rows.exclude(student=None).values_list("student", flat=True))
            state = ImportBatch.objects.get(pk=batch.pk).state
            cases = Case.objects.filter(batch=batch)
            counts = {
                "students": len(set(students)),
                "spells": Enrolment.objects.filter(student__in=students).count(),
                "locks": OpenBusiness.objects.filter(student__in=students).count(),
                "events": Event.objects.filter(
                    action="registry.student.create", subject_id__in=students
                ).count(),
            }
            assert len(set(counts.values())) == 1, counts
            assert cases.count() == (state == ImportBatch.State.COMMITTED)
            return counts["students"]


@pytest.fixture
def hall(worker: Nursery, tmp_path: Path) -> Hall:
    return Hall(open_office(), worker, tmp_path)


@pytest.mark.rule("RE-1", "RE-9", "R-EST-10")
def test_two_thousand_rows_are_cut_at_each_named_row_and_come_out_once(hall: Hall) -> None:
    batch = hall.hand_in(2000)
    # Rows 0, 500 and 1,999 of the file; what a pack has stored is not read again.
    for plan in ("intake.row@1", "intake.row@501", "intake.row@1500"):
        assert hall.turn(batch, plan), plan
    assert not hall.turn(batch)
    assert (hall.fresh(batch).state, hall.fresh(batch).rows_total, hall.fresh(batch).rows_wrong) == (
        "checked",
        2000,
        0,
    )
    hall.commit(batch)
    for row in (0, 1, 499, 500, 1999):
        assert hall.turn(batch, f"intake.write@{row + 1}"), row
        assert (hall.fresh(batch).state, hall.pupils(batch)) == ("committing", 0), row
    for _minute in range(20):  # the dead worker's server process may hold the claim for a moment yet
        assert not hall.turn(batch)
        if hall.fresh(batch).state != "committing":
            break
    assert (hall.fresh(batch).state, hall.pupils(batch)) == ("committed", 2000)
    assert not hall.turn(batch)  # a message that comes twice
    assert hall.pupils(batch) == 2000


@pytest.mark.rule("RE-1", "FI-3")
@pytest.mark.parametrize("row", [1, 499])
def test_a_check_cut_in_its_first_pack_begins_again(hall: Hall, row: int) -> None:
    batch = hall.hand_in(600)
    assert hall.turn(batch, f"intake.row@{row + 1}")
    assert not hall.turn(batch)
    assert (hall.fresh(batch).state, hall.fresh(batch).rows_total) == ("checked", 600)


@pytest.mark.rule("FI-3")
def test_a_workbook_that_kills_its_worker_twice_is_set_aside(hall: Hall) -> None:
    batch = hall.hand_in(5)
    assert hall.turn(batch, "intake.row@1")
    assert hall.turn(batch, "intake.row@1")
    assert not hall.turn(batch)
    failed = hall.fresh(batch)
    assert (failed.state, failed.failure["code"], failed.stored_as) == ("failed", "import_set_aside", "")


@pytest.mark.rule("RE-1", "RE-2", "RE-9")
def test_whatever_is_killed_when_each_pupil_comes_once(hall: Hall) -> None:
    for seed in SEEDS:
        dice = random.Random(seed)
        count = dice.randint(3, 40)
        batch = hall.hand_in(count)
        for points in (CHECK_POINTS, COMMIT_POINTS):
            point = dice.choice(points)
            at = dice.randint(1, count) if point in ("intake.row", "intake.write") else 1
            assert hall.turn(batch, f"{point}@{at}"), f"seed {seed}: {point}@{at}"
            hall.turn(batch)
            if points is CHECK_POINTS:
                assert hall.fresh(batch).state == "checked", f"seed {seed}: {point}@{at}"
                hall.commit(batch)
        assert (hall.fresh(batch).state, hall.pupils(batch)) == ("committed", count), f"seed {seed}"


@pytest.mark.rule("R-EST-10", "RE-2")
def test_of_two_commits_one_is_taken_and_the_other_told(hall: Hall) -> None:
    batch = hall.hand_in(3)
    hall.turn(batch)
    hall.commit(batch)
    with scoped_transaction(hall.office.path):
        late = ImportBatch.objects.get(pk=batch.pk)
        with pytest.raises(arriving.NotNow, match="提交中"):
            deciding.commit(late, "0" * 64, actor=hall.office.registrar.user, is_attested=True)
    assert not hall.turn(batch)
    assert hall.pupils(batch) == 3


@pytest.mark.rule("R-EST-10", "R-EST-01")
def test_a_number_taken_meanwhile_stops_the_commit_and_says_which_row(hall: Hall) -> None:
    batch = hall.hand_in(4)
    hall.turn(batch)
    hall.commit(batch)
    with scoped_transaction(NATION):
        row = ImportRow.objects.get(batch=batch, number=5)
        stolen = row.open_cells().stored["id_number"]
    make_pupil(hall.office, id_number=stolen, birth_on=row.birth_on.isoformat())
    hall.turn(batch)
    told = hall.fresh(batch)
    assert (told.state, hall.pupils(batch)) == ("checking", 0)
    assert (told.failure["code"], "第 5 行" in told.failure["detail"]) == ("import_moved", True)
    hall.turn(batch)  # it is checked anew, and the row now says so
    assert (hall.fresh(batch).state, hall.fresh(batch).rows_wrong) == ("checked", 1)
    hall.commit(batch, skips_wrong=True)
    assert not hall.turn(batch)
    done = hall.fresh(batch)
    assert (done.state, done.failure, hall.pupils(batch)) == ("committed", {}, 3)


@pytest.mark.rule("R-EST-10")
def test_a_class_closed_between_check_and_commit_stops_it(hall: Hall) -> None:
    batch = hall.hand_in(4)
    hall.turn(batch)
    hall.commit(batch)
    with scoped_transaction(NATION):
        first = (
            ImportRow.objects.filter(batch=batch).order_by("number").values_list("school_class", flat=True)[0]
        )
        SchoolClass.objects.filter(pk=first).update(is_open=False)
    hall.turn(batch)
    assert (hall.fresh(batch).failure["code"], hall.pupils(batch)) == ("import_moved", 0)
    assert "已停用" in hall.fresh(batch).failure["detail"]


@pytest.mark.rule("AZ-6")
def test_a_right_lost_between_check_and_commit_stops_it(hall: Hall) -> None:
    batch = hall.hand_in(2)
    hall.turn(batch)
    hall.commit(batch)
    Post.objects.filter(user=hall.office.registrar.user).delete()
    hall.turn(batch)
    assert (hall.fresh(batch).failure["code"], hall.pupils(batch)) == ("not_allowed", 0)


@pytest.mark.rule("R-EST-10")
def test_a_commit_that_is_cancelled_takes_everything_back(hall: Hall) -> None:
    batch = hall.hand_in(3)
    hall.turn(batch)
    hall.commit(batch)
    job = hall.fresh(batch).job
    assert job is not None
    with scoped_transaction(hall.office.path):
        arriving.cancel(ImportBatch.objects.get(pk=batch.pk), actor=hall.office.registrar.user)
    assert Job.objects.get(pk=job.pk).state == Job.State.CANCELLED
    assert not hall.turn(batch)
    assert (hall.fresh(batch).state, hall.pupils(batch)) == ("checked", 0)
    hall.commit(batch)  # and may be committed after all
    assert not hall.turn(batch)
    assert hall.pupils(batch) == 3


@pytest.mark.rule("R-EST-10")
def test_a_commit_under_way_notices_that_it_was_cancelled(hall: Hall) -> None:
    batch = hall.hand_in(600)
    hall.turn(batch)
    hall.commit(batch)
    job = hall.fresh(batch).job
    assert job is not None
    child = hall.worker.child()
    child.tell("submit", job=job.pk)
    wait_until(lambda: Job.objects.get(pk=job.pk).state == Job.State.RUNNING, what="the commit has begun")
    with scoped_transaction(hall.office.path):
        try:
            arriving.cancel(ImportBatch.objects.get(pk=batch.pk), actor=hall.office.registrar.user)
            is_late = False
        except arriving.NotNow:
            is_late = True
    assert child.hear() is not None
    hall.turn(batch)
    state = hall.fresh(batch).state
    assert (state, hall.pupils(batch)) == (("committed", 600) if is_late else ("checked", 0))
