"""招生入学: a graduate's record is continued at the school of the next stage, never made again (A7.3)."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.backends.postgresql.psycopg_any import DateRange
from django.urls import reverse
from openpyxl import Workbook

from audit.models import Event
from config.clock import today
from config.scope import scope
from registry.enrolling import lists
from registry.enrolling.grades import grades_after
from registry.entries.services import add_entry
from registry.models import (
    Admission,
    Enrolment,
    EnrolmentSnapshot,
    GraduationList,
    GraduationRecord,
    OpenBusiness,
    RecordEntry,
    School,
    SchoolClass,
    Student,
    StudentNumber,
)
from registry.status import GRADUATED, NORMAL
from tests import make
from tests.transfers.moving import file_move, open_season, pupil_at, sign_all
from transfers.consistency import OpenElsewhere, StatusEnded
from transfers.kinds.enrolment import ENROLMENT
from transfers.kinds.transfer import TRANSFER
from transfers.models import Case
from transfers.refusals import NotForStatus, RequirementFailed
from transfers.services import decide

pytestmark = pytest.mark.rule("R-GRD-05")
OTHER_CITY = "CN.44.01.06.2144000021."


@pytest.fixture(autouse=True)
def season(nation: None) -> None:
    open_season()


def graduate(path: str = make.NEIGHBOUR, grade: str = "16") -> Student:
    """Somebody who graduated at the school of `path` some weeks ago."""
    student = pupil_at(path, grade=grade)
    left = today() - timedelta(days=20)
    spell = student.enrolments.get()
    spell.valid, spell.status = DateRange(spell.valid.lower, left), GRADUATED
    spell.save()
    return student


def next_class(path: str = make.SCHOOL, grade: str = "21", **more: object) -> SchoolClass:
    return make.make_class(path, grade=grade, name="七(1)班", **more)


def file_entry(student: Student, target: SchoolClass, **changed: str) -> Case:
    given = {"class_id": str(target.pk), "admission_mode": "11"} | changed
    return file_move(student, target, kind=ENROLMENT, papers=("20",), given=given)


@pytest.mark.rule("R-NUM-01", "R-TRF-17", "R-EST-01", "R-UPD-04")
@pytest.mark.parametrize(
    ("origin", "steps"),
    [
        (make.SISTER, [make.SCHOOL, make.COUNTY]),  # within one county nobody else is asked
        (make.NEIGHBOUR, [make.SCHOOL, make.COUNTY, make.NEIGHBOUR_COUNTY]),
        (make.FAR, [make.SCHOOL, make.COUNTY, make.FAR_COUNTY]),  # 毕业后跨省就学
    ],
)
def test_a_graduate_goes_on_under_her_number_and_the_old_school_keeps_its_copy(
    origin: str, steps: list[str]
) -> None:
    student = graduate(origin)
    target = next_class()
    case = file_entry(student, target)
    assert list(case.steps.order_by("ordinal").values_list("office_path", flat=True)) == steps
    # Nothing is placed before the authority has decided.
    assert not Enrolment.objects.filter(student=student, school_class=target).exists()
    case = sign_all(case)
    assert case.state == Case.State.DONE
    again = Student.objects.get(pk=student.pk)
    assert (again.org_path, again.number, again.public_id) == (make.SCHOOL, student.number, student.public_id)
    former, spell = Enrolment.objects.filter(student=student).order_by("valid")
    assert (former.status, spell.status, spell.grade) == (GRADUATED, NORMAL, "21")
    assert (spell.school_class, spell.admission_mode) == (target, "11")
    assert (spell.entry_month, spell.valid.upper) == (f"{today():%Y-%m}", None)
    assert EnrolmentSnapshot.objects.get(student=student).org_path == origin
    act = Event.objects.get(action="registry.student.enrol", subject_id=student.pk)
    assert act.detail["number"] == case.number
    with scope(origin):
        assert not Student.objects.filter(pk=student.pk).exists()


def test_what_was_entered_in_primary_school_is_read_in_the_next() -> None:
    student = graduate(make.SISTER)
    Enrolment.objects.filter(student=student).update(status=NORMAL)
    typed = {"when": today().isoformat(), "title": "绘画", "category": "3", "level": "60"}
    entry = add_entry(student, "award", typed, actor=make.make_registrar(make.SISTER))
    Enrolment.objects.filter(student=student).update(status=GRADUATED)
    sign_all(file_entry(student, next_class()))
    assert RecordEntry.objects.get(pk=entry.pk).org_path == make.SCHOOL


@pytest.mark.rule("A7.3")
@pytest.mark.parametrize(
    ("grade", "former", "school", "able"),
    [
        ("16", "6-3", "6-3", ("21",)),
        ("15", "5-4", "6-3", ("16",)),  # the sixth year of who had five
        ("15", "5-4", "5-4", ("21",)),
        ("16", "6-3", "5-4", ("22",)),
        ("23", "6-3", "6-3", ("31",)),
        ("24", "5-4", "6-3", ("31",)),
        ("33", "6-3", "6-3", ()),
    ],
)
def test_which_grade_comes_after(grade: str, former: str, school: str, able: tuple[str, ...]) -> None:
    assert grades_after(grade, former, school) == able


def five_years(path: str) -> None:
    School.objects.filter(organization__path=path).update(schooling="5-4")


@pytest.mark.rule("A7.3")
def test_grade_six_is_entered_only_after_a_five_year_primary_school() -> None:
    six = make.make_class(make.SCHOOL, grade="16")
    with pytest.raises(RequirementFailed, match="五年制"):
        file_entry(graduate(make.SISTER), six)
    student = graduate(make.SISTER, grade="15")
    five_years(make.SISTER)
    assert sign_all(file_entry(student, six)).state == Case.State.DONE


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        pytest.param("BASE_LIST_MATCH", "底表", marks=pytest.mark.rule("BASE_LIST_MATCH")),
        pytest.param("INTAKE_PLAN", "招生计划", marks=pytest.mark.rule("INTAKE_PLAN")),
    ],
)
def test_a_strict_locality_refuses_and_a_mild_one_only_says_so(rule: str, words: str) -> None:
    student, target = graduate(OTHER_CITY), next_class()
    make.make_rule(rule, "block")
    with pytest.raises(RequirementFailed, match=words):
        file_entry(student, target)
    make.make_rule(rule, "warn")
    assert file_entry(student, target).is_open


@pytest.mark.rule("R-TRF-06")
def test_two_schools_do_not_enrol_one_pupil_and_who_has_not_graduated_is_not_enrolled() -> None:
    student, target = graduate(), next_class()
    first = file_entry(student, target)
    assert OpenBusiness.objects.get(student=student).case_no == first.number
    for school in (make.SCHOOL, make.SISTER):  # the same school again, and another one
        with pytest.raises(OpenElsewhere):
            file_entry(student, next_class(school))
    pupil = pupil_at(make.NEIGHBOUR, grade="16")
    with pytest.raises(NotForStatus):
        file_entry(pupil, target)
    with pytest.raises(StatusEnded):  # a graduate is no matter of a transfer
        file_move(graduate(), make.make_class(make.SCHOOL, grade="16"), kind=TRANSFER)


# ── 统一招生 ─────────────────────────────────────────────────────────────────────────────────────────────
def results(lines: list[list[str]], heads: list[str] | None = None) -> SimpleUploadedFile:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "学生信息"
    sheet.append(heads or lists.headings())
    for line in lines:
        sheet.append(line)
    out = BytesIO()
    book.save(out)
    return SimpleUploadedFile("录取名单.xlsx", out.getvalue())


SCHOOL, SISTER = (path.split(".")[-2] for path in (make.SCHOOL, make.SISTER))


@pytest.mark.rule("A7.3", "BASE_LIST_MATCH", "FI-2", "AZ-1")
def test_a_result_list_is_taken_whole_or_refused_row_by_row(client: Any) -> None:
    graduate_here, other = graduate(make.SISTER), graduate(make.SISTER)
    pupil, stranger = pupil_at(make.SISTER, grade="16"), graduate(OTHER_CITY)
    make.make_office(make.SCHOOL)
    client.force_login(make.make_reviewer())
    address = reverse("enrolling:results")
    assert client.get(reverse("enrolling:template")).status_code == 200
    assert client.post(address, {"file": results([], None)}).status_code == 422
    wrong = client.post(address, {"file": results([
        [graduate_here.number, "", "", "9999999999"],
        [pupil.number, "", "", SCHOOL],  # has not graduated
        [stranger.number, "", "", SCHOOL],  # stands on another area's base list
        ["", other.name, SISTER, SCHOOL],
        [other.number, "", "", SISTER],
    ])})  # fmt: skip
    page = wrong.content.decode()
    assert (wrong.status_code, Admission.objects.count()) == (422, 0)
    for words in ("没有这所学校", "没有对应的毕业生", "同一学生在表中出现两次", "第 2 行", "第 4 行"):
        assert words in page, words
    good = results([[graduate_here.number, "", "", SCHOOL], ["", other.name, SISTER, SCHOOL]])
    assert client.post(address, {"file": good}).status_code == 302
    assert set(Admission.objects.values_list("org_path", "grade")) == {(make.SCHOOL, "21")}
    again = client.post(address, {"file": results([[graduate_here.number, "", "", SCHOOL]])})
    assert "已在这所学校的录取名单中" in again.content.decode()
    client.force_login(make.make_registrar())
    assert client.get(address).status_code == 403
    assert graduate_here.name in client.get(reverse("enrolling:admissions")).content.decode()
    client.force_login(make.make_registrar(make.SISTER))
    assert graduate_here.name not in client.get(reverse("enrolling:admissions")).content.decode()


def admitted(client: Any, *pairs: tuple[Student, str]) -> None:
    """The county's result list names these graduates and schools."""
    client.force_login(make.make_reviewer())
    lines = [[student.number, "", "", code] for student, code in pairs]
    assert client.post(reverse("enrolling:results"), {"file": results(lines)}).status_code == 302


