"""Intake from workbook to pending pupils and their case, through services and the jobs (R-EST-10, G-22)."""

import sys
from datetime import date

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from audit.models import AccessEntry, Event
from config.clock import today
from config.models import Outbox
from registry.intake import reading
from registry.intake.correcting import correct
from registry.intake.preview import RowsWrong
from registry.models import (
    Enrolment,
    ImportBatch,
    ImportFinding,
    ImportRow,
    IntakePlan,
    OpenBusiness,
    School,
    Student,
)
from registry.record import open_number, school_year_start
from registry.services.editing import update_normal
from registry.services.intake_rules import entrants
from registry.services.refusals import NotPlaced
from registry.status import PENDING
from tests import make
from tests.registry.importing import checked, committed, upload, work
from tests.registry.workbooks import FIRST_ROW, line, lines, workbook
from transfers.completion import perform_owed
from transfers.models import Case
from transfers.placement import place_and_register
from transfers.services import decide

pytestmark = pytest.mark.usefixtures("nation")


NO_NUMBER = {
    "id_type": "Z", "id_number": "", "member1_id_type": "1", "member1_id_number": "11010519491231002X"
}  # fmt: skip


def number_of(student: Student) -> str:
    return open_number(student.documents.get())


@pytest.fixture
def school():
    return {"class": make.make_class(), "registrar": make.make_registrar(), "leader": make.make_leader()}


@pytest.mark.rule("R-EST-10", "R-EST-04")
def test_a_good_workbook_becomes_pending_pupils_and_one_case(school):
    rows = lines(school["class"], 12)
    batch = checked(rows, actor=school["registrar"])
    assert (batch.state, batch.rows_total, batch.rows_wrong) == ("checked", 12, 0), batch.failure
    batch = committed(batch, actor=school["registrar"])
    assert batch.state == "committed", batch.failure
    spells = Enrolment.objects.filter(school_class=school["class"])
    assert {spell.status for spell in spells} == {PENDING}
    assert sorted(spells.values_list("name", flat=True)) == sorted(row["name"] for row in rows)
    case = Case.objects.get(number=batch.case_no)
    assert (case.batch_id, case.student_id) == (batch.pk, None)
    assert OpenBusiness.objects.filter(case_no=case.number).count() == 12
    created = Event.objects.filter(action="registry.student.create", subject_id__in=spells.values("student"))
    assert created.count() == 12
    assert not ImportRow.objects.filter(batch=batch, cells__isnull=False).exists()
    assert batch.stored_as == ""


@pytest.mark.rule("G-22", "R-EST-10")
def test_with_errors_nothing_is_saved_or_the_others_by_choice(school):
    wrong_number = {"id_number": "11010120170901001X"}
    rows = [
        *lines(school["class"], 5),
        line(school["class"], **wrong_number),
        line(school["class"], phone="12"),
    ]
    batch = checked(rows, actor=school["registrar"])
    assert (batch.rows_total, batch.rows_wrong) == (7, 2)
    found = ImportFinding.objects.get(batch=batch, number=FIRST_ROW + 6, level="error")
    assert (found.field, found.rule) == ("phone", "C1")
    with pytest.raises(RowsWrong):
        committed(batch, actor=school["registrar"])
    assert not Enrolment.objects.filter(school_class=school["class"]).exists()
    batch = committed(batch, actor=school["registrar"], skips_wrong=True)
    assert batch.state == "committed", batch.failure
    assert Enrolment.objects.filter(school_class=school["class"]).count() == 5


# ── Duplicates inside the file ───────────────────────────────────────────────────────────────────────────
def codes(batch: ImportBatch, level: str = "error") -> list[tuple[int, str]]:
    found = ImportFinding.objects.filter(batch=batch, level=level).order_by("number", "id")
    return [(number - FIRST_ROW, code) for number, code in found.values_list("number", "code")]


@pytest.mark.rule("R-EST-05")
def test_one_number_twice_in_a_file_is_named_with_its_first_row(school):
    first = line(school["class"])
    twin = line(school["class"], id_number=first["id_number"], birth_on=first["birth_on"])
    batch = checked([first, *lines(school["class"], 2), twin], actor=school["registrar"])
    assert codes(batch) == [(3, "batch_same_number_in_file")]
    assert f"第{FIRST_ROW}行" in ImportFinding.objects.get(batch=batch, level="error").message


@pytest.mark.rule("R-EST-05", "R-EST-08")
def test_namesakes_without_number_need_a_reason(school):
    rows = [line(school["class"], name="欧阳小雨", **NO_NUMBER) for _twice in range(2)]
    batch = checked(rows, actor=school["registrar"])
    assert codes(batch) == [(1, "batch_same_person_in_file")]
    correct(batch, {}, actor=school["registrar"], reasons={FIRST_ROW + 1: "双胞胎姐妹，出生证明已核"})
    batch = work(batch)
    assert (batch.rows_wrong, codes(batch, "warning")[-1]) == (0, (1, "batch_twin_in_file"))


