"""成长记录: entered, imported, read by the roles of C6 only, lifted, voided, and following the pupil."""

import re
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import Workbook, load_workbook

from audit.models import AccessEntry, Event
from audit.services import System
from config.clock import today
from config.errors import NotAllowed
from config.models import Job
from config.scope import NATION
from registry.entries import reading, sheets, workbook
from registry.entries.cleaning import clean
from registry.entries.kinds import KINDS, SANCTION
from registry.entries.refusals import EntryFaulty, EntryKnown, EntryOver, EntryPupilGone, NotASanction
from registry.entries.services import add_entry, lift_sanction, void_entry
from registry.models import EntrySheet, Protection, RecordEntry, SchoolClass, Student, Term
from registry.services.changing import Change, move_pupil
from registry.services.seasons import terms_by_day
from tests import make

pytestmark = [pytest.mark.usefixtures("nation"), pytest.mark.rule("R-UPD-04")]

DAY = today().isoformat()


def term_of(day: date) -> tuple[int, str]:
    """The term of a day where no office has set any."""
    year = day.year if (day.month, day.day) > (8, 10) else day.year - 1
    return year, "1" if day <= date(year + 1, 1, 31) else "2"


TERM = "{}-{}".format(*term_of(today()))
TYPED: dict[str, dict[str, str]] = {
    "award": {"when": DAY, "title": "航模竞赛", "category": "科技获奖", "level": "43", "grade": "2"},
    SANCTION: {"when": DAY, "type": "警告", "reason": "课间多次打闹"},
    "evaluation": {"when": TERM, "morals": "A", "comment": "乐于助人"},
    "marks": {"when": TERM, "chinese": "92.5", "sports": "优"},
    "attendance": {"when": TERM, "due": "98", "sick": "2"},
    "fitness": {"when": TERM, "result": "良好", "score": "86.5"},
    "health": {"when": DAY, "height": "132.5", "left_eye": "4.9", "conclusion": "轻度近视"},
    "aid": {"when": DAY, "form": "1", "amount": "73651"},
    "boarding": {"when": TERM, "amount": "625"},
}
WORDS = {"health": "轻度近视", "marks": "92.5", SANCTION: "多次打闹", "aid": "73651"}
GROWTH = {"award", SANCTION, "evaluation", "attendance"}
SEEN = {
    "registrar": set(TYPED),
    "leader": GROWTH | {"marks", "aid", "boarding"},
    "head_teacher": GROWTH | {"marks"},
    "school_doctor": {"fitness", "health"},
    "reviewer": GROWTH | {"aid", "boarding"},
    "bureau_leader": set(),
}


def enter(student: Student, *codes: str) -> dict[str, RecordEntry]:
    registrar = make.make_registrar(student.org_path)
    return {code: add_entry(student, code, TYPED[code], actor=registrar) for code in codes or TYPED}


def page_of(client: Any, user: Any, student: Student, tab: str = "growth") -> str:
    client.force_login(user)
    answer = client.get(reverse("registry:student", args=[student.public_id]), {"tab": tab})
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.mark.rule("RD-1", "RD-3", "AZ-4", "R-ACC-02")
def test_each_role_of_c6_sees_its_kinds_and_the_look_leaves_its_trace(client: Any) -> None:
    teacher = make.make_user("head_teacher", make.SCHOOL)
    student = make.make_student(make.make_class(head_teacher=teacher))
    enter(student)
    for role, kinds in SEEN.items():
        path = make.COUNTY if role in ("reviewer", "bureau_leader") else make.SCHOOL
        user = teacher if role == "head_teacher" else make.make_user(role, path)
        page = page_of(client, user, student)
        assert {code for code in TYPED if f'id="kind-{code}"' in page} == kinds, role
        # What stands on the page is of these kinds: sealed words of others are nowhere.
        for code, words in WORDS.items():
            assert (words in page) == (code in kinds), (role, code)
    looks = AccessEntry.objects.filter(subject_id=student.pk, fields=["growth"], outcome="read")
    assert looks.count() == len(SEEN) - 1  # a bureau's leader has no such tab
    # A head teacher of another class, even one who also tends the sick, gets no growth by that post.
    other = make.make_user("head_teacher", make.SCHOOL)
    make.add_post(other, "school_doctor", make.SCHOOL)
    page = page_of(client, other, student)
    assert {code for code in TYPED if f'id="kind-{code}"' in page} == SEEN["school_doctor"]
    stored = RecordEntry.objects.filter(student=student)
    assert all(row.sealed and not row.data for row in stored if row.kind in ("health", "fitness"))
    assert "航模" not in repr(list(stored.values_list("data", flat=True)))


