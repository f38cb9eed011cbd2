"""The pattern "change of data", and what the authority does to data: key data, class, aid, a school's plan,
a void status, clean-up before graduation (R-UPD, R-GRD-02, G-06, G-10).
"""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import Event
from config.clock import today
from config.errors import NotAllowed, NotFound, Refusal
from registry.models import (
    AidRecognition,
    Enrolment,
    IdentityDocument,
    IntakePlan,
    OpenBusiness,
    SchoolClass,
    StatusQuota,
    Student,
)
from registry.record import load_record, values_of
from registry.services import aid
from registry.services.allowances import last_day, school_year
from registry.services.blockers import BusinessUnfinished, refuse_if_open_business
from registry.services.changing import Change, change_status
from registry.services.editing import update_normal
from registry.services.intake_rules import quota_state
from registry.services.refusals import (
    EvidenceMissing,
    KeyFieldLocked,
    NumberTaken,
    RecordFrozen,
    RecordRefused,
)
from registry.status import NORMAL, VOIDED
from tests import make
from tests.transfers.filing import finish, make_material
from tests.transfers.moving import far_period
from transfers.casefile import open_file
from transfers.cleanup import clean_up, graduating_business
from transfers.filing import file_pupil
from transfers.key_data import propose, propose_again
from transfers.kinds.aid import RECOGNITION, REMOVAL
from transfers.kinds.allowances import ALLOWANCE_CHANGE
from transfers.kinds.class_change import CLASS_CHANGE
from transfers.kinds.voiding import VOIDING
from transfers.models import Case
from transfers.refusals import CaseLocked, EvidenceNotTicked, NamesakeFound, RequirementFailed
from transfers.services import decide, file_case, withdraw

pytestmark = pytest.mark.usefixtures("nation")
Office = dict[str, Any]
PAPERS = ("01", "03", "99")


@pytest.fixture
def office() -> Office:
    return {
        "class": make.make_class(),
        "school": make.make_office(make.SCHOOL),
        "county": make.make_office(make.COUNTY),
        "registrar": make.make_registrar(),
        "leader": make.make_leader(),
        "reviewer": make.make_reviewer(),
        "city": make.make_reviewer(make.CITY),
    }


def approve(case: Case, *people: User) -> Case:
    """Everybody in turn agrees, and the worker does the rest."""
    for person in people:
        types = list(case.evidence.values_list("type", flat=True))
        decide(Case.objects.get(pk=case.pk), "approve", actor=person, ticked=types)
    finish(case)
    return Case.objects.get(pk=case.pk)


def both(office: Office) -> tuple[User, User]:
    return office["leader"], office["reviewer"]


def change(office: Office, student: Student, papers: tuple[str, ...] = ("01",), **proposed: str) -> Case:
    materials = [make_material(office["registrar"], code) for code in papers]
    return propose(student, office["school"], proposed, actor=office["registrar"], materials=materials)


def refused_codes(office: Office, student: Student, **proposed: str) -> set[str]:
    with pytest.raises(RecordRefused) as refusal:
        change(office, student, PAPERS, **proposed)
    return {finding.code for finding in refusal.value.findings}


# ── 关键数据 ──────────────────────────────────────────────────────────────────────────────────────────────
PROVINCIAL = ("ethnic_group", "nationality", "overseas_status", "birthplace", "native_place", "hukou_type",
              "hukou_division", "attendance_mode")  # fmt: skip


# field: proposed, the paper that proves it, one that does not
FIELDS = {
    "sex": ("1", "03", "04"),
    "birth_on": ("", "01", "17"),
    "ethnic_group": ("11", "01", "99"),
    "native_place": ("四川成都", "03", "17"),
    "birthplace": ("510104000000", "04", "17"),
    "hukou_type": ("1", "01", "04"),
    "hukou_division": ("510104000000", "01", "17"),
    "attendance_mode": ("2", "20", "01"),
}


