"""招生入学: a graduate's record is continued at the school of the next stage, never made again (A7.3)."""

from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test.utils import CaptureQueriesContext
from django.urls import reverse, reverse_lazy
from openpyxl import Workbook

from accounts.models import Notice
from audit.models import AccessEntry, Event
from audit.services import System
from config.clock import today
from config.jobs import JobCancelled
from config.scope import scope
from registry import tasks
from registry.enrolling import lists
from registry.enrolling.admissions import lose, note_refused
from registry.enrolling.grades import grades_after
from registry.enrolling.refusals import NothingReady
from registry.entries.services import add_entry
from registry.models import (
    Admission,
    AdmissionList,
    Enrolment,
    EnrolmentSnapshot,
    OpenBusiness,
    ProblemRecord,
    Protection,
    RecordEntry,
    School,
    SchoolClass,
    Student,
    StudentNumber,
)
from registry.services.changing import follow
from registry.services.refusals import EvidenceMissing, RecordRefused
from registry.status import GRADUATED, NORMAL
from tests import make
from tests.transfers.filing import make_material
from tests.transfers.moving import far_period, file_move, open_season, period_now, pupil_at, sign_all
from transfers.consistency import EnrolledElsewhere, OpenElsewhere, StatusEnded
from transfers.enrolling import submit_admissions
from transfers.filing import refile
from transfers.kinds import enrolment_list
from transfers.kinds.enrolment import ENROLMENT
from transfers.kinds.enrolment_claim import ENROLMENT_CLAIM
from transfers.kinds.enrolment_list import enrol_some
from transfers.kinds.transfer import TRANSFER
from transfers.models import Case
from transfers.refusals import NotForStatus, RequirementFailed
from transfers.services import decide, withdraw

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


@pytest.mark.rule("ENROLMENT_WINDOWS", "A7.3")
def test_across_provinces_a_graduate_is_enrolled_in_the_windows_only() -> None:
    student, near, target = graduate(make.FAR), graduate(), next_class()
    make.make_rule("ENROLMENT_WINDOWS", [far_period()], make.NATION)
    with pytest.raises(RequirementFailed, match="不在跨省入学窗口内，下次开放为.*例外") as refused:
        file_entry(student, target)
    assert (refused.value.rule, refused.value.article) == ("ENROLMENT_WINDOWS", "教育部年度毕业升级工作通知")
    assert file_entry(near, target).is_open  # within the province there is no window
    make.make_rule("ENROLMENT_WINDOWS", [period_now()], make.NATION)
    assert sign_all(file_entry(student, target)).state == Case.State.DONE


# ── 重复招生: two schools that enrol one pupil by themselves ───────────────────────────────────────────────
def claim(student: Student, path: str, against: str, papers: tuple[str, ...] = ("20",)) -> Case:
    """The school at `path` finds the pupil and files its proof against the other one."""
    given = {"other": str(make.make_office(against).pk), "statement": "开学起每日在本校上课"}
    return file_move(student, next_class(path), kind=ENROLMENT_CLAIM, papers=papers, given=given)


@pytest.mark.rule("R-TRF-06", "A7.3")
def test_of_two_schools_that_enrol_one_pupil_the_authority_says_which() -> None:
    student, target = graduate(OTHER_CITY), next_class()
    with pytest.raises(RecordRefused):  # nobody else has her
        claim(student, make.SISTER, make.SCHOOL)
    first = file_entry(student, target)
    assert OpenBusiness.objects.get(student=student).case_no == first.number
    with pytest.raises(OpenElsewhere, match="询问进度"):  # the same school again
        file_entry(student, target)
    with pytest.raises(EnrolledElsewhere, match="重复招生核实"):  # another one is told the way on
        file_entry(student, next_class(make.SISTER))
    with pytest.raises(EvidenceMissing, match="就读证明"):
        claim(student, make.SISTER, make.SCHOOL, papers=())
    theirs = claim(student, make.SISTER, make.SCHOOL)
    assert Notice.objects.filter(about=theirs.number, user__posts__office__path=make.SCHOOL).exists()
    with pytest.raises(RequirementFailed, match=theirs.number):
        claim(student, make.SISTER, make.SCHOOL)
    with pytest.raises(RequirementFailed, match=theirs.number):
        sign_all(first)
    # Both sides are seen by both, the claim from its other side as well.
    with scope(make.SCHOOL):
        assert Case.objects.get(number=theirs.number).from_name == f"学校{SCHOOL}"
    ours = claim(student, make.SCHOOL, make.SISTER)
    # A poor proof comes back and is handed in again, though the record lies with neither side.
    leader, registrar = make.make_leader(make.SISTER), make.make_registrar(make.SISTER)
    with scope(make.SISTER):
        decide(theirs, "return", actor=leader, reason="证明没有盖章")
        returned = Case.objects.get(pk=theirs.pk)
        given = {"other": returned.payload["asked"]["other"], "statement": "开学起在七(1)班上课"}
        refile(returned, given, actor=registrar, materials=[make_material(registrar, "20")])
    done = sign_all(theirs)
    assert (done.state, done.steps.filter(decision="approve").count()) == (Case.State.DONE, 2)
    for lost in (first, ours):
        lost.refresh_from_db()
        assert (lost.state, lost.card) == (Case.State.REFUSED, None)
    reasons = Event.objects.filter(action="transfers.case.refuse").values_list("reason", flat=True)
    assert all(theirs.number in reason for reason in reasons)
    assert not OpenBusiness.objects.filter(student=student).exists()
    sign_all(file_entry(student, next_class(make.SISTER)))
    assert Student.objects.get(pk=student.pk).org_path == make.SISTER