@pytest.mark.rule("RD-1", "AZ-1", "AZ-2", "R-ACC-02")
def test_the_subject_teacher_reads_marks_by_name_and_nothing_of_identity(client: Any) -> None:
    school_class = make.make_class()
    student = make.make_student(school_class, name="林小鹿", number="L440305202609011234")
    enter(student)
    address = reverse("entries:class_sheet", args=[school_class.pk])
    client.force_login(make.make_user("subject_teacher", make.SCHOOL))
    page = client.get(address, {"kind": "marks", "term": TERM}).content.decode()
    assert "林小鹿" in page
    assert "92.5" in page
    for secret in (
        str(student.public_id),
        student.number,
        "440305",
        student.birth_on.isoformat(),
        "轻度近视",
    ):
        assert secret not in page, secret
    trace = AccessEntry.objects.filter(route="entries:class_sheet").latest("pk")
    assert (trace.subject_ids, trace.fields) == ([student.pk], ["marks"])
    assert client.get(address, {"kind": "health"}).status_code == 404  # not hers
    assert client.get(address, {"term": "1999-1"}).status_code == 404
    assert client.get(reverse("registry:student", args=[student.public_id])).status_code == 403
    client.force_login(make.make_user("school_doctor", make.SCHOOL))
    page = client.get(address, {"kind": "health"}).content.decode()
    assert "轻度近视" in page
    assert str(student.public_id) in page  # the doctor reaches the pupil by the roll
    assert client.get(address, {"kind": "marks"}).status_code == 404
    client.force_login(make.make_registrar(make.SISTER))
    assert client.get(address).status_code == 404
    counts = []
    client.force_login(make.make_registrar())
    for _more in range(2):
        with CaptureQueriesContext(connection) as asked:
            client.get(address, {"kind": "marks"})
        counts.append(len(asked))
        for _one in range(3):
            enter(make.make_student(school_class), "marks")
    assert counts[0] == counts[1]


def test_an_entry_is_made_on_the_page_once_and_only_by_who_writes_its_kind(client: Any) -> None:
    student = make.make_student()
    address = reverse("entries:add", args=[student.public_id, "award"])
    client.force_login(make.make_registrar())
    assert client.post(address, TYPED["award"] | {"org_path": "CN."}).status_code == 400
    wrong = client.post(address, TYPED["award"] | {"category": "没有", "when": "2999-01-01"})
    assert wrong.status_code == 422
    assert "不在可选范围内" in wrong.content.decode()
    assert "航模竞赛" in wrong.content.decode()  # what was typed stays
    assert client.post(address, TYPED["award"]).status_code == 302
    again = client.post(address, TYPED["award"])
    assert (again.status_code, RecordEntry.objects.count()) == (409, 1)
    entry = RecordEntry.objects.get()
    act = Event.objects.get(action="registry.entry.add", subject_id=entry.pk)
    assert (act.detail["student"], "航模" in repr(act.detail)) == (student.pk, False)
    # The doctor writes health, no award; the leader and the county nothing; another school finds nothing.
    for user, code, status in (
        (make.make_user("school_doctor", make.SCHOOL), "award", 404),
        (make.make_user("school_doctor", make.SCHOOL), "health", 200),
        (make.make_leader(), "award", 403),
        (make.make_reviewer(), "award", 403),
        (make.make_registrar(make.SISTER), "award", 404),
    ):
        client.force_login(user)
        assert client.get(reverse("entries:add", args=[student.public_id, code])).status_code == status, code
    with pytest.raises(NotAllowed):
        add_entry(student, "award", TYPED["award"], actor=make.make_registrar(make.SISTER))


