"""Reports through page, job and API: who may, what stands there, what the file holds."""

import re
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import DateField, Value
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import User
from audit.models import AccessEntry, Event
from config.clock import today
from config.models import Job
from config.scope import scope
from registry.graduation.queries import read_graduates
from registry.models import Attendance, Enrolment, Protection, StatusChange, Student, SuspectedDropout
from registry.record import school_year_start
from registry.services.dropouts import close_entry, open_entry
from registry.services.seasons import study_year
from registry.status import DEAD, NORMAL
from reports import files, folding
from reports.definitions import REPORTS
from reports.expressions import SchoolYear, StudyYear
from reports.models import ReportFile
from reports.tables import read_choice, read_table, years
from reports.tasks import purge_reports
from tests import make
from tests.reports.building import count_all, make_report_file, present_year
from tests.transfers.graduating import Leavers

pytestmark = pytest.mark.usefixtures("nation")


def total(user: User, report: str, **choice: str) -> dict[str, Any]:
    with scope(user.acting_path):
        return read_table(user, read_choice(user, report, choice)).total.values


@pytest.mark.rule("R-VER-07", "AZ-2", "R-ACC-02")
def test_every_report_opens_at_every_level_and_says_what_it_counts(client: Client) -> None:
    make.make_student(make.make_class())
    count_all()
    for role, path in (("registrar", make.SCHOOL), ("auditor", make.PROVINCE)):
        client.force_login(make.make_user(role, path))
        for code, report in REPORTS.items():
            page = client.get(reverse("reports:report", args=[code]), {"split": report.splits[-1]})
            assert page.status_code == 200
            shown = page.content.decode()
            assert all(str(one.label) in shown for one in report.columns if not one.sensitive), code
    for wrong in ({"split": "name"}, {"grade": "99"}, {"year": "1999", "split": "x"}, {"office": "x"}):
        assert client.get(reverse("reports:report", args=["movements"]), wrong).status_code == 404
    far = make.make_office(make.FAR)
    assert client.get(reverse("reports:report", args=["overview"]), {"office": far.pk}).status_code == 404
    client.force_login(make.make_user("subject_teacher", make.SCHOOL))
    assert client.get(reverse("reports:index")).status_code == 403


@pytest.mark.rule("G-21", "R-CHG-09")
def test_a_guest_is_counted_once_whoever_looks(client: Client) -> None:
    home, host = make.make_class(make.SCHOOL), make.make_class(make.NEIGHBOUR)
    guest = make.make_student(home)
    make.make_student(host)
    Attendance.objects.create(
        org_path=make.NEIGHBOUR, home_path=make.SCHOOL, student=guest, host=make.make_office(make.NEIGHBOUR),
        home=make.make_office(make.SCHOOL), school_class=host, name=guest.name, sex=guest.sex, grade="11",
        valid=DateRange(today(), today() + timedelta(days=90)), case_no="JD1",
    )  # fmt: skip
    count_all()
    keys = ("pupils", "guests_in", "guests_out")
    expected = {
        ("registrar", make.SCHOOL): (1, 0, 1), ("registrar", make.NEIGHBOUR): (1, 1, 0),
        ("reviewer", make.COUNTY): (1, 0, 1), ("reviewer", make.NEIGHBOUR_COUNTY): (1, 1, 0),
        ("auditor", make.CITY): (2, 1, 1), ("auditor", make.PROVINCE): (2, 1, 1),
        ("auditor", make.NATION): (2, 1, 1),
    }  # fmt: skip
    for (role, path), numbers in expected.items():
        found = total(make.make_user(role, path), "overview")
        assert tuple(found[key] for key in keys) == numbers, (role, path)


def changed(student: Student, category: str, to_status: str, **more: Any) -> None:
    school, there = make.make_office(make.SCHOOL), more.pop("to_path", make.SCHOOL)
    StatusChange.objects.create(
        from_path=make.SCHOOL, to_path=there, counted_path=there, student=student, kind="test",
        case_no=f"T{uuid4().hex[:12]}", category=category, from_school=school, from_status=NORMAL,
        to_school=more.pop("to_school", school), to_status=to_status, from_grade="11", to_grade="11",
        happened_on=today(), effective_on=today(), sex=student.sex, ethnic_group=student.ethnic_group,
        hukou_division=student.hukou_division, **more,
    )  # fmt: skip


