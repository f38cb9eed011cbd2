"""Deciding many like cases at once: which of the chosen ones go together, and why the others do not."""

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from config.errors import NotFound
from transfers import across
from transfers.examining import examine_case, exceptions_at, facts_of
from transfers.kind import Advice, Kind
from transfers.kinds import KINDS
from transfers.models import Case, Step
from transfers.queries import card_of, count_in_words, own_steps


@dataclass(frozen=True, slots=True)
class One:
    """One of the chosen cases; `why` says what keeps it apart."""

    pk: int
    number: str
    pupil: str
    school: str
    advice: list[str] = field(default_factory=list)
    why: str = ""


@dataclass(slots=True)
class Choice:
    """Cases of one procedure that wait at one step, and those that must be decided one by one."""

    kind: Kind
    label: str
    like: list[One] = field(default_factory=list)
    apart: list[One] = field(default_factory=list)


def sort_out(user: User, numbers: list[str]) -> Choice:
    """The chosen cases that wait for her, measured by the first: another step, an exception asked for or a
    condition not met keeps a case apart. Conditions are looked at case by case. Raises NotFound when none of
    them waits for her.
    """
    steps = own_steps(user).filter(case__number__in=numbers).select_related("case")
    found = {step.case.number: step for step in steps}
    if not found:
        raise NotFound()
    first = next(found[number] for number in numbers if number in found)
    choice = Choice(KINDS[first.case.kind], first.label)
    for step in sorted(found.values(), key=lambda step: (step.due_on, step.pk)):
        alike = (step.case.kind, step.label) == (first.case.kind, first.label)
        advice, why = _look(step, user) if alike else ([], _("不是同一业务的同一环节，请另选后一并办理。"))
        (choice.apart if why else choice.like).append(_one(step.case, advice, why))
    return choice


def _look(step: Step, user: User) -> tuple[list[str], str]:
    """What there is to think about, and what keeps the case apart."""
    case = step.case
    if user.pk in {case.filed_by_id, *case.payload.get("filers", ())}:
        return [], _("本人发起，须由他人办理。")
    kind = KINDS[case.kind]
    if kind.is_answered:
        return [], _("须逐件答复，并写明理由。")
    if kind.steps_up:
        return [], _("须逐件办理，并再次验证身份。")
    with across.reaching(case.from_path, case.to_path):
        checks = examine_case(kind, facts_of(case))
    if exceptions_at(kind, case, step, checks):
        return [], _("学校申请例外，须由您逐件决定是否准予。")
    unmet = next(((one, why) for one, why in checks if why and not isinstance(why, Advice)), None)
    if unmet is not None:
        return [], f"{unmet[0].label}：{unmet[1]}"
    return [str(why) for _requirement, why in checks if why], ""


def _one(case: Case, advice: list[str], why: str) -> One:
    count: Any = case.payload.get("count")
    pupil = card_of(case.number, case.card).get("name", "") if count is None else count_in_words(count)
    return One(case.pk, case.number, pupil, case.to_name, advice, why)