# ── The country ──────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-EST-01", "R-EST-05", "AZ-9")
def test_a_number_that_is_taken_elsewhere_is_refused_in_the_fixed_sentence_and_masked(school):
    held = make.make_student(make.make_class(make.SISTER), name="司徒晓岚")
    number = number_of(held)
    taken = line(school["class"], name="司徒晓岚", id_number=number, birth_on=held.birth_on.isoformat())
    batch = checked([taken, line(school["class"])], actor=school["registrar"])
    assert codes(batch) == [(0, "batch_number_taken")]
    found = ImportFinding.objects.get(batch=batch, code="batch_number_taken")
    assert found.message == "该证件号码已有学籍,请按转学或问题学籍办理。"
    assert (found.other["name"], found.other["student"]) == ("司＊", "")
    assert "南山区" in found.other["place"]
    assert make.SISTER not in str(found.other)
    looked = AccessEntry.objects.filter(outcome="look_up", actor_id=school["registrar"].pk)
    assert looked.count() == 1


@pytest.mark.rule("R-EST-08")
def test_a_child_without_number_whose_namesake_has_a_record_needs_a_reason(school):
    held = make.make_student(make.make_class(make.SISTER), name="诸葛小满")
    row = line(school["class"], name="诸葛小满", birth_on=held.birth_on.isoformat(), **NO_NUMBER)
    with_number = line(school["class"], name="诸葛小满", birth_on=held.birth_on.isoformat())
    batch = checked([row, with_number], actor=school["registrar"])
    assert codes(batch) == [(0, "batch_same_person"), (1, "batch_same_person_in_file")]
    assert (1, "batch_namesake") in codes(batch, "warning")
    why = {FIRST_ROW: "户口簿已核，确为两人", FIRST_ROW + 1: "户口簿已核，确为两人"}
    correct(batch, {}, actor=school["registrar"], reasons=why)
    assert work(batch).rows_wrong == 0


# ── 接续 ─────────────────────────────────────────────────────────────────────────────────────────────────
def former_pupil(**changes: str) -> Student:
    """A pupil who graduated from another school of the county."""
    student = make.make_student(
        make.make_class(make.SISTER, "16"),
        number=f"G{make.identity_number(make.first_grader_birth())}",
        **changes,
    )
    student.enrolments.update(status="07", valid=DateRange(date(2020, 9, 1), date(2026, 7, 20)))
    return student


def junior_row(school_class, student: Student, **changes: str) -> dict[str, str]:
    birth = student.birth_on.isoformat()
    given = {"name": student.name, "birth_on": birth, "id_number": number_of(student)}
    return line(school_class, **(given | changes))


@pytest.mark.rule("R-EST-08", "R-EST-01", "R-NUM-01")
def test_a_former_pupil_is_offered_as_continuation_and_never_becomes_a_second_record(school):
    former = former_pupil(name="宇文若晴")
    number = former.number
    batch = checked([junior_row(school["class"], former)], actor=school["registrar"])
    assert codes(batch) == [(0, "batch_former_pupil")]
    correct(batch, {FIRST_ROW: {"continues_record": "是"}}, actor=school["registrar"])
    batch = work(batch)
    assert (batch.rows_wrong, codes(batch, "warning")[0]) == (0, (0, "batch_continues"))
    row = ImportRow.objects.get(batch=batch)
    assert (row.action, row.student_id) == ("continue", former.pk)
    batch = committed(batch, actor=school["registrar"])
    assert batch.state == "committed", batch.failure
    former.refresh_from_db()
    assert former.org_path == make.SISTER  # she moves when the case is decided
    spell = Enrolment.objects.get(student=former, status=PENDING)
    assert (spell.org_path, spell.school_class) == (make.SCHOOL, school["class"])
    case = Case.objects.get(number=batch.case_no)
    reviewer = make.make_reviewer()
    for person in (school["leader"], reviewer):
        decide(Case.objects.get(pk=case.pk), "approve", actor=person)
    for owed in Outbox.objects.filter(done_at=None, kind="complete_case", subject_id=case.pk):
        perform_owed(owed.pk)
    former.refresh_from_db()
    assert (former.org_path, former.number) == (make.SCHOOL, number)
    assert Student.objects.filter(name="宇文若晴").count() == 1
    assert not ImportRow.objects.filter(batch=batch, cells__isnull=False).exists()


@pytest.mark.rule("R-EST-08")
def test_a_continuation_needs_the_number_and_the_name_of_a_record_that_ended(school):
    former, present = (
        former_pupil(name="令狐远"),
        make.make_student(make.make_class(make.SISTER), name="慕容雪"),
    )
    rows = [
        line(school["class"], continues_record="是"),
        junior_row(school["class"], former, continues_record="是", name="令狐近"),
        junior_row(school["class"], present, continues_record="是"),
    ]
    batch = checked(rows, actor=school["registrar"])
    assert codes(batch) == [
        (0, "batch_nothing_to_continue"), (1, "batch_continues_other_name"), (2, "batch_number_taken"),
    ]  # fmt: skip