@pytest.mark.rule("G-20", "R-TRF-03", "R-CHG-04")
def test_movements_of_a_school_year_with_late_deaths_and_flows(client: Client) -> None:
    school_class = make.make_class()
    one, two, three = (make.make_student(school_class) for _n in range(3))
    changed(one, "51", DEAD, is_late=True)
    changed(two, "51", DEAD)
    changed(three, "22", NORMAL, to_path=make.FAR, to_school=make.make_office(make.FAR))
    count_all()
    for role, path, came in (
        ("registrar", make.SCHOOL, 0),
        ("auditor", make.PROVINCE, 0),
        ("auditor", make.NATION, 1),
    ):
        user = make.make_user(role, path)
        year = present_year()
        found = total(user, "movements", year=year)
        assert (found["m26"], found["late_deaths"], found["m27"], found["m13"]) == (2, 1, 1, came), path
        assert total(user, "movements", year=year, sex="2")["m26"] == 2
        assert total(user, "movements", year=str(years()[2]))["m26"] == 0
    with scope(make.PROVINCE):
        auditor = make.make_user("auditor", make.PROVINCE)
        asked = {"split": "code", "year": present_year()}
        flows = read_table(auditor, read_choice(auditor, "transfers", asked))
    assert [(row.label, row.values["moved_out"]) for row in flows.rows] == [("四川省", 1)]


@pytest.mark.rule("AZ-10")
def test_a_protected_pupil_is_counted_for_those_whose_lists_show_her(client: Client) -> None:
    school_class = make.make_class()
    Protection.objects.create(
        org_path=make.SCHOOL, student=make.make_student(school_class), state=Protection.State.IN_FORCE,
        reason="人身安全", until=today() + timedelta(days=90), proposed_by=make.make_leader(),
        proposed_by_name="郑校长",
    )  # fmt: skip
    make.make_student(school_class)
    # One who left for another province: the way she went is nobody's business who may not see her.
    gone = make.make_student(school_class)
    changed(gone, "22", NORMAL, to_path=make.FAR, to_school=make.make_office(make.FAR))
    Student.objects.filter(pk=gone.pk).update(org_path=make.FAR)
    Enrolment.objects.filter(student=gone).update(org_path=make.FAR, school=make.make_office(make.FAR))
    Protection.objects.create(
        org_path=make.FAR, student=gone, state=Protection.State.IN_FORCE, reason="人身安全",
        until=today() + timedelta(days=90), proposed_by=make.make_leader(make.FAR), proposed_by_name="郑校长",
    )  # fmt: skip
    count_all()
    for role, path, seen, left in (
        ("registrar", make.SCHOOL, 2, 1), ("reviewer", make.COUNTY, 1, 0),
        ("bureau_leader", make.COUNTY, 2, 1), ("auditor", make.PROVINCE, 1, 0),
        ("bureau_leader", make.PROVINCE, 2, 1),
    ):  # fmt: skip
        user = make.make_user(role, path)
        assert total(user, "overview")["pupils"] == seen, (role, path)
        assert total(user, "transfers", year=present_year())["moved_out"] == left, (role, path)


@pytest.mark.rule("R-DRP-07", "AZ-10")
def test_who_died_or_is_too_old_has_not_come_back_to_school() -> None:
    pupils = [make.make_student() for _one in range(5)]
    for pupil in pupils:
        open_entry(pupil, "LS1", "01", today(), today())
    for pupil, case, end in zip(pupils, ("HX1", "SW1", ""), ("", "死亡", "义务教育年限届满"), strict=False):
        close_entry(pupil, case, today(), legal_end=end)
    for pupil, how in zip(pupils, ("confirmed", "case"), strict=False):
        SuspectedDropout.objects.create(
            org_path=make.SCHOOL, student=pupil, source="alarm", opened_on=today(), report_due_on=today(),
            closed_on=today(), closed_how=how,
        )  # fmt: skip
    Protection.objects.create(
        org_path=make.SCHOOL, student=pupils[4], state=Protection.State.IN_FORCE, reason="人身安全",
        until=today() + timedelta(days=90), proposed_by=make.make_leader(), proposed_by_name="郑校长",
    )  # fmt: skip
    count_all()
    for role, path, opened, share in (
        ("registrar", make.SCHOOL, 5, 20), ("reviewer", make.COUNTY, 4, 25),
        ("auditor", make.PROVINCE, 4, 25), ("bureau_leader", make.PROVINCE, 5, 20),
    ):  # fmt: skip
        found = total(make.make_user(role, path), "dropout")
        keys = ("opened", "returned", "ended", "still_out", "return_share", "suspected", "cleared")
        assert [found[key] for key in keys] == [opened, 1, 2, opened - 3, share, 2, 1], path


