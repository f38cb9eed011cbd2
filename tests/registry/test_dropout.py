"""控辍保学: absences, alarm, ledgers, visits, reports, watch list, household lists (R-DRP-01 … R-DRP-09)."""

from datetime import date, timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import Workbook

from accounts.models import Notice, User
from audit.budgets import BudgetStepUp
from audit.models import AccessEntry, Event
from audit.services import System
from config.clock import today
from config.errors import NotAllowed
from config.models import Job, MassRun
from config.scope import scope
from config.workdays import add_workdays
from registry import tasks
from registry.dropout import absences, alarm, hosting, households, pushing, reporting, suspicions, watching
from registry.dropout.eligible import birthdays
from registry.models import (
    Absence,
    DropoutEntry,
    DropoutList,
    DropoutReport,
    Enrolment,
    HandedDropout,
    HouseholdList,
    PersuasionVisit,
    Protection,
    Student,
    SuspectedDropout,
    Term,
    WatchEntry,
)
from registry.protection import HIDDEN_PLACE
from registry.services.changing import Change, move_pupil
from registry.services.dropouts import close_entry, open_entry
from tests import make
from tests.conftest import ScopelessClient
from tests.transfers.filing import picture

pytestmark = [pytest.mark.usefixtures("nation")]
DAY = timedelta(days=1)


def spell_of(student: Student) -> Enrolment:
    found: Enrolment = student.enrolments.get()
    return found


def absent(student: Student, days: int, *, actor: User, is_excused: bool = False) -> Absence:
    return absences.report(
        spell_of(student), actor=actor, from_on=today() - days * DAY, is_excused=is_excused, reason="unknown"
    )


def visit(student: Student, actor: User, *, result: str = "unreached", days_ago: int = 0) -> None:
    met = "nobody" if result == "unreached" else "guardian"
    attempt = absences.Attempt(today() - days_ago * DAY, "home", "周老师", met, result)
    absences.visit(student, attempt, actor=actor)


_browsers: dict[int, ScopelessClient] = {}


@pytest.fixture(autouse=True)
def _nobody_is_signed_in() -> None:
    _browsers.clear()


def signed_in(user: User) -> ScopelessClient:
    """Her browser: she signs in once a test."""
    if user.pk not in _browsers:
        _browsers[user.pk] = ScopelessClient()
        _browsers[user.pk].force_login(user)
    return _browsers[user.pk]


# ── Absences ─────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-DRP-01")
def test_a_head_teacher_reports_her_own_class_on_the_page_and_no_other() -> None:
    teacher = make.make_user("head_teacher", make.SCHOOL)
    own, other = make.make_class(head_teacher=teacher), make.make_class()
    mine, theirs = make.make_student(own), make.make_student(other)
    client = signed_in(teacher)
    form = {"act": "report", "from_on": f"{today() - DAY}", "reason": "ill", "note": ""}
    page = client.get(reverse("dropout:absence_new")).content.decode()
    assert (mine.name in page, theirs.name in page) == (True, False)
    for pupil, status in ((theirs, 404), (mine, 302), (mine, 404)):  # who is absent already is not offered
        answer = client.post(reverse("dropout:absence_new"), form | {"student": str(pupil.public_id)})
        assert answer.status_code == status
    absence = Absence.objects.get()
    assert (absence.student_id, absence.is_excused, absence.name) == (mine.pk, False, mine.name)
    detail = reverse("dropout:absence", args=[absence.pk])
    contact = {
        "act": "visit", "on": f"{today()}", "way": "home", "persons": "周老师", "met": "nobody",
        "result": "unreached", "note": "",
    }  # fmt: skip
    for change, status in (({"persons": ""}, 422), ({"met": "guardian"}, 422), ({"x": "1"}, 400), ({}, 302)):
        assert client.post(detail, contact | change).status_code == status
    assert client.post(detail, {"act": "return", "on": f"{today() + DAY}"}).status_code == 422
    assert client.post(detail, {"act": "return", "on": f"{today()}"}).status_code == 302
    absence.refresh_from_db()
    assert (absence.ended_on, absence.ended_how) == (today(), "returned")
    assert client.post(detail, {"act": "excuse"}).status_code == 409
    assert signed_in(make.make_user("head_teacher", make.SCHOOL)).get(detail).status_code == 404
    acts = list(Event.objects.filter(action__startswith="registry.absence").values_list("action", flat=True))
    assert acts == [f"registry.absence.{act}" for act in ("report", "visit", "return")]


@pytest.mark.rule("R-DRP-01")
def test_what_is_no_absence_is_refused() -> None:
    registrar, pupil = make.make_registrar(), make.make_student()
    for days, reason in ((-1, "ill"), (9000, "ill"), (1, "nothing")):
        with pytest.raises(absences.AbsenceUnclear):
            absences.report(
                spell_of(pupil), actor=registrar, from_on=today() - days * DAY, is_excused=False,
                reason=reason,
            )  # fmt: skip
    absent(pupil, 1, actor=registrar)
    with pytest.raises(absences.AbsentAlready):
        absent(pupil, 1, actor=registrar)
    with pytest.raises(absences.NotOnTheRoll):
        absent(make.make_student(status="02"), 1, actor=registrar)
    at_home = make.make_student()  # taught at home: never absent (A14)
    entry = watching.enter(
        at_home, "home_teaching", actor=registrar, from_on=today(), note="重度残疾送教上门协议"
    )
    with pytest.raises(absences.TaughtAtHome):
        absent(at_home, 1, actor=registrar)
    watching.end(entry, actor=registrar)
    assert absent(at_home, 1, actor=registrar).pk


