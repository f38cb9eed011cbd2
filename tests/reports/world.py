"""What happened in some schools, told as facts: which report counts it, where, in which year, about whom."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.utils import timezone

from accounts.models import Post, TrainingRecord, User
from audit.services import System
from config.clock import now, today
from config.models import Job
from config.scope import NATION, scope
from registry.models import (
    DropoutEntry,
    DropoutReport,
    Enrolment,
    Export,
    IntakePlan,
    PersuasionVisit,
    ProblemRecord,
    SchoolVerification,
    Student,
    SuspectedDropout,
)
from registry.services.changing import Change, change_status, move_pupil
from registry.services.enrolling import enrol_graduates
from registry.status import (
    COMPLETED,
    DEAD,
    DROPPED_OUT,
    EXPELLED,
    GRADUATED,
    NORMAL,
    PENDING,
    SUSPENDED,
    WITHDRAWN,
)
from reports.tables import years
from tests import make
from tests.reports.test_numbers import SCHOOLS
from transfers.models import Case, Step

BY = System(NATION)
CODES = {"01": "han", "02": "minority"}


class Fact(NamedTuple):
    """So many of a report's column, at one office in one school year; `student` whom they are about."""

    report: str
    column: str
    path: str
    year: str
    who: dict[str, str]
    student: int = 0
    amount: int = 1


def july(day: date) -> str:
    return str(day.year - (day.month < 7))


def promoted(day: date) -> str:
    return str(day.year - ((day.month, day.day) < (8, 11)))


def who_at(path: str, student: Student, grade: str) -> dict[str, str]:
    county = make.Organization.objects.get(path=path).division[:6]
    return {
        "grade": grade, "sex": student.sex, "ethnic": CODES[student.ethnic_group],
        "hukou": "inside" if student.hukou_division.startswith(county) else "outside",
    }  # fmt: skip


def where_from(other: str, own: str) -> str:
    theirs, ours = (make.Organization.objects.get(path=path).division for path in (other, own))
    return theirs[:6] if theirs[:2] == ours[:2] else f"{theirs[:2]}0000"


def some_pupil(rng: random.Random, school_class: Any, **more: Any) -> Student:
    return make.make_student(
        school_class, sex=rng.choice("12"), ethnic_group=rng.choice(("01", "02")),
        hukou_division=rng.choice(("440305000000", "510104000000")), **more,
    )  # fmt: skip


# What may happen to a pupil in the end: category, status, column; some after others.
ENDS: dict[str, list[tuple[str, str, str]]] = {
    "suspend": [("11", SUSPENDED, "m23")],
    "resume": [("11", SUSPENDED, "m23"), ("12", NORMAL, "m12")],
    "death": [("51", DEAD, "m26")], "withdraw": [("31", WITHDRAWN, "m24")],
    "expel": [("42", EXPELLED, "m25")], "dropout": [("99", DROPPED_OUT, "m28")],
    "complete": [("62", COMPLETED, "m22")], "graduate": [("60", GRADUATED, "m21")], "": [],
}  # fmt: skip


class Story:
    """One pupil from her entrance on: moves, an end, and perhaps the next stage; `facts` say it all."""

    def __init__(self, rng: random.Random, number: int, classes: dict[tuple[str, str], Any]) -> None:
        self.rng, self.number, self.classes, self.facts = rng, number, classes, list[Fact]()
        self.path, self.grade = rng.choice(SCHOOLS), rng.choice(("11", "12"))
        self.pupil = some_pupil(rng, classes[self.path, self.grade])
        began = self.pupil.enrolments.get().valid.lower
        self.tell("movements", "m11", july(began), grade="11")
        length = (today() - began).days
        self.days = iter(began + timedelta(days=one) for one in sorted(rng.sample(range(9, length, 3), 8)))

    def tell(self, report: str, column: str, year: str, *, grade: str = "", **more: str) -> None:
        who = who_at(self.path, self.pupil, grade or self.grade) | more
        self.facts.append(Fact(report, column, self.path, year, who, self.pupil.pk))

    def change(self, category: str, **more: Any) -> Change:
        on = next(self.days)
        number = f"N{self.number}.{on:%y%m%d}"
        return Change("test", "变动", number, category, on, on, **more)

    def move(self) -> None:
        there = self.rng.choice([one for one in SCHOOLS if one != self.path])
        change = self.change("22")
        year, code, back = promoted(change.effective_on), where_from(there, self.path), self.path
        move_pupil(self.pupil, self.classes[there, self.grade], change, actor=BY)
        self.tell("movements", "m27", year)
        self.tell("transfers", "moved_out", year, code=code)
        self.tell("snapshots", "", year)
        self.path = there
        self.pupil = Student.objects.get(pk=self.pupil.pk)
        self.tell("movements", "m13", year)
        self.tell("transfers", "moved_in", year, code=where_from(back, there))

    def end(self, how: str) -> None:
        for category, status, column in ENDS[how]:
            change = self.change(category, is_late=how == "death" and self.rng.random() < 0.5)
            change_status(self.pupil, status, change, actor=BY)
            self.tell("movements", column, promoted(change.effective_on))
            if change.is_late:
                self.tell("movements", "late_deaths", promoted(change.effective_on))

    def go_on(self) -> None:
        """A graduate at the school of her next stage."""
        self.tell("snapshots", "", "")
        self.path, self.grade = self.rng.choice(SCHOOLS), "21"
        change = self.change("99")
        places = {self.pupil.pk: self.classes[self.path, "21"]}
        enrol_graduates(places, change, admission_mode="11", actor=BY)
        self.tell("movements", "m11", july(change.effective_on))