@pytest.mark.rule("A7.3")
def test_across_counties_both_authorities_decide_and_a_claim_goes_by_when_the_other_side_leaves() -> None:
    student = graduate()
    first = file_entry(student, next_class())
    theirs = claim(student, make.NEIGHBOUR, make.SCHOOL)
    offices = list(theirs.steps.order_by("ordinal").values_list("office_path", flat=True))
    assert offices == [make.NEIGHBOUR, make.NEIGHBOUR_COUNTY, make.COUNTY]
    with scope(make.SCHOOL):
        withdraw(Case.objects.get(pk=first.pk), actor=make.make_registrar(), reason="该生未到本校报到")
    with pytest.raises(RequirementFailed, match="直接办理升学入籍"):
        sign_all(theirs)
    assert file_entry(student, next_class(make.NEIGHBOUR)).is_open


@pytest.mark.rule("R-TRF-06")
def test_who_has_not_graduated_is_not_enrolled() -> None:
    pupil = pupil_at(make.NEIGHBOUR, grade="16")
    with pytest.raises(NotForStatus):
        file_entry(pupil, next_class())
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


def upload(client: Any, sheet: SimpleUploadedFile) -> AdmissionList:
    """A list as the county uploads it, and the job that matches it, twice."""
    answer = client.post(reverse("enrolling:results"), {"file": sheet})
    made = AdmissionList.objects.latest("pk")
    assert answer.url == reverse("enrolling:result", args=[made.public_id])
    assert "正在排队" in client.get(answer.url).content.decode()
    tasks.match_admissions(made.job_id)
    tasks.match_admissions(made.job_id)
    made.refresh_from_db()
    assert made.stored_as == ""
    return made


@pytest.mark.rule("A7.3", "BASE_LIST_MATCH", "FI-2", "AZ-1")
def test_a_result_list_is_taken_whole_or_refused_row_by_row(client: Any) -> None:
    graduate_here, other = graduate(make.SISTER), graduate(make.SISTER)
    pupil, stranger = pupil_at(make.SISTER, grade="16"), graduate(OTHER_CITY)
    make.make_office(make.SCHOOL)
    client.force_login(make.make_reviewer())
    address = reverse("enrolling:results")
    assert client.get(reverse("enrolling:template")).status_code == 200
    assert client.post(address, {"file": SimpleUploadedFile("a.xlsx", b"no workbook")}).status_code == 422
    assert upload(client, results([])).failure["code"] == "admission_list_foreign"
    wrong = upload(client, results([
        [graduate_here.number, "", "", "9999999999"],
        [pupil.number, "", "", SCHOOL],  # has not graduated
        [stranger.number, "", "", SCHOOL],  # stands on another area's base list
        ["", other.name, SISTER, SCHOOL],
        [other.number, "", "", SISTER],
    ]))  # fmt: skip
    page = client.get(reverse("enrolling:result", args=[wrong.public_id])).content.decode()
    assert (wrong.state, wrong.job.state, Admission.objects.count()) == ("failed", "failed", 0)
    for words in ("没有这所学校", "没有对应的毕业生", "同一学生在表中出现两次", "第 2 行", "第 4 行"):
        assert words in page, words
    good = results([[graduate_here.number, "", "", SCHOOL], ["", other.name, SISTER, SCHOOL]])
    assert (upload(client, good).state, made_rows()) == ("done", {(make.SCHOOL, "21")})
    again = upload(client, results([[graduate_here.number, "", "", SCHOOL]]))
    assert "已在这所学校的录取名单中" in again.failure["findings"][0]
    client.force_login(make.make_registrar())
    assert client.get(address).status_code == 403
    assert graduate_here.name in client.get(reverse("enrolling:admissions")).content.decode()
    client.force_login(make.make_registrar(make.SISTER))
    assert graduate_here.name not in client.get(reverse("enrolling:admissions")).content.decode()


