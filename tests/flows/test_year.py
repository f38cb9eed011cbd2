"""A whole school year with the clock moved, from one September to the next. Beside the registry a dictionary
says where every pupil ought to be; each month both are compared, and every invariant is asked.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from accounts.models import User
from config.clock import today
from registry.dropout import absences, alarm
from registry.graduation.checking import examine
from registry.graduation.preparing import confirm, hand_in, open_list
from registry.graduation.refusals import GraduationClosed
from registry.models import (
    Campaign,
    ClassRoll,
    DropoutEntry,
    Enrolment,
    EnrolmentSnapshot,
    Finding,
    GraduationList,
    GraduationRecord,
    ImportBatch,
    SchoolClass,
    SchoolVerification,
    Student,
    SuspectedDropout,
    Term,
)
from registry.record import open_number
from registry.school_year import runs
from registry.school_year.refusals import PromotionTooEarly
from registry.services.blockers import BusinessUnfinished
from registry.services.reporting_in import roll_of
from registry.status import DROPPED_OUT, GRADUATED, MOVED, NORMAL, SUSPENDED
from registry.verification.acts import plan
from registry.verification.campaigns import open_campaign
from registry.verification.refusals import FindingsUnplanned
from registry.verification.rolls import confirm_roll
from registry.verification.running import verify
from registry.verification.signing import sign
from tests import make
from tests.flows.invariants import broken, silent
from tests.registry.importing import checked, committed
from tests.registry.workbooks import line
from tests.transfers.filing import decide_all, finish_batch
from tests.transfers.moving import file_move, sign_all
from tests.transfers.world import World
from transfers.cleanup import clean_up
from transfers.models import Case
from transfers.refusals import RequirementFailed

PRIMARY, JUNIOR, FAR = make.SCHOOL, make.SISTER, make.FAR
ENTRANTS = 6


@dataclass
class Country:
    """The clock, who works where, and where every pupil ought to be: school, grade, status."""

    monkeypatch: pytest.MonkeyPatch
    expected: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    entered: list[int] = field(default_factory=list)

    def on(self, day: str) -> None:
        self.monkeypatch.setenv("XUEJI_CLOCK", day)

    def begin(self) -> None:
        """Schools, staff and the terms of two years, on the first day of the first."""
        self.world = World()
        self.operators = [make.make_user("national_operator", make.NATION) for _n in range(2)]
        self.junior_registrar, self.junior_leader = make.make_registrar(JUNIOR), make.make_leader(JUNIOR)
        make.make_office(FAR)
        for year in (2026, 2027):
            for semester, first, last in (
                ("1", date(year, 9, 1), date(year + 1, 1, 20)),
                ("2", date(year + 1, 3, 1), date(year + 1, 7, 5)),
            ):
                Term.objects.create(
                    path=make.NATION, school_year=year, semester=semester, starts_on=first, ends_on=last
                )

    @property
    def office(self) -> dict[str, Any]:
        world = self.world
        return {"registrar": world.registrar, "leader": world.leader, "reviewer": world.reviewer}

    def school_class(self, path: str, grade: str, name: str) -> SchoolClass:
        return make.make_class(path, grade=grade, name=name)

    def pupil(self, school_class: SchoolClass, entry: int, years: int, number: bool = True) -> Student:
        """Somebody who is `years` years into school since the autumn of `entry`, of the usual age."""
        birth = date(entry - 7 - (6 if school_class.grade[0] == "2" else 0), 10, 15)
        student = make.make_student(
            school_class,
            number="G" + make.identity_number(birth) if number else "",
            birth_on=birth.isoformat(),
            entry_month=f"{entry}-09",
        )
        self.expected[student.pk] = (school_class.org_path, school_class.grade, NORMAL)
        return student

    def intake(
        self, school_class: SchoolClass, rows: list[dict[str, str]], who: dict[str, Any]
    ) -> ImportBatch:
        """A workbook of new pupils through check, commit, leader, county and worker."""
        batch = checked(rows, actor=who["registrar"])
        assert batch.rows_wrong == 0, list(batch.findings.values_list("code", flat=True))
        batch = committed(batch, actor=who["registrar"])
        case = Case.objects.get(number=batch.case_no)
        decide_all(case, who)
        finish_batch(Case.objects.get(pk=case.pk))
        for pk in Enrolment.objects.filter(school_class=school_class, status=NORMAL).values_list(
            "student_id", flat=True
        ):
            self.expected[pk] = (school_class.org_path, school_class.grade, NORMAL)
            self.entered.append(pk)
        return batch

    def now(self, student: Student, **changed: str) -> None:
        """What the registry ought to say of the pupil from today on."""
        path, grade, status = self.expected[student.pk]
        self.expected[student.pk] = (
            changed.get("path", path), changed.get("grade", grade), changed.get("status", status)
        )  # fmt: skip

    def check(self) -> None:
        """The month's look: every invariant, and everybody where she ought to be."""
        assert broken() == {}, today()
        latest = Enrolment.objects.filter(student_id__in=self.expected, is_void=False).exclude(status=MOVED)
        found = {
            row.student_id: (row.org_path, row.grade, row.status)
            for row in latest.order_by("student_id", "-valid").distinct("student_id")
        }
        assert found == self.expected, today()
        assert silent(self.entered) == []

    def verify_term(self, due: date) -> Campaign:
        """One semester's campaign, and the sign-off of the primary school: refused first (G-16)."""
        world = self.world
        campaign = open_campaign(actor=self.operators[0], due_on=due)
        for _turn in range(2):  # the job twice: nothing is found twice
            verify(campaign.job_id)
        school = SchoolVerification.objects.get(campaign=campaign, org_path=PRIMARY)
        classes = SchoolClass.objects.filter(org_path=PRIMARY, is_open=True).order_by("pk")
        for school_class in classes:
            if roster := roll_of(school_class):
                confirm_roll(school_class, list(roster), [], [], version=0, actor=world.registrar)
        assert ClassRoll.objects.filter(campaign=campaign).exists()
        open_ones = Finding.objects.filter(campaign=campaign, org_path=PRIMARY, state="open")
        assert open_ones.exists()  # nobody has noted who reported in
        with pytest.raises(FindingsUnplanned):
            sign(school, actor=world.leader)
        plan(
            campaign, PRIMARY, list(open_ones.values_list("pk", flat=True)), actor=world.registrar,
            text="由班主任补作报到登记", due_on=due,
        )  # fmt: skip
        signed = sign(SchoolVerification.objects.get(pk=school.pk), actor=world.leader)
        here = sum(path == PRIMARY for path, _grade, _status in self.expected.values())
        assert (signed.state, signed.pupils) == ("signed", here)
        return campaign

    def graduate(self, made: GraduationList, registrar: User, leader: User) -> int:
        """The list of one grade from the registrar to the leader's word."""
        hand_in(made, examine(made).digest, actor=registrar)
        count = confirm(made, examine(made).digest, actor=leader)
        for pk in GraduationRecord.objects.filter(graduation=made).values_list("student_id", flat=True):
            self.expected[pk] = (made.org_path, made.grade, GRADUATED)
        return count

    def promote(self) -> None:
        """Two persons confirm what was rehearsed; nothing before the moment; every unit is offered twice."""
        run = runs.rehearse(actor=self.operators[0])
        runs.offer()
        for part in run.parts.all():
            runs.work(part.pk)
        run.refresh_from_db()
        for person in self.operators:
            run = runs.confirm(run, digest=run.digest, actor=person)
        with pytest.raises(PromotionTooEarly):
            runs.promote_county(run, make.COUNTY)
        self.check()
        self.on("2027-08-11")
        for _turn in range(2):
            for part in run.parts.all():
                runs.work(part.pk)
        run.refresh_from_db()
        moved = [pk for pk, at in self.expected.items() if at[1:] in (("11", NORMAL), ("13", NORMAL))]
        assert (run.state, run.counts["promoted"], run.counts["held"]) == ("done", len(moved), 0)
        for pk in moved:
            path, grade, status = self.expected[pk]
            self.expected[pk] = (path, f"1{int(grade[1]) + 1}", status)