# ── The alarm ────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-DRP-01", "R-DRP-02", "DROPOUT_WEEKS", "DROPOUT_WARN_DAYS", "DROPOUT_REPORT_DAYS")
def test_the_alarm_warns_then_opens_the_ledger_and_tells_everybody_at_once() -> None:
    registrar, leader, county = make.make_registrar(), make.make_leader(), make.make_reviewer()
    pupils = {name: make.make_student() for name in ("short", "warned", "due", "reached", "excused")}
    senior = make.make_student(make.make_class(grade="31", name="高一(1)班"), grade="31")
    for name, days in (("short", 6), ("warned", 7), ("due", 28), ("reached", 28), ("excused", 40)):
        absent(pupils[name], days, actor=registrar, is_excused=name == "excused")
    absent(senior, 60, actor=registrar)
    visit(pupils["due"], registrar)
    visit(pupils["reached"], registrar, result="promised", days_ago=6)
    assert tasks.watch_absences() == 1
    assert tasks.watch_absences() == 0  # twice is once
    warned = set(Absence.objects.filter(is_warned=True).values_list("student_id", flat=True))
    assert warned == {pupils[name].pk for name in ("warned", "due", "reached")}
    entry = SuspectedDropout.objects.get()
    assert (entry.student_id, entry.opened_on, entry.last_seen_on) == (
        pupils["due"].pk, today(), today() - 29 * DAY,
    )  # fmt: skip
    assert entry.report_due_on == add_workdays(today(), 1)
    assert [line["office"] for line in entry.told] == ["南山区教育局"]
    heard = set(Notice.objects.filter(kind="dropout").values_list("user_id", flat=True))
    assert {registrar.pk, county.pk} <= heard
    # In writing, by the school's leader; then it stands, with the moment.
    with pytest.raises(Exception, match="办理"):
        suspicions.report_in_writing(entry, actor=registrar)
    page = reverse("dropout:suspicion", args=[entry.pk])
    SuspectedDropout.objects.update(report_due_on=today() - DAY)
    overdue = reverse("dropout:ledgers") + "?ledger=suspected&show=overdue"
    assert "第二十六条第四项" in signed_in(county).get(overdue).content.decode()
    assert signed_in(leader).post(page, {"act": "report"}).status_code == 302
    assert signed_in(leader).post(page, {"act": "report"}).status_code == 409
    assert pupils["due"].name not in signed_in(county).get(overdue).content.decode()
    printed = signed_in(county).get(reverse("dropout:written", args=[entry.pk])).content.decode()
    assert "书面报告" in printed
    assert "南山区教育局" in printed
    entry.refresh_from_db()
    assert [line["how"] for line in entry.told] == ["系统通知", "书面报告"]
    assert Event.objects.get(action="registry.suspicion.report").detail["is_late"] is True
    # The provincial value decides: five weeks there, and nobody is due.
    make.make_rule("DROPOUT_WEEKS", 5, make.PROVINCE)
    late = make.make_student()
    absent(late, 30, actor=registrar)
    assert tasks.watch_absences() == 0


@pytest.mark.rule("R-DRP-07")
def test_a_suspicion_is_closed_by_a_proof_that_is_confirmed_or_by_a_case_and_by_nothing_else() -> None:
    registrar, pupil = make.make_registrar(), make.make_student()
    absence = absent(pupil, 30, actor=registrar)
    tasks.watch_absences()
    entry = SuspectedDropout.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        SuspectedDropout.objects.filter(pk=entry.pk).update(closed_on=today())
    absences.excuse(absence, actor=registrar)
    tasks.watch_absences()
    entry.refresh_from_db()
    assert entry.closed_on is None
    absences.come_back(absence, actor=registrar, on=today())
    entry.refresh_from_db()
    assert entry.closed_on is None  # the mark of a return proves nothing
    said: dict[str, Any] = {"actor": registrar, "said": "at_school", "note": "班主任早读时点名核实"}
    with pytest.raises(suspicions.ProofMissing):
        suspicions.answer(entry, proof=None, **said)
    suspicions.answer(entry, proof=uuid4(), **said)
    entry.refresh_from_db()
    suspicions.confirm(entry, actor=make.make_reviewer(), proof=f"{entry.proof}")
    entry.refresh_from_db()
    assert (entry.closed_on, entry.closed_how) == (today(), "confirmed")
    # A dropout's entry: a case or the end of the years, the database refuses the rest; visits stay.
    open_entry(pupil, "LS1", "01", today() - 40 * DAY, today())
    with pytest.raises(IntegrityError), transaction.atomic():
        DropoutEntry.objects.update(closed_on=today())
    visit(pupil, registrar, result="refused")
    for statement in (
        "DELETE FROM registry_persuasionvisit",
        "UPDATE registry_persuasionvisit SET note = ''",
    ):
        with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    page = reverse("dropout:entry", args=[DropoutEntry.objects.get().pk])
    shown = signed_in(make.make_reviewer()).get(page).content.decode()
    assert "不愿返校" in shown
    close_entry(pupil, "HX1", today())
    assert DropoutEntry.objects.get().closed_by_case == "HX1"