def movements(rng: random.Random) -> list[Fact]:
    """Every end, after none to three moves, some of them back; graduates go on, and some move once more."""
    classes = {
        (path, grade): make.make_class(path, grade) for path in SCHOOLS for grade in ("11", "12", "21")
    }
    facts = []
    for number, how in enumerate([*ENDS, "", "graduate", ""]):
        story = Story(rng, number, classes)
        for _move in range(number % 3 if number < len(ENDS) else 3):
            story.move()
        story.end(how)
        if how == "graduate" and number % 2:
            story.go_on()
            story.move()
        facts += story.facts
    return facts


def cases(rng: random.Random) -> Iterator[Fact]:
    """Steps of transfers, decided in time or late or waiting, and of another kind of case."""
    for number in range(10):
        at = rng.choice((make.SCHOOL, make.COUNTY, make.NEIGHBOUR, make.FAR))
        days = rng.choice((0, 40, 300))
        decided = now() - timedelta(days=days) if rng.random() < 0.6 else None
        due = timezone.localdate(decided or now()) + timedelta(days=rng.choice((-2, 0, 2)))
        kind = "transfer" if number else "repeat"
        both = {"from_path": at, "to_path": at}
        case = Case.objects.create(
            number=f"ZZ{number}", kind=kind, **both, from_name="甲校", to_name="乙校", rulebook="1",
            filed_by_name="周登记",
        )  # fmt: skip
        Step.objects.create(
            case=case, **both, ordinal=1, office_path=at, office_name="单位", right="decide_case",
            label="核办", days=10, arrived_at=now() - timedelta(days=days), due_on=due, decided_at=decided,
            is_current=decided is None, decision="approve" if decided else "",
        )  # fmt: skip
        day = timezone.localdate(decided) if decided else today()
        columns = ("decided", *("on_time",) * (day <= due)) if decided else (
            "waiting", *("overdue",) * (due < today())
        )  # fmt: skip
        for column in columns if number else ():
            yield Fact("transfers", column, at, july(day), {})


def intake(rng: random.Random, county: User) -> Iterator[Fact]:
    """New pupils of the entry grades, and who came to them otherwise: every open spell of such a grade."""
    for path in SCHOOLS:
        office, planned = make.make_office(path), rng.randrange(9, 99)
        IntakePlan.objects.create(
            org_path=path, school=office.school, school_year=years()[0], stage="3", planned=planned,
            document="文件", set_by=county, set_by_name="李明", office_name="教育局",
        )  # fmt: skip
        yield Fact("intake", "planned", path, str(years()[0]), {"grade": "21"}, amount=planned)
        for status in (PENDING, NORMAL):
            number = f"G{path[-11:-1]}{status}"
            pupil = some_pupil(rng, make.make_class(path, "21"), status=status, number=number)
            if status == NORMAL:
                yield _entrance(pupil, path)
    for spell in Enrolment.objects.filter(is_void=False).select_related("student"):
        if spell.status in ("00", "01", "02", "04", "05", "06") and spell.grade in ("11", "21", "31"):
            who = who_at(spell.org_path, spell.student, spell.grade)
            columns = ["entered", *["undecided"] * (spell.status == PENDING)]
            columns += ["numbered"] * spell.student.number.startswith(("G", "J"))
            for column in columns:
                yield Fact("intake", column, spell.org_path, july(spell.valid.lower), who, spell.student_id)


def _entrance(pupil: Student, path: str) -> Fact:
    began, who = pupil.enrolments.get().valid.lower, who_at(path, pupil, "21")
    return Fact("movements", "m11", path, july(began), who, pupil.pk)


def verification(rng: random.Random) -> Iterator[Fact]:
    for path in SCHOOLS:
        row = make.make_verification(make.make_office(path))
        state = rng.choice(("open", "signed"))
        said = {
            "findings_total": rng.randrange(9), "findings_open": rng.randrange(9), "unplanned": 2,
            "overdue": rng.randrange(9), "rolls_total": rng.randrange(9), "rolls_confirmed": rng.randrange(9),
        }  # fmt: skip
        SchoolVerification.objects.filter(pk=row.pk).update(state=state, **said)
        amounts = {
            "to_verify": 1, "signed": int(state == "signed"), "rolls": said["rolls_total"],
            "rolls_done": said["rolls_confirmed"], "findings": said["findings_total"],
            "findings_open": said["findings_open"], "unplanned": 2, "late_findings": said["overdue"],
        }  # fmt: skip
        year = str(row.campaign.school_year)
        for column, amount in amounts.items():
            yield Fact("verification", column, path, year, {"code": "1"}, amount=amount)