def made_rows() -> set[tuple[str, str]]:
    return set(Admission.objects.values_list("org_path", "grade"))


def admitted(*pairs: tuple[Student, str]) -> dict[int, Admission]:
    """The county's result list gives these graduates to these schools."""
    county = make.make_reviewer()
    return {student.pk: make.make_admission(student, county, path) for student, path in pairs}


PAGE, SUBMIT, PLACE = (
    reverse_lazy(name)
    for name in ("enrolling:admissions", "transfers:admissions_submit", "transfers:admissions_place")
)


@pytest.mark.rule("A7.3", "R-EST-01", "R-NUM-01", "R-PRB-05")
def test_the_school_places_its_list_hands_it_in_and_nobody_is_enrolled_before_the_authority_decides(
    client: Any,
) -> None:
    a, b = graduate(make.SISTER), graduate(make.SISTER)
    target, primary = next_class(), make.make_class(make.SCHOOL, grade="12")
    rows = admitted((a, make.SCHOOL), (b, make.SCHOOL))
    client.force_login(make.make_registrar())
    assert client.post(SUBMIT).status_code == 409  # nobody has a class
    for wrong, status in ((primary.pk, 422), (make.make_class(make.SISTER, grade="21").pk, 422)):
        assert client.post(PLACE, {f"class-{rows[a.pk].pk}": wrong}).status_code == status
    assert client.post(PLACE, {"class-999999": target.pk}).status_code == 404
    assert client.post(PLACE, {f"class-{rows[a.pk].pk}": target.pk}).status_code == 302
    doubt = ProblemRecord.objects.create(
        org_path=make.SISTER, other_path=make.SISTER, type="1", side="single", student=a, found_by="测试",
        detail="测试",
    )  # fmt: skip
    stopped = client.post(SUBMIT)
    assert (stopped.status_code, f"{a.name}有未处理的问题学籍" in stopped.content.decode()) == (409, True)
    ProblemRecord.objects.filter(pk=doubt.pk).update(is_hint=True)  # a hint stops nobody
    assert client.post(SUBMIT).status_code == 302
    case = Case.objects.get(kind="enrolment_list")
    assert (case.payload["admissions"], case.reach) == ([rows[a.pk].pk], make.COUNTY)
    assert a.name in client.get(reverse("transfers:case", args=[case.number])).content.decode()
    assert not Enrolment.objects.filter(school_class=target).exists()
    # Filed rows are neither dropped nor handed in again.
    drop = reverse("enrolling:drop", args=[rows[a.pk].pk])
    assert client.post(drop, {"reason": "该生未到校报到"}).status_code == 409
    case = sign_all(case)
    spell = Enrolment.objects.get(student=a, school_class=target)
    assert (spell.status, spell.grade, Student.objects.get(pk=a.pk).number) == (NORMAL, "21", a.number)
    assert set(Admission.objects.values_list("student_id", "state")) == {
        (a.pk, "enrolled"), (b.pk, "waiting"),
    }  # fmt: skip
    assert not Enrolment.objects.filter(student=b, org_path=make.SCHOOL).exists()