@pytest.mark.rule("R-UPD-03")
def test_a_continuation_after_the_deadline_is_marked_late(school):
    former = former_pupil(name="上官小路")
    late = junior_row(school["class"], former, continues_record="是", entry_month="2024-09")
    batch = checked([late], actor=school["registrar"])
    assert (0, "batch_continues_late") in codes(batch, "warning")
    soon = junior_row(school["class"], former, continues_record="是", entry_month=f"{today():%Y-%m}")
    other = checked([soon], actor=school["registrar"])
    assert (0, "batch_continues_late") not in codes(other, "warning")


# ── Places ───────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("C5")
def test_rows_beyond_the_class_cap_are_refused_in_file_order(school):
    full = make.make_class(name="一(9)班", cap=3)
    make.make_student(full)
    batch = checked(lines(full, 4), actor=school["registrar"])
    assert codes(batch) == [(2, "batch_class_full"), (3, "batch_class_full")]


@pytest.mark.rule("INTAKE_PLAN", "QUOTA")
def test_plan_and_quota_stop_the_rows_beyond_them(school):
    make.make_rule("INTAKE_PLAN", "block")
    year = school_year_start(today()).year
    IntakePlan.objects.create(
        org_path=make.SCHOOL, school=school["class"].school, school_year=year, stage="2",
        planned=entrants(make.SCHOOL, year, "2") + 2, document="南教〔2026〕1号",
        office_name="南山区教育局", set_by=make.make_reviewer(), set_by_name="吴核准",
    )  # fmt: skip
    batch = checked(lines(school["class"], 3), actor=school["registrar"])
    assert codes(batch) == [(2, "batch_beyond_plan")]
    make.make_rule("INTAKE_PLAN", "warn")
    batch = checked(lines(school["class"], 3), actor=school["registrar"])
    assert (codes(batch), (2, "batch_beyond_plan") in codes(batch, "warning")) == ([], True)


@pytest.mark.rule("R-EST-13")
def test_a_row_of_a_higher_grade_is_marked_as_omitted_and_an_entrant_is_not(school):
    third = make.make_class(grade="13", name="三(1)班")
    year = school_year_start(today()).year
    older = make.first_grader_birth().replace(year=make.first_grader_birth().year - 2)
    row = line(third, birth_on=older.isoformat(), entry_month=f"{year - 2}-09")
    batch = checked([row, line(school["class"])], actor=school["registrar"])
    assert codes(batch) == []
    assert [place for place, code in codes(batch, "warning") if code == "batch_omitted"] == [0]


@pytest.mark.rule("PLACEMENT_REGISTERS", "D7")
def test_where_placement_registers_rows_may_leave_their_class_open(school):
    School.objects.filter(organization__path=make.SCHOOL).update(stages=["2"])
    open_row = line(school["class"], class_number="")
    refused = checked([open_row], actor=school["registrar"])
    assert [code for _place, code in codes(refused)] == ["missing"]
    make.make_rule("PLACEMENT_REGISTERS", True, make.PROVINCE)
    batch = checked([line(school["class"], class_number="") for _row in range(3)], actor=school["registrar"])
    assert codes(batch) == []
    batch = committed(batch, actor=school["registrar"])
    assert (batch.state, batch.case_no) == ("committed", "")
    spells = Enrolment.objects.filter(student__import_rows__batch=batch)
    assert {(spell.grade, spell.school_class_id) for spell in spells} == {("11", None)}
    choice = {spell.pk: school["class"].pk for spell in spells}
    case, _late = place_and_register(batch, choice, actor=school["registrar"], attested=True)
    assert case is not None
    assert case.batch_id == batch.pk


@pytest.mark.rule("PLACEMENT_REGISTERS")
def test_a_pupil_without_a_class_is_placed_before_she_is_edited(school):
    student = make.make_student(school["class"], status=PENDING)
    student.enrolments.update(school_class=None)
    with pytest.raises(NotPlaced):
        update_normal(student, {"talent": "绘画"}, version=student.version, actor=school["registrar"])
    student.enrolments.update(school_class=school["class"])
    update_normal(student, {"talent": "绘画"}, version=student.version, actor=school["registrar"])


# ── The reading process dies ─────────────────────────────────────────────────────────────────────────────
KILLS_ITSELF = """
import os, signal
from registry.intake import reader
line = reader.Lines.line
def dies(self, cells):
    if self._row == {row} + 3: os.kill(os.getpid(), signal.SIGKILL)
    return line(self, cells)
reader.Lines.line = dies
reader.main()
"""


@pytest.mark.rule("FI-3", "RE-9")
@pytest.mark.parametrize("row", [0, 1, 499, 500, 1999])
def test_a_reader_killed_at_a_row_rejects_the_workbook_and_nothing_of_it_stays(school, monkeypatch, row):
    content = workbook([line(school["class"], phone=f"138{n:08d}") for n in range(2000)])
    monkeypatch.setattr(reading, "COMMAND", (sys.executable, "-c", KILLS_ITSELF.format(row=row)))
    batch = checked(content, actor=school["registrar"])
    assert (batch.state, batch.failure["code"]) == ("failed", "import_reader_died")
    assert (ImportRow.objects.filter(batch=batch).count(), batch.stored_as) == (0, "")
    monkeypatch.undo()
    again = upload(content, actor=school["registrar"])  # the same file may be handed in again
    assert again.state == "waiting"
