"""kill -9 between and inside the offices of a verification, and two workers at once: every finding once."""

import time
from datetime import timedelta
from pathlib import Path

import pytest

from audit.models import Event
from config.clock import today
from config.models import Job
from config.scope import NATION, scoped_transaction
from registry.models import Campaign, FamilyMember, Finding, SchoolVerification
from registry.verification.campaigns import open_campaign
from tests import make
from tests.races.ground import PROVINCE
from tests.races.processes import Nursery
from tests.races.story import TALLY

OFFICES, PUPILS = 6, 2


def laid_out() -> Campaign:
    """A campaign over six counties, each with a school of two pupils without guardian."""
    with scoped_transaction(NATION):
        for n in range(OFFICES):
            school_class = make.make_class(f"{PROVINCE}03.{n:02d}.21650001{n:02d}.")
            for _n in range(PUPILS):
                pupil = make.make_student(school_class)
                FamilyMember.objects.filter(student=pupil).update(is_guardian=False)
        officer = make.make_reviewer(PROVINCE)
        return open_campaign(actor=officer, due_on=today() + timedelta(days=20))


@pytest.mark.rule("R-VER-01", "R-VER-02", "RE-1", "RE-9")
def test_a_run_that_is_cut_or_shared_finds_everything_once(worker: Nursery, tmp_path: Path) -> None:
    campaign = laid_out()

    def is_whole() -> int:
        """How many offices are done: never one without all its findings, its count and its event."""
        done = campaign.units.exclude(done_at=None).values_list("office__path", flat=True)
        paths = sorted(done)
        with scoped_transaction(NATION):
            guardians = Finding.objects.filter(campaign=campaign, kind="guardian")
            found = sorted(guardians.values_list("org_path", flat=True))
            checked = SchoolVerification.objects.filter(campaign=campaign)
            ids = list(checked.values_list("pk", flat=True))
            acts = Event.objects.filter(action="registry.verification.check", subject_id__in=ids).count()
            own = checked.filter(org_path__startswith=f"{PROVINCE}03.")
            counts = set(own.values_list("unplanned", "pupils"))
        mine = [path for path in found if path.startswith(f"{PROVINCE}03.")]
        assert len(set(mine)) * PUPILS == len(mine)
        assert sorted({path[: len(f"{PROVINCE}03.00.")] for path in mine}) == [
            path for path in paths if path.startswith(f"{PROVINCE}03.")
        ]
        assert len(ids) == acts
        assert all(pupils <= unplanned for unplanned, pupils in counts)
        return len(mine) // PUPILS

    # Schools that other tests of this province left are checked as well: only the six are counted.
    for plan in ("verify.claimed", "verify.written", "verify.done@2", "verify.committed"):
        log = tmp_path / plan
        child = worker.child(XUEJI_FAULT=plan, XUEJI_FAULT_LOG=str(log))
        assert child.ask("verify", job=campaign.job_id) is None, plan
        child.kill()
        TALLY.note("worker", plan.partition("@")[0], inside=log.read_text().endswith("inside\n"))
        is_whole()
    both = [worker.child() for _n in range(2)]
    at = time.time() + 0.5
    for child in both:
        child.tell("verify", job=campaign.job_id, start_at=at)
    answers = [child.hear() for child in both]
    assert all(answer and "error" not in answer for answer in answers), answers
    assert is_whole() == OFFICES
    assert Job.objects.get(pk=campaign.job_id).state == Job.State.DONE
    third = worker.child().ask("verify", job=campaign.job_id)
    assert third is not None
    assert (third["offices"], is_whole()) == (0, OFFICES)
