"""kill -9 in the middle of a county's promotion, and two workers at once: each pupil once (RE-9)."""

import time
from pathlib import Path

import pytest

from audit.models import Event
from config.scope import NATION, scoped_transaction
from registry.models import Enrolment, PromotionPart, PromotionRun, PromotionSchool
from registry.school_year import runs
from tests import make
from tests.races.ground import PROVINCE
from tests.races.processes import Nursery
from tests.races.story import TALLY

COUNTY = f"{PROVINCE}04.00."  # other stories leave their pupils elsewhere
SCHOOL = f"{COUNTY}2165000400."
PUPILS = 5
MIDNIGHT = "2027-08-11"


@pytest.fixture
def county(committed_db: None, monkeypatch: pytest.MonkeyPatch) -> PromotionPart:
    """A county that two persons have confirmed, with one school and one class."""
    monkeypatch.setenv("XUEJI_CLOCK", "2027-06-15")
    with scoped_transaction(NATION):
        school_class = make.make_class(SCHOOL)
        for _n in range(PUPILS):
            make.make_student(school_class)
        run = PromotionRun.objects.create(year=2027, asked_by=0, asked_by_name="测试")
        part = PromotionPart.objects.create(run=run, path=COUNTY, name="测试县")
    runs.work(part.pk)
    PromotionRun.objects.filter(pk=run.pk).update(state="running", first_id=1, second_id=2)
    yield part
    with scoped_transaction(NATION):
        PromotionSchool.objects.filter(part__run=run).delete()
        run.delete()


@pytest.mark.rule("R-GRD-08", "R-GRD-10", "G-09", "RE-1", "RE-9")
def test_a_county_that_is_cut_or_worked_twice_moves_each_pupil_once(
    county: PromotionPart, worker: Nursery, tmp_path: Path
) -> None:
    def moved() -> int:
        """How many pupils stand one grade higher: never without event, history and the unit's mark."""
        with scoped_transaction(NATION):
            grades = list(
                Enrolment.objects.filter(org_path=SCHOOL, status="01").values_list("student_id", "grade")
            )
            up = sorted(pk for pk, grade in grades if grade == "12")
            assert {grade for _pk, grade in grades} <= {"11", "12"}
            acts = Event.objects.filter(action="registry.student.promote", org_path=SCHOOL)
            assert sorted(acts.values_list("subject_id", flat=True)) == up
            row = PromotionSchool.objects.get(part=county)
            assert sorted(sum(row.spells.values(), [])) == sorted(
                Enrolment.objects.filter(student__in=up).values_list("pk", flat=True)
            )
            state = PromotionPart.objects.get(pk=county.pk).state
            assert (state, row.done_at is not None) == (("done", True) if up else ("rehearsed", False))
        return len(up)

    for point in ("gathered", "spells", "recorded", "done"):
        log = tmp_path / point
        plan = f"promote.{point}"
        child = worker.child(XUEJI_CLOCK=MIDNIGHT, XUEJI_FAULT=plan, XUEJI_FAULT_LOG=str(log))
        assert child.ask("promote", county.pk) is None, plan
        child.kill()
        assert log.read_text().endswith(" inside\n"), plan
        TALLY.note("worker", plan, inside=True)
        assert moved() == 0, plan
    both = [worker.child(XUEJI_CLOCK=MIDNIGHT) for _n in range(2)]
    at = time.time() + 0.5
    for child in both:
        child.tell("promote", county.pk, start_at=at)
    answers = [child.hear() for child in both]
    assert not any(answer is None or "error" in answer for answer in answers), answers
    assert moved() == PUPILS
    assert worker.child(XUEJI_CLOCK=MIDNIGHT).ask("promote", county.pk) is not None
    assert moved() == PUPILS
    assert PromotionRun.objects.get(pk=county.run_id).state == "done"
