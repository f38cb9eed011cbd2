"""The national check for many at once says what it says one by one, and numbers are unique for ever."""

import itertools
import secrets
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from audit.models import Event
from audit.services import System
from config.scope import scope
from registry.models import IdentityDocument, ProblemRecord, SchoolClass, Student, StudentNumber
from registry.services.duplicates import find_suspects
from registry.services.numbering import (
    NumbersExhausted,
    check_and_number,
    check_and_number_all,
    issue_temporary,
    issue_temporary_all,
)
from tests import make
from tests.registry.test_numbering import FOREIGNER

pytestmark = pytest.mark.usefixtures("nation")
JOB = System()


class Undone(Exception):  # noqa: N818  # nothing went wrong
    """Everything so far is rolled back."""


def one_by_one(ids: list[int]) -> None:
    for pk in ids:
        check_and_number(pk, actor=JOB)


def together(ids: list[int]) -> None:
    for pk in check_and_number_all(ids, actor=JOB):
        check_and_number(pk, actor=JOB)


def outcome(way: Any, ids: list[int]) -> dict[str, Any]:
    """What `way` would leave behind for these pupils; nothing stays."""
    found: dict[str, Any] = {}
    with suppress(Undone), transaction.atomic():
        way(ids)
        numbers = StudentNumber.objects.filter(student_id__in=ids)
        problems = ProblemRecord.objects.filter(student_id__in=ids) | ProblemRecord.objects.filter(
            other_id__in=ids
        )
        acts = Event.objects.filter(action="registry.number.issue", subject_id__in=ids)
        found = {
            "current": dict(Student.objects.filter(pk__in=ids).values_list("pk", "number")),
            "numbers": sorted(numbers.values_list("student_id", "number", "is_current", "org_path")),
            "problems": sorted(problems.values_list("student_id", "other_id", "type", "is_hint", "detail")),
            "events": sorted((act.subject_id, act.detail["kind"], act.org_path) for act in acts),
        }
        raise Undone
    return found


def with_number(student: Student) -> Student:
    issue_temporary(student, actor=JOB)
    return student


@pytest.fixture
def pupils() -> list[int]:
    """Every sort of pupil the check knows."""
    guardian = {
        "member1_id_type": "1",
        "member1_id_number": make.identity_number(make.first_grader_birth().replace(year=1986), "1"),
    }
    here, there = make.make_class(), make.make_class(make.FAR)
    days = itertools.count(1)

    def pupil(school_class: SchoolClass = here, **changes: str) -> Student:
        """One of a day of her own, or a name drawn by chance may sound like another's."""
        day = make.first_grader_birth() + timedelta(days=next(days))
        return make.make_student(school_class, **{"birth_on": day.isoformat()} | changes)

    found = [pupil() for _n in range(4)]
    found += [pupil(**FOREIGNER)]
    # Of one day, so that their J numbers follow each other.
    birth = (make.first_grader_birth() - timedelta(days=9)).isoformat()
    for name in ("王一", "赵二", "孙三"):
        found.append(pupil(id_type="Z", id_number="", name=name, birth_on=birth, **guardian))
    found += [pupil(is_disputed="1")]
    # A namesake elsewhere; a twin who only sounds alike, within the batch.
    namesake = pupil(there)
    same = {"birth_on": namesake.birth_on.isoformat(), "sex": namesake.sex}
    found += [pupil(name=namesake.name, **same)]
    twin = pupil(name="李小明")
    found += [twin, pupil(name="李晓明", birth_on=twin.birth_on.isoformat())]
    # A number that a disputed registration elsewhere shows too, and one that is near another's.
    shared, near = pupil(), pupil()
    for other in (shared, near):
        found.append(other)
        text = _open(other.documents.get())
        slip = text if other is shared else text[:15] + str((int(text[15]) + 1) % 10) + text[16:]
        pupil(there, id_number=slip, is_disputed="1", birth_on=other.birth_on.isoformat(), sex=other.sex)
    # A number that was somebody's before; an open problem; one with G already; one without any number.
    spent = pupil()
    StudentNumber.objects.create(
        org_path=make.FAR, student=namesake, number=f"G{_open(spent.documents.get())}", is_current=False
    )
    troubled = pupil()
    ProblemRecord.objects.create(
        org_path=make.SCHOOL, other_path=make.SCHOOL, type="1", side="single", student=troubled,
        found_by="测试", detail="测试",
    )  # fmt: skip
    found += [spent, troubled]
    for student in found:
        with_number(student)
    settled = with_number(pupil())
    check_and_number(settled.pk, actor=JOB)
    bare = pupil()
    return [student.pk for student in (*found, settled, bare)]