@pytest.mark.rule("A7.3", "R-EST-01", "R-NUM-01")
def test_the_school_places_its_list_hands_it_in_and_nobody_is_enrolled_before_the_authority_decides(
    client: Any,
) -> None:
    a, b = graduate(make.SISTER), graduate(make.SISTER)
    target, primary = next_class(), make.make_class(make.SCHOOL, grade="12")
    admitted(client, (a, SCHOOL), (b, SCHOOL))
    rows = {row.student_id: row for row in Admission.objects.all()}
    client.force_login(make.make_registrar())
    page, submit = reverse("enrolling:admissions"), reverse("transfers:admissions_submit")
    assert client.post(submit).status_code == 409  # nobody has a class
    for wrong, status in ((primary.pk, 422), (make.make_class(make.SISTER, grade="21").pk, 422)):
        assert client.post(page, {f"class-{rows[a.pk].pk}": wrong}).status_code == status
    assert client.post(page, {"class-999999": target.pk}).status_code == 404
    assert client.post(page, {f"class-{rows[a.pk].pk}": target.pk}).status_code == 302
    assert client.post(submit).status_code == 302
    case = Case.objects.get(kind="enrolment_list")
    assert (case.payload["admissions"], case.reach) == ([rows[a.pk].pk], make.COUNTY)
    assert a.name in client.get(reverse("transfers:case", args=[case.number])).content.decode()
    assert not Enrolment.objects.filter(school_class=target).exists()
    # Filed rows are neither dropped nor handed in again.
    settle = reverse("enrolling:settle", args=[rows[a.pk].pk])
    assert client.post(settle, {"act": "drop", "reason": "该生未到校报到"}).status_code == 409
    case = sign_all(case)
    spell = Enrolment.objects.get(student=a, school_class=target)
    assert (spell.status, spell.grade, Student.objects.get(pk=a.pk).number) == (NORMAL, "21", a.number)
    assert set(Admission.objects.values_list("student_id", "state")) == {
        (a.pk, "enrolled"), (b.pk, "waiting"),
    }  # fmt: skip
    assert not Enrolment.objects.filter(student=b, org_path=make.SCHOOL).exists()


