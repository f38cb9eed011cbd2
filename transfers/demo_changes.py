"""Cases of every procedure for the demonstration country, in every state, filed as pages file them.

A row says which procedure, at which school, what was answered, how far it went and how it ended. Deciders are
whoever holds the office's post; exceptions that the calendar asks for are asked for and granted, so that the
demonstration looks the same on every day of the year.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db import transaction

from accounts.models import Organization, Post, User
from accounts.roles import Right, roles_with
from archives.models import Material
from archives.services import add_material
from config.clock import today
from config.models import Outbox
from config.scope import NATION, scope
from registry.demo.country import SCHOOLS
from registry.models import Enrolment, OpenBusiness, ProblemRecord, Student
from registry.reorganizing.plan import RENAME
from registry.reorganizing.rehearse import rehearse
from registry.services.allowances import school_year
from registry.status import NORMAL
from transfers import filing
from transfers.asking import Asking, take_answers
from transfers.completion import perform_owed
from transfers.disputes import file_dispute
from transfers.examining import examine_case, exceptions_at, facts_of
from transfers.kind import Kind
from transfers.kinds import KINDS
from transfers.kinds.allowances import ALLOWANCE_CHANGE
from transfers.kinds.identity_change import IDENTITY_CHANGE, secrets_of
from transfers.kinds.offices import follow
from transfers.models import Case, Step
from transfers.office_form import read_form
from transfers.offices import file_change
from transfers.services import decide, file_case, withdraw

_PATHS = {school.code: school.path for school in SCHOOLS}
STAR, QIANWAN, MORNING, SIKAI, BEACH, HONGXING, JINJIANG = (
    _PATHS[code]
    for code in (
        "2144030501", "3144030502", "2144030401", "2151343101", "3444082502", "3144990101", "3451000001",
    )
)  # fmt: skip
COUNTY_OF_STAR = "CN.44.03.05."
_BACK, _NO = "证明材料缺少监护人签名页，请补传", "经核实不符合办理条件"
_EXCEPTION = "家庭确有特殊困难，已在村（居）委会核实"


@dataclass(frozen=True, slots=True)
class Plan:
    """One case: `signs` is how many steps are approved, then `ending`: waiting, late, returned, refused,
    withdrawn or done. `origin` is the pupil's school where it is another one.
    """

    kind: str
    school: str
    signs: int = 0
    ending: str = "waiting"
    grade: str = "13"
    origin: str = ""
    to_grade: str = ""  # of the class asked for, where it is another than the last on offer
    papers: tuple[str, ...] = ()  # beside those that the procedure names by itself
    answers: dict[str, str] = field(default_factory=dict)
    then: "tuple[Plan, ...]" = ()  # what follows for the same pupil


def _ago(days: int) -> str:
    return (today() - timedelta(days=days)).isoformat()


def _ahead(days: int) -> str:
    return (today() + timedelta(days=days)).isoformat()


def plans() -> Iterator[Plan]:
    """Every procedure about one pupil; transfers in all their states, some overdue."""
    move = {"reason": "05", "handed_over_on": _ago(40), "is_voluntary": "1", "under_sanction": "0",
            "recorded_later": "0", "move_on": _ahead(7), "same_register": "1"}  # fmt: skip
    for origin, signs, ending in (
        (SIKAI, 5, "done"), (SIKAI, 2, "waiting"), (SIKAI, 2, "late"), (SIKAI, 1, "returned"),
        (QIANWAN, 3, "done"), (QIANWAN, 1, "waiting"), (MORNING, 4, "done"), (MORNING, 3, "late"),
        (MORNING, 1, "refused"), (MORNING, 0, "withdrawn"), (MORNING, 0, "waiting"),
    ):  # fmt: skip
        yield Plan("transfer", STAR, signs, ending, origin=origin, answers=move)
    yield Plan("transfer", MORNING, 2, "waiting", origin=STAR, answers=move)
    yield Plan("transfer", SIKAI, 3, "waiting", origin=STAR, answers=move)
    yield Plan("guest", STAR, 2, "done", origin=SIKAI)
    yield Plan("guest", STAR, 1, "waiting", origin=MORNING)
    yield from _suspensions()
    yield from _leavings()
    yield from _data()


def _suspensions() -> Iterator[Plan]:
    ill = {"reason": "01", "on_request": "1", "starts_on": _ago(20), "until": _ahead(200),
           "diagnosed_on": _ago(25), "rest_days": "120", "hospital": "南山区人民医院"}  # fmt: skip
    yield Plan("suspension", STAR, 0, "waiting", answers=ill)
    yield Plan("suspension", STAR, 1, "late", grade="14", answers=ill)
    yield Plan("suspension", STAR, 2, "done", grade="14", answers=ill)
    soon = ill | {"starts_on": _ago(60), "until": _ahead(12)}
    longer = Plan("extension", STAR, 1, "waiting", answers=ill | {"until": _ahead(180)})
    yield Plan("suspension", STAR, 2, "done", answers=soon, then=(longer,))
    back = Plan("resumption", STAR, 2, "done", to_grade="13", papers=("16",))
    yield Plan("suspension", STAR, 2, "done", answers=soon, then=(back,))
    home = Plan("abroad_return", STAR, 0, "waiting", to_grade="15", answers={"country": "SGP"})
    gone = {"happened_on": _ago(12), "country": "SGP"}
    yield Plan("abroad", STAR, 2, "done", grade="15", answers=gone, then=(home,))


def _leavings() -> Iterator[Plan]:
    yield Plan("death", STAR, 2, "done", grade="15", answers={"reason": "44", "happened_on": _ago(45)})
    yield Plan("dropout", QIANWAN, 2, "done", grade="22", answers={"happened_on": _ago(40), "contacts": "6"})
    yield Plan("missing", STAR, 1, "waiting", answers={"happened_on": _ago(5), "reported_on": _ago(4)})
    yield Plan("other_leaving", STAR, 0, "waiting", grade="12",
               answers={"happened_on": _ago(9), "is_taught": "1"})  # fmt: skip
    yield Plan("withdrawal", JINJIANG, 1, "waiting", grade="32",
               answers={"on_request": "1", "happened_on": _ago(6), "notice_served_on": _ago(3)})  # fmt: skip
    yield Plan("repeat", JINJIANG, 0, "waiting", grade="31", to_grade="31", answers={"on_request": "1"})
    special = _PATHS["5144030403"]
    yield Plan("lower_grade", special, 1, "waiting", to_grade="12", answers={"on_request": "1"})


def _data() -> Iterator[Plan]:
    aid = {"from_on": _ago(10), "until": _ahead(120)}
    yield Plan("class_change", STAR, 1, "done", grade="14")
    yield Plan("class_change", STAR, 0, "waiting", grade="15")
    yield Plan("aid", STAR, 2, "done", grade="12", answers=aid)
    yield Plan("aid", STAR, 1, "waiting", grade="14", answers=aid)


class Players:
    """Files and decides the plans, one pupil each."""

    def __init__(self, paper: Callable[[int], bytes]) -> None:
        self.paper, self.count = paper, 0
        self.people: dict[tuple[str, str], User] = {}

    def play_all(self) -> int:
        for plan in plans():
            self.play(plan, self._pupil(plan))
        for filed in (self._key_change, self._voiding, self._plan_request, self._rename, self._dispute):
            with transaction.atomic(), scope(NATION):
                filed()
            self.count += 1
        return self.count

    # ── Procedures with pages of their own ────────────────────────────────────────────────────────────────
    def _key_change(self) -> None:
        """A pupil's new name, which the county still has to look at."""
        student = self._pupil(Plan("identity_change", STAR, grade="14"))
        registrar = self._person(Right.FILE, STAR)
        proposed = {"name": student.name[0] + "安澜", "happened_on": _ago(9)}
        case = file_case(
            IDENTITY_CHANGE, Organization.objects.get(path=STAR), actor=registrar,
            materials=[self._paper("01", registrar), self._paper("03", registrar)],
            secrets=secrets_of(student, proposed), student=student, proposed=proposed,
        )  # fmt: skip
        self._sign(case, "approve")

    def _voiding(self) -> None:
        """The county found a false registration; the city decides."""
        plan = Plan("voiding", COUNTY_OF_STAR, grade="16", origin=STAR, papers=("99",))
        self._file(KINDS[plan.kind], plan, self._pupil(plan))

    def _plan_request(self) -> None:
        """A school asks for a larger plan."""
        office = Organization.objects.get(path=STAR)
        registrar = self._person(Right.FILE, STAR)
        given = {"what": "plan", "school_year": str(school_year(today())), "stage": "2",
                 "figure": "150", "basis": "深南教〔2026〕30号(演示)",
                 "reason": "片区新建住宅交付，适龄儿童增加。"}  # fmt: skip
        answers = take_answers(ALLOWANCE_CHANGE, given, Asking(office))
        file_case(ALLOWANCE_CHANGE, office, actor=registrar, answers=answers)

    def _rename(self) -> None:
        """A school's new name, rehearsed and filed by the county; its leader has still to sign."""
        reviewer = self._person(Right.MANAGE_OFFICES, COUNTY_OF_STAR)
        at = Organization.objects.get(path=COUNTY_OF_STAR)
        typed = {
            "office": "2144030503",
            "name": "深圳市南山区明德外国语小学",
            "document_no": "深南府〔2026〕88号(演示)",
            "document_by": "深圳市南山区人民政府",
            "document_on": _ago(15),
        }
        office, values = read_form(RENAME, at, typed)
        row = rehearse(RENAME, at, office, values, actor=reviewer, after=follow)
        file_change(row, row.digest, actor=reviewer, materials=[self._paper("27", reviewer)])

    def _dispute(self) -> None:
        """A guardian finds another native place in the household register; the school has to answer."""
        student = self._pupil(Plan("dispute", STAR, grade="16"))
        wrong = "户口簿上的籍贯是广东梅州，学籍上登记的不一样，请核对更正。"
        file_dispute(student, "native_place", wrong, guardian_name="林国强", contact="13800138000")

    def _paper(self, code: str, actor: User) -> Material:
        return add_material(
            self.paper(self.count * 7 + int(code)), kind="document", evidence_type=code, actor=actor
        )

    def play(self, plan: Plan, student: Student) -> None:
        with transaction.atomic(), scope(NATION):
            case = self._file(KINDS[plan.kind], plan, student)
            if case is None:
                return
            for _turn in range(plan.signs):
                self._sign(case, "approve")
            self._end(case, plan.ending)
        self.count += 1
        if plan.ending == "done":
            for pk in Outbox.objects.filter(done_at=None).order_by("id").values_list("pk", flat=True):
                perform_owed(pk)
            for following in plan.then:
                with transaction.atomic(), scope(NATION):
                    student = Student.objects.get(pk=student.pk)
                self.play(following, student)

    def _pupil(self, plan: Plan) -> Student:
        """A pupil of that school and grade whom no other case locks."""
        with transaction.atomic(), scope(NATION):
            spells = Enrolment.objects.filter(
                org_path=plan.origin or plan.school, grade=plan.grade, status=NORMAL, is_void=False
            ).exclude(student__in=OpenBusiness.objects.values("student"))
            troubled = ProblemRecord.objects.filter(closed_at=None).values("student")
            spells = spells.exclude(student__in=troubled).exclude(student__changes__isnull=False)
            spell = spells.select_related("student").order_by("number_in_class", "id")[self.count % 7]
            student: Student = spell.student
            return student

    def _file(self, kind: Kind, plan: Plan, student: Student) -> Case | None:
        office = Organization.objects.get(path=plan.school)
        registrar = self._person(kind.right, plan.school)
        answers = self._answers(kind, Asking(office, student), plan)
        payload: dict[str, Any] = {"asked": answers, "is_across": office.path[:6] != student.org_path[:6]}
        papers = [
            add_material(self.paper(self.count * 7 + n), kind="document", evidence_type=code, actor=registrar)
            for n, code in enumerate((*(need.types[0] for need in kind.needs(payload)), *plan.papers))
        ]
        seen = filing.preview(kind, office, student, answers, actor=registrar, materials=papers)
        exempt = [check.requirement.code for check in seen.checks if check.may_exempt]
        return filing.file_pupil(
            kind, office, student, answers, actor=registrar, materials=papers, exempt=exempt,
            exempt_reason=_EXCEPTION if exempt else "",
        )  # fmt: skip

    def _answers(self, kind: Kind, asking: Asking, plan: Plan) -> dict[str, str]:
        """What the plan says, and something plausible for the rest."""
        answers: dict[str, str] = {}
        for ask in kind.asks:
            if not ask.applies(answers):
                continue
            text = plan.answers.get(ask.key, "")
            if not text and ask.is_required:
                if ask.key == "class_id":
                    classes = [pk for pk, _name in asking.classes(grades=[plan.to_grade])]
                    text = classes[0] if classes else ask.options(asking)[-1][0] if ask.options else ""
                elif ask.options is not None:
                    text = ask.options(asking)[0][0]
                elif ask.widget == "date":
                    text = _ago(0)
                else:
                    text = "3" if ask.widget == "number" else "演示数据：情况属实，材料齐全。"
            answers[ask.key] = text
        return {key: text for key, text in answers.items() if text}

    def _sign(self, case: Case, decision: str, reason: str = "") -> None:
        step = Step.objects.select_related("case").get(case=case, is_current=True)
        person, kind = self._person(step.right, step.office_path), KINDS[case.kind]
        checks = examine_case(kind, facts_of(step.case)) if decision == "approve" else []
        granted = exceptions_at(kind, step.case, step, checks)
        types = sorted(set(case.evidence.values_list("type", flat=True)))
        decide(
            step.case, decision, actor=person, ticked=types, granted=granted,
            reason=reason or (_EXCEPTION if granted else ""),
        )  # fmt: skip

    def _end(self, case: Case, ending: str) -> None:
        if ending == "returned":
            self._sign(case, "return", _BACK)
        elif ending == "refused":
            self._sign(case, "refuse", _NO)
        elif ending == "withdrawn":
            registrar = self._person(KINDS[case.kind].right, case.to_path)
            withdraw(Case.objects.get(pk=case.pk), actor=registrar, reason="家长改变主意，暂不办理")
        elif ending == "late":
            Step.objects.filter(case=case, is_current=True).update(due_on=_past(5))

    def _person(self, right: str, path: str) -> User:
        """Who signs there; the same person every time, so that it is an office and not a crowd."""
        if (right, path) not in self.people:
            post = (
                Post.objects.filter(office__path=path, role__in=roles_with(right), valid__contains=today())
                .filter(user__sealed_at=None, user__trainings__isnull=False)
                .select_related("user", "office")
                .order_by("id")[0]
            )
            post.user.acting_post = post
            self.people[right, path] = post.user
        return self.people[right, path]


def _past(days: int) -> date:
    return today() - timedelta(days=days)