def _open(document: IdentityDocument) -> str:
    from registry.record import open_number

    return open_number(document)


@pytest.mark.rule("R-EST-05", "R-NUM-02", "R-PRB-05")
def test_together_and_one_by_one_are_the_same(pupils: list[int]) -> None:
    alone, many = outcome(one_by_one, pupils), outcome(together, pupils)
    assert many == alone
    assert {number[:1] for number in many["current"].values()} == {"G", "J", "L", ""}
    assert len(many["problems"]) > 5


def test_only_the_suspect_are_looked_at_alone(pupils: list[int]) -> None:
    students = list(Student.objects.filter(pk__in=pupils))
    documents = {d.student_id: d for d in IdentityDocument.objects.filter(student_id__in=pupils)}
    suspects = find_suspects(students, documents)
    assert not suspects & set(pupils[:4])
    assert len(suspects) >= 6
    with transaction.atomic():
        left = check_and_number_all(pupils, actor=JOB)
    assert set(left) <= suspects
    assert check_and_number_all(pupils[:4], actor=JOB) == []  # repeated: they have their G


def test_a_withdrawn_registration_is_nobodys_duplicate() -> None:
    former = make.make_student(status="98")
    former.enrolments.update(is_void=True)
    former.documents.update(is_claimed=False)
    again = make.make_student(
        name=former.name, birth_on=former.birth_on.isoformat(), id_number=_open(former.documents.get())
    )
    with_number(again)
    assert check_and_number_all([again.pk], actor=JOB) == []


# ── L numbers ─────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-NUM-01", "R-NUM-02")
def test_a_drawn_number_that_somebody_had_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pupils = [make.make_student() for _n in range(12)]
    far = make.make_student(make.make_class(make.FAR))  # behind the wall for the school
    for taken in range(6):
        StudentNumber.objects.create(
            org_path=make.FAR, student=far, is_current=False,
            number=f"L440305{pupils[0].birth_on:%Y%m%d}{taken:04d}",
        )  # fmt: skip
    draw = secrets.SystemRandom()
    monkeypatch.setattr(secrets, "randbelow", lambda _most: draw.randrange(60))
    with scope(make.SCHOOL):
        issue_temporary_all(pupils, actor=JOB)
        issue_temporary_all(list(Student.objects.filter(pk__in=[p.pk for p in pupils])), actor=JOB)
    numbers = set(Student.objects.filter(pk__in=[p.pk for p in pupils]).values_list("number", flat=True))
    assert len(numbers) == 12
    assert not {int(number[-4:]) for number in numbers} & set(range(6))
    assert StudentNumber.objects.filter(student__in=pupils, is_current=True).count() == 12
    assert Event.objects.filter(action="registry.number.issue", subject_id=pupils[0].pk).count() == 1


def test_when_no_number_is_free_nobody_gets_one(monkeypatch: pytest.MonkeyPatch) -> None:
    holder, pupil = make.make_student(make.make_class(make.FAR)), make.make_student()
    for taken in range(40):
        StudentNumber.objects.create(
            org_path=make.FAR, student=holder, is_current=False,
            number=f"L440305{pupil.birth_on:%Y%m%d}{taken:04d}",
        )  # fmt: skip
    drawn = iter(range(40))
    monkeypatch.setattr(secrets, "randbelow", lambda _most: next(drawn))
    with pytest.raises(NumbersExhausted):
        issue_temporary_all([pupil], actor=JOB)