@pytest.mark.rule("R-DRP-01", "R-DRP-07", "R-DRP-09", "FI-1", "KE-1")
def test_the_proof_lies_on_the_pupil_s_file_and_once_it_is_confirmed_the_alarm_keeps_quiet() -> None:
    registrar, county, pupil = make.make_registrar(), make.make_reviewer(), make.make_student()
    absence = absent(pupil, 30, actor=registrar)
    assert tasks.watch_absences() == 1
    entry = SuspectedDropout.objects.get()
    page = reverse("dropout:suspicion", args=[entry.pk])
    answer = reverse("archives:suspicion_answer", args=[entry.pk])
    assert answer in signed_in(registrar).get(page).content.decode()
    assert "在校就读证明" in signed_in(registrar).get(answer).content.decode()
    said = {"act": "answer", "said": "at_school", "note": "班主任早读时点名核实"}
    for content, change, status in (
        (b"", {}, 422), (b"not a picture", {}, 422), (picture(), {"note": "在"}, 422),
        (picture(), {"org_path": "CN."}, 400), (b"", {"said": "absent"}, 302), (picture(), {}, 302),
    ):  # fmt: skip
        file = SimpleUploadedFile("proof.jpg", content) if content else ""  # as a browser sends none
        sent = signed_in(registrar).post(answer, said | change | {"file": file})
        assert sent.status_code == status, change
    entry.refresh_from_db()
    kept = pupil.materials.get()
    assert (entry.answer, entry.proof, kept.evidence_type) == ("at_school", kept.public_id, "20")
    with pytest.raises(IntegrityError), transaction.atomic():
        SuspectedDropout.objects.update(proof=None)
    proof = reverse("archives:material", args=[kept.public_id])
    assert proof in signed_in(county).get(page).content.decode()
    assert signed_in(county).get(proof).status_code == 200
    assert f'value="{kept.public_id}"' in signed_in(county).get(page).content.decode()
    sent = {"act": "confirm", "proof": f"{kept.public_id}"}
    assert signed_in(county).post(page, sent).status_code == 302
    absence.refresh_from_db()
    assert (absence.ended_on, absence.ended_how, absence.ended_by_name) == (
        today(), "returned", county.signing_name,
    )  # fmt: skip
    assert tasks.watch_absences() == 0
    assert SuspectedDropout.objects.filter(closed_on=None).count() == 0


@pytest.mark.rule("R-DRP-02")
def test_many_schools_are_told_by_as_many_queries_as_one() -> None:
    direct = make.make_office("CN.44.03.2144000019.", division=make.make_office(make.COUNTY).division).path
    counts = []
    for places in ((make.SCHOOL,), (make.SISTER, make.NEIGHBOUR, make.FAR, direct)):
        entries = [
            SuspectedDropout(
                org_path=path, student=make.make_student(make.make_class(path)), source="alarm",
                opened_on=today(), report_due_on=today(),
            )
            for path in places
        ]  # fmt: skip
        SuspectedDropout.objects.bulk_create(entries)
        with CaptureQueriesContext(connection) as asked:
            alarm.tell(entries)
        counts.append(len(asked))
    assert counts[0] == counts[1]
    told = {entry.org_path: [line["office"] for line in entry.told] for entry in entries}
    offices = {path: make.make_office(path).name for path in (make.COUNTY, make.CITY, make.FAR_COUNTY)}
    assert (told[make.SISTER], told[make.FAR]) == ([offices[make.COUNTY]], [offices[make.FAR_COUNTY]])
    assert told[direct] == [offices[make.COUNTY], offices[make.CITY]]


@pytest.mark.rule("R-DRP-03", "COMPULSORY_END_AGE")
def test_the_ledger_is_kept_until_the_compulsory_years_end() -> None:
    oldest, _youngest = birthdays(make.SCHOOL, today())
    registrar, (over, still) = make.make_registrar(), (make.make_student(), make.make_student())
    for pupil, born in ((over, oldest), (still, oldest + DAY)):
        Student.objects.filter(pk=pupil.pk).update(birth_on=born)
        open_entry(pupil, "LS1", "01", today(), today())
        Enrolment.objects.filter(student=pupil).update(status="06")
    make.make_rule("MASS_RUN_RECORDS", 100, make.NATION)
    assert tasks.end_dropouts() == 1
    assert tasks.end_dropouts() == 0
    closed, open_one = (DropoutEntry.objects.get(student=pupil) for pupil in (over, still))
    assert (closed.legal_end, closed.closed_by_case, open_one.closed_on) == (alarm.LEGAL_END, "", None)
    assert Notice.objects.filter(user=registrar, kind="dropout").count() == 1
    assert spell_of(over).status == "06"  # nothing here changes a status


# ── Ledgers ──────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-DRP-04", "AZ-10")
def test_three_ledgers_live_in_every_scope_with_the_way_down() -> None:
    registrar, county, far = make.make_registrar(), make.make_reviewer(), make.make_reviewer(make.FAR_COUNTY)
    oldest, youngest = birthdays(make.COUNTY, today())
    ages = {"first": youngest, "too_young": youngest + DAY, "last": oldest + DAY, "too_old": oldest}
    pupils = {name: make.make_student() for name in ages}
    for name, born in ages.items():
        Student.objects.filter(pk=pupils[name].pk).update(birth_on=born)
    Enrolment.objects.filter(student=pupils["last"]).update(status="06")
    open_entry(pupils["last"], "LS1", "01", today(), today())
    absent(pupils["first"], 28, actor=registrar)
    tasks.watch_absences()
    url = reverse("dropout:ledgers")
    client = signed_in(county)

    def names(ledger: str, who: Any = client) -> set[str]:
        rows = who.get(url, {"ledger": ledger}).context["ledger"].rows
        return {name for name, pupil in pupils.items() if pupil.pk in {row["student_id"] for row in rows}}

    assert names("eligible") == {"first", "last"}
    assert (names("suspected"), names("dropouts")) == ({"first"}, {"last"})
    assert names("suspected", signed_in(far)) == names("dropouts", signed_in(far)) == set()
    city = signed_in(make.make_reviewer(make.CITY)).get(url, {"ledger": "eligible"})
    assert (city.context["ledger"].total, city.context["totals"].eligible) == (None, None)  # she goes down
    assert [(row["suspected"], row["dropouts"]) for row in city.context["below"]] == [(1, 1)]
    # Figures are the ledgers: of a protected pupil neither says anything (AZ-10).
    guards = [
        Protection.objects.create(
            org_path=make.SCHOOL, student=pupils[name], state=Protection.State.IN_FORCE, reason="测试",
            until=today() + 9 * DAY, proposed_by=registrar, proposed_by_name="测试",
        )
        for name in ("first", "last")
    ]  # fmt: skip
    shown = client.get(url).context
    totals = shown["totals"]
    assert (totals.eligible, totals.suspected, totals.dropouts) == (0, 0, 0)
    assert not [row for row in shown["below"] if row["suspected"] or row["dropouts"]]
    Protection.objects.filter(pk__in=[guard.pk for guard in guards]).update(state=Protection.State.ENDED)
    at_school = make.make_office(make.SCHOOL).pk
    for who, status in ((client, 200), (signed_in(far), 404)):
        assert who.get(url, {"office": at_school}).status_code == status
    counts = []
    school_class = make.make_class()
    for more in (0, 3):
        for _n in range(more):
            absent(make.make_student(school_class), 28, actor=registrar)
        tasks.watch_absences()
        with CaptureQueriesContext(connection) as asked:
            client.get(url, {"ledger": "suspected"})
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert AccessEntry.objects.filter(route="dropout:ledgers", subject_ids__contains=[pupils["first"].pk])