@pytest.mark.rule("A7.3")
def test_a_double_enrolment_shows_both_sides_and_the_one_without_the_pupil_deletes(client: Any) -> None:
    student, target = graduate(make.SISTER), next_class()
    admitted(client, (student, SCHOOL))
    admitted(client, (student, SISTER))
    assert "重复招生" in client.get(reverse("enrolling:results")).content.decode()
    here, there = (Admission.objects.get(org_path=path) for path in (make.SCHOOL, make.SISTER))
    page, submit = reverse("enrolling:admissions"), reverse("transfers:admissions_submit")
    client.force_login(make.make_registrar())
    client.post(page, {f"class-{here.pk}": target.pk})
    assert f"学校{SISTER}也录取了该生" in client.get(page).content.decode()
    assert client.post(submit).status_code == 409
    with pytest.raises(RequirementFailed, match="重复招生"):
        file_entry(student, next_class(make.NEIGHBOUR))
    settle = reverse("enrolling:settle", args=[here.pk])
    assert client.post(settle, {"act": "claim", "reason": "短"}).status_code == 422
    assert client.post(settle, {"act": "claim", "reason": "该生每日在本校上课"}).status_code == 302
    assert client.post(submit).status_code == 409  # the other side has not answered yet
    assert client.post(reverse("enrolling:settle", args=[there.pk]), {"act": "drop"}).status_code == 404
    client.force_login(make.make_registrar(make.SISTER))
    shown = client.get(page).content.decode()
    assert f"学校{SCHOOL}也录取了该生" in shown
    assert "该生每日在本校上课" in shown
    gone = {"act": "drop", "reason": "该生未到本校就读"}
    assert client.post(reverse("enrolling:settle", args=[there.pk]), gone).status_code == 302
    client.force_login(make.make_registrar())
    assert client.post(submit).status_code == 302
    case = Case.objects.get(kind="enrolment_list")
    acts = Event.objects.filter(action__startswith="registry.admission.", subject_id__in=(here.pk, there.pk))
    assert {act.action.rsplit(".", 1)[1] for act in acts} >= {"claim", "drop"}
    # Refused: her row waits again.
    leader = make.make_leader()
    with scope(make.SCHOOL):
        decide(case, "refuse", actor=leader, reason="名单有误")
    assert Admission.objects.get(pk=here.pk).state == "waiting"