@pytest.mark.rule("R-UPD-05", "R-UPD-07", "R-UPD-04", "KEY_FIELDS")
def test_each_key_field_changes_by_a_case_with_its_own_paper(office: Office) -> None:
    student = without_number(office)
    before = values_of(load_record(student))
    proposed = {key: value for key, (value, _paper, _wrong) in FIELDS.items()}
    proposed["birth_on"] = (student.birth_on + timedelta(days=1)).isoformat()
    own = {key: proposed[key] for key in FIELDS if key in PROVINCIAL}
    assert refused_codes(office, student, **own) == {"not_key"}
    make.make_rule("KEY_FIELDS", [*_national(), *own], make.PROVINCE)
    for key, (_value, _paper, wrong) in FIELDS.items():
        with pytest.raises(KeyFieldLocked):
            update_normal(student, {key: proposed[key]}, version=1, actor=office["registrar"])
        with pytest.raises(EvidenceMissing):
            change(office, student, (wrong,), **{key: proposed[key]})
    papers = tuple({paper for _value, paper, _wrong in FIELDS.values()})
    case = change(office, student, papers, **proposed)
    shown = open_file(case, office["reviewer"]).changes
    assert (len(shown), any(line.before == line.after for line in shown)) == (len(FIELDS), False)
    # The values are sealed with the card.
    assert set(case.payload) == {"fields", "happened_on", "due_on", "is_late"}
    decide(case, "approve", actor=office["leader"], ticked=papers)
    with pytest.raises(EvidenceNotTicked):
        decide(Case.objects.get(pk=case.pk), "approve", actor=office["reviewer"], ticked=["01", "03", "04"])
    approve(case, office["reviewer"])
    after = values_of(load_record(Student.objects.get(pk=student.pk)))
    assert {key: after[key] for key in FIELDS} == proposed
    assert all(before[key] != after[key] for key in FIELDS)
    assert (
        open_file(Case.objects.get(pk=case.pk), office["reviewer"]).changes == shown
    )  # what stood there stays
    event = Event.objects.get(action="registry.student.rekey", subject_id=student.pk)
    assert (set(event.fields), "四川成都" in str(event.detail)) == (set(FIELDS), False)


def _national() -> list[str]:
    from config.rules.catalogue import NATIONAL_KEY_FIELDS

    return list(NATIONAL_KEY_FIELDS)


def without_number(office: Office, **changes: str) -> Student:
    """A pupil told from others by name, sex and birth date alone."""
    guardian = {"member1_id_type": "1", "member1_id_number": make.identity_number(date(1986, 5, 1), "1")}
    return make.make_student(office["class"], id_type="Z", id_number="", **guardian | changes)


@pytest.mark.rule("R-EST-06", "R-UPD-06", "R-UPD-10")
def test_sex_and_birth_date_change_together_with_a_number_that_says_the_same(office: Office) -> None:
    student = make.make_student(office["class"])
    other = (student.birth_on + timedelta(days=2)).isoformat()
    assert "id_sex_contradicts" in refused_codes(office, student, sex="1")
    assert "id_birth_contradicts" in refused_codes(office, student, birth_on=other)
    number = make.identity_number(date.fromisoformat(other), "1")
    assert "id_sex_contradicts" in refused_codes(office, student, id_number=number, birth_on=other)
    for proposed, code in (
        ({}, "nothing_proposed"),
        ({"sex": student.sex}, "same_value"),
        ({"grade": "12"}, "own_procedure"),
        ({"phone": "13700137000"}, "not_key"),
        ({"birth_on": (today() + timedelta(days=9)).isoformat()}, "birth_future"),
    ):
        assert code in refused_codes(office, student, **proposed), proposed
    case = change(office, student, sex="1", birth_on=other, id_number=number)
    assert number not in str(case.payload)
    approve(case, *both(office))
    student.refresh_from_db()
    assert (student.sex, student.birth_on.isoformat()) == ("1", other)
    assert student.enrolments.get().sex == "1"
    assert student.documents.order_by("-id")[0].mask[-4:] == number[-4:]


@pytest.mark.rule("R-UPD-06", "R-EST-05")
def test_the_check_under_new_sex_and_birth_date_stops_every_step_and_rejects_at_the_end(
    office: Office,
) -> None:
    student = without_number(office)
    boy = {"name": student.name, "sex": "1", "birth_on": student.birth_on.isoformat()}
    case = change(office, student, sex="1")
    decide(case, "approve", actor=office["leader"], ticked=["01"])
    rival = make.make_student(make.make_class(make.FAR), **boy)
    with pytest.raises(RequirementFailed, match="问题学籍"):
        decide(Case.objects.get(pk=case.pk), "approve", actor=office["reviewer"], ticked=["01"])
    with pytest.raises(NamesakeFound):
        change(office, without_number(office, name=student.name, birth_on=boy["birth_on"]), sex="1")
    taken = make.identity_number(student.birth_on, student.sex)
    late = change(office, without_number(office, birth_on=boy["birth_on"]), id_type="1", id_number=taken)
    for person in both(office):
        decide(Case.objects.get(pk=late.pk), "approve", actor=person, ticked=["01"])
    make.make_student(make.make_class(make.FAR), id_number=taken, birth_on=boy["birth_on"], sex=student.sex)
    finish(late)
    late.refresh_from_db()
    assert (late.state, rival.pk == late.student_id) == (Case.State.REFUSED, False)
    assert not OpenBusiness.objects.filter(student=late.student_id).exists()