@pytest.mark.rule("PLACEMENT_REGISTERS", "D7", "A7.3")
def test_where_placement_registers_the_last_one_placed_hands_the_list_in(client: Any) -> None:
    a, b = graduate(make.SISTER), graduate(make.SISTER)
    target = next_class()
    rows = admitted((a, make.SCHOOL), (b, make.SCHOOL))
    make.make_rule("PLACEMENT_REGISTERS", True, make.PROVINCE)
    client.force_login(make.make_registrar())
    assert "全部编班后自动报送" in client.get(PAGE).content.decode()
    client.post(PLACE, {f"class-{rows[a.pk].pk}": target.pk})
    assert not Case.objects.filter(kind="enrolment_list").exists()
    client.post(PLACE, {f"class-{rows[b.pk].pk}": target.pk})
    case = Case.objects.get(kind="enrolment_list")
    assert (case.count, set(Admission.objects.values_list("case_no", flat=True))) == (2, {case.number})
    assert Event.objects.filter(action="registry.admission.place").count() == 2
    assert not Enrolment.objects.filter(school_class=target).exists()  # the authority decides all the same
    # The same over the API, once for each key.
    with scope(make.SCHOOL):
        decide(case, "refuse", actor=make.make_leader(), reason="名单有误")

    def place(chosen: int | None, key: str) -> Any:
        body = {"places": [{"id": rows[a.pk].pk, "class_id": chosen}]}
        headers = {"Idempotency-Key": key} if key else {}
        return client.post(reverse("admission-place"), body, "application/json", headers=headers)

    assert place(None, "").json()["code"] == "idempotency_key_missing"
    assert place(None, "place-001").json() == {"count": 1, "case": ""}
    made, again = place(target.pk, "place-002"), place(target.pk, "place-002")
    assert (made.status_code, made["Location"], made.json()) == (201, again["Location"], again.json())
    assert Case.objects.filter(kind="enrolment_list", is_open=True).get().number == made.json()["case"]
    assert place(None, "place-002").status_code == 422


@pytest.mark.rule("A7.3")
def test_a_double_enrolment_shows_both_sides_and_the_one_without_the_pupil_deletes(client: Any) -> None:
    student, target = graduate(make.SISTER), next_class()
    here = admitted((student, make.SCHOOL))[student.pk]
    there = admitted((student, make.SISTER))[student.pk]
    client.force_login(make.make_reviewer())
    assert "重复招生" in client.get(reverse("enrolling:results")).content.decode()
    client.force_login(make.make_registrar())
    client.post(PLACE, {f"class-{here.pk}": target.pk})
    assert f"学校{SISTER}也录取了该生" in client.get(PAGE).content.decode()
    assert client.post(SUBMIT).status_code == 409
    with pytest.raises(RequirementFailed, match="重复招生"):
        file_entry(student, next_class(make.NEIGHBOUR))
    drop = reverse("enrolling:drop", args=[there.pk])
    assert client.post(drop, {"reason": "该生未到本校就读"}).status_code == 404
    client.force_login(make.make_registrar(make.SISTER))
    assert f"学校{SCHOOL}也录取了该生" in client.get(PAGE).content.decode()
    assert client.post(drop, {"reason": "短"}).status_code == 422
    assert client.post(drop, {"reason": "该生未到本校就读"}).status_code == 302
    client.force_login(make.make_registrar())
    assert client.post(SUBMIT).status_code == 302
    case = Case.objects.get(kind="enrolment_list")
    # Refused: her row waits again.
    leader = make.make_leader()
    with scope(make.SCHOOL):
        decide(case, "refuse", actor=leader, reason="名单有误")
    assert Admission.objects.get(pk=here.pk).state == "waiting"


