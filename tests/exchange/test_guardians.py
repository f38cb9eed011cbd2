"""The guardians' page: a code, an identity check, the own record, who looked, an objection."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from audit.models import AccessEntry, Event
from audit.services import record_read
from config.clock import today
from exchange.guardians.models import GuardianCode
from registry.models import Student
from registry.record import open_number
from tests import make
from transfers.models import Case

pytestmark = pytest.mark.usefixtures("nation")


@pytest.fixture
def registrar() -> User:
    return make.make_registrar()


@pytest.fixture
def student(registrar: User) -> Student:
    make.make_leader()
    make.make_reviewer()
    return make.make_student(make.make_class())


def hand_over(client: Client, student: Student, registrar: User) -> str:
    """The code as the page shows it, once."""
    client.force_login(registrar)
    address = f"/exchange/guardian-codes/{student.public_id}"
    page = client.post(address, {"relation": "52"})
    assert page.status_code == 200
    code = "".join(page.context["fresh"]["groups"])
    assert code not in client.get(address).content.decode()
    client.logout()
    return code


def number_of(student: Student) -> str:
    return open_number(student.documents.get())


def enter(client: Client, code: str, student: Student, /, **changes: str) -> Any:
    given = {"code": code, "name": student.name, "number": number_of(student), **changes}
    return client.post("/guardian/enter", given)


@pytest.mark.rule("RD-4", "RD-3", "RD-7", "R-ACC-07", "INSPECTION_HIDDEN_DAYS")
def test_a_guardian_reads_the_own_record_and_who_looked_but_no_persons_name(
    client: Client, student: Student, registrar: User
) -> None:
    auditor = make.make_user("auditor", make.PROVINCE, name="巡查甲")
    for reader in (registrar, make.make_reviewer(name="核办乙"), auditor):
        reader.acting_post = reader.posts.get()
        record_read(student, actor=reader, route="registry:student", purpose="核对信息", fields=["basic"])
    code = hand_over(client, student, registrar)
    assert enter(client, code, student).status_code == 302
    before = AccessEntry.objects.filter(subject_id=student.pk).count()
    page = client.get("/guardian/")
    words = page.content.decode()
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    assert "南山区教育局" in words
    assert "广东省教育厅" not in words  # an inspection, shown after 90 days
    assert not [name for name in ("巡查甲", "核办乙", registrar.name) if name in words]
    assert number_of(student) not in words
    assert AccessEntry.objects.filter(subject_id=student.pk).count() == before + 1
    make.make_rule("INSPECTION_HIDDEN_DAYS", 0, make.PROVINCE)
    assert "广东省教育厅" in client.get("/guardian/").content.decode()


@pytest.mark.rule("RD-4", "AZ-2")
@pytest.mark.parametrize(
    "wrong", [{"code": "A" * 26}, {"name": "别人"}, {"number": "110101201901010010"}, {"number": ""}]
)
def test_who_does_not_fit_gets_one_sentence_and_nothing_else(
    client: Client, student: Student, registrar: User, wrong: dict[str, str]
) -> None:
    code = hand_over(client, student, registrar)
    refused = enter(client, code, student, **wrong)
    assert refused.status_code == (400 if wrong == {"number": ""} else 403)
    assert client.get("/guardian/").status_code == 302


@pytest.mark.rule("RD-4", "GUARDIAN_CODE_TRIES", "GUARDIAN_CODE_DAYS", "GUARDIAN_MINUTES")
def test_a_code_ends_by_failures_by_the_school_by_its_day_and_by_leaving(
    client: Client, student: Student, registrar: User
) -> None:
    code = hand_over(client, student, registrar)
    for _try in range(5):
        assert enter(client, code, student, name="别人").status_code == 403
    assert enter(client, code, student).status_code == 403

    code = hand_over(client, student, registrar)
    row = GuardianCode.objects.get(ended_at=None)
    assert enter(client, code, student).status_code == 302
    other = make.make_registrar(make.SISTER)
    stranger = Client()
    stranger.force_login(other)
    assert stranger.post(f"/exchange/guardian-codes/{row.pk}/end").status_code == 404
    Student.objects.filter(pk=student.pk).update(org_path=make.SISTER)  # gone to another school
    assert client.get("/guardian/").status_code == 404
    Student.objects.filter(pk=student.pk).update(org_path=make.SCHOOL)
    assert client.get("/guardian/").status_code == 200
    session = client.session
    session["guardian_seen"] -= 15 * 60 + 1  # fifteen idle minutes
    session.save()
    assert client.get("/guardian/").status_code == 302
    assert enter(client, code, student).status_code == 302
    school = Client()
    school.force_login(registrar)
    assert school.post(f"/exchange/guardian-codes/{row.pk}/end").status_code == 302
    assert client.get("/guardian/").status_code == 302

    code = hand_over(client, student, registrar)
    GuardianCode.objects.filter(ended_at=None).update(until=today().replace(year=today().year - 1))
    assert enter(client, code, student).status_code == 403


@pytest.mark.rule("RD-4")
def test_an_objection_becomes_a_case_and_a_look_can_be_proved(
    client: Client, student: Student, registrar: User
) -> None:
    code = hand_over(client, student, registrar)
    enter(client, code, student)
    given = {
        "field": "name",
        "text": "名字第二个字写错了",
        "guardian_name": "张家长",
        "contact": "13800138000",
    }
    empty = client.post("/guardian/dispute", given | {"text": ""})
    assert empty.status_code == 400
    assert "请说明哪里不对" in empty.content.decode()
    assert not Case.objects.filter(kind="dispute").exists()
    filed = client.post("/guardian/dispute", given)
    assert filed.status_code == 200
    case = Case.objects.get(kind="dispute", student=student)
    assert filed.context["case"].number == case.number
    assert case.number in [one.number for one in client.get("/guardian/").context["business"]]
    own = AccessEntry.objects.filter(subject_id=student.pk, subject_type="student").latest("pk")
    unsealed = client.get(f"/guardian/proof/{own.pk}")  # what is not committed has no leaf yet
    assert unsealed.status_code == 409
    assert "签名检查点" in unsealed.content.decode()
    foreign = AccessEntry.objects.exclude(subject_id=student.pk).first()
    assert foreign is None or client.get(f"/guardian/proof/{foreign.pk}").status_code == 404
    assert client.post("/guardian/leave").status_code == 302
    assert client.get("/guardian/").status_code == 302
    assert Event.objects.filter(action="exchange.guardian.enter").exists()


@pytest.mark.rule("RD-4")
def test_a_signed_in_clerk_is_no_guardian(client: Client, student: Student, registrar: User) -> None:
    code = hand_over(client, student, registrar)
    client.force_login(registrar)
    assert enter(client, code, student).status_code == 200
    assert client.get("/guardian/").status_code == 302