@pytest.mark.rule("EX-1", "EX-5", "EX-6", "AP-4")
def test_the_workbook_holds_the_table_and_its_definitions(client: Client, tmp_path: Any) -> None:
    make.make_office(make.SCHOOL)
    make.Organization.objects.filter(path=make.SCHOOL).update(name="=cmd|学校")
    make.make_student(make.make_class())
    reader = make.make_reviewer()
    client.force_login(reader)
    sent = {"key": uuid4().hex, "split": "below"}
    first, second = (client.post(reverse("reports:ask", args=["overview"]), sent) for _n in range(2))
    assert first.url == second.url  # pressed twice, one file
    made = ReportFile.objects.get(requested_by=reader)
    download = reverse("reports:file", args=[made.public_id])
    assert client.post(download).status_code == 409  # not written yet
    for _twice in range(2):
        files.write(made.job_id)
    answer = client.post(download)
    path = tmp_path / "报表.xlsx"
    path.write_bytes(b"".join(answer.streaming_content))
    book = load_workbook(path)
    rows = list(book["数据"].values)
    assert dict(zip(rows[0], rows[1], strict=True))["在校学生"] == "1"
    assert rows[2][0].lstrip("'") != rows[2][0] or not rows[2][0].startswith("=")
    about = dict(row[:2] for row in book["导出说明"].values)
    assert about["依据"] == REPORTS["overview"].article
    assert "registry_enrolment" in about["在校学生"]
    assert Event.objects.filter(action="reports.file.collect", subject_id=made.pk).count() == 1
    assert (
        AccessEntry.objects.filter(subject_type="reportfile", subject_id=made.pk, outcome="read").count() == 1
    )
    client.force_login(make.make_reviewer())  # of the same office, and yet not hers
    assert client.post(download).status_code == 403
    client.force_login(reader)
    ReportFile.objects.filter(pk=made.pk).update(downloads=3)
    assert "下载次数已用完" in client.get(first.url).content.decode()
    assert "已领取 3 次" in client.post(download).content.decode()
    ReportFile.objects.filter(pk=made.pk).update(expires_at=made.requested_at - timedelta(days=1))
    assert (purge_reports(), purge_reports()) == (1, 0)
    assert client.post(download).status_code == 409


@pytest.mark.rule("EX-5", "AZ-6")
def test_a_file_whose_asker_has_lost_the_right_is_not_written(client: Client) -> None:
    reader = make.make_reviewer()
    with scope(make.COUNTY):
        made = make_report_file(reader)
    User.objects.filter(pk=reader.pk).update(is_active=False)
    files.write(made.job_id)
    made.refresh_from_db()
    assert (made.state, made.job.state) == (ReportFile.State.FAILED, Job.State.FAILED)


@pytest.mark.rule("AP-4", "R-VER-07")
def test_the_api_gives_the_table_and_makes_the_file(client: Client) -> None:
    make.make_student(make.make_class())
    client.force_login(make.make_reviewer())
    table = client.get("/api/v1/reports/overview/", {"split": "grade"}).json()
    assert (table["is_live"], table["total"]["values"]["pupils"]) == (True, 1)
    assert [row["label"] for row in table["rows"]] == ["小学一年级"]
    assert client.get("/api/v1/reports/overview/", {"split": "name"}).status_code == 400
    assert len(client.get("/api/v1/reports/").json()["results"]) == len(REPORTS)
    header = {"HTTP_IDEMPOTENCY_KEY": "k" * 12}
    posts = [
        client.post("/api/v1/reports/overview/files/", {}, content_type="application/json", **header)
        for _n in range(2)
    ]
    assert [post.status_code for post in posts] == [201, 201]
    assert posts[0]["Location"] == posts[1]["Location"]
    assert client.get(posts[0]["Location"]).json()["state"] == "waiting"