@pytest.mark.rule("A7.3", "AP-4")
def test_a_claim_on_a_double_enrolment_brings_its_proof_and_takes_the_pupil_off_the_other_list(
    client: Any,
) -> None:
    student, target = graduate(make.SISTER), next_class(make.SISTER)
    here = admitted((student, make.SCHOOL))[student.pk]
    there = admitted((student, make.SISTER))[student.pk]
    registrar = make.make_registrar(make.SISTER)
    client.force_login(registrar)
    form = {"kind": "enrolment_claim", "admission": here.pk}
    assert client.post(reverse("transfers:move_in"), form).status_code == 404  # another school's row
    form["admission"] = there.pk
    # The list opens a claim alone, and while it gives her to the school; that is a look-up in the trace.
    assert client.post(reverse("transfers:move_in"), form | {"kind": "enrolment"}).status_code == 404
    Admission.objects.filter(pk=there.pk).update(state="dropped")
    assert client.post(reverse("transfers:move_in"), form).status_code == 404
    Admission.objects.filter(pk=there.pk).update(state="waiting")
    looked = AccessEntry.objects.filter(outcome=AccessEntry.Outcome.LOOK_UP, actor_id=registrar.pk)
    assert not looked.exists()
    page = client.post(reverse("transfers:move_in"), form).content.decode()
    assert f"学校{SCHOOL}" in page
    assert looked.get().code == "found"
    # The same over the API, with the proof that was uploaded before.
    told = client.get(reverse("admission-list")).json()["results"][0]
    address = reverse("admission-claim", args=[told["id"]])
    sent = {
        "other": told["doubles"][0]["school"],
        "statement": "每日在本校上课",
        "materials": [str(UUID(int=9))],
    }
    key = {"HTTP_IDEMPOTENCY_KEY": "claim-1234"}
    assert client.post(address, sent, "application/json", **key).status_code in (404, 422)
    sent["materials"] = [str(make_material(registrar, "20").public_id)]
    made = client.post(address, sent, "application/json", **key)
    assert made.status_code == 201, made.content
    assert client.post(address, sent, "application/json", **key).json() == made.json()
    case = Case.objects.get(number=made.json()["number"])
    assert looked.filter(route="admission-claim").exists()
    assert "已提交在校就读证明" in client.get(PAGE).content.decode()
    client.force_login(make.make_registrar())
    assert "已提交在校就读证明" in client.get(PAGE).content.decode()
    assert client.get(reverse("transfers:case", args=[case.number])).status_code == 200
    client.force_login(registrar)
    sign_all(case)
    states = dict(Admission.objects.values_list("pk", "state"))
    assert states == {here.pk: "dropped", there.pk: "waiting"}
    assert case.number in Admission.objects.get(pk=here.pk).dropped_why
    placed = {"places": [{"id": there.pk, "class_id": target.pk}]}
    placed = client.post(reverse("admission-place"), placed, "application/json", **key)
    assert placed.json() == {"count": 1, "case": ""}
    filed = client.post(reverse("admission-submit"), {}, "application/json", **key)
    assert (filed.status_code, filed.json()["count"]) == (201, 1)
    drop = reverse("admission-drop", args=[there.pk])
    late = client.post(drop, {"reason": "该生未到本校就读"}, "application/json")
    assert (late.status_code, late.json()["code"]) == (409, "admission_over")


@pytest.mark.rule("AZ-10", "A7.3")
def test_of_a_protected_pupil_neither_side_of_a_double_enrolment_reads_where_the_other_is(
    client: Any,
) -> None:
    student, county = graduate(make.SISTER), make.make_reviewer()
    here, _there = (make.make_admission(student, county, path) for path in (make.SCHOOL, make.SISTER))
    boss, name = make.make_user("bureau_leader", make.COUNTY), f"学校{SISTER}"
    Protection.objects.create(
        org_path=make.SISTER, student=student, reason="人身安全保护令", until=today() + timedelta(days=9),
        state=Protection.State.IN_FORCE, proposed_by=boss, proposed_by_name="测试",
    )  # fmt: skip
    client.force_login(county)
    assert student.name not in client.get(reverse("enrolling:results")).content.decode()
    client.force_login(make.make_registrar())
    page = client.get(PAGE).content.decode()
    assert ("不予显示" in page, name in page) == (True, False)
    told = client.get(reverse("admission-list")).json()["results"][0]["doubles"]
    assert "不予显示" in told[0]["name"]
    with pytest.raises(RequirementFailed, match="不予显示"):
        file_entry(student, next_class(make.NEIGHBOUR))
    case = claim(student, make.SISTER, make.SCHOOL)
    assert name not in Notice.objects.filter(about=case.number).earliest("pk").text
    Admission.objects.exclude(pk=here.pk).update(state="dropped")
    with pytest.raises(RequirementFailed, match="不予显示.*已就该生提交重复招生核实"):
        file_entry(student, next_class())
    sign_all(case)
    why = Admission.objects.get(pk=here.pk).dropped_why
    assert ("不予显示" in why, name in why) == (True, False)


