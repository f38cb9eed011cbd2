"""全国查重 by sets: what it finds once, what it never finds again, what it leaves alone (R-EST-05, A9)."""

from importlib import import_module

import pytest
from django.db import connection
from django.db.models.functions import Now

from audit.models import Event
from audit.services import System
from config.models import Outbox
from registry.models import IdentityDocument, ProblemRecord, Student
from registry.services.duplicates import blocking_problems, identity_digest
from registry.services.problems import follow_pupils, settle
from registry.status import LEFT, REFUSED, VOIDED
from registry.tasks import compare_country
from tests import make
from transfers.completion import perform_owed
from transfers.tasks import settle_ended_problems

pytestmark = pytest.mark.usefixtures("nation")
NUMBERLESS = {
    "id_type": "Z", "id_number": "", "member1_id_type": "1", "member1_id_number": "11010519491231002X"
}  # fmt: skip


def pair(number: str = "", **values: str) -> tuple[Student, Student]:
    """Two records of one name, sex and birth date at schools of two provinces."""
    one = make.make_student(make.make_class(make.SCHOOL), **values)
    like = {"name": one.name, "birth_on": one.birth_on.isoformat(), "sex": one.sex}
    return one, make.make_student(make.make_class(make.FAR), **(values | like))


def found() -> list[tuple[str, int, int | None, bool]]:
    rows = ProblemRecord.objects.order_by("type", "student_id")
    return list(rows.values_list("type", "student_id", "other_id", "is_hint"))


@pytest.mark.rule("R-EST-05", "R-PRB-03")
def test_it_finds_every_pair_once_and_tells_a_duplicate_from_a_hint() -> None:
    namesakes, numberless = pair(), pair(**NUMBERLESS)
    one, other = make.make_student(make.make_class()), make.make_student(make.make_class(make.FAR))
    document = one.documents.get()
    IdentityDocument.objects.filter(student=other).update(blind=document.blind, is_claimed=False)
    left, stays = pair()
    left.enrolments.update(status=LEFT, valid="[2020-09-01,2021-07-01)")  # nobody's duplicate any more
    expected = [
        ("2", one.pk, other.pk, False),
        ("3", namesakes[0].pk, namesakes[1].pk, True),
        ("3", numberless[0].pk, numberless[1].pk, False),
    ]
    assert compare_country() == 3
    assert found() == expected
    hint, problem = ProblemRecord.objects.filter(type="3").order_by("-is_hint")
    assert (hint.due_on, problem.org_path, problem.other_path) == (None, make.SCHOOL, make.FAR)
    assert problem.due_on is not None
    assert Event.objects.filter(action="registry.problem.found").count() == 3
    assert compare_country() == 0
    assert found() == expected
    assert stays.pk not in {row[2] for row in found()}


@pytest.mark.rule("R-PRB-02", "R-PRB-05")
def test_a_side_that_ended_otherwise_holds_the_other_one_no_longer() -> None:
    """Void by its authority: nothing is left to compare. Left: the proof of the side that stays is enough;
    that another school registered her in vain takes nothing back of what was.
    """
    (void, freed), (left, proven), (gone, silent) = (pair(**NUMBERLESS) for _n in range(3))
    compare_country()
    void.enrolments.update(status=VOIDED, is_void=True)
    for student in (left, gone):
        student.enrolments.update(status=LEFT, valid="[2020-09-01,2021-07-01)")
    in_vain = gone.enrolments.get()
    in_vain.pk, in_vain.status, in_vain.is_void, in_vain.valid = None, REFUSED, True, "[2021-09-01,)"
    in_vain.save(force_insert=True)
    ProblemRecord.objects.filter(other=proven).update(other_standing="proven")
    assert settle_ended_problems() == 2
    for pk in Outbox.objects.filter(kind="settle_problem").values_list("pk", flat=True):
        perform_owed(pk)
    settle(ProblemRecord.objects.get(other=silent).pk, actor=System(acting_path=make.NATION))
    told = dict(ProblemRecord.objects.values_list("other_id", "disposition"))
    assert told == {freed.pk: "deleted", proven.pk: "proven", silent.pk: ""}
    assert blocking_problems(freed) == blocking_problems(proven) == []
    assert len(blocking_problems(silent)) == 1  # her school has yet to look
    owed = Outbox.objects.filter(kind="number_student").values_list("subject_id", flat=True)
    assert {freed.pk, proven.pk} <= set(owed)  # nothing holds their numbers back any more


@pytest.mark.rule("R-PRB-04", "R-PRB-05")
def test_problems_of_before_are_brought_to_where_the_pupils_are() -> None:
    """One that was found again at the new school says the same twice; a pupil who moves on is not held up."""
    one, other = pair(**NUMBERLESS)
    compare_country()
    former = ProblemRecord.objects.get()
    again = ProblemRecord.objects.get()
    again.pk = None
    ProblemRecord.objects.update(other_path=make.SISTER)
    again.save(force_insert=True)
    paths = import_module("registry.migrations.0027_problem_paths")
    with connection.cursor() as cursor:
        cursor.execute(paths.CLOSE_TWICE)
        cursor.execute(paths.FOLLOW)
    stays = ProblemRecord.objects.get(closed_at=None)
    assert (stays.pk, stays.org_path, stays.other_path) == (former.pk, make.SCHOOL, make.FAR)
    follow_pupils([other.pk], make.NEIGHBOUR)
    assert set(ProblemRecord.objects.values_list("other_path", flat=True)) == {make.NEIGHBOUR}
    assert blocking_problems(one) == [stays]


@pytest.mark.rule("R-PRB-03")
def test_a_judged_pair_comes_back_only_when_its_identity_data_change() -> None:
    one, other = pair(**NUMBERLESS)
    compare_country()
    ProblemRecord.objects.update(closed_at=Now(), judged_digest=identity_digest([one, other]))
    assert compare_country() == 0
    for student in (one, other):
        Student.objects.filter(pk=student.pk).update(name_fold="另一个名字")
    assert compare_country() == 1