def test_one_who_cannot_be_placed_any_more_goes_back_alone(client: Any) -> None:
    a, b = graduate(make.SISTER), graduate(make.SISTER)
    full, target = next_class(), next_class()
    admitted(client, (a, SCHOOL), (b, SCHOOL))
    client.force_login(make.make_registrar())
    rows = {row.student_id: row.pk for row in Admission.objects.all()}
    chosen = {f"class-{rows[a.pk]}": full.pk, f"class-{rows[b.pk]}": target.pk}
    client.post(reverse("enrolling:admissions"), chosen)
    client.post(reverse("transfers:admissions_submit"))
    SchoolClass.objects.filter(pk=full.pk).update(cap=0)
    sign_all(Case.objects.get(kind="enrolment_list"))
    states = dict(Admission.objects.values_list("student_id", "state"))
    assert states == {a.pk: "waiting", b.pk: "enrolled"}
    assert "上限 0 人" in Admission.objects.get(student=a).dropped_why
    assert Student.objects.get(pk=a.pk).org_path == make.SISTER


@pytest.mark.rule("D17", "AUXILIARY_NUMBERS")
def test_auxiliary_numbers_follow_the_class_and_stay_for_life(client: Any) -> None:
    school_class = make.make_class(make.SCHOOL, number="2026001")
    pupils = [make.make_student(school_class, name=name) for name in ("林甲", "林乙")]
    address = reverse("enrolling:number_class", args=[school_class.pk])
    page = reverse("registry:school_class", args=[school_class.pk])
    client.force_login(make.make_registrar())
    assert address not in client.get(page).content.decode()
    assert client.post(address).status_code == 409
    make.make_rule("AUXILIARY_NUMBERS", True)
    assert address in client.get(page).content.decode()
    assert client.post(address).status_code == 302
    numbers = StudentNumber.objects.filter(kind="auxiliary", student__in=pupils)
    held = dict(numbers.values_list("student_id", "number"))
    assert sorted(held.values()) == [f"{SCHOOL}2026001001", f"{SCHOOL}2026001002"]
    third = make.make_student(school_class, name="林丙")
    client.post(address)
    assert StudentNumber.objects.get(student=third, kind="auxiliary").number == f"{SCHOOL}2026001003"
    assert dict(numbers.values_list("student_id", "number")) == held  # what was given stays
    assert Event.objects.filter(action="registry.student.auxiliary").count() == 3
    client.force_login(make.make_leader())
    assert client.post(address).status_code == 403


def test_the_school_that_graduated_her_learns_where_she_went() -> None:
    student = graduate(make.SISTER)
    spell = student.enrolments.get()
    made = GraduationList.objects.create(
        org_path=make.SISTER,
        school=spell.school,
        school_year=2025,
        grade="16",
        prepared_by=make.make_registrar(make.SISTER),
        prepared_by_name="测试",
    )
    held = GraduationRecord(
        org_path=make.SISTER, graduation=made, student=student, enrolment=spell, school_year=2025,
        school_name=spell.school.name, grade="16", name=student.name, sex=student.sex, outcome="1",
        number="BY-TEST-1", graduated_on=today(), fields=b"",
    )  # fmt: skip
    held.save(force_insert=True)
    case = sign_all(file_entry(student, next_class()))
    held.refresh_from_db()
    assert (held.org_path, held.destination, held.next_case_no) == (make.SISTER, "16", case.number)
    assert held.next_school == f"学校{SCHOOL}"