@pytest.mark.rule("R-DRP-02", "R-DRP-04", "R-TRF-20", "AZ-8", "AZ-10", "RD-3")
def test_the_county_in_which_a_directly_run_school_lies_holds_its_suspicions_and_looks_on() -> None:
    direct = make.make_office("CN.44.03.2144000019.", division=make.make_office(make.COUNTY).division).path
    registrar, county, city = make.make_registrar(direct), make.make_reviewer(), make.make_reviewer(make.CITY)
    pupil, own = make.make_student(make.make_class(direct)), make.make_student()
    absent(pupil, 28, actor=registrar)
    absent(own, 28, actor=make.make_registrar())
    visit(pupil, registrar)
    tasks.watch_absences()
    entry = SuspectedDropout.objects.get(student=pupil)
    assert entry.host_path == make.COUNTY
    assert [line["office"] for line in entry.told][:1] == ["南山区教育局"]

    def listed(who: User) -> set[int]:
        return {row["student_id"] for row in signed_in(who).get(ledger).context["ledger"].rows}

    ledger, page = reverse("dropout:ledgers"), reverse("dropout:suspicion", args=[entry.pk])
    neighbour = make.make_reviewer(make.NEIGHBOUR_COUNTY)
    assert (listed(county), listed(city), listed(neighbour)) == ({pupil.pk, own.pk},) * 2 + (set(),)
    for who in (county, city):  # once each, wherever one looks from
        assert signed_in(who).get(ledger).context["totals"].suspected == 2
    for address in (page, reverse("dropout:written", args=[entry.pk])):
        shown = signed_in(county).get(address).content.decode()
        assert pupil.name in shown
        assert "周老师" in shown
        assert f"{pupil.public_id}" not in shown  # the record is not hers to open
        assert signed_in(neighbour).get(address).status_code == 404
    assert AccessEntry.objects.filter(
        route="dropout:suspicion", actor_id=county.pk, subject_id=pupil.pk, org_path=make.COUNTY
    ).exists()
    went = {"act": "visit", "on": f"{today()}", "way": "home", "persons": "县局", "met": "nobody",
            "result": "unreached"}  # fmt: skip
    for form in (went, {"act": "report"}, {"act": "confirm"}):
        assert signed_in(county).post(page, form).status_code == 403
    assert signed_in(county).get(reverse("registry:student", args=[pupil.public_id])).status_code == 404
    with scope(make.COUNTY):
        assert SuspectedDropout.objects.count() == 2
        assert set(Student.objects.values_list("pk", flat=True)) == {own.pk}
    # A protected pupil is hidden, also from the leader who protects pupils of the county's own schools.
    guard = Protection.objects.create(
        org_path=direct, student=pupil, state=Protection.State.IN_FORCE, until=today() + 9 * DAY,
        reason="测试", proposed_by=registrar, proposed_by_name="测试",
    )  # fmt: skip
    for who in (county, make.make_user("bureau_leader", make.COUNTY)):
        assert listed(who) == {own.pk}
        assert signed_in(who).get(page).status_code == 404
    hosting.set_hosts(make.PROVINCE)
    assert signed_in(county).get(ledger).context["totals"].suspected == 1
    Protection.objects.filter(pk=guard.pk).update(state=Protection.State.ENDED)
    # Asked anew each night; and with the pupil the row goes elsewhere.
    SuspectedDropout.objects.filter(pk=entry.pk).update(host_path=None)
    assert (hosting.set_hosts(make.PROVINCE), hosting.set_hosts(make.PROVINCE)) == (1, 0)
    assert signed_in(county).get(page).status_code == 200
    change = Change("transfer", "转学", "ZX7", "22", today(), today())
    move_pupil(Student.objects.get(pk=pupil.pk), make.make_class(make.FAR), change, actor=System(make.NATION))
    assert signed_in(county).get(page).status_code == 404


# ── Reports upward ───────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-DRP-06")
@pytest.mark.parametrize(
    ("kind", "day", "first", "last"),
    [
        ("month", date(2026, 3, 1), date(2026, 2, 1), date(2026, 2, 28)),
        ("month", date(2027, 1, 31), date(2026, 12, 1), date(2026, 12, 31)),
        ("quarter", date(2026, 11, 22), date(2026, 7, 1), date(2026, 9, 30)),
        ("quarter", date(2026, 1, 1), date(2025, 10, 1), date(2025, 12, 31)),
        ("semester", date(2028, 2, 29), date(2027, 9, 1), date(2028, 1, 31)),
        ("semester", date(2026, 9, 1), date(2026, 2, 1), date(2026, 8, 31)),
        ("year", date(2026, 8, 31), date(2024, 9, 1), date(2025, 8, 31)),
        ("year", date(2026, 9, 1), date(2025, 9, 1), date(2026, 8, 31)),
    ],
)
def test_each_kind_reports_the_latest_period_that_is_over(
    kind: str, day: date, first: date, last: date
) -> None:
    """Terms as usual, where nobody has set others."""
    Term.objects.all().delete()
    assert reporting.latest_period(kind, day, make.PROVINCE) == (first, last)


