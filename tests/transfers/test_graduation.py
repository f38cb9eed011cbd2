"""Graduation where an authority decides: senior list, roll-back, proof; and 在办业务清理 (G-10)."""

from datetime import date

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from audit.models import Event
from audit.services import System
from config.clock import today
from registry.graduation.afterwards import roll_back
from registry.graduation.refusals import LaterSpell
from registry.models import (
    CertificateProof,
    Enrolment,
    GraduationRecord,
    OpenBusiness,
    ProblemRecord,
    StatusChange,
    Student,
)
from registry.services.changing import Change
from registry.services.refusals import GraduateFrozen, RecordFrozen
from tests import make
from tests.archives.test_printing import pages_of
from tests.transfers.filing import finish, make_material
from tests.transfers.graduating import Leavers, open_window, status_of
from tests.transfers.moving import far_period, open_season
from tests.transfers.world import World
from transfers import filing
from transfers.cleanup import cleaned_in_words
from transfers.key_data import propose
from transfers.kind import Kind
from transfers.kinds.class_change import CLASS_CHANGE
from transfers.kinds.graduation import ROLL_BACK
from transfers.kinds.identity_change import IDENTITY_CHANGE
from transfers.models import Case
from transfers.refusals import NotForStatus, RequirementFailed
from transfers.services import decide, file_case, lock_pupils
from transfers.tasks import clean_graduating_business

pytestmark = pytest.mark.usefixtures("nation")


class Office(Leavers):
    def decide_all(self, case: Case, *ticked: str) -> None:
        for person in (self.leader, self.reviewer):
            decide(Case.objects.get(pk=case.pk), "approve", actor=person, ticked=ticked)
        finish(case)

    def graduates(self) -> list[GraduationRecord]:
        self.graduate()
        return list(GraduationRecord.objects.order_by("number"))


@pytest.mark.rule("R-GRD-03", "R-GRD-04", "R-GRD-02")
def test_seniors_graduate_complete_or_leave_by_the_authority_s_word() -> None:
    office = Office("33")
    made = office.draft()
    first, second, third = office.pupils
    rows = f"/graduation/{made.public_id}/rows"
    assert office.post(office.registrar, rows, row=[second.pk], outcome="2").status_code == 302
    assert office.post(office.registrar, rows, row=[third.pk], outcome="3").status_code == 302
    make.make_rule("GRADUATION_WINDOW", far_period(), make.NATION)
    assert office.submit(made).status_code == 409
    open_window()
    assert office.submit(made).status_code == 302
    make.make_rule("GRADUATION_WINDOW", far_period(), make.NATION)  # what was filed in time goes on
    case = Case.objects.get(kind="graduation")
    made.refresh_from_db()
    assert (made.state, made.case_no, case.count) == ("applied", case.number, 3)
    assert OpenBusiness.objects.filter(case_no=case.number).count() == 3  # nothing else begins meanwhile
    assert office.confirm(made).status_code == 409  # the school's own word is not enough
    for who in (office.leader, office.reviewer):
        page = office.get(who, f"/cases/{case.number}").content.decode()
        assert "结业" in page
        assert "肄业" in page
    office.decide_all(case)
    assert [status_of(one) for one in (first, second, third)] == ["07", "08", "09"]
    assert Case.objects.get(pk=case.pk).state == Case.State.DONE
    assert not OpenBusiness.objects.exists()
    assert set(StatusChange.objects.values_list("case_no", "category")) == {
        (case.number, "60"), (case.number, "62"), (case.number, "63"),
    }  # fmt: skip
    office.school_class.refresh_from_db()
    assert not office.school_class.is_open


@pytest.mark.rule("R-GRD-03")
def test_a_refused_application_gives_the_list_back() -> None:
    office = Office("33")
    made = office.draft()
    office.submit(made)
    case = Case.objects.get(kind="graduation")
    decide(case, "refuse", actor=office.leader, reason="名单不完整")
    made.refresh_from_db()
    assert (made.state, made.case_no, made.returned_reason) == ("draft", "", "名单不完整")
    assert {status_of(one) for one in office.pupils} == {"01"}
    assert not OpenBusiness.objects.exists()
    assert office.submit(made).status_code == 302


