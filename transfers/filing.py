"""Filing what is data: one flow for every kind about one pupil, its consequences shown beforehand."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Organization, User
from accounts.rights import explain
from archives.models import Material
from audit.services import System
from config.errors import NotFound
from registry.models import Enrolment, OpenBusiness, Student
from registry.record import latest_spell
from transfers import across, services
from transfers.asking import Asking, split, take_answers
from transfers.kind import (
    About,
    Advice,
    EvidenceNeed,
    Facts,
    Kind,
    Party,
    Proposed,
    Requirement,
    Subject,
)
from transfers.kinds import KINDS
from transfers.kinds.conditions import compulsory_only, no_problem, not_frozen, senior_only
from transfers.kinds.identity_change import IDENTITY_CHANGE
from transfers.kinds.problem_sides import problem_waits
from transfers.models import Case
from transfers.refusals import CaseLocked
from transfers.route import Planned, authority_of, plan, resolve
from transfers.services import card_of, file_case

# Conditions that the menu looks at beforehand: each asks once for the pupil, whatever was not answered yet.
_FORESEEN = (senior_only, compulsory_only, no_problem, not_frozen, problem_waits)
# Kinds about an own pupil whose form is a page of its own: they stand in the menu as well.
OWN_PAGES = {IDENTITY_CHANGE.code: "transfers:identity_change"}


# ── The menu of a pupil's record ──────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Offer:
    """One procedure of the menu, and why it cannot begin now; `page` is the route of one with a form of its
    own.
    """

    kind: Kind
    why_not: str
    page: str


def offers(user: User, student: Student) -> list[tuple[str, list[Offer]]]:
    """What can be done for a pupil of her office, by group. Queries do not grow with the kinds."""
    kinds = [
        kind
        for kind in KINDS.values()
        if (kind.about == About.OWN_PUPIL or kind.code in OWN_PAGES) and _is_hers(user, student, kind)
    ]
    spell = latest_spell(student)
    business = OpenBusiness.objects.filter(student=student).values("kind_name", "case_no").first()
    said: dict[Callable[[Facts], str], str] = {}
    groups: dict[str, list[Offer]] = {}
    for kind in kinds:
        why = _why_not(kind, student, spell, business, said)
        groups.setdefault(kind.group, []).append(Offer(kind, why, OWN_PAGES.get(kind.code, "")))
    return list(groups.items())


def _is_hers(user: User, student: Student, kind: Kind) -> bool:
    """Whether she may start it where she acts: at the pupil's school, or at the authority above it."""
    if not user.may_act_at(kind.right, user.acting_path):
        return False
    if kind.started_by == Party.FILING_OFFICE:
        return authority_of(student.org_path).path == user.acting_path
    return student.org_path == user.acting_path


def kinds_about(about: About) -> list[Kind]:
    """The procedures of one sort, in the order of the register."""
    return [kind for kind in KINDS.values() if kind.about == about]


def _why_not(
    kind: Kind,
    student: Student,
    spell: Enrolment | None,
    business: dict[str, str] | None,
    said: dict[Callable[[Facts], str], str],
) -> str:
    if business is not None and kind.locks_student:
        return _("该生有在办业务“{kind_name}”（{case_no}），请待其办结后再办。").format(**business)
    if spell is None:
        return _("该生没有有效的学籍。")
    if misfit := kind.misfit(spell.status):
        return misfit.detail
    facts = Facts(Subject(student), spell.org_path, spell.org_path, {"grade": spell.grade})
    for requirement in kind.requirements:
        check = requirement.check
        if check in _FORESEEN and not requirement.exempt:
            if check not in said:
                said[check] = check(facts)
            if said[check] and not isinstance(said[check], Advice):
                return said[check]
    return ""


# ── What would happen ─────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Check:
    """One condition, what is wrong, and whether an exception can be asked for."""

    requirement: Requirement
    why: str
    may_exempt: bool

    @property
    def stops(self) -> bool:
        return bool(self.why) and not isinstance(self.why, Advice)


