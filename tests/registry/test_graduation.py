"""Graduation in the compulsory stage: the list, the leader's word, what it does, what may still happen."""

import json
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from audit.models import Event
from audit.services import System
from config.clock import today
from registry.graduation.afterwards import fill_destinations
from registry.graduation.numbers import certificate_number, is_certificate_number
from registry.models import (
    CertificatePrint,
    Enrolment,
    GraduationList,
    GraduationRecord,
    OpenBusiness,
    ProblemRecord,
    StatusChange,
    Student,
)
from registry.services.editing import update_normal
from registry.services.refusals import GraduateFrozen
from tests import make
from tests.archives.test_printing import pages_of
from tests.transfers.graduating import Leavers, status_of

pytestmark = pytest.mark.usefixtures("nation")


@pytest.fixture
def school() -> Leavers:
    return Leavers()


@pytest.mark.rule("R-GRD-01", "R-GRD-03", "R-GRD-06")
def test_the_school_itself_graduates_who_is_in_school_and_skips_the_others(school: Leavers) -> None:
    away = {code: make.make_student(school.school_class, status=code) for code in ("02", "04", "05")}
    new = school.post(school.registrar, "/graduation/new", grade="16")
    made = GraduationList.objects.get(public_id=UUID(new["Location"].split("/")[2]))
    assert school.submit(made).status_code == school.confirm(made).status_code == 302
    made.refresh_from_db()
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
def test_whoever_is_skipped_is_listed_with_the_reason(school: Leavers) -> None:
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
def test_what_a_list_refuses(school: Leavers) -> None:
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
    school.submit(made)
    GraduationList.objects.filter(pk=made.pk).update(handed_in_by=school.leader)
    answer = school.confirm(made)
    assert (answer.status_code, "编制或提交名单的人不能确认" in answer.content.decode()) == (403, True)
    GraduationList.objects.filter(pk=made.pk).update(handed_in_by=school.registrar)
    assert school.post(school.leader, f"{own}/return", reason="请核对去向").status_code == 302
    made.refresh_from_db()
    assert (made.state, made.returned_reason) == ("draft", "请核对去向")
    assert school.submit(made).status_code == school.confirm(made).status_code == 302


@pytest.mark.rule("R-GRD-02", "R-PRB-05")
def test_open_business_and_problem_records_block_and_are_named(school: Leavers) -> None:
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
    answer = school.submit(made)
    page = answer.content.decode()
    assert (answer.status_code, "转学（ZX1）" in page, busy.name in page) == (409, True, True)
    OpenBusiness.objects.all().delete()
    answer = school.submit(made)
    assert (answer.status_code, f"问题学籍尚未处理：{doubted.name}" in answer.content.decode()) == (409, True)
    ProblemRecord.objects.filter(pk=problem.pk).update(is_hint=True)  # a hint blocks nothing
    assert school.submit(made).status_code == 302
    ProblemRecord.objects.filter(pk=problem.pk).update(is_hint=False)  # found meanwhile
    assert school.confirm(made).status_code == 409
    assert status_of(busy) == "01"


def test_who_is_held_back_graduates_on_a_later_list(school: Leavers) -> None:
    made = school.draft()
    waits = school.pupils[0]
    rows = f"/graduation/{made.public_id}/rows"
    assert school.post(school.registrar, rows, row=[waits.pk], held="问题学籍处理中").status_code == 302
    assert school.post(school.registrar, rows, row=[waits.pk], release="1").status_code == 302
    assert school.post(school.registrar, rows, row=[waits.pk], held="问题学籍处理中").status_code == 302
    assert school.submit(made).status_code == school.confirm(made).status_code == 302
    assert (status_of(waits), status_of(school.pupils[1])) == ("01", "07")
    later = school.graduate()
    assert (later.total, status_of(waits)) == (1, "07")
    school.school_class.refresh_from_db()
    assert not school.school_class.is_open  # nobody is in it any more
    numbers = sorted(GraduationRecord.objects.values_list("number", flat=True))
    assert [int(number[14:19]) for number in numbers] == [1, 2, 3]