@pytest.mark.rule("G-10", "R-GRD-02")
def test_open_business_blocks_until_the_authority_has_cleaned_up() -> None:
    office = Office("16")
    open_season()
    made = office.draft()
    pupil = office.pupils[0]
    target = make.make_class(grade="16", name="六(7)班")
    case = filing.file_pupil(
        CLASS_CHANGE, make.make_office(make.SCHOOL), pupil, {"class_id": str(target.pk), "note": "调整"},
        actor=office.registrar,
    )  # fmt: skip
    refused = office.submit(made)
    assert (refused.status_code, case.number in refused.content.decode()) == (409, True)
    clean = {"case": [case.number], "reason": "毕业前清理"}
    assert office.post(office.leader, "/graduating-business/clean", **clean).status_code == 403
    assert office.post(office.reviewer, "/graduating-business/clean", **clean).status_code == 302
    assert Case.objects.get(pk=case.pk).state == Case.State.WITHDRAWN
    assert Enrolment.objects.get(student=pupil).school_class_id == office.school_class.pk
    assert office.submit(made).status_code == office.confirm(made).status_code == 302
    assert {status_of(one) for one in office.pupils} == {"07"}


@pytest.mark.rule("A7.4", "GRADUATING_FREEZE", "GRADUATING_CLEAN_ON", "R-GRD-02", "R-PRB-05", "RE-4")
def test_graduating_grades_file_nothing_in_july_and_what_they_left_is_cleaned_on_its_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def on(day: str) -> None:
        monkeypatch.setenv("XUEJI_CLOCK", day)

    def rename(student: Student) -> Case:
        materials = [make_material(world.registrar)]
        return propose(student, world.school, {"name": "林改名"}, actor=world.registrar, materials=materials)

    on("2027-06-28")
    world = World()
    six, busy, dead, wrong, doubted = (world.pupil("16") for _each in range(5))
    for student in (wrong, doubted):
        ProblemRecord.objects.create(
            org_path=make.SCHOOL, other_path=make.SCHOOL, type="1", side="single", student=student,
            found_by="测试", detail="测试",
        )  # fmt: skip
    five = world.file("suspension", world.pupil("15"), reason="05", until=lambda: "2027-12-31")
    left = [world.file("aid", busy, until=lambda: "2027-08-31"), world.file("death", dead)]
    left.append(rename(doubted))  # or she could not graduate
    Case.objects.update(filed_at="2027-06-28T09:00:00+08:00")
    assert not world.checks("suspension", six)["graduating_freeze"].stops
    on("2027-07-01")
    for code in ("aid", "suspension", "abroad"):
        assert "毕业年级暂停受理" in world.checks(code, six)["graduating_freeze"].why, code
    assert not world.checks("suspension", world.pupil("15"))["graduating_freeze"].stops
    with pytest.raises(RequirementFailed) as refused:
        rename(six)
    assert (refused.value.rule, "2027年8月15日起恢复" in refused.value.detail) == ("GRADUATING_FREEZE", True)
    answer = rename(wrong)
    Case.objects.filter(pk=answer.pk).update(filed_at="2027-07-01T09:00:00+08:00")

    on("2027-07-14")
    assert clean_graduating_business() == 0
    on("2027-07-15")
    assert [clean_graduating_business(), clean_graduating_business()] == [1, 0]
    states = [Case.objects.get(pk=case.pk).state for case in (*left, five, answer)]
    assert states == [Case.State.WITHDRAWN, *[Case.State.WAITING] * 4]
    cleaned = Case.objects.get(pk=left[0].pk)
    assert "系统于 2027-07-15 终止了本办件" in cleaned_in_words(cleaned)
    assert not OpenBusiness.objects.filter(student=busy).exists()
    event = Event.objects.get(action="transfers.case.clean_up", subject_id=cleaned.pk)
    assert (event.basis, event.actor_name) == ("R-GRD-02", "系统")
    on("2027-08-15")
    assert not world.checks("suspension", six)["graduating_freeze"].stops