@pytest.mark.rule("R-UPD-06", "A14")
def test_a_passport_is_found_under_the_new_nationality(office: Office) -> None:
    make.make_rule("KEY_FIELDS", [*_national(), "nationality", "overseas_status"], make.PROVINCE)
    abroad = {"nationality": "USA", "overseas_status": "51", "id_type": "A", "id_number": "C12345678"}
    student = make.make_student(office["class"], **abroad)
    rival = make.make_student(make.make_class(make.FAR), **abroad | {"nationality": "CAN"})
    with pytest.raises(NumberTaken):
        change(office, student, ("17",), nationality="CAN")
    assert "overseas_nationality" in refused_codes(office, student, overseas_status="00")
    approve(change(office, student, ("17",), nationality="AUS"), *both(office))
    blinds = IdentityDocument.objects.filter(student__in=(student, rival)).values_list("blind", flat=True)
    assert len(set(blinds)) == 2
    assert Student.objects.get(pk=student.pk).nationality == "AUS"


@pytest.mark.rule("R-UPD-07", "R-UPD-08", "R-TRF-04")
def test_a_returned_change_is_proposed_anew_on_the_page(client: Client, office: Office) -> None:
    student = make.make_student(office["class"], name="林旧名")
    case = change(office, student, name="林错名")
    decide(case, "return", actor=office["leader"], reason="姓名与户口簿不一致")
    address = reverse("transfers:correct", args=[case.number])
    client.force_login(office["registrar"])
    page = client.get(address).content.decode()
    assert 'value="林错名"' in page
    assert "现登记：林旧名" in page
    assert client.post(address, {"name": "林旧名"}).status_code == 422
    assert client.post(address, {"name": "林正名"}).status_code == 302
    with pytest.raises(Refusal):
        propose_again(Case.objects.get(pk=case.pk), {"name": "林"}, actor=office["registrar"], materials=[])
    approve(Case.objects.get(pk=case.pk), *both(office))
    student.refresh_from_db()
    assert (student.name, student.former_name) == ("林正名", "林旧名")


@pytest.mark.rule("R-UPD-05", "AZ-5")
def test_the_page_offers_the_key_fields_of_the_place_alone(client: Client, office: Office) -> None:
    student = make.make_student(office["class"])
    address = reverse("transfers:identity_change", args=[student.public_id])
    client.force_login(office["registrar"])
    assert 'name="ethnic_group"' not in client.get(address).content.decode()
    make.make_rule("KEY_FIELDS", [*_national(), "ethnic_group", "hukou_division"], make.PROVINCE)
    page = client.get(address).content.decode()
    assert 'name="ethnic_group"' in page
    assert "广东省深圳市南山区" in page  # what is registered stands beside
    assert client.post(address, {"grade": "12"}).status_code == 400
    paper = str(make_material(office["registrar"]).public_id)
    sent = {"hukou_division": "四川省成都市锦江区", "key": uuid4().hex, "document": [paper]}
    assert client.post(address, sent).status_code == 302
    approve(Case.objects.get(student=student), *both(office))
    assert Student.objects.get(pk=student.pk).hukou_division == "510104000000"
    record = client.get(reverse("registry:student", args=[student.public_id])).content.decode()
    assert "需核准" in record
    assert "可直接修改" in record


@pytest.mark.rule("G-06", "R-TRF-06", "R-UPD-09")
def test_no_change_of_data_while_other_business_is_open_or_after_the_end(office: Office) -> None:
    student = make.make_student(office["class"])
    number = change(office, student, name="林新名").number
    assert OpenBusiness.objects.get(student=student).case_no == number
    other = make.make_class()
    for kind, answers in (
        (CLASS_CHANGE, {"class_id": str(other.pk), "note": "与同桌不和"}),
        (RECOGNITION, recognition()),
    ):
        with pytest.raises(CaseLocked):
            file(office, kind, student, answers)
    with pytest.raises(CaseLocked):
        change(office, student, name="林另名")
    gone = make.make_student(office["class"])
    gone.enrolments.update(status="07")
    with pytest.raises(RecordFrozen):
        change(office, gone, name="林新名")
    with pytest.raises(RecordFrozen):
        file(office, CLASS_CHANGE, gone, {"class_id": str(other.pk), "note": "与同桌不和"})