@pytest.mark.rule("R-DRP-06")
def test_the_periods_follow_the_terms_that_are_set_and_no_day_is_reported_twice(monkeypatch: Any) -> None:
    year = today().year - 2
    begun, over = date(year, 8, 27), date(year + 1, 1, 17)
    for later in range(3):
        Term.objects.update_or_create(
            path=make.PROVINCE, school_year=year + later, semester="1",
            defaults={"starts_on": date(year + later, 8, 27), "ends_on": date(year + later + 1, 1, 17)},
        )  # fmt: skip
    for kind, day, period in (
        ("semester", over + DAY, (begun, over)), ("semester", date(year + 1, 8, 27), (over + DAY, None)),
        ("year", date(year + 1, 8, 27), (begun, date(year + 1, 8, 26))),
    ):  # fmt: skip
        first, last = reporting.latest_period(kind, day, make.CITY)
        assert (first, last) == (period[0], period[1] or date(year + 1, 8, 26))
    make.make_class()
    monkeypatch.setattr(reporting, "today", lambda: date(year + 2, 4, 15))
    made = tasks.make_dropout_reports()
    Term.objects.filter(path=make.PROVINCE).update(starts_on=F("starts_on") + DAY, ends_on=F("ends_on") + DAY)
    assert (made > 0, tasks.make_dropout_reports()) == (True, 0)


@pytest.mark.rule("R-DRP-06", "DROPOUT_REPORT_DUE_DAYS")
def test_every_office_reports_what_the_ledgers_held_zero_too_and_the_office_above_sees_who_owes() -> None:
    leader, sister, county = make.make_leader(), make.make_leader(make.SISTER), make.make_reviewer()
    first, last = reporting.latest_period("month", today(), make.SCHOOL)
    pupil = make.make_student()
    open_entry(pupil, "LS1", "01", first, first)
    before = SuspectedDropout(student=pupil, org_path=make.SCHOOL, source="alarm", report_due_on=first)
    before.opened_on, before.closed_on, before.closed_how = first - 90 * DAY, last, "confirmed"
    before.save()
    assert tasks.make_dropout_reports() == 5  # two schools, county, city, province
    assert tasks.make_dropout_reports() == 0
    held = {report.office.path: report for report in DropoutReport.objects.select_related("office")}
    assert {report.kind for report in held.values()} == {"month", "quarter", "semester", "year"}
    own, zero = held[make.SCHOOL], held[make.SISTER]
    assert own.counts == {
        "absent": 0, "visits": 0, "suspected_new": 0, "suspected_closed": 1, "suspected": 0,
        "dropped_new": 1, "dropped_closed": 0, "dropped": 1,
    }  # fmt: skip
    assert set(zero.counts.values()) == {0}
    assert own.due_on == last + 10 * DAY
    close_entry(pupil, "HX1", today())  # what comes later changes no report
    own.refresh_from_db()
    assert own.counts["dropped"] == 1
    with pytest.raises(ProgrammingError), transaction.atomic():
        DropoutReport.objects.update(counts={})
    sign = reverse("dropout:report_sign", args=[zero.pk])
    for who, status in ((make.make_registrar(make.SISTER), 403), (leader, 404), (county, 403), (sister, 302)):
        assert signed_in(who).post(sign, {"remark": "零报告"}).status_code == status
    assert signed_in(sister).post(sign).status_code == 409
    page = signed_in(county).get(reverse("dropout:reports"), {"show": "open"})
    assert {line["report"].pk for line in page.context["lines"]} == {own.pk, held[make.COUNTY].pk}
    DropoutReport.objects.filter(pk=own.pk).update(org_path=own.org_path)
    overdue = signed_in(county).get(reverse("dropout:reports"), {"show": "overdue", "kind": "month"})
    below = signed_in(county).get(reverse("dropout:reports")).context["below"]
    assert [(row["name"], row["owed"]) for row in below if row["owed"]] == [(own.office.name, 1)]
    down = {"office": own.office_id, "show": "open"}
    far = signed_in(make.make_reviewer(make.FAR_COUNTY))
    assert far.get(reverse("dropout:reports"), down).status_code == 404
    shown = signed_in(county).get(reverse("dropout:reports"), down).context["lines"]
    assert [line["report"].pk for line in shown] == [own.pk]
    is_owed = own.due_on < today()
    assert [line["report"].pk for line in overdue.context["lines"]] == ([own.pk] if is_owed else [])