@dataclass(frozen=True, slots=True)
class Preview:
    """A case as it would be filed: what was said, what it changes, its conditions, papers and route."""

    said: list[tuple[Any, str]]
    changes: list[Proposed]
    checks: list[Check]
    needs: list[tuple[EvidenceNeed, bool]]
    route: list[Planned]

    @property
    def missing(self) -> list[str]:
        return [need.label for need, is_met in self.needs if not is_met]

    @property
    def unmet(self) -> int:
        """How many conditions stop it, whatever the office may grant."""
        return sum(check.stops and not check.may_exempt for check in self.checks)

    @property
    def may_exempt(self) -> bool:
        return any(check.may_exempt for check in self.checks)

    @property
    def is_ready(self) -> bool:
        return not self.missing and not self.unmet

    @property
    def days(self) -> int:
        return sum(step.days for step in self.route)


def preview(
    kind: Kind,
    office: Organization,
    student: Student,
    given: Mapping[str, Any],
    *,
    actor: User,
    materials: Sequence[Material] = (),
    found: across.Found | None = None,
) -> Preview:
    """What filing would do, without doing it. `found` is the card of a pupil elsewhere: of her, nothing is
    said that it does not say.

    Raises what filing would raise before the conditions are looked at: NotAllowed, RecordRefused for the
    answers, CaseLocked, and what the kind's own opening raises.
    """
    explain(actor, kind.right, at=office.path).or_raise()
    with transaction.atomic():
        with reaching(student, office):
            made = _preview(kind, office, student, given, actor=actor, materials=materials, found=found)
        transaction.set_rollback(True)  # of the savepoint alone
    return made


def _preview(
    kind: Kind,
    office: Organization,
    student: Student,
    given: Mapping[str, Any],
    *,
    actor: User,
    materials: Sequence[Material],
    found: across.Found | None,
) -> Preview:
    asking = Asking(office, student)
    answers = take_answers(kind, given, asking)
    clear, sealed = split(kind, answers)
    payload: dict[str, Any] = {"asked": clear}
    kind.open(office, payload=payload, actor=actor, student=student, answers=answers)
    if kind.locks_student and OpenBusiness.objects.filter(student=student).exists():
        words = across.open_business_words(student.pk)
        raise CaseLocked(place=words["place"], kind=words["kind"])
    types = frozenset(material.evidence_type for material in materials)
    origin = opposite_of(kind, student, payload)
    facts = Facts(Subject(student), origin.path, office.path, payload, None, types)
    checks = [_check(one, facts) for one in kind.requirements]
    exempt = [check.requirement.code for check in checks if check.may_exempt]
    route = plan(kind, origin.path, office.path, payload | ({"exempt": exempt} if exempt else {}))
    origin_name = found.school_words if found else origin.name
    changes = _changes(kind, facts, origin_name, office, card_of(student) | sealed)
    if found is not None:
        route = [
            replace(step, office_name=origin_name) if step.office_path == origin.path else step
            for step in route
        ]
        changes = [replace(change, before="") for change in changes]
    return Preview(
        said=said(kind, answers, words_of(kind, answers, asking)),
        changes=changes,
        checks=checks,
        needs=[(need, bool(types & set(need.types))) for need in kind.needs(payload)],
        route=route,
    )


def _changes(
    kind: Kind, facts: Facts, origin_name: str, office: Organization, card: dict[str, str]
) -> list[Proposed]:
    if kind.proposes is None:
        return []
    case = Case(
        kind=kind.code,
        student=facts.student,
        from_path=facts.from_path,
        to_path=facts.to_path,
        from_name=origin_name,
        to_name=office.name,
        payload=facts.payload,
    )
    return kind.proposes(case, card)


def _check(requirement: Requirement, facts: Facts) -> Check:
    why = requirement.check(facts)
    stops = bool(why) and not isinstance(why, Advice)
    office = (
        resolve(requirement.exempt, facts.from_path, facts.to_path) if stops and requirement.exempt else None
    )
    return Check(requirement, why, office is not None)


