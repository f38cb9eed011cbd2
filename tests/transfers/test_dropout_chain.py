"""From an absence to the ledger of dropouts and off it: alarm, case 辍学, 返校复学 (R-DRP-01, R-DRP-03,
R-DRP-07).
"""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse

from config.clock import today
from registry import tasks
from registry.dropout import absences, suspicions
from registry.models import Absence, DropoutEntry, Student, SuspectedDropout
from registry.services.changing import move_pupil
from registry.services.dropouts import open_entry
from tests import make
from tests.conftest import ScopelessClient
from tests.registry.test_changing import change
from tests.transfers.world import World

pytestmark = [pytest.mark.usefixtures("nation")]
DAY = timedelta(days=1)


@pytest.fixture
def world() -> World:
    return World()


def suspected(world: World) -> tuple[Student, Absence, SuspectedDropout]:
    """A pupil who stays away for five weeks, and whom nobody reached."""
    student = world.pupil("22")
    absence = absences.report(
        student.enrolments.get(), actor=world.registrar, from_on=today() - 35 * DAY, is_excused=False,
        reason="unknown",
    )  # fmt: skip
    attempt = absences.Attempt(today(), "phone", "周老师", "nobody", "unreached")
    absences.visit(student, attempt, actor=world.registrar)
    assert tasks.watch_absences() == 1
    return student, absence, SuspectedDropout.objects.get(student=student)


@pytest.mark.rule("R-DRP-03", "R-DRP-07")
def test_an_absence_becomes_a_dropout_who_is_struck_off_by_her_return_alone(world: World) -> None:
    student, absence, suspicion = suspected(world)
    case = world.file("dropout", student, happened_on=f"{today() - 36 * DAY}", reason="01")
    world.decide(case)
    for row in (absence, suspicion):
        row.refresh_from_db()
    assert (absence.ended_how, suspicion.closed_how) == ("case", "case")
    entry = DropoutEntry.objects.get(student=student)
    assert (entry.case_no, entry.closed_on, student.enrolments.get().status) == (case.number, None, "06")
    # The mark of a return is for who is still a pupil in school: the dropout comes back by a case with proof.
    with pytest.raises(absences.AbsenceOver):
        absences.come_back(absence, actor=world.registrar, on=today())
    with pytest.raises(absences.NotOnTheRoll):
        absences.report(
            student.enrolments.get(), actor=world.registrar, from_on=today(), is_excused=False, reason="ill"
        )
    assert tasks.watch_absences() == 0
    client = ScopelessClient()
    client.force_login(world.registrar)
    page = client.get(reverse("dropout:entry", args=[entry.pk])).content.decode()
    assert reverse("transfers:file", args=[student.public_id, "return_to_school"]) in page
    back = world.file("return_to_school", student, to_grade="22")
    entry.refresh_from_db()
    assert entry.closed_on is None  # filed is not decided
    world.decide(back)
    entry.refresh_from_db()
    assert (entry.closed_by_case, student.enrolments.get().status) == (back.number, "01")
    assert entry.legal_end == ""


@pytest.mark.rule("R-DRP-01", "R-DRP-07")
def test_who_is_missing_stays_under_suspicion_and_whose_status_ends_does_not(world: World) -> None:
    student, absence, suspicion = suspected(world)
    world.decide(world.file("missing", student))
    suspicion.refresh_from_db()
    assert suspicion.closed_on is None
    assert tasks.watch_absences() == 0
    absence.refresh_from_db()
    assert absence.ended_how == "case"  # she is no pupil in school: the job ends what nobody ended
    open_entry(student, "LS1", "01", today(), today())
    world.decide(world.file("death", student))
    suspicion.refresh_from_db()
    assert suspicion.closed_how == "case"
    assert DropoutEntry.objects.get().legal_end == "死亡"  # struck off, but nobody has come back


@pytest.mark.rule("R-DRP-04")
def test_the_ledgers_follow_the_pupil_and_the_absence_stays_where_it_was(world: World) -> None:
    student, absence, suspicion = suspected(world)
    suspicions.answer(
        suspicion, actor=world.registrar, said="at_school", note="已核对班级名册", proof=uuid4()
    )
    there = make.make_class(make.SISTER, grade="22")
    move_pupil(student, there, change(), actor=world.registrar)
    for row in (absence, suspicion):
        row.refresh_from_db()
    assert (absence.org_path, suspicion.org_path) == (make.SCHOOL, make.SISTER)
    assert (suspicion.answer, suspicion.closed_on) == ("", None)  # the former school's word is none of theirs
    assert {visit.org_path for visit in student.visits.all()} == {make.SISTER}
    tasks.watch_absences()
    absence.refresh_from_db()
    assert absence.ended_how == "case"