# ── 调班、困难认定 ───────────────────────────────────────────────────────────────────────────────────────
def file(
    office: Office, kind: Any, student: Student, answers: dict[str, str], actor: str = "registrar"
) -> Case:
    at = office["school"] if actor == "registrar" else make.make_office(office[actor].acting_path)
    materials = [make_material(office[actor], "99")]
    return file_pupil(kind, at, student, answers, actor=office[actor], materials=materials)


@pytest.mark.rule("R-UPD-10", "C5")
def test_another_class_of_the_grade_needs_the_leader_alone(office: Office) -> None:
    student = make.make_student(office["class"], number="L" + "4403052019010100" + "21")
    wanted, above = make.make_class(), make.make_class(grade="12")
    full = make.make_class()
    make.make_student(full)
    SchoolClass.objects.filter(pk=full.pk).update(cap=1)
    for target, what in (
        (office["class"], RecordRefused),  # her own is not offered
        (above, RecordRefused),
        (make.make_class(make.SISTER), RecordRefused),
        (full, RequirementFailed),
    ):
        with pytest.raises(what):
            file(office, CLASS_CHANGE, student, {"class_id": str(target.pk), "note": "班级调整"})
    with pytest.raises(RecordRefused):
        file(office, CLASS_CHANGE, student, {"class_id": str(wanted.pk), "note": ""})
    case = file(office, CLASS_CHANGE, student, {"class_id": str(wanted.pk), "note": "班级调整"})
    assert [step.label for step in case.steps.all()] == ["学校领导审核"]
    SchoolClass.objects.filter(pk=wanted.pk).update(is_open=False)
    with pytest.raises(RequirementFailed, match="停用"):
        decide(case, "approve", actor=office["leader"])
    SchoolClass.objects.filter(pk=wanted.pk).update(is_open=True)
    number = student.number
    assert approve(case, office["leader"]).state == Case.State.DONE
    spell = student.enrolments.get()
    assert (spell.school_class_id, spell.grade, student.changes.get().category) == (wanted.pk, "11", "29")
    assert Student.objects.get(pk=student.pk).number == number


def recognition(**changes: str) -> dict[str, str]:
    begins = today()
    given = {
        "level": "1", "basis": "3", "from_on": begins.isoformat(),
        "until": last_day(begins).isoformat(), "note": "",
    }  # fmt: skip
    return given | changes


@pytest.mark.rule("D17")
def test_hardship_is_recognized_for_a_school_year_and_removed_again(client: Client, office: Office) -> None:
    student = make.make_student(office["class"])
    beyond = (last_day(today()) + timedelta(days=1)).isoformat()
    for wrong, what in (
        (recognition(level="3"), RecordRefused),
        (recognition(until=beyond), RequirementFailed),
        (recognition(from_on=beyond), RequirementFailed),
    ):
        with pytest.raises(what):
            file(office, RECOGNITION, student, wrong)
    with pytest.raises(RequirementFailed, match="无须取消"):
        file(office, REMOVAL, student, {"note": "情况好转"})
    case = file(office, RECOGNITION, student, recognition())
    assert not aid.aid_of(student, today())
    approve(case, *both(office))
    found = AidRecognition.objects.get(student=student)
    assert (found.level, found.valid.upper - timedelta(days=1)) == ("1", last_day(today()))
    events = Event.objects.filter(action__startswith="registry.student.aid", subject_id=student.pk)
    assert "level" not in str(events.get().detail)
    with pytest.raises(RequirementFailed, match="已有"):
        file(office, RECOGNITION, student, recognition())
    client.force_login(office["registrar"])
    shown = client.get(reverse("registry:student", args=[student.public_id])).content.decode()
    assert f"特别困难，{today()}至{last_day(today())}" in shown
    teacher = make.make_user("head_teacher", make.SCHOOL)
    SchoolClass.objects.filter(pk=office["class"].pk).update(head_teacher=teacher)
    client.force_login(teacher)
    assert (
        "特别困难" not in client.get(reverse("registry:student", args=[student.public_id])).content.decode()
    )
    approve(file(office, REMOVAL, student, {"note": "情况好转"}), *both(office))
    found.refresh_from_db()
    assert found.valid.upper == today() + timedelta(days=1)  # ended with this day, kept
    assert aid.aid_of(student, today() + timedelta(days=1)) is None


