"""The yearly promotion: who moves, who does not, exactly once, and back again (HANDBOOK A7.2, A7.4, G-09)."""

from collections.abc import Callable
from datetime import date

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Notice, User
from audit.models import Event
from audit.services import System
from config import breaker
from config.clock import today
from config.errors import NotAllowed, Refusal
from config.models import Job, MassRun
from registry.demo.promotion import rehearse_promotion
from registry.models import (
    Campaign,
    Enrolment,
    OpenBusiness,
    PromotionRun,
    PromotionSchool,
    School,
    SchoolClass,
    StatusChange,
    Student,
    Term,
)
from registry.school_year import runs
from registry.school_year.promoting import is_equal
from registry.school_year.undoing import undo
from registry.school_year.year import present_year, school_year
from registry.services.changing import Change, move_pupil
from registry.services.enrolling import enrol_graduates
from registry.services.grades import next_grade, next_grade_sql
from tests import make
from tests.accounts.test_sealing import step_up
from tests.transfers.filing import decide_all, finish
from tests.transfers.world import World
from transfers.refusals import RequirementFailed

JUNE, MIDNIGHT = "2027-06-15", "2027-08-11"
FIVE_FOUR = "CN.44.03.05.2144000005."  # five years of primary and four of junior school
OF_CITY = "CN.44.03.2144000009."  # run by the city itself: a unit without the counties below
Clock = Callable[[str], None]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, nation: None) -> Clock:
    """June of 2027, whatever the day on which the suite runs, until the test says otherwise."""
    monkeypatch.setenv("XUEJI_CLOCK", JUNE)
    return lambda day: monkeypatch.setenv("XUEJI_CLOCK", day)


def operator() -> User:
    return make.make_user("national_operator", make.NATION)


def worked(run: PromotionRun) -> PromotionRun:
    """After the workers' turn at every unit, twice: nothing happens twice."""
    for _turn in range(2):
        for part in run.parts.all():
            runs.work(part.pk)
    run.refresh_from_db()
    return run


def rehearsed() -> PromotionRun:
    run = runs.rehearse(actor=operator())
    runs.offer()
    return worked(run)


def confirmed() -> PromotionRun:
    run = rehearsed()
    for person in (operator(), make.make_user("security_administrator", make.NATION)):
        run = runs.confirm(run, digest=run.digest, actor=person)
    return run


def promoted(clock: Clock, at: str = MIDNIGHT) -> PromotionRun:
    run = confirmed()
    clock(at)
    return worked(run)


def spell(student: Student) -> Enrolment:
    return Enrolment.objects.select_related("school_class").get(student=student)


def repeat(student: Student, *, was: str = "11", asked_on: date = date(2027, 6, 10)) -> None:
    """She was in grade `was` when the repeat of grade 1 took effect."""
    path = student.org_path
    office = make.make_office(path)
    StatusChange.objects.create(
        from_path=path, to_path=path, counted_path=path, student=student, case_no=f"LJ{student.pk}",
        kind="repeat", category="02",
        from_school=office, to_school=office, from_status="01", to_status="01", from_grade=was, to_grade="11",
        happened_on=asked_on, effective_on=asked_on,
    )  # fmt: skip


def five_four() -> None:
    make.make_office(FIVE_FOUR)
    School.objects.filter(organization__path=FIVE_FOUR).update(schooling="5-4")


@pytest.mark.rule("R-GRD-09")
def test_the_next_grade_is_the_same_in_python_and_in_sql(clock: Clock) -> None:
    chains = {
        "6-3": "11 12 13 14 15 16 - 21 22 23 - 31 32 33 -",
        "5-4": "11 12 13 14 15 - 21 22 23 24 - 31 32 33 -",
    }
    for schooling, chain in chains.items():
        words = chain.split()
        for grade, then in zip(words, words[1:], strict=False):
            if grade == "-":
                continue
            expected = "" if then == "-" else then
            assert next_grade(grade, schooling) == expected
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT {next_grade_sql('%s', '%s')}", [schooling, grade])
                assert cursor.fetchone()[0] == expected, (schooling, grade)


