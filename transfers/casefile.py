"""One case as its page shows it: sentence, route, pupil, checks, papers, and what she may do now."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Organization, User
from accounts.rights import holders
from accounts.roles import Right
from archives.models import Material
from config.clock import today
from config.errors import NotAllowed, Refusal
from registry.codes import label
from registry.models import Student
from registry.queries.dossier import Dossier, open_dossier
from registry.queries.sight import sight_of
from transfers import across
from transfers.asking import Asking, answers_of, in_words
from transfers.batchfile import BatchFile, open_batch_file
from transfers.cleanup import cleaned_in_words
from transfers.examining import examine_case, exceptions_at, subject_of
from transfers.filing import said
from transfers.kind import Advice, EvidenceNeed, Facts, Kind, Proposed, Requirement
from transfers.kinds import KINDS
from transfers.kinds.problem_arbitration import ARBITRATION
from transfers.kinds.registration import REGISTRATION
from transfers.kinds.registration_batch import REGISTRATION_BATCH
from transfers.models import Case, Step
from transfers.photos import PhotoCase, open_photo_case
from transfers.queries import count_in_words, workdays_left
from transfers.services import may_withdraw
from transfers.turns import own_turn, refuse_second_signature

State = Case.State
# Kinds at whose end a 学籍号 is issued.
NUMBERED = frozenset((REGISTRATION.code, REGISTRATION_BATCH.code))


@dataclass(frozen=True, slots=True)
class Stage:
    """One node of the stepper. `tone` is its shape: done, now, over, refused, returned, later."""

    step: Step
    tone: str
    people: list[tuple[str, str]]
    left: int | None


@dataclass(frozen=True, slots=True)
class Paper:
    """One material of the case; `is_needed` when it satisfies a need of the list."""

    type: str
    label: str
    material: Material
    is_needed: bool


@dataclass(frozen=True, slots=True)
class Need:
    """One line of the required list and whether a paper is there."""

    need: EvidenceNeed
    is_met: bool


@dataclass(slots=True)
class CaseFile:
    """A case ready to be shown to one user."""

    case: Case
    kind: Kind
    card: dict[str, str]
    stages: list[Stage]
    papers: list[Paper] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)
    checks: list[tuple[Requirement, str]] = field(default_factory=list)
    changes: list[Proposed] = field(default_factory=list)
    answers: list[tuple[Any, str]] = field(default_factory=list)
    exceptions: list[tuple[Requirement, str]] = field(default_factory=list)
    student: Student | None = None
    dossier: Dossier | None = None
    turn: Step | None = None
    why_not: str = ""
    may_withdraw: bool = False
    may_correct: bool = False
    batch: BatchFile | None = None
    photos: PhotoCase | None = None

    @property
    def title(self) -> str:
        """Whom it is about: the pupil, or how many."""
        if self.photos is not None:
            return f"{self.photos.batch.school_class.name} {count_in_words(self.photos.count)}"
        return self.card.get("name", "") if self.batch is None else count_in_words(self.batch.count)

    @property
    def is_all_new(self) -> bool:
        """Whether nothing stood there before: only what is proposed is shown."""
        return not any(change.before for change in self.changes)

    @property
    def exempt_reason(self) -> str:
        """Why the school asks for an exception."""
        return self.card.get("exempt_reason", "")

    @property
    def may_return_rows(self) -> bool:
        """Whether single pupils may be taken out: by the officer whose turn it is, or by the school that got
        the batch back.
        """
        return self.batch is not None and (self.turn is not None or self.may_correct)

    @property
    def current(self) -> Stage | None:
        return next((stage for stage in self.stages if stage.step.is_current), None)

    @property
    def last_decided(self) -> Step | None:
        return next((stage.step for stage in reversed(self.stages) if stage.step.decision), None)

    @property
    def failed(self) -> int:
        return sum(bool(why) and not isinstance(why, Advice) for _requirement, why in self.checks)

    @property
    def doubts(self) -> int:
        return sum(bool(why) for _requirement, why in self.checks) - self.failed

    @property
    def sentence(self) -> str:
        """The state in one sentence."""
        last = self.last_decided
        match self.case.state:
            case State.WAITING if self.current and is_deferred(self.case):
                until = f"{self.case.deferred_until:%Y-%m-%d}"
                return _("延期注册，至 {until} 办理；在此之前不计时限。").format(until=until)
            case State.WAITING if self.current:
                step = self.current.step
                return _("等待{office}办理“{label}”。").format(office=step.office_name, label=step.label)
            case State.RETURNED if last:
                return _("{office}已退回补正：{reason}").format(office=last.office_name, reason=last.reason)
            case State.APPROVED if self.photos:
                return _("各环节均已同意，系统正在归档照片。")
            case State.APPROVED if self.case.kind in NUMBERED:
                return _("各环节均已同意，系统正在办结并签发学籍号。")
            case State.APPROVED:
                return _("各环节均已同意，系统正在办结。")
            case State.DONE if self.case.kind in NUMBERED and self.dossier and self.dossier.student.number:
                return _("已办结，学籍号 {number}。").format(number=self.dossier.masked_number)
            case State.DONE if last and self.kind is ARBITRATION:
                return _("{office}已裁定：{reason}").format(office=last.office_name, reason=last.reason)
            case State.DONE if last and self.kind.is_answered:
                return _("{office}已采纳：{reason}").format(office=last.office_name, reason=last.reason)
            case State.DONE:
                return _("已办结。")
            case State.REFUSED if last and last.decision == Step.Decision.REFUSE:
                return _("{office}不予通过：{reason}").format(office=last.office_name, reason=last.reason)
            case State.REFUSED:
                return _("办结前复核未通过，系统已自动终止；原因见办理记录。")
            case State.WITHDRAWN if words := cleaned_in_words(self.case):
                return words
            case State.WITHDRAWN:
                return _("发起单位已撤回。")
        return str(self.case.get_state_display())


def is_deferred(case: Case) -> bool:
    """Whether the registration still waits for the day it was deferred to (R-EST-12)."""
    return case.deferred_until is not None and today() < case.deferred_until


def open_file(case: Case, user: User) -> CaseFile:
    """Everything the page shows. A constant number of queries; the caller records the read."""
    kind = KINDS[case.kind]
    steps = list(case.steps.select_related("decided_by").order_by("ordinal"))
    current = [step for step in steps if step.is_current]
    people = holders((step.office_path, step.right) for step in current)
    left = workdays_left(step.due_on for step in current)
    stages = [_stage(case, step, people, left) for step in steps]
    file = CaseFile(case, kind, case.open_card() if case.card else {}, stages)
    file.student = Student.objects.visible_to(user, Right.VIEW_STUDENT).filter(cases=case).first()
    if file.student is not None:
        case.student = file.student
        file.dossier = open_dossier(file.student, sight_of(user, file.student))
    if case.batch_id is not None:
        file.batch = open_batch_file(case, user)
    file.photos = open_photo_case(case, user)
    # Conditions, choices and papers lie at both schools; who sees the case sees what it says of them.
    with across.reaching(case.from_path, case.to_path):
        types = _add_papers(file)
        _add_words(file, user)
        if case.is_open and case.state != State.APPROVED:
            facts = Facts(subject_of(case), case.from_path, case.to_path, case.payload, case, types)
            file.checks = examine_case(kind, facts)
    _add_acts(file, user, steps)
    return file


def _stage(
    case: Case, step: Step, people: dict[tuple[str, str], list[tuple[str, str]]], left: dict[date, int]
) -> Stage:
    tones = {Step.Decision.APPROVE: "done", Step.Decision.RETURN: "returned", Step.Decision.REFUSE: "refused"}
    if step.decision:
        signer = [(step.decided_by_name, step.decided_by.phone if step.decided_by else "")]
        return Stage(step, tones[Step.Decision(step.decision)], signer, None)
    if not step.is_current:
        return Stage(step, "later", [], None)
    days = left[step.due_on] if step.due_on else None
    tone = "over" if step.due_on and step.due_on < today() else "now"
    return Stage(step, tone, people.get((step.office_path, step.right), []), days)


def _add_papers(file: CaseFile) -> frozenset[str]:
    """The papers and the required list; answers which types were handed in."""
    rows = list(file.case.evidence.order_by("id").values_list("type", "material_id"))
    shown = Material.objects.in_bulk([pk for _type, pk in rows])
    needs = file.kind.needs(file.case.payload)
    wanted = {code for need in needs for code in need.types}
    papers = [
        Paper(code, label("evidence_type", code) if code else _("照片"), shown[pk], code in wanted)
        for code, pk in rows
        if pk in shown
    ]
    # What must be checked opens first, the photo last.
    file.papers = sorted(papers, key=lambda paper: (not paper.is_needed, not paper.type))
    types = frozenset(code for code, _pk in rows)
    file.needs = [Need(need, bool(types & set(need.types))) for need in needs]
    return types


def _add_words(file: CaseFile, user: User) -> None:
    """What was asked and answered, and current beside proposed; nothing once the card is erased."""
    case, kind = file.case, file.kind
    if not file.card and case.student_id is not None:
        return
    answers = answers_of(case, file.card)
    if not any(user.may_act_at(right, case.to_path) for right in (Right.FILE, Right.REVIEW)):
        answers |= {ask.key: ask.mask(answers[ask.key]) for ask in kind.asks if ask.mask}
    if "words" in case.payload:
        file.answers = said(kind, answers, case.payload["words"])
    elif kind.asks and case.is_open:
        asking = Asking(Organization.objects.get(path=case.to_path), case.student)
        file.answers = in_words(kind, answers, asking)
    if kind.proposes is not None:
        file.changes = kind.proposes(case, file.card)


def _add_acts(file: CaseFile, user: User, steps: list[Step]) -> None:
    """What she may do now, or the sentence that says why not and who can."""
    case = file.case
    is_starter = user.may_act_at(file.kind.right, case.to_path)
    file.may_withdraw = may_withdraw(case, user)
    file.may_correct = is_starter and case.state == State.RETURNED
    if not case.is_open or case.state != State.WAITING:
        return
    try:
        step = own_turn(case, user)
        refuse_second_signature(case, step, user)
        file.turn = step
        waiting = exceptions_at(file.kind, case, step, file.checks)
        file.exceptions = [pair for pair in file.checks if pair[0].code in waiting]
    except NotAllowed as refusal:
        # She was not asked to sign: who can is what helps her.
        file.why_not = refusal.data.get("who") or refusal.detail
    except Refusal as refusal:
        file.why_not = refusal.detail