# ── 招生计划、学籍总量 ───────────────────────────────────────────────────────────────────────────────────
def wish(**changes: str) -> dict[str, str]:
    given = {
        "what": "plan", "school_year": str(school_year(today())), "stage": "2", "figure": "90",
        "basis": "南教请〔2026〕3号", "reason": "学区新增两个小区",
    }  # fmt: skip
    return given | changes


@pytest.mark.rule("INTAKE_PLAN", "QUOTA", "D7", "A7.3")
def test_a_school_asks_for_another_figure_and_the_authority_decides(client: Client, office: Office) -> None:
    client.force_login(office["registrar"])
    address = reverse("transfers:ask_allowance")
    assert address in client.get(reverse("registry:plans", args=[office["school"].pk])).content.decode()
    for wrong, status in (
        (wish(figure="viele"), 422),
        (wish(stage="9"), 422),
        (wish(basis="无"), 422),
        (wish(what="quota"), 409),  # not in use here
    ):
        assert client.post(address, wrong | {"action": "file", "key": uuid4().hex}).status_code == status, (
            wrong
        )
    sent = wish() | {"action": "file", "key": uuid4().hex}
    assert client.post(address, sent).status_code == 302
    case = Case.objects.get(kind="allowance")
    twin = client.post(address, sent | {"key": uuid4().hex, "figure": "95"})
    assert (twin.status_code, case.number in twin.content.decode()) == (409, True)
    page = client.get(reverse("transfers:case", args=[case.number])).content.decode()
    assert "南教请〔2026〕3号" in page
    decide(case, "return", actor=office["leader"], reason="请按九十五人申请")
    back = reverse("transfers:correct", args=[case.number])
    assert 'value="90"' in client.get(back).content.decode()
    assert client.post(back, wish(figure="95") | {"action": "file"}).status_code == 302
    assert not IntakePlan.objects.exists()
    assert approve(case, *both(office)).state == Case.State.DONE
    plan = IntakePlan.objects.get()
    assert (plan.planned, plan.set_by, plan.office_name, plan.document) == (
        95, office["reviewer"], office["county"].name, "南教请〔2026〕3号",
    )  # fmt: skip
    again = client.post(address, wish(figure="95") | {"action": "file", "key": uuid4().hex})
    assert again.status_code == 409  # nothing would change

    make.make_rule("QUOTA_ENABLED", True, make.CITY)
    quota = file_case(
        ALLOWANCE_CHANGE, office["school"], actor=office["registrar"],
        answers=wish(what="quota", figure="600") | {"school_year": ""},
    )  # fmt: skip
    assert [step.label for step in quota.steps.order_by("ordinal")][-1] == "市级备案"
    approve(quota, *both(office), office["city"])
    found = StatusQuota.objects.get()
    assert (found.most, found.set_by) == (600, office["reviewer"])  # decided by the county, filed by the city
    state = quota_state(office["school"].school, "2", today())
    assert state is not None
    assert state.planned == 600


# ── 撤销 ──────────────────────────────────────────────────────────────────────────────────────────────────
FINDING = {"ground": "1", "happened_on": "", "finding": "户口簿系伪造，公安机关已出具核查意见"}