@pytest.mark.parametrize(
    ("code", "change", "field"),
    [
        ("award", {"title": ""}, "title"),
        ("award", {"when": "2999-09-01"}, "when"),
        ("marks", {"chinese": "一百"}, "chinese"),
        ("marks", {"chinese": "", "sports": ""}, "chinese"),
        ("marks", {"when": "2099-1"}, "when"),
        ("attendance", {"sick": "90", "truant": "20"}, "due"),
        ("fitness", {"score": "121"}, "score"),
        ("health", {"height": "NaN"}, "height"),
        ("aid", {"amount": "1.005"}, "amount"),
        ("evaluation", {"comment": "长" * 201}, "comment"),
    ],
)
def test_what_is_wrong_is_said_of_its_field(code: str, change: dict[str, str], field: str) -> None:
    kind = KINDS[code]
    assert not clean(kind, TYPED[code], "11", today(), term_of).faults
    assert field in [one.field for one in clean(kind, TYPED[code] | change, "11", today(), term_of).faults]


@pytest.mark.rule("PROMOTION_AT")
def test_spring_marks_entered_after_the_last_day_of_term_are_those_of_spring(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    days = {
        date(2027, 7, 10): (2026, "2"), date(2027, 8, 10): (2026, "2"), date(2027, 8, 11): (2027, "1"),
        date(2027, 1, 31): (2026, "1"), date(2027, 2, 1): (2026, "2"), date(2026, 12, 1): (2026, "1"),
    }  # fmt: skip
    term = terms_by_day(make.SCHOOL)
    assert {day: term(day) for day in days} == days == {day: term_of(day) for day in days}
    make.make_office(make.SCHOOL)
    Term.objects.create(
        path=make.COUNTY, school_year=2026, semester="1", starts_on=date(2026, 9, 1),
        ends_on=date(2027, 1, 20),
    )  # fmt: skip
    assert [terms_by_day(make.SCHOOL)(date(2027, 1, day)) for day in (20, 21)] == [(2026, "1"), (2026, "2")]
    student = make.make_student()
    for day, expected in (("2027-07-10", (2026, "2")), ("2027-09-05", (2027, "1"))):
        monkeypatch.setenv("XUEJI_CLOCK", day)
        registrar = make.make_registrar()
        entry = add_entry(student, "marks", {"when": "", "chinese": "90"}, actor=registrar)
        assert (entry.school_year, entry.semester) == expected


@pytest.mark.rule("R-CHG-01")
@pytest.mark.parametrize(
    ("grade", "kind", "is_taken"),
    [("14", "4", True), ("14", "6", False), ("23", "6", False), ("31", "6", True), ("31", "5", False)],
)
def test_no_expulsion_in_compulsory_schooling(grade: str, kind: str, is_taken: bool) -> None:
    found = clean(KINDS[SANCTION], TYPED[SANCTION] | {"type": kind}, grade, today(), term_of)
    assert ([one.field for one in found.faults] == []) is is_taken


def test_a_wrong_entry_is_voided_and_a_sanction_lifted_and_nothing_is_overwritten(client: Any) -> None:
    student, registrar = make.make_student(), make.make_registrar()
    held = enter(student, "award", SANCTION)
    client.force_login(registrar)
    address = reverse("entries:end", args=[held["award"].pk])
    assert client.post(address, {"act": "void", "reason": "错"}).status_code == 422
    assert client.post(address, {"act": "burn", "reason": "登记到别人名下"}).status_code == 400
    assert client.post(address, {"act": "void", "reason": "登记到别人名下"}).status_code == 302
    with pytest.raises(EntryOver):
        void_entry(held["award"], reason="登记到别人名下", actor=registrar)
    assert "登记到别人名下" in page_of(client, registrar, student)  # struck out, not gone
    enter(student, "award")  # the same, entered anew
    with pytest.raises(EntryKnown):
        enter(student, "award")
    with pytest.raises(NotASanction):
        lift_sanction(
            RecordEntry.objects.filter(kind="award").latest("pk"), reason="已满考察期限", actor=registrar
        )
    lift_sanction(held[SANCTION], reason="已满考察期限", actor=registrar)
    with pytest.raises(EntryOver):
        lift_sanction(held[SANCTION], reason="已满考察期限", actor=registrar)
    acts = Event.objects.filter(action__in=("registry.entry.void", "registry.entry.lift"))
    assert acts.count() == 2
    for statement in (
        "UPDATE registry_recordentry SET data = '{}'",
        "UPDATE registry_recordentry SET sealed = NULL",
        "DELETE FROM registry_recordentry",
    ):
        with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    client.force_login(make.make_user("school_doctor", make.SCHOOL))
    assert client.get(reverse("entries:end", args=[held[SANCTION].pk])).status_code == 404


@pytest.mark.rule("R-TRF-17", "R-TRF-18", "G-15", "R-ACC-02", "AZ-10")
def test_entries_follow_the_pupil_and_the_former_school_keeps_those_of_the_day_she_left(client: Any) -> None:
    student = make.make_student()
    entry = enter(student)["award"]
    there = make.make_class(make.SISTER)
    change = Change("transfer", "转学", "ZX9", "22", today(), today())
    move_pupil(Student.objects.get(pk=student.pk), there, change, actor=System(NATION))
    assert RecordEntry.objects.get(pk=entry.pk).org_path == make.SISTER
    moved, sister = Student.objects.get(pk=student.pk), make.make_registrar(make.SISTER)
    # What is said of her from now on is the new school's affair.
    void_entry(RecordEntry.objects.get(pk=entry.pk), reason="登记到别人名下", actor=sister)
    add_entry(moved, "award", TYPED["award"] | {"title": "书法比赛"}, actor=sister)
    page = page_of(client, sister, moved)
    assert "书法比赛" in page
    assert "登记到别人名下" in page
    snapshot = moved.snapshots.get()
    assert "航模" not in repr(bytes(snapshot.fields))
    address = reverse("registry:snapshot", args=[snapshot.pk])
    for role, path in (
        ("registrar", make.SCHOOL),
        ("leader", make.SCHOOL),
        ("reviewer", make.COUNTY),
        ("bureau_leader", make.COUNTY),
    ):
        client.force_login(make.make_user(role, path))
        page = client.get(address).content.decode()
        assert {code for code in TYPED if f'id="kind-{code}"' in page} == SEEN[role], role
        for code, words in WORDS.items():
            assert (words in page) == (code in SEEN[role]), (role, code)
        assert ("航模竞赛" in page) == ("award" in SEEN[role])
        assert "书法比赛" not in page
        assert "登记到别人名下" not in page
        trace = AccessEntry.objects.filter(route="registry:snapshot").latest("pk")
        assert (trace.subject_id, set(trace.fields)) == (student.pk, SEEN[role])
    for user, status in ((sister, 404), (make.make_user("school_doctor", make.SCHOOL), 403)):
        client.force_login(user)
        assert client.get(address).status_code == status
    client.force_login(make.make_registrar())
    assert client.get(reverse("entries:end", args=[entry.pk])).status_code == 404
    # Where a protected pupil went is not said any more, neither on the list nor here (AZ-10).
    name = there.school.organization.name
    addresses = (address, reverse("registry:snapshots"))
    assert all(name in client.get(one).content.decode() for one in addresses)
    Protection.objects.create(
        org_path=make.SISTER, student=moved, state=Protection.State.IN_FORCE, reason="人身安全",
        until=today() + timedelta(days=90), proposed_by=sister, proposed_by_name="测试",
    )  # fmt: skip
    assert not any(name in client.get(one).content.decode() for one in addresses)
    gone = make.make_student(status="08")
    with pytest.raises(EntryPupilGone):
        add_entry(gone, "award", TYPED["award"], actor=make.make_registrar())


# ── By workbook ──────────────────────────────────────────────────────────────────────────────────────────
def book(code: str, lines: list[list[str]], heads: list[str] | None = None) -> bytes:
    sheet = Workbook()
    sheet.active.title = "学生信息"  # type: ignore[union-attr]
    sheet.active.append(heads or workbook.headings(KINDS[code]))  # type: ignore[union-attr]
    for line in lines:
        sheet.active.append(line)  # type: ignore[union-attr]
    out = BytesIO()
    sheet.save(out)
    return out.getvalue()


@pytest.fixture
def school_class() -> SchoolClass:
    return make.make_class()


@pytest.mark.rule("R-EST-10", "FI-2")
def test_a_workbook_is_checked_whole_and_written_all_or_nothing(
    client: Any, school_class: SchoolClass
) -> None:
    a, b = (make.make_student(school_class, name=name) for name in ("林一", "林二"))
    for _twin in range(2):
        make.make_student(school_class, name="林三")
    elsewhere = make.make_student(make.make_class(make.SISTER), name="林外", number="L440305202609019999")
    number = school_class.number
    registrar = make.make_registrar()
    client.force_login(registrar)

    def send(lines: list[list[str]], heads: list[str] | None = None) -> Any:
        file = SimpleUploadedFile("成绩.xlsx", book("marks", lines, heads))
        return client.post(reverse("entries:sheets"), {"kind": "marks", "file": file})

    template = client.get(reverse("entries:template", args=["marks"]))
    cells = [cell.value for cell in load_workbook(BytesIO(template.content)).worksheets[0][2]]
    assert {cells[1], cells[2]} & {"林一", "林二", "林三", number}
    assert send([], None).status_code == 422
    assert send([["", "林一", number, TERM, "9"]], ["姓名"]).status_code == 422
    wrong = send([
        ["", "林一", number, TERM, "甲"],
        ["", "林三", number, TERM, "80"],
        [elsewhere.number, "", "", TERM, "80"],
        ["", "林二", number, TERM, "80"],
        ["", "林二", number, TERM, "81"],
    ])  # fmt: skip
    page = client.get(wrong["Location"]).content.decode()
    for words in ("不是成绩", "同名学生", "没有对应的在校学生", "两行内容相同"):
        assert words in page, words
    assert page.count('<td class="right num" data-label="行">') == 5
    assert client.post(wrong["Location"]).status_code == 409
    assert client.post(wrong["Location"] + "/drop").status_code == 302
    good = send([["", "林一", number, TERM, "91"], ["", "林二", number, TERM, "优"]])
    assert client.post(good["Location"]).status_code == 302
    sheet = EntrySheet.objects.latest("pk")
    assert sheet.job is not None
    assert client.get(good["Location"] + "/progress").status_code == 200
    for _twice in range(2):
        sheets.commit_entries(sheet.job.pk)
    assert set(RecordEntry.objects.values_list("student_id", flat=True)) == {a.pk, b.pk}
    acts = Event.objects.filter(action="registry.entry.add", detail__sheet=sheet.pk)
    assert {act.detail["student"] for act in acts} == {a.pk, b.pk}
    sheet.refresh_from_db()
    assert (sheet.cells, Job.objects.get(pk=sheet.job.pk).state) == (None, Job.State.DONE)
    assert client.post(good["Location"]).status_code == 409
    # The second upload of the same rows is recognised, row by row.
    again = send([["", "林一", number, TERM, "91"], ["", "林二", number, TERM, "77"]])
    page = client.get(again["Location"]).content.decode()
    assert page.count("已登记过同样的记录") == 2
    for user, status in ((make.make_leader(), 403), (make.make_registrar(make.SISTER), 404)):
        client.force_login(user)
        assert client.get(again["Location"]).status_code == status
    client.force_login(make.make_user("school_doctor", make.SCHOOL))
    assert client.get(again["Location"]).status_code == 404  # marks are not hers
    assert send([["", "林一", number, TERM, "91"]]).status_code == 403


@pytest.mark.rule("AZ-6", "RD-8")
def test_a_sheet_whose_writer_lost_her_right_is_not_written_and_old_cells_go(
    school_class: SchoolClass,
) -> None:
    make.make_student(school_class, name="林一")
    doctor = make.make_user("school_doctor", make.SCHOOL)
    content = book("fitness", [["", "林一", school_class.number, TERM, "及格", "70"]])
    sheet = sheets.upload("fitness", "体测.xlsx", content, actor=doctor)
    assert "及格" not in repr(bytes(sheet.cells or b""))
    job = sheets.confirm(sheet, actor=doctor)
    doctor.posts.all().delete()
    sheets.commit_entries(job.pk)
    sheet.refresh_from_db()
    assert (RecordEntry.objects.count(), sheet.failure["code"]) == (0, "not_allowed")
    assert Job.objects.get(pk=job.pk).state == Job.State.FAILED
    assert (sheets.purge(7, [make.PROVINCE]), sheets.purge(-1, [make.PROVINCE])) == (0, 1)
    sheet.refresh_from_db()
    assert sheet.cells is None
    # A job whose sheet is empty ends: nobody offers it again.
    Job.objects.filter(pk=job.pk).update(state=Job.State.WAITING, ended_at=None)
    sheets.commit_entries(job.pk)
    assert Job.objects.get(pk=job.pk).state == Job.State.FAILED


def test_a_refused_entry_leaves_no_act() -> None:
    student = make.make_student()
    with pytest.raises(EntryFaulty):
        add_entry(student, "award", {}, actor=make.make_registrar())
    assert not Event.objects.filter(action="registry.entry.add").exists()


def test_entries_page_by_key_and_none_is_lost(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAGE", 2)
    student = make.make_student()
    registrar = make.make_registrar()
    days = [(today() - timedelta(days=back)).isoformat() for back in (0, 3, 3, 3, 9)]
    for number, day in enumerate(days):
        add_entry(student, "award", TYPED["award"] | {"when": day, "title": f"第{number}项"}, actor=registrar)
    client.force_login(registrar)
    address = f"{reverse('entry-list')}?student={student.public_id}"
    found, pages = [], []
    while address:
        answer = client.get(address).json()
        found += [row["happened_on"] for row in answer["results"]]
        pages.append(answer["total"])
        address = answer["next"]
    assert (found, pages) == (days, [5, 5, 5])
    page = reverse("registry:student", args=[student.public_id])
    shown = client.get(page, {"tab": "growth"}).content.decode()
    assert ("第0项" in shown, "第4项" in shown, "本页 2 条，共 5 条" in shown) == (True, False, True)
    later = re.search(r'rel="next" href="([^"]+)"', shown)
    assert later is not None
    shown = client.get(later[1].replace("&amp;", "&")).content.decode()
    assert ("第0项" in shown, "第2项" in shown, "还没有登记" in shown) == (False, True, False)


@pytest.mark.rule("AP-4", "AZ-1", "AZ-5")
def test_the_api_lists_adds_lifts_and_voids_as_the_page_does(client: Any) -> None:
    student = make.make_student()
    enter(student, "health")
    client.force_login(make.make_registrar())

    def send(path: str, body: dict[str, Any], **more: str) -> Any:
        return client.post(path, body, content_type="application/json", headers=more)

    every = reverse("entry-list")
    body = {
        "student": str(student.public_id), "kind": SANCTION, "when": DAY,
        "values": {"type": "1", "reason": "课间多次打闹"},
    }  # fmt: skip
    key = {"Idempotency-Key": "entries-0001"}
    assert send(every, body).status_code == 400  # without a key
    assert send(every, body | {"org_path": "CN."}, **key).status_code == 400
    made = send(every, body, **key)
    assert (made.status_code, send(every, body, **key).json()["id"]) == (201, made.json()["id"])
    assert send(every, body, **{"Idempotency-Key": "entries-0002"}).json()["code"] == "entry_known"
    body["values"] = {"type": "6", "reason": "考试作弊"}
    wrong = send(every, body, **{"Idempotency-Key": "entries-0003"})
    assert (wrong.status_code, list(wrong.json()["fields"])) == (422, ["type"])
    held = client.get(every, {"student": str(student.public_id)}).json()["results"]
    assert {row["kind"] for row in held} == {SANCTION, "health"}
    one = made["Location"]
    assert client.get(one).json()["values"][0]["words"] == "警告"
    assert send(one + "lift/", {"reason": "短"}).status_code == 422
    assert send(one + "lift/", {"reason": "已满考察期限"}).json()["lifted_on"] == DAY
    assert send(one + "void/", {"reason": "登记到别人名下"}).json()["is_void"] is True
    client.force_login(make.make_user("school_doctor", make.SCHOOL))
    held = client.get(every, {"student": str(student.public_id)}).json()["results"]
    assert {row["kind"] for row in held} == {"health"}
    behind = {"student": str(student.public_id), "after": made.json()["id"]}
    assert client.get(every, behind).status_code == 404  # not hers to go on from
    assert client.get(one).status_code == 404
    client.force_login(make.make_user("subject_teacher", make.SCHOOL))
    assert client.get(every, {"student": str(student.public_id)}).status_code == 404