# ── The watch list ───────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-DRP-08")
def test_the_watch_list_shows_each_what_she_may_see_and_leaves_a_trace() -> None:
    registrar, leader, county = make.make_registrar(), make.make_leader(), make.make_reviewer()
    orphan = make.make_student(orphan="1", left_behind="2")
    accused = make.make_student(number="G440305201909010029")
    assert (tasks.fold_watch_unit(make.COUNTY), tasks.fold_watch_unit(make.COUNTY)) == (2, 0)
    url = reverse("dropout:watch_list")
    form = {"act": "enter", "number": accused.number, "from_on": f"{today()}", "note": "公安机关通报函"}
    for who, kind, status in (
        (registrar, "criminal", 403), (registrar, "distressed", 302), (registrar, "distressed", 409),
        (leader, "orphan", 422), (leader, "criminal", 302),
    ):  # fmt: skip
        answer = signed_in(who).post(url, form | {"kind": kind})
        assert answer.status_code == status, (who.name, kind)
    seen = {}
    for who in (
        registrar,
        leader,
        county,
        make.make_reviewer(make.CITY),
        make.make_reviewer(make.FAR_COUNTY),
    ):
        shown = signed_in(who).get(url)
        seen[who.name] = sorted(str(line["kind"]) for line in shown.context["lines"])
    common = sorted(["困境儿童", "孤儿", "留守儿童"])
    everything = sorted([*common, "涉案未成年人"])
    assert list(seen.values()) == [common, everything, everything, common, []]
    assert signed_in(registrar).get(url, {"kind": "criminal"}).status_code == 404
    assert signed_in(make.make_user("head_teacher", make.SCHOOL)).get(url).status_code == 403
    entry = WatchEntry.objects.get(kind_index=watching.index_of("criminal"))
    assert b"criminal" not in bytes(entry.private)
    for who, status in ((registrar, 404), (leader, 302), (leader, 409)):
        assert signed_in(who).post(reverse("dropout:watch_end", args=[entry.pk])).status_code == status
    trace = AccessEntry.objects.filter(route="dropout:watch_list", actor_id=county.pk).latest("pk")
    assert set(trace.subject_ids) == {orphan.pk, accused.pk}
    # What the record no longer says is no longer on the list.
    orphan.set_private(orphan.open_private() | {"orphan": "0"})
    orphan.save()
    Enrolment.objects.filter(student=accused).update(status="10")
    assert tasks.fold_watch_unit(make.COUNTY) == 2
    assert set(WatchEntry.objects.filter(until=None).values_list("student_id", flat=True)) == {orphan.pk}


@pytest.mark.rule("R-DRP-08")
def test_the_watch_list_of_the_country_is_handed_out_county_by_county(monkeypatch: Any) -> None:
    """One task for all of them would be cut by the time limit, and begin anew each night."""
    direct = make.make_office("CN.44.03.2144000019.").path
    make.make_student(make.make_class(direct), orphan="1")
    make.make_student(orphan="1")
    handed: list[str] = []
    monkeypatch.setattr(tasks.fold_watch_unit, "apply_async", lambda args: handed.extend(args))
    assert tasks.fold_watch_list() == len(handed)
    assert handed == [make.COUNTY, direct]
    assert [tasks.fold_watch_unit(path) for path in handed] == [1, 1]


# ── Household lists ──────────────────────────────────────────────────────────────────────────────────────
def workbook(*rows: tuple[str, ...], headings: tuple[str, ...] = ("姓名", "身份证件号", "脱贫户")) -> bytes:
    book, out = Workbook(), BytesIO()
    for row in (headings, *rows):
        book.active.append(row)
    book.save(out)
    return out.getvalue()


@pytest.mark.rule("R-DRP-05", "HOUSEHOLD_LIST_DAYS", "FI-3", "KE-1", "AZ-6", "AZ-9", "RD-6")
def test_a_household_list_finds_never_enrolled_absent_and_dropped_and_is_forgotten() -> None:
    registrar, county = make.make_registrar(), make.make_reviewer()
    _oldest, youngest = birthdays(make.COUNTY, today())
    numbers = {key: make.identity_number(youngest) for key in ("here", "away", "gone", "far", "never")}
    numbers["baby"] = make.identity_number(youngest + 400 * DAY)
    numbers["wrong"] = numbers["never"][:17] + ("0" if numbers["never"][17] != "0" else "1")
    born = youngest.isoformat()
    pupils = {
        key: make.make_student(
            make.make_class(make.FAR if key in ("far", "baby") else make.SCHOOL), id_number=numbers[key],
            birth_on=f"{youngest + 400 * DAY}" if key == "baby" else born, sex="2",
        )
        for key in ("here", "away", "gone", "far", "baby")
    }  # fmt: skip
    absent(pupils["away"], 2, actor=registrar)
    Enrolment.objects.filter(student=pupils["gone"]).update(status="06")
    content = workbook(*(("儿童", number, "是" if key == "gone" else "") for key, number in numbers.items()))
    with pytest.raises(households.NotACounty):
        households.take_in("a.xlsx", content, actor=make.make_reviewer(make.CITY))
    sheet = households.take_in("a.xlsx", content, actor=county)
    tasks.compare_households(sheet.job_id)
    tasks.compare_households(sheet.job_id)
    sheet.refresh_from_db()
    assert sheet.counts == {
        "here": 1, "absent": 1, "dropped": 1, "elsewhere": 1, "never": 1, "other_age": 1, "unclear": 1,
        "poor": 1,
    }  # fmt: skip
    assert sheet.stored_as == ""
    rows = {row.finding: row for row in sheet.rows.all()}
    assert rows["elsewhere"].student_id is None  # where, is not kept
    assert rows["absent"].student_id == pupils["away"].pk
    assert numbers["never"].encode() not in bytes(rows["never"].cells)
    page = reverse("dropout:household", args=[sheet.pk])
    shown = signed_in(county).get(page).content.decode()
    assert (numbers["never"][-4:] in shown, numbers["never"] in shown) == (True, False)
    for who in (make.make_reviewer(make.CITY), make.make_reviewer(make.FAR_COUNTY)):
        assert signed_in(who).get(page).status_code == 404
    assert signed_in(county).get(reverse("dropout:ledgers")).context["totals"].never == 1
    bad = households.take_in("b.xlsx", workbook(("甲",), headings=("名字",)), actor=county)
    tasks.compare_households(bad.job_id)
    bad.refresh_from_db()
    assert (bad.state, "列名" in bad.failure["detail"]) == ("failed", True)
    # One look-up of hers for each list that was compared; those that wait count as well.
    asked = AccessEntry.objects.filter(outcome="look_up", actor_id=county.pk, route="compare_households")
    assert list(asked.values_list("code", "org_path")) == [("found", make.COUNTY)]
    make.make_rule("LOOKUPS_PER_HOUR", 2, make.PROVINCE)
    late = households.take_in("c.xlsx", content, actor=county)
    with pytest.raises(BudgetStepUp):
        households.take_in("d.xlsx", content, actor=county)
    # Whoever is no reviewer any more learns nothing (AZ-6).
    county.posts.all().delete()
    tasks.compare_households(late.job_id)
    late.refresh_from_db()
    assert (late.state, late.failure["code"], late.rows.count()) == ("failed", "not_allowed", 0)
    assert (late.stored_as, asked.count()) == ("", 1)
    late.delete()
    HouseholdList.objects.filter(pk=sheet.pk).update(created_at=sheet.created_at - 91 * DAY)
    make.make_rule("MASS_RUN_RECORDS", 100, make.NATION)
    assert tasks.purge_households() == 1
    assert list(HouseholdList.objects.values_list("pk", flat=True)) == [bad.pk]
    assert not MassRun.objects.filter(kind="purge_households").exists()