@pytest.fixture
def country(nation: None, monkeypatch: pytest.MonkeyPatch) -> Country:
    found = Country(monkeypatch)
    found.on("2026-09-01")
    found.begin()
    return found


@pytest.mark.rule(
    "RE-2", "R-UPD-02", "R-GRD-08", "R-GRD-02", "R-GRD-05", "R-VER-01", "R-DRP-03", "G-09", "G-10", "G-16"
)
def test_a_year_of_the_registry(country: Country) -> None:
    world, on = country.world, country.on
    first, third, sixth = (
        country.school_class(PRIMARY, grade, name)
        for grade, name in (("11", "一(1)班"), ("13", "三(1)班"), ("16", "六(1)班"))
    )
    world.classes["13"] = third
    ninth = country.school_class(JUNIOR, "23", "初三(1)班")
    stays, falls_ill, drops_out = (country.pupil(third, 2024, 2) for _n in range(3))
    leavers = [country.pupil(sixth, 2021, 5) for _n in range(3)]
    juniors = [country.pupil(ninth, 2024, 2) for _n in range(2)]
    comes = country.pupil(country.school_class(FAR, "13", "三(2)班"), 2024, 2)
    country.check()

    # September: intake by workbook, and a transfer between two provinces in its window.
    country.intake(first, [line(first) for _n in range(ENTRANTS)], country.office)
    assert len(country.entered) == ENTRANTS
    on("2026-09-10")
    case = sign_all(file_move(comes, third, papers=("01", "08", "22")))
    assert case.state == "done"
    country.now(comes, path=PRIMARY)
    country.check()

    # October: the autumn's verification.
    on("2026-10-12")
    autumn = country.verify_term(date(2026, 12, 10))
    country.check()

    # November: somebody falls ill, somebody stays away.
    on("2026-11-05")
    country.world.decide(
        world.file("suspension", falls_ill, reason="05", until=lambda: "2027-10-31"), granted=()
    )
    country.now(falls_ill, status=SUSPENDED)
    spell = Enrolment.objects.get(student=drops_out)
    absences.report(spell, actor=world.registrar, from_on=date(2026, 11, 2), is_excused=False, reason="other")
    assert alarm.watch(make.PROVINCE) == 0  # four weeks are not over
    country.check()

    # December: the alarm, the ledger of suspicion, and the case.
    on("2026-12-01")
    assert alarm.watch(make.PROVINCE) == 1
    assert SuspectedDropout.objects.filter(student=drops_out, closed_on=None).exists()
    case = world.file("dropout", drops_out, happened_on=lambda: "2026-11-01", contacts="3")
    world.decide(case)
    country.now(drops_out, status=DROPPED_OUT)
    assert DropoutEntry.objects.filter(student=drops_out, closed_on=None).exists()
    country.check()

    # Winter: nobody moves.
    for day in ("2027-01-25", "2027-02-20"):
        on(day)
        country.check()

    # Spring: verification again; the dropout is back, and later the one who was ill.
    on("2027-03-15")
    spring = country.verify_term(date(2027, 5, 20))
    assert (autumn.semester, spring.semester) == ("1", "2")
    world.decide(world.file("return_to_school", drops_out, happened_on=lambda: "2027-03-14"))
    country.now(drops_out, status=NORMAL)
    country.check()

    for day in ("2027-04-15", "2027-05-15"):
        on(day)
        country.check()

    # June: the lists are made; graduation has its own days.
    on("2027-06-28")
    held = world.file("aid", leavers[0])
    sixths = open_list(world.school, "16", actor=world.registrar)
    ninths = open_list(make.make_office(JUNIOR), "23", actor=country.junior_registrar)
    with pytest.raises(GraduationClosed):
        country.graduate(ninths, country.junior_registrar, country.junior_leader)
    country.check()

    # July: nothing new for graduating grades, no transfer; an open case stops graduation until the county
    # cleans up (G-10).
    on("2027-07-20")
    with pytest.raises(RequirementFailed):
        world.file("aid", leavers[1])
    with pytest.raises(RequirementFailed):
        file_move(stays, country.school_class(FAR, "13", "三(3)班"), papers=("01", "08", "22"))
    with pytest.raises(BusinessUnfinished) as stopped:
        country.graduate(sixths, world.registrar, world.leader)
    assert stopped.value.cases == (held.number,)
    country.check()
    clean_up(held.number, actor=world.reviewer, reason="毕业前清理在办业务")
    assert country.graduate(sixths, world.registrar, world.leader) == len(leavers)
    assert country.graduate(ninths, country.junior_registrar, country.junior_leader) == len(juniors)
    country.check()

    # 10 August, midnight: the promotion. Who is suspended stays where she is (G-09).
    country.promote()
    assert country.expected[falls_ill.pk] == (PRIMARY, "13", SUSPENDED)
    assert country.expected[stays.pk] == (PRIMARY, "14", NORMAL)
    country.check()

    # September: the graduates go on under their own records, new pupils come, the one who was ill is back.
    on("2027-09-01")
    seventh = country.school_class(JUNIOR, "21", "初一(1)班")
    rows = [
        line(seventh, name=pupil.name, birth_on=pupil.birth_on.isoformat(), sex=pupil.sex,
             id_number=open_number(pupil.documents.get()), continues_record="是")
        for pupil in leavers
    ]  # fmt: skip
    junior = {
        "registrar": country.junior_registrar, "leader": country.junior_leader, "reviewer": world.reviewer
    }  # fmt: skip
    country.intake(seventh, rows, junior)
    seventh_at = make.make_office(JUNIOR).name
    for pupil in leavers:
        assert country.expected[pupil.pk] == (JUNIOR, "21", NORMAL)
        number = pupil.number
        pupil.refresh_from_db()
        assert pupil.number == number
        record = GraduationRecord.objects.get(student=pupil)
        assert (record.org_path, record.destination, record.next_school) == (PRIMARY, "16", seventh_at)
        # Everything about her went along, and the old school kept its copy.
        assert set(Enrolment.objects.filter(student=pupil).values_list("org_path", flat=True)) == {JUNIOR}
        assert EnrolmentSnapshot.objects.get(student=pupil).org_path == PRIMARY
    newest = country.school_class(PRIMARY, "11", "一(2)班")
    country.intake(newest, [line(newest) for _n in range(2)], country.office)
    third_of_this_year = country.school_class(PRIMARY, "13", "三(9)班")
    world.classes["13"] = third_of_this_year
    world.decide(world.file("resumption", falls_ill))
    country.now(falls_ill, status=NORMAL)
    country.check()
    assert len(country.expected) == ENTRANTS + 3 + 3 + 2 + 1 + 2
    assert Student.objects.filter(pk__in=country.expected).count() == len(country.expected)


@pytest.mark.rule("RE-2")
def test_an_invariant_that_is_broken_is_named(country: Country) -> None:
    """The questions of this story can fail."""
    pupil = country.pupil(country.school_class(PRIMARY, "13", "三(1)班"), 2024, 2)
    assert broken() == {}
    Enrolment.objects.filter(student=pupil).update(grade="14", org_path=FAR)
    assert {"somebody in school outside the grade of her class", "a person elsewhere than her status"} <= set(
        broken()
    )
