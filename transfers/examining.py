"""What a case must meet, looked at when it is filed and again at each step: conditions and papers, and the
exceptions that an entitled office may make.
"""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import Right
from audit.services import record
from config.clock import today
from registry.models import Student
from transfers.kind import Advice, Facts, Kind, Requirement, Subject
from transfers.models import Case, Step
from transfers.refusals import ExceptionOpen, ExceptionUnknown, ReasonNeeded, RequirementFailed
from transfers.route import resolve

_REASON_AT_LEAST = 4  # characters


def is_reason(text: str) -> bool:
    """Whether `text` says enough for the other side to correct what is wrong (R-TRF-04)."""
    return len(text.strip()) >= _REASON_AT_LEAST


def subject_of(case: Case) -> Subject:
    """Whom an existing case is about; a pupil whose record lies elsewhere by now is not to be seen."""
    try:
        return Subject(case.student, case.batch)
    except Student.DoesNotExist:
        return Subject()


def facts_of(case: Case) -> Facts:
    """What the conditions of an existing case look at."""
    types = frozenset(case.evidence.values_list("type", flat=True))
    return Facts(subject_of(case), case.from_path, case.to_path, case.payload, case, types)


def examine_case(kind: Kind, facts: Facts) -> list[tuple[Requirement, str]]:
    """Each requirement with an empty text, or what is wrong; reviewers see them all.

    Where an exception was asked for, or granted, what is wrong is said as advice.
    """
    return [
        (requirement, _with_exception(requirement, requirement.check(facts), facts.payload))
        for requirement in kind.requirements
    ]


def _with_exception(requirement: Requirement, why: str, payload: dict[str, Any]) -> str:
    if not why or isinstance(why, Advice):
        return why
    if requirement.code in (granted := payload.get("granted", {})):
        office = granted[requirement.code]["office"]
        return Advice(_("{why}已由{office}准予例外。").format(why=why, office=office))
    if requirement.code in payload.get("exempt", ()):
        return Advice(_("{why}学校已申请例外。").format(why=why))
    return why


def exceptions_at(kind: Kind, case: Case, step: Step, checks: list[tuple[Requirement, str]]) -> list[str]:
    """Codes of the conditions in `checks` whose exception the office of `step` has to grant or deny."""
    asked, granted = case.payload.get("exempt", ()), case.payload.get("granted", {})
    if not asked or step.right != Right.DECIDE:
        return []
    open_ones = [one for one, why in checks if why and one.code in asked and one.code not in granted]
    offices = {one.code: resolve(one.exempt, case.from_path, case.to_path) for one in open_ones if one.exempt}
    return [
        code for code, office in offices.items() if office is not None and office.path == step.office_path
    ]


def check_exceptions(kind: Kind, facts: Facts, reason: str) -> None:
    """Make sure that every exception in the payload can be asked for, with a reason.

    Raises ExceptionUnknown, ReasonNeeded.
    """
    asked = facts.payload.get("exempt", ())
    able = {one.code for one in kind.requirements
            if one.exempt and resolve(one.exempt, facts.from_path, facts.to_path)}  # fmt: skip
    if set(asked) - able:
        raise ExceptionUnknown()
    if asked and not is_reason(reason):
        raise ReasonNeeded()


def check_requirements(kind: Kind, facts: Facts) -> list[tuple[Requirement, str]]:
    """Raise RequirementFailed for the first condition that is not met, naming its article; else all of them
    with what advice they give.
    """
    checks = examine_case(kind, facts)
    for requirement, why in checks:
        if why and not isinstance(why, Advice):
            raise RequirementFailed(
                label=requirement.label, why=why, rule=requirement.rule, article=requirement.article
            )
    return checks


def missing_evidence(kind: Kind, types: "set[str] | frozenset[str]", payload: dict[str, Any]) -> list[str]:
    return [need.label for need in kind.needs(payload) if not types & set(need.types)]


def grant_exceptions(
    kind: Kind,
    case: Case,
    step: Step,
    checks: list[tuple[Requirement, str]],
    granted: Sequence[str],
    *,
    actor: User,
    reason: str,
) -> None:
    """Keep who made which exception and why, as an act of its own. Raises ExceptionOpen, ReasonNeeded."""
    waiting = exceptions_at(kind, case, step, checks)
    if not waiting:
        return
    if set(waiting) - set(granted):
        labels = [one.label for one, _why in checks if one.code in set(waiting) - set(granted)]
        raise ExceptionOpen(what="、".join(labels))
    if not is_reason(reason):
        raise ReasonNeeded()
    by = {"office": step.office_name, "name": actor.signing_name, "on": today().isoformat()}
    case.payload["granted"] = case.payload.get("granted", {}) | dict.fromkeys(waiting, by)
    record(
        "transfers.case.exempt", case, actor=actor, reason=reason.strip(), basis=kind.article,
        number=case.number, kind=kind.name, what=waiting,
    )  # fmt: skip