@pytest.mark.rule("R-GRD-06")
def test_a_roll_back_needs_the_authority_and_voids_the_number_for_ever() -> None:
    office = Office("16")
    school = make.make_office(make.SCHOOL)
    record = office.graduates()[0]
    student = Student.objects.get(pk=record.student_id)
    with pytest.raises(GraduateFrozen):  # key data too are frozen until then
        file_case(
            IDENTITY_CHANGE, school, actor=office.registrar, from_school=school, student=student,
            materials=[make_material(office.registrar)], proposed={"sex": "1", "happened_on": "2026-01-05"},
        )  # fmt: skip
    paper = make_material(office.registrar, "99")
    given = {"statement": "毕业类型办理有误"}
    case = filing.file_pupil(ROLL_BACK, school, student, given, actor=office.registrar, materials=[paper])
    decide(Case.objects.get(pk=case.pk), "approve", actor=office.leader, ticked=["99"])
    assert status_of(student) == "07"
    decide(Case.objects.get(pk=case.pk), "approve", actor=office.reviewer, ticked=["99"])
    finish(case)
    spell = Enrolment.objects.get(student=student)
    assert (spell.status, spell.valid.upper) == ("01", None)
    record.refresh_from_db()
    assert (record.voided_on, record.voided_by_case) == (today(), case.number)
    assert spell.school_class is not None
    assert spell.school_class.is_open
    make.make_rule("GRADUATION_WINDOW", far_period(), make.NATION)  # what was decided wrongly waits for none
    again = office.graduates()
    assert len({one.number for one in again}) == 4  # three of the first list, and a new one
    assert sorted(int(one.number[14:19]) for one in again) == [1, 2, 3, 4]


@pytest.mark.rule("R-GRD-06")
def test_who_went_on_to_the_next_stage_is_not_rolled_back() -> None:
    office = Office("16")
    record = office.graduates()[0]
    student = Student.objects.get(pk=record.student_id)
    Enrolment.objects.filter(student=student).update(valid=DateRange(date(2020, 9, 1), today()))
    spell = Enrolment.objects.get(student=student)
    spell.pk, spell.status, spell.grade = None, "01", "21"
    spell.valid = DateRange(today(), None)
    spell.save(force_insert=True)
    with pytest.raises(RecordFrozen):
        filing.file_pupil(
            ROLL_BACK, make.make_office(make.SCHOOL), student, {"statement": "办理有误"},
            actor=office.registrar, materials=[make_material(office.registrar, "99")],
        )  # fmt: skip
    change = Change(ROLL_BACK.code, ROLL_BACK.name, "HT1", "17", today(), today())
    with pytest.raises(LaterSpell):
        roll_back(student, change, actor=System(make.SCHOOL))
    record.refresh_from_db()
    assert record.voided_on is None


@pytest.mark.rule("R-GRD-07")
def test_a_lost_certificate_becomes_a_proof_and_no_second_original() -> None:
    office = Office("16")
    record = office.graduates()[0]
    route = f"/graduates/{record.public_id}/proof"
    paper = make_material(office.registrar, "31")
    asked = {"ground": "1", "document": [str(paper.public_id)], "key": "proof-of-one-0001"}
    assert office.post(office.registrar, route, **asked).status_code == 409  # the original was never printed
    certificates = f"/graduation/{record.graduation.public_id}/certificates"
    assert office.post(office.registrar, certificates, **{"class": record.class_number}).status_code == 200
    assert office.post(office.registrar, route, ground="1", key="proof-of-one-0002").status_code == 422
    assert office.post(office.leader, route, **asked).status_code == 403
    filed = office.post(office.registrar, route, **asked)
    assert filed.status_code == 302
    assert office.post(office.registrar, route, **asked)["Location"] == filed["Location"]
    case = Case.objects.get(kind="graduation_proof")
    page = office.get(office.registrar, f"/cases/{case.number}").content.decode()
    assert record.name in page
    assert not CertificateProof.objects.exists()
    office.decide_all(case, "31")
    proof = CertificateProof.objects.get(record=record)
    assert proof.number == f"{record.number}-01"
    printed = office.post(office.registrar, f"/proofs/{case.number}/print")
    words = "".join(pages_of(printed.content))
    assert all(text in words for text in ("毕业证明书", record.name, proof.number, "因遗失无法出示原件"))
    assert office.post(office.registrar, f"/proofs/{case.number}/print").status_code == 409
    assert office.post(office.registrar, certificates, **{"class": record.class_number}).status_code == 409


@pytest.mark.rule("R-GRD-02", "G-10")
def test_what_waited_while_the_pupil_graduated_comes_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    pupil = world.pupil("12")

    def lock_after_waiting(kind: Kind, case: Case) -> None:
        Enrolment.objects.filter(student=pupil).update(status="07")
        lock_pupils(kind, case)

    monkeypatch.setattr("transfers.services.lock_pupils", lock_after_waiting)
    with pytest.raises(NotForStatus, match="“毕业”"):
        world.file("aid", pupil)
    assert not OpenBusiness.objects.filter(student=pupil).exists()
