"""关键数据变更 of a name, and changes reported after the deadline (R-UPD-03, R-UPD-06 to R-UPD-08)."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import Event
from config.clock import today
from config.rules import rule
from registry.models import Student
from registry.services.refusals import RecordFrozen, RecordRefused
from tests import make
from tests.transfers.filing import decide_all, finish, make_material
from transfers.casefile import open_file
from transfers.kinds.identity_change import IDENTITY_CHANGE
from transfers.models import Case
from transfers.refusals import CaseLocked, NamesakeFound, RequirementFailed
from transfers.services import decide, file_case

pytestmark = pytest.mark.usefixtures("nation")
NEW = "欧阳改"


@pytest.fixture
def office() -> dict[str, Any]:
    return {
        "class": make.make_class(),
        "registrar": make.make_registrar(),
        "leader": make.make_leader(),
        "reviewer": make.make_reviewer(),
    }


def propose(office: dict[str, Any], student: Student, **proposed: str) -> Case:
    return file_case(
        IDENTITY_CHANGE,
        make.make_office(make.SCHOOL),
        actor=office["registrar"],
        materials=[make_material(office["registrar"])],
        secrets={f"proposed_{key}": text for key, text in proposed.items()},
        student=student,
        proposed=proposed,
    )


def settle(case: Case, office: dict[str, Any]) -> Student:
    decide_all(case, office)
    finish(case)
    return Student.objects.get(pk=case.student_id)


def nameless(office: dict[str, Any], **changes: str) -> Student:
    """A pupil without a number: name, sex and birth date are all there is to tell her by."""
    guardian = {"member1_id_type": "1", "member1_id_number": make.identity_number(date(1986, 5, 1), "1")}
    return make.make_student(office["class"], id_type="Z", id_number="", **guardian | changes)


@pytest.mark.rule("R-UPD-08", "R-UPD-07", "R-UPD-04")
def test_a_new_name_goes_through_two_offices_and_the_old_one_stays_as_former_name(
    office: dict[str, Any],
) -> None:
    student = make.make_student(office["class"], name="林旧名")
    number = student.documents.get().mask
    case = propose(office, student, name=NEW)
    assert Student.objects.get(pk=student.pk).name == "林旧名"  # nothing changes before the decision
    student = settle(case, office)
    assert (student.name, student.former_name, student.name_py[:6]) == (NEW, "林旧名", "ouyang")
    spell = student.enrolments.get()
    assert (spell.name, spell.name_py) == (NEW, student.name_py)
    assert student.documents.get().mask == number
    event = Event.objects.get(action="registry.student.rename", subject_id=student.pk)
    assert (event.fields, event.detail["is_late"], NEW in str(event.detail)) == (
        ["name", "former_name"], False, False,
    )  # fmt: skip
    again = settle(propose(office, student, name="林又名"), office)
    assert again.former_name == f"{NEW}、林旧名"


@pytest.mark.rule("R-UPD-08", "R-UPD-07")
def test_name_and_number_may_change_in_one_case(office: dict[str, Any]) -> None:
    student = make.make_student(office["class"])
    number = make.identity_number(student.birth_on, student.sex)
    student = settle(propose(office, student, name=NEW, id_type="1", id_number=number), office)
    assert student.name == NEW
    assert student.documents.order_by("-id")[0].mask[-4:] == number[-4:]


@pytest.mark.rule("R-UPD-08", "R-UPD-07")
def test_a_proposal_that_says_nothing_or_the_same_or_nonsense_is_refused(office: dict[str, Any]) -> None:
    student = make.make_student(office["class"], name="林·阿依")
    tomorrow = (today() + timedelta(days=1)).isoformat()
    for proposed, code in (
        ({}, "nothing_proposed"),
        ({"name": "林•阿依"}, "same_name"),
        ({"name": "林?"}, None),
        ({"name": NEW, "happened_on": tomorrow}, "happened_when"),
        ({"name": NEW, "happened_on": "2001-02-03"}, "happened_when"),
        ({"name": NEW, "happened_on": "去年"}, "happened_when"),
    ):
        with pytest.raises(RecordRefused) as refusal:
            propose(office, student, **proposed)
        assert code is None or code in {finding.code for finding in refusal.value.findings}, proposed
    student.enrolments.update(status="07")
    with pytest.raises(RecordFrozen):
        propose(office, student, name=NEW)


@pytest.mark.rule("R-UPD-06", "R-EST-05")
def test_the_duplicate_check_runs_before_filing_and_again_at_each_step(office: dict[str, Any]) -> None:
    student = nameless(office)
    same = {"name": NEW, "sex": student.sex, "birth_on": student.birth_on.isoformat()}
    case = propose(office, student, name=NEW)
    rival = make.make_student(make.make_class(make.FAR), **same)
    with pytest.raises(RequirementFailed, match="问题学籍"):
        decide(case, "approve", actor=office["leader"], ticked=["01"])
    other = nameless(office, birth_on=rival.birth_on.isoformat(), sex=rival.sex)
    with pytest.raises(NamesakeFound):
        propose(office, other, name=NEW)
    numbered = make.make_student(office["class"], sex=rival.sex, birth_on=rival.birth_on.isoformat())
    propose(office, numbered, name=NEW)  # her number tells her from the namesake


@pytest.mark.rule("G-06", "R-TRF-06")
def test_a_name_change_during_open_business_is_refused(office: dict[str, Any]) -> None:
    student = make.make_student(office["class"])
    propose(office, student, name=NEW)
    with pytest.raises(CaseLocked):
        propose(office, student, name="林另名")


@pytest.mark.rule("R-UPD-03", "CHANGE_DEADLINE")
def test_a_change_reported_after_a_month_is_accepted_and_marked_late(office: dict[str, Any]) -> None:
    in_time, late = (make.make_student(office["class"]) for _n in range(2))
    month_ago = next(
        day
        for day in (today() - timedelta(days=n) for n in range(40, 0, -1))
        if rule("CHANGE_DEADLINE").days_after(day) == today()
    )
    Student.objects.update(birth_on=today() - timedelta(days=4000))
    in_time.refresh_from_db()
    late.refresh_from_db()
    first = propose(office, in_time, name=NEW, happened_on=month_ago.isoformat())
    second = propose(office, late, name="林迟报", happened_on=f"{month_ago - timedelta(days=2):%Y%m%d}")
    said = {r.code: str(why) for r, why in open_file(Case.objects.get(pk=second.pk), office["leader"]).checks}
    assert "已逾期" in said["in_time"]
    for case, is_late in ((first, False), (second, True)):
        assert case.payload["is_late"] is is_late
        student = settle(case, office)
        event = Event.objects.get(action="registry.student.rename", subject_id=student.pk)
        assert event.detail["is_late"] is is_late


@pytest.mark.rule("R-UPD-08", "R-UPD-03")
def test_the_page_proposes_a_name_and_shows_it_beside_the_old_one(
    client: Client, office: dict[str, Any]
) -> None:
    student = make.make_student(office["class"], name="林旧名")
    address = reverse("transfers:identity_change", args=[student.public_id])
    client.force_login(office["registrar"])
    assert 'name="happened_on"' in client.get(address).content.decode()
    paper = str(make_material(office["registrar"]).public_id)
    sent = {"id_type": "1", "id_number": "", "name": "林?", "happened_on": "", "key": uuid4().hex}
    refused = client.post(address, sent | {"document": [paper]})
    assert (refused.status_code, 'value="林?"' in refused.content.decode()) == (422, True)
    assert (
        client.post(address, sent | {"name": NEW, "key": uuid4().hex, "document": [paper]}).status_code == 302
    )
    case = Case.objects.get(student=student)
    client.force_login(office["leader"])
    page = client.get(reverse("transfers:case", args=[case.number])).content.decode()
    assert NEW in page
    assert "林旧名" in page
    settle(case, office)
    record = client.get(reverse("registry:student", args=[student.public_id])).content.decode()
    assert "林旧名" in record
