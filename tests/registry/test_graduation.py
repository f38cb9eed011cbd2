"""Graduation in the compulsory stage: the list, the leader's word, what it does, what may still happen."""

import json
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from audit.models import Event
from audit.services import System
from config.clock import today
from registry.graduation import effect
from registry.graduation.afterwards import fill_destination
from registry.graduation.checking import examine
from registry.graduation.numbers import certificate_number, is_certificate_number
from registry.graduation.preparing import confirm
from registry.models import (
    CertificatePrint,
    Enrolment,
    GraduationList,
    GraduationRecord,
    OpenBusiness,
    ProblemRecord,
    SchoolClass,
    StatusChange,
    Student,
)
from registry.services.editing import update_normal
from registry.services.refusals import GraduateFrozen
from tests import make
from tests.archives.test_printing import pages_of

pytestmark = pytest.mark.usefixtures("nation")


class School:
    """A grade that graduates: some in school, some not; and who acts."""

    def __init__(self, grade: str = "16", pupils: int = 3) -> None:
        self.school_class: SchoolClass = make.make_class(grade=grade, name="六(1)班")
        self.pupils = [make.make_student(self.school_class) for _each in range(pupils)]
        self.registrar, self.leader = make.make_registrar(), make.make_leader()
        self.client = Client()

    def post(self, who: User, route: str, **given: Any) -> Any:
        self.client.force_login(who)
        return self.client.post(route, given)

    def get(self, who: User, route: str) -> Any:
        self.client.force_login(who)
        return self.client.get(route)

    def draft(self) -> GraduationList:
        answer = self.post(self.registrar, "/graduation/new", grade=self.school_class.grade)
        assert answer.status_code == 302, answer.content.decode()
        made: GraduationList = GraduationList.objects.get(public_id=UUID(answer["Location"].split("/")[2]))
        return made

    def digest(self, graduation: GraduationList) -> str:
        return examine(graduation).digest

    def hand_in(self, graduation: GraduationList) -> Any:
        route = f"/graduation/{graduation.public_id}/submit"
        return self.post(self.registrar, route, digest=self.digest(graduation))

    def confirm(self, graduation: GraduationList, who: User | None = None) -> Any:
        route = f"/graduation/{graduation.public_id}/confirm"
        return self.post(who or self.leader, route, digest=self.digest(graduation))

    def graduate(self) -> GraduationList:
        made = self.draft()
        assert self.hand_in(made).status_code == 302
        assert self.confirm(made).status_code == 302
        made.refresh_from_db()
        return made


@pytest.fixture
def school() -> School:
    return School()


def status_of(student: Student) -> str:
    return str(Enrolment.objects.get(student=student).status)


@pytest.mark.rule("R-GRD-01", "R-GRD-03", "R-GRD-06")
def test_the_school_itself_graduates_who_is_in_school_and_skips_the_others(school: School) -> None:
    away = {code: make.make_student(school.school_class, status=code) for code in ("02", "04", "05")}
    made = school.graduate()
    assert made.state == "done"
    assert {status_of(one) for one in school.pupils} == {"07"}
    assert {code: status_of(one) for code, one in away.items()} == {code: code for code in away}
    for one in school.pupils:
        spell = Enrolment.objects.get(student=one)
        assert spell.valid.upper == today()
        record = GraduationRecord.objects.get(student=one)
        assert is_certificate_number(record.number)
        assert record.open_fields()["name"] == one.name
        change = StatusChange.objects.get(student=one)
        assert (change.from_status, change.to_status) == ("01", "07")
    ids = [one.pk for one in school.pupils]
    assert Event.objects.filter(action="registry.student.graduate", subject_id__in=ids).count() == 3
    school.school_class.refresh_from_db()
    assert school.school_class.is_open  # three still hold an open status in it
    page = school.get(school.leader, f"/graduation/{made.public_id}").content.decode()
    assert school.pupils[0].name in page


@pytest.mark.rule("R-GRD-01")
def test_whoever_is_skipped_is_listed_with_the_reason(school: School) -> None:
    ill = make.make_student(school.school_class, status="02")
    left = make.make_student(school.school_class, status="01")
    Enrolment.objects.filter(student=left).update(status="03", valid=DateRange(date(2020, 9, 1), today()))
    made = school.draft()
    page = school.get(school.registrar, f"/graduation/{made.public_id}").content.decode()
    assert made.total == 3
    for one, why in ((ill, "休学"), (left, "其他离校")):
        assert one.name in page
        assert f"状态为“{why}”，只有正常在校的学生可以毕业" in page