@pytest.mark.rule("R-VER-07")
def test_a_county_is_counted_again_on_demand(client: Client) -> None:
    make.make_student(make.make_class())
    count_all()
    make.make_student(make.make_class())  # leaves no event: the next pass would not look
    client.force_login(make.make_user("auditor", make.CITY))
    county = make.make_office(make.COUNTY)
    address = reverse("reports:refresh", args=["overview"])
    assert client.post(address).status_code == 409  # the city is no unit
    assert client.post(address, {"office": county.pk}).status_code == 302
    assert client.post(address, {"office": county.pk}).status_code == 302
    job = Job.objects.get(kind=folding.REFRESH)
    for _twice in range(2):
        folding.run_refresh(job.pk)
    assert total(make.make_user("auditor", make.CITY), "overview")["pupils"] == 2


def test_a_table_of_one_and_of_many_asks_as_often(client: Client) -> None:
    make.make_student(make.make_class())
    count_all()
    counts = []
    for schools in ((), (make.SISTER, "CN.44.03.05.2144000007.", make.NEIGHBOUR, make.FAR)):
        for path in schools:
            make.make_student(make.make_class(path))
        count_all()
        for role, path in (("reviewer", make.COUNTY), ("auditor", make.NATION)):
            client.force_login(make.make_user(role, path))
            client.get(reverse("reports:report", args=["overview"]))
            with CaptureQueriesContext(
                connection,
            ) as asked:
                client.get(reverse("reports:report", args=["overview"]))
            counts.append(len(asked))
    assert counts[:2] == counts[2:]


def test_the_school_year_turns_in_july(client: Client) -> None:
    make.make_student(make.make_class())
    for day in (date(2026, 6, 30), date(2026, 7, 1), date(2026, 8, 31), date(2027, 2, 28), date(2028, 2, 29)):
        row = Student.objects.annotate(year=SchoolYear(Value(day, DateField()))).values_list("year")
        assert {int(year) for (year,) in row} == {school_year_start(day).year}


@pytest.mark.rule("PROMOTION_AT")
def test_the_year_of_changes_turns_with_the_promotion() -> None:
    make.make_student(make.make_class())
    for value, days in (
        ("0810 24:00", (date(2027, 7, 25), date(2027, 8, 10), date(2027, 8, 11), date(2028, 2, 29))),
        ("0820 00:00", (date(2027, 8, 19), date(2027, 8, 20))),
    ):
        make.make_rule("PROMOTION_AT", value, make.NATION)
        for day in days:
            row = Student.objects.annotate(year=StudyYear(Value(day, DateField()))).values_list("year")
            assert {int(year) for (year,) in row} == {study_year(make.NATION, day)}


@pytest.mark.rule("G-21", "R-GRD-03", "R-GRD-06", "PROMOTION_AT")
def test_july_graduates_are_counted_in_the_year_of_their_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XUEJI_CLOCK", "2027-07-25")
    leavers = Leavers(pupils=2)
    made = leavers.graduate()
    assert made.school_year == 2026
    for year in ("2026", "2027"):
        found = total(leavers.leader, "movements", year=year)["m21"]
        assert found == read_graduates(leavers.leader, year=year).total == (2 if year == "2026" else 0)


@pytest.mark.rule("G-21", "AZ-2")
def test_a_number_leads_to_the_list_it_counts(client: Client) -> None:
    school_class = make.make_class()
    for sex in "1222":
        make.make_student(school_class, sex=sex)
    client.force_login(make.make_reviewer())
    page = client.get(reverse("reports:report", args=["overview"]), {"split": "sex"}).content.decode()
    links = re.findall(r'href="(/registry/students\?[^"]+)">(\d+)<', page)
    assert {int(count) for _link, count in links} >= {4, 1, 3}
    for link, count in links:
        roster = client.get(link.replace("&amp;", "&"))
        assert roster.context["page"].total == int(count), link
