"""kill -9 between and inside the offices of a verification, and two workers at once: every finding once; a
run and a signature at once: no finding behind the leader's name.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from django.db import connection

from audit.models import Event
from audit.services import System
from config.clock import today
from config.models import Job
from config.scope import NATION, scoped_transaction
from registry.models import Campaign, FamilyMember, Finding, SchoolVerification
from registry.verification.campaigns import open_campaign
from registry.verification.checking import check_schools
from registry.verification.rolls import confirm_roll
from registry.verification.signing import sign
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


def waiting() -> bool:
    """Whether anybody of this database waits for a row that this connection holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND"
            " pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
        )
        return bool(cursor.fetchone()[0])


def beside(work: Callable[[], object]) -> Thread:
    """Do it at the same time, on a connection of its own."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    return thread


@pytest.mark.rule("R-VER-05", "G-16")
def test_a_finding_never_slips_between_the_check_and_the_signature(committed_db: None) -> None:
    path = "CN.66.01.01.2166000001."  # nobody else's
    with scoped_transaction(NATION):
        school_class = make.make_class(path)
        pupil = make.make_student(school_class)
        school = make.make_verification(make.make_office(path), "CN.66.")
        registrar, leader = make.make_registrar(path), make.make_leader(path)
        confirm_roll(school_class, [pupil.pk], [], [], version=0, actor=registrar)

    def run() -> None:
        with scoped_transaction(path[:-11]):
            county = make.make_office(path).parent
            assert county is not None
            check_schools(school.campaign, county, [make.make_office(path)], actor=System(county.path))

    with scoped_transaction(NATION):
        sign(school, actor=leader)  # nothing was found until now
        FamilyMember.objects.filter(student=pupil).update(is_guardian=False)
        thread = beside(run)
        until = time.monotonic() + 20
        while not waiting() and thread.is_alive() and time.monotonic() < until:
            time.sleep(0.01)
        assert waiting()
    thread.join()
    with scoped_transaction(NATION):
        school.refresh_from_db()
        assert (school.state, school.findings_total, school.counts["findings"]) == ("signed", 0, 0)
        assert not Finding.objects.filter(org_path=path).exists()