@pytest.mark.rule("A7.3", "AP-4", "R-EST-10")
def test_a_result_list_over_the_api(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    student = graduate(make.SISTER)
    make.make_office(make.SCHOOL)
    client.force_login(make.make_reviewer())
    address, key = reverse("admissionlist-list"), {"HTTP_IDEMPOTENCY_KEY": "results-1"}

    def sheet() -> dict[str, SimpleUploadedFile]:
        book.seek(0)
        return {"file": book}

    book = results([[student.number, "", "", SCHOOL]])
    assert client.post(address, sheet()).status_code == 400
    made = client.post(address, sheet(), **key)
    assert (made.status_code, made.json()["state"]) == (201, "waiting")
    assert client.post(address, sheet(), **key).json()["id"] == made.json()["id"]
    tasks.match_admissions(AdmissionList.objects.get().job_id)
    told = client.get(made["Location"]).json()
    assert (told["state"], told["rows"], told["failure"]) == ("done", 1, {})
    assert client.get(address).json()["total"] == 1
    # A job that somebody ends while it runs leaves no list that is being checked for ever.
    made = client.post(address, {"file": results([])}, headers={"Idempotency-Key": "results-2"})
    cut = AdmissionList.objects.latest("pk")

    def stop(*_given: Any) -> None:
        raise JobCancelled

    monkeypatch.setattr(lists, "read", stop)
    tasks.match_admissions(cut.job_id)
    cut.refresh_from_db()
    told = client.get(made["Location"]).json()
    assert (told["state"], told["failure"]["code"]) == ("failed", "admission_list_stopped")
    assert (cut.stored_as, cut.job.state) == ("", "failed")
    client.force_login(make.make_reviewer(make.NEIGHBOUR_COUNTY))
    assert client.get(made["Location"]).status_code == 404


def test_a_list_of_any_length_takes_the_same_statements() -> None:
    target, counts = next_class(), []
    for many in (1, 3):
        rows = admitted(*((graduate(make.SISTER), make.SCHOOL) for _place in range(many)))
        Admission.objects.filter(state="waiting").update(school_class=target)
        case = submit_admissions(actor=make.make_registrar())
        with CaptureQueriesContext(connection) as seen:
            assert enrol_some(case, System())
        counts.append(len(seen))
        assert Enrolment.objects.filter(student__in=rows, school_class=target, status=NORMAL).count() == many
        assert EnrolmentSnapshot.objects.filter(student__in=rows, org_path=make.SISTER).count() == many
    assert counts[0] == counts[1], counts


def test_one_who_cannot_be_placed_any_more_goes_back_alone(client: Any) -> None:
    a, b = graduate(make.SISTER), graduate(make.SISTER)
    full, target = next_class(), next_class()
    rows = admitted((a, make.SCHOOL), (b, make.SCHOOL))
    client.force_login(make.make_registrar())
    client.post(PLACE, {f"class-{rows[a.pk].pk}": full.pk, f"class-{rows[b.pk].pk}": target.pk})
    client.post(SUBMIT)
    SchoolClass.objects.filter(pk=full.pk).update(cap=0)
    sign_all(Case.objects.get(kind="enrolment_list"))
    states = dict(Admission.objects.values_list("student_id", "state"))
    assert states == {a.pk: "waiting", b.pk: "enrolled"}
    assert "上限 0 人" in Admission.objects.get(student=a).dropped_why
    assert Student.objects.get(pk=a.pk).org_path == make.SISTER


@pytest.mark.rule("A7.3")
def test_whom_a_ruling_takes_off_the_list_while_it_is_enrolled_stays_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a, b = graduate(make.SISTER), graduate(make.SISTER)
    rows = admitted((a, make.SCHOOL), (b, make.SCHOOL))
    Admission.objects.update(school_class=next_class())
    case = submit_admissions(actor=make.make_registrar())
    whole = enrolment_list._enrol

    def ruled(*given: Any) -> None:
        """Between reading the pack and enrolling it another school wins her."""
        lose(a.pk, make.SCHOOL, "裁定", actor=System())
        whole(*given)

    monkeypatch.setattr(enrolment_list, "_enrol", ruled)
    assert enrol_some(case, System())
    states = dict(Admission.objects.values_list("student_id", "state"))
    assert states == {a.pk: "dropped", b.pk: "enrolled"}
    note_refused(rows[a.pk], NothingReady(), actor=System())  # nor by being refused
    assert Admission.objects.get(student=a).state == "dropped"
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
    follow([third.pk], make.SCHOOL, make.SISTER)  # she leaves, and her number with her
    Enrolment.objects.filter(student=third).update(school_class=None)
    fourth = make.make_student(school_class, name="林丁")
    assert client.post(address).status_code == 302
    assert StudentNumber.objects.get(student=fourth, kind="auxiliary").number == f"{SCHOOL}2026001004"
    client.force_login(make.make_leader())
    assert client.post(address).status_code == 403


@pytest.mark.rule("R-GRD-05")
def test_the_school_that_graduated_her_learns_where_she_went() -> None:
    student = graduate(make.SISTER)
    held = make.make_graduate(student.enrolments.get(), today())
    case = sign_all(file_entry(student, next_class()))
    held.refresh_from_db()
    assert (held.org_path, held.destination, held.next_case_no) == (make.SISTER, "16", case.number)
    assert held.next_school == f"学校{SCHOOL}"