@pytest.mark.rule("R-GRD-01", "R-GRD-04", "R-ACC-02", "R-GRD-03")
def test_what_a_list_refuses(school: School) -> None:
    made = school.draft()
    own = f"/graduation/{made.public_id}"
    one = school.pupils[0].pk
    other = make.make_student(make.make_class()).pk
    tries: list[tuple[User, str, dict[str, Any], int, str]] = [
        (school.registrar, "/graduation/new", {"grade": "16"}, 409, "已有一份未办结的毕业名单"),
        (school.registrar, "/graduation/new", {"grade": "15"}, 422, "不是本校的毕业年级"),
        (school.registrar, "/graduation/new", {"grade": "33"}, 422, "没有正常在校的学生"),
        (school.registrar, f"{own}/rows", {"row": [one], "outcome": "2"}, 422, "只适用于普通高中"),
        (school.registrar, f"{own}/rows", {"row": [one]}, 422, "没有选择学生"),
        (school.registrar, f"{own}/rows", {"row": [other], "destination": "16"}, 422, "没有选择学生"),
        (school.registrar, f"{own}/rows", {"row": [one], "destination": "77"}, 422, "没有选择学生"),
        (school.registrar, f"{own}/rows", {"row": [one], "held": "等"}, 422, "请写明原因"),
        (school.registrar, f"{own}/submit", {"digest": "0" * 16}, 409, "名单或学生状态"),
        (school.leader, f"{own}/confirm", {"digest": school.digest(made)}, 409, "编制中"),
        (school.registrar, f"{own}/confirm", {"digest": school.digest(made)}, 403, ""),
        (make.make_reviewer(), f"{own}/refresh", {}, 403, ""),
        (make.make_registrar(make.SISTER), f"{own}/refresh", {}, 404, ""),
    ]
    for who, route, given, status, words in tries:
        answer = school.post(who, route, **given)
        assert (answer.status_code, words in answer.content.decode()) == (status, True), (route, given)
    assert {status_of(pupil) for pupil in school.pupils} == {"01"}
    school.hand_in(made)
    GraduationList.objects.filter(pk=made.pk).update(handed_in_by=school.leader)
    answer = school.confirm(made)
    assert (answer.status_code, "编制或提交名单的人不能确认" in answer.content.decode()) == (403, True)
    GraduationList.objects.filter(pk=made.pk).update(handed_in_by=school.registrar)
    assert school.post(school.leader, f"{own}/return", reason="请核对去向").status_code == 302
    made.refresh_from_db()
    assert (made.state, made.returned_reason) == ("draft", "请核对去向")
    assert school.hand_in(made).status_code == school.confirm(made).status_code == 302


@pytest.mark.rule("R-GRD-02", "R-PRB-05")
def test_open_business_and_problem_records_block_and_are_named(school: School) -> None:
    made = school.draft()
    busy, doubted = school.pupils[0], school.pupils[1]
    OpenBusiness.objects.create(
        from_path=make.SCHOOL, to_path=make.SCHOOL, student=busy, case_no="ZX1", kind="transfer",
        kind_name="转学",
    )  # fmt: skip
    problem = ProblemRecord.objects.create(
        org_path=make.SCHOOL, other_path=make.SCHOOL, type="1", side="single", student=doubted,
        found_by="测试", detail="测试",
    )  # fmt: skip
    answer = school.hand_in(made)
    page = answer.content.decode()
    assert (answer.status_code, "转学（ZX1）" in page, busy.name in page) == (409, True, True)
    OpenBusiness.objects.all().delete()
    answer = school.hand_in(made)
    assert (answer.status_code, f"问题学籍尚未处理：{doubted.name}" in answer.content.decode()) == (409, True)
    ProblemRecord.objects.filter(pk=problem.pk).update(is_hint=True)  # a hint blocks nothing
    assert school.hand_in(made).status_code == 302
    ProblemRecord.objects.filter(pk=problem.pk).update(is_hint=False)  # found meanwhile
    assert school.confirm(made).status_code == 409
    assert status_of(busy) == "01"


def test_who_is_held_back_graduates_on_a_later_list(school: School) -> None:
    made = school.draft()
    waits = school.pupils[0]
    rows = f"/graduation/{made.public_id}/rows"
    assert school.post(school.registrar, rows, row=[waits.pk], held="问题学籍处理中").status_code == 302
    assert school.post(school.registrar, rows, row=[waits.pk], release="1").status_code == 302
    assert school.post(school.registrar, rows, row=[waits.pk], held="问题学籍处理中").status_code == 302
    assert school.hand_in(made).status_code == school.confirm(made).status_code == 302
    assert (status_of(waits), status_of(school.pupils[1])) == ("01", "07")
    later = school.graduate()
    assert (later.total, status_of(waits)) == (1, "07")
    school.school_class.refresh_from_db()
    assert not school.school_class.is_open  # nobody is in it any more
    numbers = sorted(GraduationRecord.objects.values_list("number", flat=True))
    assert [int(number[14:19]) for number in numbers] == [1, 2, 3]