@pytest.mark.rule("A7.4", "GRADUATION_WINDOW", "R-GRD-03")
def test_lists_are_handed_in_and_confirmed_on_their_days_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def on(day: str) -> None:
        monkeypatch.setenv("XUEJI_CLOCK", day)

    def refused(answer: Any, days: str) -> None:
        page = answer.content.decode()
        assert (answer.status_code, "现在不是毕业办理时间" in page, days in page) == (409, True, True)
        assert {status_of(one) for one in school.pupils} == {"01"}

    on("2027-07-19")
    school = Leavers()
    make.make_rule("GRADUATION_WINDOW", "0720..0730", make.NATION)
    made = school.draft()  # it may be prepared at any time
    own = f"/graduation/{made.public_id}"
    refused(school.submit(made), "2027年7月20日至7月30日")
    page = school.get(school.registrar, own).content.decode()
    assert ("现在不是毕业办理时间" in page, "教育部年度毕业升级工作通知" in page) == (True, True)
    sent = json.dumps({"digest": school.digest(made)})
    told = school.client.post(f"/api/v1/graduations/{made.public_id}/submit/", sent, "application/json")
    assert (told.status_code, told.json()["code"], told.json()["rule"]) == (
        409, "graduation_closed", "GRADUATION_WINDOW"
    )  # fmt: skip
    on("2027-07-20")
    assert school.submit(made).status_code == 302
    on("2027-07-31")
    refused(school.confirm(made), "2028年7月20日至7月30日")
    make.make_rule("GRADUATION_WINDOW", "0720..0731", make.PROVINCE)
    assert school.confirm(made).status_code == 302
    assert {status_of(one) for one in school.pupils} == {"07"}


@pytest.mark.rule("R-GRD-06")
def test_basic_data_are_frozen_after_graduation(school: Leavers) -> None:
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
def test_the_destination_is_filled_back_by_the_next_school(school: Leavers) -> None:
    made = school.draft()
    rows = f"/graduation/{made.public_id}/rows"
    given = {"row": [one.pk for one in school.pupils], "destination": "16"}
    assert school.post(school.registrar, rows, **given).status_code == 302
    assert school.post(school.registrar, rows, row=[school.pupils[0].pk], destination="-").status_code == 302
    assert school.submit(made).status_code == school.confirm(made).status_code == 302
    records = {one.student_id: one for one in GraduationRecord.objects.all()}
    unknown, known = (records[one.pk] for one in school.pupils[:2])
    assert (unknown.destination, known.destination) == ("", "16")
    route = f"/graduation/graduates/{unknown.public_id}/destination"
    assert school.post(school.registrar, route, destination="14").status_code == 302
    actor = System(make.COUNTY)
    pupils = [school.pupils[0].pk, make.make_student().pk]
    assert fill_destinations(pupils, "16", "实验初级中学", "RX1", actor=actor) == 1
    assert fill_destinations(pupils, "16", "别的学校", "RX2", actor=actor) == 0
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
def test_an_original_is_printed_once_and_the_roll_as_often_as_wanted(school: Leavers) -> None:
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
def test_graduates_are_found_in_scope_and_on_the_record(school: Leavers) -> None:
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
        school.enter(county)
        with CaptureQueriesContext(connection) as asked:
            school.client.get("/graduation/graduates")
        counts.append(len(asked))
    assert counts[0] == counts[1]


@pytest.mark.rule("AP-4", "R-GRD-03")
def test_a_list_goes_its_way_over_the_api(school: Leavers) -> None:
    ask, key = school.enter(school.registrar), {"HTTP_IDEMPOTENCY_KEY": "graduation-2027"}

    def send(route: str, body: dict[str, Any], **more: Any) -> Any:
        return ask.post(f"/api/v1/graduations/{route}", json.dumps(body), "application/json", **more)

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
    school.enter(school.leader)
    done = send(f"{own}/confirm/", {"digest": held["digest"]}).json()
    assert (done["state"], done["total"]) == ("done", 3)
    graduates = ask.get("/api/v1/graduates/").json()
    assert {row["name"] for row in graduates["results"]} == {pupil.name for pupil in school.pupils}
    assert ask.get(f"/api/v1/graduates/{graduates['results'][0]['id']}/").json()["outcome"] == "1"