@pytest.mark.rule("R-EST-14", "R-EST-06")
def test_the_authority_files_a_void_and_the_office_above_decides(client: Client, office: Office) -> None:
    number = make.identity_number(make.first_grader_birth())
    student = make.make_student(office["class"], id_number=number)
    make.make_office(make.NATION)
    finding = FINDING | {"happened_on": today().isoformat()}
    elsewhere = {"neighbour": make.make_reviewer(make.NEIGHBOUR_COUNTY)} | office
    with pytest.raises(NotAllowed):
        file(office, VOIDING, student, finding)  # the school may not
    for stranger in ("city", "neighbour"):
        with pytest.raises((NotFound, Student.DoesNotExist)):
            file(elsewhere, VOIDING, student, finding, stranger)
    with pytest.raises(EvidenceMissing):
        file_pupil(VOIDING, office["county"], student, finding, actor=office["reviewer"])
    with pytest.raises(RecordRefused):
        file(office, VOIDING, student, finding | {"finding": ""}, "reviewer")
    case = file(office, VOIDING, student, finding, "reviewer")
    assert (case.from_path, case.to_path) == (make.SCHOOL, make.COUNTY)
    assert "伪造" not in str(case.payload)
    with pytest.raises(CaseLocked):
        change(office, student, name="林新名")
    client.force_login(office["city"])
    assert "伪造" in client.get(reverse("transfers:case", args=[case.number])).content.decode()
    assert approve(case, office["city"]).state == Case.State.DONE
    spell = student.enrolments.get()
    assert (spell.is_void, spell.status) == (True, VOIDED)
    trace = student.changes.get()
    assert (trace.category, trace.reason, trace.from_status) == ("18", "1", NORMAL)
    assert not IdentityDocument.objects.filter(student=student, is_claimed=True).exists()
    assert make.make_student(make.make_class(make.FAR), id_number=number)  # the number is free
    with pytest.raises(RecordFrozen):
        file(office, VOIDING, student, finding, "reviewer")


# ── 在办业务清理 ──────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("G-10", "R-GRD-02")
def test_open_business_blocks_graduation_until_the_authority_has_cleaned_up(
    client: Client, office: Office
) -> None:
    make.make_rule("GRADUATING_FREEZE", far_period(), make.NATION)
    graduating = make.make_class(grade="16", name="六(1)班")
    pupils = [make.make_student(graduating) for _n in range(3)]
    younger = make.make_student(office["class"])
    ids = [pupil.pk for pupil in pupils]
    refuse_if_open_business(ids)
    cases = [
        change(office, pupil, name=f"林毕{n}")
        for n, pupil in zip("甲乙丙丁", (*pupils, younger), strict=True)
    ]
    first, second, third, other = cases
    with pytest.raises(BusinessUnfinished) as refusal:
        refuse_if_open_business(ids)
    assert set(refusal.value.cases) == {case.number for case in cases[:3]}
    assert first.number in refusal.value.detail
    client.force_login(office["registrar"])
    listed = reverse("transfers:blockers")
    page = client.get(listed).content.decode()
    assert all((case.number in page) is (case is not other) for case in cases)
    assert 'name="reason"' not in page  # the school reads, the authority acts
    page_of_one = graduating_business(office["reviewer"], size=1)
    assert (page_of_one.total, len(page_of_one.rows), page_of_one.after is not None) == (3, 1, True)

    act, why = reverse("transfers:clean"), "毕业办理前清理"
    assert client.post(act, {"case": [first.number], "reason": why}).status_code == 403
    for person in (make.make_reviewer(make.NEIGHBOUR_COUNTY), office["city"]):
        with pytest.raises((NotFound, NotAllowed)):
            clean_up(first.number, actor=person, reason=why)
    client.force_login(office["reviewer"])
    for numbers, reason, status in (
        ([first.number], "清", 422),
        ([other.number], why, 409),
        ([], why, 400),
        (["GJ000101000001"], why, 404),
    ):
        assert client.post(act, {"case": numbers, "reason": reason}).status_code == status, numbers
    decide(second, "approve", actor=office["leader"], ticked=["01"])
    done = client.post(act, {"case": [first.number, second.number, other.number], "reason": why})
    assert (done.status_code, "毕业年级学生" in done.content.decode()) == (200, True)
    for case in (first, second):
        case.refresh_from_db()
        assert (case.state, case.payload["cleaned"]["office"]) == (
            Case.State.WITHDRAWN,
            office["county"].name,
        )
        event = Event.objects.get(action="transfers.case.clean_up", subject_id=case.pk)
        assert (event.reason, event.basis) == (why, "R-GRD-02")
        assert "经主管部门清理" in client.get(reverse("transfers:case", args=[case.number])).content.decode()
        again = client.post(act, {"case": [case.number], "reason": why})
        assert again.status_code == 409
    assert Student.objects.get(pk=pupils[0].pk).name == pupils[0].name
    refuse_if_open_business(ids[:2])
    with pytest.raises(BusinessUnfinished):
        refuse_if_open_business(ids)
    withdraw(third, actor=office["registrar"], reason="家长改变主意")
    refuse_if_open_business(ids)
    graduation = Change("graduation", "毕业", "BY000000", "99", today(), today())
    change_status(pupils[0], "07", graduation, actor=office["reviewer"])
    assert Enrolment.objects.get(student=pupils[0]).status == "07"