@pytest.mark.rule("R-GRD-03", "RE-9")
def test_all_graduate_or_nobody_and_once(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    made = school.draft()
    school.hand_in(made)
    digest = school.digest(made)
    plan = {"point": ""}

    def cut(point: str) -> None:
        if point == plan["point"]:
            raise RuntimeError(point)

    monkeypatch.setattr(effect, "fault", cut)
    for point in ("graduate.locked", "graduate.ended", "graduate.recorded", "graduate.done"):
        plan["point"] = point
        with pytest.raises(RuntimeError), transaction.atomic():
            confirm(made, digest, actor=school.leader)
        assert {status_of(one) for one in school.pupils} == {"01"}
        assert not GraduationRecord.objects.exists()
    plan["point"] = ""
    assert confirm(made, digest, actor=school.leader) == confirm(made, digest, actor=school.leader) == 3
    assert GraduationRecord.objects.count() == 3
    assert Event.objects.filter(action="registry.graduation.confirm", subject_id=made.pk).count() == 1


@pytest.mark.rule("R-GRD-06")
def test_basic_data_are_frozen_after_graduation(school: School) -> None:
    pupil = school.pupils[0]
    version = Student.objects.get(pk=pupil.pk).version
    update_normal(pupil, {"phone": "13700137000"}, version=version, actor=school.registrar)
    school.graduate()
    page = school.get(school.registrar, f"/registry/students/{pupil.public_id}/edit")
    assert (page.status_code, "毕业生回退" in page.content.decode()) == (409, True)
    with pytest.raises(GraduateFrozen) as refused:
        update_normal(pupil, {"phone": "13600136000"}, version=version + 2, actor=school.registrar)
    assert (refused.value.code, refused.value.rule) == ("graduate_frozen", "R-GRD-06")
    assert GraduationRecord.objects.get(student=pupil).open_fields()["phone"] == "13700137000"


@pytest.mark.rule("R-GRD-05")
def test_the_destination_is_filled_back_by_the_next_school(school: School) -> None:
    made = school.draft()
    rows = f"/graduation/{made.public_id}/rows"
    given = {"row": [one.pk for one in school.pupils], "destination": "16"}
    assert school.post(school.registrar, rows, **given).status_code == 302
    assert school.post(school.registrar, rows, row=[school.pupils[0].pk], destination="-").status_code == 302
    assert school.hand_in(made).status_code == school.confirm(made).status_code == 302
    records = {one.student_id: one for one in GraduationRecord.objects.all()}
    unknown, known = (records[one.pk] for one in school.pupils[:2])
    assert (unknown.destination, known.destination) == ("", "16")
    route = f"/graduation/graduates/{unknown.public_id}/destination"
    assert school.post(school.registrar, route, destination="14").status_code == 302
    actor = System(make.COUNTY)
    assert fill_destination(school.pupils[0], "16", "实验初级中学", "RX1", actor=actor)
    assert not fill_destination(school.pupils[0], "16", "别的学校", "RX2", actor=actor)
    assert not fill_destination(make.make_student(), "16", "实验初级中学", "RX1", actor=actor)
    unknown.refresh_from_db()
    assert (unknown.destination, unknown.next_school) == ("16", "实验初级中学")
    assert school.post(school.registrar, route, destination="14").status_code == 409
    page = school.get(school.registrar, f"/graduation/graduates/{unknown.public_id}").content.decode()
    assert "普通初中（实验初级中学）" in page


@pytest.mark.rule("R-GRD-07", "R-NUM-05")
def test_a_certificate_number_is_checked_by_its_last_character() -> None:
    number = certificate_number("2144000001", 2027, 1)
    assert (len(number), number[:19], is_certificate_number(number)) == (20, "2144000001202700001", True)
    wrong = [number[:3] + digit + number[4:] for digit in "0123456789" if digit != number[3]]
    swapped = number[:17] + number[18] + number[17] + number[19]
    assert not any(map(is_certificate_number, [*wrong, swapped, number[:-1], f"{number}0"]))
    for serial in (0, 100_000):
        with pytest.raises(ValueError, match="serial"):
            certificate_number("2144000001", 2027, serial)


@pytest.mark.rule("R-GRD-07")
def test_an_original_is_printed_once_and_the_roll_as_often_as_wanted(school: School) -> None:
    made = school.graduate()
    paper = f"/graduation/{made.public_id}/certificates"
    given = {"class": school.school_class.number}
    first = school.post(school.registrar, paper, **given)
    assert (first.status_code, first["Content-Type"]) == (200, "application/pdf")
    pages = pages_of(first.content)
    record = GraduationRecord.objects.order_by("number").first()
    assert record is not None
    assert len(pages) == 3
    assert all(words in pages[0] for words in ("毕业证书", record.name, record.number, "准予毕业"))
    again = school.post(school.registrar, paper, **given)
    assert (again.status_code, "原件只印一次" in again.content.decode()) == (409, True)
    for _time in range(2):
        roll = school.post(school.registrar, f"/graduation/{made.public_id}/roll-paper", **given)
        assert all(one.name in "".join(pages_of(roll.content)) for one in school.pupils)
    prints = CertificatePrint.objects.filter(graduation=made).order_by("id")
    assert list(prints.values_list("kind", "count")) == [("certificate", 3), ("roll", 3), ("roll", 3)]
    page = school.get(school.leader, f"/graduation/{made.public_id}/roll").content.decode()
    assert record.number[:4] in page
    assert record.name in page


@pytest.mark.rule("R-GRD-01", "AZ-2", "RD-3")
def test_graduates_are_found_in_scope_and_on_the_record(school: School) -> None:
    made = school.graduate()
    record = GraduationRecord.objects.get(student=school.pupils[0])
    county, neighbour = make.make_reviewer(), make.make_reviewer(make.NEIGHBOUR_COUNTY)
    for text in (record.name, record.number):
        assert record.name in school.post(county, "/graduation/graduates", q=text).content.decode()
        found = school.post(neighbour, "/graduation/graduates", q=text).content.decode()
        assert str(record.public_id) not in found
    assert school.get(neighbour, f"/graduation/graduates/{record.public_id}").status_code == 404
    year = school.get(county, f"/graduation/graduates?year={made.school_year}").content.decode()
    assert record.name in year
    before = school.get(county, f"/graduation/graduates?year={made.school_year - 1}").content.decode()
    assert record.name not in before
    tab = school.get(
        school.leader, f"/registry/students/{record.student.public_id}?tab=graduation"
    ).content.decode()
    assert f"/graduation/graduates/{record.public_id}" in tab
    counts = []
    for more in (0, 5):
        for _each in range(more):
            make.make_student(make.make_class(grade="16"))
        if more:
            school.graduate()
        school.client.force_login(county)
        with CaptureQueriesContext(connection) as asked:
            school.client.get("/graduation/graduates")
        counts.append(len(asked))
    assert counts[0] == counts[1]


@pytest.mark.rule("AP-4", "R-GRD-03")
def test_a_list_goes_its_way_over_the_api(school: School) -> None:
    ask, key = school.client, {"HTTP_IDEMPOTENCY_KEY": "graduation-2027"}

    def send(route: str, body: dict[str, Any], **more: Any) -> Any:
        return ask.post(f"/api/v1/graduations/{route}", json.dumps(body), "application/json", **more)

    ask.force_login(school.registrar)
    made = send("", {"grade": "16"}, **key)
    assert (made.status_code, made.json()["is_ready"]) == (201, True)
    own = made.json()["id"]
    assert send("", {"grade": "16"}, **key).json()["id"] == own
    one = str(school.pupils[0].public_id)
    assert send(f"{own}/rows/", {"students": [one], "outcome": "3"}).status_code == 422
    held = send(f"{own}/rows/", {"students": [one], "destination": "16"}).json()
    assert send(f"{own}/submit/", {"digest": made.json()["digest"]}).status_code == 409
    assert send(f"{own}/submit/", {"digest": held["digest"]}).json()["state"] == "handed_in"
    assert send(f"{own}/confirm/", {"digest": held["digest"]}).status_code == 403
    ask.force_login(school.leader)
    done = send(f"{own}/confirm/", {"digest": held["digest"]}).json()
    assert (done["state"], done["total"]) == ("done", 3)
    graduates = ask.get("/api/v1/graduates/").json()
    assert {row["name"] for row in graduates["results"]} == {pupil.name for pupil in school.pupils}
    assert ask.get(f"/api/v1/graduates/{graduates['results'][0]['id']}/").json()["outcome"] == "1"