@pytest.mark.rule("G-09", "R-GRD-08", "R-GRD-09", "R-UPD-02", "R-CHG-11", "R-GRD-10")
def test_everybody_in_school_moves_once_and_nobody_else(clock: Clock) -> None:
    five_four()
    one = make.make_class(name="一(1)班")
    stays = {"02": "02", "04": "04", "05": "05", "06": "06", "00": "00"}
    still = {status: make.make_student(one, status=status) for status in stays}
    girl, repeater, former = (make.make_student(one) for _n in range(3))
    repeat(repeater)
    repeat(former, was="12", asked_on=date(2026, 6, 10))  # of the year before: it has had its effect
    case = OpenBusiness.objects.create(
        from_path=make.SCHOOL,
        to_path=make.SCHOOL,
        student=girl,
        case_no="ZX1",
        kind="transfer",
        kind_name="转学",
    )
    newcomer = make.make_student(make.make_class(name="一(2)班"))
    Enrolment.objects.filter(student=newcomer).update(entry_month="2027-09")
    rows = [
        (make.SCHOOL, "15", "五年级1班", "16", "六年级1班"),
        (make.SCHOOL, "16", "六(1)班", "16", "六(1)班"),
        (make.SCHOOL, "21", "七(3)班", "22", "八(3)班"),
        (make.SCHOOL, "24", "九(1)班", "24", "九(1)班"),  # beyond a six-three school
        (FIVE_FOUR, "15", "五(1)班", "15", "五(1)班"),
        (FIVE_FOUR, "21", "六(1)班", "22", "七(1)班"),
        (FIVE_FOUR, "23", "初三(2)班", "24", "初四(2)班"),
        (FIVE_FOUR, "24", "九(1)班", "24", "九(1)班"),
        (make.NEIGHBOUR, "31", "高一(1)班", "32", "高二(1)班"),
        (OF_CITY, "12", "一帆班", "13", "一帆班"),  # begins with the word, and is none
    ]
    moving = [
        (make.make_student(make.make_class(path, grade, name=name)), *rest)
        for path, grade, name, *rest in rows
    ]
    run = promoted(clock)
    assert run.state == PromotionRun.State.DONE
    assert [(p.path, p.counts["before"]) for p in run.parts.order_by("path")] == [
        (make.CITY, 1), (make.NEIGHBOUR_COUNTY, 1), (make.COUNTY, 17)
    ]  # fmt: skip
    for student, grade, name in moving:
        now = spell(student)
        assert (now.grade, now.school_class.grade, now.school_class.name) == (grade, grade, name)
    one.refresh_from_db()
    assert (one.grade, one.name) == ("12", "二(1)班")
    for student in (girl, former):
        assert (spell(student).grade, spell(student).school_class_id) == ("12", one.pk)
    for status, student in still.items():
        now = spell(student)
        # In school without the class that went on without her: she waits for another. Away: asked on return.
        assert (now.grade, now.status) == ("11", status)
        assert now.school_class_id == (None if status == "00" else one.pk)
    assert (spell(repeater).grade, spell(repeater).school_class_id, spell(repeater).class_number) == (
        "11",
        None,
        "",
    )
    assert (spell(newcomer).grade, spell(newcomer).school_class.name) == ("11", "一(2)班")
    case.refresh_from_db()  # an open transfer goes on
    counts = run.counts
    assert is_equal(counts)
    told = ("promoted", "repeated", "graduating", "newcomer", "beyond", "blocked")
    assert [counts[key] for key in told] == [8, 1, 3, 1, 1, 1]
    assert all(counts[status] == 1 for status in stays)
    acts = Event.objects.filter(action="registry.student.promote")
    assert acts.count() == counts["promoted"]
    assert acts.get(subject_id=girl.pk).detail == {
        "year": 2027,
        "before": "小学一年级",
        "after": "小学二年级",
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT grade FROM registry_enrolmentevent WHERE pgh_obj_id = %s ORDER BY pgh_id",
            [spell(girl).pk],
        )
        assert [grade for (grade,) in cursor.fetchall()] == ["11", "12"]
    # Another rehearsal in the same summer finds nothing to promote: everybody stands promoted already.
    again = rehearsed()
    assert (again.parts.count(), again.counts) == (0, {"units": 0, "held": 0})