def dropout(rng: random.Random, many: int = 12) -> Iterator[Fact]:
    """Entries, suspicions and visits of a year or two, and reports of schools and a county."""
    for number in range(many):
        path, day = rng.choice(SCHOOLS), today() - timedelta(days=rng.choice((0, 5, 300)))
        pupil = some_pupil(rng, make.make_class(path, "12"))
        yield Fact("movements", "m11", path, july(pupil.enrolments.get().valid.lower),
                   who_at(path, pupil, "11"), pupil.pk)  # fmt: skip
        who, year = who_at(path, pupil, "12"), july(day)
        end = rng.choice(("", "", "back", "over"))
        reason = rng.choice(("01", "02"))
        DropoutEntry.objects.create(
            org_path=path, student=pupil, case_no=f"CX{number}", reason=reason, opened_on=day,
            last_seen_on=day, closed_on=today() if end else None,
            closed_by_case="HX1" if end == "back" else "", legal_end="死亡" if end == "over" else "",
        )  # fmt: skip
        outcome = {"": "still_out", "back": "returned", "over": "ended"}[end]
        for column in ("opened", outcome):
            yield Fact("dropout", column, path, year, who | {"code": reason}, pupil.pk)
        how, reported = rng.choice(("", "case", "confirmed")), rng.random() < 0.5
        SuspectedDropout.objects.create(
            org_path=path, student=pupil, source="alarm", opened_on=day, report_due_on=day,
            reported_at=now() if reported else None, closed_on=today() if how else None, closed_how=how,
        )  # fmt: skip
        columns = ["suspected", *["unreported"] * (not how and not reported)]
        for column in [*columns, *["cleared"] * (how == "confirmed")]:
            yield Fact("dropout", column, path, year, who, pupil.pk)
        PersuasionVisit.objects.create(
            org_path=path, student=pupil, on=day, way="home", persons="班主任", met="pupil",
            result="promised", recorded_by_name="周登记",
        )  # fmt: skip
        yield Fact("dropout", "visits", path, year, who, pupil.pk)
    for path, kind in ((make.SCHOOL, "month"), (make.COUNTY, "quarter")):
        DropoutReport.objects.create(
            org_path=path, office=make.make_office(path), kind=kind, starts_on=today(), ends_on=today(),
            due_on=today(), counts={}, signed_at=now() if kind == "month" else None,
        )  # fmt: skip
        for column in ("due_reports", *["signed_reports"] * (kind == "month")):
            yield Fact("dropout", column, path, july(today()), {})


def problems(rng: random.Random, pupils: list[Student]) -> Iterator[Fact]:
    """Two sides in two counties: counted where it was found first."""
    for student in pupils:
        path, code = student.org_path, rng.choice(("1", "2", "3"))
        is_hint, is_closed = rng.random() < 0.3, rng.random() < 0.4
        due = today() + timedelta(days=rng.choice((-1, 0, 5)))
        number, how = rng.choice(("", "ZC1")), rng.choice(("proven", "changed", "deleted", "moved"))
        ProblemRecord.objects.create(
            org_path=path, other_path=rng.choice(SCHOOLS), type=code, side="single", student=student,
            is_hint=is_hint, found_by="测试", detail="测试", due_on=due, arbitration_no=number,
            closed_at=now() if is_closed else None, disposition=how if is_closed else "",
        )  # fmt: skip
        columns = ["hints"] if is_hint else [
            "waiting_problems", *["late_problems"] * (due < today()), *["arbitrated"] * bool(number)
        ]  # fmt: skip
        for column in ("closed_problems", f"with_{how}") if is_closed else columns:
            yield Fact("problems", column, path, "", {"code": code})


def accounts() -> Iterator[Fact]:
    """Whoever has been made until now."""
    trained = set(TrainingRecord.objects.values_list("user_id", flat=True))
    for post in Post.objects.filter(stands_for=None).select_related("office", "user"):
        columns = ["posts", *["trained"] * (post.user_id in trained)]
        for column in [*columns, *["sealed_accounts"] * bool(post.user.sealed_at)]:
            yield Fact("accounts", column, post.office.path, "", {"code": post.role})


def exports(rng: random.Random, askers: list[User]) -> Iterator[Fact]:
    for asker in askers:
        with scope(asker.acting_path):
            asked = make.make_export(asker)
        year = july(timezone.localdate(Export.objects.get(pk=asked.pk).requested_at))
        how = rng.choice(("asked", "refused", "ready"))
        is_ready = how == "ready"
        job = Job.objects.create(kind="test", path=asker.acting_path) if is_ready else None
        Export.objects.filter(pk=asked.pk).update(
            state=how,
            decided_at=None if how == "asked" else now(),
            job=job,
            rows=7 if is_ready else 0,
            downloads=is_ready,
        )
        columns = {"asked": 1} | ({"approved": 1, "exported_rows": 7, "fetched": 1} if is_ready else {})
        columns |= {"refused": 1} if how == "refused" else {}
        for column, amount in columns.items():
            yield Fact("exports", column, asker.acting_path, year, {"code": "roster"}, amount=amount)