# ── Filing ────────────────────────────────────────────────────────────────────────────────────────────────
def file_pupil(
    kind: Kind,
    office: Organization,
    student: Student,
    given: Mapping[str, Any],
    *,
    actor: User,
    materials: Sequence[Material] = (),
    exempt: Sequence[str] = (),
    exempt_reason: str = "",
) -> Case:
    """File a case of `kind` with the answers `given`, for a pupil of `office` or for one who was found
    elsewhere by exact number and name (`across.find_pupil`): the kind's opening knows which.

    Raises what `services.file_case` raises, RecordRefused for the answers and BadRequest for unknown ones.
    """
    if kind.about == About.OTHER:
        raise NotFound()
    explain(actor, kind.right, at=office.path).or_raise()
    return file_answered(
        kind, office, student, given, actor=actor, materials=materials, exempt=exempt,
        exempt_reason=exempt_reason,
    )  # fmt: skip


def file_answered(
    kind: Kind,
    office: Organization,
    student: Student,
    given: Mapping[str, Any],
    *,
    actor: User | System,
    materials: Sequence[Material] = (),
    exempt: Sequence[str] = (),
    exempt_reason: str = "",
) -> Case:
    """The same for whoever was let in already: a person by her right, or the system for a guardian."""
    with reaching(student, office):
        asking = Asking(office, student)
        answers = take_answers(kind, given, asking)
        words = words_of(kind, answers, asking)
    clear, sealed = split(kind, answers)
    payload: dict[str, Any] = {"asked": clear, "words": words}
    if exempt:
        payload["exempt"] = sorted(set(exempt))
        sealed["exempt_reason"] = exempt_reason.strip()
    return file_case(
        kind,
        office,
        actor=actor,
        from_school=opposite_of(kind, student, payload),
        materials=materials,
        payload=payload,
        secrets=sealed,
        student=student,
        answers=answers,
    )


def words_of(kind: Kind, answers: Mapping[str, str], asking: Asking) -> dict[str, str]:
    """The choices as they read at filing: later the class is another one and the list no longer the same."""
    chosen = [ask for ask in kind.asks if ask.options and answers.get(ask.key)]
    return {
        ask.key: next((str(name) for code, name in ask.options(asking) if code == answers[ask.key]), "")
        for ask in chosen
        if ask.options
    }


def said(kind: Kind, answers: Mapping[str, str], words: Mapping[str, str]) -> list[tuple[Any, str]]:
    """Question and answer as they read at filing; unanswered ones are left out."""
    return [
        (ask.label, words.get(ask.key) or answers[ask.key])
        for ask in kind.asks
        if answers.get(ask.key) and ask.applies(answers)
    ]


def refile(case: Case, given: Mapping[str, Any], *, actor: User, materials: Sequence[Material] = ()) -> Case:
    """Send a returned case on its way again with other answers. Raises what `services.refile` raises."""
    kind = KINDS[case.kind]
    with across.reaching(case.from_path, case.reach):  # the record may lie with neither of its offices
        asking = Asking(Organization.objects.get(path=case.to_path), case.student)
        answers = take_answers(kind, given, asking)
        case.payload["words"] = words_of(kind, answers, asking)
    return services.refile(case, actor=actor, materials=materials, payload={"answers": dict(given)})


def find_elsewhere(kind: Kind, actor: User, *, name: str, number: str, route: str) -> across.Found:
    """The pupil that exact number and name name, if `kind` can be filed for her. Raises what
    `across.find_pupil` raises, NotForStatus; an open problem record stops only a kind that asks for none.
    """
    is_move = any(requirement.check is no_problem for requirement in kind.requirements)
    found = across.find_pupil(
        actor, name=name, number=number, route=route, is_move=is_move, ended=kind.statuses,
        contests=kind.contests,
    )  # fmt: skip
    if misfit := kind.misfit(found.status):
        raise misfit
    return found


def origin_of(student: Student) -> Organization:
    """The office where the pupil's record lies."""
    return Organization.objects.get(path=student.org_path)


def opposite_of(kind: Kind, student: Student, payload: Mapping[str, Any]) -> Organization:
    """The other office of the case: where the record lies, or whom else the kind names."""
    other = kind.opposite(student, payload) if kind.opposite else None
    return other or origin_of(student)


@contextmanager
def reaching(student: Student, office: Organization) -> Iterator[None]:
    """Look at the pupil's school and at the office that files."""
    with across.reaching(student.org_path, office.path):
        yield


def kind_asked(code: str, about: About) -> Kind:
    """The kind behind a code that came from outside. Raises NotFound."""
    kind = KINDS.get(code)
    if kind is None or kind.about != about:
        raise NotFound()
    return kind