@pytest.mark.rule("R-GRD-08", "R-GRD-10", "RE-4")
def test_two_persons_confirm_exactly_this_hash_and_the_clock_and_the_breaker_stand_before_it(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.make_rule("MASS_RUN_RECORDS", 1, make.NATION)
    girls = [make.make_student(make.make_class()) for _n in range(2)]
    first, second = operator(), make.make_user("security_administrator", make.NATION)
    with pytest.raises(NotAllowed):
        runs.rehearse(actor=make.make_reviewer())
    run = rehearsed()
    assert [spell(girl).grade for girl in girls] == ["11", "11"]  # taken back
    assert not Event.objects.filter(action="registry.student.promote").exists()

    def refused(code: str, digest: str, actor: User) -> None:
        with pytest.raises(Refusal) as error:
            runs.confirm(run, digest=digest, actor=actor)
        assert error.value.code == code

    refused("not_allowed", run.digest, second)  # the first word needs the right to promote
    refused("promotion_hash_differs", "0" * 64, first)
    run = runs.confirm(run, digest=run.digest, actor=first)
    refused("promotion_same_person", run.digest, first)
    refused("not_allowed", run.digest, make.make_reviewer())
    run = runs.confirm(run, digest=run.digest, actor=second)
    refused("promotion_not_ready", run.digest, operator())
    with pytest.raises(Refusal, match="正在执行"):
        runs.rehearse(actor=first)
    part = run.parts.get()
    clock("2027-08-10")
    with pytest.raises(Refusal) as early:
        runs.promote_county(run, part.path)
    assert (early.value.code, runs.offer()) == ("promotion_too_early", 0)
    assert "2027年8月10日24:00" in early.value.detail
    MassRun.objects.filter(kind="promote").update(day=date(2027, 8, 10))  # said for another day
    clock(MIDNIGHT)
    with pytest.raises(breaker.MassRunHeld):
        runs.promote_county(run, part.path)
    assert [spell(girl).grade for girl in girls] == ["11", "11"]
    MassRun.objects.filter(kind="promote", second_id__isnull=False).update(day=today())
    assert worked(run).state == PromotionRun.State.DONE
    assert [spell(girl).grade for girl in girls] == ["12", "12"]
    assert MassRun.objects.get(kind="promote", used_at__isnull=False).first_name == first.name


@pytest.mark.rule("R-GRD-10")
def test_a_county_whose_facts_moved_is_held_and_told_and_the_others_go_on(clock: Clock) -> None:
    here, there = make.make_student(make.make_class()), make.make_student(make.make_class(make.NEIGHBOUR))
    reviewer = make.make_reviewer()
    run = confirmed()
    Enrolment.objects.filter(student=here).update(status="02")
    # Who registers until midnight, or is only here and does not move, changes nothing of what was confirmed.
    make.make_student(make.make_class(make.NEIGHBOUR, name="一(9)班"), status="00")
    make.make_student(spell(there).school_class, status="00")
    make.make_student(make.make_class(f"{make.NEIGHBOUR_COUNTY}2144000777.", "16"))
    clock(MIDNIGHT)
    run = worked(run)
    assert (spell(here).grade, spell(there).grade, run.counts["held"]) == ("11", "12", 1)
    held = run.parts.get(path=make.COUNTY)
    assert (held.state, held.reason) == ("held", "promotion_facts_moved")
    assert Notice.objects.filter(user=reviewer, kind="promotion").count() == 1
    Enrolment.objects.filter(student=here).update(status="01")
    again = promoted(clock)
    assert [part.path for part in again.parts.all()] == [make.COUNTY]
    assert (spell(here).grade, spell(there).grade) == ("12", "12")


@pytest.mark.rule("R-GRD-10")
def test_counts_that_do_not_add_up_take_everything_back(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    girl = make.make_student(make.make_class())
    run = confirmed()
    clock(MIDNIGHT)
    monkeypatch.setattr("registry.school_year.promoting._RECOUNT", (
        "SELECT school_id, fate, count(*), 0 FROM promoting GROUP BY school_id, fate"
    ))  # fmt: skip
    run = worked(run)
    assert (spell(girl).grade, run.parts.get().reason) == ("11", "promotion_counts_differ")


@pytest.mark.rule("R-GRD-10")
def test_the_authority_undoes_one_school_for_some_days(clock: Clock, client: Client) -> None:
    one, two = make.make_class(name="一(1)班"), make.make_class(make.SISTER)
    girl, repeater, elsewhere = make.make_student(one), make.make_student(one), make.make_student(two)
    repeat(repeater)
    reviewer = make.make_reviewer()
    run = promoted(clock)
    row = PromotionSchool.objects.get(part__run=run, org_path=make.SCHOOL)
    assert [spell(s).grade for s in (girl, repeater, elsewhere)] == ["12", "11", "12"]
    client.force_login(reviewer)
    sheet = client.get(reverse("year:school", args=[run.public_id, row.school_id])).content.decode()
    told = (
        "升级前 2 人，升级后在籍 2 人",
        "小学二年级",
        row.digest,
        run.digest,
        run.first_name,
        run.second_name,
    )
    assert [words for words in told if words not in sheet] == []

    def refused(code: str, actor: User = reviewer, reason: str = "学制填错，须更正") -> None:
        with pytest.raises(Refusal) as error:
            undo(row, actor=actor, reason=reason)
        assert error.value.code == code

    refused("not_allowed", make.make_reviewer(make.NEIGHBOUR_COUNTY))
    refused("not_allowed", make.make_leader())
    refused("promotion_undo_reason", reason="错")
    clock("2027-08-22")
    refused("promotion_undo_too_late")  # PROMOTION_UNDO_DAYS
    clock("2027-08-21")
    stranger = make.make_student(one)
    refused("promotion_built_upon")
    Enrolment.objects.filter(student=stranger).update(school_class=two)
    undo(row, actor=reviewer, reason="学制填错，须更正")
    one.refresh_from_db()
    assert (one.grade, one.name) == ("11", "一(1)班")
    assert [spell(s).grade for s in (girl, repeater, elsewhere)] == ["11", "11", "12"]
    assert spell(repeater).school_class_id == one.pk
    assert Event.objects.get(action="registry.student.promote_back").subject_id == girl.pk
    refused("promotion_nothing_to_undo")
    clock(MIDNIGHT)
    Enrolment.objects.filter(student=stranger).delete()
    again = promoted(clock)
    assert ([s.org_path for s in PromotionSchool.objects.filter(part__run=again)], spell(girl).grade) == (
        [make.SCHOOL], "12"
    )  # fmt: skip


@pytest.mark.rule("R-CHG-01", "R-GRD-08", "R-GRD-10", "G-09")
def test_a_repeat_holds_its_pupil_once_whether_it_is_performed_before_the_promotion_or_after(
    clock: Clock,
) -> None:
    world = World()
    early, late, asked = (world.pupil("31") for _n in range(3))
    goes_on = world.pupil("31")
    cases = {pupil: world.file("repeat", pupil, happened_on=lambda: JUNE) for pupil in (early, late, asked)}
    staff = {"leader": world.leader, "reviewer": world.reviewer}
    for pupil in (early, late):
        decide_all(cases[pupil], staff)
    finish(cases[early])
    run = promoted(clock)
    assert [spell(one).grade for one in (early, late, asked, goes_on)] == ["31", "32", "32", "32"]
    finish(cases[late])  # the worker was away that night
    with pytest.raises(RequirementFailed, match="不是该生要重读的年级"):  # her class has gone on
        decide_all(cases[asked], staff)
    for pupil in (early, late):
        held = spell(pupil)
        assert (held.grade, held.school_class_id, held.class_number) == ("31", None, "")
    change = StatusChange.objects.get(student=late)
    assert (change.from_grade, change.to_grade) == ("32", "31")
    event = Event.objects.get(action="registry.student.put_back")
    assert (event.subject_id, event.detail["grade"]) == (late.pk, "高中一年级")

    # Undone and held again in the same summer: she is not carried off by the second run.
    row = PromotionSchool.objects.get(part__run=run, org_path=make.SCHOOL)
    undo(row, actor=world.reviewer, reason="学制填错，须更正")
    assert [spell(one).grade for one in (early, late, goes_on)] == ["31", "31", "31"]
    promoted(clock)
    assert [spell(one).grade for one in (early, late, goes_on)] == ["31", "31", "32"]
    clock("2028-06-15")  # and the next year holds nobody
    promoted(clock, "2028-08-11")
    assert [spell(one).grade for one in (early, late, goes_on)] == ["32", "32", "33"]


def move(student: Student, to: SchoolClass) -> None:
    change = Change(
        kind="transfer", name="转学", case_no=f"ZX{student.pk}", category="22", happened_on=today(),
        effective_on=today(),
    )  # fmt: skip
    move_pupil(student, to, change, actor=System(make.COUNTY))


@pytest.mark.rule("R-GRD-10", "G-09")
def test_who_comes_promoted_to_a_school_that_is_promoted_again_moves_once(clock: Clock) -> None:
    third = "CN.44.03.05.2144000778."
    came, comes = make.make_student(make.make_class()), make.make_student(make.make_class(third))
    here, above = make.make_class(make.SISTER), make.make_class(make.SISTER, "12")
    own = make.make_student(above)
    run = promoted(clock)
    for path in (make.SISTER, third):
        row = PromotionSchool.objects.get(part__run=run, org_path=path)
        undo(row, actor=make.make_reviewer(), reason="学制填错，须更正")
    clock("2027-08-16")
    above.refresh_from_db()
    move(came, above)
    move(comes, here)  # from a school that does not stand promoted: she moves with her new one
    again = promoted(clock, "2027-08-16")
    spells = Enrolment.objects.filter(student__in=[came, comes, own], org_path=make.SISTER, status="01")
    assert dict(spells.values_list("student", "grade")) == {came.pk: "12", comes.pk: "12", own.pk: "13"}
    assert (again.counts["came"], again.counts["promoted"]) == (1, 2)


@pytest.mark.rule("R-GRD-08", "G-09")
def test_who_was_here_is_told_by_days_and_what_became_of_her_by_her_state(clock: Clock) -> None:
    one = make.make_class()
    stays, left, moved, graduated, goes_on, before = (make.make_student(one) for _n in range(6))
    july = date(2027, 7, 20)
    for student, status, day in (
        (left, "03", date(2027, 4, 1)), (graduated, "07", july), (goes_on, "07", july),
        (before, "07", date(2026, 7, 20)),
    ):  # fmt: skip
        spells = Enrolment.objects.filter(student=student)
        spells.update(status=status, valid=DateRange(date(2020, 9, 1), day))
        if status == "07":
            make.make_graduate(spells.get(), day)
    move(moved, make.make_class(make.FAR))
    clock("2027-09-10")
    next_class = make.make_class(make.SISTER, "21")
    change = Change(
        kind="enrolment", name="升学入籍", case_no="SX1", category="99", happened_on=today(),
        effective_on=today(),
    )  # fmt: skip
    places = {student.pk: next_class for student in (goes_on, before)}
    enrol_graduates(places, change, admission_mode="11", actor=System(make.COUNTY))
    run = rehearsed()
    counts = PromotionSchool.objects.get(part__run=run, org_path=make.SCHOOL).counts
    told = ("before", "promoted", "graduated", "left")
    assert ([counts.get(key, 0) for key in told], is_equal(counts)) == ([5, 1, 2, 2], True)
    # Gone without a trace, or ended and yet going on: nothing accounts for her.
    for broken in ({"status": "97", "valid": DateRange(date(2026, 9, 1), today())}, {"status": "03"}):
        lost = make.make_student(one)
        Enrolment.objects.filter(student=lost).update(**broken)
        part = rehearsed().parts.get(path=make.COUNTY)
        assert (part.state, part.reason) == ("held", "promotion_counts_differ")
        Enrolment.objects.filter(student=lost).delete()
    assert spell(stays).grade == "11"


def test_the_days_of_a_school_year_are_those_that_are_set(nation: None) -> None:
    def made_up(month: int, day: int) -> int:
        return present_year(date(2026, month, day)).year

    assert (school_year(2027).entry_month, made_up(9, 30), made_up(10, 1)) == ("2027-07", 2026, 2027)
    make.make_rule("REGISTRATION_CLOSES", "1015", make.NATION)
    days = {"starts_on": date(2027, 3, 1), "ends_on": date(2027, 6, 20)}
    Term.objects.create(path=make.NATION, school_year=2026, semester="2", **days)
    assert (school_year(2027).entry_month, made_up(10, 1), made_up(10, 16)) == ("2027-06", 2026, 2027)


@pytest.mark.rule("R-GRD-08", "R-GRD-09", "AZ-2")
def test_pages_from_the_nation_down_to_the_pupil(clock: Clock, client: Client) -> None:
    five_four()
    early = make.make_student(make.make_class(FIVE_FOUR, "15"))
    suspended = make.make_student(make.make_class(), status="02")
    first, second, reviewer = operator(), operator(), make.make_reviewer()
    step_up(client, first)
    assert "还没有演练过" in client.get(reverse("year:promotions")).content.decode()
    sent = {"key": "promotion-1"}
    pages = [client.post(reverse("year:rehearse"), sent) for _press in range(2)]
    run = PromotionRun.objects.get()
    assert [page["Location"] for page in pages] == [reverse("year:run", args=[run.public_id])] * 2
    runs.offer()
    run = worked(run)
    shown = client.get(reverse("year:run", args=[run.public_id])).content.decode()
    assert run.digest in shown
    assert "已核对，确认此摘要" in shown
    confirm = reverse("year:confirm", args=[run.public_id])
    assert client.post(confirm, {"digest": run.digest}).status_code == 302
    assert client.post(confirm, {"digest": run.digest}).status_code == 409
    step_up(client, second)
    assert client.post(confirm, {"digest": run.digest}).status_code == 302
    run.refresh_from_db()
    assert run.state == PromotionRun.State.RUNNING
    step_up(client, reviewer)
    part = run.parts.get()
    unit = client.get(reverse("year:unit", args=[run.public_id, part.pk])).content.decode()
    assert "将提前毕业" in unit
    of_five_four = make.make_office(FIVE_FOUR).pk
    school = reverse("year:school", args=[run.public_id, of_five_four])
    listed = client.get(f"{school}?of=early").content.decode()
    assert early.name in listed
    assert "本地为六三制" in listed
    make.make_rule("SCHOOLING", "5-4", make.COUNTY)  # a locality with five years of primary school
    assert early.name not in client.get(f"{school}?of=early").content.decode()
    assert client.get(f"{school}?of=nonsense").status_code == 404
    here = reverse("year:school", args=[run.public_id, make.make_office(make.SCHOOL).pk])
    assert suspended.name in client.get(f"{here}?of=02").content.decode()
    undo_page = reverse("year:undo", args=[run.public_id, of_five_four])
    assert client.post(undo_page, {"reason": "学制填错，须更正"}).status_code == 409
    step_up(client, make.make_registrar())
    own = client.get(reverse("year:run", args=[run.public_id])).content.decode()
    assert make.make_office(make.SCHOOL).name in own
    assert client.get(school).status_code == 404
    assert client.get(reverse("year:unit", args=[run.public_id, part.pk])).status_code == 404
    assert client.post(confirm, {"digest": run.digest}).status_code == 403


def test_the_demonstration_shows_a_rehearsal_and_the_api_tells_it(clock: Clock, client: Client) -> None:
    girl = make.make_student(make.make_class())
    assert rehearse_promotion(operator()) == 1
    run = PromotionRun.objects.get()
    assert (run.state, run.counts["promoted"], spell(girl).grade) == ("rehearsed", 1, "11")
    step_up(client, operator())
    created = client.post(
        reverse("promotion-list"),
        {},
        content_type="application/json",
        headers={"Idempotency-Key": "key-12345"},
    )
    again = worked(PromotionRun.objects.get(public_id=created.json()["id"], state="rehearsing"))
    run.refresh_from_db()
    assert (created.status_code, again.parts.count(), run.state) == (201, 0, "dropped")
    runs.offer()
    again = worked(again)
    one = reverse("promotion-detail", args=[again.public_id])
    assert client.get(one).json()["digest"] == again.digest
    results = client.get(f"{one}results/").json()
    assert [(row["name"], row["counts"]["promoted"]) for row in results["results"]] == [
        (make.make_office(make.SCHOOL).name, 1)
    ]
    sent = client.post(f"{one}confirm/", {"digest": "0" * 64}, content_type="application/json")
    assert (sent.status_code, sent.json()["code"]) == (409, "promotion_hash_differs")
    sent = client.post(f"{one}confirm/", {"digest": again.digest}, content_type="application/json")
    assert (sent.status_code, sent.json()["first_by"]) == (
        200,
        PromotionRun.objects.get(pk=again.pk).first_name,
    )


def test_lists_take_the_same_queries_for_one_school_and_for_many(clock: Clock, client: Client) -> None:
    for name in range(3):
        make.make_student(make.make_class(name=f"一({name + 1})班"), status="02")
    make.make_student(make.make_class(make.SISTER))
    run = rehearsed()
    client.force_login(make.make_reviewer())
    part = reverse("year:unit", args=[run.public_id, run.parts.get().pk])
    school = reverse("year:school", args=[run.public_id, make.make_office(make.SCHOOL).pk]) + "?of=02"
    counted = []
    for _more in range(2):
        for address in (part, school):
            client.get(address)
            with CaptureQueriesContext(connection) as queries:
                client.get(address)
            counted.append(len(queries))
        for name in range(5):
            make.make_student(make.make_class(name=f"一({name + 4})班"), status="02")
            make.make_student(make.make_class(f"CN.44.03.05.21440001{name}0."))
        run = rehearsed()
        part = reverse("year:unit", args=[run.public_id, run.parts.get().pk])
        school = reverse("year:school", args=[run.public_id, make.make_office(make.SCHOOL).pk]) + "?of=02"
    assert counted[:2] == counted[2:]


@pytest.mark.rule("A7.4")
def test_the_calendar_says_what_comes_next_and_the_banner_when_it_is_near(
    clock: Clock, client: Client
) -> None:
    make.make_rule("TRANSFER_FREEZE", "0715..0814", make.NATION)
    Campaign.objects.create(
        path=make.PROVINCE, school_year=2026, semester="2", opens_on=today(), due_on=date(2027, 7, 5),
        job=Job.objects.create(kind="verify", path=make.PROVINCE, started_by_name="测试"),
        opened_by=operator(), opened_by_name="王组织", office_name="广东省教育厅",
    )  # fmt: skip
    registrar = make.make_registrar()
    client.force_login(registrar)
    page = client.get(reverse("year:calendar")).content.decode()
    for words in (
        "2027-07-15", "2027-07-20", "2027-07-30", "2027-08-10", "2027年8月10日24:00", "2027-07-05",
        "2027-09-01", "2027-06-30", "到这一天由系统清理", "毕业名单在规定的时间内",
    ):  # fmt: skip
        assert words in page, words
    home = reverse("home")
    for day, near in (("2027-06-16", False), ("2027-06-17", True), ("2027-06-30", True)):
        clock(day)
        assert ("7月1日" in client.get(home).content.decode()) is near, day
    for day, near in (
        ("2027-07-26", False),
        ("2027-07-27", True),
        ("2027-08-10", True),
        ("2027-08-11", False),
    ):
        clock(day)
        assert ("全国系统统一升级" in client.get(home).content.decode()) is near, day
