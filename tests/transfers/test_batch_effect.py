"""What the worker does after the last decision on a batch: statuses, numbers, continued records."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import Event
from config.models import Outbox
from config.scope import NATION, scope
from registry.models import (
    Enrolment,
    EnrolmentSnapshot,
    FamilyMember,
    ImportRow,
    OpenBusiness,
    ProblemRecord,
    Student,
)
from registry.services.batches import PupilsMissing
from tests import make
from tests.transfers.filing import decide_all, file_batch, finish, finish_batch, make_material
from transfers.completion import perform_owed
from transfers.intake import return_rows
from transfers.models import Case, rows_of
from transfers.outbox import NUMBER_BATCH, owe

pytestmark = pytest.mark.usefixtures("nation")


@pytest.fixture
def office() -> dict[str, Any]:
    return {
        "registrar": make.make_registrar(),
        "leader": make.make_leader(),
        "reviewer": make.make_reviewer(),
    }


def fresh(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def approved(office: dict[str, Any], count: int, **given: Any) -> Case:
    case = file_batch(office, count, **given)
    decide_all(case, office)
    return case


def packs(case: Case) -> list[int]:
    rows = ImportRow.objects.filter(batch=case.batch_id).values("pk")
    owed = Outbox.objects.filter(kind=NUMBER_BATCH, subject_id__in=rows, done_at=None).order_by("id")
    return list(owed.values_list("pk", flat=True))


# ── Effect and numbers ────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("RE-1", "R-EST-04", "R-NUM-01")
def test_an_effect_that_is_offered_again_does_nothing_more(office: dict[str, Any]) -> None:
    case = approved(office, 4)
    row = Outbox.objects.get(kind="complete_case", subject_id=case.pk)
    assert perform_owed(row.pk)
    assert not perform_owed(row.pk)
    Outbox.objects.filter(pk=row.pk).update(done_at=None)  # as if the mark had been lost
    perform_owed(row.pk)
    (pack,) = packs(case)
    assert perform_owed(pack)
    first = dict(Student.objects.filter(pk__in=case.pupil_ids()).values_list("pk", "number"))
    owe(NUMBER_BATCH, rows_of(case.batch_id).order_by("pk")[0].pk, NATION)
    finish_packs = packs(case)
    assert len(finish_packs) == 1
    perform_owed(finish_packs[0])
    assert dict(Student.objects.filter(pk__in=case.pupil_ids()).values_list("pk", "number")) == first
    acts = Event.objects.filter(subject_type="student", subject_id__in=case.pupil_ids())
    assert acts.filter(action="registry.student.register").count() == 4
    assert acts.filter(action="registry.number.issue").count() == 8


def test_effect_and_check_ask_as_much_for_5_pupils_as_for_40(office: dict[str, Any]) -> None:
    def count(case: Case) -> tuple[int, int]:
        with CaptureQueriesContext(connection) as effect:
            finish(case)
        with CaptureQueriesContext(connection) as check:
            perform_owed(packs(case)[0])
        return len(effect), len(check)

    few, many = approved(office, 5), approved(office, 39)
    assert count(few) == count(many)


@pytest.mark.rule("R-EST-05", "R-PRB-05", "R-NUM-02")
def test_a_likely_duplicate_in_a_batch_is_looked_at_alone(office: dict[str, Any]) -> None:
    case = approved(office, 3)
    pupil = Student.objects.get(pk=case.pupil_ids()[1])
    twin = make.make_student(
        make.make_class(make.FAR), name=pupil.name, sex=pupil.sex, birth_on=pupil.birth_on.isoformat()
    )
    finish(case)
    (pack,) = packs(case)
    perform_owed(pack)
    pupil.refresh_from_db()
    assert pupil.number[0] == "L"
    finish(pupil)
    pupil.refresh_from_db()
    hint = ProblemRecord.objects.get(student=pupil, other=twin)
    assert (hint.type, hint.is_hint, pupil.number[0]) == ("3", True, "G")


@pytest.mark.rule("R-NUM-02")
def test_packs_cover_every_pupil_once(office: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("transfers.kinds.registration_batch", "transfers.completion"):
        monkeypatch.setattr(f"{module}.PACK", 3)
    case = approved(office, 7)
    finish(case)
    assert len(packs(case)) == 3
    finish_batch_packs(case)
    numbers = Student.objects.filter(pk__in=case.pupil_ids()).values_list("number", flat=True)
    assert {number[0] for number in numbers} == {"G"}


def finish_batch_packs(case: Case) -> None:
    for pk in packs(case):
        perform_owed(pk)


# ── Continued pupils ──────────────────────────────────────────────────────────────────────────────────────
LEFT_ON = date(2025, 7, 1)


@pytest.fixture
def leaver() -> Student:
    """A pupil who left a school far away, with her number and a paper on file."""
    student = make.make_student(make.make_class(make.FAR), number="L51010420191015" + "0042", status="07")
    Enrolment.objects.filter(student=student).update(valid=DateRange(date(2022, 9, 1), LEFT_ON))
    make.make_graduate(student.enrolments.get(), LEFT_ON)
    material = make_material(make.make_registrar(make.FAR))
    material.student = student
    material.save()
    return student


@pytest.mark.rule("R-EST-08", "R-NUM-01", "R-EST-01", "R-GRD-05")
def test_a_continued_pupil_moves_with_her_file_and_keeps_her_number(
    client: Client, office: dict[str, Any], leaver: Student
) -> None:
    with scope(make.SCHOOL):
        case = file_batch(office, 2, continued=[leaver], reach=NATION)
    assert fresh(case).payload["figures"]["continued"] == 1
    client.force_login(office["leader"])
    shown = client.get(reverse("transfers:case_rows", args=[case.number]))
    line = shown.context["page"].rows[-1]
    assert (line["name"], line["public_id"], line["document"]) == (leaver.name, None, "")
    assert str(leaver.public_id) not in shown.text
    decide_all(case, office)
    assert Outbox.objects.get(kind="complete_case", subject_id=case.pk).path == NATION
    finish_batch(case)
    leaver.refresh_from_db()
    places = {
        leaver.org_path, leaver.documents.get().org_path, leaver.family.get().org_path,
        leaver.materials.get().org_path, *leaver.numbers.values_list("org_path", flat=True),
    }  # fmt: skip
    assert places == {make.SCHOOL}
    spells = Enrolment.objects.filter(student=leaver).order_by("id").values_list("org_path", "status")
    assert list(spells) == [(make.SCHOOL, "07"), (make.SCHOOL, "01")]
    kept = EnrolmentSnapshot.objects.get(student=leaver)  # what the former school still reads
    assert (kept.org_path, kept.case_no, kept.open_fields()["name"]) == (make.FAR, case.number, leaver.name)
    assert kept.as_of == LEFT_ON  # long before: she is counted as gone in the year in which she went
    record = leaver.graduations.get()
    assert (record.destination, record.next_case_no) == ("10", case.number)
    assert (record.org_path, record.next_school) == (make.FAR, case.to_name)
    former = leaver.numbers.order_by("id").values_list("number", "is_current")
    assert list(former) == [("L510104201910150042", False), (leaver.number, True)]
    assert leaver.number[0] == "G"
    assert Event.objects.filter(action="registry.student.continue", subject_id=leaver.pk).count() == 1
    assert not ImportRow.objects.filter(batch=case.batch_id, cells__isnull=False).exists()


@pytest.mark.rule("R-EST-08")
def test_a_continued_record_takes_what_the_school_wrote_beside_key_fields(
    office: dict[str, Any], leaver: Student
) -> None:
    case = file_batch(office, 1, continued=[leaver], reach=NATION)
    row = rows_of(case.batch_id).get(student=leaver)
    written = {"name": "林别名", "talent": "围棋", "phone": "13700137000", "member1_name": "林新监护"}
    row.set_cells(row.open_cells().stored | written, written)
    row.save()
    decide_all(case, office)
    finish_batch(case)
    before, name = leaver.version, leaver.name
    leaver.refresh_from_db()
    assert (leaver.name, leaver.talent, leaver.version) == (name, "围棋", before + 1)
    assert leaver.open_private()["phone"] == "13700137000"
    assert FamilyMember.objects.get(student=leaver).open_private()["name"] == "林新监护"


@pytest.mark.rule("R-EST-04")
def test_a_returned_continued_pupil_is_as_before(office: dict[str, Any], leaver: Student) -> None:
    case = file_batch(office, 2, continued=[leaver], reach=NATION)
    with scope(make.SCHOOL):
        cases = return_rows(fresh(case), [2, 4], actor=office["leader"], reason="不是本校学生")
    assert len(cases) == 1  # the new pupil's
    row = ImportRow.objects.get(batch=case.batch_id, number=4)
    assert (row.returned_case, row.cells) == (case.number, None)
    leaver.refresh_from_db()
    spells = Enrolment.objects.filter(student=leaver).order_by("id").values_list("status", "is_void")
    assert list(spells) == [("07", False), ("98", True)]
    assert (leaver.org_path, leaver.documents.get().is_claimed) == (make.FAR, True)
    assert not OpenBusiness.objects.filter(student=leaver).exists()
    assert (fresh(case).count, fresh(case).payload["figures"].get("continued")) == (1, None)


def test_an_effect_whose_reach_is_too_narrow_fails_loudly(office: dict[str, Any], leaver: Student) -> None:
    case = approved(office, 1, continued=[leaver], reach=make.SCHOOL)
    row = Outbox.objects.get(kind="complete_case", subject_id=case.pk)
    with pytest.raises(PupilsMissing):
        perform_owed(row.pk)
    row.refresh_from_db()
    assert (row.attempts, row.done_at) == (1, None)
    assert fresh(case).state == Case.State.APPROVED
