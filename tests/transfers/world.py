"""A school with one class of each grade in use, for cases about its own pupils."""

from datetime import date, timedelta
from typing import Any

from accounts.roles import Right
from config.clock import today
from registry.models import SchoolClass, Student, Term
from registry.services.changing import Change, change_status
from registry.services.seasons import study_year
from registry.status import NORMAL, SUSPENDED
from tests import make
from tests.transfers.filing import finish, make_material
from transfers.asking import Ask, Asking
from transfers.filing import Check, file_pupil, preview
from transfers.kinds import KINDS
from transfers.models import Case
from transfers.services import decide


class World:
    """A school with one class of each grade in use, and who files and decides for it."""

    def __init__(self) -> None:
        self.school = make.make_office(make.SCHOOL)
        self.registrar, self.leader, self.reviewer = (
            make.make_registrar(), make.make_leader(), make.make_reviewer()
        )  # fmt: skip
        self.classes: dict[str, SchoolClass] = {}

    def school_class(self, grade: str) -> SchoolClass:
        if grade not in self.classes:
            self.classes[grade] = make.make_class(grade=grade, name=f"{grade}班")
        return self.classes[grade]

    def pupil(self, grade: str, status: str = NORMAL, **values: str) -> Student:
        return make.make_student(self.school_class(grade), status=status, **values)

    def suspended(self, grade: str, until: date, *, reason: str = "05", since: date | None = None) -> Student:
        """A pupil whose suspension the system has seen begin."""
        student = self.pupil(grade)
        begun = since or until - timedelta(days=200)
        change = Change("suspension", "休学", f"XX{student.pk}", "11", begun, begun, reason, until)
        change_status(student, SUSPENDED, change, actor=self.registrar)
        return student

    def term(self, semester: str, starts: int, ends: int, year: int | None = None) -> None:
        """A term by days from today."""
        year = study_year(make.SCHOOL, today()) if year is None else year
        edges = [today() + timedelta(days=count) for count in (starts, ends)]
        Term.objects.update_or_create(
            path=make.COUNTY, school_year=year, semester=semester,
            defaults={"starts_on": edges[0], "ends_on": edges[1]},
        )  # fmt: skip

    def answers(self, code: str, student: Student, given: dict[str, Any]) -> dict[str, str]:
        """Every question answered: as `given`, else as one would who has nothing special to say."""
        asking, found = Asking(self.school, student), {}
        for ask in KINDS[code].asks:
            if ask.applies(found):
                wanted = given.get(ask.key)
                found[ask.key] = wanted() if callable(wanted) else wanted or self._usual(ask, asking)
        if grade := given.get("to_grade"):
            found["class_id"] = str(self.school_class(grade).pk)
        return found

    def _usual(self, ask: Ask, asking: Asking) -> str:
        match ask.widget:
            case "choice":
                if ask.key == "class_id":
                    assert asking.student is not None
                    return str(self.school_class(asking.student.enrolments.get().grade).pk)
                return ask.options(asking)[0][0] if ask.options else ""
            case "date":
                return today().isoformat()
            case "number":
                return "100"
        return "家长说明"

    def papers(self, code: str, answers: dict[str, str], *more: str) -> list[Any]:
        needs = KINDS[code].needs({"asked": answers})
        types = dict.fromkeys([*(need.types[0] for need in needs), *more])
        return [make_material(self.registrar, one) for one in types]

    def file(self, code: str, student: Student, *more: str, exempt: str = "", **given: Any) -> Case:
        answers = self.answers(code, student, given)
        return file_pupil(
            KINDS[code], self.school, student, answers, actor=self.registrar,
            materials=self.papers(code, answers, *more),
            exempt=[exempt] if exempt else (), exempt_reason="家庭情况特殊" if exempt else "",
        )  # fmt: skip

    def checks(self, code: str, student: Student, **given: Any) -> dict[str, Check]:
        """What stops the case as it would be filed, by condition."""
        answers = self.answers(code, student, given)
        seen = preview(KINDS[code], self.school, student, answers, actor=self.registrar)
        return {check.requirement.code: check for check in seen.checks}

    def decide(self, case: Case, *, granted: tuple[str, ...] = ()) -> None:
        """Leader and reviewer approve; the worker performs."""
        types = list(case.evidence.values_list("type", flat=True))
        for step in case.steps.filter(decision="").order_by("ordinal"):
            person = self.leader if step.right == Right.REVIEW else self.reviewer
            now = Case.objects.get(pk=case.pk)
            decide(now, "approve", actor=person, ticked=types, granted=granted, reason="同意例外情况")
        finish(case)
        case.refresh_from_db()
