"""全国查重 by sets: what it finds once, what it never finds again, what it leaves alone (R-EST-05, A9)."""

import pytest
from django.db.models.functions import Now

from audit.models import Event
from registry.models import IdentityDocument, ProblemRecord, Student
from registry.services.duplicates import identity_digest
from registry.status import LEFT
from registry.tasks import compare_country
from tests import make

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


@pytest.mark.rule("R-PRB-03")
def test_a_judged_pair_comes_back_only_when_its_identity_data_change() -> None:
    one, other = pair(**NUMBERLESS)
    compare_country()
    ProblemRecord.objects.update(closed_at=Now(), judged_digest=identity_digest([one, other]))
    assert compare_country() == 0
    for student in (one, other):
        Student.objects.filter(pk=student.pk).update(name_fold="另一个名字")
    assert compare_country() == 1