# ── From the ministry ────────────────────────────────────────────────────────────────────────────────────
BY_NUMBER = ("学籍号", "身份证件号", "姓名")


def upload(who: User, *rows: tuple[str, ...]) -> str:
    """The page of a list that she has uploaded."""
    file = SimpleUploadedFile("名单.xlsx", workbook(*rows, headings=BY_NUMBER))
    return str(signed_in(who).post(reverse("dropout:push"), {"file": file})["Location"])


def pushed_down(who: User, *rows: tuple[str, ...]) -> DropoutList:
    """A list without faults that she has uploaded and confirmed, and that the worker has pushed down."""
    signed_in(who).post(upload(who, *rows), {"act": "push"})
    made: DropoutList = DropoutList.objects.select_related("job").latest("pk")
    assert made.job is not None
    tasks.push_dropouts(made.job.pk)
    made.refresh_from_db()
    return made


@pytest.mark.rule("R-DRP-09", "R-EST-10", "FI-2", "FI-3", "AZ-6", "KE-1", "RD-8")
def test_the_list_of_the_ministry_is_checked_whole_looked_at_and_pushed_down_by_a_job() -> None:
    operator, born = make.make_user("national_operator", make.NATION), date(2018, 3, 2)
    number, card = "G440305201909010037", make.identity_number(born)
    one = make.make_student(number=number)
    two = make.make_student(make.make_class(make.FAR), id_number=card, birth_on=f"{born}", sex="2")
    three = make.make_student(number="G440305201909010053")
    gone = make.make_student(number="G440305201909010061", status="08")
    assert signed_in(make.make_reviewer()).get(reverse("dropout:push")).status_code == 403
    page = upload(
        operator, (number, "", one.name), ("", card, ""), ("", "", "无号"), ("G000000000000000000", "", ""),
        (number, card, ""), (three.number, "", "别名"), (number, "", ""), (gone.number, "", ""),
    )  # fmt: skip
    held = DropoutList.objects.get()
    assert card.encode() not in bytes(held.cells or b"")
    shown = signed_in(operator).get(page).content.decode()
    for words in ("都没有填写", "没有查到有效的学籍", "不是同一名学生", "姓名与学籍不一致", "是同一名学生"):
        assert words in shown, words
    assert "6 行有误" in shown
    assert two.name in shown
    assert (card in shown, number in shown) == (False, False)
    # Of a protected pupil the number tells nobody how she is called now, and where she is (AZ-10).
    guard = Protection.objects.create(
        org_path=make.FAR, student=two, state=Protection.State.IN_FORCE, until=today() + 9 * DAY,
        reason="测试", proposed_by=operator, proposed_by_name="测试",
    )  # fmt: skip
    good = {row.student_id: row for row in signed_in(operator).get(page).context["good"]}
    assert good[one.pk].name == one.name
    assert (good[two.pk].name, good[two.pk].school) == ("—", str(HIDDEN_PLACE))
    Protection.objects.filter(pk=guard.pk).update(state=Protection.State.ENDED)
    for form, status in (
        ({"act": "push"}, 409), ({"act": "push", "org_path": "CN."}, 400),
        ({"act": "push", "skip": "1"}, 302), ({"act": "push", "skip": "1"}, 409), ({"act": "drop"}, 409),
    ):  # fmt: skip
        assert signed_in(operator).post(page, form).status_code == status, form
    assert SuspectedDropout.objects.count() == 0  # the worker does it
    job = Job.objects.get(kind="push_dropouts")
    for _twice in range(2):
        tasks.push_dropouts(job.pk)
    held.refresh_from_db()
    assert (held.cells, held.counts) == (None, {"opened": 2, "known": 0, "skipped": 6})
    assert set(held.suspicions.values_list("student_id", "org_path")) == {
        (one.pk, make.SCHOOL), (two.pk, make.FAR),
    }  # fmt: skip
    assert Event.objects.filter(action="registry.suspicion.push", actor_id=operator.pk).count() == 2
    assert signed_in(operator).get(page).context["answers"]["owed"] == 2
    # On the ledger already: nothing is opened twice.
    again = pushed_down(operator, (number, "", ""), (three.number, "", three.name))
    assert again.counts == {"opened": 1, "known": 1, "skipped": 0}
    # Whoever has lost the right meanwhile pushes nothing down; what nobody wants is forgotten.
    left = make.make_user("national_operator", make.NATION)
    list_of = pushing.take_in("名单.xlsx", workbook((number, "", ""), headings=BY_NUMBER), actor=left)
    for number_there, refused in (("G000000000000000000", True), (number, False)):
        list_of.set_cells([(2, {"number": number_there})])
        list_of.save()
        if refused:  # nobody is left to be pushed down
            with pytest.raises(pushing.ListFaulty):
                pushing.confirm(list_of, actor=left, skips_faulty=True)
    job = pushing.confirm(list_of, actor=left, skips_faulty=False)
    assert pushing.purge(-1, [make.NATION]) == 0  # the worker has not come yet
    left.posts.all().delete()
    pushing.push(job.pk)
    list_of.refresh_from_db()
    assert (list_of.done_at, list_of.failure["code"]) == (None, "not_allowed")
    assert (pushing.purge(7, [make.NATION]), pushing.purge(-1, [make.NATION])) == (0, 1)
    # A job whose list is empty ends.
    Job.objects.filter(pk=job.pk).update(state=Job.State.WAITING, ended_at=None)
    pushing.push(job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.FAILED


@pytest.mark.rule("R-DRP-09", "DROPOUT_ANSWER_DAYS")
def test_what_the_ministry_pushes_down_is_answered_and_struck_off_by_the_authority_alone() -> None:
    registrar, county = make.make_registrar(), make.make_reviewer()
    operator = make.make_user("national_operator", make.NATION)
    pupil = make.make_student(number="G440305201909010037")
    other = make.make_student(number="G440305201909010045")
    sheet = pushed_down(operator, (pupil.number, "", ""), (other.number, "", ""))
    entry = SuspectedDropout.objects.get(student=pupil)
    assert entry.answer_due_on == add_workdays(today(), 10)
    assert Notice.objects.filter(user=registrar, kind="dropout").exists()
    page = reverse("dropout:suspicion", args=[entry.pk])
    absences.come_back(absent(pupil, 1, actor=registrar), actor=registrar, on=today())  # no proof of anything
    assert signed_in(county).post(page, {"act": "confirm"}).status_code == 409  # nothing answered yet
    said = {"said": "at_school", "note": "已核对班级名册并附照片", "proof": uuid4()}
    for who, change, refusal in (
        (county, {}, NotAllowed), (registrar, {"note": "在"}, suspicions.AnswerUnclear),
        (registrar, {"proof": None}, suspicions.ProofMissing),
    ):  # fmt: skip
        with pytest.raises(refusal):
            suspicions.answer(entry, actor=who, **(said | change))  # type: ignore[arg-type]
    suspicions.answer(entry, actor=registrar, **said)  # type: ignore[arg-type]
    assert signed_in(registrar).post(page, {"act": "confirm"}).status_code == 403
    entry.refresh_from_db()
    assert entry.closed_on is None
    # What she looked at has been replaced meanwhile.
    suspicions.answer(entry, actor=registrar, **(said | {"proof": uuid4()}))  # type: ignore[arg-type]
    seen = {"act": "confirm", "proof": f"{said['proof']}"}
    assert signed_in(county).post(page, seen).status_code == 409
    entry.refresh_from_db()
    assert signed_in(county).post(page, seen | {"proof": f"{entry.proof}"}).status_code == 302
    entry.refresh_from_db()
    assert (entry.closed_how, entry.closed_on) == ("confirmed", today())
    # One that nobody answers in time is seen at every level above, and on the list.
    SuspectedDropout.objects.filter(student=other).update(answer_due_on=today() - DAY)
    for who in (county, make.make_reviewer(make.PROVINCE), operator):
        assert signed_in(who).get(reverse("dropout:ledgers")).context["totals"].overdue == 1
    answers = signed_in(operator).get(reverse("dropout:pushed", args=[sheet.pk])).context["answers"]
    assert answers == {"owed": 1, "late": 1, "at_school": 1, "absent": 0, "closed": 1}


@pytest.mark.rule("R-DRP-07")
def test_visits_are_kept_by_the_school_alone() -> None:
    pupil, county = make.make_student(), make.make_reviewer()
    with pytest.raises(Exception, match="办理"):
        visit(pupil, county)
    with scope(make.FAR):
        assert PersuasionVisit.objects.count() == 0


@pytest.mark.rule("R-CHG-10", "KE-1")
def test_the_archive_of_a_migrant_dropout_goes_to_the_county_of_the_hukou_when_the_term_is_over() -> None:
    county, far = make.make_reviewer(), make.make_reviewer(make.FAR_COUNTY)
    _first, term_ended = reporting.latest_period("semester", today(), make.SCHOOL)
    pupils = {name: make.make_student() for name in ("migrant", "late", "local")}
    place = make.make_office(make.FAR_COUNTY).division
    for name, pupil in pupils.items():
        division = make.make_office(make.SCHOOL).division if name == "local" else place
        Student.objects.filter(pk=pupil.pk).update(hukou_division=division)
        opened = today() if name == "late" else term_ended
        open_entry(Student.objects.get(pk=pupil.pk), "LS1", "03", opened, opened)
    hand = {"act": "hand"}
    for name, who, status in (
        ("late", county, 409), ("local", county, 409), ("migrant", far, 404),
        ("migrant", make.make_registrar(), 403), ("migrant", county, 302), ("migrant", county, 409),
    ):  # fmt: skip
        entry = DropoutEntry.objects.get(student=pupils[name])
        answer = signed_in(who).post(reverse("dropout:entry", args=[entry.pk]), hand)
        assert answer.status_code == status, (name, status)
    handed = HandedDropout.objects.get()
    assert pupils["migrant"].name.encode() not in bytes(handed.fields)
    assert Notice.objects.filter(user=far, kind="dropout").count() == 1
    page = reverse("dropout:handed_one", args=[handed.pk])
    assert pupils["migrant"].name in signed_in(far).get(page).content.decode()
    for who, status in (
        (make.make_reviewer(make.NEIGHBOUR_COUNTY), 404),
        (county, 403),
        (far, 302),
        (far, 409),
    ):
        assert signed_in(who).post(page).status_code == status
    assert DropoutEntry.objects.get(student=pupils["migrant"]).closed_on is None  # nothing ends by it
    assert signed_in(county).get(reverse("dropout:handed")).context["rows"][0].received_by_name == far.name
